"""The base of the nodes that run a stage: take a struct, run the stage in the worker, publish, report."""

import traceback
from typing import Any, ClassVar

from alpamayo_ros.errors import AlpamayoError, BackendError
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.messages.translator import stamp_ns
from alpamayo_ros.monitoring.health import Health, Level
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.tick_status import stage_failed
from alpamayo_ros.ros.classes import generated_class, graph_translator
from alpamayo_ros.ros.inputs import matched_publishers
from alpamayo_ros.ros.lifecycle import ManagedNode
from alpamayo_ros.ros.outputs import Outputs
from alpamayo_ros.ros.qos import qos_profile
from alpamayo_ros.structs.tick import TickStatus


class StageNode(ManagedNode):
    """Runs one stage on every struct of one interface, one after the other.

    A subclass names the interface that it takes and fills ``load``, ``convert`` and ``run_stage``.
    """

    taken: ClassVar[str]
    outputs: Outputs | None = None
    trigger = ""
    _subscription: Any = None
    _running = False
    _done = 0
    _failed = 0
    _last_failure = ""
    _since_ns = 0
    _busy_t0_ns: int | None = None

    def load(self, stack: StackSetup) -> None:
        """Load the engine of the stage."""
        raise NotImplementedError

    def convert(self, message: Any) -> Any:
        """Return the struct of a message that came from another process; ValueError if it is not well formed."""
        raise NotImplementedError

    def run_stage(self, struct: Any) -> None:
        """Run the stage and publish what comes out; an error becomes the status of the tick."""
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
        self._running = True
        if self.handover.in_memory:
            self.handover.receive(self.taken, self._take)
            return
        row = output_topic(self.taken)
        self._subscription = self.create_subscription(
            generated_class(row.type_name), f"~/input/{self.taken}", self._on_message, qos_profile(row.qos)
        )

    def stop(self) -> None:
        """Take nothing more."""
        self._running = False
        self.handover.forget(self.taken, self._take)
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None

    def tear_down(self) -> None:
        """Publish nothing more."""
        if self.outputs is not None:
            self.outputs.close()
            self.outputs = None

    def publish_status(self, status: TickStatus) -> None:
        """Publish what became of a tick."""
        if self.outputs is not None:
            self.outputs.publish("tick", status, graph_translator().tick)

    def connections(self) -> dict[str, int]:
        """Return the matched endpoints."""
        found = self.outputs.connections() if self.outputs is not None else {}
        if self._subscription is not None:
            found[f"~/input/{self.taken}"] = matched_publishers(self, self._subscription)
        return found

    def health(self) -> Health:
        """Say what the stage does."""
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

    def _take(self, struct: Any) -> None:
        self.handover.worker.submit(lambda: self._work(struct))

    def _work(self, struct: Any) -> None:
        if not self._running:
            return
        self._since_ns = self.now_ns()
        self._busy_t0_ns = struct.t0_ns
        try:
            self.run_stage(struct)
        except Exception as error:  # noqa: BLE001 - every tick gets its status, whatever its stage raised
            if not isinstance(error, AlpamayoError):
                self.get_logger().error(traceback.format_exc())
            self._fail_tick(struct.t0_ns, struct.epoch, error)
        else:
            self._done += 1
            self._last_failure = ""
        finally:
            self._busy_t0_ns = None

    def _fail_tick(self, t0_ns: int, epoch: int, error: Exception) -> None:
        self._failed += 1
        self._last_failure = str(error)
        self.publish_status(stage_failed(t0_ns, epoch, self.trigger, error))
