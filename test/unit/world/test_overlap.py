"""Whether footprints touch."""

import math

import numpy as np
import pytest

from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.overlap import actor_boxes, ego_box, moved, overlap
from alpamayo_ros.world.vehicle import LENGTH_M, REAR_AXLE_TO_CENTRE_M, WIDTH_M

BOX = np.array([0.0, 0.0, 0.0, 4.0, 2.0])


@pytest.mark.parametrize(
    ("other", "touches"),
    [
        ((3.9, 0.0, 0.0, 4.0, 2.0), True),
        ((4.1, 0.0, 0.0, 4.0, 2.0), False),
        ((0.0, 2.1, 0.0, 4.0, 2.0), False),
        ((0.0, 2.9, math.pi / 2, 4.0, 2.0), True),
        ((0.0, 3.1, math.pi / 2, 4.0, 2.0), False),
        # Diagonal: the boxes around both overlap, the footprints do not.
        ((3.6, 2.6, math.pi / 4, 4.0, 1.0), False),
        ((0.5, 0.2, 1.0, 0.3, 0.3), True),
    ],
)
def test_overlap_is_that_of_turned_rectangles(other: tuple[float, ...], touches: bool) -> None:
    row = np.array(other)
    assert bool(overlap(BOX, row)) == touches
    assert bool(overlap(row, BOX)) == touches


def test_many_pairs_are_told_apart_at_once() -> None:
    others = np.array([[3.0, 0.0, 0.0, 4.0, 2.0], [30.0, 0.0, 0.0, 4.0, 2.0]])
    assert overlap(BOX, others).tolist() == [True, False]
    assert overlap(others[:, None], others).tolist() == [[True, False], [False, True]]


def test_it_agrees_with_points_inside_both() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        box = np.array([*rng.uniform(-4.0, 4.0, 2), rng.uniform(-3.0, 3.0), *rng.uniform(0.5, 4.0, 2)])
        grid = np.stack(np.meshgrid(np.linspace(-2.0, 2.0, 41), np.linspace(-1.0, 1.0, 21)), axis=-1).reshape(-1, 2)
        away = grid - box[:2]
        along = away @ np.array([math.cos(box[2]), math.sin(box[2])])
        across = away @ np.array([-math.sin(box[2]), math.cos(box[2])])
        inside = ((np.abs(along) <= box[3] / 2) & (np.abs(across) <= box[4] / 2)).any()
        if inside:
            assert overlap(BOX, box)


def test_the_ego_vehicle_reaches_from_bumper_to_bumper() -> None:
    box = ego_box(ego_state(10.0, 5.0, 0.0, 0.0, 0.0, 0.0))
    assert box.tolist() == [10.0 + REAR_AXLE_TO_CENTRE_M, 5.0, 0.0, LENGTH_M, WIDTH_M]


def test_no_actors_are_no_boxes() -> None:
    assert actor_boxes(()).shape == (0, 5)


def test_boxes_move_along_their_headings() -> None:
    later = moved(np.array([[0.0, 0.0, math.pi / 2, 4.0, 2.0]]), np.array([10.0]), np.array([0.0, 0.5]))
    assert later[0, 0, :2].tolist() == [0.0, 0.0]
    assert later[1, 0, :2] == pytest.approx([0.0, 5.0])
