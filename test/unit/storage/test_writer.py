"""Bags that others read, and what is left of them when the disk, the user or the machine says stop."""

import errno
import io
import json
import os
import signal
import struct
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from mcap.exceptions import McapError
from mcap.reader import SeekingReader, make_reader
from mcap.stream_reader import StreamReader
from rosbags.rosbag2 import Reader
from ruamel.yaml import YAML

from alpamayo_ros.errors import (
    BagCorruptError,
    BagWriteError,
    ConfigurationError,
    OutputError,
    TopicError,
)
from alpamayo_ros.messages.typestore import message_definition, type_hash, typestore
from alpamayo_ros.storage import writer as writer_module
from alpamayo_ros.storage.identity import BagIdentity, read_identity, verify_identity
from alpamayo_ros.storage.metadata import parse_metadata
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS, SENSOR_QOS
from alpamayo_ros.storage.reader import BagMessage, open_bag
from alpamayo_ros.storage.source import Attachment
from alpamayo_ros.storage.writer import BagWriter

ROWS = [("/odom" if number % 3 else "/imu", 1000 + number, b"\x00\x01\x00\x00%d" % number) for number in range(300)]


def test_what_is_written_is_read(make_bag: Callable[..., Path], types: dict[str, str]) -> None:
    with open_bag(make_bag("bag", ROWS)) as reader:
        assert list(reader.messages()) == [
            BagMessage(topic, types[topic], receive_ns, receive_ns - 5, payload) for topic, receive_ns, payload in ROWS
        ]
        assert reader.topics["/imu"].message_count == 100
        assert reader.topics["/odom"].definition == message_definition("nav_msgs/msg/Odometry")
        assert (reader.start_ns, reader.end_ns, reader.message_count) == (1000, 1299, 300)
        assert reader.warnings == ()
        assert reader.ros_distro == "kilted"


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
@pytest.mark.parametrize("chunk_size", [1, 700, 1 << 20])
def test_chunks_of_any_size_and_compression_are_read(
    make_bag: Callable[..., Path], compression: str, chunk_size: int
) -> None:
    path = make_bag("bag", ROWS, compression=compression, chunk_size=chunk_size)
    with open_bag(path) as reader:
        assert [(m.topic, m.receive_ns, m.payload) for m in reader.messages()] == ROWS
        assert reader.compressions == (() if compression == "none" else (compression,))


def test_rosbags_reads_what_we_write(make_bag: Callable[..., Path], identity: BagIdentity) -> None:
    with Reader(make_bag("bag", ROWS, identity=identity)) as reader:
        found = [(connection.topic, stamp, bytes(data)) for connection, stamp, data in reader.messages()]
        hashes = {connection.topic: connection.digest for connection in reader.connections}
        offered = {connection.topic: connection.ext.offered_qos_profiles for connection in reader.connections}
        custom = dict(reader.metadata.custom) if hasattr(reader, "metadata") and reader.metadata.custom else None
    assert found == ROWS
    assert hashes["/odom"] == typestore().hash_rihs01("nav_msgs/msg/Odometry")
    assert offered["/odom"][0].depth == 10
    assert custom is None or custom["lineage_id"] == identity.lineage_id


def test_the_file_is_laid_out_as_rosbag2_wants_it(make_bag: Callable[..., Path], identity: BagIdentity) -> None:
    path = make_bag("drive", ROWS, identity=identity)
    assert sorted(entry.name for entry in path.iterdir()) == ["drive_0.mcap", "identity.json", "metadata.yaml"]
    data = (path / "drive_0.mcap").read_bytes()
    reader = SeekingReader(io.BytesIO(data), validate_crcs=True)
    assert reader.get_header().profile == "ros2"
    summary = reader.get_summary()
    assert summary is not None
    for channel in summary.channels.values():
        assert channel.message_encoding == "cdr"
        schema = summary.schemas[channel.schema_id]
        assert schema.encoding == "ros2msg"
        assert schema.data.decode() == message_definition(schema.name)
        assert channel.metadata["topic_type_hash"] == type_hash(schema.name)
        assert "durability: volatile" in channel.metadata["offered_qos_profiles"]
    messages = [message for _, _, message in reader.iter_messages()]
    assert {message.sequence for message in messages} == {0}
    assert all(message.publish_time == message.log_time - 5 for message in messages)
    texts = [record.metadata["serialized_metadata"] for record in reader.iter_metadata() if record.name == "rosbag2"]
    at_open, at_close = (parse_metadata(text, "record", rooted=False) for text in texts)
    assert (at_open.message_count, at_open.custom_data["state"]) == (0, "recording")
    assert (at_close.message_count, at_close.custom_data["state"]) == (300, "closed")
    stored = parse_metadata((path / "metadata.yaml").read_text(), "metadata.yaml")
    assert at_close.topics == stored.topics
    assert stored.relative_paths == ("drive_0.mcap",)
    assert (stored.start_ns, stored.duration_ns, stored.files[0].message_count) == (1000, 299, 300)


