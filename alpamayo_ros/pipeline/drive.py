"""The whole data flow of one drive, without ROS: inputs in, one answer per tick out."""

from collections.abc import Sequence
from dataclasses import dataclass

from alpamayo_ros.errors import AlpamayoError
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.perception.observation import ObservationAssembler
from alpamayo_ros.pipeline.requested_ticks import RequestedTicks
from alpamayo_ros.pipeline.stages import Stages
from alpamayo_ros.pipeline.tick_rule import Advance, OpenTick, TickRule, time_backwards
from alpamayo_ros.structs.camera import CameraFrame, CameraIntrinsics, RigCalibration
from alpamayo_ros.structs.observation import EgoHistory, Observation
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.rationale import Rationale
from alpamayo_ros.structs.tick import Rejection, TickOutcome, TickStatus
from alpamayo_ros.structs.trajectory import TrajectorySet

ODOMETRY = "odometry"

_FORGET_EVERY = 64
"""Messages after which buffers are trimmed even though no tick closed."""

_SILENCE_NS = 2_000_000_000
"""A trigger that lags behind the other inputs by more than this, beyond ``max_wait``, finds their past forgotten."""


@dataclass(frozen=True, slots=True)
class TickAnswer:
    """What became of one tick, with its outputs if it was answered."""

    status: TickStatus
    rationale: Rationale | None = None
    trajectories: TrajectorySet | None = None
    history: EgoHistory | None = None


class DrivePipeline:
    """Tick rule, observation, reasoning and planning of one profile.

    Messages go in one at a time; the answers of the ticks that each of them closes come out. The outcome does
    not depend on the arrival order, within the lateness that the tick rule allows.
    """

    def __init__(
        self,
        profile: Profile,
        parameters: NodeParameters,
        stages: Stages,
        *,
        calibration: RigCalibration | None = None,
        requested: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        """Compose the stages.

        Args:
            profile: Inputs and outputs of the model.
            parameters: Parameters of every node.
            stages: Loaded stages of the same profile.
            calibration: The rig's calibration, for cameras.
            requested: (epoch, t0 in ns) of the ticks to run, instead of those that the trigger gives.
        """
        self._profile = profile
        self._stages = stages
        self._since_forgetting = 0
        self._longest_silence_ns = _SILENCE_NS + parameters.perception.max_wait_ms * 1_000_000
        self._assembler = ObservationAssembler(profile, parameters.perception, calibration)
        times = {
            "period_ns": profile.period_ms * 1_000_000,
            "max_wait_ns": parameters.perception.max_wait_ms * 1_000_000,
        }
        self._rule = (
            TickRule(profile.inputs, profile.trigger, **times)
            if requested is None
            else RequestedTicks(profile.inputs, profile.trigger, requested, **times)
        )

    @property
    def open_at_end(self) -> int:
        """Ticks that are still open; at the end of the input they are no ticks."""
        return len(self._rule.open_ticks)

    @property
    def not_opened(self) -> int:
        """Requested ticks that never opened; 0 when none were requested."""
        return self._rule.not_opened if isinstance(self._rule, RequestedTicks) else 0

    @property
    def dropped(self) -> dict[str, int]:
        """Messages that were dropped because their stamp was not newer than their topic's last, by input."""
        return {name: count for name, count in self._rule.dropped.items() if count}

    def feed_odometry(self, sample: OdometrySample) -> list[TickAnswer]:
        """Take one pose of the rig; return the answers of the ticks that it closes."""
        advance = self._rule.advance(ODOMETRY, sample.stamp_ns)
        self._start_epoch(advance)
        if advance.accepted:
            self._assembler.add_odometry(sample)
        return self._answers(advance)

    def feed_frame(self, frame: CameraFrame) -> list[TickAnswer]:
        """Take one picture; return the answers of the ticks that it closes."""
        advance = self._rule.advance(frame.camera, frame.stamp_ns)
        self._start_epoch(advance)
        if advance.accepted:
            self._assembler.add_frame(frame)
        return self._answers(advance)

    def feed_camera_info(self, camera: str, intrinsics: CameraIntrinsics) -> None:
        """Take the intrinsics of a camera."""
        self._assembler.add_camera_info(camera, intrinsics)

    def _start_epoch(self, advance: Advance) -> None:
        if advance.epoch_started:
            self._assembler.clear()

    def _answers(self, advance: Advance) -> list[TickAnswer]:
        self._since_forgetting += 1
        if not advance.closed and not advance.backwards:
            # While the trigger is silent nothing closes, and the other inputs must not pile up.
            if self._since_forgetting >= _FORGET_EVERY:
                self._since_forgetting = 0
                self._assembler.forget_older_than(self._longest_silence_ns)
            return []
        stepped_back = time_backwards(self._profile.trigger, advance.step_back_ns)
        answers = [self._rejected(tick, stepped_back) for tick in advance.backwards]
        for tick in advance.closed:
            seen = self._assembler.assemble(tick.t0_ns, tick.epoch)
            answers.append(self._rejected(tick, seen) if isinstance(seen, Rejection) else self._answered(tick, seen))
        self._since_forgetting = 0
        keep_from_ns = self._rule.keep_from_ns
        if keep_from_ns is not None:
            self._assembler.forget_before(keep_from_ns)
        return answers

    def _rejected(self, tick: OpenTick, rejection: Rejection) -> TickAnswer:
        return TickAnswer(self._status(tick, rejection.outcome, rejection.text))

    def _answered(self, tick: OpenTick, observation: Observation) -> TickAnswer:
        try:
            reasoned = self._stages.reasoner.reason(observation)
            trajectories = self._stages.planner.plan(observation, reasoned.context)
        except AlpamayoError as error:
            return TickAnswer(self._status(tick, TickOutcome.STAGE_FAILED, str(error), error.error_code))
        return TickAnswer(
            self._status(tick, TickOutcome.ANSWERED, "answered"),
            reasoned.rationale,
            trajectories,
            observation.history,
        )

    def _status(self, tick: OpenTick, outcome: TickOutcome, text: str, error_code: int = 0) -> TickStatus:
        return TickStatus(tick.t0_ns, tick.epoch, self._profile.trigger, outcome, text, error_code)
