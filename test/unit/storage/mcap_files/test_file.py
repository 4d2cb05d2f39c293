"""MCAP files that are cut, damaged or hostile: one sentence, never wrong messages, never a foreign exception."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcap.data_stream import RecordBuilder
from mcap.records import Chunk
from mcap.writer import CompressionType, IndexType, Writer

from alpamayo_ros.errors import BagCorruptError, BagError
from alpamayo_ros.storage import compressed_file
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.mcap_files import file as mcap_file
from alpamayo_ros.storage.mcap_files.file import McapFile
from alpamayo_ros.storage.reader import open_bag

ROWS = [("/odom" if number % 3 else "/imu", 1000 + number, b"payload %d" % number) for number in range(200)]


def contents(path: Path) -> list[tuple[str, int, bytes]]:
    with open_bag(path) as reader:
        list(reader.metadata_records())
        return [(message.topic, message.receive_ns, message.payload) for message in reader.messages()]


def library_file(path: Path, fill: Callable[[Writer], None], **options: Any) -> Path:
    """Write a file with the mcap library's own writer."""
    with path.open("wb") as stream:
        writer = Writer(stream, **options)
        writer.start(profile="ros2")
        fill(writer)
        writer.finish()
    return path


@pytest.mark.parametrize("percent", range(0, 100, 10))
@pytest.mark.parametrize("bare", [True, False])
def test_a_cut_file_is_refused_with_what_to_do(make_bag: Callable[..., Path], percent: int, bare: bool) -> None:
    path = make_bag("bag", ROWS, chunk_size=1000)
    file = path / "bag_0.mcap"
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * percent // 100])
    with pytest.raises(BagCorruptError, match="run 'alpamayo bag recover'") as caught:
        contents(file if bare else path)
    assert "\n" not in str(caught.value)


def test_every_cut_near_the_end_is_refused(make_bag: Callable[..., Path]) -> None:
    file = make_bag("bag", ROWS) / "bag_0.mcap"
    data = file.read_bytes()
    for length in range(len(data) - 60, len(data)):
        file.write_bytes(data[:length])
        with pytest.raises(BagCorruptError):
            contents(file)


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
def test_a_flipped_byte_is_found_or_changes_no_message(
    make_bag: Callable[..., Path], identity: BagIdentity, compression: str
) -> None:
    path = make_bag("bag", ROWS, chunk_size=3000, compression=compression, identity=identity)
    file = path / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    generator = np.random.default_rng(0)
    found = 0
    for position in np.sort(generator.choice(len(data), 250, replace=False)).tolist():
        old = data[position]
        data[position] ^= int(generator.integers(1, 256))
        file.write_bytes(data)
        try:
            assert contents(file) == ROWS
        except BagError:
            found += 1
        data[position] = old
    assert found > 100


def test_a_flipped_byte_in_a_chunk_is_always_found(make_bag: Callable[..., Path]) -> None:
    file = make_bag("bag", ROWS, compression="none") / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    place = data.index(b"payload 77")
    data[place + 8] ^= 1
    file.write_bytes(data)
    with pytest.raises(BagCorruptError, match="differs from its checksum"):
        contents(file)


def test_messages_before_the_damage_are_given_first(make_bag: Callable[..., Path]) -> None:
    file = make_bag("bag", ROWS, compression="none", chunk_size=1000) / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    data[data.index(b"payload 150")] ^= 1
    file.write_bytes(data)
    found = []

    def read() -> None:
        with open_bag(file) as reader:
            found.extend(message.receive_ns for message in reader.messages())

    with pytest.raises(BagCorruptError):
        read()
    assert 100 < len(found) <= 150
    assert found == [row[1] for row in ROWS[: len(found)]]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    for name, data in [("empty.mcap", b""), ("text.mcap", b"hello world, this is no bag" * 10)]:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BagCorruptError, match=r"is empty|does not begin as an MCAP file"):
            contents(tmp_path / name)


@pytest.mark.parametrize(
    "options",
    [{"index_types": IndexType.NONE}, {"use_statistics": False}],
)
def test_a_file_without_index_or_statistics_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    def fill(writer: Writer) -> None:
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data\n")
        channel = writer.register_channel("/a", "cdr", schema)
        writer.add_message(channel, 1, b"x", 1)

    path = library_file(tmp_path / "a.mcap", fill, **options)
    with pytest.raises(BagCorruptError, match=r"no statistics|no index"):
        contents(path)


@pytest.mark.parametrize("compression", list(CompressionType))
def test_files_of_the_mcap_library_are_read(tmp_path: Path, compression: CompressionType) -> None:
    def fill(writer: Writer) -> None:
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data\n")
        channel = writer.register_channel("/a", "cdr", schema, {"topic_type_hash": "RIHS01_1"})
        writer.add_attachment(0, 0, "notes.txt", "text/plain", b"notes")
        for number in range(100):
            writer.add_message(channel, number, b"x%d" % number, number)

    path = library_file(tmp_path / "a.mcap", fill, compression=compression, chunk_size=500)
    assert contents(path) == [("/a", number, b"x%d" % number) for number in range(100)]


