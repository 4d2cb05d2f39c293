"""The ego vehicle's velocities are the derivatives of its poses, and a car could drive them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.geometry.rotation import invert, log, multiply, to_matrix
from alpamayo_ros.world.demo import DURATION_S
from alpamayo_ros.world.drive import EgoDrive
from alpamayo_ros.world.scene import LANE
from alpamayo_ros.world.traffic import EGO_MOTION

DRIVE = EgoDrive(LANE, EGO_MOTION)
TIMES_S = np.arange(0.0, DURATION_S, 0.02).tolist()
H = 1e-3


@settings(deadline=None, max_examples=80)
@given(st.floats(0.01, DURATION_S))
def test_linear_velocity_is_the_derivative_of_position_in_the_rig_frame(t_s: float) -> None:
    before, here, after = (DRIVE.state(t_s + step) for step in (-H, 0.0, H))
    world = (np.array(after.position) - np.array(before.position)) / (2 * H)
    rig = to_matrix(np.array(here.quaternion)).T @ world
    assert rig == pytest.approx(np.array(here.linear_velocity), abs=2e-6)


@settings(deadline=None, max_examples=80)
@given(st.floats(0.01, DURATION_S))
def test_angular_velocity_is_the_derivative_of_orientation_in_the_rig_frame(t_s: float) -> None:
    before, here, after = (np.array(DRIVE.state(t_s + step).quaternion) for step in (-H, 0.0, H))
    assert np.linalg.norm(here) == pytest.approx(1.0, abs=1e-12)
    rate = log(multiply(invert(before), after)) / (2 * H)
    assert rate == pytest.approx(np.array(DRIVE.state(t_s).angular_velocity), abs=2e-6)


def test_the_quaternion_is_yaw_then_pitch_then_roll() -> None:
    state = DRIVE.state(11.5)
    forward = to_matrix(np.array(state.quaternion))[:, 0]
    left = to_matrix(np.array(state.quaternion))[:, 1]
    assert np.arctan2(forward[1], forward[0]) == pytest.approx(state.yaw, abs=1e-12)
    assert -np.arcsin(forward[2]) == pytest.approx(state.pitch, abs=1e-12)
    assert np.arcsin(left[2] / np.cos(state.pitch)) == pytest.approx(state.roll, abs=1e-12)


def test_braking_dips_the_nose_and_a_left_bend_leans_the_body_to_the_right() -> None:
    braking = DRIVE.state(12.0)
    assert braking.acceleration_mps2 < -2.0
    assert to_matrix(np.array(braking.quaternion))[2, 0] < -0.003
    bend = DRIVE.state(6.0)
    assert bend.curvature > 0.02
    assert to_matrix(np.array(bend.quaternion))[2, 1] > 0.003


def test_the_drive_is_smooth_and_within_what_a_car_can_do() -> None:
    states = [DRIVE.state(t_s) for t_s in TIMES_S]
    jerks = [EGO_MOTION.jerk_mps3(t_s) for t_s in TIMES_S]
    assert min(state.speed_mps for state in states) >= -1e-12
    assert max(abs(state.acceleration_mps2) for state in states) < 3.0
    assert max(abs(state.speed_mps**2 * state.curvature) for state in states) < 3.0
    assert max(abs(jerk) for jerk in jerks) < 6.0
    assert max(abs(b.yaw - a.yaw) for a, b in itertools.pairwise(states)) < 0.02 * 0.35


def test_the_drive_starts_at_rest_reaches_ten_metres_per_second_and_slows_down() -> None:
    speeds = [DRIVE.state(t_s).speed_mps for t_s in TIMES_S]
    assert speeds[0] == 0.0
    assert 9.9 < max(speeds) < 10.5
    assert speeds[-1] < 2.5
    assert DRIVE.state(DURATION_S).position[2] == 0.0
