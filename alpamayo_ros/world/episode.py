"""One episode, driven by the expert: every moment of the world, and what was decided in it."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from alpamayo_ros.world.edits import Edit
from alpamayo_ros.world.ego import advance_ego, interpolate_ego
from alpamayo_ros.world.expert.expert import Decision, Expert
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.route import Route
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.simulation import Simulation
from alpamayo_ros.world.snapshot import STEP_S, Actor, Snapshot

ROUTE_END_M = 12.0
"""An episode ends early where its route does: this much is left before the rear axle."""


@dataclass(frozen=True, slots=True)
class EpisodeRecord:
    """An episode that was driven.

    Attributes:
        spec: What it was made from.
        edits: What was changed about it.
        road_map: The roads.
        route: Where the ego vehicle was to drive.
        snapshots: The world at each step, the first at 0.
        decisions: What the expert decided at each step; one for each snapshot.
    """

    spec: EpisodeSpec
    edits: tuple[Edit, ...]
    road_map: RoadMap
    route: Route
    snapshots: tuple[Snapshot, ...]
    decisions: tuple[Decision, ...]

    @property
    def digest(self) -> str:
        """``sha256:`` of all that happened and all that was decided."""
        return drive_digest(self.snapshots, self.decisions)

    def at(self, t_s: float) -> Snapshot:
        """Return the world at a time, s; before the start the first moment, after the end the last."""
        return snapshot_at(self.snapshots, t_s)


def drive_expert(spec: EpisodeSpec, edits: Sequence[Edit] = ()) -> EpisodeRecord:
    """Drive an episode with the expert.

    Raises:
        ParameterError: The specification or an edit does not hold.
        ConfigurationError: SUMO is not installed, or a simulation already runs in this process.
    """
    with Simulation(spec, edits) as simulation:
        expert = Expert(simulation.road_map, simulation.route)
        snapshots, decisions = [simulation.snapshot], []
        for _ in range(step_count(spec)):
            if simulation.route.path.length_m - expert.place(snapshots[-1])[0] < ROUTE_END_M:
                break
            decision = expert.decide(snapshots[-1])
            decisions.append(decision)
            ego = advance_ego(snapshots[-1].ego, decision.acceleration_mps2, decision.curvature, STEP_S)
            snapshots.append(simulation.advance(ego))
        decisions.append(expert.decide(snapshots[-1]))
        return EpisodeRecord(
            spec, tuple(edits), simulation.road_map, simulation.route, tuple(snapshots), tuple(decisions)
        )


def step_count(spec: EpisodeSpec) -> int:
    """Return how many steps an episode has at most, without its start."""
    return round(spec.duration_s / STEP_S)


def drive_digest(snapshots: Iterable[Snapshot], decisions: Iterable[Decision] = ()) -> str:
    """Return ``sha256:`` of what happened and what was decided."""
    running = hashlib.sha256()
    for snapshot in snapshots:
        running.update(repr(snapshot).encode())
    for one in decisions:
        classes = (int(one.longitudinal), int(one.lateral), int(one.lane))
        numbers = (one.acceleration_mps2, one.curvature, one.target_offset_m)
        running.update(repr((numbers, classes, one.cause)).encode())
    return f"sha256:{running.hexdigest()}"


def snapshot_at(snapshots: Sequence[Snapshot], t_s: float) -> Snapshot:
    """Return the world at a time, s, between the two steps around it.

    Signals are those of the step before; an actor that is in only one of the two steps is there as in that one
    if it is the step before.
    """
    share = (t_s - snapshots[0].t_s) / STEP_S
    index = min(max(math.floor(share + 1e-9), 0), len(snapshots) - 1)
    before = snapshots[index]
    share = min(max(share - index, 0.0), 1.0)
    if share < 1e-9 or index + 1 >= len(snapshots):
        return before
    after = snapshots[index + 1]
    later = {actor.id: actor for actor in after.actors}
    actors = tuple(_between(actor, later[actor.id], share) if actor.id in later else actor for actor in before.actors)
    return replace(before, t_s=t_s, ego=interpolate_ego(before.ego, after.ego, share), actors=actors)


def _between(a: Actor, b: Actor, share: float) -> Actor:
    if (a.x, a.y, a.heading) == (b.x, b.y, b.heading):
        return a
    rest = 1.0 - share
    return replace(
        a,
        x=rest * a.x + share * b.x,
        y=rest * a.y + share * b.y,
        heading=a.heading + share * math.remainder(b.heading - a.heading, math.tau),
        speed_mps=rest * a.speed_mps + share * b.speed_mps,
        acceleration_mps2=rest * a.acceleration_mps2 + share * b.acceleration_mps2,
        lane_position_m=rest * a.lane_position_m + share * b.lane_position_m if a.lane == b.lane else a.lane_position_m,
    )
