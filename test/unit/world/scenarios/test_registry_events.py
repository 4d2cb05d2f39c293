"""What a scenario is about happens in time, where the ego vehicle meets it, and not where it must not."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.episode import drive_expert
from alpamayo_ros.world.scenarios import SCENARIOS, EpisodeSpec, draw_episode
from alpamayo_ros.world.simulation import Simulation
from alpamayo_ros.world.snapshot import STEP_S, Actor, Snapshot
from alpamayo_ros.world.vehicle import REAR_AXLE_TO_FRONT_M, rectangle

Seen = list[tuple[Snapshot, float]]


def found(scenario: str, **wanted: str) -> EpisodeSpec:
    specs = (draw_episode(scenario, seed) for seed in range(200))
    return next(spec for spec in specs if all(spec.parameters[name] == value for name, value in wanted.items()))


def passed(spec: EpisodeSpec) -> tuple[Seen, Simulation]:
    """Drive at the speed of the start, whatever comes; return the snapshots with the place of the front."""
    with Simulation(spec) as simulation:
        path, start = simulation.route.path, simulation.snapshot.ego
        first, speed = path.project(*start.position[:2])[0], start.speed_mps
        seen = [(simulation.snapshot, first + REAR_AXLE_TO_FRONT_M)]
        for step in range(1, round(spec.duration_s / STEP_S) + 1):
            s_m = first + speed * STEP_S * step
            snapshot = simulation.advance(ego_state(*path.point(s_m), speed, 0.0, path.curvature(s_m)))
            seen.append((snapshot, s_m + REAR_AXLE_TO_FRONT_M))
    return seen, simulation


def track(seen: Seen, name: str) -> list[Actor]:
    return [actor for snapshot, _ in seen for actor in snapshot.actors if actor.id == name]


def test_the_lead_brakes_or_does_not() -> None:
    braking = found("lead_braking", event="brakes")
    lead = track(passed(braking)[0], "lead")
    assert min(actor.speed_mps for actor in lead) <= braking.number("slow_share") * lead[0].speed_mps + 0.3
    assert min(actor.acceleration_mps2 for actor in lead) == pytest.approx(-braking.number("deceleration_mps2"), abs=1)
    steady = track(passed(found("lead_braking", event="none"))[0], "lead")
    assert min(actor.acceleration_mps2 for actor in steady[:80]) > -1.5


@pytest.mark.parametrize(("event", "comes"), [("cuts_in", True), ("passes", False)])
def test_the_vehicle_beside_comes_over_or_passes(event: str, comes: bool) -> None:
    seen, simulation = passed(found("cut_in", event=event))
    offsets = [abs(simulation.route.path.project(actor.x, actor.y)[1]) for actor in track(seen, "cut_in")]
    assert offsets[0] > 2.8
    assert (min(offsets) < 0.5) is comes
    steps = np.abs(np.diff(offsets))
    assert steps.max() < 0.35, "it glides over, it does not jump"


@pytest.mark.parametrize("family", ["zebra", "street"])
def test_the_pedestrian_is_on_the_ego_lane_when_the_ego_vehicle_would_arrive(family: str) -> None:
    spec = found("crossing_pedestrian", event="crosses", family=family)
    spec = EpisodeSpec(
        spec.scenario, spec.seed, spec.split, parameters={**spec.parameters, "oncoming_per_minute": 0.0},
        duration_s=spec.duration_s,
    )  # fmt: skip
    seen, simulation = passed(spec)
    path = simulation.route.path
    gaps = []
    for snapshot, front_m in seen:
        for actor in snapshot.actors:
            if actor.id == "pedestrian":
                s_m, d_m = path.project(actor.x, actor.y)
                if abs(d_m) < 1.5:
                    gaps.append(abs(s_m - front_m))
    assert min(gaps) < 12.0


@pytest.mark.parametrize("event", ["walks_along", "stands"])
def test_who_does_not_cross_stays_off_the_road(event: str) -> None:
    seen, simulation = passed(found("crossing_pedestrian", event=event))
    for actor in track(seen, "pedestrian"):
        lane = simulation.road_map.lanes.get(actor.lane)
        assert lane is None or lane.kind in {"sidewalk", "walking_area"}


@pytest.mark.parametrize(("event", "states"), [("red", {"red"}), ("green", {"green"}), ("turns_green", {"green"}),
                                               ("turns_red", {"amber", "red"})])  # fmt: skip
def test_the_signal_shows_the_event_when_the_ego_vehicle_arrives(event: str, states: set[str]) -> None:
    seen, simulation = passed(found("red_light", event=event))
    line_m = simulation.route.maneuvers[0].s_m
    at_line = next(snapshot for snapshot, front_m in seen if front_m >= line_m)
    signal = next(item for item in at_line.signals if item.id == simulation.route.maneuvers[0].connection.signal)
    assert signal.state in states


def test_oncoming_traffic_meets_who_turns_left() -> None:
    seen, simulation = passed(found("unprotected_left", event="oncoming"))
    arrives_s = next(snapshot.t_s for snapshot, front_m in seen if front_m >= simulation.route.maneuvers[0].s_m)
    crossing = [
        snapshot.t_s
        for snapshot, _ in seen
        for actor in snapshot.actors
        if actor.id.startswith("oncoming") and actor.lane.startswith(":centre")
    ]
    assert min(abs(t_s - arrives_s) for t_s in crossing) < 6.0
    free = passed(found("unprotected_left", event="free"))[0]
    assert not any(actor.id.startswith("oncoming") for snapshot, _ in free for actor in snapshot.actors)


@pytest.mark.parametrize(("event", "family"), [("closed", "two_lane"), ("narrow", "street"), ("beside", "street"),
                                               ("beside", "two_lane")])  # fmt: skip
def test_cones_stand_in_the_way_or_beside_it(event: str, family: str) -> None:
    with Simulation(found("construction", event=event, family=family)) as simulation:
        path = simulation.route.path
        gaps = [
            abs(path.project(prop.x, prop.y)[1]) - prop.body.width / 2.0
            for prop in simulation.staging.props
            if prop.id.startswith("cone")
        ]
    assert (min(gaps) < 0.95) is (event in {"closed", "narrow"})


@pytest.mark.parametrize(
    ("event", "family"),
    [
        ("broken_down", "street"),
        ("broken_down", "two_lane"),
        ("waits", "street"),
        ("beside", "street"),
        ("beside", "two_lane"),
    ],
)
def test_the_stopped_vehicle_stands_in_the_way_or_beside_it(event: str, family: str) -> None:
    seen, simulation = passed(found("stopped_vehicle", event=event, family=family))
    stopped = track(seen, "stopped")
    gap_m = abs(simulation.route.path.project(stopped[0].x, stopped[0].y)[1]) - stopped[0].width / 2.0
    assert (gap_m < 0.95) is (event != "beside")
    assert stopped[40].speed_mps == 0.0
    if event == "broken_down":
        assert {actor.indicator for actor in stopped} == {"hazard"}


def test_somebody_is_beside_who_merges() -> None:
    record = drive_expert(found("merge", event="traffic"))
    shift = record.route.shift
    assert shift is not None
    for snapshot in record.snapshots:
        s_m, _ = record.route.path.project(*snapshot.ego.position[:2])
        if s_m > shift.start_m - 15.0:
            rivals = [actor for actor in snapshot.actors if actor.id.startswith("rival")]
            assert min(abs(record.route.path.project(actor.x, actor.y)[0] - s_m) for actor in rivals) < 30.0
            return
    pytest.fail("the ego vehicle did not get to the place where it merges")


def apart(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two rectangles do not overlap, by 2 cm or more."""
    for corners in (one, other):
        for axis in (corners[1] - corners[0], corners[2] - corners[1]):
            a, b = one @ axis, other @ axis
            margin = 0.02 * math.hypot(*axis)
            if a.max() < b.min() + margin or b.max() < a.min() + margin:
                return True
    return False


def collisions(snapshots: tuple[Snapshot, ...], moves: Callable[[Actor], bool]) -> set[tuple[str, str]]:
    hits = set()
    for snapshot in snapshots[::4]:
        shapes = [rectangle(item.x, item.y, item.heading, item.length, item.width) for item in snapshot.actors]
        for i, one in enumerate(snapshot.actors):
            for j, other in enumerate(snapshot.actors[:i]):
                near = math.hypot(one.x - other.x, one.y - other.y) < (one.length + other.length) / 2.0 + 1.0
                people = one.kind == other.kind == "pedestrian"
                if near and not people and (moves(one) or moves(other)) and not apart(shapes[i], shapes[j]):
                    hits.add((one.id, other.id))
    return hits


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("split", ["train", "held_out"])
def test_nobody_drives_or_walks_through_anybody(scenario: str, split: str) -> None:
    record = drive_expert(draw_episode(scenario, 1, split))
    assert collisions(record.snapshots, lambda actor: actor.speed_mps > 0.0) == set()
