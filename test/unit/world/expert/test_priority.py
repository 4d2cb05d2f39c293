"""Right of way, on junctions of the maps."""

import dataclasses
from collections.abc import Callable

import pytest

from alpamayo_ros.structs.rationale import LateralAction, LongitudinalAction
from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.expert.expert import Decision, Expert
from alpamayo_ros.world.expert.junctions import RouteJunction, junctions_on
from alpamayo_ros.world.expert.situation import PathFrame
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.route import Route, plan_route
from alpamayo_ros.world.snapshot import Actor, Snapshot
from alpamayo_ros.world.vehicle import REAR_AXLE_TO_FRONT_M

MakeActor = Callable[..., Actor]


@pytest.fixture(scope="module")
def tee() -> RoadMap:
    return load_map("tee/train/0").road_map


@pytest.fixture(scope="module")
def left(tee: RoadMap) -> Route:
    connection = next(one for one in tee.connections if one.from_lane.startswith("west_") and one.direction == "l")
    return plan_route(tee, [connection.from_lane, connection.to_lane])


def junction_of(tee: RoadMap, left: Route) -> RouteJunction:
    (junction,) = junctions_on(tee, left, PathFrame(left.path))
    return junction


def oncoming(tee: RoadMap, left: Route, actor: MakeActor, distance_m: float, **changes: object) -> Actor:
    """Return a vehicle on the oncoming lane, so far before its junction."""
    conflict = next(one for one in junction_of(tee, left).conflicts if one.foe.direction == "s")
    lane = tee.lanes[conflict.foe.from_lane]
    position = lane.length_m - distance_m
    end, start = lane.centre[-1], lane.centre[0]
    share = position / lane.length_m
    x, y = (start + (end - start) * share).tolist()
    one = actor(lane=lane.id, lane_position_m=position, x=x, y=y, speed_mps=12.0)
    return dataclasses.replace(one, **changes)  # type: ignore[arg-type]


def decide(tee: RoadMap, left: Route, rest_m: float, speed: float, *actors: Actor) -> Decision:
    s = junction_of(tee, left).stop_m - REAR_AXLE_TO_FRONT_M - rest_m
    x, y, heading = left.path.point(s)
    return Expert(tee, left).decide(Snapshot(0, 0.0, ego_state(x, y, heading, speed, 0.0, 0.0), actors, ()))


def test_a_left_turn_conflicts_with_oncoming_traffic(tee: RoadMap, left: Route) -> None:
    junction = junction_of(tee, left)
    assert any(abs(one.turn_rad) > 2.0 for one in junction.conflicts)
    assert all(junction.stop_m - 1.0 < one.start_m < one.end_m < junction.end_m + 6.0 for one in junction.conflicts)


@pytest.mark.parametrize(("distance_m", "waits"), [(55.0, True), (140.0, False)])
def test_a_gap_is_waited_for(tee: RoadMap, left: Route, actor: MakeActor, distance_m: float, waits: bool) -> None:
    decision = decide(tee, left, 1.0, 0.0, oncoming(tee, left, actor, distance_m))
    expected = LongitudinalAction.STOPPED if waits else LongitudinalAction.ACCELERATE
    assert decision.longitudinal is expected
    if waits:
        assert decision.cause is not None
        assert decision.cause.label == "oncoming_vehicle"
        assert decision.cause.decisive


def test_what_others_signal_counts(tee: RoadMap, left: Route, actor: MakeActor) -> None:
    """Who turns right goes into the same road, and first; who turns left does not come across the way."""
    joining = oncoming(tee, left, actor, 25.0, indicator="right", speed_mps=6.0)
    assert decide(tee, left, 1.0, 0.0, joining).cause is not None
    elsewhere = oncoming(tee, left, actor, 25.0, indicator="left")
    assert decide(tee, left, 1.0, 0.0, elsewhere).cause is None


def test_without_anybody_it_turns(tee: RoadMap, left: Route) -> None:
    decision = decide(tee, left, 8.0, 6.0)
    assert decision.lateral is LateralAction.LEFT
    assert decide(tee, left, 80.0, 13.0).lateral is LateralAction.STRAIGHT
