"""Traffic slows down for bends before it reaches them."""

import math

import numpy as np
import pytest

from alpamayo_ros.world.bends import BEND_ACCELERATION_MPS2, BEND_DECELERATION_MPS2, bend_speeds
from alpamayo_ros.world.road_map import Lane

RADIUS_M = 20.0


def lane() -> Lane:
    straight = np.array([[x, 0.0] for x in np.arange(0.0, 80.0, 2.0)])
    angles = np.linspace(0.0, math.pi / 2, 20)
    arc = np.stack([80.0 + RADIUS_M * np.sin(angles), RADIUS_M * (1.0 - np.cos(angles))], axis=1)
    return Lane("a_1", "a", 1, "driving", np.concatenate([straight, arc]), 3.5, 13.9, "none", "none")


def test_in_the_bend_the_lateral_acceleration_is_bounded() -> None:
    speeds = bend_speeds(lane())
    assert min(speeds[85:105]) == pytest.approx(math.sqrt(BEND_ACCELERATION_MPS2 * RADIUS_M), rel=0.15)


def test_before_the_bend_there_is_room_to_brake() -> None:
    speeds = bend_speeds(lane())
    braking = (speeds[:-1] ** 2 - speeds[1:] ** 2) / 2.0
    assert braking.max() <= BEND_DECELERATION_MPS2 + 1e-6
    assert speeds[0] > 1.8 * min(speeds)
