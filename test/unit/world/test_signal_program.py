"""Signals follow their phases, for people, for the traffic and for the ego vehicle alike."""

import math

import pytest

from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.scenarios.staging import SignalPhase
from alpamayo_ros.world.signal_program import SignalProgram

MAIN, SIDE = ("west_centre", "east_centre"), ("north_centre", "south_centre")
PHASES = (
    SignalPhase(10.0, MAIN), SignalPhase(3.0, (), MAIN), SignalPhase(2.0), SignalPhase(5.0, SIDE),
    SignalPhase(3.0, (), SIDE), SignalPhase(2.0),
)  # fmt: skip


@pytest.fixture(scope="module")
def program() -> SignalProgram:
    return SignalProgram(load_map("signals/train/0").road_map, PHASES)


def state(program: SignalProgram, edge: str, t_s: float) -> str:
    return next(signal.state for signal in program.signals(t_s) if signal.lane.startswith(edge))


@pytest.mark.parametrize(
    ("t_s", "main", "side"),
    [(0.0, "green", "red"), (9.9, "green", "red"), (10.0, "amber", "red"), (13.0, "red", "red"),
     (15.0, "red", "green"), (20.0, "red", "amber"), (24.9, "red", "red"), (25.0, "green", "red")],
)  # fmt: skip
def test_phases_follow_each_other_over_and_over(program: SignalProgram, t_s: float, main: str, side: str) -> None:
    assert (state(program, "west_centre", t_s), state(program, "north_centre", t_s)) == (main, side)


def test_green_is_permissive_where_left_turns_meet_oncoming_traffic(program: SignalProgram) -> None:
    permissive = {signal.lane: signal.permissive for signal in program.signals(0.0)}
    assert permissive["west_centre_1"]
    assert not permissive["north_centre_1"]


def test_every_link_gets_a_letter_and_left_turns_yield(program: SignalProgram) -> None:
    road_map = load_map("signals/train/0").road_map
    letters = program.letters(0.0)
    assert len(letters) == len(road_map.connections) + len(road_map.crossing_links)
    for connection in road_map.connections:
        main = connection.from_lane.startswith(("west", "east"))
        expected = ("g" if connection.direction == "l" else "G") if main else "r"
        assert letters[connection.link] == expected
    assert set(program.letters(14.0)) == {"r"}
    assert "y" in program.letters(11.0)


def test_a_housing_stands_right_of_its_lane_behind_the_stop_line(program: SignalProgram) -> None:
    road_map = load_map("signals/train/0").road_map
    for signal in program.signals(0.0):
        x, y = road_map.lanes[signal.lane].centre[-1]
        along = (signal.x - x) * math.cos(signal.heading) + (signal.y - y) * math.sin(signal.heading)
        left = (signal.y - y) * math.cos(signal.heading) - (signal.x - x) * math.sin(signal.heading)
        assert 1.0 < along < 3.0
        assert -3.5 < left < -1.7


def test_the_time_that_green_lasts_on_is_known(program: SignalProgram) -> None:
    assert program.green_left_s("west_centre", 4.0) == pytest.approx(6.0)
    assert program.green_left_s("north_centre", 4.0) == 0.0


def test_a_map_without_signals_has_none() -> None:
    program = SignalProgram(load_map("tee/train/0").road_map, ())
    assert program.node == ""
    assert program.signals(0.0) == ()
    assert program.green_left_s("west_centre", 0.0) == 0.0
