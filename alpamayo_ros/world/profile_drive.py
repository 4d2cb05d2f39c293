"""A profile's closed-loop drive of an episode, as pages show it: what it says at every step, boxes looked up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alpamayo_ros.envelope.document import load_envelope
from alpamayo_ros.params.node_parameters import NodeParameters, load_parameters
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.pipeline.drive import TickAnswer
from alpamayo_ros.pipeline.setup import choose_profile, set_up_stack
from alpamayo_ros.pipeline.stages import Stages, load_stages
from alpamayo_ros.structs.counterfactual import DriveMoment
from alpamayo_ros.structs.rationale import CausalFactor, LaneAction, LateralAction, LongitudinalAction, Rationale
from alpamayo_ros.structs.trajectory import TrajectorySet
from alpamayo_ros.world.causal_box import boxed_actor
from alpamayo_ros.world.closed_loop import ClosedLoopDrive, drive_closed_loop, world_calibration
from alpamayo_ros.world.driven import DrivenEpisode, metric_words, world_path
from alpamayo_ros.world.edits import Edit
from alpamayo_ros.world.episode import snapshot_at
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import camera
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.snapshot import STEP_S, Snapshot
from alpamayo_ros.world.tags import episode_tags
from alpamayo_ros.world.timing import START_NS

EXPERT = "expert"
"""What is given in place of a profile to let the expert drive."""


@dataclass(frozen=True, slots=True)
class LoadedProfile:
    """A profile that is ready to drive any number of episodes, one after the other.

    Attributes:
        profile: With the backend that was chosen.
        parameters: Of every node.
        stages: Loaded.
        lineage_id: Of what drives.
    """

    profile: Profile
    parameters: NodeParameters
    stages: Stages
    lineage_id: str

    def drive(
        self, spec: EpisodeSpec, edits: Sequence[Edit] = (), progress: Callable[[int, int], None] | None = None
    ) -> ClosedLoopDrive:
        """Drive an episode in closed loop.

        Args:
            spec: Of the episode.
            edits: What is changed about it.
            progress: Called with the percent that are done, and 100.

        Raises:
            AlpamayoError: Of the class that fits what is wrong.
        """
        told = None if progress is None else lambda share: progress(round(100 * share), 100)
        return drive_closed_loop(spec, self.profile, self.parameters, self.stages, edits=edits, progress=told)


def load_profile_to_drive(name: str, *, backend: str = "", parameters: Path | None = None) -> LoadedProfile:
    """Load and verify a profile and its model.

    Args:
        name: Profile name, or path of a profile file.
        backend: Backend id in place of the profile's own, empty for that.
        parameters: ROS 2 parameter file, None for the defaults.

    Raises:
        AlpamayoError: Of the class that fits what is wrong.
    """
    profile, chosen = choose_profile(name, backend), load_parameters(parameters)
    stack = set_up_stack(profile, chosen, world_calibration(profile), load_envelope(None))
    return LoadedProfile(profile, chosen, load_stages(profile, chosen, stack.model), stack.lineage.lineage_id)


def profile_drive(
    loaded: LoadedProfile,
    spec: EpisodeSpec,
    edits: Sequence[Edit] = (),
    progress: Callable[[int, int], None] | None = None,
) -> DrivenEpisode:
    """Let a profile drive an episode in closed loop, as pages show it.

    Args:
        loaded: The profile.
        spec: Of the episode.
        edits: What is changed about it.
        progress: Called with the percent that are done, and 100.

    Raises:
        AlpamayoError: Of the class that fits what is wrong.
    """
    driven = loaded.drive(spec, edits, progress)
    record, profile = driven.record, loaded.profile
    size = (profile.image_width, profile.image_height) if profile.cameras else (1, 1)
    renderer = Renderer(record.road_map, spec.seed, spec.conditions)
    answers = [tick.answer for tick in driven.ticks]
    moments, factors = AnswerMoments(record.snapshots, renderer, size).moments(answers, START_NS)
    return DrivenEpisode(
        spec=spec,
        driver=f"profile {profile.name} in closed loop, after {driven.takeover_s:g} s by the expert",
        road_map=record.road_map,
        snapshots=record.snapshots,
        moments=moments,
        factors=factors,
        picture_size=size,
        metrics=metric_words(driven.metrics()),
        answered=sum(answer.trajectories is not None for answer in answers),
        tags={**episode_tags(spec), "profile": profile.name, "lineage": loaded.lineage_id},
    )


class AnswerMoments:
    """Turns a profile's answers into moments; what a box means is looked up in the world."""

    def __init__(self, snapshots: Sequence[Snapshot], renderer: Renderer, picture_size: tuple[int, int]) -> None:
        """Take the drive and the size of the pictures that the profile saw."""
        self._snapshots = snapshots
        self._renderer = renderer
        self._size = picture_size

    def moments(
        self, answers: Sequence[TickAnswer], start_ns: int
    ) -> tuple[tuple[DriveMoment, ...], tuple[CausalFactor, ...]]:
        """Return one moment and one named cause for each step; before the first answer nothing is known.

        Args:
            answers: By time; those without outputs are passed over.
            start_ns: Stamp of time 0.
        """
        waiting = [
            (_seconds(answer, start_ns), answer.rationale, answer.trajectories)
            for answer in answers
            if answer.rationale is not None and answer.trajectories is not None
        ]
        moments: list[DriveMoment] = []
        factors: list[CausalFactor] = []
        index = -1
        known: DriveMoment | None = None
        factor = CausalFactor("")
        for snapshot in self._snapshots:
            before = index
            while index + 1 < len(waiting) and waiting[index + 1][0] <= snapshot.t_s + 0.5 * STEP_S:
                index += 1
            if index != before:
                known, factor = self._answered(*waiting[index])
            moments.append(_at(snapshot, known, answered=index != before))
            factors.append(factor)
        return tuple(moments), tuple(factors)

    def _answered(
        self, t_s: float, rationale: Rationale, trajectories: TrajectorySet
    ) -> tuple[DriveMoment, CausalFactor]:
        snapshot = snapshot_at(self._snapshots, t_s)
        factor = rationale.causal_factors[0] if rationale.causal_factors else CausalFactor("")
        chosen = trajectories.selected_index
        planned = world_path(
            snapshot,
            np.asarray(trajectories.x[chosen], dtype=np.float64),
            np.asarray(trajectories.y[chosen], dtype=np.float64),
        )
        moment = DriveMoment(
            t_s=snapshot.t_s,
            x_m=snapshot.ego.position[0],
            y_m=snapshot.ego.position[1],
            heading_rad=snapshot.ego.yaw,
            speed_mps=snapshot.ego.speed_mps,
            longitudinal=rationale.longitudinal,
            lateral=rationale.lateral,
            lane=rationale.lane,
            cause=factor.label.replace(" ", "_"),
            actor_id=self._actor(factor, snapshot),
            text=rationale.text,
            planned_xy_m=planned,
        )
        return moment, factor

    def _actor(self, factor: CausalFactor, snapshot: Snapshot) -> str:
        if not factor.camera or not (factor.box_px[2] > 0.0 and factor.box_px[3] > 0.0):
            return ""
        return boxed_actor(self._renderer, camera(factor.camera, *self._size), snapshot, factor.box_px)


def _seconds(answer: TickAnswer, start_ns: int) -> float:
    return (answer.status.t0_ns - start_ns) * 1e-9


def _at(snapshot: Snapshot, known: DriveMoment | None, *, answered: bool) -> DriveMoment:
    """Return what holds at a step: the newest answer, at the place where the vehicle is now."""
    ego = snapshot.ego
    return DriveMoment(
        t_s=snapshot.t_s,
        x_m=ego.position[0],
        y_m=ego.position[1],
        heading_rad=ego.yaw,
        speed_mps=ego.speed_mps,
        longitudinal=LongitudinalAction.UNKNOWN if known is None else known.longitudinal,
        lateral=LateralAction.UNKNOWN if known is None else known.lateral,
        lane=LaneAction.UNKNOWN if known is None else known.lane,
        cause="" if known is None else known.cause,
        actor_id="" if known is None else known.actor_id,
        text="" if known is None else known.text,
        planned_xy_m=np.zeros((0, 2)) if known is None else known.planned_xy_m,
        answered=answered,
    )
