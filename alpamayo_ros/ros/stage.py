"""The base of the nodes that run a stage: take a struct, run the stage in the worker, publish, report."""

import threading
import traceback
from collections import deque
from typing import Any, ClassVar

from rclpy.context import Context

from alpamayo_ros.errors import AlpamayoError, BackendError
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.messages.translator import stamp_ns, tick_struct
from alpamayo_ros.monitoring.health import Health, Level, with_worker
from alpamayo_ros.pipeline.dispatch import Key, key_of
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.tick_status import stage_failed
from alpamayo_ros.ros.classes import generated_class, graph_translator
from alpamayo_ros.ros.handover import Handover
from alpamayo_ros.ros.inputs import matched_publishers
from alpamayo_ros.ros.lifecycle import ManagedNode
from alpamayo_ros.ros.outputs import Outputs
from alpamayo_ros.ros.qos import qos_profile
from alpamayo_ros.structs.tick import TickOutcome, TickStatus
from alpamayo_ros.structs.worker_state import WorkerState

DRAIN_S = 60.0
"""Longest wait for a stage that runs while its node is stopped."""

_REMEMBERED = 64
"""Ticks that are remembered as given up."""


class StageNode(ManagedNode):
    """Runs one stage on every struct of one interface, one after the other.

    A subclass names the interface that it takes and fills ``load``, ``unload``, ``worker_state``, ``convert``,
    ``compute`` and ``publish_result``.

    A tick that perception has given up gets no second outcome: its result is thrown away. Of structs that come while
    the stage is busy only the newest waits, since perception sends one only after it has given up the one before.
    """

    taken: ClassVar[str]
    outputs: Outputs | None = None
    trigger = ""
    _running = False
    _done = 0
    _failed = 0
    _last_failure = ""
    _since_ns = 0
    _busy_t0_ns: int | None = None

    def __init__(self, key: str, *, context: Context | None = None, handover: Handover | None = None) -> None:
        """Declare parameters and begin to report; see ``ManagedNode``."""
        self._subscriptions_of: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._waiting: Any = None
        self._given_up: deque[Key] = deque(maxlen=_REMEMBERED)
        super().__init__(key, context=context, handover=handover)

    def load(self, stack: StackSetup) -> None:
        """Load the engine of the stage."""
        raise NotImplementedError

    def unload(self) -> None:
        """Release what ``load`` made, if it did."""
        raise NotImplementedError

    def worker_state(self) -> WorkerState | None:
        """Return how the engine's own process is, None if it runs in this one or is not loaded."""
        raise NotImplementedError

    def convert(self, message: Any) -> Any:
        """Return the struct of a message that came from another process; ValueError if it is not well formed."""
        raise NotImplementedError

    def compute(self, struct: Any) -> Any:
        """Run the stage; an error becomes the status of the tick."""
        raise NotImplementedError

    def publish_result(self, outputs: Outputs, struct: Any, result: Any) -> None:
        """Publish what ``compute`` returned; an error becomes the status of the tick."""
        raise NotImplementedError

    def set_up(self, stack: StackSetup) -> None:
        """Load the engine and make the publishers."""
        self.trigger = stack.profile.trigger
        self.load(stack)
        self.outputs = Outputs(self, self.key, stack.lineage, self.handover)

    def start(self) -> None:
        """Take what the stage before gives."""
        self._done = self._failed = 0
        self._last_failure = ""
        self._waiting = None
        self._given_up.clear()
        self._running = True
        if self.handover.in_memory:
            self.handover.receive(self.taken, self._take)
            self.handover.receive("tick", self._on_status)
            return
        for interface, callback in ((self.taken, self._on_message), ("tick", self._on_tick)):
            row = output_topic(interface)
            self._subscriptions_of[interface] = self.create_subscription(
                generated_class(row.type_name), f"~/input/{interface}", callback, qos_profile(row.qos)
            )

    def stop(self) -> None:
        """Take nothing more, and let the tick in work end with its outcome."""
        self._running = False
        self.handover.forget(self.taken, self._take)
        self.handover.forget("tick", self._on_status)
        for subscription in self._subscriptions_of.values():
            self.destroy_subscription(subscription)
        self._subscriptions_of.clear()
        if not self.handover.worker.flush(DRAIN_S):
            self.get_logger().error(f"the stage still runs {DRAIN_S:.0f} s after its node was stopped")

    def tear_down(self) -> None:
        """Publish nothing more, and release the engine."""
        if self.outputs is not None:
            self.outputs.close()
            self.outputs = None
        self.unload()

    def publish_status(self, status: TickStatus) -> None:
        """Publish what became of a tick."""
        if self.outputs is not None:
            self.outputs.publish("tick", status, graph_translator().tick)

    def connections(self) -> dict[str, int]:
        """Return the matched endpoints."""
        found = self.outputs.connections() if self.outputs is not None else {}
        for interface, subscription in self._subscriptions_of.items():
            found[f"~/input/{interface}"] = matched_publishers(self, subscription)
        return found

    def health(self) -> Health:
        """Say what the stage does."""
        return with_worker(self._stage_health(), self.worker_state())

    def _stage_health(self) -> Health:
        values = {"done": str(self._done), "failed": str(self._failed), "last failure": self._last_failure or "none"}
        busy_t0_ns = self._busy_t0_ns
        if busy_t0_ns is not None and self.now_ns() - self._since_ns > 1_000_000_000:
            seconds = (self.now_ns() - self._since_ns) / 1e9
            return Health(Level.WARN, f"busy with t0 {busy_t0_ns} ns for {seconds:.1f} s", values)
        if self._last_failure:
            return Health(Level.ERROR, f"the last {self.taken} failed: {self._last_failure}", values)
        if not self._done:
            return Health(Level.OK, f"active; no {self.taken} has come yet", values)
        return Health(Level.OK, f"active; {self._done} done", values)

    def _on_message(self, message: Any) -> None:
        try:
            struct = self.convert(message)
        except ValueError as error:
            self._fail_tick(
                stamp_ns(message.header.stamp),
                int(message.epoch),
                BackendError(f"{self.taken} is not well formed: {error}"),
            )
            return
        self._take(struct)

    def _on_tick(self, message: Any) -> None:
        self._on_status(tick_struct(message))

    def _on_status(self, status: TickStatus) -> None:
        if status.outcome is TickOutcome.STAGE_FAILED:
            self._given_up.append(key_of(status))

    def _take(self, struct: Any) -> None:
        with self._lock:
            overtaken, self._waiting = self._waiting, struct
        if overtaken is None:
            self.handover.worker.submit(self._work_on_waiting)

    def _work_on_waiting(self) -> None:
        with self._lock:
            struct, self._waiting = self._waiting, None
        if struct is not None and key_of(struct) not in self._given_up:
            self._work(struct)

    def _work(self, struct: Any) -> None:
        self._since_ns = self.now_ns()
        self._busy_t0_ns = struct.t0_ns
        try:
            outputs = self._usable_outputs()
            result = self.compute(struct)
            if key_of(struct) not in self._given_up:
                self.publish_result(outputs, struct, result)
        except Exception as error:  # noqa: BLE001 - every tick gets its status, whatever its stage raised
            if not isinstance(error, AlpamayoError):
                self.get_logger().error(traceback.format_exc())
            if key_of(struct) not in self._given_up:
                self._fail_tick(struct.t0_ns, struct.epoch, error)
        else:
            self._done += 1
            self._last_failure = ""
        finally:
            self._busy_t0_ns = None

    def _usable_outputs(self) -> Outputs:
        if self.outputs is None or not self._running:
            raise BackendError(f"{self.key} was taken down before it began")
        return self.outputs

    def _fail_tick(self, t0_ns: int, epoch: int, error: Exception) -> None:
        self._failed += 1
        self._last_failure = str(error)
        self.publish_status(stage_failed(t0_ns, epoch, self.trigger, error))