def test_a_bag_without_messages_is_a_bag(make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", [])
    with open_bag(path) as reader:
        assert (reader.start_ns, reader.end_ns, reader.message_count) == (None, None, 0)
        assert list(reader.messages()) == []
        assert set(reader.topics) >= {"/odom", "/imu"}
    with Reader(path) as foreign:
        assert list(foreign.messages()) == []


def test_one_schema_serves_all_topics_of_a_type(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        for number in range(5):
            writer.add_topic(f"/camera_{number}", "sensor_msgs/msg/CompressedImage", qos=SENSOR_QOS)
        writer.add_topic("/tf_static", "tf2_msgs/msg/TFMessage", qos=LATCHED_QOS)
    data = (tmp_path / "bag" / "bag_0.mcap").read_bytes()
    summary = SeekingReader(io.BytesIO(data)).get_summary()
    assert summary is not None
    assert (len(summary.schemas), len(summary.channels)) == (2, 6)
    with open_bag(tmp_path / "bag") as reader:
        assert reader.topics["/camera_3"].offered_qos == (SENSOR_QOS,)
        assert reader.topics["/tf_static"].offered_qos == (LATCHED_QOS,)


def test_a_type_that_is_not_known_needs_its_definition_and_hash(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        with pytest.raises(TopicError, match="'robot_msgs/msg/Thing', which is not known"):
            writer.add_topic("/thing", "robot_msgs/msg/Thing")
        with pytest.raises(TopicError, match="not known"):
            writer.add_topic("/thing", "robot_msgs/msg/Thing", definition="int8 a\n")
        writer.add_topic("/thing", "robot_msgs/msg/Thing", definition="int8 a\n", type_hash="RIHS01_12")
        writer.write("/thing", b"\xff\x00", receive_ns=1, publish_ns=1)
    with open_bag(tmp_path / "bag") as reader:
        assert reader.topics["/thing"].type_hash == "RIHS01_12"
        assert [message.payload for message in reader.messages()] == [b"\xff\x00"]


@pytest.mark.parametrize("name", ["odom", "", "/a b", "/a\tb", "/a\n"])
def test_a_topic_name_that_no_ros_graph_has_is_refused(tmp_path: Path, name: str) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer, pytest.raises(TopicError, match="no usable name"):
        writer.add_topic(name, "std_msgs/msg/String")


def test_a_topic_is_declared_once(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        writer.add_topic("/a", "std_msgs/msg/String")
        writer.add_topic("/a", "std_msgs/msg/String")
        with pytest.raises(TopicError, match="other properties"):
            writer.add_topic("/a", "std_msgs/msg/Bool")
        with pytest.raises(TopicError, match="'/b' was not added"):
            writer.write("/b", b"", receive_ns=0, publish_ns=0)


@pytest.mark.parametrize("stamp", [-1, 2**63, 2**64, 10**30])
def test_a_time_that_rosbag2_cannot_hold_is_refused(tmp_path: Path, stamp: int) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        writer.add_topic("/a", "std_msgs/msg/String")
        for times in ({"receive_ns": stamp, "publish_ns": 0}, {"receive_ns": 0, "publish_ns": stamp}):
            with pytest.raises(ConfigurationError, match="expected 0 to"):
                writer.write("/a", b"x", **times)
        writer.write("/a", b"x", receive_ns=2**63 - 1, publish_ns=0)
    with open_bag(tmp_path / "bag") as reader:
        assert [message.receive_ns for message in reader.messages()] == [2**63 - 1]


def test_options_that_make_no_sense_are_refused_before_anything_is_written(
    tmp_path: Path, identity: BagIdentity
) -> None:
    with pytest.raises(ConfigurationError, match="'gzip' is not known; expected one of: lz4, none, zstd"):
        BagWriter(tmp_path / "bag", identity=None, compression="gzip")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="reserved name"):
        BagWriter(tmp_path / "bag", identity=BagIdentity("a", "b", tags={"state": "mine"}))
    with pytest.raises(ConfigurationError, match="int; expected a text"):
        BagWriter(tmp_path / "bag", identity=BagIdentity("a", "b", tags={"speed": 5}))  # type: ignore[dict-item]
    assert list(tmp_path.iterdir()) == []


def test_an_existing_path_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    for name in ("folder", "file"):
        with pytest.raises(OutputError, match=f"{name} exists already"):
            BagWriter(tmp_path / name, identity=None)
    assert list((tmp_path / "folder").iterdir()) == []
    assert (tmp_path / "file").read_text() == "mine"


def test_a_parent_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="cannot be made"):
        BagWriter(tmp_path / "file" / "bag", identity=None)


def test_a_place_where_nobody_may_write_is_refused() -> None:
    with pytest.raises(OutputError, match="cannot be made"):
        BagWriter(Path("/proc/alpamayo_bag"), identity=None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    parent.mkdir(mode=0o555)
    with pytest.raises(OutputError, match="Permission denied"):
        BagWriter(parent / "bag", identity=None)


def test_missing_parents_are_made(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "a" / "b" / "bag", identity=None):
        pass
    assert (tmp_path / "a" / "b" / "bag" / "bag_0.mcap").is_file()


def test_a_closed_bag_takes_nothing_more(tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / "bag", identity=None)
    writer.add_topic("/a", "std_msgs/msg/String")
    writer.close()
    writer.close()
    with pytest.raises(OutputError, match="is closed"):
        writer.write("/a", b"", receive_ns=0, publish_ns=0)
    with pytest.raises(OutputError, match="is closed"):
        writer.add_topic("/b", "std_msgs/msg/String")


@pytest.mark.parametrize("error", [ValueError("boom"), KeyboardInterrupt()])
def test_an_exception_in_the_block_leaves_a_readable_bag_that_says_it_is_a_part(
    tmp_path: Path, error: BaseException
) -> None:
    def write_and_fail() -> None:
        with BagWriter(tmp_path / "bag", identity=None) as writer:
            writer.add_topic("/a", "std_msgs/msg/String")
            for number in range(10):
                writer.write("/a", b"x", receive_ns=number, publish_ns=number)
            raise error

    with pytest.raises(type(error)):
        write_and_fail()
    with open_bag(tmp_path / "bag") as reader:
        assert len(list(reader.messages())) == 10
        assert reader.custom_data["state"] == "recovered"


def test_an_interrupt_while_closing_still_closes(tmp_path: Path, full_disk, identity: BagIdentity) -> None:
    class Interrupting(full_disk):  # type: ignore[misc,valid-type]
        interrupts = 0

        def replace(self, source: Path, target: Path) -> None:
            if target.name == "metadata.yaml" and not self.interrupts:
                self.interrupts = 1
                raise KeyboardInterrupt
            super().replace(source, target)

    disk = Interrupting(10**9)
    writer = BagWriter(tmp_path / "bag", identity=identity, filesystem=disk)
    writer.add_topic("/a", "std_msgs/msg/String")
    writer.write("/a", b"x", receive_ns=3, publish_ns=3)
    with pytest.raises(KeyboardInterrupt):
        writer.close()
    assert disk.interrupts == 1
    with open_bag(tmp_path / "bag") as reader:
        assert len(list(reader.messages())) == 1
    report = verify_identity(tmp_path / "bag")
    assert report.state == "closed"
    assert not [text for text in report.disagreements if "sha256" in text]


def write_until_full(path: Path, disk, identity: BagIdentity) -> int:
    """Write random payloads to a disk that fills up; return how many messages were accepted."""
    noise = np.random.default_rng(0)
    accepted = 0

    def write() -> None:
        nonlocal accepted
        with BagWriter(path, identity=identity, chunk_size=4000, filesystem=disk) as writer:
            writer.add_topic("/a", "std_msgs/msg/String")
            for number in range(10_000):
                writer.write("/a", noise.bytes(200), receive_ns=number, publish_ns=number)
                accepted += 1

    with pytest.raises(BagWriteError, match="could not be written"):
        write()
    return accepted


@pytest.mark.parametrize("room", [15_000, 20_000, 20_001, 23_456, 40_000, 100_003])
def test_on_a_full_disk_what_was_written_stays_readable(
    tmp_path: Path, full_disk, identity: BagIdentity, room: int
) -> None:
    path = tmp_path / "bag"
    accepted = write_until_full(path, full_disk(room), identity)
    assert accepted < 10_000
    with open_bag(path) as reader:
        stamps = [message.receive_ns for message in reader.messages()]
        assert reader.custom_data["state"] == "recovered"
        assert reader.custom_data["lineage_id"] == identity.lineage_id
    assert stamps == list(range(len(stamps)))
    # What is lost: the chunk in progress, and at most what the index and the metadata need.
    assert len(stamps) * 222 > accepted * 222 - 4000 - 16_000
    assert sum(entry.stat().st_size for entry in path.iterdir()) <= room
    assert not [text for text in verify_identity(path).disagreements if "sha256" in text]


def count_records(data: bytes, kind: str) -> int:
    """Count the sound records of a file, and demand that it has no end."""
    found = []

    def read() -> None:
        reader = StreamReader(io.BytesIO(data), emit_chunks=kind == "Chunk", validate_crcs=True)
        found.extend(record for record in reader.records if type(record).__name__ == kind)

    with pytest.raises((McapError, struct.error, zstandard.ZstdError)):
        read()
    return len(found)


def test_a_faulty_device_loses_no_chunk_that_it_took(tmp_path: Path, full_disk, identity: BagIdentity) -> None:
    class Faulty(full_disk):  # type: ignore[misc,valid-type]
        """Refuses every write once it refused one; cutting gives no room back."""

        def release(self, size: int) -> None:
            pass

    path = tmp_path / "bag"
    write_until_full(path, Faulty(30_000, errno.EIO), identity)
    data = (path / "bag_0.mcap").read_bytes()
    assert len(data) > 20_000
    assert count_records(data, "Chunk") >= 4


def test_a_full_disk_is_reported_again_by_every_later_call(tmp_path: Path, full_disk) -> None:
    writer = BagWriter(tmp_path / "bag", identity=None, chunk_size=10, filesystem=full_disk(6000), compression="none")
    writer.add_topic("/a", "std_msgs/msg/String")

    def write_much() -> None:
        for number in range(1000):
            writer.write("/a", b"x" * 100, receive_ns=number, publish_ns=number)

    with pytest.raises(BagWriteError, match="No space left"):
        write_much()
    with pytest.raises(BagWriteError, match="No space left"):
        writer.write("/a", b"x", receive_ns=0, publish_ns=0)
    writer.close()


def test_a_disk_without_any_room_is_named_and_leaves_nothing(tmp_path: Path, full_disk, identity: BagIdentity) -> None:
    for room in (0, 100, 700):
        with pytest.raises(BagWriteError, match="cannot be made"):
            BagWriter(tmp_path / "bag", identity=identity, filesystem=full_disk(room))
        assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_at_the_very_end_is_reported(tmp_path: Path, full_disk, identity: BagIdentity) -> None:
    disk = full_disk(10**9)
    writer = BagWriter(tmp_path / "bag", identity=identity, filesystem=disk, chunk_size=100, compression="none")
    writer.add_topic("/a", "std_msgs/msg/String")
    for number in range(100):
        writer.write("/a", b"x" * 500, receive_ns=number, publish_ns=number)
    disk.room = 10
    with pytest.raises(BagWriteError, match="No space left"):
        writer.close()
    with open_bag(tmp_path / "bag") as reader:
        kept = [message.receive_ns for message in reader.messages()]
    assert kept == list(range(len(kept)))
    assert len(kept) > 50


def test_a_killed_writer_leaves_its_identity_and_complete_chunks(tmp_path: Path, identity: BagIdentity) -> None:
    program = textwrap.dedent(
        f"""
        import os, signal
        from pathlib import Path
        from alpamayo_ros.storage.identity import BagIdentity
        from alpamayo_ros.storage.writer import BagWriter

        writer = BagWriter(
            Path({str(tmp_path / "bag")!r}),
            identity=BagIdentity({identity.lineage_id!r}, "none", {identity.manifest!r}),
            chunk_size=1000,
        )
        writer.add_topic("/a", "std_msgs/msg/String")
        for number in range(1000):
            writer.write("/a", b"x" * 100, receive_ns=number, publish_ns=number)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    path = tmp_path / "bag"
    assert json.loads((path / "identity.json").read_text())["state"] == "recording"
    assert not (path / "metadata.yaml").exists()
    with pytest.raises(BagCorruptError, match=r"cut or not closed.*run 'alpamayo bag recover'"):
        open_bag(path)
    report = read_identity(path)
    assert (report.lineage_id, report.state) == (identity.lineage_id, "recording")
    assert any("not closed" in text for text in report.disagreements)
    assert count_records((path / "bag_0.mcap").read_bytes(), "Message") >= 990


def test_splits_are_complete_files_with_the_identity_in_each(
    make_bag: Callable[..., Path], identity: BagIdentity
) -> None:
    rows = [(topic, receive_ns, payload * 20) for topic, receive_ns, payload in ROWS]
    path = make_bag("bag", rows, identity=identity, chunk_size=500, max_file_bytes=25_000, compression="none")
    with open_bag(path) as reader:
        assert 2 < len(reader.files) < 10
        assert [(m.topic, m.receive_ns, m.payload) for m in reader.messages()] == rows
        assert reader.warnings == ()
    for name in reader.files:
        with open_bag(path / name) as part:
            assert set(part.topics) == set(reader.topics)
            records = {record.name: record.values for record in part.metadata_records()}
            assert records["alpamayo_ros.lineage"]["lineage_id"] == identity.lineage_id
            assert records["alpamayo_ros.envelope"]["envelope_id"] == "none"
    with Reader(path) as foreign:
        assert [stamp for _, stamp, _ in foreign.messages()] == [row[1] for row in rows]


def test_while_a_later_split_is_written_the_closed_ones_are_a_bag(tmp_path: Path, identity: BagIdentity) -> None:
    path = tmp_path / "bag"
    writer = BagWriter(path, identity=identity, chunk_size=100, max_file_bytes=8000, compression="none")
    writer.add_topic("/a", "std_msgs/msg/String")
    number = 0
    while not (path / "bag_2.mcap").exists():
        writer.write("/a", b"x" * 100, receive_ns=number, publish_ns=number)
        number += 1
    with open_bag(path) as reader:
        assert reader.files == ("bag_0.mcap", "bag_1.mcap")
        assert reader.custom_data["state"] == "recording"
        assert len(list(reader.messages())) > 0
    writer.close()
    with open_bag(path) as reader:
        assert reader.message_count == number
        assert reader.custom_data["state"] == "closed"


def test_no_split_leaves_an_empty_file_behind(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", identity=None, compression="none", chunk_size=64, max_file_bytes=4000) as writer:
        writer.add_topic("/a", "std_msgs/msg/String")
        for number in range(60):
            writer.write("/a", bytes(100), receive_ns=10**18 + number, publish_ns=10**18 + number)
            if len(list((tmp_path / "bag").glob("*.mcap"))) == 3:
                break
    metadata = load_metadata(tmp_path / "bag")
    counts = [file["message_count"] for file in metadata["files"]]
    assert len(counts) == 3
    assert all(counts)


@pytest.mark.parametrize(
    "change", [{"durability": "unknown"}, {"reliability": "unknown"}, {"liveliness": "manual_by_node"}]
)
def test_a_profile_that_no_player_can_publish_with_is_left_out(tmp_path: Path, change: dict[str, str]) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        writer.add_topic("/a", "std_msgs/msg/String", qos=(replace(OUTPUT_QOS, **change), OUTPUT_QOS))
        writer.write("/a", b"x", receive_ns=1, publish_ns=1)
    (topic,) = load_metadata(tmp_path / "bag")["topics_with_message_count"]
    profiles = topic["topic_metadata"]["offered_qos_profiles"]
    assert [profile["durability"] for profile in profiles] == ["volatile"]


def load_metadata(bag: Path) -> Any:
    """Return rosbag2's metadata of a bag."""
    text = (bag / "metadata.yaml").read_text(encoding="utf-8")
    return YAML(typ="safe", pure=True).load(text)["rosbag2_bagfile_information"]


def test_foreign_records_and_attachments_travel_with_the_bag(tmp_path: Path, identity: BagIdentity) -> None:
    path = tmp_path / "bag"
    attached = Attachment("map.yaml", "text/yaml", 7, 3, b"lanes: 2")
    with BagWriter(path, identity=identity, max_file_bytes=500, chunk_size=100) as writer:
        writer.add_topic("/a", "std_msgs/msg/String")
        for number in range(20):
            writer.write("/a", b"x" * 100, receive_ns=number, publish_ns=number)
            if number == 9:
                writer.add_attachment(attached)
                writer.add_metadata_record("team", {"driver": "two"})
    with open_bag(path) as reader:
        assert len(reader.files) > 2
        assert list(reader.attachments()) == [attached]
        assert [record.values for record in reader.metadata_records() if record.name == "team"] == [{"driver": "two"}]
        assert len(list(reader.messages())) == 20
    for file in path.glob("*.mcap"):
        with file.open("rb") as stream:
            assert make_reader(stream).get_summary() is not None
    assert not [text for text in verify_identity(path).disagreements if "differs" in text]


@pytest.mark.parametrize("name", ["rosbag2", "alpamayo_ros.lineage", "alpamayo_ros.other"])
def test_records_that_the_writer_makes_itself_cannot_be_added(tmp_path: Path, name: str) -> None:
    with (
        BagWriter(tmp_path / "bag", identity=None) as writer,
        pytest.raises(ConfigurationError, match="reserved name"),
    ):
        writer.add_metadata_record(name, {})


def test_an_attachment_that_does_not_fit_leaves_a_readable_bag(tmp_path: Path, full_disk: type) -> None:
    writer = BagWriter(tmp_path / "bag", identity=None, filesystem=full_disk(40_000), compression="none")
    writer.add_topic("/a", "std_msgs/msg/String")
    writer.write("/a", b"x" * 100, receive_ns=1, publish_ns=1)
    with pytest.raises(BagWriteError):
        writer.add_attachment(Attachment("large", "", 0, 0, bytes(100_000)))
    writer.close()
    with open_bag(tmp_path / "bag") as reader:
        assert len(list(reader.messages())) == 1
        assert list(reader.attachments()) == []


def test_splits_do_not_list_all_files_before_them(tmp_path: Path, identity: BagIdentity) -> None:
    """A list in each would make a bag of many splits grow with the square of their number."""
    with BagWriter(tmp_path / "bag", identity=identity, max_file_bytes=100, chunk_size=50) as writer:
        writer.add_topic("/a", "std_msgs/msg/String")
        for number in range(60):
            writer.write("/a", b"x" * 100, receive_ns=number, publish_ns=number)
    first, later = ((tmp_path / "bag" / f"bag_{number}.mcap").stat().st_size for number in (1, 9))
    assert abs(first - later) < 50
    (tmp_path / "bag" / "metadata.yaml").unlink()
    with open_bag(tmp_path / "bag") as reader:
        assert reader.custom_data["state"] == "closed"
        assert len(list(reader.messages())) == 60


def test_the_size_of_a_split_does_not_count_its_head(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", identity=None, max_file_bytes=5000, chunk_size=100, compression="none") as writer:
        for number in range(50):
            writer.add_topic(f"/topic_{number}", "sensor_msgs/msg/Imu")
        for number in range(100):
            writer.write("/topic_0", b"x" * 100, receive_ns=number, publish_ns=number)
    assert len(list((tmp_path / "bag").glob("*.mcap"))) < 10


def test_a_bag_takes_no_more_topics_than_its_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MAX_TOPICS", 2)
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        for name in ("/a", "/b", "/a"):
            writer.add_topic(name, "std_msgs/msg/String")
        with pytest.raises(TopicError, match="has 2 topics"):
            writer.add_topic("/c", "std_msgs/msg/String")


@pytest.mark.parametrize("name", [os.fsdecode(b"b\xffg"), "a\x1b[31m", "a\nb"])
def test_a_bag_whose_name_is_no_printable_text_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="expected printable Unicode"):
        BagWriter(tmp_path / name, identity=None)
    assert list(tmp_path.iterdir()) == []
