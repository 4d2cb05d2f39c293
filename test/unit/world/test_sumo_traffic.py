"""Traffic runs once at a time, is freed whatever happens, and says by which rules it drives."""

import json
import tempfile
from pathlib import Path

import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.scenarios.staging import Body, Vehicle
from alpamayo_ros.world.sumo_traffic import FOLDER_PREFIX, SumoTraffic, traffic_rules

NETWORK = load_map("street/train/0")
LANE = NETWORK.road_map.lanes["west_east_1"]
CAR = Body("car", 4.4, 1.8, 1.5, (0.0, 0.0, 0.0))
EGO = ego_state(*LANE.centre[0], 0.0, 5.0, 0.0, 0.0)


def traffic(*vehicles: Vehicle) -> SumoTraffic:
    return SumoTraffic(NETWORK.text, NETWORK.road_map, vehicles, (), (LANE.id,), EGO, 0)


def run(running: SumoTraffic, steps: int, claims: tuple[tuple[str, float], ...] = ()) -> None:
    for step in range(steps):
        running.advance(EGO, None, claims, lambda _: False, step * 0.1)


def test_a_vehicle_that_cannot_be_is_refused_and_the_next_run_is_not() -> None:
    with pytest.raises(ConfigurationError, match="SUMO refuses"):
        traffic(Vehicle("car", CAR, ("west_east",), 7, 50.0, 5.0, 10.0))
    with traffic() as running:
        assert running.actors() == []


def test_traffic_stops_before_people_and_drives_on_when_they_are_gone() -> None:
    with traffic(Vehicle("car", CAR, ("west_east",), 1, 60.0, 10.0, 10.0)) as running:
        run(running, 80, claims=((LANE.id, 120.0),))
        (waiting,) = running.actors()
        assert waiting.speed_mps < 0.3
        assert 110.0 < waiting.lane_position_m < 120.0
        assert waiting.braking
        run(running, 50)
        assert running.actors()[0].speed_mps > 5.0


def test_who_stands_neither_moves_nor_brakes() -> None:
    car = Vehicle("car", CAR, ("west_east",), 1, 60.0, 0.0, 10.0, standing=True, indicator="hazard")
    with traffic(car) as running:
        before = running.actors()[0]
        run(running, 20)
        after = running.actors()[0]
    assert (before.x, before.y, before.indicator, before.braking) == (after.x, after.y, "hazard", False)


def test_what_is_hidden_is_no_actor_but_others_stop_behind_it() -> None:
    hidden = Vehicle("blocker:x", CAR, ("west_east",), 1, 120.0, 0.0, 10.0, standing=True, hidden=True)
    with traffic(hidden, Vehicle("car", CAR, ("west_east",), 1, 60.0, 10.0, 10.0)) as running:
        run(running, 120)
        (car,) = running.actors()
        assert 105.0 < car.lane_position_m < 116.0


def test_later_vehicles_come_later() -> None:
    with traffic(Vehicle("car", CAR, ("east_west",), 1, 6.0, 10.0, 10.0, depart_s=1.0)) as running:
        run(running, 8)
        assert running.actors() == []
        run(running, 4)
        assert [actor.id for actor in running.actors()] == ["car"]


def test_the_rules_are_plain_values() -> None:
    assert json.loads(json.dumps(traffic_rules())) == traffic_rules()


def test_a_run_leaves_no_files_for_a_process_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    later = Vehicle("car", CAR, ("east_west",), 1, 6.0, 10.0, 10.0, depart_s=1.0)
    with traffic(later) as running:
        assert not list(tmp_path.glob(f"{FOLDER_PREFIX}*"))
        run(running, 12)
        assert [actor.id for actor in running.actors()] == ["car"]
