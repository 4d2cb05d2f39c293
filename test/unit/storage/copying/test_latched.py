"""What holds at a time in a bag is what a late subscriber would have got."""

from collections.abc import Callable
from pathlib import Path

import pytest

from alpamayo_ros.errors import BagError
from alpamayo_ros.storage.copying import latched as latched
from alpamayo_ros.storage.copying.latched import is_latched, latched_before
from alpamayo_ros.storage.message import TopicInfo
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS
from alpamayo_ros.storage.reader import open_bag

MakeBag = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "type_name", "qos", "holds"),
    [
        ("/tf_static", "tf2_msgs/msg/TFMessage", OUTPUT_QOS, True),
        ("/robot/tf_static", "tf2_msgs/msg/TFMessage", OUTPUT_QOS, True),
        ("/robot_description", "std_msgs/msg/String", OUTPUT_QOS, True),
        ("/any", "alpamayo_ros/msg/Lineage", OUTPUT_QOS, True),
        ("/map", "nav_msgs/msg/OccupancyGrid", LATCHED_QOS, True),
        ("/map", "nav_msgs/msg/OccupancyGrid", OUTPUT_QOS, False),
        ("/clock", "rosgraph_msgs/msg/Clock", OUTPUT_QOS, False),
        ("/rosout", "rcl_interfaces/msg/Log", LATCHED_QOS, False),
        ("/events/write_split", "rosbag2_interfaces/msg/WriteSplitEvent", LATCHED_QOS, False),
    ],
)
def test_latched_is_what_is_static_or_offered_so_but_no_log(
    name: str, type_name: str, qos: object, holds: bool
) -> None:
    assert is_latched(TopicInfo(name, type_name, offered_qos=(qos,))) is holds  # type: ignore[arg-type]


def test_nothing_holds_before_the_first_message(make_bag: MakeBag) -> None:
    with open_bag(make_bag("bag", [("/tf_static", 10, b"a")])) as reader:
        assert latched_before(reader, 10) == []
        assert latched_before(reader, 0) == []
        assert [message.payload for message in latched_before(reader, 11)] == [b"a"]
    with open_bag(make_bag("empty", [])) as reader:
        assert latched_before(reader, 10) == []


def test_transforms_that_cannot_be_read_are_told_apart_by_their_bytes(make_bag: MakeBag) -> None:
    rows = [("/tf_static", number, payload) for number, payload in enumerate((b"a", b"b", b"a", b"c"))]
    with open_bag(make_bag("bag", rows)) as reader:
        found = [(message.receive_ns, message.payload) for message in latched_before(reader, 99)]
    assert found == [(1, b"b"), (2, b"a"), (3, b"c")]


def test_the_last_message_is_found_however_long_ago_it_was(make_drive: Callable[..., Path]) -> None:
    with open_bag(make_drive()) as reader:
        assert reader.start_ns is not None
        found = {message.topic: message.payload for message in latched_before(reader, reader.start_ns + 10**18)}
    assert (found["/map"], found["/robot_description"]) == (b"map", b"new")


def test_more_latched_messages_than_any_drive_has_are_refused(
    make_bag: MakeBag, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latched, "MAX_LATCHED", 5)
    rows = [("/tf_static", number, b"%d" % number) for number in range(7)]
    with open_bag(make_bag("bag", rows)) as reader, pytest.raises(BagError, match="more than 5 latched messages"):
        latched_before(reader, 99)
