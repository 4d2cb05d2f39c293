"""The lane is a smooth curve that is known exactly."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.world.lane import Lane
from alpamayo_ros.world.pulses import Pulse
from alpamayo_ros.world.scene import LANE

CIRCLE_RADIUS_M = 40.0
BENT = Lane(0.4, (Pulse(1.0 / CIRCLE_RADIUS_M, -1000.0, 1.0, 1000.0, 1.0),), -30.0, 90.0)
positions = st.floats(LANE.first_m + 0.01, LANE.last_m - 0.01)


def test_the_lane_passes_the_origin_with_its_heading() -> None:
    start = LANE.point(0.0)
    assert (start.x, start.y) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert start.heading == LANE.heading


@settings(deadline=None, max_examples=60)
@given(st.floats(-30.0, 90.0))
def test_constant_curvature_is_a_circle(s_m: float) -> None:
    point = BENT.point(s_m)
    angle = 0.4 + s_m / CIRCLE_RADIUS_M
    assert point.heading == pytest.approx(angle, abs=1e-12)
    assert point.x == pytest.approx(CIRCLE_RADIUS_M * (math.sin(angle) - math.sin(0.4)), abs=1e-9)
    assert point.y == pytest.approx(CIRCLE_RADIUS_M * (math.cos(0.4) - math.cos(angle)), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(positions)
def test_s_is_arc_length_along_the_heading(s_m: float) -> None:
    h = 1e-3
    before, here, after = LANE.point(s_m - h), LANE.point(s_m), LANE.point(s_m + h)
    assert (after.x - before.x) / (2 * h) == pytest.approx(math.cos(here.heading), abs=1e-7)
    assert (after.y - before.y) / (2 * h) == pytest.approx(math.sin(here.heading), abs=1e-7)
    assert (after.heading - before.heading) / (2 * h) == pytest.approx(LANE.curvature(s_m), abs=1e-7)


@settings(deadline=None, max_examples=40)
@given(positions, st.floats(-10.0, 12.0))
def test_offsets_are_measured_square_to_the_lane_and_left_positive(s_m: float, d_m: float) -> None:
    centre, beside = LANE.point(s_m), LANE.point(s_m, d_m)
    across = (-math.sin(centre.heading), math.cos(centre.heading))
    offset = (beside.x - centre.x, beside.y - centre.y)
    assert offset[0] * across[0] + offset[1] * across[1] == pytest.approx(d_m, abs=1e-9)
    assert math.hypot(*offset) == pytest.approx(abs(d_m), abs=1e-9)


def test_the_lane_bends_left_and_then_right_no_tighter_than_35_m() -> None:
    curvatures = [LANE.curvature(s) for s in range(120)]
    assert curvatures.index(max(curvatures)) < curvatures.index(min(curvatures))
    assert 0.02 < max(curvatures) < 1.0 / 35.0
    assert -1.0 / 35.0 < min(curvatures) < -0.02


@pytest.mark.parametrize("s_m", [LANE.first_m - 0.01, LANE.last_m + 0.01, math.nan])
def test_points_outside_the_lane_are_refused(s_m: float) -> None:
    with pytest.raises(ValueError, match="outside; expected"):
        LANE.point(s_m)
