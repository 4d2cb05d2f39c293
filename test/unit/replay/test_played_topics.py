"""Which topics of a bag are played: its inputs, or what is asked for."""

import pytest

from alpamayo_ros.errors import TopicError
from alpamayo_ros.replay.played_topics import played_topics
from alpamayo_ros.storage.message import TopicInfo

TYPES = {
    "/odometry": "nav_msgs/msg/Odometry",
    "/tf_static": "tf2_msgs/msg/TFMessage",
    "/clock": "rosgraph_msgs/msg/Clock",
    "/alpamayo/output/tick": "alpamayo_ros/msg/TickStatus",
    "/alpamayo/output/path": "nav_msgs/msg/Path",
    "/route": "nav_msgs/msg/Path",
    "/rosout": "rcl_interfaces/msg/Log",
    "/parameter_events": "rcl_interfaces/msg/ParameterEvent",
    "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
    "/events/write_split": "rosbag2_interfaces/msg/WriteSplitEvent",
}
TOPICS = {name: TopicInfo(name, type_name) for name, type_name in TYPES.items()}


def test_the_inputs_are_played_without_outputs_clock_and_logs() -> None:
    assert played_topics(TOPICS) == ["/odometry", "/route", "/tf_static"]


def test_own_outputs_are_played_when_asked_for() -> None:
    outputs = ["/alpamayo/output/path", "/alpamayo/output/tick"]
    assert played_topics(TOPICS, outputs=True) == [*outputs, "/odometry", "/route", "/tf_static"]


def test_what_is_named_is_played_whatever_it_is() -> None:
    assert played_topics(TOPICS, ["/rosout", "/clock", "/rosout"], outputs=True) == ["/clock", "/rosout"]


def test_a_name_that_is_not_in_the_bag_is_refused() -> None:
    with pytest.raises(TopicError, match="topics: topic '/odom' is not known; expected one of: /alpamayo"):
        played_topics(TOPICS, ["/odom"])
