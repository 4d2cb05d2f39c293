"""Files without chunks, as rosbag2's preset fastwrite leaves them, are read like any other."""

import random
from pathlib import Path
from typing import Any

import pytest
from mcap.writer import Writer

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.storage.reader import open_bag

Row = tuple[str, int, bytes]


def fastwrite(path: Path, rows: list[Row], **options: Any) -> Path:
    with path.open("wb") as stream:
        writer = Writer(stream, use_chunking=False, **options)
        writer.start(profile="ros2")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data\n")
        channels: dict[str, int] = {}
        for topic, receive_ns, payload in rows:
            if topic not in channels:
                # As the recorder does: a topic is declared when it first appears, between messages.
                channels[topic] = writer.register_channel(topic, "cdr", schema)
            writer.add_message(channels[topic], receive_ns, payload, receive_ns)
        writer.add_attachment(7, 3, "map.yaml", "text/yaml", b"lanes: 2")
        writer.finish()
    return path


def rows(number: int, size: int) -> list[Row]:
    shuffled = random.Random(4)
    return [
        (f"/{'ab'[index % 2]}", 1000 + 10 * index + shuffled.randrange(50), bytes([index % 256]) * size)
        for index in range(number)
    ]


def read(path: Path, **options: Any) -> list[Row]:
    with open_bag(path) as reader:
        return [(message.topic, message.receive_ns, message.payload) for message in reader.messages(**options)]


def test_messages_outside_of_chunks_are_read_in_order_and_by_time(tmp_path: Path) -> None:
    written = rows(500, 9000)
    path = fastwrite(tmp_path / "a.mcap", written)
    in_order = sorted(written, key=lambda row: (row[1], row[0]))
    assert sorted(read(path)) == sorted(written)
    assert [row[1] for row in read(path)] == [row[1] for row in in_order]
    wanted = [row for row in in_order if 2000 <= row[1] < 2600]
    assert sorted(read(path, start_ns=2000, end_ns=2600)) == sorted(wanted)
    assert {row[0] for row in read(path, topics=["/b"])} == {"/b"}


def bytes_read() -> int:
    """Return what this process has asked the kernel for so far."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_only_the_spans_that_can_hold_wanted_messages_are_read(tmp_path: Path) -> None:
    path = fastwrite(tmp_path / "a.mcap", [("/a", index, bytes(100_000)) for index in range(200)])
    with open_bag(path) as reader:
        before = bytes_read()
        assert len(list(reader.messages(start_ns=100, end_ns=101))) == 1
        assert bytes_read() - before < 4_000_000


def test_an_attachment_is_read_back(tmp_path: Path) -> None:
    path = fastwrite(tmp_path / "a.mcap", rows(3, 3))
    with open_bag(path) as reader:
        (attachment,) = reader.attachments()
    assert (attachment.name, attachment.media_type, attachment.data) == ("map.yaml", "text/yaml", b"lanes: 2")
    assert (attachment.create_ns, attachment.log_ns) == (7, 3)


def test_a_damaged_attachment_is_named(tmp_path: Path) -> None:
    path = fastwrite(tmp_path / "a.mcap", rows(3, 3), enable_data_crcs=False)
    path.write_bytes(path.read_bytes().replace(b"lanes: 2", b"lanes: 3"))
    with open_bag(path) as reader, pytest.raises(BagCorruptError, match=r"attachment 'map\.yaml' that differs"):
        list(reader.attachments())


def test_statistics_that_disagree_with_the_messages_are_refused(tmp_path: Path) -> None:
    path = fastwrite(tmp_path / "a.mcap", [("/a", 1, b"needle"), ("/a", 2, b"x")], use_summary_offsets=False)
    data = bytearray(path.read_bytes())
    # The message record becomes one of a private opcode: still whole, but no message.
    data[data.index(b"needle") - 31] = 0x81
    path.write_bytes(data)
    with pytest.raises(BagCorruptError, match=r"other numbers of messages|checksum"):
        open_bag(path)
