"""Two ways of running one model beside each other on one drive.

Each answers every tick by itself from the observation on, which shows what a vehicle would see. Besides, each program
of the first is run by the second on the same inputs, which shows where a difference arises.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from alpamayo_ros.errors import AlpamayoError
from alpamayo_ros.inference.backend import Session, Tensors
from alpamayo_ros.inference.comparison import PairedSession, largest_difference
from alpamayo_ros.perception.perceiver import STAGE as PERCEIVE
from alpamayo_ros.pipeline.drive import TickAnswer
from alpamayo_ros.pipeline.observer import Observer, Seen
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.stages import Stages, load_stages
from alpamayo_ros.pipeline.tick_status import answered, rejected, stage_failed
from alpamayo_ros.reasoning.reasoned import Reasoned
from alpamayo_ros.replay.engine_tolerances import EngineTolerances
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.structs.camera import CameraFrame, CameraIntrinsics
from alpamayo_ros.structs.engine_comparison import TickAgreement
from alpamayo_ros.structs.navigation import NavigationCommand
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.rationale import Rationale
from alpamayo_ros.structs.tick import Rejection
from alpamayo_ros.structs.trajectory import TrajectorySet

REASON, PLAN = "reason", "plan"


@dataclass(frozen=True, slots=True)
class _Answer:
    observation: Observation
    reasoned: Reasoned
    trajectories: TrajectorySet


@dataclass(slots=True)
class Twins:
    """Both loaded, with what was found so far.

    Attributes:
        first: Stages whose programs have the second's beside them.
        second: Stages of the other.
        pairs: By stage: the pair of programs.
        ticks: Ticks that both answered.
        failures: Ticks that only one of them answered.
    """

    first: Stages
    second: Stages
    pairs: dict[str, PairedSession]
    ticks: list[TickAgreement] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def load_twins(first: StackSetup, second: StackSetup) -> Twins:
    """Load both, and pair their programs.

    Raises:
        TensorSpecError: A program of one takes or gives other tensors than that of the other.
        AlpamayoError: Of the class that fits what is wrong with one of them.
    """
    others: dict[str, Session] = {}
    pairs: dict[str, PairedSession] = {}

    def keep(stage: str, session: Session) -> Session:
        others[stage] = session
        return session

    def pair(stage: str, session: Session) -> Session:
        pairs[stage] = PairedSession(session, others[stage])
        return pairs[stage]

    theirs = load_stages(second.profile, second.parameters, second.model, keep)
    ours = load_stages(first.profile, first.parameters, first.model, pair)
    return Twins(ours, theirs, pairs)


class TwinDrive:
    """Answers ticks as the first does, and lets the second answer them too."""

    executed = "in process, two beside each other"

    def __init__(self, setup: StackSetup, twins: Twins, tolerances: EngineTolerances) -> None:
        """Bind both.

        Args:
            setup: Of the first.
            twins: Both, loaded.
            tolerances: What counts as apart.
        """
        self._twins = twins
        self._tolerances = tolerances
        self._trigger = setup.profile.trigger
        self._observer = Observer(
            setup.profile, setup.parameters.perception, calibration=setup.calibration, detector=twins.first.detector
        )

    @property
    def open_at_end(self) -> int:
        """Ticks that are still open."""
        return self._observer.open_at_end

    @property
    def not_opened(self) -> int:
        """Requested ticks that never opened: none are requested."""
        return 0

    @property
    def dropped(self) -> dict[str, int]:
        """Dropped messages by input."""
        return self._observer.dropped

    def take_odometry(self, message: BagMessage, sample: OdometrySample) -> Sequence[TickAnswer]:  # noqa: ARG002
        """Take one pose of the rig."""
        return [self._answer(seen) for seen in self._observer.feed_odometry(sample)]

    def take_frame(self, message: BagMessage, frame: CameraFrame) -> Sequence[TickAnswer]:  # noqa: ARG002
        """Take one picture."""
        return [self._answer(seen) for seen in self._observer.feed_frame(frame)]

    def take_navigation(self, message: BagMessage, command: NavigationCommand) -> None:  # noqa: ARG002
        """Take a navigation command."""
        self._observer.feed_navigation(command)

    def take_camera_info(self, message: BagMessage, camera: str, intrinsics: CameraIntrinsics) -> None:  # noqa: ARG002
        """Take the intrinsics of a camera."""
        self._observer.feed_camera_info(camera, intrinsics)

    def _answer(self, seen: Seen) -> TickAnswer:
        if isinstance(seen.result, Rejection):
            return TickAnswer(rejected(seen.tick, self._trigger, seen.result))
        observation = seen.result
        t0_ns, epoch = observation.t0_ns, observation.epoch
        second, wrong_second = _attempt(self._twins.second, observation)
        first, wrong_first = _attempt(self._twins.first, observation)
        if first is not None and second is not None:
            self._twins.ticks.append(_agreement(first, second, self._tolerances))
        elif first is not None or second is not None:
            which, reason = ("first", wrong_first) if first is None else ("second", wrong_second)
            self._twins.failures.append(f"tick {t0_ns}: the {which} failed: {reason}")
        if first is None:
            reason = wrong_first or AlpamayoError("no answer")
            return TickAnswer(stage_failed(t0_ns, epoch, self._trigger, reason))
        status = answered(t0_ns, epoch, self._trigger)
        return TickAnswer(status, first.reasoned.rationale, first.trajectories, observation.history)


def _attempt(stages: Stages, observation: Observation) -> tuple[_Answer | None, AlpamayoError | None]:
    try:
        perceived = stages.perceive(observation)
        reasoned = stages.reasoner.reason(perceived)
        return _Answer(perceived, reasoned, stages.planner.plan(reasoned.context)), None
    except AlpamayoError as error:
        return None, error


def _agreement(first: _Answer, second: _Answer, tolerances: EngineTolerances) -> TickAgreement:
    ours, theirs = first.reasoned.rationale, second.reasoned.rationale
    ade_m, fde_m = _distances_m(first.trajectories, second.trajectories)
    same_text = ours.text == theirs.text
    same_decision = decision(ours) == decision(theirs)
    stage = ""
    if _apart(first.observation.tensors, second.observation.tensors) > tolerances.outputs[PERCEIVE]:
        stage = PERCEIVE
    elif not (same_text and same_decision):
        stage = REASON
    elif ade_m > tolerances.ade_m:
        stage = PLAN
    return TickAgreement(
        t0_ns=ours.t0_ns,
        stage=stage,
        same_text=same_text,
        same_decision=same_decision,
        same_sample=first.trajectories.selected_index == second.trajectories.selected_index,
        ade_m=ade_m,
        fde_m=fde_m,
        texts=(ours.text, theirs.text),
    )


def decision(rationale: Rationale) -> tuple[object, ...]:
    """Return what was decided and why, without words and boxes."""
    actions = (rationale.longitudinal, rationale.lateral, rationale.lane)
    return (*actions, *(cause.label for cause in rationale.causal_factors))


def _apart(first: Tensors | None, second: Tensors | None) -> float:
    if first is None or second is None:
        return 0.0
    return max((largest_difference(first[name], second[name]) for name in first if name in second), default=0.0)


def _distances_m(first: TrajectorySet, second: TrajectorySet) -> tuple[float, float]:
    rows = []
    for trajectories in (first, second):
        index = trajectories.selected_index
        rows.append(np.stack([trajectories.x[index], trajectories.y[index]], axis=1).astype(np.float64))
    count = min(len(rows[0]), len(rows[1]))
    apart = np.hypot(*(rows[0][:count] - rows[1][:count]).T)
    return float(apart.mean()), float(apart[-1])
