"""Scripted vehicles do what they are told, when they are told."""

import pytest

from alpamayo_ros.world.orders import LANE_CHANGE_S, OrderState
from alpamayo_ros.world.scenarios.staging import LaneChange, SpeedChange, Trigger
from alpamayo_ros.world.snapshot import STEP_S


class Vehicles:
    """The part of SUMO's vehicles that orders use."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, int, float]] = []

    def getSpeed(self, name: str) -> float:  # noqa: N802
        assert name == "car"
        return 10.0

    def changeLane(self, name: str, lane: int, duration: float) -> None:  # noqa: N802
        self.changes.append((name, lane, duration))


def states(order: SpeedChange | LaneChange, vehicles: Vehicles, begins: int, steps: int) -> list[tuple[object, str]]:
    state, seen = OrderState(order), []
    for step in range(steps):
        state.advance(vehicles, lambda _, step=step: step >= begins, round(step * STEP_S, 6))
        seen.append((state.speed_mps, state.indicator))
    return seen


def test_a_brake_falls_evenly_holds_and_ends() -> None:
    seen = states(SpeedChange("car", Trigger(), 0.0, 5.0, 1.0), Vehicles(), 10, 60)
    speeds = [speed for speed, _ in seen]
    assert speeds[:10] == [None] * 10
    assert speeds[10:14] == pytest.approx([9.5, 9.0, 8.5, 8.0])
    zeros = [step for step, speed in enumerate(speeds) if speed is not None and abs(speed) < 1e-6]
    assert len(zeros) == 10
    assert speeds[zeros[-1] + 1 :] == [None] * (60 - zeros[-1] - 1)


def test_a_change_of_lanes_is_indicated_before_it_is_made_once() -> None:
    vehicles = Vehicles()
    seen = states(LaneChange("car", Trigger(), 1, "right", 1.0), vehicles, 5, 80)
    lit = [step for step, (_, indicator) in enumerate(seen) if indicator == "right"]
    assert lit[0] == 5
    assert len(lit) == pytest.approx((1.0 + LANE_CHANGE_S) / STEP_S, abs=2)
    assert [(name, lane) for name, lane, _ in vehicles.changes] == [("car", 1)]


def test_without_an_indicator_the_change_is_made_at_once() -> None:
    vehicles = Vehicles()
    seen = states(LaneChange("car", Trigger(), 2, "none", 0.0), vehicles, 0, 3)
    assert {indicator for _, indicator in seen} == {"none"}
    assert len(vehicles.changes) == 1
