"""Following a plan."""

import math

import numpy as np
import pytest

from alpamayo_ros.structs.trajectory import TrajectorySet
from alpamayo_ros.world.ego import advance_ego, ego_state
from alpamayo_ros.world.snapshot import EgoState
from alpamayo_ros.world.tracking import NS_PER_S, plan_in_world

DT_S = 0.01


def trajectory(speed: float, acceleration: float = 0.0, curvature: float = 0.0, count: int = 64) -> TrajectorySet:
    ego, points = ego_state(0.0, 0.0, 0.0, speed, 0.0, 0.0), []
    for _ in range(count):
        ego = advance_ego(ego, acceleration, curvature, 0.1)
        points.append((ego.position[0], ego.position[1], 0.0, ego.yaw, ego.speed_mps, acceleration, curvature))
    fields = np.array(points, dtype=np.float32).T[:, None]
    return TrajectorySet(NS_PER_S, 0.1, *fields)


def follow(ego: EgoState, planned: TrajectorySet, seconds: float, start: EgoState) -> EgoState:
    plan = plan_in_world(planned, start)
    for step in range(round(seconds / DT_S)):
        command = plan.command(ego, NS_PER_S + step * 10_000_000, DT_S)
        assert command is not None
        ego = advance_ego(ego, *command, DT_S)
    return ego


@pytest.mark.parametrize(
    ("speed", "acceleration", "curvature"), [(10.0, 0.0, 0.0), (8.0, 1.0, 0.05), (6.0, -1.5, -0.1)]
)
def test_a_plan_is_followed_within_a_decimetre(speed: float, acceleration: float, curvature: float) -> None:
    start = ego_state(5.0, -3.0, 2.0, speed, 0.0, curvature)
    expected = start
    for _ in range(30):
        expected = advance_ego(expected, acceleration, curvature, 0.1)
    ego = follow(start, trajectory(speed, acceleration, curvature), 3.0, start)
    assert math.dist(ego.position, expected.position) < 0.15
    assert ego.speed_mps == pytest.approx(expected.speed_mps, abs=0.15)


def test_it_comes_back_to_the_plan_from_beside_it() -> None:
    start = ego_state(0.0, 0.0, 0.0, 10.0, 0.0, 0.0)
    aside = ego_state(-0.5, 0.5, 0.05, 9.0, 0.0, 0.0)
    ego = follow(aside, trajectory(10.0), 5.0, start)
    assert math.dist(ego.position, (50.0, 0.0, 0.0)) < 0.3


def test_a_plan_that_stands_is_stood() -> None:
    start = ego_state(0.0, 0.0, 0.0, 0.0, 0.0, 0.02)
    assert follow(start, trajectory(0.0), 2.0, start).position == (0.0, 0.0, 0.0)


def test_a_plan_that_is_used_up_commands_nothing() -> None:
    start = ego_state(0.0, 0.0, 0.0, 10.0, 0.0, 0.0)
    plan = plan_in_world(trajectory(10.0, count=5), start)
    assert plan.command(start, NS_PER_S + 480_000_000, DT_S) is not None
    assert plan.command(start, NS_PER_S + 500_000_000, DT_S) is None
