"""Write one MCAP file in the layout that rosbag2 expects, so that an interrupted write loses as little as possible.

The records are the mcap library's; the layout is kept here, because the library's writer cannot go on after a
failed write: it has forgotten the chunk by then, and its statistics count messages that are not in the file.
Every step commits by one assignment, so that an exception between two byte codes (Ctrl-C) leaves a state
from which ``finish`` makes a readable file.
"""

import hashlib
import struct
import zlib
from collections.abc import Mapping
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
    Chunk,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    McapRecord,
    MessageIndex,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)

from alpamayo_ros.storage.filesystem import WritableFile
from alpamayo_ros.storage.source import Attachment

MAGIC = b"\x89MCAP0\r\n"
PROFILE = "ros2"
LIBRARY = "alpamayo_ros"

Compression = Literal["zstd", "lz4", "none"]
COMPRESSIONS = ("zstd", "lz4", "none")

_MESSAGE = struct.Struct("<BQHIQQ")
_MESSAGE_FIELDS_BYTES = 22
_MESSAGE_OPCODE = int(Opcode.MESSAGE)
_RECORD = struct.Struct("<BQ")
_STAMP = struct.Struct("<HIQ")


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
    """The chunk in progress: records up to ``filled`` are complete."""

    __slots__ = ("data", "filled")

    def __init__(self) -> None:
        self.data = bytearray()
        self.filled = 0

    def add(self, record: bytes) -> None:
        self.data[self.filled :] = record
        self.filled = len(self.data)


