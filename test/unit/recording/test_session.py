"""A bag that is valid whatever happens, and an account of everything that is not in it."""

import errno
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rosbags.rosbag2 import Reader

from alpamayo_ros.errors import BagWriteError, ConfigurationError, OutputError, TopicError
from alpamayo_ros.messages.typestore import type_hash
from alpamayo_ros.recording.definitions import DefinitionSource
from alpamayo_ros.recording.lineage_message import LINEAGE_TYPE, lineage_of, lineage_payload
from alpamayo_ros.recording.session import MAX_WARNINGS, RecordingSession
from alpamayo_ros.recording.status import RecordingState, RecordingStatus, TopicStatus
from alpamayo_ros.storage.identity import verify_identity
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS, SENSOR_QOS
from alpamayo_ros.storage.reader import BagMessage, open_bag
from alpamayo_ros.structs.lineage import Lineage

OPENED_NS = 1_000_000
OWN_TOPIC = "/alpamayo/output/lineage"
STRING = "std_msgs/msg/String"
OTHER_HASH = f"RIHS01_{'1' * 64}"

Opener = Callable[..., RecordingSession]


@pytest.fixture
def opened(tmp_path: Path, lineage: Lineage) -> Iterator[Opener]:
    """Open a session with some lineage at ``bag``; it is closed at the end."""
    sessions = []

    def open_session(**options: Any) -> RecordingSession:
        path = options.pop("path", tmp_path / "bag")
        session = RecordingSession(path, **{"lineage": lineage, "opened_ns": OPENED_NS, **options})
        sessions.append(session)
        return session

    yield open_session
    for session in sessions:
        session.close()


def topic_of(status: RecordingStatus, name: str) -> TopicStatus:
    (topic,) = [topic for topic in status.topics if topic.name == name]
    return topic


def messages_of(path: Path) -> list[BagMessage]:
    with open_bag(path) as reader:
        assert reader.warnings == ()
        return list(reader.messages())


def test_a_bag_of_nothing_still_names_its_lineage_in_all_places(opened: Opener, lineage: Lineage) -> None:
    status = opened(tags={"route": "7"}).close()
    assert (status.state, status.messages, status.reason) == (RecordingState.CLOSED, 1, "")
    report = verify_identity(status.path)
    assert report.disagreements == ()
    assert (report.lineage_id, report.envelope_id, report.state) == (lineage.lineage_id, "none", "closed")
    assert report.tags == {"route": "7"}
    (message,) = messages_of(status.path)
    assert (message.topic, message.receive_ns) == (OWN_TOPIC, OPENED_NS)
    assert lineage_of(message.payload) == lineage


def test_the_lineage_comes_first_at_the_time_of_the_first_message(opened: Opener) -> None:
    """A recorder that follows /clock opens at time 0; the bag must not begin decades before its messages."""
    session = opened(opened_ns=0)
    session.add_topic("/a", STRING)
    assert session.write("/a", b"1", receive_ns=10**18, publish_ns=10**18 - 5)
    assert session.write("/a", b"2", receive_ns=10**18 + 1)
    rows = [(message.topic, message.receive_ns) for message in messages_of(session.close().path)]
    assert rows == [(OWN_TOPIC, 10**18), ("/a", 10**18), ("/a", 10**18 + 1)]


def test_a_graph_that_publishes_its_lineage_gives_the_bag_one_lineage_topic(opened: Opener, lineage: Lineage) -> None:
    session = opened(lineage_topic="/vla/lineage")
    assert session.add_topic("/vla/lineage", LINEAGE_TYPE, (replace(LATCHED_QOS, history="unknown", depth=0),))
    assert session.write("/vla/lineage", lineage_payload(lineage, 3), receive_ns=4)
    status = session.close()
    assert status.warnings == ()
    assert [(message.topic, message.receive_ns) for message in messages_of(status.path)] == [("/vla/lineage", 4)] * 2
    assert verify_identity(status.path).disagreements == ()


