"""The painter's order: what must be painted before what, for things that stand on the ground."""

import numpy as np
from numpy.typing import NDArray

TOUCH_M = 1e-6
"""Two outlines that overlap by less than this touch and do not overlap."""


def painting_order(footprints: NDArray[np.float64], eye: NDArray[np.float64]) -> list[int]:
    """Order things so that what may hide another one is painted after it.

    Two convex outlines that do not overlap are separated by an edge line of one of them, and a thing can
    hide another only from the eye's side of that line. The remaining freedom, and any ring of things that
    hide each other, is settled far before near.

    Args:
        footprints: Convex outlines, counter-clockwise, shape (N, 4, 2), m.
        eye: Where the camera is on the ground, shape (2,).

    Returns:
        Indices of the outlines, first painted first.
    """
    count = len(footprints)
    if count == 0:
        return []
    edges = np.roll(footprints, -1, axis=1) - footprints
    normals = np.stack([edges[:, :, 1], -edges[:, :, 0]], axis=2)
    offsets = np.einsum("iek,iek->ie", normals, footprints)
    sides = np.einsum("iek,jck->iejc", normals, footprints).min(axis=3) - offsets[:, :, None]
    apart = sides >= -TOUCH_M
    apart[np.arange(count), :, np.arange(count)] = False
    eye_outside = normals @ eye - offsets > 0.0
    other_in_front = (apart & eye_outside[:, :, None]).any(axis=1)
    own_in_front = (apart & ~eye_outside[:, :, None]).any(axis=1)
    before = other_in_front | own_in_front.T
    before &= ~before.T.copy()
    distance = np.linalg.norm(footprints.mean(axis=1) - eye, axis=1)
    waiting = before.sum(axis=0)
    left = np.ones(count, dtype=np.bool_)
    order: list[int] = []
    for _ in range(count):
        ready = left & (waiting == 0)
        candidates = ready if ready.any() else left
        chosen = int(np.argmax(np.where(candidates, distance, -1.0)))
        order.append(chosen)
        left[chosen] = False
        waiting = waiting - before[chosen]
    return order