class _Committed(NamedTuple):
    """Everything that one write to the file changes, so that one assignment commits it."""

    size: int
    crc: int
    sha256: "hashlib._Hash"
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
        self._metadata: list[MetadataIndex] = []
        self._attachments: list[AttachmentIndex] = []
        self._chunks: list[_WrittenChunk] = []
        self._done = _Committed(0, 0, hashlib.sha256(), 0, _Buffer())
        self._dirty = False
        self._cut = False
        self._digest: str | None = None
        self._append(MAGIC + _bytes_of(Header(profile=PROFILE, library=LIBRARY)))

    @property
    def size(self) -> int:
        """Bytes of data that are complete in the file, without index and footer."""
        return self._done.size

    def add_schema(self, name: str, encoding: str, definition: str) -> int:
        """Add a message definition and return its id."""
        schema = Schema(id=len(self._schemas) + 1, data=definition.encode(), encoding=encoding, name=name)
        self._done.buffer.add(_bytes_of(schema))
        self._schemas.append(schema)
        return schema.id

    def add_channel(self, topic: str, encoding: str, schema_id: int, metadata: dict[str, str]) -> int:
        """Add a topic and return its id."""
        channel = Channel(
            id=len(self._channels) + 1, topic=topic, message_encoding=encoding, schema_id=schema_id, metadata=metadata
        )
        self._done.buffer.add(_bytes_of(channel))
        self._channels.append(channel)
        return channel.id

    def add_metadata(self, name: str, values: Mapping[str, str]) -> None:
        """Write a metadata record at once; records stand between chunks, never in them."""
        data = _bytes_of(Metadata(name=name, metadata=dict(values)))
        index = MetadataIndex(offset=self._done.size, length=len(data), name=name)
        self._append(data)
        self._metadata.append(index)

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
        self._append(data)
        self._attachments.append(index)

    def write(self, channel_id: int, receive_ns: int, publish_ns: int, payload: bytes) -> None:
        """Append a message; a full chunk goes to the file.

        Raises:
            OSError: The chunk could not be written; call ``salvage``.
        """
        buffer = self._done.buffer
        data = buffer.data
        # The slice also drops what an interrupted call left behind.
        data[buffer.filled :] = _MESSAGE.pack(
            _MESSAGE_OPCODE, _MESSAGE_FIELDS_BYTES + len(payload), channel_id, 0, receive_ns, publish_ns
        )
        data += payload
        filled = buffer.filled = len(data)
        if filled >= self._chunk_size:
            self.flush()

    def flush(self) -> None:
        """Close the chunk in progress and write it.

        Raises:
            OSError: It could not be written; call ``salvage``.
        """
        buffer, size = self._done.buffer, self._done.size
        del buffer.data[buffer.filled :]
        indexes = _message_indexes(buffer.data)
        if not indexes:
            return
        chunk = self._chunk(bytes(buffer.data), indexes)
        data = RecordBuilder()
        chunk.write(data)
        chunk_length = data.count
        offsets = {}
        for channel_id, records in indexes.items():
            offsets[channel_id] = size + data.count
            MessageIndex(channel_id=channel_id, records=records).write(data)
        index = ChunkIndex(
            chunk_length=chunk_length,
            chunk_start_offset=size,
            compression=chunk.compression,
            compressed_size=len(chunk.data),
            message_end_time=chunk.message_end_time,
            message_index_length=data.count - chunk_length,
            message_index_offsets=offsets,
            message_start_time=chunk.message_start_time,
            uncompressed_size=chunk.uncompressed_size,
        )
        counts = {channel_id: len(records) for channel_id, records in indexes.items()}
        # An interrupted attempt may have left an entry that was never committed.
        del self._chunks[self._done.chunk_count :]
        self._chunks.append(_WrittenChunk(index=index, counts=counts, crc_before=self._done.crc))
        self._append(_taken(data), chunk=True)

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
            self._append(remainder, chunk=True, count=0)
        data_end = _bytes_of(DataEnd(data_section_crc=self._done.crc))
        tail = data_end + self._summary(self._done.size + len(data_end)) + MAGIC
        self._dirty = True
        self._file.truncate(self._done.size)
        self._file.write(tail)
        self._file.sync()
        digest = self._done.sha256.copy()
        digest.update(tail)
        self._digest = digest.hexdigest()

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
        self._file.close()

    @property
    def sha256(self) -> str | None:
        """Hexadecimal sha256 of the file, None if it was cut and has to be read again."""
        return None if self._cut else self._digest

    def _append(self, data: bytes, *, chunk: bool = False, count: int = 1) -> None:
        """Write data and commit it; with ``chunk`` the buffer is part of it and ``count`` chunks are added."""
        size, crc, digest, chunk_count, buffer = self._done
        if self._dirty:
            self._file.truncate(size)
        self._dirty = True
        self._file.write(data)
        digest = digest.copy()
        digest.update(data)
        if chunk:
            chunk_count, buffer = chunk_count + count, _Buffer()
        self._done = _Committed(size + len(data), zlib.crc32(data, crc), digest, chunk_count, buffer)
        self._dirty = False

    def _chunk(self, content: bytes, indexes: Mapping[int, list[tuple[int, int]]]) -> Chunk:
        if self._compression == "zstd":
            data = self._compressor.compress(content)
        elif self._compression == "lz4":
            data = lz4.frame.compress(content)
        else:
            data = content
        return Chunk(
            compression="" if self._compression == "none" else self._compression,
            data=data,
            message_start_time=min(record[0] for records in indexes.values() for record in records),
            message_end_time=max(record[0] for records in indexes.values() for record in records),
            uncompressed_crc=zlib.crc32(content),
            uncompressed_size=len(content),
        )

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


def _message_indexes(buffer: bytearray) -> dict[int, list[tuple[int, int]]]:
    """Walk a chunk's records; return (receive time, offset) by channel id."""
    indexes: dict[int, list[tuple[int, int]]] = {}
    position, end = 0, len(buffer)
    while position < end:
        opcode, length = _RECORD.unpack_from(buffer, position)
        if opcode == Opcode.MESSAGE:
            channel_id, _, receive_ns = _STAMP.unpack_from(buffer, position + _RECORD.size)
            records = indexes.get(channel_id)
            if records is None:
                records = indexes[channel_id] = []
            records.append((receive_ns, position))
        position += _RECORD.size + length
    return indexes