def test_a_channel_without_schema_and_an_unknown_encoding_still_list_and_iterate(tmp_path: Path) -> None:
    def fill(writer: Writer) -> None:
        channel = writer.register_channel("/nameless", "json", 0)
        binary = writer.register_schema("robot_msgs/msg/Odd", "ros2msg", b"\xff\xfe not text")
        odd = writer.register_channel("/odd", "cdr", binary, {"offered_qos_profiles": "garbage: [", "other": "x"})
        writer.add_message(channel, 5, b"{}", 5)
        writer.add_message(odd, 4, b"", 4)

    path = library_file(tmp_path / "a.mcap", fill)
    assert contents(path) == [("/odd", 4, b""), ("/nameless", 5, b"{}")]
    with open_bag(path) as reader:
        assert reader.topics["/nameless"].type_name == ""
        assert reader.topics["/nameless"].serialization_format == "json"
        assert reader.topics["/odd"].definition == ""
        assert reader.metadata_version is None
        assert any("not UTF-8" in text for text in reader.warnings)
        assert any("/odd" in text and "offered_qos_profiles" in text for text in reader.warnings)


def test_several_channels_of_one_topic_are_one_topic(tmp_path: Path) -> None:
    def fill(writer: Writer) -> None:
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data\n")
        for number in range(3):
            channel = writer.register_channel("/a", "cdr", schema, {"publisher": str(number)})
            writer.add_message(channel, 10 - number, b"x", 0)

    path = library_file(tmp_path / "a.mcap", fill)
    assert [row[1] for row in contents(path)] == [8, 9, 10]
    with open_bag(path) as reader:
        assert reader.topics["/a"].message_count == 3


def test_a_topic_of_two_types_is_refused(tmp_path: Path) -> None:
    def fill(writer: Writer) -> None:
        for name in ("std_msgs/msg/String", "std_msgs/msg/Bool"):
            writer.register_channel("/a", "cdr", writer.register_schema(name, "ros2msg", b"x"))

    with pytest.raises(BagError, match="'std_msgs/msg/String' and 'std_msgs/msg/Bool'"):
        contents(library_file(tmp_path / "a.mcap", fill))


def test_a_bag_of_ros_1_is_named(tmp_path: Path) -> None:
    with (tmp_path / "a.mcap").open("wb") as stream:
        writer = Writer(stream)
        writer.start(profile="ros1")
        writer.finish()
    with pytest.raises(BagError, match="holds messages of ROS 1"):
        contents(tmp_path / "a.mcap")


def rewritten_summary(data: bytes, change: Callable[[bytearray], None]) -> bytes:
    """Change a file's summary and make its checksum right again, as an attacker would."""
    footer = len(data) - 8 - 29
    start = struct.unpack_from("<Q", data, footer + 9)[0]
    summary = bytearray(data[start : footer + 25])
    change(summary)
    return data[:start] + bytes(summary) + struct.pack("<I", zlib.crc32(bytes(summary))) + data[footer + 29 :]


def chunk_index_offset(summary: bytes) -> int:
    position = 0
    while summary[position] != 0x08:
        position += 9 + struct.unpack_from("<Q", summary, position + 1)[0]
    return position + 9


@pytest.mark.parametrize("value", [0, 8, 1 << 20, 1 << 40, (1 << 63) + 5, (1 << 64) - 1])
@pytest.mark.parametrize("field", range(5))
def test_an_index_that_lies_is_refused(make_bag: Callable[..., Path], field: int, value: int) -> None:
    """The first five fields: first time, last time, offset, length of the chunk, length of the offsets."""
    file = make_bag("bag", ROWS) / "bag_0.mcap"

    def change(summary: bytearray) -> None:
        struct.pack_into(
            "<Q" if field < 4 else "<I",
            summary,
            chunk_index_offset(summary) + 8 * field,
            value % (1 << (64 if field < 4 else 32)),
        )

    file.write_bytes(rewritten_summary(file.read_bytes(), change))
    with pytest.raises(BagCorruptError, match=r"expected a complete MCAP file|expected equal numbers"):
        contents(file)


def test_a_chunk_that_would_unpack_to_a_bomb_is_refused(tmp_path: Path) -> None:
    def fill(writer: Writer) -> None:
        channel = writer.register_channel("/a", "cdr", writer.register_schema("a/msg/B", "ros2msg", b"x"))
        writer.add_message(channel, 1, b"\0" * 5_000_000, 1)

    for compression in (CompressionType.ZSTD, CompressionType.LZ4):
        path = library_file(tmp_path / "a.mcap", fill, compression=compression)
        data = bytearray(path.read_bytes())
        chunk = data.index(b"\x06", 30)
        assert struct.unpack_from("<Q", data, chunk + 25)[0] > 5_000_000
        for size in (1000, 1 << 50):
            struct.pack_into("<Q", data, chunk + 25, size)
            path.write_bytes(data)
            with pytest.raises(BagCorruptError, match=r"more than this reader takes|damaged|checksum"):
                contents(path)


