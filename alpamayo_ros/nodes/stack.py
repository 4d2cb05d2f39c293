"""All stages in one process: the same nodes, topics and messages, with structs handed over in memory."""

import sys
from collections.abc import Sequence

from alpamayo_ros.nodes.lineage_node import LineageNode
from alpamayo_ros.nodes.perception_node import PerceptionNode
from alpamayo_ros.nodes.planner_node import PlannerNode
from alpamayo_ros.nodes.reasoning_node import ReasoningNode
from alpamayo_ros.ros.handover import Handover
from alpamayo_ros.ros.lifecycle import ManagedNode
from alpamayo_ros.ros.process import run_nodes


def make_stack() -> Sequence[ManagedNode]:
    """Make the nodes of the stages, upstream first."""
    handover = Handover(in_memory=True)
    return [
        PerceptionNode("perception", handover=handover),
        ReasoningNode("reasoning", handover=handover),
        PlannerNode("planner", handover=handover),
        LineageNode("lineage", handover=handover),
    ]


def main() -> int:
    """Run the stack."""
    return run_nodes(make_stack)


if __name__ == "__main__":
    sys.exit(main())
