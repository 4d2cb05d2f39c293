"""How well a drive went."""

import dataclasses
import math

import numpy as np
import pytest

from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.metrics import DriveMetrics, evaluate_drive, first_collision, rate, summarise
from alpamayo_ros.world.road_map import Connection, Lane, RoadMap, stop_line
from alpamayo_ros.world.route import Route, plan_route
from alpamayo_ros.world.snapshot import Actor, Signal, Snapshot

LIMIT_MPS = 14.0


def lane(name: str, kind: str, start: float, end: float) -> Lane:
    centre = np.array([[start, 0.0], [end, 0.0]])
    return Lane(name, name, 0, kind, centre, 3.4, LIMIT_MPS, "solid", "solid")


def straight_road() -> tuple[RoadMap, Route]:
    lanes = {one.id: one for one in (lane("a", "driving", 0, 100), lane(":n", "internal", 100, 120),
                                     lane("b", "driving", 120, 400))}  # fmt: skip
    connection = Connection("a", ":n", "b", "s", "signal:a", (), (":n",), 0)
    road_map = RoadMap("by hand", lanes, (connection,), {}, {"a": stop_line(lanes["a"])}, {}, "n", "")
    return road_map, plan_route(road_map, ["a", "b"])


ROAD_MAP, ROUTE = straight_road()


def actor(**changes: object) -> Actor:
    one = Actor("car", "car", 0.0, 0.0, 0.0, 4.4, 1.8, 1.5, 0.0, 0.0, False, "none", (0.0, 0.0, 0.0), "", 0.0)
    return dataclasses.replace(one, **changes)  # type: ignore[arg-type]


def drive(
    speed: float = 10.0, count: int = 50, *, start: float = 0.0, y: float = 0.0, actors: tuple[Actor, ...] = (),
    state: str = "green", acceleration: float = 0.0,
) -> list[Snapshot]:  # fmt: skip
    signal = Signal("signal:a", "a", 120.0, 0.0, 3.0, 0.0, state, permissive=False)
    return [
        Snapshot(k, k * 0.1, ego_state(start + speed * 0.1 * k, y, 0.0, speed, acceleration, 0.0), actors, (signal,))
        for k in range(count)
    ]


def evaluated(snapshots: list[Snapshot], expert_m: float | None = None) -> DriveMetrics:
    return evaluate_drive(snapshots, ROAD_MAP, ROUTE, expert_m)


def test_a_quiet_drive_has_nothing_to_report() -> None:
    metrics = evaluated(drive(), expert_m=98.0)
    assert metrics.collision is None
    assert not metrics.off_road
    assert not metrics.speeding
    assert metrics.red_lights == 0
    assert metrics.progress_m == pytest.approx(49.0)
    assert metrics.progress_share == pytest.approx(0.5)
    assert (metrics.braking_mps2, metrics.jerk_mps3, metrics.lateral_mps2) == (0.0, 0.0, 0.0)
    assert math.isinf(metrics.time_to_collision_s)


def test_the_first_collision_names_time_actor_and_speeds() -> None:
    collision = evaluated(drive(actors=(actor(x=30.0, speed_mps=4.0),))).collision
    assert collision is not None
    assert (collision.actor_id, collision.kind) == ("car", "car")
    # The front reaches 27.8 m, the other's rear, after 2.41 s.
    assert collision.t_s == pytest.approx(2.5)
    assert collision.ego_speed_mps == 10.0
    assert collision.relative_speed_mps == pytest.approx(6.0)


def test_what_is_beside_is_no_collision() -> None:
    assert first_collision(drive(actors=(actor(x=30.0, y=2.0),))) is None


def test_a_wheel_beside_the_road_counts_when_it_lasts() -> None:
    assert evaluated(drive(start=5.0, y=0.8)).off_road_s == 0.0
    beside = evaluated(drive(start=5.0, y=1.2))
    assert beside.off_road
    assert beside.off_road_s == pytest.approx(5.0)
    shortly = [*drive(count=20, start=5.0), *drive(count=2, y=1.2, start=25.0), *drive(count=20, start=27.0)]
    assert not evaluated(shortly).off_road


def test_a_stop_line_crossed_at_red_is_counted() -> None:
    assert evaluated(drive(start=80.0, state="red")).red_lights == 1
    assert evaluated(drive(start=80.0, state="amber")).red_lights == 0
    assert evaluated(drive(start=110.0, state="red")).red_lights == 0


def test_speeding_is_measured_against_the_limit() -> None:
    metrics = evaluated(drive(speed=17.0))
    assert metrics.speeding
    assert metrics.speeding_mps == pytest.approx(3.0)


def test_comfort_is_the_strongest_of_each() -> None:
    snapshots = [*drive(count=5), *drive(count=5, acceleration=-3.0), *drive(count=5, acceleration=1.5)]
    metrics = evaluated(snapshots)
    assert (metrics.braking_mps2, metrics.acceleration_mps2) == (3.0, 1.5)
    assert metrics.jerk_mps3 == pytest.approx(45.0)


def test_time_to_collision_is_the_gap_over_the_closing_speed() -> None:
    metrics = evaluated(drive(count=2, actors=(actor(x=40.0, speed_mps=0.0),)))
    assert metrics.time_to_collision_s == pytest.approx((40.0 - 2.2 - 3.7 - 1.0) / 10.0, abs=0.11)


def test_a_drive_of_one_moment_is_none() -> None:
    with pytest.raises(ValueError, match="expected at least 2"):
        evaluated(drive(count=1))


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(0, 200, 0.0, 0.01885), (10, 100, 0.05523, 0.17437), (5, 5, 0.56551, 1.0), (0, 0, 0.0, 1.0)],
)
def test_intervals_are_those_of_wilson(count: int, total: int, low: float, high: float) -> None:
    found = rate(count, total)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    assert found.share == (count / total if total else 0.0)


def test_drives_are_put_together() -> None:
    good, bad = evaluated(drive(), 49.0), evaluated(drive(actors=(actor(x=30.0),)))
    summary = summarise([good, bad, good, good])
    assert summary.drives == 4
    assert summary.collision.share == 0.25
    assert summary.off_road.count == 0
    assert summary.progress_share == pytest.approx(1.0)
    assert summary.time_to_collision_s <= bad.time_to_collision_s
    with pytest.raises(ValueError, match="at least one"):
        summarise([])
