"""Steering back to a line."""

import math

import pytest

from alpamayo_ros.world.ego import advance_ego, ego_state
from alpamayo_ros.world.expert.offsets import Offset
from alpamayo_ros.world.expert.steering import CURVATURE_RATE, MAX_CURVATURE, MAX_LATERAL_MPS2, steer

LINE = Offset(0.0, 0.0, 0.0)


def curvature(error: float, heading: float, speed: float, present: float = 0.0, dt_s: float = 0.1) -> float:
    return steer(
        error_m=error, heading_error_rad=heading, path_curvature=0.0, wanted=LINE,
        speed_mps=speed, present_curvature=present, dt_s=dt_s,
    )  # fmt: skip


@pytest.mark.parametrize("speed", [1.0, 5.0, 10.0, 15.0])
@pytest.mark.parametrize("error", [-1.5, 1.5])
@pytest.mark.parametrize("heading", [-0.17, 0.17])
def test_error_and_heading_die_out_without_overshoot(speed: float, error: float, heading: float) -> None:
    ego = ego_state(0.0, error, heading, speed, 0.0, 0.0)
    offsets = []
    for _ in range(300):
        ego = advance_ego(ego, 0.0, curvature(ego.position[1], ego.yaw, speed, ego.curvature), 0.1)
        offsets.append(ego.position[1] * math.copysign(1.0, error))
    assert abs(offsets[-1]) < 0.05
    assert min(offsets) > -0.35


def test_on_the_line_it_goes_straight_on() -> None:
    assert curvature(0.0, 0.0, 10.0) == 0.0


def test_the_curvature_is_limited_by_the_lock_the_speed_and_the_rate() -> None:
    assert curvature(-9.0, -0.5, 1.0, present=MAX_CURVATURE) == MAX_CURVATURE
    assert curvature(-9.0, -0.5, 20.0, dt_s=9.0) == pytest.approx(MAX_LATERAL_MPS2 / 400.0)
    assert curvature(-9.0, -0.5, 1.0) == pytest.approx(CURVATURE_RATE * 0.1)
