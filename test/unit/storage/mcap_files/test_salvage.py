"""What is left of a damaged MCAP file: everything that is whole, nothing that is not."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType, Writer

from alpamayo_ros.storage.mcap_files.facts import ChunkHead
from alpamayo_ros.storage.mcap_files.salvage import McapSalvage
from alpamayo_ros.storage.mcap_files.scan import scan_mcap
from alpamayo_ros.storage.recovery.salvage import Findings

CDR = b"\0\1\0\0"
ROWS = [("/odom" if number % 3 else "/imu", 1000 + number, CDR + b"payload %d" % number) for number in range(60)]
Recovered = list[tuple[str, int, bytes]]


def salvage(path: Path) -> tuple[Findings, Recovered]:
    """Return the findings, and all messages in file order."""
    file = McapSalvage(path)
    findings = file.survey(lambda _: None)
    ranks = {name: rank for rank, name in enumerate(findings.topics)}
    entries = []
    for block, start_ns in enumerate(file.starts()):
        read = file.read(block, ranks, 0)
        assert all(entry[0] >= start_ns for entry in read)
        entries += read
    entries.sort(key=lambda entry: entry[3])
    assert len(entries) == findings.message_count
    return findings, [(message.topic, message.receive_ns, message.payload) for *_, message in entries]


def chunks(path: Path) -> list[tuple[int, int, ChunkHead]]:
    with path.open("rb") as file:
        return [
            (found.offset, found.length, found.content)
            for found in scan_mcap(path, file)
            if isinstance(found.content, ChunkHead)
        ]


def whole_messages_before(data: bytes, head: ChunkHead, cut: int) -> int:
    """Count the messages of an uncompressed chunk that end before a cut."""
    position, count = head.data_offset, 0
    while position < head.data_offset + head.data_length:
        opcode, length = struct.unpack_from("<BQ", data, position)
        position += 9 + length
        count += opcode == 5 and position <= cut
    return count


KINDS = {"none": CompressionType.NONE, "zstd": CompressionType.ZSTD, "lz4": CompressionType.LZ4}


@pytest.mark.parametrize("compression", list(KINDS))
def test_a_file_that_is_cut_at_any_byte_gives_exactly_what_is_whole(tmp_path: Path, compression: str) -> None:
    path = write_library_file(tmp_path / "some.mcap", chunk_size=400, compression=KINDS[compression])
    data = path.read_bytes()
    whole = chunks(path)
    assert len(whole) > 4
    counts = []
    for offset, length, head in whole:
        path.write_bytes(data[: offset + length])
        counts.append((offset, offset + length, head, len(salvage(path)[1])))
    assert counts[-1][3] == len(ROWS)
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        findings, messages = salvage(path)
        assert messages == ROWS[: len(messages)]
        floor = max((count for _, end, _, count in counts if end <= cut), default=0)
        inside = [(head, start) for start, end, head, _ in counts if start < cut < end]
        if compression == "none":
            more = whole_messages_before(data, inside[0][0], cut) if inside else 0
            assert len(messages) == floor + more
        else:
            assert floor <= len(messages) <= min((count for _, end, _, count in counts if end > cut), default=len(ROWS))
        assert findings.end_missing
        assert findings.unverified == len(messages) - floor


@pytest.mark.parametrize("compression", ["none", "zstd", "lz4"])
@pytest.mark.parametrize("size", [1, 40, 900])
def test_a_hole_loses_the_chunks_that_it_hit(make_bag: Callable[..., Path], compression: str, size: int) -> None:
    path = make_bag("bag", ROWS, chunk_size=600, compression=compression) / "bag_0.mcap"
    data = path.read_bytes()
    whole = chunks(path)
    path.write_bytes(data)
    for begin in range(whole[1][0], whole[-1][0], 37):
        damaged = bytearray(data)
        damaged[begin : begin + size] = bytes(byte ^ 0xFF for byte in data[begin : begin + size])
        path.write_bytes(damaged)
        findings, messages = salvage(path)
        assert set(messages) <= set(ROWS)
        hit = [start for start, length, _ in whole if start < begin + size and begin < start + length]
        assert len(messages) >= len(ROWS) - 16 * len(hit)
        assert hit or len(messages) == len(ROWS)
        assert findings.losses.count or len(messages) == len(ROWS)
        assert findings.expected == len(ROWS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    compression=st.sampled_from(["none", "zstd", "lz4"]),
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.integers(1, 3000), st.sampled_from(["zeros", "noise", "flip", "delete", "copy"])),
        min_size=1,
        max_size=5,
    ),
    seed=st.integers(0, 2**32),
)
def test_random_damage_never_makes_a_message_that_was_not_there(
    tmp_path_factory: pytest.TempPathFactory,
    compression: str,
    edits: list[tuple[float, int, str]],
    seed: int,
) -> None:
    path = tmp_path_factory.mktemp("damage") / "some.mcap"
    write_library_file(path, compression=KINDS[compression])
    path.write_bytes(damaged(path.read_bytes(), edits, seed))
    findings, messages = salvage(path)
    # What the end of the file cuts is covered by no checksum, and is counted as such.
    assert len(set(messages) - set(ROWS)) <= findings.unverified


def damaged(data: bytes, edits: list[tuple[float, int, str]], seed: int) -> bytes:
    generator = np.random.default_rng(seed)
    content = bytearray(data)
    for place, size, kind in edits:
        begin = int(place * len(content))
        length = len(content[begin : begin + size])
        if kind == "zeros":
            content[begin : begin + size] = bytes(length)
        elif kind == "noise":
            content[begin : begin + size] = generator.bytes(length)
        elif kind == "flip" and length:
            content[begin] ^= 1 << int(generator.integers(8))
        elif kind == "delete":
            del content[begin : begin + size]
        elif kind == "copy":
            content[begin:begin] = content[begin : begin + size]
    return bytes(content)


def write_library_file(path: Path, rows: list[tuple[str, int, bytes]] = ROWS, **options: Any) -> Path:
    with path.open("wb") as stream:
        writer = Writer(stream, **{"chunk_size": 600, **options})
        writer.start(profile="ros2")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
        ids = {name: writer.register_channel(name, "cdr", schema) for name in ("/odom", "/imu")}
        for topic, stamp, payload in rows:
            writer.add_message(ids[topic], stamp, payload, stamp)
        writer.finish()
    return path


def test_a_file_without_chunks_gives_what_is_around_a_hole(tmp_path: Path) -> None:
    path = write_library_file(tmp_path / "some.mcap", use_chunking=False)
    data = bytearray(path.read_bytes())
    data[1500:1700] = bytes(200)
    path.write_bytes(data)
    findings, messages = salvage(path)
    # The payload into which the hole reaches cannot be told from a whole one: no checksum covers it.
    assert len(set(messages) - set(ROWS)) <= 1
    assert len(ROWS) - len(messages) <= 6
    assert findings.unverified == len(messages)
    assert findings.losses.count == 1


def test_a_file_without_checksums_gives_the_messages_before_the_damage(tmp_path: Path) -> None:
    path = write_library_file(tmp_path / "some.mcap", enable_crcs=False, compression=CompressionType.NONE)
    data = bytearray(path.read_bytes())
    offset, _, head = chunks(path)[2]
    middle = head.data_offset + head.data_length // 2
    data[middle : middle + 60] = b"\xff" * 60
    path.write_bytes(data)
    findings, messages = salvage(path)
    assert len(ROWS) - len(messages) <= 8
    assert findings.losses.count == 1
    assert f"byte {offset}" in findings.losses.ranges[0].reason
    assert "messages of it were kept" in findings.losses.ranges[0].reason


def test_channels_that_a_lost_chunk_declared_are_taken_from_the_summary(make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", ROWS, chunk_size=600) / "bag_0.mcap"
    data = bytearray(path.read_bytes())
    offset, length, _ = chunks(path)[0]
    data[offset : offset + length] = bytes(length)
    path.write_bytes(data)
    findings, messages = salvage(path)
    assert {topic for topic, _, _ in messages} == {"/odom", "/imu"}
    assert findings.topics["/odom"].type_name == "nav_msgs/msg/Odometry"
    assert not findings.stray


def test_messages_whose_channel_is_lost_for_good_are_counted(make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", ROWS, chunk_size=600) / "bag_0.mcap"
    data = bytearray(path.read_bytes())
    whole = chunks(path)
    data[whole[0][0] : whole[1][0]] = bytes(whole[1][0] - whole[0][0])
    path.write_bytes(data[: whole[-1][0]])
    findings, messages = salvage(path)
    assert messages == []
    assert sum(findings.stray.values()) > 20
    assert any("whose definition is lost" in reason for reason in findings.stray)


def test_lengths_beyond_all_memory_are_not_believed(make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", ROWS, chunk_size=600) / "bag_0.mcap"
    data = path.read_bytes()
    offset, _, head = chunks(path)[1]
    for place in (offset + 1, offset + 9 + 16, head.data_offset - 8, offset + 9 + 28):
        for value in (2**63, 2**64 - 1, 2**40, 0):
            damaged_data = bytearray(data)
            struct.pack_into("<Q", damaged_data, place, value)
            path.write_bytes(damaged_data)
            findings, messages = salvage(path)
            assert set(messages) <= set(ROWS)
            assert len(messages) >= len(ROWS) - 24
            assert findings.losses.count >= 1


def test_attachments_are_given_if_they_equal_their_checksum(tmp_path: Path) -> None:
    path = tmp_path / "some.mcap"
    with path.open("wb") as stream:
        writer = Writer(stream)
        writer.start(profile="ros2")
        writer.add_attachment(1, 2, "good.txt", "text/plain", b"content")
        writer.add_attachment(1, 2, "bad.txt", "text/plain", b"spoiled content")
        writer.finish()
    data = path.read_bytes()
    path.write_bytes(data.replace(b"spoiled content", b"spoiled CONTENT"))
    file = McapSalvage(path)
    findings = file.survey(lambda _: None)
    kept = list(file.attachments())
    assert [(item.name, item.media_type, item.data) for item in kept] == [("good.txt", "text/plain", b"content")]
    assert findings.notes == ["the attachment 'bad.txt' is damaged and is left out"]
