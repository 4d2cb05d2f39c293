"""The same specification gives the same world, step by step, in this process and in every other."""

import dataclasses
import hashlib
import itertools
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path as FilePath

import pytest

from alpamayo_ros.errors import ConfigurationError, ParameterError
from alpamayo_ros.world.edits import Add, Edit, Move, Recolour, Remove
from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.scenarios import episode
from alpamayo_ros.world.simulation import NEAR_M, Simulation
from alpamayo_ros.world.snapshot import STEP_S, Snapshot

BUSY = "lead_braking:1"


def drive(name: str, edits: Sequence[Edit] = (), *, steps: int = 120, speed_share: float = 1.0) -> Iterator[Snapshot]:
    """Yield the snapshots of an episode in which the ego vehicle keeps its lane and its speed."""
    with Simulation(episode(name), edits) as simulation:
        start = simulation.snapshot.ego
        path = simulation.route.path
        s_m, speed = path.project(*start.position[:2])[0], start.speed_mps * speed_share
        yield simulation.snapshot
        for step in range(1, steps + 1):
            place = s_m + speed * STEP_S * step
            yield simulation.advance(ego_state(*path.point(place), speed, 0.0, path.curvature(place)))


def digest(name: str, edits: Sequence[Edit] = ()) -> str:
    return hashlib.sha256("".join(repr(snapshot) for snapshot in drive(name, edits)).encode()).hexdigest()


def test_an_episode_is_the_same_again_after_others_and_in_another_process() -> None:
    names = [BUSY, "red_light:0", "crossing_pedestrian:0"]
    first = [digest(name) for name in names]
    assert [digest(name) for name in reversed(names)] == first[::-1]
    program = "import sys; sys.path.insert(0, sys.argv[1]); import test_simulation as t; print(t.digest(sys.argv[2]))"
    command = [sys.executable, "-c", program, str(FilePath(__file__).parent), BUSY]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "5"})
    assert done.stdout.strip() == first[0]
    assert done.stderr == ""


def test_steps_are_counted_in_time() -> None:
    snapshots = list(drive(BUSY, steps=20))
    assert [snapshot.step for snapshot in snapshots] == list(range(21))
    assert [snapshot.t_s for snapshot in snapshots] == pytest.approx([k * STEP_S for k in range(21)])


def test_actors_are_sorted_near_and_once() -> None:
    for snapshot in drive("red_light:0", steps=60):
        ids = [actor.id for actor in snapshot.actors]
        assert ids == sorted(set(ids))
        x, y, _ = snapshot.ego.position
        assert all(math.hypot(actor.x - x, actor.y - y) < NEAR_M + 2.0 for actor in snapshot.actors)
        assert not any(name.startswith("blocker:") or name == "ego" for name in ids)


def test_vehicles_stand_in_their_lane_and_move_as_they_say() -> None:
    snapshots = list(drive(BUSY, steps=60))
    for before, after in itertools.pairwise(snapshots):
        later = {actor.id: actor for actor in after.actors}
        for actor in before.actors:
            if actor.kind == "pedestrian" or actor.id not in later:
                continue
            moved = math.hypot(later[actor.id].x - actor.x, later[actor.id].y - actor.y)
            assert moved == pytest.approx(later[actor.id].speed_mps * STEP_S, abs=0.12), actor.id


def test_traffic_behind_reacts_to_an_ego_vehicle_that_is_slow() -> None:
    name = next(f"lane_keeping:{k}" for k in range(60) if episode(f"lane_keeping:{k}").parameters["follower_headway_s"])
    speeds = [
        next((actor.speed_mps for actor in snapshot.actors if actor.id == "follower"), None)
        for snapshot in drive(name, speed_share=0.3, steps=100)
    ]
    if speeds[0] is None:
        pytest.skip("there was no room for the follower in this episode")
    assert min(speed for speed in speeds if speed is not None) < 0.6 * speeds[0]


def test_without_one_actor_the_others_start_and_drive_alike_until_they_meet_it() -> None:
    with_it, without = list(drive(BUSY, steps=15)), list(drive(BUSY, [Remove("lead")], steps=15))
    for one, other in zip(with_it, without, strict=True):
        assert tuple(actor for actor in one.actors if actor.id != "lead") == other.actors


