"""A path knows its arc length, heading and curvature, and finds points again."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.world.path import Path

RADIUS_M = 20.0
ARC = np.array([[RADIUS_M * math.sin(a), RADIUS_M * (1.0 - math.cos(a))] for a in np.linspace(0.0, math.pi, 30)])
CORNER = np.array([[0.0, 0.0], [40.0, 0.0], [40.0, 40.0]])


def test_a_straight_line_has_exact_lengths_and_headings() -> None:
    path = Path(np.array([[0.0, 0.0], [30.0, 40.0]]))
    assert path.length_m == pytest.approx(50.0)
    assert path.point(25.0) == pytest.approx((15.0, 20.0, math.atan2(4, 3)))
    assert path.point(25.0, 2.0)[:2] == pytest.approx((15.0 - 1.6, 20.0 + 1.2))
    assert path.curvature(25.0) == pytest.approx(0.0, abs=1e-9)


def test_an_arc_of_chords_gets_the_curvature_of_its_circle() -> None:
    path = Path(ARC)
    inner = np.linspace(10.0, path.length_m - 10.0, 50)
    curvatures = [path.curvature(float(s)) for s in inner]
    assert curvatures == pytest.approx([1.0 / RADIUS_M] * 50, rel=0.06)


def test_a_corner_becomes_a_bend_that_a_car_can_drive() -> None:
    path = Path(CORNER)
    headings = np.array([path.point(float(s))[2] for s in np.arange(0.0, path.length_m, 0.1)])
    assert np.abs(np.diff(headings)).max() < 0.06
    assert path.point(path.length_m)[2] == pytest.approx(math.pi / 2, abs=1e-6)
    assert max(path.curvature(float(s)) for s in np.arange(0.0, path.length_m)) < 0.5


def test_both_ends_stay_where_they_were() -> None:
    path = Path(ARC)
    assert path.point(0.0)[:2] == pytest.approx(tuple(ARC[0]), abs=1e-9)
    assert path.point(path.length_m)[:2] == pytest.approx(tuple(ARC[-1]), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(st.floats(0.5, 60.0), st.floats(-6.0, 6.0))
def test_a_point_beside_the_path_is_found_again(s_m: float, d_m: float) -> None:
    path = Path(ARC)
    x, y, _ = path.point(s_m, d_m)
    found_s, found_d = path.project(x, y, near_s=s_m)
    assert found_d == pytest.approx(d_m, abs=0.02)
    assert found_s == pytest.approx(s_m, abs=0.2)


def test_beyond_its_ends_a_path_goes_on_straight() -> None:
    path = Path(np.array([[0.0, 0.0], [10.0, 0.0]]))
    assert path.point(-3.0, 1.0) == pytest.approx((-3.0, 1.0, 0.0))
    assert path.point(14.0)[:2] == pytest.approx((14.0, 0.0))
    assert path.project(14.0, -2.0) == pytest.approx((14.0, -2.0))
    assert path.project(-5.0, 2.0) == pytest.approx((-5.0, 2.0))
    assert path.curvature(14.0) == 0.0


def test_near_a_place_only_that_part_is_looked_at() -> None:
    there_and_back = Path(np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 1.0], [0.0, 1.0]]), smoothing_m=0.0)
    assert there_and_back.project(10.0, 0.6, near_s=10.0)[0] == pytest.approx(10.0, abs=0.1)
    assert there_and_back.project(10.0, 0.6)[0] == pytest.approx(191.0, abs=0.1)


@pytest.mark.parametrize(
    "points",
    [np.zeros((0, 2)), np.zeros((3, 2)), np.zeros((2, 3)), np.array([[0.0, 0.0], [math.nan, 1.0]]), np.zeros(4)],
)
def test_what_is_no_line_is_refused(points: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        Path(points)
