"""From the context of a plan to a trajectory set, and the views of it."""

from typing import Any

from alpamayo_ros.messages.stage_translator import plan_context_struct
from alpamayo_ros.messages.views import Views
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.stages import load_planner
from alpamayo_ros.pipeline.tick_status import answered
from alpamayo_ros.planning.planner import Planner
from alpamayo_ros.ros.classes import generated_class, graph_translator
from alpamayo_ros.ros.outputs import Outputs
from alpamayo_ros.ros.process import end_process, run_nodes
from alpamayo_ros.ros.stage import StageNode
from alpamayo_ros.structs.plan import PlanContext
from alpamayo_ros.structs.trajectory import TrajectorySet
from alpamayo_ros.structs.worker_state import WorkerState


class PlannerNode(StageNode):
    """Runs the planning stage on every plan context."""

    taken = "plan_context"
    follows = "~/input/plan_context"
    _planner: Planner | None = None

    def load(self, stack: StackSetup) -> None:
        """Load the engine."""
        self._planner = load_planner(stack.profile, stack.parameters, stack.model)
        self._views = Views(generated_class)

    def unload(self) -> None:
        """Release the engine."""
        if self._planner is not None:
            self._planner.close()
            self._planner = None

    def worker_state(self) -> WorkerState | None:
        """Return how the engine's own process is."""
        return None if self._planner is None else self._planner.worker_state()

    def convert(self, message: Any) -> PlanContext:
        """Return the struct of a message."""
        return plan_context_struct(message)

    def compute(self, struct: PlanContext) -> TrajectorySet:
        """Plan once."""
        assert self._planner is not None  # noqa: S101 - loaded as long as the node is active
        return self._planner.plan(struct)

    def publish_result(self, outputs: Outputs, struct: PlanContext, result: TrajectorySet) -> None:
        """Publish the trajectories; the status of the tick comes last, so that it says that the outputs are there."""
        outputs.publish("trajectory_set", result, graph_translator().trajectory_set)
        outputs.publish("path", result, self._views.path, lazily=True)
        outputs.publish("markers", result, self._views.markers, lazily=True)
        self.publish_status(answered(struct.t0_ns, struct.epoch, self.trigger))


def main() -> int:
    """Run the node."""
    return run_nodes(lambda: [PlannerNode("planner")])


if __name__ == "__main__":
    end_process(main())
