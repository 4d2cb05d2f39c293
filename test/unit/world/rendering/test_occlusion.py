"""Whatever may hide another thing is painted after it."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.world.rendering.occlusion import painting_order

EYE = np.array([0.0, 0.0])


def box(x: float, y: float, length: float, width: float, heading: float = 0.0) -> np.ndarray:
    corners = np.array([(-length, -width), (length, -width), (length, width), (-length, width)]) / 2.0
    turn = np.array([[math.cos(heading), math.sin(heading)], [-math.sin(heading), math.cos(heading)]])
    return corners @ turn + np.array([x, y])


def spans(boxes: np.ndarray) -> np.ndarray:
    bearings = boxes[:, :, 1] / boxes[:, :, 0]
    return np.stack([bearings.min(axis=1), bearings.max(axis=1)], axis=1)


def test_the_far_one_of_two_is_painted_first() -> None:
    boxes = np.stack([box(5.0, 0.0, 1.0, 1.0), box(20.0, 0.0, 1.0, 1.0)])
    assert painting_order(boxes, EYE, spans(boxes)).tolist() == [1, 0]


def test_a_long_wall_beside_a_thing_is_ordered_by_sides_and_not_by_middles() -> None:
    """The wall's middle is farther than the post's, yet the wall stands in front of it."""
    wall, post = box(20.0, 1.0, 36.0, 0.5), box(10.0, 2.0, 0.5, 0.5)
    boxes = np.stack([wall, post])
    assert painting_order(boxes, EYE, spans(boxes)).tolist() == [1, 0]


def test_things_that_share_no_column_keep_far_before_near() -> None:
    boxes = np.stack([box(10.0, 4.0, 1.0, 1.0), box(12.0, -4.0, 1.0, 1.0), box(30.0, 0.0, 1.0, 1.0)])
    assert painting_order(boxes, EYE, spans(boxes)).tolist() == [2, 1, 0]


def test_nothing_and_one_thing_have_an_order() -> None:
    assert painting_order(np.zeros((0, 4, 2)), EYE, np.zeros((0, 2))).tolist() == []
    assert painting_order(box(3.0, 0.0, 1.0, 1.0)[None], EYE, np.array([[-1.0, 1.0]])).tolist() == [0]


def test_a_ring_of_things_that_hide_each_other_is_cut_somewhere() -> None:
    boxes = np.stack([box(10.0 + 3.0 * math.cos(a), 3.0 * math.sin(a), 6.0, 0.4, a + 1.2) for a in (0.0, 2.1, 4.2)])
    everything = np.full((3, 2), (-np.inf, np.inf))
    assert sorted(painting_order(boxes, EYE, everything).tolist()) == [0, 1, 2]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 8), st.integers(-6, 6), st.floats(0.0, 3.1)),
        min_size=2,
        max_size=12,
        unique_by=lambda one: one[:2],
    )
)
def test_along_every_ray_what_is_nearer_is_painted_later(places) -> None:
    boxes = np.stack([box(6.0 * x, 6.0 * y, 4.5, 2.0, turn) for x, y, turn in places])
    order = painting_order(boxes, EYE, np.full((len(boxes), 2), (-np.inf, np.inf))).tolist()
    rank = {thing: index for index, thing in enumerate(order)}
    for bearing in np.linspace(-1.3, 1.3, 80).tolist():
        ray = np.array([math.cos(bearing), math.sin(bearing)])
        crossed = sorted(
            (distance, thing) for thing, one in enumerate(boxes) if (distance := hit(one, ray)) is not None
        )
        for (_, near), (_, far) in itertools.pairwise(crossed):
            assert rank[near] > rank[far]


def hit(corners: np.ndarray, ray: np.ndarray) -> float | None:
    """Distance at which a ray from the eye enters an outline, None if it misses."""
    found = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        way = end - start
        across = ray[0] * way[1] - ray[1] * way[0]
        if abs(across) < 1e-9:
            continue
        distance = (start[0] * way[1] - start[1] * way[0]) / across
        share = (start[0] * ray[1] - start[1] * ray[0]) / across
        if distance > 0.0 and 0.0 <= share <= 1.0:
            found.append(distance)
    return min(found) if len(found) > 1 else None


def test_the_order_is_right_among_many() -> None:
    rng = np.random.default_rng(1)
    boxes = np.stack([box(4.0 + 4.0 * i, float(rng.uniform(-8.0, 8.0)), 2.0, 2.0) for i in range(60)])
    order = painting_order(boxes, EYE, np.full((60, 2), (-np.inf, np.inf)))
    assert sorted(order.tolist()) == list(range(60))
    middles = np.hypot(*boxes.mean(axis=1).T)[order]
    assert (np.diff(middles) < 8.0).all()
    assert middles[0] == pytest.approx(np.hypot(*boxes.mean(axis=1).T).max())
