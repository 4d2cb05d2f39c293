"""Two ways of running one model beside each other on one drive.

Each answers every tick by itself from the observation on, which shows what a vehicle would see. Besides, each program
of the first is run by the second on the same inputs, which shows where a difference arises.
"""

from dataclasses import dataclass, field

import numpy as np

from alpamayo_ros.errors import AlpamayoError
from alpamayo_ros.inference.backend import Session, Tensors
from alpamayo_ros.inference.comparison import PairedSession, largest_difference
from alpamayo_ros.perception.perceiver import STAGE as PERCEIVE
from alpamayo_ros.pipeline.drive import DrivePipeline, TickAnswer
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.stages import Stages, load_stages
from alpamayo_ros.pipeline.tick_status import answered, stage_failed
from alpamayo_ros.reasoning.reasoned import Reasoned
from alpamayo_ros.replay.engine_tolerances import EngineTolerances
from alpamayo_ros.structs.engine_comparison import TickAgreement
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.rationale import Rationale
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


class TwinPipeline(DrivePipeline):
    """Answers ticks as the first does, and lets the second answer them too."""

    def __init__(self, setup: StackSetup, twins: Twins, tolerances: EngineTolerances) -> None:
        """Bind both.

        Args:
            setup: Of the first.
            twins: Both, loaded.
            tolerances: What counts as apart.
        """
        super().__init__(setup.profile, setup.parameters, twins.first, calibration=setup.calibration)
        self._twins = twins
        self._tolerances = tolerances

    def answer_observation(self, observation: Observation) -> TickAnswer:
        """Let both answer, and keep how far they are apart."""
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
            return TickAnswer(stage_failed(t0_ns, epoch, self.trigger, reason))
        status = answered(t0_ns, epoch, self.trigger)
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