def test_a_recording_without_a_model_says_none_and_latches_nothing(opened: Opener) -> None:
    session = opened(lineage=None)
    session.add_topic("/a", STRING)
    session.write("/a", b"1", receive_ns=5)
    status = session.close()
    assert [message.topic for message in messages_of(status.path)] == ["/a"]
    report = verify_identity(status.path)
    assert (report.lineage_id, report.disagreements) == ("none", ())


def test_a_lineage_of_another_system_is_said_at_once(opened: Opener, lineage: Lineage) -> None:
    session = opened(lineage=None)
    session.add_topic("/vla/lineage", LINEAGE_TYPE)
    for _ in range(3):
        assert session.write("/vla/lineage", lineage_payload(lineage, 3), receive_ns=4)
    (warning,) = session.status().warnings
    assert f"names the lineage {lineage.lineage_id}, but the bag is written as none" in warning
    assert verify_identity(session.close().path).disagreements != ()


def test_a_damaged_lineage_is_recorded_and_said(opened: Opener) -> None:
    session = opened()
    session.add_topic("/vla/lineage", LINEAGE_TYPE)
    assert session.write("/vla/lineage", b"\xff", receive_ns=4)
    assert "topic /vla/lineage: a Lineage message cannot be read" in session.status().warnings[0]


def test_topics_messages_and_bytes_are_counted(opened: Opener) -> None:
    session = opened(lineage=None)
    session.add_topic("/a", STRING)
    session.add_topic("/b", STRING)
    for number in range(5):
        session.write("/a", b"x" * number, receive_ns=10 + number)
    status = session.status()
    assert topic_of(status, "/a") == TopicStatus("/a", STRING, messages=5, payload_bytes=10)
    assert topic_of(status, "/b") == TopicStatus("/b", STRING)
    assert (status.messages, status.payload_bytes, status.lost, status.refused) == (5, 10, 0, 0)
    assert (status.state, status.last_receive_ns, status.steps_back) == (RecordingState.RECORDING, 14, 0)
    assert session.close().state is RecordingState.CLOSED


def test_the_bag_states_what_was_offered_and_what_the_type_is(opened: Opener) -> None:
    session = opened()
    session.add_topic("/a", STRING, (SENSOR_QOS, OUTPUT_QOS, SENSOR_QOS))
    (warning,) = session.status().warnings
    assert "1 of 3 publishers are reliable" in warning
    with open_bag(session.close().path) as reader:
        assert reader.topics["/a"].offered_qos == (SENSOR_QOS, OUTPUT_QOS)
        assert reader.topics["/a"].type_hash == type_hash(STRING)
        assert reader.topics[OWN_TOPIC].offered_qos == (LATCHED_QOS,)


def test_a_publisher_that_comes_later_changes_nothing_in_the_bag(opened: Opener) -> None:
    session = opened()
    assert session.add_topic("/a", STRING, (OUTPUT_QOS,))
    assert session.add_topic("/a", STRING, (OUTPUT_QOS, SENSOR_QOS))
    assert len(session.status().warnings) == 1
    with open_bag(session.close().path) as reader:
        assert reader.topics["/a"].offered_qos == (OUTPUT_QOS,)


@pytest.mark.parametrize("publish_ns", [None, 0, -1, -(2**63), 2**63, 2**64])
def test_an_unknown_publish_time_becomes_the_receive_time(opened: Opener, publish_ns: int | None) -> None:
    session = opened(lineage=None)
    session.add_topic("/a", STRING)
    assert session.write("/a", b"x", receive_ns=77, publish_ns=publish_ns)
    assert messages_of(session.close().path) == [BagMessage("/a", STRING, 77, 77, b"x")]


def test_a_known_publish_time_is_kept(opened: Opener) -> None:
    session = opened(lineage=None)
    session.add_topic("/a", STRING)
    session.write("/a", b"x", receive_ns=77, publish_ns=70)
    assert messages_of(session.close().path) == [BagMessage("/a", STRING, 77, 70, b"x")]


