"""Actions are the inverse of the unicycle roll-out."""

import numpy as np
import pytest

from alpamayo_ros.geometry.kinematics import roll_out_actions
from alpamayo_ros.inference.networks.anatomy import POINTS, STEP_S
from alpamayo_ros.training.motion_targets import actions_from_motion, in_rig_frame


def test_actions_drive_through_the_speeds_and_headings_they_were_made_from() -> None:
    random = np.random.default_rng(1)
    acceleration = np.repeat(random.uniform(-3.0, 2.0, 8), 8)
    curvature = np.repeat(random.uniform(-0.1, 0.1, 8), 8)
    speed = np.maximum(9.0 + STEP_S * np.concatenate([[0.0], np.cumsum(acceleration)]), 0.0)
    arc = 0.5 * STEP_S * (speed[1:] + speed[:-1])
    yaw = np.concatenate([[0.0], np.cumsum(curvature * arc)])
    found = roll_out_actions(actions_from_motion(speed, yaw)[None].astype(np.float64), 9.0, STEP_S)
    assert found.shape[-1] == POINTS
    assert np.allclose(found[0, 3], yaw[1:], atol=0.02)
    assert np.allclose(found[0, 4], speed[1:], atol=0.02)


def test_a_heading_that_passes_half_a_turn_is_no_jump() -> None:
    yaw = np.array([3.1, 3.2 - 2.0 * np.pi, 3.3 - 2.0 * np.pi])
    assert actions_from_motion(np.full(3, 10.0), yaw)[:, 1] == pytest.approx(0.1, abs=1e-3)


def test_a_standing_vehicle_has_no_curvature_whatever_its_heading_does() -> None:
    actions = actions_from_motion(np.zeros(4), np.array([0.0, 1e-3, -1e-3, 0.0]))
    assert np.array_equal(actions, np.zeros((3, 2)))


def test_actions_stay_within_what_a_vehicle_can_do() -> None:
    actions = actions_from_motion(np.array([0.0, 30.0, 0.0]), np.array([0.0, 1.0, 2.0]))
    assert np.abs(actions[:, 0]).max() <= 9.8
    assert np.abs(actions[:, 1]).max() <= 0.33 + 1e-6


def test_the_rig_at_t0_is_the_origin() -> None:
    origin = (4.0, -2.0, 2.5)
    ahead = (4.0 + np.cos(2.5), -2.0 + np.sin(2.5))
    local = in_rig_frame(np.array([4.0, ahead[0]]), np.array([-2.0, ahead[1]]), np.array([2.5, -3.6]), origin)
    assert np.allclose(local[0], 0.0)
    assert np.allclose(local[1], (1.0, 0.0, -6.1 + 2.0 * np.pi))
