"""The one table of topics that this package publishes.

It stands below storage and replay, which name and recognise our outputs without a ROS graph.
"""

from dataclasses import dataclass

DEFAULT_NODE = "/alpamayo"
"""Fully qualified node name that ``~`` stands for when there is no ROS graph."""


@dataclass(frozen=True, slots=True)
class OutputTopic:
    """One topic that this package publishes.

    Attributes:
        interface: Name in digests, policies and results; never the resolved topic name.
        name: Topic relative to the node.
        type_name: Message type.
        qos: Name of the QoS profile: ``output`` (reliable, volatile, depth 10) or ``latched``
            (reliable, transient local, depth 1).
        rate: When it is published, for people.
        recorded: Whether a recorder takes it by default.
        compared: Whether it is part of the output digest and of comparisons.
    """

    interface: str
    name: str
    type_name: str
    qos: str = "output"
    rate: str = "every answered tick"
    recorded: bool = True
    compared: bool = False

    def resolved(self, node: str = DEFAULT_NODE) -> str:
        """Return the topic's full name under a node."""
        return self.name.replace("~", node, 1)


OUTPUT_TOPICS = (
    OutputTopic("lineage", "~/output/lineage", "alpamayo_ros/msg/Lineage", qos="latched", rate="on start"),
    OutputTopic("tick", "~/output/tick", "alpamayo_ros/msg/TickStatus", rate="every tick", compared=True),
    OutputTopic("rationale", "~/output/rationale", "alpamayo_ros/msg/Rationale", compared=True),
    OutputTopic("trajectory_set", "~/output/trajectory_set", "alpamayo_ros/msg/TrajectorySet", compared=True),
)


def output_topic(interface: str) -> OutputTopic:
    """Return the row of an interface; KeyError if there is none."""
    for row in OUTPUT_TOPICS:
        if row.interface == interface:
            return row
    raise KeyError(interface)
