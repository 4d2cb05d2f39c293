"""From the context of a plan to a trajectory set, and the views of it."""

import sys
from typing import Any

from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.messages.stage_translator import plan_context_struct
from alpamayo_ros.messages.views import Views
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.tick_status import answered
from alpamayo_ros.planning.planner import Planner
from alpamayo_ros.ros.classes import generated_class, graph_translator
from alpamayo_ros.ros.process import run_nodes
from alpamayo_ros.ros.stage import StageNode
from alpamayo_ros.structs.plan import PlanContext


class PlannerNode(StageNode):
    """Runs the planning stage on every plan context."""

    taken = "plan_context"
    follows = "~/input/plan_context"
    _planner: Planner | None = None

    def load(self, stack: StackSetup) -> None:
        """Load the engine."""
        session = open_session(stack.profile.backend, stack.profile.stages["plan"])
        session.warm_up()
        self._planner = Planner(stack.profile, stack.parameters.planner, session)
        self._views = Views(generated_class)

    def convert(self, message: Any) -> PlanContext:
        """Return the struct of a message."""
        return plan_context_struct(message)

    def run_stage(self, context: PlanContext) -> None:
        """Plan once; the status of the tick comes last, so that it says that the outputs are there."""
        outputs, planner = self.outputs, self._planner
        if outputs is None or planner is None:
            return
        trajectories = planner.plan(context)
        outputs.publish("trajectory_set", trajectories, graph_translator().trajectory_set)
        outputs.publish("path", trajectories, self._views.path, lazily=True)
        outputs.publish("markers", trajectories, self._views.markers, lazily=True)
        self.publish_status(answered(context.t0_ns, context.epoch, self.trigger))


def main() -> int:
    """Run the node."""
    return run_nodes(lambda: [PlannerNode("planner")])


if __name__ == "__main__":
    sys.exit(main())
