"""All stages in one process: the same nodes, topics and messages, with structs handed over in memory.

``stack --record --ros-args ...`` adds the recorder; it goes down last, so that its bag holds what the others say last.
"""

import argparse
import sys
from collections.abc import Sequence

from rclpy.utilities import remove_ros_args

from alpamayo_ros.nodes.lineage_node import LineageNode
from alpamayo_ros.nodes.perception_node import PerceptionNode
from alpamayo_ros.nodes.planner_node import PlannerNode
from alpamayo_ros.nodes.reasoning_node import ReasoningNode
from alpamayo_ros.nodes.recorder_node import RecorderNode
from alpamayo_ros.ros.handover import Handover
from alpamayo_ros.ros.lifecycle import ManagedNode
from alpamayo_ros.ros.process import end_process, run_nodes


def make_stack(*, record: bool = False) -> Sequence[ManagedNode]:
    """Make the nodes of the stages, upstream first.

    Args:
        record: Whether the recorder is one of them.
    """
    handover = Handover(in_memory=True)
    stages: list[ManagedNode] = [
        PerceptionNode("perception", handover=handover),
        ReasoningNode("reasoning", handover=handover),
        PlannerNode("planner", handover=handover),
        LineageNode("lineage", handover=handover),
    ]
    return [*stages, RecorderNode("recorder", handover=handover)] if record else stages


def main() -> int:
    """Run the stack."""
    parser = argparse.ArgumentParser(prog="stack", description="Run all stages in one process.")
    parser.add_argument("--record", action="store_true", help="record too, as the parameters of 'recorder' say")
    try:
        own = remove_ros_args(sys.argv)[1:]
    except RuntimeError:  # of rcl; run_nodes says what is wrong with them
        own = []
    given = parser.parse_args(own)
    return run_nodes(lambda: make_stack(record=given.record))


if __name__ == "__main__":
    end_process(main())
