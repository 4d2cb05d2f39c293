"""One order whatever the layout, bounded memory, and a sentence for every bag that cannot be trusted."""

import os
import random
import shutil
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rosbags.interfaces import ConnectionExtRosbag2
from rosbags.rosbag2 import CompressionFormat, CompressionMode, Reader, StoragePlugin, Writer

from alpamayo_ros.errors import BagCorruptError, BagError, BagNotFoundError, TopicError
from alpamayo_ros.messages.typestore import typestore
from alpamayo_ros.storage import reader as reader_module
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.metadata import ROOT_KEY, dump_yaml, metadata_document, parse_metadata
from alpamayo_ros.storage.reader import open_bag, topic_class
from alpamayo_ros.storage.verification.verify import verify_bag
from alpamayo_ros.storage.writer import BagWriter

TOPICS = {
    "/tf_static": "tf2_msgs/msg/TFMessage",
    "/robot/tf_static": "tf2_msgs/msg/TFMessage",
    "/clock": "rosgraph_msgs/msg/Clock",
    "/a": "std_msgs/msg/String",
    "/alpamayo/output/lineage": "alpamayo_ros/msg/Lineage",
    "/z": "std_msgs/msg/String",
}
IN_ORDER = ["/alpamayo/output/lineage", "/robot/tf_static", "/tf_static", "/clock", "/a", "/z"]

Row = tuple[str, int, bytes]


def write(path: Path, rows: list[Row], **options: Any) -> Path:
    with BagWriter(path, identity=None, **options) as writer:
        for name, type_name in TOPICS.items():
            writer.add_topic(name, type_name)
        for topic, receive_ns, payload in rows:
            writer.write(topic, payload, receive_ns=receive_ns, publish_ns=receive_ns)
    return path


def write_foreign(path: Path, rows: list[Row], plugin: StoragePlugin) -> Path:
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        connections = {
            name: writer.add_connection(name, type_name, typestore=typestore()) for name, type_name in TOPICS.items()
        }
        for topic, receive_ns, payload in rows:
            writer.write(connections[topic], receive_ns, payload)
    return path


def read(path: Path, **options: Any) -> list[Row]:
    with open_bag(path) as reader:
        return [(message.topic, message.receive_ns, message.payload) for message in reader.messages(**options)]


def ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row[1], IN_ORDER.index(row[0])))


ROWS = st.lists(
    st.tuples(st.sampled_from(IN_ORDER), st.integers(0, 40), st.binary(max_size=60)),
    max_size=60,
)


@given(
    rows=ROWS,
    chunk_size=st.sampled_from([1, 100, 1000, 1 << 20]),
    max_file_bytes=st.sampled_from([None, 9000, 12_000]),
)
@settings(deadline=None, max_examples=60)
def test_the_order_is_that_of_a_stable_sort_for_every_chunking_and_split(
    rows: list[Row], chunk_size: int, max_file_bytes: int | None
) -> None:
    with TemporaryDirectory() as folder:
        path = write(
            Path(folder) / "bag", rows, chunk_size=chunk_size, max_file_bytes=max_file_bytes, compression="none"
        )
        assert read(path) == ordered(rows)


@given(rows=ROWS, plugin=st.sampled_from(list(StoragePlugin)))
@settings(deadline=None, max_examples=30)
def test_the_order_is_the_same_for_both_storages_of_another_writer(rows: list[Row], plugin: StoragePlugin) -> None:
    with TemporaryDirectory() as folder:
        assert read(write_foreign(Path(folder) / "bag", rows, plugin)) == ordered(rows)


@given(rows=ROWS, start=st.integers(0, 45), length=st.integers(0, 45), topics=st.sets(st.sampled_from(IN_ORDER)))
@settings(deadline=None, max_examples=40)
def test_a_choice_by_time_and_topic_is_a_part_of_the_whole(
    rows: list[Row], start: int, length: int, topics: set[str]
) -> None:
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "bag", rows, chunk_size=200)
        chosen = read(path, topics=topics, start_ns=start, end_ns=start + length)
    assert chosen == [row for row in ordered(rows) if row[0] in topics and start <= row[1] < start + length]


