"""Leaving a lane that ends, on a ramp of the maps."""

import math
from collections.abc import Callable

import pytest

from alpamayo_ros.world.expert.merging import LaneChange, Merge
from alpamayo_ros.world.expert.offsets import ON_THE_PATH
from alpamayo_ros.world.expert.parameters import USUAL
from alpamayo_ros.world.expert.situation import PathFrame, along_path
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.route import LaneShift, Route, plan_route
from alpamayo_ros.world.snapshot import Actor

MakeActor = Callable[..., Actor]
LANES = ["ramp_gore_0", "gore_taper_0", "gore_taper_1", "taper_east_0"]


@pytest.fixture(scope="module")
def ramp() -> RoadMap:
    return load_map("ramp/train/0").road_map


@pytest.fixture(scope="module")
def onto(ramp: RoadMap) -> Route:
    return plan_route(ramp, LANES)


def shift_of(onto: Route) -> LaneShift:
    assert onto.shift is not None
    return onto.shift


def beside(onto: Route, actor: MakeActor, ahead_m: float, **changes: object) -> Actor:
    """Return a vehicle on the lane to merge into, so far ahead of the start of the shift."""
    x, y, heading = onto.path.point(shift_of(onto).start_m + ahead_m, 3.5)
    return actor(x=x, y=y, heading=heading, lane="gore_taper_1", **changes)


def decide(
    ramp: RoadMap, onto: Route, *actors: Actor, speed: float = 20.0, d: float = 0.0, ahead_m: float = 0.0
) -> Merge:
    s = shift_of(onto).start_m + ahead_m
    items = along_path(PathFrame(onto.path), s, actors)
    return LaneChange(ramp, onto).decide(items, (s, d), speed, USUAL)


def test_with_an_empty_lane_it_follows_the_path(ramp: RoadMap, onto: Route) -> None:
    assert decide(ramp, onto) == Merge()


def test_beside_a_vehicle_it_stays_in_its_lane(ramp: RoadMap, onto: Route, actor: MakeActor) -> None:
    merge = decide(ramp, onto, beside(onto, actor, 1.0, speed_mps=20.0))
    assert merge.blockers == ("car",)
    end_m = shift_of(onto).end_m
    assert abs(merge.plan.at(end_m).d_m) == pytest.approx(abs(LaneChange(ramp, onto).done_m(end_m)))
    assert {one.cause.label for one in merge.constraints if one.cause is not None} == {"merging_vehicle"}


def test_behind_a_vehicle_there_is_a_gap(ramp: RoadMap, onto: Route, actor: MakeActor) -> None:
    merge = decide(ramp, onto, beside(onto, actor, 40.0, speed_mps=20.0))
    assert merge.plan == ON_THE_PATH
    assert len(merge.constraints) == 1


def test_a_faster_vehicle_from_behind_is_let_by(ramp: RoadMap, onto: Route, actor: MakeActor) -> None:
    assert decide(ramp, onto, beside(onto, actor, -18.0, speed_mps=24.0), speed=16.0).waits
    assert not decide(ramp, onto, beside(onto, actor, -35.0, speed_mps=16.0), speed=20.0).waits


def test_once_over_the_line_it_goes_on(ramp: RoadMap, onto: Route, actor: MakeActor) -> None:
    shift = shift_of(onto)
    far = (shift.start_m + shift.end_m) / 2.0 - shift.start_m
    assert not decide(ramp, onto, beside(onto, actor, far, speed_mps=20.0), ahead_m=far).waits


def test_without_a_change_of_lanes_there_is_nothing_to_do(road_map: RoadMap, route: Route) -> None:
    change = LaneChange(road_map, route)
    assert change.done_m(50.0) == 0.0
    assert change.decide([], (50.0, 0.0), 10.0, USUAL) == Merge()


def test_the_path_leaves_the_lane_by_one_lane(ramp: RoadMap, onto: Route) -> None:
    change, shift = LaneChange(ramp, onto), shift_of(onto)
    width = ramp.lanes["gore_taper_0"].width_m
    assert change.done_m(shift.start_m) == 0.0
    assert change.done_m(shift.end_m) == pytest.approx(width)
    assert change.done_m((shift.start_m + shift.end_m) / 2.0) == pytest.approx(width / 2.0)
    assert math.isclose(change.done_m(9999.0), width)
