"""Passing what blocks the lane, or waiting."""

import math
from collections.abc import Callable

import pytest

from alpamayo_ros.world.expert.neighbours import NOTHING, ONCOMING, SAME, Neighbours
from alpamayo_ros.world.expert.offsets import ON_THE_PATH
from alpamayo_ros.world.expert.parameters import USUAL
from alpamayo_ros.world.expert.passing import Passage, plan_passage
from alpamayo_ros.world.expert.situation import PathFrame, along_path
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.route import plan_route
from alpamayo_ros.world.snapshot import Actor

MakeActor = Callable[..., Actor]
Plan = Callable[..., Passage]


def planner(road_map: RoadMap, lanes: list[str]) -> Plan:
    frame = PathFrame(plan_route(road_map, lanes).path)
    neighbours = Neighbours(road_map, frame)

    def plan(*actors: Actor, s: float = 20.0, d: float = 0.0, speed: float = 10.0) -> Passage:
        return plan_passage(along_path(frame, s, actors), neighbours, (s, d), (speed, 14.0), USUAL)

    return plan


@pytest.fixture(scope="module")
def right(road_map: RoadMap) -> Plan:
    """The ego vehicle in the right lane: another of its direction is on the left."""
    return planner(road_map, ["in_0", "out_0"])


@pytest.fixture(scope="module")
def left(road_map: RoadMap) -> Plan:
    """The ego vehicle in the left lane: the oncoming lane is on its left, a lane of its direction on its right."""
    return planner(road_map, ["in_1", "out_1"])


def test_the_lanes_beside_are_known(road_map: RoadMap) -> None:
    frame = PathFrame(plan_route(road_map, ["in_1", "out_1"]).path)
    neighbours = Neighbours(road_map, frame)
    assert neighbours.beside("left", 20.0, 100.0) == (ONCOMING, pytest.approx(3.4, abs=0.01))
    assert neighbours.beside("right", 20.0, 100.0) == (SAME, pytest.approx(-3.4, abs=0.01))
    assert neighbours.lane_half_width(50.0) == 1.7
    own = Neighbours(road_map, PathFrame(plan_route(road_map, ["in_0", "out_0"]).path))
    assert own.beside("right", 20.0, 100.0)[0] == NOTHING


def test_a_free_lane_needs_no_plan(right: Plan, actor: MakeActor) -> None:
    assert right().plan == ON_THE_PATH
    assert right(actor(x=60.0)).plan == ON_THE_PATH
    assert right(actor(x=60.0, y=-3.0, indicator="hazard")).plan == ON_THE_PATH


def test_it_shifts_to_the_side_of_its_own_direction(right: Plan, left: Plan, actor: MakeActor) -> None:
    assert right(actor(x=60.0, indicator="hazard")).plan.at(60.0).d_m > 2.0
    assert left(actor(x=60.0, y=3.4, indicator="hazard")).plan.at(60.0).d_m < -2.0


def test_it_passes_with_clearance(right: Plan, actor: MakeActor) -> None:
    offset = right(actor(x=60.0, indicator="hazard")).plan.at(60.0).d_m
    assert offset - 0.95 - 0.9 >= USUAL.clearance_m - 1e-9


def test_what_is_at_the_edge_is_passed_within_the_lane(right: Plan, actor: MakeActor) -> None:
    cone = actor(kind="cone", length=0.4, width=0.4, x=60.0, y=-1.0)
    beside = actor(id="beside", x=22.0, y=3.4, speed_mps=10.0)
    passage = right(cone, beside)
    assert 0.3 < passage.plan.at(60.0).d_m < 0.9


@pytest.mark.parametrize(
    ("changes", "free"),
    [
        ({"x": 22.0, "speed_mps": 10.0}, False),
        ({"x": 5.0, "speed_mps": 14.0}, False),
        ({"x": -20.0, "speed_mps": 10.0}, True),
        ({"x": 90.0, "speed_mps": 10.0}, True),
    ],
    ids=["beside", "coming up", "far behind", "far ahead"],
)
def test_the_other_lane_must_be_free(right: Plan, actor: MakeActor, changes: dict[str, object], free: bool) -> None:
    passage = right(actor(x=70.0, indicator="hazard"), actor(id="other", y=3.4, **changes))
    assert (passage.blockage is not None) == free
    if not free:
        assert passage.plan == ON_THE_PATH
        assert passage.constraints[0].acceleration(40.0, 10.0, 0.0) < -1.0


def test_who_is_already_beside_goes_on(right: Plan, actor: MakeActor) -> None:
    behind = actor(id="other", x=15.0, y=3.4, speed_mps=14.0)
    assert right(actor(x=60.0, indicator="hazard"), behind, s=40.0, d=1.5).blockage is not None


def test_oncoming_traffic_is_let_through_first(road_map: RoadMap, actor: MakeActor) -> None:
    narrow = {name: lane for name, lane in road_map.lanes.items() if name.endswith("_0") or name.startswith(":")}
    two_way = RoadMap("narrow", narrow, road_map.connections[:1], {}, {}, {}, "", "")
    plan = planner(two_way, ["in_0", "out_0"])
    assert plan(actor(x=60.0, indicator="hazard")).blockage is None, "two lanes away there is no neighbour"
    beside = {name: lane for name, lane in road_map.lanes.items() if not name.endswith("0_0")}
    plan = planner(RoadMap("left", beside, road_map.connections, {}, {}, {}, "", ""), ["in_1", "out_1"])
    blocked = actor(x=60.0, y=3.4, indicator="hazard"), actor(id="right", x=22.0, speed_mps=10.0)
    against = actor(id="against", x=110.0, y=6.8, heading=math.pi, speed_mps=12.0)
    assert plan(*blocked, against).plan.at(60.0).d_m == 0.0