def test_static_comes_before_clock_before_data_at_one_time(tmp_path: Path) -> None:
    rows = [(name, 7, b"x") for name in sorted(TOPICS, reverse=True)]
    assert [row[0] for row in read(write(tmp_path / "bag", rows))] == IN_ORDER


@pytest.mark.parametrize(
    ("name", "type_name", "expected"),
    [
        ("/tf_static", "tf2_msgs/msg/TFMessage", 0),
        ("/car/tf_static", "tf2_msgs/msg/TFMessage", 0),
        ("/robot_description", "std_msgs/msg/String", 0),
        ("/any", "alpamayo_ros/msg/Lineage", 0),
        ("/clock", "rosgraph_msgs/msg/Clock", 1),
        ("/car/clock", "rosgraph_msgs/msg/Clock", 2),
        ("/tf", "tf2_msgs/msg/TFMessage", 2),
        ("/my_tf_static", "tf2_msgs/msg/TFMessage", 2),
    ],
)
def test_the_class_depends_on_name_and_type(name: str, type_name: str, expected: int) -> None:
    assert topic_class(name, type_name) == expected


def joined_splits(folder: Path, parts: list[list[Row]], **options: Any) -> Path:
    """Make one bag of several files whose times may overlap, as some recorders leave them."""
    bag = folder / "joined"
    bag.mkdir()
    found = []
    for number, rows in enumerate(parts):
        part = write(folder / f"part{number}", rows, **options)
        shutil.copy(part / f"part{number}_0.mcap", bag / f"joined_{number}.mcap")
        found.append(parse_metadata((part / "metadata.yaml").read_text(), "part"))
    names = [f"joined_{number}.mcap" for number in range(len(parts))]
    document: Any = metadata_document(found[0])
    document["relative_file_paths"] = names
    document["files"] = []
    document["message_count"] = sum(item.message_count for item in found)
    for index, topic in enumerate(document["topics_with_message_count"]):
        topic["message_count"] = sum(item.topics[index].message_count for item in found)
    (bag / "metadata.yaml").write_text(dump_yaml({ROOT_KEY: document}))
    return bag


def test_splits_that_overlap_in_time_are_merged(tmp_path: Path) -> None:
    generator = random.Random(5)
    parts = [
        [(generator.choice(IN_ORDER), generator.randrange(100 * n, 100 * n + 250), b"%d" % n) for _ in range(200)]
        for n in range(4)
    ]
    path = joined_splits(tmp_path, parts, chunk_size=300)
    assert read(path) == ordered([row for part in parts for row in part])


def test_at_one_time_and_topic_the_earlier_file_comes_first(tmp_path: Path) -> None:
    path = joined_splits(tmp_path, [[("/a", 5, b"first")], [("/a", 5, b"second")], [("/a", 5, b"third")]])
    assert [row[2] for row in read(path)] == [b"first", b"second", b"third"]


def test_later_splits_are_opened_when_their_turn_comes(tmp_path: Path) -> None:
    path = joined_splits(tmp_path, [[("/a", 100 * n, b"x")] * 3 for n in range(4)])
    with open_bag(path) as reader:
        messages = reader.messages()
        next(messages)
        (path / "joined_3.mcap").unlink()
        assert next(messages).receive_ns == 0
        with pytest.raises(BagCorruptError, match=r"joined_3\.mcap cannot be read"):
            list(messages)


def test_chunks_outside_of_the_time_are_not_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "bag", [("/a", n, b"payload %d" % n) for n in range(1000)], chunk_size=500, compression="none"
    )
    file = path / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    data[data.index(b"payload 900")] ^= 1
    file.write_bytes(data)
    assert len(read(path, end_ns=800)) == 800
    assert len(read(path, start_ns=950)) == 50
    with pytest.raises(BagCorruptError, match="checksum"):
        read(path)


