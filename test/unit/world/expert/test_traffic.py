"""Vehicles on the path."""

import math
from collections.abc import Callable

import pytest

from alpamayo_ros.world.expert.constraint import Barrier
from alpamayo_ros.world.expert.offsets import ON_THE_PATH, OffsetPlan, around
from alpamayo_ros.world.expert.parameters import USUAL
from alpamayo_ros.world.expert.situation import PathFrame, along_path
from alpamayo_ros.world.expert.traffic import is_standing_obstacle, vehicle_barriers
from alpamayo_ros.world.route import Route
from alpamayo_ros.world.snapshot import Actor

MakeActor = Callable[..., Actor]


@pytest.fixture(scope="module")
def barriers(route: Route) -> Callable[..., list[Barrier]]:
    frame = PathFrame(route.path)

    def find(*actors: Actor, speed: float = 10.0, plan: OffsetPlan = ON_THE_PATH) -> list[Barrier]:
        return list(vehicle_barriers(along_path(frame, 20.0, actors), plan, frame, (20.0, speed), USUAL))

    return find


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"x": 60.0}, "lead_vehicle"),
        ({"x": 60.0, "indicator": "hazard"}, "stopped_vehicle"),
        ({"x": 60.0, "kind": "cone"}, "construction"),
        ({"x": 60.0, "y": 1.5, "heading": -0.1, "speed_mps": 8.0}, "cut_in_vehicle"),
        ({"x": 45.0, "y": 3.2, "indicator": "right", "speed_mps": 8.0}, "cut_in_vehicle"),
        ({"x": 60.0, "heading": math.pi, "speed_mps": 8.0}, "oncoming_vehicle"),
        ({"x": 45.0, "heading": math.pi / 2, "speed_mps": 0.2}, "crossing_vehicle"),
    ],
)
def test_what_is_on_the_path_has_a_name(
    barriers: Callable[..., list[Barrier]], actor: MakeActor, changes: dict[str, object], label: str
) -> None:
    assert [one.cause.label for one in barriers(actor(**changes))] == [label]


@pytest.mark.parametrize(
    "changes",
    [
        {"x": 60.0, "y": 3.4, "speed_mps": 8.0},
        {"x": 60.0, "y": 6.8, "heading": math.pi, "speed_mps": 8.0},
        {"x": 10.0, "speed_mps": 8.0},
        {"x": 60.0, "y": 3.2, "indicator": "right", "speed_mps": 0.0},
        # It is across the path long before the ego vehicle comes.
        {"x": 100.0, "y": 1.0, "heading": math.pi / 2, "speed_mps": 8.0},
    ],
)
def test_what_is_in_nobody_s_way_is_no_barrier(
    barriers: Callable[..., list[Barrier]], actor: MakeActor, changes: dict[str, object]
) -> None:
    assert barriers(actor(**changes)) == []


def test_where_the_plan_goes_is_what_counts(barriers: Callable[..., list[Barrier]], actor: MakeActor) -> None:
    plan = around([(50.0, 90.0, 3.4)], 20.0)
    assert barriers(actor(x=70.0), plan=plan) == []
    assert len(barriers(actor(x=70.0, y=3.4), plan=plan)) == 1


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"speed_mps": 0.0}, "standing"),
        ({"speed_mps": 9.0, "braking": True}, "braking"),
        ({"speed_mps": 12.0}, "leaving"),
        ({"speed_mps": 8.0}, "slower"),
        ({"speed_mps": 10.0}, ""),
    ],
)
def test_more_is_said_about_a_vehicle_ahead(
    barriers: Callable[..., list[Barrier]], actor: MakeActor, changes: dict[str, object], state: str
) -> None:
    assert barriers(actor(x=60.0, **changes))[0].cause.state == state


def test_cones_and_broken_down_vehicles_stay_where_they_are(route: Route, actor: MakeActor) -> None:
    frame = PathFrame(route.path)
    kinds = [actor(kind="barrier"), actor(indicator="hazard"), actor(), actor(indicator="hazard", speed_mps=2.0)]
    found = [is_standing_obstacle(along_path(frame, 0.0, [one])[0]) for one in kinds]
    assert found == [True, True, False, False]