def test_time_that_steps_back_is_counted_and_breaks_nothing(opened: Opener) -> None:
    session = opened(lineage=None, chunk_size=50, max_file_bytes=4000)
    session.add_topic("/a", STRING)
    for loop in range(3):
        for stamp in range(100, 120):
            assert session.write("/a", b"%d" % loop, receive_ns=stamp)
    status = session.close()
    assert (status.steps_back, status.messages, status.warnings) == (2, 60, ())
    with open_bag(status.path) as reader:
        found = [(message.receive_ns, message.payload) for message in reader.messages()]
        assert (reader.start_ns, reader.end_ns) == (100, 119)
        assert len(reader.files) > 1
    assert found == [(stamp, b"%d" % loop) for stamp in range(100, 120) for loop in range(3)]


@pytest.mark.parametrize("receive_ns", [-1, 2**63, 10**40])
def test_a_time_that_no_bag_holds_is_refused_with_its_reason(opened: Opener, receive_ns: int) -> None:
    session = opened()
    session.add_topic("/a", STRING)
    assert not session.write("/a", b"x", receive_ns=receive_ns)
    assert session.write("/a", b"y", receive_ns=5)
    topic = topic_of(session.status(), "/a")
    assert (topic.messages, topic.refused, topic.lost) == (1, 1, 0)
    assert "expected 0 to 9223372036854775807" in topic.reason
    assert [message.receive_ns for message in messages_of(session.close().path)] == [5, 5]


def test_a_topic_has_one_type(opened: Opener) -> None:
    session = opened()
    assert session.add_topic("/a", STRING)
    assert not session.add_topic("/a", "std_msgs/msg/Bool")
    assert session.write("/a", b"x", receive_ns=5)
    topic = topic_of(session.status(), "/a")
    assert (topic.type_name, topic.messages) == (STRING, 1)
    assert "is a std_msgs/msg/String in this bag and is offered as 'std_msgs/msg/Bool' too" in topic.reason
    assert topic.reason in session.close().warnings


@pytest.mark.parametrize("name", ["", "a", "/a b", "/a\0b", "/a\n", "/\ud800", "/\x1b[2J"])
def test_a_hostile_topic_name_is_refused_and_counted(opened: Opener, name: str) -> None:
    session = opened()
    assert not session.add_topic(name, STRING)
    assert not session.write(name, b"x", receive_ns=5)
    topic = topic_of(session.close(), name)
    assert (topic.messages, topic.refused) == (0, 1)
    assert "has no usable name" in topic.reason


@pytest.mark.parametrize("type_name", ["", "String", "std_msgs/msg/../String", "a/msg/b\0", "a/msg/b\n", "x" * 10_000])
def test_a_hostile_type_is_refused_and_the_topic_can_still_come(opened: Opener, type_name: str) -> None:
    session = opened()
    assert not session.add_topic("/a", type_name)
    assert not session.write("/a", b"x", receive_ns=5)
    topic = topic_of(session.status(), "/a")
    assert (topic.type_name, topic.refused) == (type_name, 1)
    assert "is not a ROS 2 type" in topic.reason
    assert len(topic.reason) < 500
    assert session.add_topic("/a", STRING)
    assert session.write("/a", b"x", receive_ns=5)
    assert topic_of(session.close(), "/a").reason == ""


def test_a_message_on_a_topic_that_was_never_added_is_counted(opened: Opener) -> None:
    session = opened()
    assert not session.write("/a", b"x", receive_ns=5)
    topic = topic_of(session.close(), "/a")
    assert (topic.refused, topic.type_name) == (1, "")
    assert "was not added" in topic.reason


