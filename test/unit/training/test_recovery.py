"""A displaced rig comes back to the driven path."""

import math

import numpy as np
import pytest

from alpamayo_ros.training.recovery import displaced, recovered
from alpamayo_ros.world.ego import advance_ego, ego_state
from alpamayo_ros.world.snapshot import EgoState


def drive(speed: float, curvature: float, steps: int = 64, acceleration: float = 0.0) -> list[EgoState]:
    states = [ego_state(10.0, 5.0, 0.7, speed, 0.0, curvature)]
    for _ in range(steps):
        states.append(advance_ego(states[-1], acceleration, curvature, 0.1))
    return states


def lateral(state: EgoState, other: EgoState) -> float:
    east, north = state.position[0] - other.position[0], state.position[1] - other.position[1]
    return north * math.cos(other.yaw) - east * math.sin(other.yaw)


def test_a_displaced_rig_stands_where_it_was_put() -> None:
    ego = drive(8.0, 0.0)[0]
    beside = displaced(ego, ego, 0.5, 0.05)
    assert lateral(beside, ego) == pytest.approx(0.5)
    assert beside.yaw == pytest.approx(0.75)


def test_past_poses_move_with_the_displaced_rig() -> None:
    before, now = drive(8.0, 0.05)[:2]
    moved_before, moved = displaced(before, now, 0.4, -0.03), displaced(now, now, 0.4, -0.03)

    def seen(one: EgoState, other: EgoState) -> tuple[float, float, float]:
        east, north = one.position[0] - other.position[0], one.position[1] - other.position[1]
        cos, sin = math.cos(other.yaw), math.sin(other.yaw)
        return east * cos + north * sin, north * cos - east * sin, one.yaw - other.yaw

    assert seen(moved_before, moved) == pytest.approx(seen(before, now))


@pytest.mark.parametrize("curvature", [0.0, 0.03, -0.05])
@pytest.mark.parametrize("left", [-0.6, 0.6])
def test_it_comes_back_within_the_horizon(curvature: float, left: float) -> None:
    driven = drive(8.0, curvature)
    states = recovered(driven, displaced(driven[0], driven[0], left, 0.07))
    assert len(states) == len(driven)
    assert np.abs([state.speed_mps - 8.0 for state in states]).max() < 1e-6
    last = states[-1]
    nearest = min(driven, key=lambda state: math.dist(state.position, last.position))
    assert abs(lateral(last, nearest)) < 0.2
    assert abs(last.yaw - nearest.yaw) < 0.06


def test_a_standing_rig_stays_where_it_was_put() -> None:
    driven = drive(0.0, 0.0)
    start = displaced(driven[0], driven[0], 0.3, 0.02)
    states = recovered(driven, start)
    assert math.dist(states[-1].position, start.position) < 1e-9


def test_an_undisplaced_rig_drives_as_recorded() -> None:
    driven = drive(6.0, 0.04, acceleration=0.5)
    states = recovered(driven, driven[0])
    assert math.dist(states[-1].position, driven[-1].position) < 0.15
