"""Write one MCAP file in the layout that rosbag2 expects, so that an interrupted write loses as little as possible.

The records are the mcap library's; the layout is kept here, because the library's writer cannot go on after a
failed write: it has forgotten the chunk by then, and its statistics count messages that are not in the file.
Every step commits by one assignment, so that an exception between two byte codes (Ctrl-C) leaves a state
from which ``finish`` makes a readable file.
"""

import struct
import sys
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import lz4.frame  # type: ignore[import-untyped]
import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import Attachment as McapAttachment
from mcap.records import (
    AttachmentIndex,
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

from alpamayo_ros.storage.crc32 import joined_crc32
from alpamayo_ros.storage.filesystem import WritableFile
from alpamayo_ros.storage.running_sha256 import RunningSha256, Sha256Thread
from alpamayo_ros.storage.source import Attachment

MAGIC = b"\x89MCAP0\r\n"
PROFILE = "ros2"
LIBRARY = "alpamayo_ros"

Compression = Literal["zstd", "lz4", "none"]
COMPRESSIONS = ("zstd", "lz4", "none")

_MESSAGE = struct.Struct("<BQHIQQ")
_MESSAGE_FIELDS_BYTES = 22
_MESSAGE_OPCODE = int(Opcode.MESSAGE)
_CHUNK = struct.Struct("<BQQQQI")
_INDEX = struct.Struct("<BQHI")
_INDEX_ENTRY = struct.Struct("<QQ")
_CHUNK_OPCODE = int(Opcode.CHUNK)
_INDEX_OPCODE = int(Opcode.MESSAGE_INDEX)
_RECORD_BYTES = 9

_MIN_UNCOPIED_BYTES = 64 * 1024
"""A message from this size on that fills its chunk goes from the caller to the file."""

_MIN_JOINED_BYTES = 1024 * 1024
"""From this size on joining two CRCs is faster than summing again: 0.004 ms, or 0.15 ms for a new length."""


@dataclass(frozen=True, slots=True)
class McapStatistics:
    """What one file holds: message counts by channel id, and the receive times of its first and last message."""

    counts: Mapping[int, int]
    start_ns: int
    end_ns: int

    @property
    def message_count(self) -> int:
        """Messages in the file."""
        return sum(self.counts.values())


class _Buffer:
    """The chunk in progress: records up to ``filled`` are complete, and what is beyond was interrupted.

    Attributes:
        data: Records.
        filled: Bytes of complete records.
        indexes: Receive time and offset of each message, as MessageIndex records hold them, by channel id.
    """

    __slots__ = ("data", "filled", "indexes")

    def __init__(self) -> None:
        self.data = bytearray()
        self.filled = 0
        self.indexes: dict[int, bytearray] = {}

    def add(self, record: bytes) -> None:
        """Append a schema or channel."""
        self.drop_interrupted()
        self.data += record
        self.filled = len(self.data)

    def drop_interrupted(self) -> None:
        """Cut off what an interrupted call left behind."""
        if len(self.data) == self.filled:
            return
        for index in self.indexes.values():
            while index and _INDEX_ENTRY.unpack_from(index, len(index) - _INDEX_ENTRY.size)[1] >= self.filled:
                del index[-_INDEX_ENTRY.size :]
        self.indexes = {channel_id: index for channel_id, index in self.indexes.items() if index}
        # At last, because the cut is what makes the buffer look whole.
        del self.data[self.filled :]


class _Committed(NamedTuple):
    """Everything that one write to the file changes, so that one assignment commits it."""

    size: int
    crc: int
    sha256: RunningSha256
    chunk_count: int
    buffer: _Buffer


@dataclass(frozen=True, slots=True)
class _WrittenChunk:
    """One complete chunk, with what it takes to cut it off again."""

    index: ChunkIndex
    counts: Mapping[int, int]
    crc_before: int


class McapFileWriter:
    """Writes schemas, channels, chunks of messages and metadata; ``finish`` writes index, statistics and footer."""

    def __init__(self, file: WritableFile, compression: Compression, chunk_size: int) -> None:
        """Write the header.

        Args:
            file: A new file; this object closes it.
            compression: Of chunks.
            chunk_size: Serialized bytes after which a chunk is closed.

        Raises:
            OSError: The header could not be written.
        """
        self._file = file
        self._compression = compression
        self._chunk_size = chunk_size
        self._compressor = zstandard.ZstdCompressor(level=1)
        self._schemas: list[Schema] = []
        self._channels: list[Channel] = []
        self.declared_bytes = 0
        """Bytes of schemas, channels and metadata so far, as they are without compression."""
        self._metadata: list[MetadataIndex] = []
        self._attachments: list[AttachmentIndex] = []
        self._chunks: list[_WrittenChunk] = []
        self._thread = Sha256Thread()
        self._done = _Committed(0, 0, RunningSha256(self._thread), 0, _Buffer())
        self._dirty = False
        self._cut = False
        self._digest: str | None = None
        self._append([MAGIC + _bytes_of(Header(profile=PROFILE, library=LIBRARY))])

    @property
    def size(self) -> int:
        """Bytes of data that are complete in the file, without index and footer."""
        return self._done.size

    def _declare(self, record: bytes) -> None:
        self._done.buffer.add(record)
        self.declared_bytes += len(record)

    def add_schema(self, name: str, encoding: str, definition: str) -> int:
        """Add a message definition and return its id."""
        # The reader escapes what is not text, such as the definitions of protobuf.
        data = definition.encode(errors="surrogateescape")
        schema = Schema(id=len(self._schemas) + 1, data=data, encoding=encoding, name=name)
        self._declare(_bytes_of(schema))
        self._schemas.append(schema)
        return schema.id

    def add_channel(self, topic: str, encoding: str, schema_id: int, metadata: dict[str, str]) -> int:
        """Add a topic and return its id."""
        channel = Channel(
            id=len(self._channels) + 1, topic=topic, message_encoding=encoding, schema_id=schema_id, metadata=metadata
        )
        self._declare(_bytes_of(channel))
        self._channels.append(channel)
        return channel.id

    def add_metadata(self, name: str, values: Mapping[str, str]) -> None:
        """Write a metadata record at once; records stand between chunks, never in them."""
        data = _bytes_of(Metadata(name=name, metadata=dict(values)))
        index = MetadataIndex(offset=self._done.size, length=len(data), name=name)
        self._append([data])
        self._metadata.append(index)
        self.declared_bytes += len(data)

    def add_attachment(self, attachment: Attachment) -> None:
        """Write an attachment at once, with its checksum.

        Raises:
            OSError: It could not be written; call ``salvage``.
        """
        data = _bytes_of(
            McapAttachment(
                create_time=attachment.create_ns,
                log_time=attachment.log_ns,
                name=attachment.name,
                media_type=attachment.media_type,
                data=attachment.data,
            )
        )
        index = AttachmentIndex(
            offset=self._done.size,
            length=len(data),
            log_time=attachment.log_ns,
            create_time=attachment.create_ns,
            data_size=len(attachment.data),
            name=attachment.name,
            media_type=attachment.media_type,
        )
        self._append([data])
        self._attachments.append(index)

    def write(self, channel_id: int, receive_ns: int, publish_ns: int, payload: bytes) -> None:
        """Append a message; a full chunk goes to the file.

        Raises:
            OSError: The chunk could not be written; call ``salvage``.
        """
        buffer = self._done.buffer
        data, position = buffer.data, buffer.filled
        if len(data) != position:
            buffer.drop_interrupted()
        length = len(payload)
        data += _MESSAGE.pack(_MESSAGE_OPCODE, _MESSAGE_FIELDS_BYTES + length, channel_id, 0, receive_ns, publish_ns)
        index = buffer.indexes.get(channel_id)
        if index is None:
            index = buffer.indexes[channel_id] = bytearray()
        index += _INDEX_ENTRY.pack(receive_ns, position)
        if length >= _MIN_UNCOPIED_BYTES and len(data) + length >= self._chunk_size:
            # The header is not committed before the payload is in the file.
            self._write_chunk(payload if type(payload) is bytes else bytes(payload))
            return
        data += payload
        filled = buffer.filled = len(data)
        if filled >= self._chunk_size:
            self.flush()

    def flush(self) -> None:
        """Close the chunk in progress and write it.

        Raises:
            OSError: It could not be written; call ``salvage``.
        """
        self._done.buffer.drop_interrupted()
        self._write_chunk(b"")

    def _write_chunk(self, payload: bytes) -> None:
        """Write the buffer as a chunk, together with the payload of its last message if that is not in the buffer."""
        buffer, start = self._done.buffer, self._done.size
        if not buffer.indexes:
            return
        content = [bytes(buffer.data), payload] if payload else [bytes(buffer.data)]
        crc = 0
        for part in content:
            crc = zlib.crc32(part, crc)
        size = sum(map(len, content))
        stored = self._stored(content)
        stored_size = sum(map(len, stored))
        compression = "" if self._compression == "none" else self._compression
        first_ns, last_ns = _span(buffer.indexes)
        method = compression.encode()
        rest = struct.pack(f"<I{len(method)}sQ", len(method), method, stored_size)
        fields_bytes = _CHUNK.size - _RECORD_BYTES + len(rest)
        head = _CHUNK.pack(_CHUNK_OPCODE, fields_bytes + stored_size, first_ns, last_ns, size, crc) + rest
        chunk_length = len(head) + stored_size
        indexes, offsets = bytearray(), {}
        for channel_id, entries in buffer.indexes.items():
            offsets[channel_id] = start + chunk_length + len(indexes)
            indexes += _INDEX.pack(_INDEX_OPCODE, len(entries) + 6, channel_id, len(entries))
            indexes += entries
        index = ChunkIndex(
            chunk_length=chunk_length,
            chunk_start_offset=start,
            compression=compression,
            compressed_size=stored_size,
            message_end_time=last_ns,
            message_index_length=len(indexes),
            message_index_offsets=offsets,
            message_start_time=first_ns,
            uncompressed_size=size,
        )
        counts = {number: len(entries) // _INDEX_ENTRY.size for number, entries in buffer.indexes.items()}
        # An interrupted attempt may have left an entry that was never committed.
        del self._chunks[self._done.chunk_count :]
        self._chunks.append(_WrittenChunk(index=index, counts=counts, crc_before=self._done.crc))
        if stored is content and size >= _MIN_JOINED_BYTES:
            # The content is not summed again for the CRC of the data section.
            before = joined_crc32(zlib.crc32(head, self._done.crc), crc, size)
            self._append([head, *stored, bytes(indexes)], crc=zlib.crc32(indexes, before), chunk=True)
        else:
            self._append([head, *stored, bytes(indexes)], chunk=True)

    def statistics(self) -> McapStatistics:
        """Return what the complete chunks hold."""
        counts: dict[int, int] = {}
        chunks = self._chunks[: self._done.chunk_count]
        for chunk in chunks:
            for channel_id, count in chunk.counts.items():
                counts[channel_id] = counts.get(channel_id, 0) + count
        return McapStatistics(
            counts=counts,
            start_ns=min((chunk.index.message_start_time for chunk in chunks), default=0),
            end_ns=max((chunk.index.message_end_time for chunk in chunks), default=0),
        )

    def finish(self) -> None:
        """Write the end of the data, index, statistics and footer, and flush them to the device.

        Calling it again after a failure or after ``salvage`` writes them anew.

        Raises:
            OSError: They could not be written; call ``salvage``.
        """
        self.flush()
        remainder = bytes(self._done.buffer.data)
        if remainder:
            # Topics without messages: their records stand outside of any chunk.
            self._append([remainder], chunk=True, count=0)
        data_end = _bytes_of(DataEnd(data_section_crc=self._done.crc))
        tail = data_end + self._summary(self._done.size + len(data_end)) + MAGIC
        self._dirty = True
        self._file.truncate(self._done.size)
        self._file.write(tail)
        self._file.sync()
        self._digest = self._done.sha256.plus([tail]).hexdigest()

    def salvage(self) -> bool:
        """Cut the file back to what is complete, so that ``finish`` can be tried again with more room.

        The first call drops what was being written; each further call drops the last chunk.

        Returns:
            Whether there was something left to cut.

        Raises:
            OSError: The file cannot even be cut.
        """
        size, crc, digest, count, _ = self._done
        if self._cut and not count:
            return False
        if self._cut:
            last = self._chunks[count - 1]
            size, crc, count = last.index.chunk_start_offset, last.crc_before, count - 1
        self._cut = True
        self._done = _Committed(size, crc, digest, count, _Buffer())
        self._metadata = [index for index in self._metadata if index.offset < size]
        self._attachments = [index for index in self._attachments if index.offset < size]
        self._file.truncate(size)
        return True

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        finally:
            self._thread.close()

    @property
    def sha256(self) -> str | None:
        """Hexadecimal sha256 of the file, None if it was cut and has to be read again."""
        return None if self._cut else self._digest

    def _append(self, parts: Sequence[bytes], *, crc: int | None = None, chunk: bool = False, count: int = 1) -> None:
        """Write parts one after the other and commit them together.

        Args:
            parts: What to write.
            crc: CRC of the data section after them, where it is known.
            chunk: Whether the buffer is part of it and ``count`` chunks are added.
            count: Number of chunks.
        """
        size, crc_before, digest, chunk_count, buffer = self._done
        if self._dirty:
            self._file.truncate(size)
        self._dirty = True
        digest = digest.plus(parts)
        for part in parts:
            self._file.write(part)
        if crc is None:
            crc = crc_before
            for part in parts:
                crc = zlib.crc32(part, crc)
        if chunk:
            chunk_count, buffer = chunk_count + count, _Buffer()
        self._done = _Committed(size + sum(map(len, parts)), crc, digest, chunk_count, buffer)
        self._dirty = False

    def _stored(self, content: list[bytes]) -> list[bytes]:
        """Return the content of a chunk as it stands in the file."""
        if self._compression == "zstd":
            return [self._compressor.compress(b"".join(content))]
        if self._compression == "lz4":
            return [lz4.frame.compress(b"".join(content))]
        return content

    def _summary(self, start: int) -> bytes:
        """Return summary section and footer of a file whose summary starts at ``start``."""
        statistics = self.statistics()
        chunks = self._chunks[: self._done.chunk_count]
        groups: list[tuple[Opcode, list[McapRecord]]] = [
            (Opcode.SCHEMA, list(self._schemas)),
            (Opcode.CHANNEL, list(self._channels)),
            (
                Opcode.STATISTICS,
                [
                    Statistics(
                        attachment_count=len(self._attachments),
                        channel_count=len(self._channels),
                        channel_message_counts=dict(statistics.counts),
                        chunk_count=len(chunks),
                        message_count=statistics.message_count,
                        message_end_time=statistics.end_ns,
                        message_start_time=statistics.start_ns,
                        metadata_count=len(self._metadata),
                        schema_count=len(self._schemas),
                    )
                ],
            ),
            (Opcode.CHUNK_INDEX, [chunk.index for chunk in chunks]),
            (Opcode.ATTACHMENT_INDEX, list(self._attachments)),
            (Opcode.METADATA_INDEX, list(self._metadata)),
        ]
        builder = RecordBuilder()
        offsets = []
        for opcode, records in groups:
            group_start = builder.count
            for record in records:
                record.write(builder)
            length = builder.count - group_start
            if length:
                offsets.append(SummaryOffset(group_opcode=opcode, group_start=start + group_start, group_length=length))
        offset_start = start + builder.count
        for offset in offsets:
            offset.write(builder)
        summary = _taken(builder)
        footer = _bytes_of(Footer(summary_start=start, summary_offset_start=offset_start, summary_crc=0))
        crc = zlib.crc32(footer[:-4], zlib.crc32(summary))
        return summary + footer[:-4] + struct.pack("<I", crc)


def _taken(builder: RecordBuilder) -> bytes:
    data: bytes = builder.end()  # type: ignore[no-untyped-call]
    return data


def _bytes_of(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return _taken(builder)


def _span(indexes: Mapping[int, bytearray]) -> tuple[int, int]:
    """Return the first and the last receive time of messages."""
    first: list[int] = []
    last: list[int] = []
    for entries in indexes.values():
        numbers = array("Q", entries)
        if sys.byteorder == "big":
            numbers.byteswap()
        first.append(min(numbers[::2]))
        last.append(max(numbers[::2]))
    return min(first), max(last)
