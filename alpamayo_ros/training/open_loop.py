"""What a model makes of moments of held-out drives: answers, trajectories, and what changes them.

Every moment goes through the pipeline's own stages, with pictures as a bag or the closed loop would hold them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.inference.networks.anatomy import POINTS
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import Profile, load_profile
from alpamayo_ros.pipeline.stages import Stages, load_stages
from alpamayo_ros.structs.plan import PlanContext
from alpamayo_ros.structs.rationale import LongitudinalAction, Rationale
from alpamayo_ros.structs.trajectory import TrajectorySet
from alpamayo_ros.training.branches import bystanders, without_cause
from alpamayo_ros.training.moments import Moments, answer
from alpamayo_ros.training.statements import HORIZON_S, contradictions, measure, read_statement
from alpamayo_ros.world.edits import Edit, Remove, edit_snapshot
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.expert.expert import Decision, Expert
from alpamayo_ros.world.expert.roll_out import longitudinal_action
from alpamayo_ros.world.snapshot import EgoState
from alpamayo_ros.world.truth import truth_at

EVERY_STEPS = 10
EQUAL_SIZE = (0.4, 2.5)
"""A bystander is as large as the cause if its area in the pictures is within this many times the cause's."""

Meta = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class MomentResult:
    """One moment.

    Attributes:
        episode: Name of the episode.
        step: Of its simulation.
        true_label: Cause, empty for none.
        true_meta: Longitudinal, lateral, lane.
        decisive: Whether the true decision is another one without the cause.
        said_label: Cause that the model names.
        said_meta: Its meta-action.
        text: Its words.
        behaviour: Longitudinal class of its trajectory.
        ade_m: Of each sampled trajectory.
        plan_ade_m: Of the selected one.
        kinematic_ade_m: Of the baseline.
        contradicted: Claims of the text that the trajectory contradicts.
        expert_contradicted: Claims of the true text that the driven path contradicts.
        removed: Decision and behaviour without the causal actor, None where that was not asked.
        bystander_removed: The same without an equally large bystander.
        context: What planning got, for the swap.
        speed_mps: At t0.
    """

    episode: str
    step: int
    true_label: str
    true_meta: Meta
    decisive: bool
    said_label: str
    said_meta: Meta
    text: str
    behaviour: int
    ade_m: tuple[float, ...]
    plan_ade_m: float
    kinematic_ade_m: float
    contradicted: tuple[str, ...]
    expert_contradicted: tuple[str, ...]
    removed: tuple[Meta, int] | None
    bystander_removed: tuple[Meta, int] | None
    context: PlanContext
    speed_mps: float


@dataclass(slots=True)
class OpenLoop:
    """Stages of the model and of the baseline, loaded once.

    Attributes:
        profile: Of the model.
        stages: Of the model.
        baseline: Of the profile ``kinematic``.
    """

    profile: Profile
    stages: Stages = field(init=False)
    baseline: Stages = field(init=False)

    def __post_init__(self) -> None:
        """Load the engines."""
        parameters = NodeParameters()
        self.stages = load_stages(self.profile, parameters)
        self.baseline = load_stages(load_profile("kinematic"), parameters)

    def episode(self, record: EpisodeRecord, every_steps: int = EVERY_STEPS) -> list[MomentResult]:
        """Return the results of an episode's moments, one a second unless told otherwise.

        Raises:
            BackendError: A stage did not succeed.
        """
        moments = Moments(record, self.profile)
        last = len(record.snapshots) - 1 - POINTS
        return [self._moment(moments, step) for step in range(moments.first_step, last + 1, every_steps)]

    def swapped(self, result: MomentResult, other: MomentResult) -> int:
        """Return the behaviour of a moment whose answer's states are those of another one."""
        context = replace(result.context, tensors=other.context.tensors)
        return behaviour(result.speed_mps, self.stages.planner.plan(context))

    def _moment(self, moments: Moments, step: int) -> MomentResult:
        record = moments.record
        observation = moments.observation(step)
        found = answer(self.stages, observation)
        kinematic = answer(self.baseline, replace(observation, images=None))
        ego = record.snapshots[step].ego
        driven = [moment.ego for moment in record.snapshots[step + 1 : step + 1 + POINTS]]
        path = _in_rig_frame(driven, ego)
        truth = truth_at(record, step)
        apart = displacements(found.trajectories, path)
        rationale = found.reasoned.rationale
        return MomentResult(
            episode=record.spec.id,
            step=step,
            true_label=truth.label,
            true_meta=(int(truth.longitudinal), int(truth.lateral), int(truth.lane)),
            decisive=truth.decisive,
            said_label=said_label(rationale),
            said_meta=said_meta(rationale),
            text=rationale.text,
            behaviour=behaviour(ego.speed_mps, found.trajectories),
            ade_m=tuple(apart),
            plan_ade_m=apart[found.trajectories.selected_index],
            kinematic_ade_m=displacements(kinematic.trajectories, path)[0],
            contradicted=self._contradicted(record, ego, rationale.text, found.trajectories),
            expert_contradicted=_expert_contradicted(record, ego, truth.text, driven, path),
            removed=self._removed(moments, step, without_cause(record, step)) if truth.decisive else None,
            bystander_removed=self._removed(moments, step, equal_bystander(moments, step)) if truth.decisive else None,
            context=found.reasoned.context,
            speed_mps=ego.speed_mps,
        )

    def _contradicted(
        self, record: EpisodeRecord, ego: EgoState, text: str, trajectories: TrajectorySet
    ) -> tuple[str, ...]:
        chosen = trajectories.selected_index
        end = (float(trajectories.x[chosen, -1]), float(trajectories.y[chosen, -1]))
        motion = measure(
            ego.speed_mps, trajectories.speed[chosen], trajectories.yaw[chosen], _offsets(record, ego, end),
            trajectories.dt_s,
        )  # fmt: skip
        return contradictions(read_statement(text), motion)

    def _removed(self, moments: Moments, step: int, edits: Sequence[Edit]) -> tuple[Meta, int] | None:
        """Return decision and behaviour after edits; None where nothing is changed or cannot be.

        Without its cause the expert itself must decide otherwise, else the removal shows nothing: traffic behind the
        cause may be the next reason for the same decision.
        """
        if not edits:
            return None
        record = moments.record
        try:
            edited = edit_snapshot(record.snapshots[step], edits)
        except ParameterError:
            return None
        flips = _classes(Expert(record.road_map, record.route).decide(edited)) != _classes(record.decisions[step])
        if flips != (tuple(edits) == without_cause(record, step)):
            return None
        try:
            found = answer(self.stages, moments.observation(step, edits))
        except ParameterError:
            return None
        speed = record.snapshots[step].ego.speed_mps
        return said_meta(found.reasoned.rationale), behaviour(speed, found.trajectories)


