"""The walk over an MCAP file: every record where it is, through damage, within bounds."""

import io
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from mcap.records import DataEnd, Footer
from mcap.writer import CompressionType, Writer

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.storage.mcap_files.facts import ChunkHead, End, EndReason, Found, Hole, MessageHead
from alpamayo_ros.storage.mcap_files.index import read_index
from alpamayo_ros.storage.mcap_files.scan import message_spans, scan_mcap

CDR = b"\0\1\0\0"
COUNT = 400


def library_bytes(*, payload: bytes = b"x" * 50, count: int = COUNT, channels: int = 2, **options: object) -> bytes:
    """Return a file of the mcap library's writer: message k on channel k modulo the channels, at time 1000 + k."""
    stream = io.BytesIO()
    writer = Writer(stream, **{"chunk_size": 2000, **options})  # type: ignore[arg-type]
    writer.start(profile="ros2")
    schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
    ids = [writer.register_channel(f"/topic{number}", "cdr", schema) for number in range(channels)]
    for number in range(count):
        writer.add_message(ids[number % channels], 1000 + number, CDR + payload, 900 + number)
    writer.add_metadata("note", {"key": "value"})
    writer.finish()
    return stream.getvalue()


def scan(data: bytes, *, resynchronise: bool = True) -> list[Found]:
    return list(scan_mcap(Path("some.mcap"), io.BytesIO(data), resynchronise=resynchronise))


def kinds(found: list[Found]) -> Counter[str]:
    return Counter(type(item.content).__name__ for item in found)


def of_type(found: list[Found], kind: type) -> list[Found]:
    return [item for item in found if isinstance(item.content, kind)]


@pytest.mark.parametrize("compression", list(CompressionType))
def test_every_record_of_a_sound_file_is_met_once_and_in_place(compression: CompressionType) -> None:
    data = library_bytes(compression=compression)
    found = scan(data)
    assert isinstance(found[-1].content, End)
    assert found[-1].content.reason is EndReason.COMPLETE
    position = 8
    for item in found[:-1]:
        assert (item.offset, item.complete) == (position, True)
        position += item.length
    assert position == len(data) - 8
    index = read_index(Path("some.mcap"), io.BytesIO(data))
    chunks = of_type(found, ChunkHead)
    assert [(item.content.first_ns, item.content.last_ns, item.offset, item.length) for item in chunks] == [
        tuple(index.chunks[start : start + 4]) for start in range(0, len(index.chunks), 4)
    ]
    assert found == scan(data, resynchronise=False)


def test_a_cut_at_every_byte_is_met_as_far_as_it_goes() -> None:
    data = library_bytes(count=60)
    whole = scan(data)
    for length in range(len(data)):
        found = scan(data[:length])
        end = found[-1].content
        assert isinstance(end, End)
        assert end.reason is not EndReason.COMPLETE
        complete = [item for item in found[:-1] if item.complete]
        assert complete == [item for item in whole[:-1] if item.offset + item.length <= length and length >= 8]
        assert sum(item.length for item in found) + (8 if length >= 8 else 0) == length


@pytest.mark.parametrize("chunked", [True, False])
def test_a_hole_of_zeros_loses_only_what_it_hit(chunked: bool) -> None:
    data = bytearray(library_bytes(use_chunking=chunked))
    kind = ChunkHead if chunked else MessageHead
    whole = of_type(scan(bytes(data)), kind)
    begin, end = len(data) // 3, len(data) // 3 + 700
    data[begin:end] = bytes(end - begin)
    found = scan(bytes(data))
    holes = of_type(found, Hole)
    assert holes
    assert all(begin - 3000 < hole.offset and hole.offset + hole.length < end + 3000 for hole in holes)
    met = {item.offset for item in of_type(found, kind)}
    assert {item.offset for item in whole if item.offset >= end or item.offset + item.length <= begin} <= met
    assert isinstance(found[-1].content, End)
    assert found[-1].content.reason is EndReason.COMPLETE


def test_a_chunk_with_a_wrong_length_does_not_hide_those_behind_it() -> None:
    data = bytearray(library_bytes())
    chunks = of_type(scan(bytes(data)), ChunkHead)
    for length in (5, chunks[3].offset - chunks[0].offset + 17, 2**40, 2**63, 2**64 - 1):
        damaged = bytearray(data)
        struct.pack_into("<Q", damaged, chunks[1].offset + 1, length)
        met = {item.offset for item in of_type(scan(bytes(damaged)), ChunkHead)}
        assert {chunk.offset for chunk in chunks} - met == {chunks[1].offset}


