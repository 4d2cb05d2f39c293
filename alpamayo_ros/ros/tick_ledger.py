"""What perception knows of its ticks and inputs: counts, the tick in work, and who is next."""

import threading
from collections.abc import Callable, Mapping, Sequence

from alpamayo_ros.errors import BackendError
from alpamayo_ros.monitoring.health import InputHealth, PerceptionFacts
from alpamayo_ros.perception.detector import ActorDetector
from alpamayo_ros.pipeline.dispatch import Decision, Dispatch, Key, key_of
from alpamayo_ros.pipeline.observer import NAVIGATION, ODOMETRY, Observer, Seen
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.tick_status import skipped_at_end, stage_failed
from alpamayo_ros.structs.input_counts import InputCounts
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.tick import TickOutcome, TickStatus


class TickLedger:
    """Owns the observer and the dispatch of one activation; safe for the executor's and the stages' thread."""

    def __init__(
        self,
        stack: StackSetup,
        requested: Sequence[tuple[int, int]] | None,
        now_ns: Callable[[], int],
        detector: ActorDetector | None = None,
    ) -> None:
        """Begin with nothing seen.

        Args:
            stack: What runs.
            requested: (epoch, t0 in ns) of the ticks to answer, None for those that the trigger gives.
            now_ns: Steady time, for time-outs.
            detector: Says at what size it looks at which cameras.
        """
        parameters = stack.parameters.perception
        self.trigger = stack.profile.trigger
        self.observer = Observer(
            stack.profile, parameters, calibration=stack.calibration, requested=requested, detector=detector
        )
        self._dispatch = Dispatch(self.trigger, skip_when_busy=parameters.skip_when_busy)
        self._answer_timeout_ns = parameters.answer_timeout_ms * 1_000_000
        self._now_ns = now_ns
        self._lock = threading.Lock()
        cameras = [camera.id for camera in stack.profile.cameras]
        navigation = [NAVIGATION] if stack.profile.navigation else []
        names = [ODOMETRY, *navigation, *cameras, *(f"{camera}/camera_info" for camera in cameras)]
        self._received = dict.fromkeys(names, 0)
        self._unusable = dict.fromkeys(names, 0)
        self._last_closed_ns = -1
        self._busy_since_ns = 0
        self._closed = self._answered = self._skipped = self._rejected_in_a_row = 0
        self._last_rejection = ""
        self.traffic: Mapping[str, int] | None = None if detector is None else {}

    def count(self, name: str, closed: Sequence[Seen]) -> None:
        """Count a message of an input and the ticks that it closed."""
        self._received[name] += 1
        if closed:
            self._closed += len(closed)
            self._last_closed_ns = closed[-1].tick.t0_ns

    def count_unusable(self, name: str) -> None:
        """Count a message that could not be used."""
        self._received[name] += 1
        self._unusable[name] += 1

    def note(self, status: TickStatus) -> None:
        """Remember what became of a tick, for diagnostics."""
        with self._lock:
            self._note(status)

    def offer(self, observation: Observation) -> Decision:
        """Take the observation of a closed tick; see ``Dispatch.offer``."""
        with self._lock:
            decision = self._dispatch.offer(observation)
            self._skipped += len(decision.skipped)
            return self._started(decision)

    def finish(self, status: TickStatus) -> Decision:
        """Take the status of a tick that the stages are done with; see ``Dispatch.finish``."""
        with self._lock:
            if key_of(status) != self._dispatch.busy_with:
                return Decision()
            self._note(status)
            return self._started(self._dispatch.finish(key_of(status)))

    def in_work(self, key: Key) -> bool:
        """Whether the stages work on a tick, and nobody has given it up."""
        with self._lock:
            return key == self._dispatch.busy_with

    def abandon(self) -> tuple[TickStatus, ...]:
        """Return what becomes of the ticks that still wait when perception is taken down."""
        with self._lock:
            waiting = self._dispatch.abandon()
        return tuple(skipped_at_end(old.t0_ns, old.epoch, self.trigger) for old in waiting)

    def overdue(self) -> TickStatus | None:
        """Return the status of the tick in work if nobody has answered it in time."""
        with self._lock:
            busy, waited_ns = self._dispatch.busy_with, self._now_ns() - self._busy_since_ns
            if busy is None or not self._answer_timeout_ns or waited_ns <= self._answer_timeout_ns:
                return None
        text = (
            f"no answer within {self._answer_timeout_ns // 1_000_000} ms; expected one of reasoning or planner: is it "
            "active, and does it still run"
        )
        return self.failed(busy, text)

    def failed(self, key: Key, text: str) -> TickStatus:
        """Return the status of a tick that no stage took or answered."""
        return stage_failed(key[1], key[0], self.trigger, BackendError(text))

    def input_counts(self) -> InputCounts:
        """Return what every input has brought."""
        dropped, newest_ns = self.observer.dropped, self.observer.newest_ns
        names = tuple(self._received)
        return InputCounts(
            epoch=self.observer.epoch,
            inputs=names,
            received=tuple(self._received.values()),
            dropped=tuple(dropped.get(name, 0) + self._unusable[name] for name in names),
            newest_stamp_ns=tuple(newest_ns.get(name, -1) for name in names),
            last_closed_ns=self._last_closed_ns,
        )

    def facts(self, inputs: Sequence[InputHealth]) -> PerceptionFacts:
        """Return what diagnostics are made of."""
        with self._lock:
            busy = self._dispatch.busy_with
            return PerceptionFacts(
                inputs=inputs,
                closed=self._closed,
                answered=self._answered,
                last_rejection=self._last_rejection,
                rejected_in_a_row=self._rejected_in_a_row,
                busy_ns=None if busy is None else self._now_ns() - self._busy_since_ns,
                busy_text="" if busy is None else f"t0 {busy[1]} ns",
                skipped=self._skipped,
                cameras=self.observer.camera_health,
                traffic=self.traffic,
            )

    def _started(self, decision: Decision) -> Decision:
        if decision.send is not None:
            self._busy_since_ns = self._now_ns()
        return decision

    def _note(self, status: TickStatus) -> None:
        if status.outcome is TickOutcome.ANSWERED:
            self._answered += 1
            self._rejected_in_a_row = 0
            self._last_rejection = ""
        else:
            self._rejected_in_a_row += 1
            self._last_rejection = status.text