def test_a_type_that_is_defined_nowhere_is_recorded_with_a_warning(opened: Opener) -> None:
    session = opened(lineage=None)
    assert session.add_topic("/a", "robot_msgs/msg/Thing", announced_hash=OTHER_HASH)
    assert session.add_topic("/b", "robot_msgs/msg/Other")
    session.write("/a", b"\xff\x00", receive_ns=5)
    status = session.close()
    assert "topic /a is recorded without a definition: type robot_msgs/msg/Thing is not known" in status.warnings[0]
    with open_bag(status.path) as reader:
        assert (reader.topics["/a"].definition, reader.topics["/a"].type_hash) == ("", OTHER_HASH)
        assert reader.topics["/b"].type_hash == ""
        assert [message.payload for message in reader.messages()] == [b"\xff\x00"]
    with Reader(status.path) as foreign:
        assert [bytes(data) for _, _, data in foreign.messages()] == [b"\xff\x00"]


def test_another_version_of_a_known_type_is_recorded_without_our_definition(opened: Opener) -> None:
    session = opened(lineage=None)
    assert session.add_topic("/a", STRING, announced_hash=OTHER_HASH)
    status = session.close()
    assert "another version" in status.warnings[0]
    with open_bag(status.path) as reader:
        assert (reader.topics["/a"].definition, reader.topics["/a"].type_hash) == ("", OTHER_HASH)


def test_a_type_of_the_vehicle_is_recorded_with_its_definition(opened: Opener, install: Callable[..., Path]) -> None:
    prefix = install({"robot_msgs/msg/Thing.msg": "int8 a # a count\n"})
    session = opened(lineage=None, definitions=DefinitionSource([prefix]))
    assert session.add_topic("/a", "robot_msgs/msg/Thing")
    status = session.close()
    assert status.warnings == ()
    with open_bag(status.path) as reader:
        assert reader.topics["/a"].definition == "int8 a # a count\n"
        assert reader.topics["/a"].type_hash.startswith("RIHS01_")


def test_a_message_that_readers_could_not_hold_is_refused(opened: Opener) -> None:
    session = opened(lineage=None, max_message_bytes=100)
    session.add_topic("/a", STRING)
    assert session.write("/a", b"x" * 100, receive_ns=5)
    assert not session.write("/a", b"x" * 101, receive_ns=6)
    assert topic_of(session.status(), "/a").reason == "message on /a has 101 bytes; expected at most 100"
    assert [len(message.payload) for message in messages_of(session.close().path)] == [100]


def test_a_huge_message_and_an_empty_one_are_recorded(opened: Opener) -> None:
    session = opened(lineage=None)
    session.add_topic("/a", STRING)
    session.write("/a", bytes(64 << 20), receive_ns=5)
    session.write("/a", b"", receive_ns=6)
    assert [len(message.payload) for message in messages_of(session.close().path)] == [64 << 20, 0]


def test_hundreds_of_topics_are_recorded(opened: Opener) -> None:
    session = opened()
    for number in range(500):
        assert session.add_topic(f"/robot_{number}/text", STRING, (OUTPUT_QOS,))
        assert session.write(f"/robot_{number}/text", b"%d" % number, receive_ns=10 + number)
    status = session.close()
    assert (status.messages, len(status.topics)) == (501, 501)
    with open_bag(status.path) as reader:
        assert len(reader.topics) == 501
        assert reader.message_count == 501


def test_warnings_stay_within_bounds(opened: Opener) -> None:
    session = opened()
    for number in range(MAX_WARNINGS + 20):
        session.add_topic(f"/a_{number}", f"robot_msgs/msg/T{number}")
    warnings = session.close().warnings
    assert len(warnings) == MAX_WARNINGS + 1
    assert warnings[-1] == "20 further warnings"


