"""The painter's order, against rays."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.world.occlusion import painting_order

# Boxes in separate 10 m cells, turned and stretched inside of their cell, never overlap.
boxes = st.lists(
    st.tuples(
        st.integers(-3, 3),
        st.integers(-3, 3),
        st.floats(0.0, 3.1),
        st.floats(0.3, 3.4),
        st.floats(0.3, 3.4),
    ),
    min_size=2,
    max_size=14,
    unique_by=lambda box: (box[0], box[1]),
)


def _footprint(box: tuple[int, int, float, float, float]) -> np.ndarray:
    column, row, angle, length, width = box
    corners = np.array([(-length, -width), (length, -width), (length, width), (-length, width)])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return corners @ turn + np.array([10.0 * column, 10.0 * row])


def _entry(footprint: np.ndarray, eye: np.ndarray, direction: np.ndarray) -> float:
    """Distance at which a ray enters a convex outline, infinite if it misses it."""
    edges = np.roll(footprint, -1, axis=0) - footprint
    normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1)
    heights = np.einsum("ek,ek->e", normals, footprint - eye)
    slopes = normals @ direction
    inwards, outwards = slopes < -1e-12, slopes > 1e-12
    if (heights[~inwards & ~outwards] < 0.0).any():
        return np.inf
    enter = (heights[inwards] / slopes[inwards]).max(initial=0.0)
    leave = (heights[outwards] / slopes[outwards]).min(initial=np.inf)
    return float(enter) if enter < leave - 1e-9 else np.inf


@settings(deadline=None, max_examples=120)
@given(boxes, st.floats(-34.0, 34.0), st.floats(-34.0, 34.0))
def test_along_every_ray_the_nearer_thing_is_painted_later(
    drawn: list[tuple[int, int, float, float, float]], x: float, y: float
) -> None:
    footprints = np.array([_footprint(box) for box in drawn])
    eye = np.array([x, y])
    rays = [np.array([np.cos(angle), np.sin(angle)]) for angle in np.linspace(0.0, 2.0 * np.pi, 90, endpoint=False)]
    # No camera of the world stands inside of a thing.
    if any(_entry(footprint, eye, rays[0]) == 0.0 for footprint in footprints):
        return
    place = {index: rank for rank, index in enumerate(painting_order(footprints, eye))}
    assert sorted(place) == list(range(len(drawn)))
    for ray in rays:
        hit = sorted((_entry(footprint, eye, ray), index) for index, footprint in enumerate(footprints))
        ranks = [place[index] for distance, index in hit if np.isfinite(distance)]
        assert ranks == sorted(ranks, reverse=True)


def test_a_long_wall_is_painted_before_what_stands_in_front_of_its_far_end() -> None:
    wall = np.array([(0.0, 5.0), (60.0, 5.0), (60.0, 15.0), (0.0, 15.0)])
    car = np.array([(50.0, 2.0), (54.0, 2.0), (54.0, 4.0), (50.0, 4.0)])
    assert painting_order(np.array([car, wall]), np.array([-2.0, 0.0])) == [1, 0]


def test_nothing_has_an_empty_order() -> None:
    assert painting_order(np.zeros((0, 4, 2)), np.zeros(2)) == []