def test_memory_is_bounded_by_chunks_and_not_by_the_bag(tmp_path: Path) -> None:
    path = tmp_path / "bag"
    with BagWriter(path, identity=None, chunk_size=1 << 20, compression="none") as writer:
        writer.add_topic("/a", "std_msgs/msg/String")
        payload = bytes(50_000)
        for number in range(1200):
            writer.write("/a", payload, receive_ns=number, publish_ns=number)
    tracemalloc.start()
    with open_bag(path) as reader:
        count = sum(1 for _ in reader.messages())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 1200
    assert path.joinpath("bag_0.mcap").stat().st_size > 60_000_000
    assert peak < 12_000_000


def test_memory_is_bounded_for_a_database_too(tmp_path: Path) -> None:
    path = write_foreign(tmp_path / "bag", [("/a", n, bytes(50_000)) for n in range(600)], StoragePlugin.SQLITE3)
    tracemalloc.start()
    with open_bag(path) as reader:
        count = sum(1 for _ in reader.messages())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 600
    assert peak < 8_000_000


def test_too_much_at_one_time_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "MAX_SORT_BYTES", 1 << 20)
    same = write(tmp_path / "same", [("/a", 5, bytes(100_000))] * 30, chunk_size=200_000, compression="none")
    with pytest.raises(BagCorruptError, match="more than 1 MiB at the one receive time 5 ns"):
        read(same)
    rows = [("/a", n if n % 2 else 1000 - n, bytes(100_000)) for n in range(60)]
    with pytest.raises(BagCorruptError, match="run 'mcap sort'"):
        read(write(tmp_path / "mixed", rows, chunk_size=200_000, compression="none"))


