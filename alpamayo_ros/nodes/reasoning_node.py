"""From an observation to a rationale and the context of the plan."""

from typing import Any

from alpamayo_ros.errors import BackendError
from alpamayo_ros.messages.stage_translator import observation_struct
from alpamayo_ros.messages.views import Views
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.stages import load_reasoner
from alpamayo_ros.reasoning.reasoned import Reasoned
from alpamayo_ros.reasoning.reasoner import Reasoner
from alpamayo_ros.ros.classes import generated_class, graph_translator
from alpamayo_ros.ros.outputs import Outputs
from alpamayo_ros.ros.process import end_process, run_nodes
from alpamayo_ros.ros.stage import StageNode
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.worker_state import WorkerState


class ReasoningNode(StageNode):
    """Runs the reasoning stage on every observation."""

    taken = "observation"
    follows = "~/input/observation"
    _reasoner: Reasoner | None = None

    def load(self, stack: StackSetup) -> None:
        """Load the engine."""
        self._reasoner = load_reasoner(stack.profile, stack.parameters, stack.model)
        self._views = Views(generated_class)

    def unload(self) -> None:
        """Release the engine."""
        if self._reasoner is not None:
            self._reasoner.close()
            self._reasoner = None

    def worker_state(self) -> WorkerState | None:
        """Return how the engine's own process is."""
        return None if self._reasoner is None else self._reasoner.worker_state()

    def convert(self, message: Any) -> Observation:
        """Return the struct of a message."""
        return observation_struct(message)

    def compute(self, struct: Observation) -> Reasoned:
        """Reason about one observation."""
        assert self._reasoner is not None  # noqa: S101 - loaded as long as the node is active
        return self._reasoner.reason(struct)

    def publish_result(self, outputs: Outputs, struct: Observation, result: Reasoned) -> None:  # noqa: ARG002
        """Publish the rationale, and hand the context to planning."""
        translator = graph_translator()
        outputs.publish("rationale", result.rationale, translator.rationale)
        outputs.publish("rationale_markers", result.rationale, self._views.rationale_markers, lazily=True)
        if not outputs.has_taker("plan_context"):
            raise BackendError(
                f"nobody takes {outputs.topic('plan_context')}; expected an active planner in this namespace"
            )
        outputs.publish("plan_context", result.context, translator.plan_context, lazily=True)


def main() -> int:
    """Run the node."""
    return run_nodes(lambda: [ReasoningNode("reasoning")])


if __name__ == "__main__":
    end_process(main())
