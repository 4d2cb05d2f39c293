"""Smooth pulses, and the motion that is made of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.world.pulses import (
    Motion,
    Phases,
    Pulse,
    smooth_step,
    smooth_step_area,
    smooth_step_area_sum,
    smooth_step_slope,
)

H = 1e-4


@settings(deadline=None, max_examples=80)
@given(st.floats(-2.0, 3.0))
def test_each_function_is_the_derivative_of_the_next(x: float) -> None:
    assert (smooth_step(x + H) - smooth_step(x - H)) / (2 * H) == pytest.approx(smooth_step_slope(x), abs=1e-5)
    assert (smooth_step_area(x + H) - smooth_step_area(x - H)) / (2 * H) == pytest.approx(smooth_step(x), abs=1e-6)
    derivative = (smooth_step_area_sum(x + H) - smooth_step_area_sum(x - H)) / (2 * H)
    assert derivative == pytest.approx(smooth_step_area(x), abs=1e-6)


def test_a_pulse_is_zero_outside_and_high_inside() -> None:
    pulse = Pulse(-2.5, 1.0, 0.5, 3.0, 0.25)
    assert pulse.value(1.0) == 0.0
    assert pulse.value(1.5) == -2.5
    assert pulse.value(3.0) == -2.5
    assert pulse.value(3.25) == 0.0
    assert pulse.area(100.0) == pytest.approx(-2.5 * (2.0 - 0.25 + 0.125), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(st.floats(0.0, 10.0), st.floats(-3.0, 3.0), st.floats(0.2, 2.0), st.floats(0.2, 2.0), st.floats(-9.0, 9.0))
def test_position_speed_acceleration_and_jerk_agree(
    t_s: float, height: float, rise: float, fall: float, speed: float
) -> None:
    motion = Motion(3.0, speed, (Pulse(height, 1.0, rise, 4.0, fall), Pulse(-height, 5.0, fall, 8.0, rise)))
    assert (motion.position_m(t_s + H) - motion.position_m(t_s - H)) / (2 * H) == pytest.approx(
        motion.speed_mps(t_s), abs=1e-6
    )
    assert (motion.speed_mps(t_s + H) - motion.speed_mps(t_s - H)) / (2 * H) == pytest.approx(
        motion.acceleration_mps2(t_s), abs=1e-5
    )
    assert (motion.acceleration_mps2(t_s + H) - motion.acceleration_mps2(t_s - H)) / (2 * H) == pytest.approx(
        motion.jerk_mps3(t_s), abs=1e-3
    )


def test_phases_change_at_their_times() -> None:
    phases = Phases("green", ((2.0, "amber"), (3.0, "red")))
    assert [phases.at(t_s) for t_s in np.arange(0.0, 4.5, 0.5).tolist()] == [
        *["green"] * 4,
        *["amber"] * 2,
        *["red"] * 3,
    ]
