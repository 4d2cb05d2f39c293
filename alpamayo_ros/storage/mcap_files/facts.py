"""What stands at a place in an MCAP file: one record, judged by itself and by the size of the file alone."""

import io
import struct
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import lz4.frame  # type: ignore[import-untyped]
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import EndOfFile
from mcap.opcode import Opcode
from mcap.records import (
    AttachmentIndex,
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

from alpamayo_ros.storage.mcap_files.records import (
    MAX_CHUNK_BYTES,
    MESSAGE,
    MESSAGE_FIELDS_BYTES,
    PARSE_ERRORS,
    RECORD,
    chunk_content,
    corrupt,
    read_at,
)

MAX_RECORD_BYTES = 64 * 1024 * 1024
"""A larger record of any kind but chunk, message and attachment is damage: a definition has some kilobytes."""

CHUNK_FIELDS = struct.Struct("<QQQII")
"""First and last receive time, decompressed size, checksum, and length of the compression's name."""

COMPRESSION_NAMES = ("", "zstd", "lz4")
_MAX_NAME_BYTES = 64
_INDEX = struct.Struct("<HI")
_WINDOW_BYTES = 64 * 1024
_HEAD_BYTES = 64 * 1024
_DECOMPRESSION_ERRORS = (zstandard.ZstdError, RuntimeError, ValueError, EOFError, MemoryError)


class ChunkHead(NamedTuple):
    """What stands before the messages of a chunk.

    Attributes:
        first_ns: Stated receive time of the first message.
        last_ns: Stated receive time of the last message.
        size: Stated decompressed size.
        crc: Checksum of the decompressed content, 0 for none.
        compression: ``zstd``, ``lz4``, empty, or whatever the file says.
        data_offset: Where the compressed data begin in the file.
        data_length: Their length in the file; less than stated in a chunk that the end of the file cuts.
    """

    first_ns: int
    last_ns: int
    size: int
    crc: int
    compression: str
    data_offset: int
    data_length: int


class MessageHead(NamedTuple):
    """A message outside of chunks, without its payload."""

    channel_id: int
    receive_ns: int
    publish_ns: int
    payload_offset: int
    payload_length: int


class MessageIndexHead(NamedTuple):
    """An index of one channel's messages in the chunk before it; ``entries`` are pairs of 64-bit integers."""

    channel_id: int
    entries: bytes

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield receive time and offset in the decompressed chunk."""
        return struct.iter_unpack("<QQ", self.entries)


class AttachmentHead(NamedTuple):
    """An attachment without its data; ``crc`` is over ``crc_length`` bytes from ``content_offset``, 0 for none."""

    name: str
    media_type: str
    log_ns: int
    create_ns: int
    data_offset: int
    data_length: int
    content_offset: int
    crc_length: int
    crc: int


class UnknownRecord(NamedTuple):
    """A record of a kind that this package does not know; the format wants such records to be passed over."""

    opcode: int


class Hole(NamedTuple):
    """Bytes that are no record; the walk went on behind them."""

    reason: str


class EndReason(Enum):
    """Why the walk ended."""

    COMPLETE = "complete"
    """With a footer, as every closed file."""
    OPEN = "open"
    """Behind a complete record, without a footer: the writer was killed."""
    CUT = "cut"
    """Within a record."""
    DAMAGED = "damaged"
    """Nothing was found behind a damaged record."""


class End(NamedTuple):
    """The last thing that a walk yields."""

    reason: EndReason
    sentence: str


Content: TypeAlias = (
    Header
    | Schema
    | Channel
    | ChunkHead
    | MessageHead
    | MessageIndexHead
    | Metadata
    | MetadataIndex
    | AttachmentHead
    | AttachmentIndex
    | ChunkIndex
    | Statistics
    | SummaryOffset
    | DataEnd
    | Footer
    | UnknownRecord
    | Hole
    | End
)


class Found(NamedTuple):
    """Something at a place in the file.

    Attributes:
        offset: Of its first byte.
        length: Bytes in the file, with opcode and length field.
        content: What it is.
        complete: Whether all of it is in the file; only the last chunk can be incomplete.
    """

    offset: int
    length: int
    content: Content
    complete: bool = True


class Window:
    """Reads small pieces of a file through a buffer, so that walking over records costs few system calls."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Measure the file.

        Raises:
            BagCorruptError: It cannot be read.
        """
        self.path = path
        self._file = file
        self._start = 0
        self._buffer = b""
        try:
            self.size = file.seek(0, io.SEEK_END)
        except OSError as error:
            raise corrupt(path, f"cannot be read ({error})") from error

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes at ``offset``, fewer at the end of the file."""
        begin = offset - self._start
        if begin >= 0 and begin + length <= len(self._buffer):
            return self._buffer[begin : begin + length]
        try:
            self._file.seek(offset)
            data = self._file.read(max(length, _WINDOW_BYTES))
        except (OSError, OverflowError, ValueError) as error:
            raise corrupt(self.path, f"cannot be read at byte {offset} ({error})") from error
        if length < _WINDOW_BYTES:
            self._start, self._buffer = offset, data
        return data[:length]


class ImplausibleError(Exception):
    """The bytes at a place are no record; ``text`` says why, with a verb first.

    Internal to the walk: nobody outside of it meets this error.
    """

    def __init__(self, text: str, *, beyond: bool = False) -> None:
        """Remember what is wrong, and whether the record would be one if the file were longer."""
        super().__init__(text)
        self.text = text
        self.beyond = beyond


class StrictStream(ReadDataStream):
    """A stream of the library that does not pass off the end of a record as a shorter text."""

    def read(self, length: int) -> bytes:
        """Return exactly ``length`` bytes."""
        data = super().read(length)
        if len(data) != length:
            raise EndOfFile
        return data


_PARSERS: dict[Opcode, Any] = {
    Opcode.HEADER: Header,
    Opcode.FOOTER: Footer,
    Opcode.SCHEMA: Schema,
    Opcode.CHANNEL: Channel,
    Opcode.CHUNK_INDEX: ChunkIndex,
    Opcode.ATTACHMENT_INDEX: AttachmentIndex,
    Opcode.STATISTICS: Statistics,
    Opcode.METADATA: Metadata,
    Opcode.METADATA_INDEX: MetadataIndex,
    Opcode.SUMMARY_OFFSET: SummaryOffset,
    Opcode.DATA_END: DataEnd,
}
_FIRST_PRIVATE_OPCODE = 0x80
_NAMES = {opcode: opcode.name.lower().replace("_", " ") for opcode in Opcode}


def record_found(window: Window, offset: int) -> Found:
    """Read the record at a place.

    Raises:
        ImplausibleError: There is none.
        BagCorruptError: The file cannot be read.
    """
    opening = window.read(offset, RECORD.size)
    if len(opening) < RECORD.size:
        raise ImplausibleError("ends within a record", beyond=True)
    opcode, length = RECORD.unpack(opening)
    end = offset + RECORD.size + length
    known = _NAMES.get(opcode)
    if known is None:
        if opcode < _FIRST_PRIVATE_OPCODE or end > window.size:
            raise ImplausibleError(f"has no record (its kind would be {opcode})")
        return Found(offset, end - offset, UnknownRecord(opcode))
    if opcode == Opcode.CHUNK:
        return _chunk_found(window, offset, length)
    if opcode == Opcode.MESSAGE:
        return _message_found(window, offset, length)
    if opcode == Opcode.ATTACHMENT:
        return _attachment_found(window, offset, length)
    if length > MAX_RECORD_BYTES:
        raise ImplausibleError(f"has a {known} of {length} bytes, which is no such thing")
    if end > window.size:
        raise ImplausibleError(f"ends within its {known}", beyond=True)
    return Found(offset, end - offset, record_parsed(opcode, window.read(offset + RECORD.size, length)))


def record_parsed(opcode: int, data: bytes) -> Content:
    """Parse the content of a record that is neither chunk, message nor attachment.

    Raises:
        ImplausibleError: It is not what its opcode says.
    """
    if opcode == Opcode.MESSAGE_INDEX:
        channel_id, entries_bytes = _INDEX.unpack_from(data) if len(data) >= _INDEX.size else (0, -1)
        if entries_bytes != len(data) - _INDEX.size or entries_bytes % 16:
            raise ImplausibleError("has a damaged message index")
        return MessageIndexHead(channel_id, data[_INDEX.size :])
    parser = _PARSERS[Opcode(opcode)]
    try:
        content: Content = parser.read(StrictStream(io.BytesIO(data)))
    except PARSE_ERRORS as error:
        raise ImplausibleError(f"has a damaged {_NAMES[Opcode(opcode)]}") from error
    return content


def _chunk_found(window: Window, offset: int, length: int) -> Found:
    fixed = window.read(offset + RECORD.size, CHUNK_FIELDS.size)
    if len(fixed) < CHUNK_FIELDS.size:
        raise ImplausibleError("ends within the head of a chunk", beyond=True)
    first_ns, last_ns, size, crc, name_length = CHUNK_FIELDS.unpack(fixed)
    if name_length > _MAX_NAME_BYTES or first_ns > last_ns:
        raise ImplausibleError("has a damaged head of a chunk")
    at = offset + RECORD.size + CHUNK_FIELDS.size
    rest = window.read(at, name_length + 8)
    if len(rest) < name_length + 8:
        raise ImplausibleError("ends within the head of a chunk", beyond=True)
    data_offset, data_length = at + name_length + 8, int.from_bytes(rest[name_length:], "little")
    if data_offset + data_length != offset + RECORD.size + length:
        raise ImplausibleError("has a chunk whose two lengths differ")
    try:
        compression = rest[:name_length].decode()
    except UnicodeDecodeError as error:
        raise ImplausibleError("has a damaged head of a chunk") from error
    complete = data_offset + data_length <= window.size
    data_length = min(data_length, window.size - data_offset)
    head = ChunkHead(first_ns, last_ns, size, crc, compression, data_offset, data_length)
    return Found(offset, data_offset + data_length - offset, head, complete)


def _message_found(window: Window, offset: int, length: int) -> Found:
    if length < MESSAGE_FIELDS_BYTES or length > MAX_CHUNK_BYTES:
        raise ImplausibleError(f"has a message of {length} bytes, which is no such thing")
    if offset + RECORD.size + length > window.size:
        raise ImplausibleError("ends within a message", beyond=True)
    _, _, channel_id, _, receive_ns, publish_ns = MESSAGE.unpack(window.read(offset, MESSAGE.size))
    head = MessageHead(channel_id, receive_ns, publish_ns, offset + MESSAGE.size, length - MESSAGE_FIELDS_BYTES)
    return Found(offset, RECORD.size + length, head)


def _attachment_found(window: Window, offset: int, length: int) -> Found:
    start = offset + RECORD.size
    if start + length > window.size:
        raise ImplausibleError("ends within an attachment", beyond=True)
    stream = StrictStream(io.BytesIO(window.read(start, min(length, _HEAD_BYTES))))
    try:
        log_ns, create_ns = stream.read8(), stream.read8()
        name, media_type = stream.read_prefixed_string(), stream.read_prefixed_string()
        data_length = stream.read8()
        crc_length = stream.count + data_length
        if crc_length + 4 > length:
            raise ImplausibleError("has a damaged attachment")
        crc = int.from_bytes(window.read(start + crc_length, 4), "little")
    except PARSE_ERRORS as error:
        raise ImplausibleError("has a damaged attachment") from error
    head = AttachmentHead(
        name, media_type, log_ns, create_ns, start + stream.count, data_length, start, crc_length, crc
    )
    return Found(offset, RECORD.size + length, head)


def read_chunk(path: Path, file: BinaryIO, offset: int, head: ChunkHead) -> bytes:
    """Return a complete chunk's records: decompressed within the stated size, and equal to its checksum.

    Raises:
        BagCorruptError: They are not what the chunk says.
        BagError: The compression is not known.
    """
    if head.size > MAX_CHUNK_BYTES or head.data_length > 2 * MAX_CHUNK_BYTES:
        size = max(head.size, head.data_length)
        raise corrupt(path, f"has {size} bytes in its chunk at byte {offset}, more than this reader takes")
    start = offset + RECORD.size
    data = read_at(path, file, start, head.data_offset + head.data_length - start, f"chunk at byte {offset}")
    return chunk_content(path, data, offset, head.first_ns, head.last_ns)


def beginning_of_chunk(file: BinaryIO, head: ChunkHead) -> bytes:
    """Return what can be decompressed of a chunk, from its start: less than all if it is cut or damaged.

    No checksum covers it.
    """
    limit = min(head.size, MAX_CHUNK_BYTES)
    try:
        file.seek(head.data_offset)
        data = file.read(min(head.data_length, MAX_CHUNK_BYTES))
    except (OSError, OverflowError):
        return b""
    if head.compression == "":
        return data[:limit]
    if head.compression not in COMPRESSION_NAMES:
        return b""
    pieces: list[bytes] = []
    taken = 0
    decompressor = _decompressor(head.compression)
    try:
        for start in range(0, len(data), _STEP_BYTES):
            piece = decompressor(data[start : start + _STEP_BYTES])
            pieces.append(piece[: limit - taken])
            taken += len(piece)
            if taken >= limit:
                break
    except _DECOMPRESSION_ERRORS:
        pass  # Damaged from here on.
    return b"".join(pieces)


_STEP_BYTES = 4096
"""Compressed bytes at a time: a hostile frame of that size can become about 130 MB before it is looked at again."""


def _decompressor(compression: str) -> Callable[[bytes], bytes]:
    if compression == "lz4":
        frame = lz4.frame.LZ4FrameDecompressor()
        return lambda data: b"" if frame.eof else frame.decompress(data)
    stream = zstandard.ZstdDecompressor().decompressobj()
    return lambda data: b"" if stream.eof else stream.decompress(data)
