"""The records of an MCAP file: read at an offset, decompress within bounds, verify checksums.

Nothing that the file says about lengths is believed before it is compared with what is there.
"""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import lz4.frame  # type: ignore[import-untyped]
import zstandard
from mcap.exceptions import McapError
from mcap.opcode import Opcode

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
_CHUNK = struct.Struct("<QQQII")
"""First and last receive time, size and CRC of the records, and the length of the method's name."""

_LENGTH = struct.Struct("<Q")
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


def record_into(
    buffer: bytearray, path: Path, file: BinaryIO, offset: int, length: int, opcode: Opcode, what: str
) -> memoryview:
    """Read the record that an index points at into a buffer that is large enough, and return its content there."""
    view = memoryview(buffer)[:length]
    try:
        file.seek(offset)
        # A file that was opened by name fills the buffer, or has ended.
        count = file.readinto(view)  # type: ignore[attr-defined]
    except (OSError, OverflowError, ValueError) as error:
        raise corrupt(path, f"cannot be read at its {what} ({error})") from error
    if count != length or length < RECORD.size:
        raise corrupt(path, f"ends within its {what}")
    if RECORD.unpack_from(view) != (opcode, length - RECORD.size):
        raise corrupt(path, f"has no {what} where its index says")
    return view[RECORD.size :]


def chunk_content(path: Path, data: bytes, offset: int, first_ns: int, last_ns: int) -> bytes:
    """Return a chunk's records: decompressed within the stated size, and equal to its checksum."""
    content = chunk_view(path, memoryview(data), offset, first_ns, last_ns)
    return content if isinstance(content, bytes) else bytes(content)


def chunk_view(path: Path, data: memoryview, offset: int, first_ns: int, last_ns: int) -> bytes | memoryview:
    """Return the same without a copy: as a view of ``data`` where they are not compressed."""
    where = f"chunk at byte {offset}"
    try:
        *times, size, crc, name_bytes = _CHUNK.unpack_from(data)
        compression = str(data[_CHUNK.size : _CHUNK.size + name_bytes], "utf-8")
        start = _CHUNK.size + name_bytes + _LENGTH.size
        (stored_bytes,) = _LENGTH.unpack_from(data, start - _LENGTH.size)
    except PARSE_ERRORS as error:
        raise corrupt(path, f"has a damaged {where}") from error
    if times != [first_ns, last_ns]:
        raise corrupt(path, f"has other times in its {where} than in its index")
    if size > MAX_CHUNK_BYTES:
        raise corrupt(path, f"has {size} bytes in its {where}, which is more than this reader takes")
    try:
        content = decompressed(compression, data[start : start + stored_bytes], size)
    except (zstandard.ZstdError, RuntimeError, ValueError, EOFError) as error:
        raise corrupt(path, f"has a damaged {where}") from error
    except KeyError as error:
        raise BagError(
            f"bag file {path} has the chunk compression {compression[:40]!r}; expected zstd, lz4 or none"
        ) from error
    if len(content) != size or (crc and crc != zlib.crc32(content)):
        raise corrupt(path, f"has a {where} that differs from its checksum")
    return content


def decompressed(compression: str, data: memoryview, size: int) -> bytes | memoryview:
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
