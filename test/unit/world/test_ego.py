"""The ego vehicle is a unicycle in closed form that never drives backwards."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.world.ego import advance_ego, ego_state, interpolate_ego

speeds = st.floats(0.0, 25.0)
accelerations = st.floats(-8.0, 3.0)
curvatures = st.floats(-0.2, 0.2)


@settings(deadline=None, max_examples=80)
@given(speeds, accelerations, curvatures)
def test_one_step_is_as_many_small_ones(speed: float, acceleration: float, curvature: float) -> None:
    whole = advance_ego(ego_state(1.0, 2.0, 0.3, speed, 0.0, 0.0), acceleration, curvature, 0.5)
    parts = ego_state(1.0, 2.0, 0.3, speed, 0.0, 0.0)
    for _ in range(50):
        parts = advance_ego(parts, acceleration, curvature, 0.01)
    assert parts.position == pytest.approx(whole.position, abs=1e-9)
    assert parts.yaw == pytest.approx(whole.yaw, abs=1e-9)
    assert parts.speed_mps == pytest.approx(whole.speed_mps, abs=1e-9)


def test_braking_ends_with_standing() -> None:
    state = advance_ego(ego_state(0.0, 0.0, 0.0, 2.0, 0.0, 0.0), -4.0, 0.0, 1.0)
    assert state.speed_mps == 0.0
    assert state.position[0] == pytest.approx(0.5)
    still = advance_ego(state, -4.0, 0.1, 0.1)
    assert (still.position, still.yaw, still.acceleration_mps2) == (state.position, state.yaw, 0.0)


def test_a_circle_is_closed() -> None:
    state = ego_state(0.0, 0.0, 0.0, 10.0, 0.0, 0.0)
    for _ in range(100):
        state = advance_ego(state, 0.0, math.tau / 100.0, 0.1)
    assert state.position == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)


def test_the_body_leans_with_its_accelerations() -> None:
    state = ego_state(0.0, 0.0, 0.0, 10.0, -4.0, 0.05)
    assert state.pitch > 0.0
    assert state.roll > 0.0
    assert math.hypot(*state.linear_velocity) == pytest.approx(10.0)
    assert math.hypot(*state.angular_velocity) == pytest.approx(0.5)
    assert math.hypot(*state.quaternion) == pytest.approx(1.0)


@settings(deadline=None, max_examples=60)
@given(speeds, accelerations, curvatures, st.floats(0.0, 1.0))
def test_between_two_states_it_is_where_it_drove(
    speed: float, acceleration: float, curvature: float, share: float
) -> None:
    start = ego_state(3.0, -1.0, 1.2, speed, 0.0, curvature)
    end = advance_ego(start, acceleration, curvature, 0.1)
    between = interpolate_ego(start, end, share)
    driven = advance_ego(start, acceleration, curvature, 0.1 * share)
    assert between.position == pytest.approx(driven.position, abs=0.02)
    assert between.speed_mps >= 0.0


def test_a_turn_through_the_back_is_interpolated_the_short_way() -> None:
    a, b = ego_state(0, 0, math.pi - 0.01, 1.0, 0, 0), ego_state(-0.1, 0, -math.pi + 0.01, 1.0, 0, 0)
    assert math.cos(interpolate_ego(a, b, 0.5).yaw) == pytest.approx(-1.0, abs=1e-3)


@pytest.mark.parametrize("motion", [(math.nan, 0.0, 0.1), (0.0, math.inf, 0.1), (0.0, 0.0, -0.1)])
def test_motions_that_are_none_are_refused(motion: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="expected finite numbers"):
        advance_ego(ego_state(0, 0, 0, 1, 0, 0), *motion)
