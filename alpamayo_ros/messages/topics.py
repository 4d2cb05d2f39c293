"""The one table of topics that this package publishes and takes.

It stands below storage and replay, which name and recognise our outputs without a ROS graph (ADR-0003).
"""

from dataclasses import dataclass

NAMESPACE = "/alpamayo"
"""Namespace of every node unless another is given; ``~`` of an output stands for it, whichever node publishes."""


@dataclass(frozen=True, slots=True)
class OutputTopic:
    """One topic that this package publishes.

    Attributes:
        interface: Name in digests, policies and results; never the resolved topic name.
        name: Topic relative to the namespace of the nodes.
        type_name: Message type.
        nodes: Nodes that publish it.
        qos: Name of the QoS profile of ``ros/qos.py``.
        rate: When it is published, for people.
        recorded: Whether a recorder takes it by default.
        compared: Whether it is part of the output digest and of comparisons.
    """

    interface: str
    name: str
    type_name: str
    nodes: tuple[str, ...]
    qos: str = "output"
    rate: str = "every answered tick"
    recorded: bool = True
    compared: bool = False

    def resolved(self, namespace: str = NAMESPACE) -> str:
        """Return the topic's full name under a namespace."""
        return self.name.replace("~", namespace, 1)


OUTPUT_TOPICS = (
    OutputTopic(
        "lineage", "~/output/lineage", "alpamayo_ros/msg/Lineage", ("lineage",), qos="latched",
        rate="on start, then every second",
    ),
    OutputTopic(
        "tick", "~/output/tick", "alpamayo_ros/msg/TickStatus", ("perception", "reasoning", "planner"),
        qos="ticks", rate="every tick", compared=True,
    ),
    OutputTopic(
        "rationale", "~/output/rationale", "alpamayo_ros/msg/Rationale", ("reasoning",), qos="ticks", compared=True
    ),
    OutputTopic(
        "trajectory_set", "~/output/trajectory_set", "alpamayo_ros/msg/TrajectorySet", ("planner",), qos="ticks",
        compared=True,
    ),
    OutputTopic("path", "~/output/path", "nav_msgs/msg/Path", ("planner",), recorded=False),
    OutputTopic("markers", "~/output/markers", "visualization_msgs/msg/MarkerArray", ("planner",), recorded=False),
    OutputTopic(
        "rationale_markers", "~/output/rationale_markers", "visualization_msgs/msg/MarkerArray", ("reasoning",),
        recorded=False,
    ),
    OutputTopic(
        "observation", "~/output/observation", "alpamayo_ros/msg/SceneObservation", ("perception",),
        rate="every tick with an observation", recorded=False,
    ),
    OutputTopic(
        "plan_context", "~/output/plan_context", "alpamayo_ros/msg/PlanContext", ("reasoning",),
        rate="every tick that was reasoned about", recorded=False,
    ),
    OutputTopic(
        "input_counts", "~/debug/input_counts", "alpamayo_ros/msg/InputCounts", ("perception",), qos="counts",
        rate="every input message, while somebody subscribes", recorded=False,
    ),
)  # fmt: skip


def output_topic(interface: str) -> OutputTopic:
    """Return the row of an interface; KeyError if there is none."""
    for row in OUTPUT_TOPICS:
        if row.interface == interface:
            return row
    raise KeyError(interface)


@dataclass(frozen=True, slots=True)
class InputTopic:
    """One topic that a node takes.

    Attributes:
        name: Topic relative to the node; ``<id>`` stands for each camera of the profile.
        type_names: Message types that will do.
        nodes: Nodes that take it.
        source: Interface of the output that it is connected with by default, empty for what the vehicle brings.
    """

    name: str
    type_names: tuple[str, ...]
    nodes: tuple[str, ...]
    source: str = ""


ODOMETRY_TYPE = "nav_msgs/msg/Odometry"
COMPRESSED_TYPE = "sensor_msgs/msg/CompressedImage"
RAW_TYPE = "sensor_msgs/msg/Image"
CAMERA_INFO_TYPE = "sensor_msgs/msg/CameraInfo"
NAVIGATION_TYPE = "alpamayo_ros/msg/NavigationCommand"

INPUT_TOPICS = (
    InputTopic("~/input/odometry", (ODOMETRY_TYPE,), ("perception",)),
    InputTopic("~/input/camera/<id>", (COMPRESSED_TYPE, RAW_TYPE), ("perception",)),
    InputTopic("~/input/camera/<id>/camera_info", (CAMERA_INFO_TYPE,), ("perception",)),
    InputTopic("~/input/navigation", (NAVIGATION_TYPE,), ("perception",)),
    InputTopic("~/input/observation", ("alpamayo_ros/msg/SceneObservation",), ("reasoning",), "observation"),
    InputTopic("~/input/plan_context", ("alpamayo_ros/msg/PlanContext",), ("planner",), "plan_context"),
    InputTopic("~/input/tick", ("alpamayo_ros/msg/TickStatus",), ("perception", "reasoning", "planner"), "tick"),
    InputTopic(
        "~/input/lineage",
        ("alpamayo_ros/msg/Lineage",),
        ("perception", "reasoning", "planner", "lineage", "recorder"),
        "lineage",
    ),
)
"""What nodes take, without clock, parameters and lifecycle."""