def said_label(rationale: Rationale) -> str:
    """Return the label of the first cited cause, empty for none."""
    return rationale.causal_factors[0].label.replace(" ", "_") if rationale.causal_factors else ""


def said_meta(rationale: Rationale) -> Meta:
    """Return the meta-action as numbers."""
    return int(rationale.longitudinal), int(rationale.lateral), int(rationale.lane)


def behaviour(speed_mps: float, trajectories: TrajectorySet) -> int:
    """Return the longitudinal class of the selected trajectory, as the expert names its own."""
    count = round(HORIZON_S / trajectories.dt_s)
    speeds = trajectories.speed[trajectories.selected_index, :count]
    return int(longitudinal_action([speed_mps, *(float(speed) for speed in speeds)]))


def displacements(trajectories: TrajectorySet, path: NDArray[np.float64]) -> list[float]:
    """Return the average displacement in m of each sample from a path (64, 2), over x and y."""
    apart = np.hypot(trajectories.x - path[:, 0], trajectories.y - path[:, 1])
    return [float(value) for value in apart.mean(axis=1)]


def equal_bystander(moments: Moments, step: int) -> tuple[Remove, ...]:
    """Return the edit that takes away a bystander about as large in the pictures as the cause; empty without one."""
    record = moments.record
    causal = [edit.actor for edit in without_cause(record, step)]
    if not causal:
        return ()
    areas = moments.seen_areas(step)
    wanted = sum(areas.get(name, 0.0) for name in causal)
    if wanted <= 0.0:
        return ()
    near = {actor.id for actor in bystanders(record, step)}
    fits = [
        (abs(math.log(area / wanted)), name)
        for name, area in areas.items()
        if name in near and EQUAL_SIZE[0] * wanted <= area <= EQUAL_SIZE[1] * wanted
    ]
    return (Remove(min(fits)[1]),) if fits else ()


def _expert_contradicted(
    record: EpisodeRecord, ego: EgoState, text: str, driven: Sequence[EgoState], path: NDArray[np.float64]
) -> tuple[str, ...]:
    speed = np.array([state.speed_mps for state in driven], np.float32)
    yaw = np.unwrap([ego.yaw, *(state.yaw for state in driven)])
    end = (float(path[-1, 0]), float(path[-1, 1]))
    turned = (yaw[1:] - yaw[0]).astype(np.float32)
    return contradictions(read_statement(text), measure(ego.speed_mps, speed, turned, _offsets(record, ego, end), 0.1))


def _offsets(record: EpisodeRecord, ego: EgoState, end: tuple[float, float]) -> tuple[float, float]:
    """Return how far left of the route the rig is at t0 and at a place in its frame."""
    cos, sin = math.cos(ego.yaw), math.sin(ego.yaw)
    x, y = ego.position[0], ego.position[1]
    s_m, before = record.route.path.project(x, y)
    there = (x + end[0] * cos - end[1] * sin, y + end[0] * sin + end[1] * cos)
    _, after = record.route.path.project(*there, near_s=s_m + math.hypot(*end))
    return before, after


def _in_rig_frame(states: Sequence[EgoState], ego: EgoState) -> NDArray[np.float64]:
    position = np.array([state.position[:2] for state in states]) - np.array(ego.position[:2])
    cos, sin = math.cos(ego.yaw), math.sin(ego.yaw)
    return np.stack([position @ (cos, sin), position @ (-sin, cos)], axis=1)


def _classes(decision: Decision) -> tuple[LongitudinalAction, int, int]:
    return decision.longitudinal, int(decision.lateral), int(decision.lane)
