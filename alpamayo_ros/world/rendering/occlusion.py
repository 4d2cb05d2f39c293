"""The painter's order: what must be painted before what, for things that stand on the ground."""

import heapq

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TOUCH_M = 1e-6
"""Two outlines that overlap by less than this touch and do not overlap."""


def painting_order(footprints: Floats, eye: Floats, spans: Floats) -> NDArray[np.int64]:
    """Order things so that what may hide another one is painted after it.

    Two convex outlines that do not overlap are separated by an edge line of one of them, and a thing can
    hide another only from the eye's side of that line. The remaining freedom, and any ring of things that
    hide each other, is settled far before near.

    Args:
        footprints: Convex outlines, counter-clockwise, shape (N, 4, 2), m.
        eye: Where the camera is on the ground, shape (2,).
        spans: First and last column in which each thing may appear, shape (N, 2); only things that share a
            column can hide each other.

    Returns:
        Indices of the outlines, first painted first.
    """
    middles = footprints.mean(axis=1)
    far_first = np.argsort(-np.hypot(middles[:, 0] - eye[0], middles[:, 1] - eye[1]), kind="stable")
    if len(far_first) < 2:
        return far_first
    low, high = spans[far_first, 0], spans[far_first, 1]
    share = (low[:, None] <= high[None, :]) & (low[None, :] <= high[:, None])
    first, second = np.nonzero(np.triu(share, 1))
    placed = footprints[far_first]
    first_hidden, second_hidden = _hidden(placed, first, second, eye)
    other_hides, own_hides = _hidden(placed, second, first, eye)
    forward = first_hidden | own_hides
    backward = second_hidden | other_hides
    both = forward & backward
    forward, backward = forward & ~both, backward & ~both
    if not backward.any():
        return far_first
    before = np.concatenate([first[forward], second[backward]]).tolist()
    after = np.concatenate([second[forward], first[backward]]).tolist()
    return far_first[_sorted(len(far_first), before, after)]


def _hidden(
    placed: Floats, first: NDArray[np.int64], second: NDArray[np.int64], eye: Floats
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell for pairs whether an edge line of the first says that the first, or the second, is the farther one."""
    edges = np.roll(placed, -1, axis=1) - placed
    normal_x, normal_y = edges[:, :, 1], -edges[:, :, 0]
    offsets = normal_x * placed[:, :, 0] + normal_y * placed[:, :, 1]
    eye_outside = normal_x * eye[0] + normal_y * eye[1] > offsets
    x, y, offset = normal_x[first], normal_y[first], offsets[first]
    corners = placed[second]
    least = x * corners[:, 0, 0, None] + y * corners[:, 0, 1, None]
    for corner in range(1, 4):
        np.minimum(least, x * corners[:, corner, 0, None] + y * corners[:, corner, 1, None], out=least)
    apart = least - offset >= -TOUCH_M
    outside = eye_outside[first]
    return (apart & outside).any(axis=1), (apart & ~outside).any(axis=1)


def _sorted(count: int, before: list[int], after: list[int]) -> list[int]:
    """Return 0 to count - 1 so that each of ``before`` precedes its ``after``, else in order; rings are cut."""
    followers: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for one, other in zip(before, after, strict=True):
        followers[one].append(other)
        waiting[other] += 1
    ready = [index for index in range(count) if waiting[index] == 0]
    heapq.heapify(ready)
    left = dict.fromkeys(range(count))
    order: list[int] = []
    while left:
        chosen = heapq.heappop(ready) if ready else next(iter(left))
        if chosen not in left:
            continue
        del left[chosen]
        order.append(chosen)
        for follower in followers[chosen]:
            waiting[follower] -= 1
            if waiting[follower] == 0 and follower in left:
                heapq.heappush(ready, follower)
    return order