def test_edits_show_from_the_first_step() -> None:
    actor = next(drive(BUSY, steps=0)).actors[0]
    new = dataclasses.replace(actor, id="guest", speed_mps=0.0, lane="")
    parked = next(item for item in next(drive(BUSY, steps=0)).actors if item.id.startswith("parked"))
    edits = [Add(new), Recolour("lead", (1.0, 2.0, 3.0)), Move(parked.id, 2.0, -1.0), Remove("oncoming_0")]
    first = {item.id: item for item in next(drive(BUSY, edits, steps=0)).actors}
    assert (first["guest"].x, first["guest"].y) == (actor.x, actor.y)
    assert first["lead"].colour == (1.0, 2.0, 3.0)
    moved = math.hypot(first[parked.id].x - parked.x, first[parked.id].y - parked.y)
    assert moved == pytest.approx(math.hypot(2.0, 1.0), abs=1e-6)
    assert "oncoming_0" not in first


def test_an_added_vehicle_in_a_lane_stops_the_traffic_behind_it() -> None:
    lead = next(actor for actor in next(drive(BUSY, steps=0)).actors if actor.id == "lead")
    ahead = dataclasses.replace(
        lead,
        id="wall",
        x=lead.x + 60.0 * math.cos(lead.heading),
        y=lead.y + 60.0 * math.sin(lead.heading),
        lane_position_m=lead.lane_position_m + 60.0,
    )
    *_, last = drive(BUSY, [Add(ahead)], speed_share=0.2, steps=170)
    stopped = next(actor for actor in last.actors if actor.id == "lead")
    assert stopped.speed_mps < 0.5
    assert math.hypot(stopped.x - lead.x, stopped.y - lead.y) < 60.0


@pytest.mark.parametrize("edit", [Remove("nobody"), Move("lead", math.nan, 0.0), Recolour("lead", (1.0, 2.0, 300.0))])
def test_edits_without_sense_are_refused_and_the_next_episode_runs(edit: Edit) -> None:
    with pytest.raises(ParameterError, match="expected"):
        Simulation(episode(BUSY), [edit])
    assert next(drive(BUSY, steps=0)).step == 0


def test_a_second_simulation_in_the_process_is_refused_and_harms_nobody() -> None:
    with Simulation(episode(BUSY)) as simulation:
        with pytest.raises(ConfigurationError, match="one at a time"):
            Simulation(episode("red_light:0"))
        assert simulation.advance(simulation.snapshot.ego).step == 1


def test_an_ego_vehicle_nowhere_is_refused() -> None:
    with Simulation(episode(BUSY)) as simulation:
        nowhere = dataclasses.replace(simulation.snapshot.ego, position=(math.nan, 0.0, 0.0))
        with pytest.raises(ConfigurationError, match="finite"):
            simulation.advance(nowhere)


def test_an_ego_vehicle_that_leaves_the_road_and_the_map_goes_on() -> None:
    with Simulation(episode("red_light:0")) as simulation:
        ego = simulation.snapshot.ego
        for step in range(80):
            far = ego_state(ego.position[0] + 20.0 * step, ego.position[1] - 30.0 * step, 1.0, 5.0, 0.0, 0.0)
            snapshot = simulation.advance(far)
    assert snapshot.step == 80
    assert snapshot.actors == ()


def test_closing_twice_does_no_harm() -> None:
    simulation = Simulation(episode(BUSY))
    simulation.close()
    simulation.close()


def test_a_specification_of_another_map_is_refused() -> None:
    spec = episode(BUSY)
    with pytest.raises(ParameterError, match="expected"):
        Simulation(dataclasses.replace(spec, parameters={**spec.parameters, "map": "nowhere/train/0"}))
    lacking = {name: value for name, value in spec.parameters.items() if name != "headway_s"}
    with pytest.raises(ParameterError, match="headway_s"):
        Simulation(dataclasses.replace(spec, parameters=lacking))
