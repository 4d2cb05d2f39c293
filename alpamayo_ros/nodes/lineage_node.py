"""Names what runs: publishes the latched lineage, computed from the real files, and repeats it."""

from alpamayo_ros.monitoring.health import Health, Level
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.ros.classes import graph_translator
from alpamayo_ros.ros.lifecycle import ManagedNode
from alpamayo_ros.ros.outputs import Outputs
from alpamayo_ros.ros.process import end_process, run_nodes
from alpamayo_ros.structs.lineage import Lineage


class LineageNode(ManagedNode):
    """Publishes the lineage."""

    follows = "~/output/tick"
    outputs: Outputs | None = None
    _stamp_ns = 0
    _last_ns = 0

    def set_up(self, stack: StackSetup) -> None:
        """Make the publisher."""
        self.outputs = Outputs(self, self.key, stack.lineage, self.handover)

    def start(self) -> None:
        """Publish the lineage, valid from now on."""
        self._stamp_ns = max(0, self.get_clock().now().nanoseconds)
        self._publish()

    def turn(self) -> None:
        """Repeat the lineage when it is due."""
        if self.now_ns() - self._last_ns >= int(self.parameters.live("heartbeat_ms")) * 1_000_000:
            self._publish()

    def tear_down(self) -> None:
        """Publish nothing more."""
        if self.outputs is not None:
            self.outputs.close()
            self.outputs = None

    def connections(self) -> dict[str, int]:
        """Return the matched endpoints."""
        return self.outputs.connections() if self.outputs is not None else {}

    def health(self) -> Health:
        """Say what is named."""
        if self.stack is None:
            return super().health()
        values = {component.kind: component.digest for component in self.stack.lineage.components}
        return Health(Level.OK, f"active; lineage {self.stack.lineage.lineage_id}", values)

    def _publish(self) -> None:
        if self.stack is None or self.outputs is None:
            return
        self._last_ns = self.now_ns()
        self.outputs.publish("lineage", self.stack.lineage, self._message)

    def _message(self, lineage: Lineage) -> object:
        return graph_translator().lineage(lineage, self._stamp_ns)


def main() -> int:
    """Run the node."""
    return run_nodes(lambda: [LineageNode("lineage")])


if __name__ == "__main__":
    end_process(main())