def test_damage_ends_a_walk_that_does_not_search() -> None:
    data = bytearray(library_bytes())
    offset = of_type(scan(bytes(data)), ChunkHead)[2].offset
    data[offset : offset + 20] = bytes(20)
    found = scan(bytes(data), resynchronise=False)
    assert (found[-1].offset, found[-1].length) == (offset, len(data) - offset)
    assert found[-1].content == End(
        EndReason.DAMAGED,
        f"has no record (its kind would be 0) at byte {offset}, and nothing readable behind",
    )


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"SQLite format 3\0", bytes(5000), b"\x89MCAP0\r\n", b"\x06" * 5000, b"\xff" * 300]
)
def test_what_is_no_file_of_the_kind_ends_at_once(data: bytes) -> None:
    found = scan(data)
    assert isinstance(found[-1].content, End)
    assert found[-1].content.reason is not EndReason.COMPLETE
    assert kinds(found).keys() <= {"End", "Hole"}


def test_bytes_behind_the_footer_are_noticed() -> None:
    data = library_bytes()
    found = scan(data + b"more")
    assert found[-1].content == End(EndReason.DAMAGED, "has other bytes behind its footer")
    assert isinstance(found[-2].content, Footer)


def test_spans_cover_all_messages_outside_of_chunks() -> None:
    data = library_bytes(use_chunking=False)
    spans = message_spans(Path("some.mcap"), io.BytesIO(data), span_bytes=1000)
    rows = [tuple(spans.spans[start : start + 4]) for start in range(0, len(spans.spans), 4)]
    assert len(rows) == len(spans.channels) > 10
    assert all(length <= 1000 for _, _, _, length in rows)
    heads = of_type(scan(data), MessageHead)
    for first_ns, last_ns, offset, length in rows:
        inside = [item.content.receive_ns for item in heads if offset <= item.offset < offset + length]
        assert (first_ns, last_ns) == (min(inside), max(inside))
    assert sum(row[1] - row[0] + 1 for row in rows) == COUNT
    assert spans.counts == {1: COUNT // 2, 2: COUNT // 2}
    assert (set(spans.declared), set(spans.schemas)) == ({1, 2}, {1})


def test_a_message_larger_than_a_span_is_a_span_of_its_own() -> None:
    data = library_bytes(use_chunking=False, payload=b"x" * 5000, count=5)
    spans = message_spans(Path("some.mcap"), io.BytesIO(data), span_bytes=1000)
    assert list(spans.spans[3::4]) == [31 + 5004] * 5


def test_spans_of_a_cut_or_damaged_file_are_refused() -> None:
    data = library_bytes(use_chunking=False)
    end = of_type(scan(data), DataEnd)[0].offset
    for wrong in (data[:end], data[: end // 2], data[:500] + bytes(200) + data[700:]):
        with pytest.raises(BagCorruptError, match=r"some.mcap .*: run 'alpamayo bag recover'"):
            message_spans(Path("some.mcap"), io.BytesIO(wrong))


def test_a_chunk_inside_of_a_damaged_chunk_is_not_taken_for_one_when_its_checksum_is_wrong() -> None:
    data = bytearray(library_bytes(compression=CompressionType.NONE))
    chunk = of_type(scan(bytes(data)), ChunkHead)[1]
    inner = bytearray(data[chunk.offset : chunk.offset + 200])
    struct.pack_into("<Q", inner, 1, 191)
    data[chunk.offset + 300 : chunk.offset + 500] = inner
    data[chunk.offset + 1 : chunk.offset + 9] = bytes(8)
    offsets = [item.offset for item in of_type(scan(bytes(data)), ChunkHead)]
    assert chunk.offset + 300 not in offsets
    assert len(offsets) > 5


def test_the_file_may_be_read_elsewhere_in_between(tmp_path: Path, make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", [("/odom", number, b"x") for number in range(100)], chunk_size=100) / "bag_0.mcap"
    with path.open("rb") as file:
        whole = list(scan_mcap(path, file))
        disturbed = []
        for item in scan_mcap(path, file):
            file.seek(3)
            disturbed.append(item)
    assert disturbed == whole