def test_a_closed_recording_takes_nothing_more(opened: Opener) -> None:
    session = opened()
    session.add_topic("/a", STRING)
    first = session.close()
    assert not session.add_topic("/b", STRING)
    assert not session.write("/a", b"x", receive_ns=5)
    second = session.close()
    assert (first.refused, second.refused, second.state) == (0, 1, RecordingState.CLOSED)
    assert "the recording is closed" in topic_of(second, "/a").reason
    assert "the recording is closed" in topic_of(second, "/b").reason


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_ends_the_recording_and_loses_nothing_silently(
    opened: Opener, full_disk: Any, number: int
) -> None:
    session = opened(filesystem=full_disk(30_000, number), chunk_size=1000, compression="none")
    session.add_topic("/a", STRING)
    session.add_topic("/b", STRING)
    accepted = [session.write("/a" if n % 3 else "/b", b"x" * 50, receive_ns=n) for n in range(600)]
    assert accepted[0]
    assert not accepted[-1]
    status = session.status()
    assert status.state is RecordingState.FAILED
    assert "could not be written (No space left on device)" in status.reason
    assert not session.add_topic("/c", STRING)
    if number == errno.EIO:
        # A disk that refuses the index too: nothing is known, and that is said.
        assert "how much of the bag can be read is not known" in status.warnings[0]
        return
    stored = messages_of(status.path)
    assert status.messages == len(stored) > 100
    for topic in ("/a", "/b"):
        counted = topic_of(status, topic)
        assert counted.messages == sum(message.topic == topic for message in stored)
        assert counted.messages + counted.lost == (400 if topic == "/a" else 200)
    assert session.close() == session.status()
    report = verify_identity(status.path)
    assert (report.state, report.disagreements) == ("recovered", ())


def test_what_a_full_disk_kept_is_readable_before_anyone_closes(opened: Opener, full_disk: Any) -> None:
    session = opened(filesystem=full_disk(30_000), chunk_size=1000, compression="none")
    session.add_topic("/a", STRING)
    number = 0
    while session.write("/a", b"x" * 50, receive_ns=number):
        number += 1
    kept = [message.receive_ns for message in messages_of(session.status().path) if message.topic == "/a"]
    assert kept == list(range(len(kept)))
    assert len(kept) > 100


def test_a_disk_that_fills_up_at_the_very_end_is_a_failure(opened: Opener, full_disk: Any) -> None:
    disk = full_disk(10**9)
    session = opened(filesystem=disk, chunk_size=100, compression="none")
    session.add_topic("/a", STRING)
    for number in range(100):
        session.write("/a", b"x" * 500, receive_ns=number)
    disk.room = 10
    status = session.close()
    assert (status.state, session.state) == (RecordingState.FAILED, RecordingState.FAILED)
    counted = topic_of(status, "/a")
    assert counted.messages + counted.lost == 100
    assert counted.messages == sum(message.topic == "/a" for message in messages_of(status.path))


def test_a_lineage_that_found_no_room_is_lost_and_counted(opened: Opener, full_disk: Any) -> None:
    disk = full_disk(10**9)
    session = opened(filesystem=disk, chunk_size=1)
    session.add_topic("/a", STRING)
    disk.room = 0
    assert not session.write("/a", b"x", receive_ns=5)
    status = session.close()
    assert status.state is RecordingState.FAILED
    assert (topic_of(status, OWN_TOPIC).lost, topic_of(status, "/a").lost) == (1, 1)


def test_a_bag_that_cannot_be_made_is_refused(opened: Opener, tmp_path: Path, full_disk: Any) -> None:
    with pytest.raises(BagWriteError, match="cannot be made"):
        opened(filesystem=full_disk(100))
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        opened(path=tmp_path / "taken")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"lineage_topic": "lineage"}, TopicError),
        ({"lineage_topic": "/a b"}, TopicError),
        ({"opened_ns": -1}, ConfigurationError),
        ({"opened_ns": 2**63}, ConfigurationError),
        ({"tags": {"state": "mine"}}, ConfigurationError),
        ({"tags": {"a": "\0"}}, ConfigurationError),
        ({"compression": "gzip"}, ConfigurationError),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    opened: Opener, tmp_path: Path, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        opened(**options)
    assert list(tmp_path.iterdir()) == []
