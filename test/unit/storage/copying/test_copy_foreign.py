"""Bags of others are copied whatever their storage, compression, types and age, with all that travels in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcap.writer import Writer
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Ros2Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from alpamayo_ros.errors import BagCorruptError, BagNotFoundError
from alpamayo_ros.messages.typestore import typestore
from alpamayo_ros.storage.copying.bag_time import BagTime
from alpamayo_ros.storage.copying.copy import CopySummary, copy_bag
from alpamayo_ros.storage.copying.request import CopyRequest
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.identity import read_identity
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.reader import open_bag


def convert(bag: Path, out: Path, **options: Any) -> CopySummary:
    return copy_bag(CopyRequest("convert", (bag,), out, **options))


def contents(bag: Path) -> tuple[list[BagMessage], dict[str, TopicInfo], str]:
    with open_bag(bag) as reader:
        return list(reader.messages()), dict(reader.topics), content_digest(reader)


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    """An MCAP file of no ROS at all: protobuf, JSON without schema, names that ROS refuses, attachments, records."""
    path = tmp_path / "strange.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="", library="stranger")
        schema = writer.register_schema("robot.Pose", "protobuf", b"\x0a\xff\xfe\x80 descriptor")
        pose = writer.register_channel("pose of the arm", "protobuf", schema)
        plain = writer.register_channel("/plain", "json", 0)
        known = writer.register_schema("robot_msgs/msg/Odd", "ros2msg", b"uint8 nobody_knows\nAnother unknown\n")
        odd = writer.register_channel("/odd", "cdr", known, {"topic_type_hash": "RIHS01_" + "5" * 64})
        for number in range(20):
            writer.add_message(pose, 100 + number, b"\x00\xff%d" % number, 50 + number)
            writer.add_message(plain, 100 + number, b'{"x":%d}' % number, 0)
        writer.add_message(odd, 105, b"", 1)
        writer.add_attachment(7, 8, "rig.json", "application/json", b"{}")
        writer.add_attachment(7, 8, "photo.jpg", "image/jpeg", b"\xff\xd8" * 100)
        writer.add_metadata("operator", {"name": "Ada", "shift": "ü"})
        writer.add_metadata("operator", {"name": "Bob"})
        writer.finish()
    return path


def test_unknown_types_and_formats_are_copied_byte_for_byte(strange: Path, tmp_path: Path) -> None:
    summary = convert(strange, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(strange)
    assert summary.changed_by == ()
    topic = contents(tmp_path / "out")[1]["pose of the arm"]
    assert topic.definition.encode(errors="surrogateescape") == b"\x0a\xff\xfe\x80 descriptor"
    assert (topic.definition_encoding, topic.serialization_format) == ("protobuf", "protobuf")
    convert(tmp_path / "out", tmp_path / "again", ros_distro="humble", compression="lz4")
    assert contents(tmp_path / "again") == contents(strange)


def test_foreign_records_and_attachments_are_carried_along(strange: Path, tmp_path: Path) -> None:
    request = CopyRequest("cut", (strange,), tmp_path / "a", start=BagTime(5))
    copy_bag(request)
    copy_bag(CopyRequest("cut", (strange,), tmp_path / "b", end=BagTime(5)))
    copy_bag(CopyRequest("merge", (tmp_path / "b", tmp_path / "a"), tmp_path / "out"))
    with open_bag(strange) as source, open_bag(tmp_path / "out") as reader:
        attachments = list(source.attachments())
        assert [attachment.name for attachment in attachments] == ["rig.json", "photo.jpg"]
        assert list(reader.attachments()) == attachments
        foreign = [record for record in reader.metadata_records() if record.name == "operator"]
        assert foreign == list(source.metadata_records())
    assert contents(tmp_path / "out") == contents(strange)


def test_a_record_of_another_version_of_ours_is_named(tmp_path: Path) -> None:
    path = tmp_path / "newer.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="ros2", library="newer")
        writer.add_metadata("alpamayo_ros.future", {"a": "b"})
        writer.finish()
    assert any("'alpamayo_ros.future' is left out" in text for text in convert(path, tmp_path / "out").warnings)


@pytest.mark.parametrize("mode", ["FILE", "MESSAGE"])
@pytest.mark.parametrize("plugin", ["SQLITE3", "MCAP"])
def test_sqlite_and_compressed_bags_become_mcap(tmp_path: Path, plugin: str, mode: str) -> None:
    bag = tmp_path / "bag"
    writer = Ros2Writer(bag, version=8, storage_plugin=StoragePlugin[plugin])
    writer.set_compression(CompressionMode[mode], CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/text", "std_msgs/msg/String", typestore=typestore())
        for number in range(50):
            writer.write(connection, 1000 + number, b"\x00\x01\x00\x00text %d" % number)
    summary = convert(bag, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(bag)
    assert (summary.changed_by, summary.compression, summary.ros_distro) == ((), "zstd", "iron")
    with open_bag(tmp_path / "out") as reader:
        assert (reader.storage_id, reader.compressions) == ("mcap", ("zstd",))


def test_a_bag_in_splits_is_split_anew(make_bag: Callable[..., Path], tmp_path: Path) -> None:
    rows = [("/odom", number, bytes(range(256)) * 20) for number in range(500)]
    bag = make_bag("bag", rows, max_file_bytes=200_000, chunk_size=20_000, compression="none")
    summary = convert(bag, tmp_path / "out", max_file_bytes=1_000_000)
    assert summary.changed_by == ()
    with open_bag(bag) as source, open_bag(tmp_path / "out") as reader:
        assert len(source.files) > 10
        assert reader.files == ("out_0.mcap", "out_1.mcap", "out_2.mcap")
    report = read_identity(tmp_path / "out")
    assert report.trace[0].arguments == {"split_bytes": 1_000_000}
    assert report.disagreements == ()


@pytest.mark.parametrize(
    ("source", "distro", "version"), [("humble", "humble", 5), ("iron", "iron", 8), ("jazzy", "jazzy", 9)]
)
def test_a_copy_is_for_the_release_of_its_source(
    make_bag: Callable[..., Path], tmp_path: Path, source: str, distro: str, version: int
) -> None:
    bag = make_bag("bag", [("/odom", 1, b"x")], ros_distro=source)
    assert convert(bag, tmp_path / "out").ros_distro == distro
    with open_bag(tmp_path / "out") as reader:
        assert reader.metadata_version == version


def test_a_merge_is_for_the_oldest_release_of_its_sources(make_bag: Callable[..., Path], tmp_path: Path) -> None:
    bags = tuple(make_bag(name, [("/odom", 1, b"x")], ros_distro=name) for name in ("rolling", "humble", "iron"))
    assert copy_bag(CopyRequest("merge", bags, tmp_path / "out")).ros_distro == "humble"


def test_a_bag_of_ros_1_is_converted_and_nothing_else_takes_it(tmp_path: Path) -> None:
    store = get_typestore(Stores.ROS1_NOETIC)
    store.register(get_types_from_msg("float64 pressure\nuint8[] raw\n", "tyre_msgs/msg/Tyre"))
    tyre = store.types["tyre_msgs/msg/Tyre"](pressure=2.5, raw=np.array([1, 2], dtype=np.uint8))
    bag = tmp_path / "old.bag"
    with Ros1Writer(bag) as writer:
        connection = writer.add_connection("/tyre", "tyre_msgs/msg/Tyre", typestore=store)
        for number in range(3):
            writer.write(connection, 200 + number, store.serialize_ros1(tyre, "tyre_msgs/msg/Tyre"))
    summary = convert(bag, tmp_path / "out")
    assert summary.topics == {"/tyre": 3}
    assert summary.changed_by == ("converted from ROS 1",)
    assert read_identity(tmp_path / "out").trace[0].sources[0].name == "old.bag"
    with pytest.raises(BagNotFoundError, match="run 'alpamayo bag convert"):
        copy_bag(CopyRequest("cut", (bag,), tmp_path / "b", start=BagTime(1)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.bag", "out"]


def test_a_file_whose_name_is_no_unicode_is_copied(strange: Path, tmp_path: Path) -> None:
    path = strange.rename(tmp_path / "r\udcffn.mcap")
    convert(path, tmp_path / "out")
    assert read_identity(tmp_path / "out").trace[0].sources[0].name == "r\\xffn.mcap"


def test_times_that_ros_cannot_hold_are_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "late.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="", library="stranger")
        channel = writer.register_channel("/plain", "json", 0)
        for time_ns in (5, 6, 2**63 + 7):
            writer.add_message(channel, time_ns, b"{}", 0)
        writer.finish()
    with pytest.raises(BagCorruptError, match=f"--end {2**63 - 1}ns"):
        convert(path, tmp_path / "out")
    end = BagTime(2**63 - 1, absolute=True)
    assert copy_bag(CopyRequest("cut", (path,), tmp_path / "out", end=end)).message_count == 2


def test_a_cut_may_end_after_the_last_time_that_a_database_can_hold(
    make_foreign_bag: Callable[..., Path], tmp_path: Path
) -> None:
    bag = make_foreign_bag("foreign", [("/odom", 1, b"x"), ("/odom", 2, b"y")])
    end = BagTime(2**63 + 5, absolute=True)
    assert copy_bag(CopyRequest("cut", (bag,), tmp_path / "out", end=end)).message_count == 2