def test_an_iteration_that_was_left_closes_its_files(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", [("/a", n, b"x") for n in range(100)], chunk_size=100)

    def open_files() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = open_files()
    with open_bag(path) as reader:
        messages = reader.messages()
        next(messages)
        assert open_files() == before + 1
    assert open_files() == before
    messages.close()


def test_two_iterations_do_not_disturb_each_other(tmp_path: Path) -> None:
    rows = [("/a", n, b"%d" % n) for n in range(100)]
    path = write(tmp_path / "bag", rows, chunk_size=100)
    with open_bag(path) as reader:
        pairs = list(zip(reader.messages(), reader.messages(), strict=True))
    assert len(pairs) == 100
    assert all(one == other for one, other in pairs)


@pytest.mark.parametrize("plugin", list(StoragePlugin))
def test_bags_of_rosbags_are_read_as_rosbags_reads_them(tmp_path: Path, plugin: StoragePlugin) -> None:
    rows = [(IN_ORDER[n % 6], n // 3, b"%d" % n) for n in range(100)]
    path = write_foreign(tmp_path / "bag", rows, plugin)
    with Reader(path) as foreign:
        expected = {
            (connection.topic, connection.msgtype, connection.digest, connection.msgcount)
            for connection in foreign.connections
            if isinstance(connection.ext, ConnectionExtRosbag2)
        }
        stamps = [stamp for _, stamp, _ in foreign.messages()]
    with open_bag(path) as reader:
        found = {(t.name, t.type_name, t.type_hash, t.message_count) for t in reader.topics.values()}
        assert found == expected
        assert [message.receive_ns for message in reader.messages()] == stamps
        assert reader.metadata_version == 9
        assert reader.ros_distro == "rosbags"
        assert all(topic.definition for topic in reader.topics.values())
        assert reader.warnings == ()


def test_chunk_compression_of_rosbags_is_read(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "bag", version=9, storage_plugin=StoragePlugin.MCAP)
    writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/a", "std_msgs/msg/String", typestore=typestore())
        for number in range(100):
            writer.write(connection, number, b"%d" % number)
    assert len(read(tmp_path / "bag")) == 100


def test_what_is_no_bag_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    os.mkfifo(tmp_path / "pipe.mcap")
    for name in ("missing", "empty", "notes.txt", "pipe.mcap", "notes.txt/inside", "a\0b", "x" * 5000):
        with pytest.raises(BagNotFoundError, match="expected"):
            open_bag(tmp_path / name)


def test_a_folder_without_metadata_is_read_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", [("/a", 1, b"x")])
    (path / "metadata.yaml").unlink()
    assert read(path) == read(path / "bag_0.mcap") == [("/a", 1, b"x")]
    with open_bag(path) as reader:
        assert any("no metadata.yaml" in warning for warning in reader.warnings)


def test_a_missing_split_is_named(tmp_path: Path) -> None:
    path = joined_splits(tmp_path, [[("/a", n, b"x")] for n in range(3)])
    (path / "joined_1.mcap").unlink()
    with pytest.raises(BagCorruptError, match=r"lacks the file joined_1\.mcap"):
        open_bag(path)
    os.mkfifo(path / "joined_1.mcap")
    with pytest.raises(BagCorruptError, match=r"lacks the file joined_1\.mcap"):
        open_bag(path)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("  message_count: 3\n  topics", "  message_count: 4\n  topics", "in all where metadata.yaml counts 4"),
        ("bag_0.mcap\n  files", "../bag_0.mcap\n  files", "expected a path inside the bag's folder"),
        ("bag_0.mcap\n  files", "/etc/passwd\n  files", "expected a path inside the bag's folder"),
        ("storage_identifier: mcap", "storage_identifier: tape", "storage 'tape' is not known; expected one of: mcap"),
        ("storage_identifier: mcap", "storage_identifier: sqlite3", "is damaged or no database"),
        ("version: 9", "version: 3", "metadata version 3, which is not supported; expected 4 to 9"),
        ("type: std_msgs/msg/String", "type: std_msgs/msg/Bool", "expected one type for a topic"),
        ("name: /a", "name: /b", "where metadata.yaml counts"),
        ("  version: 9", "  version: 9\n  version: 9", "is not YAML in line"),
        ("relative_file_paths:", "relative_file_paths:\n  - bag_0.mcap", "lists a file twice"),
    ],
)
def test_metadata_that_disagrees_with_the_files_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = write(tmp_path / "bag", [("/a", n, b"x") for n in range(3)])
    text = (path / "metadata.yaml").read_text()
    assert old in text
    (path / "metadata.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(BagError, match=reason.replace(".", r"\.")):
        open_bag(path)


def test_metadata_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", [])
    (path / "metadata.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BagCorruptError, match="is not UTF-8 text"):
        open_bag(path)


def test_wrong_times_in_metadata_are_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", [("/a", 100, b"x")])
    text = (path / "metadata.yaml").read_text()
    (path / "metadata.yaml").write_text(text.replace("epoch: 100", "epoch: 90"))
    with open_bag(path) as reader:
        assert (reader.start_ns, reader.end_ns) == (100, 100)
        assert "90 ns" in reader.warnings[0]


def test_a_topic_that_is_not_in_the_bag_is_refused_at_once(tmp_path: Path) -> None:
    with (
        open_bag(write(tmp_path / "bag", [])) as reader,
        pytest.raises(TopicError, match="topic '/b' is not known; expected one of: /a"),
    ):
        reader.messages(["/a", "/b"])


def test_a_bare_file_says_what_the_bag_said(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", [("/a", 3, b"x")])
    with open_bag(path) as folder, open_bag(path / "bag_0.mcap") as file:
        assert dict(file.topics) == dict(folder.topics)
        assert file.custom_data == folder.custom_data
        assert file.metadata_version == 9
        assert list(file.messages()) == list(folder.messages()) == [BagMessage("/a", TOPICS["/a"], 3, 3, b"x")]
        assert file.size_bytes == folder.size_bytes > 0


def test_ten_thousand_topics_are_written_read_and_verified(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        for number in range(10_000):
            writer.add_topic(f"/topic_{number}", "std_msgs/msg/String")
            writer.write(f"/topic_{number}", b"\0\1\0\0\1\0\0\0\0", receive_ns=number, publish_ns=number)
    with open_bag(tmp_path / "bag") as reader:
        assert len(reader.topics) == 10_000
        assert [message.receive_ns for message in reader.messages(["/topic_7", "/topic_9999"])] == [7, 9999]
    assert not verify_bag(tmp_path / "bag").failed
