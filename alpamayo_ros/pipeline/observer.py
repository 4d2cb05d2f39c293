"""Perception of one profile, without ROS: messages in, one observation or rejection per tick out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.perception.detector import ActorDetector
from alpamayo_ros.perception.observation import ObservationAssembler
from alpamayo_ros.pipeline.requested_ticks import RequestedTicks
from alpamayo_ros.pipeline.tick_rule import STEP_BACK_NS, Advance, OpenTick, TickRule, time_backwards
from alpamayo_ros.structs.camera import CameraFrame, CameraIntrinsics, RigCalibration
from alpamayo_ros.structs.camera_health import CameraHealth
from alpamayo_ros.structs.navigation import NavigationCommand
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.tick import Rejection

ODOMETRY = "odometry"
NAVIGATION = "navigation"
"""Ids of inputs; the others are cameras. A navigation command is one of the profiles that take it."""

MAX_STAMP_NS = (2**31 - 1) * 1_000_000_000
"""Largest time that a header can hold."""

_SILENCE_NS = 2_000_000_000
"""A trigger that lags behind the other inputs by more than this, beyond ``max_wait``, finds their past forgotten."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A closed tick with what perception saw at it."""

    tick: OpenTick
    result: Observation | Rejection


def latest_stamp_ns(profile: Profile) -> int:
    """Return the largest usable stamp: t0 plus the declared latency must still fit into a header."""
    return MAX_STAMP_NS - profile.declared_latency_ms * 1_000_000


def make_tick_rule(
    profile: Profile, parameters: PerceptionParams, requested: Sequence[tuple[int, int]] | None = None
) -> TickRule:
    """Return the tick rule of a profile.

    Args:
        profile: Names inputs, trigger and period.
        parameters: Holds ``max_wait_ms``.
        requested: (epoch, t0 in ns) of the ticks to run, instead of those that the trigger gives.
    """
    times = {"period_ns": profile.period_ms * 1_000_000, "max_wait_ns": parameters.max_wait_ms * 1_000_000}
    if requested is None:
        return TickRule(profile.inputs, profile.trigger, **times)
    return RequestedTicks(profile.inputs, profile.trigger, requested, **times)


class Observer:
    """Tick rule and observation of one profile.

    Messages go in one at a time; the ticks that each of them closes come out, with what was seen. The outcome does
    not depend on the arrival order, within the lateness that the tick rule allows. A message whose stamp no header
    could carry is dropped and counted.
    """

    def __init__(
        self,
        profile: Profile,
        parameters: PerceptionParams,
        *,
        calibration: RigCalibration | None = None,
        requested: Sequence[tuple[int, int]] | None = None,
        detector: ActorDetector | None = None,
    ) -> None:
        """Compose tick rule and observation.

        Args:
            profile: Inputs of the model.
            parameters: Parameters of perception.
            calibration: The rig's calibration, for cameras.
            requested: (epoch, t0 in ns) of the ticks to run, instead of those that the trigger gives.
            detector: Says at what size it looks at which cameras.
        """
        self._trigger = profile.trigger
        self._longest_silence_ns = _SILENCE_NS + parameters.max_wait_ms * 1_000_000
        self._latest_ns = latest_stamp_ns(profile)
        self._unusable: Counter[str] = Counter()
        self._navigation = profile.navigation
        self._assembler = ObservationAssembler(profile, parameters, calibration, detector)
        self._rule = make_tick_rule(profile, parameters, requested)

    @property
    def epoch(self) -> int:
        """How often the trigger's clock stepped back by more than 1 s."""
        return self._rule.epoch

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
        """Dropped messages by input: not newer than their topic's last, or with a stamp that no header can carry."""
        return dict(Counter({name: count for name, count in self._rule.dropped.items() if count}) + self._unusable)

    @property
    def newest_ns(self) -> Mapping[str, int]:
        """Newest accepted stamp by input, in the present epoch; an input without one is left out."""
        return self._rule.newest_ns

    @property
    def camera_health(self) -> tuple[CameraHealth, ...]:
        """How well each camera saw when it was last judged; see ``ObservationAssembler.camera_health``."""
        return self._assembler.camera_health

    def feed_odometry(self, sample: OdometrySample) -> list[Seen]:
        """Take one pose of the rig; return the ticks that it closes."""
        advance = self._advance(ODOMETRY, sample.stamp_ns)
        if advance is None:
            return []
        if advance.accepted:
            self._assembler.add_odometry(sample, self._longest_silence_ns)
        return self._seen(advance)

    def feed_frame(self, frame: CameraFrame) -> list[Seen]:
        """Take one picture; return the ticks that it closes."""
        advance = self._advance(frame.camera, frame.stamp_ns)
        if advance is None:
            return []
        if advance.accepted:
            self._assembler.add_frame(frame, self._longest_silence_ns)
        return self._seen(advance)

    def feed_camera_info(self, camera: str, intrinsics: CameraIntrinsics) -> None:
        """Take the intrinsics of a camera."""
        self._assembler.add_camera_info(camera, intrinsics)

    def feed_navigation(self, command: NavigationCommand) -> None:
        """Take a navigation command; a profile without navigation ignores it.

        It has no part in the tick rule, since it may be silent: a tick uses the newest command at or before t0 that
        came before the tick closed. One with a stamp that was there already, or in a new epoch one that is of the old
        one, is dropped and counted.
        """
        if not self._navigation:
            return
        trigger_ns = self._rule.newest_ns.get(self._trigger)
        left_over = self._rule.epoch > 0 and trigger_ns is not None and command.stamp_ns > trigger_ns + STEP_BACK_NS
        usable = 0 <= command.stamp_ns <= self._latest_ns and not left_over
        if not (usable and self._assembler.add_navigation(command)):
            self._unusable[NAVIGATION] += 1

    def _advance(self, input_id: str, stamp_ns: int) -> Advance | None:
        if not 0 <= stamp_ns <= self._latest_ns:
            self._unusable[input_id] += 1
            return None
        advance = self._rule.advance(input_id, stamp_ns)
        if advance.epoch_started:
            self._assembler.clear()
        return advance

    def _seen(self, advance: Advance) -> list[Seen]:
        if not advance.closed and not advance.backwards:
            return []
        stepped_back = time_backwards(self._trigger, advance.step_back_ns)
        seen = [Seen(tick, stepped_back) for tick in advance.backwards]
        seen += [Seen(tick, self._assembler.assemble(tick.t0_ns, tick.epoch)) for tick in advance.closed]
        keep_from_ns = self._rule.keep_from_ns
        if keep_from_ns is not None:
            self._assembler.forget_before(keep_from_ns)
        return seen