def test_a_chunk_in_the_summary_is_not_decompressed(make_bag: Callable[..., Path]) -> None:
    file = make_bag("bag", ROWS) / "bag_0.mcap"
    builder = RecordBuilder()
    Chunk("zstd", b"no zstd frame", 1, 0, 5, 1 << 40).write(builder)

    def change(summary: bytearray) -> None:
        first = 9 + struct.unpack_from("<Q", summary, 1)[0]
        summary[first:first] = builder.end()

    file.write_bytes(rewritten_summary(file.read_bytes(), change))
    assert len(contents(file)) == len(ROWS)


def test_a_summary_that_is_none_is_refused_before_it_is_read(make_bag: Callable[..., Path]) -> None:
    """As in a sparse file of many gigabytes whose footer says that its summary begins at its header."""
    file = make_bag("bag", ROWS) / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    struct.pack_into("<Q", data, len(data) - 8 - 20, 8)
    file.write_bytes(data)
    with pytest.raises(BagCorruptError, match="no summary at byte 8"):
        contents(file)


def test_a_chunk_that_the_index_names_twice_is_refused(make_bag: Callable[..., Path]) -> None:
    file = make_bag("bag", ROWS) / "bag_0.mcap"

    def change(summary: bytearray) -> None:
        start = chunk_index_offset(bytes(summary)) - 9
        end = start + 9 + struct.unpack_from("<Q", summary, start + 1)[0]
        summary[end:end] = summary[start:end]

    file.write_bytes(rewritten_summary(file.read_bytes(), change))
    with pytest.raises(BagCorruptError, match="names a chunk twice"):
        contents(file)


def test_more_messages_than_memory_holds_are_refused(
    make_bag: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_bag("bag", ROWS)
    monkeypatch.setattr(mcap_file, "MAX_CHUNK_MESSAGES", 50)
    with pytest.raises(BagCorruptError, match="more than 50 messages in its chunk"):
        contents(path)


def test_chunks_that_expand_without_end_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(writer: Writer) -> None:
        channel = writer.register_channel("/a", "cdr", writer.register_schema("a/msg/B", "ros2msg", b"x"))
        for number in range(20):
            writer.add_message(channel, number, bytes(1_000_000), number)

    path = library_file(tmp_path / "a.mcap", fill, compression=CompressionType.ZSTD, chunk_size=1000)
    assert len(contents(path)) == 20
    monkeypatch.setattr(compressed_file, "MAX_UNSUSPECTED_BYTES", 5_000_000)
    with pytest.raises(BagCorruptError, match="not a decompression bomb"):
        contents(path)


def test_statistics_that_contradict_the_messages_are_found(make_bag: Callable[..., Path]) -> None:
    file = make_bag("bag", ROWS) / "bag_0.mcap"

    def change(summary: bytearray) -> None:
        position = 0
        while summary[position] != 0x0B:
            position += 9 + struct.unpack_from("<Q", summary, position + 1)[0]
        length = struct.unpack_from("<Q", summary, position + 1)[0]
        struct.pack_into("<Q", summary, position + 9, 201)
        # The count of the last channel in the map.
        last = position + 9 + length - 8
        struct.pack_into("<Q", summary, last, struct.unpack_from("<Q", summary, last)[0] + 1)

    file.write_bytes(rewritten_summary(file.read_bytes(), change))
    with pytest.raises(BagCorruptError, match="holds 200 messages where it counts 201"):
        contents(file)


def test_random_bytes_between_the_magics_are_refused(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    path = tmp_path / "a.mcap"
    header = io.BytesIO()
    Writer(header).start(profile="ros2")
    for size in (0, 10, 100, 5000):
        path.write_bytes(header.getvalue() + generator.bytes(size) + b"\x89MCAP0\r\n")
        with pytest.raises(BagCorruptError):
            contents(path)


def test_the_index_is_read_again_where_it_is_not_kept(make_bag: Callable[..., Path]) -> None:
    file = make_bag("bag", ROWS) / "bag_0.mcap"
    kept, forgotten = McapFile(file, keep_index=True), McapFile(file, keep_index=False)
    assert kept.contents() == forgotten.contents()
    assert kept._known is not None
    assert forgotten._known is None


@pytest.mark.parametrize("compression", ["zstd", "none"])
def test_large_payloads_stay_what_they_are_when_the_next_chunk_is_read(
    make_bag: Callable[..., Path], compression: str
) -> None:
    sizes = [3_000_000, 10, 2_500_000, 3_000_001, 700, 5_000_000, 0, 2_100_000]
    rows = [("/odom", 1000 + number, bytes([number]) * size) for number, size in enumerate(sizes)]
    path = make_bag("bag", rows, compression=compression)
    assert contents(path) == rows
    with open_bag(path) as reader:
        assert all(type(message.payload) is bytes for message in reader.messages())


def test_a_large_chunk_with_a_wrong_byte_is_refused(make_bag: Callable[..., Path]) -> None:
    rows = [("/odom", 1000 + number, bytes([number]) * 3_000_000) for number in range(3)]
    file = make_bag("bag", rows, compression="none") / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    data[5_000_000] ^= 1
    file.write_bytes(data)
    with pytest.raises(BagCorruptError, match="differs from its checksum"):
        contents(file)
