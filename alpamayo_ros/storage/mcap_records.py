"""The records of an MCAP file: read at an offset, decompress within bounds, verify checksums.

Nothing that the file says about lengths is believed before it is compared with what is there.
"""

import io
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import lz4.frame  # type: ignore[import-untyped]
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Chunk

from alpamayo_ros.errors import BagCorruptError, BagError

MAGIC = b"\x89MCAP0\r\n"
MAX_CHUNK_BYTES = 1024 * 1024 * 1024
"""A larger chunk is refused; writers make chunks of about 1 MB and larger ones only for a larger message."""

RECORD = struct.Struct("<BQ")
"""Opcode and length of the content of any record."""

MESSAGE = struct.Struct("<BQHIQQ")
"""Opcode, length, channel id, sequence, log time and publish time of a message record."""

MESSAGE_FIELDS_BYTES = 22
MESSAGE_OPCODE = int(Opcode.MESSAGE)
PARSE_ERRORS = (McapError, struct.error, ValueError, OverflowError, MemoryError, EOFError)
_RECOVER = "run 'alpamayo bag recover' on the bag"


def corrupt(path: Path, wrong: str) -> BagCorruptError:
    """Word the error about a file that is damaged, truncated or without an index."""
    return BagCorruptError(f"bag file {path} {wrong}; expected a complete MCAP file: {_RECOVER}")


def read_at(path: Path, file: BinaryIO, offset: int, length: int, what: str) -> bytes:
    """Return ``length`` bytes at ``offset``; BagCorruptError names ``what`` the file lacks there."""
    try:
        file.seek(offset)
        data = file.read(length)
    except (OSError, OverflowError, ValueError) as error:
        raise corrupt(path, f"cannot be read at its {what} ({error})") from error
    if len(data) != length:
        raise corrupt(path, f"ends within its {what}")
    return data


def record_at(path: Path, file: BinaryIO, offset: int, length: int, opcode: Opcode, what: str) -> bytes:
    """Return the content of the record that an index points at."""
    opening = read_at(path, file, offset, RECORD.size, what)
    found, content_length = RECORD.unpack(opening)
    if found != opcode or content_length + RECORD.size != length:
        raise corrupt(path, f"has no {what} where its index says")
    if content_length > 2 * MAX_CHUNK_BYTES:
        raise corrupt(path, f"has a {what} of {content_length} bytes, which is more than this reader takes")
    return read_at(path, file, offset + RECORD.size, content_length, what)


def chunk_content(path: Path, data: bytes, offset: int, first_ns: int, last_ns: int) -> bytes:
    """Return a chunk's records: decompressed within the stated size, and equal to its checksum."""
    where = f"chunk at byte {offset}"
    try:
        chunk = Chunk.read(ReadDataStream(io.BytesIO(data)))
    except PARSE_ERRORS as error:
        raise corrupt(path, f"has a damaged {where}") from error
    if (chunk.message_start_time, chunk.message_end_time) != (first_ns, last_ns):
        raise corrupt(path, f"has other times in its {where} than in its index")
    size = chunk.uncompressed_size
    if size > MAX_CHUNK_BYTES:
        raise corrupt(path, f"has {size} bytes in its {where}, which is more than this reader takes")
    try:
        content = decompressed(chunk.compression, chunk.data, size)
    except (zstandard.ZstdError, RuntimeError, ValueError, EOFError) as error:
        raise corrupt(path, f"has a damaged {where}") from error
    except KeyError as error:
        raise BagError(
            f"bag file {path} has the chunk compression {chunk.compression[:40]!r}; expected zstd, lz4 or none"
        ) from error
    if len(content) != size or chunk.uncompressed_crc not in (0, zlib.crc32(content)):
        raise corrupt(path, f"has a {where} that differs from its checksum")
    return content


def decompressed(compression: str, data: bytes, size: int) -> bytes:
    """Decompress, never to more than ``size`` bytes whatever the data say; KeyError for an unknown method."""
    if compression == "":
        return data
    if compression == "zstd":
        if zstandard.frame_content_size(data) > size:
            raise ValueError("the frame is larger than the chunk says")
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    if compression == "lz4":
        content: bytes = lz4.frame.LZ4FrameDecompressor().decompress(data, max_length=size + 1)
        return content
    raise KeyError(compression)
