"""The search behind damage is bounded, whatever stands there."""

import io
import struct
import zlib
from pathlib import Path

import pytest
import zstandard

from alpamayo_ros.storage.mcap_files.facts import Window
from alpamayo_ros.storage.mcap_files.resync import Resynchroniser


def chunk(content: bytes, *, crc: int | None = None, size: int | None = None, compression: str = "zstd") -> bytes:
    data = zstandard.compress(content) if compression == "zstd" else content
    name = compression.encode()
    crc = zlib.crc32(content) if crc is None else crc
    body = struct.pack("<QQQII", 1, 2, len(content) if size is None else size, crc, len(name)) + name
    body += struct.pack("<Q", len(data)) + data
    return struct.pack("<BQ", 6, len(body)) + body


def search(data: bytes) -> Resynchroniser:
    file = io.BytesIO(data)
    return Resynchroniser(Window(Path("some.mcap"), file), file)


RECORDS = struct.pack("<BQHIQQ", 5, 22 + 4, 1, 0, 1, 1) + b"\0\1\0\0"


@pytest.mark.parametrize("compression", ["zstd", ""])
@pytest.mark.parametrize("before", [0, 1, 100, 1024 * 1024 - 3, 1024 * 1024, 1024 * 1024 + 7])
def test_a_sound_chunk_is_found_wherever_it_stands(compression: str, before: int) -> None:
    data = b"\x06" * before + chunk(RECORDS, compression=compression)
    assert search(data).next_record(0) == before


@pytest.mark.parametrize(
    "wrong",
    [
        chunk(RECORDS, crc=1),
        chunk(RECORDS, size=5),
        chunk(RECORDS, size=2**39),
        chunk(RECORDS)[:-1],
        chunk(RECORDS, compression="lz4"),
        chunk(b"no records", crc=0),
        bytes(3000),
    ],
)
def test_what_only_looks_like_a_chunk_is_passed_over(wrong: bytes) -> None:
    assert search(wrong).next_record(0) is None
    assert search(wrong + chunk(RECORDS)).next_record(0) == len(wrong)


def test_a_chunk_without_checksum_is_found_if_it_is_made_of_records() -> None:
    assert search(b"\0" * 50 + chunk(RECORDS, crc=0)).next_record(0) == 50


def test_false_starts_cost_no_more_than_the_budget() -> None:
    """Each of 20,000 heads claims the whole rest of the file as a chunk; the work grows with the file, not squared."""
    head = struct.Struct("<BQQQQII4sQ")
    count = 20_000
    data = bytearray()
    for number in range(count):
        rest = (count - number - 1) * head.size
        data += head.pack(6, head.size - 9 + rest, 1, 2, 2**29, 1, 4, b"zstd", rest)
    looked = search(bytes(data))
    assert looked.next_record(0) is None
    assert looked.next_record(0) is None
