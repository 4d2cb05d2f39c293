"""The road map says what is drawn and who goes first."""

import itertools

import numpy as np
import pytest

from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.road_map import RoadMap

SIGNALS = "signals/train/0"


@pytest.fixture(scope="module")
def signals() -> RoadMap:
    return load_map(SIGNALS).road_map


@pytest.fixture(scope="module")
def priority() -> RoadMap:
    return load_map("priority/train/0").road_map


def way(road_map: RoadMap, source: str, direction: str) -> str:
    return next(item.via_lane for item in road_map.connections_from(source) if item.direction == direction)


def test_left_turns_yield_to_who_comes_towards_them(priority: RoadMap) -> None:
    turn = next(item for item in priority.connections_from("west_centre_1") if item.direction == "l")
    assert way(priority, "east_centre_1", "s") in turn.yields_to
    assert way(priority, "east_centre_1", "r") in turn.yields_to
    assert way(priority, "south_centre_1", "s") not in turn.yields_to


def test_the_main_road_goes_first(priority: RoadMap) -> None:
    straight = next(item for item in priority.connections_from("west_centre_1") if item.direction == "s")
    minor = next(item for item in priority.connections_from("south_centre_1") if item.direction == "s")
    assert straight.yields_to == ()
    assert straight.via_lane in minor.yields_to
    assert set(priority.stop_lines) == {"south_centre_1", "north_centre_1"}


def test_turning_traffic_yields_to_people_on_the_crossing(signals: RoadMap) -> None:
    turn = next(item for item in signals.connections_from("west_centre_1") if item.direction == "r")
    assert any(signals.lanes[lane].kind == "crossing" for lane in turn.yields_to)


def test_every_approach_of_a_signal_has_one_signal_and_a_stop_line(signals: RoadMap) -> None:
    for connection in signals.connections:
        assert connection.signal == f"signal:{connection.from_lane}"
        left, right = signals.stop_lines[connection.from_lane]
        lane = signals.lanes[connection.from_lane]
        assert np.hypot(*(left - right)) == pytest.approx(lane.width_m)
        assert (left + right) / 2 == pytest.approx(lane.centre[-1])


def test_ways_through_a_junction_have_no_gaps(signals: RoadMap) -> None:
    for connection in signals.connections:
        lanes = [signals.lanes[lane] for lane in (connection.from_lane, *connection.via_lanes, connection.to_lane)]
        for before, after in itertools.pairwise(lanes):
            assert np.hypot(*(before.centre[-1] - after.centre[0])) < 0.3


def test_lines_are_dashed_where_one_may_cross_them() -> None:
    lanes = load_map("two_lane/train/0").road_map.driving_lanes("west_east")
    assert [(lane.left_line, lane.right_line) for lane in lanes] == [("dashed", "solid"), ("solid", "dashed")]
    (only,) = load_map("street/train/0").road_map.driving_lanes("west_east")
    assert (only.left_line, only.right_line) == ("dashed", "solid")


def test_the_sidewalk_is_the_first_lane(signals: RoadMap) -> None:
    sidewalk = signals.sidewalk("west_centre")
    assert sidewalk is not None
    assert (sidewalk.index, sidewalk.kind) == (0, "sidewalk")
    assert load_map("ramp/train/0").road_map.sidewalk("ramp_gore") is None


def test_the_bounds_hold_every_lane(signals: RoadMap) -> None:
    low_x, low_y, high_x, high_y = signals.bounds
    for lane in signals.lanes.values():
        assert (lane.centre >= (low_x, low_y)).all()
        assert (lane.centre <= (high_x, high_y)).all()
