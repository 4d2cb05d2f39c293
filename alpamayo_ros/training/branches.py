"""Counterfactual moments: the drive as it was up to a step, but in a world where something was never there.

From that step on the expert drives on in the changed world, so that answer and future fit what the pictures show.
A model that is trained on them cannot conclude from its own braking that there is something to brake for.
"""

from collections.abc import Sequence

import numpy as np

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.inference.networks.anatomy import POINTS
from alpamayo_ros.world.edits import Edit, Remove
from alpamayo_ros.world.ego import advance_ego
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.expert.expert import Expert
from alpamayo_ros.world.simulation import Simulation
from alpamayo_ros.world.snapshot import STEP_S, Actor

SITE_KINDS = ("cone", "barrier")
NEAR_M = 60.0


def branched(record: EpisodeRecord, step: int, edits: Sequence[Edit]) -> EpisodeRecord:
    """Return the record of the same drive in a changed world; the expert takes over at a step.

    Args:
        record: The drive.
        step: Up to here the ego vehicle moves as recorded; the new record ends one horizon later.
        edits: What is changed.

    Raises:
        ParameterError: An edit names what is not there.
    """
    with Simulation(record.spec, (*record.edits, *edits)) as simulation:
        expert = Expert(simulation.road_map, simulation.route)
        snapshots, decisions = [simulation.snapshot], list(record.decisions[:step])
        for number in range(step + POINTS):
            if number < step:
                ego = record.snapshots[number + 1].ego
            else:
                decision = expert.decide(snapshots[-1])
                decisions.append(decision)
                ego = advance_ego(snapshots[-1].ego, decision.acceleration_mps2, decision.curvature, STEP_S)
            snapshots.append(simulation.advance(ego))
        return EpisodeRecord(
            record.spec, (*record.edits, *edits), simulation.road_map, simulation.route, tuple(snapshots),
            tuple(decisions),
        )  # fmt: skip


def without_cause(record: EpisodeRecord, step: int) -> tuple[Remove, ...]:
    """Return the edits that take away the causal actor of a step; empty where the cause is no actor.

    A site of cones and barriers is one cause, so all of it goes.
    """
    cause = record.decisions[step].cause
    actors = {actor.id: actor for actor in record.snapshots[step].actors}
    if cause is None or cause.actor_id not in actors:
        return ()
    if actors[cause.actor_id].kind in SITE_KINDS:
        return tuple(Remove(actor.id) for actor in actors.values() if actor.kind in SITE_KINDS)
    return (Remove(cause.actor_id),)


def bystanders(record: EpisodeRecord, step: int) -> list[Actor]:
    """Return actors near the ego vehicle that are no part of the cause, by distance."""
    moment = record.snapshots[step]
    causal = {edit.actor for edit in without_cause(record, step)}

    def distance(actor: Actor) -> float:
        return float(np.hypot(actor.x - moment.ego.position[0], actor.y - moment.ego.position[1]))

    near = [actor for actor in moment.actors if actor.id not in causal and distance(actor) < NEAR_M]
    return sorted((actor for actor in near if actor.kind not in SITE_KINDS), key=distance)


def counterfactuals(
    record: EpisodeRecord, steps: Sequence[int], count: int, random: np.random.Generator
) -> list[tuple[int, EpisodeRecord]]:
    """Return steps and branched records: causes taken away where they were decisive, and some bystanders.

    Args:
        record: The drive.
        steps: Steps to choose from.
        count: At most so many without their cause, and half as many without a bystander.
        random: Source of the choice.
    """
    decisive = [step for step in steps if _decisive(record, step) and without_cause(record, step)]
    chosen = [(step, without_cause(record, step)) for step in _drawn(decisive, count, random)]
    for step in _drawn([step for step in steps if bystanders(record, step)], max(count // 2, 1), random):
        near = bystanders(record, step)
        chosen.append((step, (Remove(near[int(random.integers(min(len(near), 4)))].id),)))
    found = [(step, _branched_or_none(record, step, edits)) for step, edits in chosen]
    return [(step, changed) for step, changed in found if changed is not None]


def _branched_or_none(record: EpisodeRecord, step: int, edits: Sequence[Edit]) -> EpisodeRecord | None:
    """Return the branch, None where what shall go is not staged and so cannot be taken away."""
    try:
        return branched(record, step, edits)
    except ParameterError:
        return None


def _decisive(record: EpisodeRecord, step: int) -> bool:
    cause = record.decisions[step].cause
    return cause is not None and cause.decisive


def _drawn(steps: list[int], count: int, random: np.random.Generator) -> list[int]:
    return sorted(int(step) for step in random.permutation(steps)[:count])
