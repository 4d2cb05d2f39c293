"""Read one MCAP file of a bag through its index, with every checksum verified.

Records are parsed by the mcap library, except messages: its message loop takes six times as long as the one here.
Nothing that the file says about lengths is believed before it is compared with the file's size.
"""

import io
import struct
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import lz4.frame  # type: ignore[import-untyped]
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, ChunkIndex, Footer, Header, MetadataIndex, Schema, Statistics
from mcap.records import Metadata as McapMetadata
from mcap.stream_reader import StreamReader

from alpamayo_ros.errors import BagCorruptError, BagError
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.source import Entry, FileContents, MetadataRecord, Selection

MAGIC = b"\x89MCAP0\r\n"
MAX_CHUNK_BYTES = 1024 * 1024 * 1024
"""A larger chunk is refused; writers make chunks of about 1 MB and larger ones only for a larger message."""

_FOOTER_BYTES = 9 + 20
_RECORD = struct.Struct("<BQ")
_MESSAGE = struct.Struct("<BQHIQQ")
_MESSAGE_FIELDS_BYTES = 22
_MESSAGE_OPCODE = int(Opcode.MESSAGE)
_RECOVER = "run 'mcap recover' on it"
_PARSE_ERRORS = (McapError, struct.error, ValueError, OverflowError, MemoryError, EOFError)


class _Index(NamedTuple):
    """A file's summary, compact: four integers a chunk.

    Attributes:
        channels: By id.
        schemas: By id.
        statistics: The Statistics record.
        chunks: First and last receive time, offset and length of each chunk, by first receive time.
        chunk_channels: Ids of the channels in each chunk, None where the file does not say.
        metadata: Index of the Metadata records.
        compressions: Compression methods of the chunks.
    """

    channels: dict[int, Channel]
    schemas: dict[int, Schema]
    statistics: Statistics
    chunks: "array[int]"
    chunk_channels: list[frozenset[int] | None]
    metadata: list[MetadataIndex]
    compressions: tuple[str, ...]


class McapFile:
    """One MCAP file, open only while something is read."""

    def __init__(self, path: Path, *, keep_index: bool) -> None:
        """Remember the path.

        Args:
            path: The file.
            keep_index: Whether to keep the index between calls; a bag of very many files should not.
        """
        self._path = path
        self._keep_index = keep_index
        self._known: _Index | None = None

    def contents(self) -> FileContents:
        """Read topics, counts and times from the summary."""
        index = self._index()
        statistics = index.statistics
        topics: dict[str, TopicInfo] = {}
        qos_texts: dict[str, str] = {}
        warnings: list[str] = []
        for channel in index.channels.values():
            schema = index.schemas.get(channel.schema_id)
            topic = _topic(channel, schema, statistics.channel_message_counts.get(channel.id, 0), warnings)
            earlier = topics.get(topic.name)
            if earlier is not None:
                topic = self._merged(earlier, topic)
            topics[topic.name] = topic
            qos_texts.setdefault(topic.name, channel.metadata.get("offered_qos_profiles", ""))
        return FileContents(
            topics=topics,
            qos_texts=qos_texts,
            message_count=statistics.message_count,
            start_ns=statistics.message_start_time,
            end_ns=statistics.message_end_time,
            bag_metadata=self._bag_metadata(index),
            compressions=index.compressions,
            warnings=tuple(warnings),
        )

    def cursor(self, selection: Selection) -> "McapCursor":
        """Open the file for reading chunks."""
        index = self._index()
        return McapCursor(self._path, self._opened(), index, selection)

    def metadata_records(self) -> Iterator[MetadataRecord]:
        """Return the Metadata records in file order."""
        index = self._index()
        with self._opened() as file:
            for entry in sorted(index.metadata, key=lambda item: item.offset):
                yield self._metadata_record(file, entry)

    def _bag_metadata(self, index: _Index) -> str:
        """Return the last text that rosbag2 or we left in the file."""
        entries = [entry for entry in index.metadata if entry.name == "rosbag2"]
        if not entries:
            return ""
        with self._opened() as file:
            record = self._metadata_record(file, max(entries, key=lambda item: item.offset))
        return record.values.get("serialized_metadata", "")

    def _metadata_record(self, file: BinaryIO, entry: MetadataIndex) -> MetadataRecord:
        what = f"metadata record {entry.name[:80]!r}"
        data = _record(self._path, file, entry.offset, entry.length, Opcode.METADATA, what)
        try:
            record = McapMetadata.read(ReadDataStream(io.BytesIO(data)))
        except _PARSE_ERRORS as error:
            raise _corrupt(self._path, f"has a damaged {what}") from error
        return MetadataRecord(name=record.name, values=dict(record.metadata))

    def _merged(self, one: TopicInfo, other: TopicInfo) -> TopicInfo:
        """Join two channels of one topic, as several publishers make them."""
        if one.type_name != other.type_name:
            raise BagError(
                f"bag file {self._path} has topic {one.name} with the types {one.type_name!r} and "
                f"{other.type_name!r}; expected one type for a topic"
            )
        return TopicInfo(
            name=one.name,
            type_name=one.type_name,
            message_count=one.message_count + other.message_count,
            type_hash=one.type_hash or other.type_hash,
            definition=one.definition or other.definition,
            definition_encoding=one.definition_encoding or other.definition_encoding,
            serialization_format=one.serialization_format,
        )

    def _opened(self) -> BinaryIO:
        try:
            return self._path.open("rb")
        except OSError as error:
            raise BagCorruptError(
                f"bag file {self._path} cannot be read ({error.strerror}); expected a readable file"
            ) from error

    def _index(self) -> _Index:
        if self._known is not None:
            return self._known
        with self._opened() as file:
            index = _read_index(self._path, file)
        if self._keep_index:
            self._known = index
        return index


class McapCursor:
    """Reads the chunks of one file that can hold wanted messages, by their first receive time."""

    def __init__(self, path: Path, file: BinaryIO, index: _Index, selection: Selection) -> None:
        self._path = path
        self._file = file
        self._selection = selection
        self._ranks: dict[int, int] = {}
        self._topics: dict[int, tuple[str, str]] = {}
        for channel in index.channels.values():
            if channel.topic in selection.ranks:
                self._ranks[channel.id] = selection.ranks[channel.topic]
                self._topics[channel.id] = (channel.topic, selection.type_names[channel.topic])
        self._known = frozenset(index.channels)
        self._chunks = index.chunks
        self._wanted = self._wanted_chunks(index)
        self._next = next(self._wanted, None)

    def _wanted_chunks(self, index: _Index) -> Iterator[int]:
        start_ns, end_ns = self._selection.start_ns, self._selection.end_ns
        chunks = index.chunks
        everything = len(self._ranks) == len(index.channels)
        for number in range(len(index.chunk_channels)):
            if end_ns is not None and chunks[4 * number] >= end_ns:
                return
            if start_ns is not None and chunks[4 * number + 1] < start_ns:
                continue
            channels = index.chunk_channels[number]
            if everything or channels is None or not channels.isdisjoint(self._ranks):
                yield number

    @property
    def next_start_ns(self) -> int | None:
        """First receive time of the next wanted chunk; None at the end."""
        return None if self._next is None else self._chunks[4 * self._next]

    def read_block(self) -> list[Entry]:
        """Return the wanted messages of the next chunk, in file order."""
        if self._next is None:
            return []
        first_ns, last_ns, offset, length = self._chunks[4 * self._next : 4 * self._next + 4]
        self._next = next(self._wanted, None)
        data = _record(self._path, self._file, offset, length, Opcode.CHUNK, f"chunk at byte {offset}")
        content = _chunk_content(self._path, data, offset, first_ns, last_ns)
        entries = self._entries(content, offset)
        for entry in entries:
            if not first_ns <= entry[0] <= last_ns:
                raise _corrupt(
                    self._path,
                    f"has a message of time {entry[0]} ns in the chunk of {first_ns} to {last_ns} ns at byte {offset}",
                )
        start_ns, end_ns = self._selection.start_ns, self._selection.end_ns
        if (start_ns is not None and first_ns < start_ns) or (end_ns is not None and last_ns >= end_ns):
            low, high = start_ns or 0, last_ns + 1 if end_ns is None else end_ns
            entries = [entry for entry in entries if low <= entry[0] < high]
        return entries

    def _entries(self, content: bytes, chunk_offset: int) -> list[Entry]:
        ranks, topics, file_index = self._ranks, self._topics, self._selection.file_index
        unpack, new, fields = _MESSAGE.unpack_from, tuple.__new__, _MESSAGE.size
        entries: list[Entry] = []
        append = entries.append
        position, end = 0, len(content)
        # Chunk offset and offset in the chunk order the messages of a file; a chunk is below 2^32 bytes.
        base = chunk_offset << 32
        try:
            while position < end:
                if content[position] != _MESSAGE_OPCODE:
                    position += _RECORD.size + _RECORD.unpack_from(content, position)[1]
                    continue
                _, length, channel_id, _, receive_ns, publish_ns = unpack(content, position)
                following = position + 9 + length
                if length < _MESSAGE_FIELDS_BYTES or following > end:
                    raise _corrupt(
                        self._path, f"has a message of {length} bytes beyond its chunk at byte {chunk_offset}"
                    )
                rank = ranks.get(channel_id)
                if rank is not None:
                    topic, type_name = topics[channel_id]
                    payload = content[position + fields : following]
                    message = new(BagMessage, (topic, type_name, receive_ns, publish_ns, payload))
                    append((receive_ns, rank, file_index, base + position, message))
                elif channel_id not in self._known:
                    raise _corrupt(self._path, f"has a message of the channel {channel_id}, which it does not declare")
                position = following
        except struct.error as error:
            raise _corrupt(self._path, f"has a cut record in its chunk at byte {chunk_offset}") from error
        if position != end:
            raise _corrupt(self._path, f"has a cut record in its chunk at byte {chunk_offset}")
        return entries

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _corrupt(path: Path, wrong: str) -> BagCorruptError:
    return BagCorruptError(f"bag file {path} {wrong}; expected a complete MCAP file: {_RECOVER}")


def _read(path: Path, file: BinaryIO, offset: int, length: int, what: str) -> bytes:
    try:
        file.seek(offset)
        data = file.read(length)
    except (OSError, OverflowError, ValueError) as error:
        raise _corrupt(path, f"cannot be read at its {what} ({error})") from error
    if len(data) != length:
        raise _corrupt(path, f"ends within its {what}")
    return data


def _record(path: Path, file: BinaryIO, offset: int, length: int, opcode: Opcode, what: str) -> bytes:
    """Return the content of the record that an index points at."""
    opening = _read(path, file, offset, _RECORD.size, what)
    found, content_length = _RECORD.unpack(opening)
    if found != opcode or content_length + _RECORD.size != length:
        raise _corrupt(path, f"has no {what} where its index says")
    if content_length > 2 * MAX_CHUNK_BYTES:
        raise _corrupt(path, f"has a {what} of {content_length} bytes, which is more than this reader takes")
    return _read(path, file, offset + _RECORD.size, content_length, what)


def _read_index(path: Path, file: BinaryIO) -> _Index:
    size = file.seek(0, io.SEEK_END)
    opening = _read(path, file, 0, min(size, len(MAGIC)), "first bytes")
    if opening != MAGIC:
        raise _corrupt(path, "is empty" if size == 0 else "does not begin as an MCAP file")
    _validate_header(path, file)
    tail_bytes = _FOOTER_BYTES + len(MAGIC)
    if size < len(MAGIC) + tail_bytes:
        raise _corrupt(path, "ends before its footer; it was cut or not closed")
    tail = _read(path, file, size - tail_bytes, tail_bytes, "footer")
    opcode, length = _RECORD.unpack_from(tail)
    if tail[_FOOTER_BYTES:] != MAGIC or opcode != Opcode.FOOTER or length != _FOOTER_BYTES - _RECORD.size:
        raise _corrupt(path, "has no footer; it was cut or not closed")
    footer = Footer.read(ReadDataStream(io.BytesIO(tail[_RECORD.size :])))
    start, end = footer.summary_start, size - tail_bytes
    if start == 0:
        raise _corrupt(path, "has no summary and no index")
    if not len(MAGIC) <= start <= end:
        raise _corrupt(path, f"says that its summary is at byte {start} of {size}")
    summary = _read(path, file, start, end - start, "summary") + tail[:_FOOTER_BYTES]
    if footer.summary_crc not in (0, zlib.crc32(summary[:-4])):
        raise _corrupt(path, "has a summary that differs from its checksum")
    return _parsed_index(path, summary)


def _validate_header(path: Path, file: BinaryIO) -> None:
    opening = _read(path, file, len(MAGIC), _RECORD.size, "header")
    opcode, length = _RECORD.unpack(opening)
    if opcode != Opcode.HEADER or length > 65536:
        raise _corrupt(path, "has no header")
    try:
        header = Header.read(ReadDataStream(io.BytesIO(_read(path, file, 8 + _RECORD.size, length, "header"))))
    except _PARSE_ERRORS as error:
        raise _corrupt(path, "has a damaged header") from error
    if header.profile not in ("ros2", ""):
        raise BagError(f"bag file {path} has the profile {header.profile[:40]!r}; expected 'ros2'")


def _parsed_index(path: Path, summary: bytes) -> _Index:
    channels: dict[int, Channel] = {}
    schemas: dict[int, Schema] = {}
    statistics: Statistics | None = None
    rows: list[tuple[int, int, int, int, frozenset[int] | None]] = []
    metadata: list[MetadataIndex] = []
    sets: dict[frozenset[int], frozenset[int]] = {}
    compressions: set[str] = set()
    try:
        # The library wants the end magic after the footer.
        stream = io.BytesIO(summary + MAGIC)
        for record in StreamReader(stream, skip_magic=True, record_size_limit=len(summary)).records:
            if isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Statistics):
                statistics = record
            elif isinstance(record, MetadataIndex):
                metadata.append(record)
            elif isinstance(record, ChunkIndex):
                ids = frozenset(record.message_index_offsets)
                known = sets.setdefault(ids, ids) if ids else None
                compressions.add(record.compression)
                bounds = (record.message_start_time, record.message_end_time)
                rows.append((*bounds, record.chunk_start_offset, record.chunk_length, known))
    except _PARSE_ERRORS as error:
        raise _corrupt(path, "has a damaged summary") from error
    statistics = _validated(path, statistics, has_chunks=bool(rows), declared=set(channels))
    rows.sort(key=lambda row: (row[0], row[2]))
    chunks = array("Q", (value for row in rows for value in row[:4]))
    return _Index(
        channels, schemas, statistics, chunks, [row[4] for row in rows], metadata, tuple(sorted(compressions - {""}))
    )


def _validated(path: Path, statistics: Statistics | None, *, has_chunks: bool, declared: set[int]) -> Statistics:
    """Return the statistics of a file, after they were found to agree with the rest of its summary."""
    if statistics is None:
        raise _corrupt(path, "has no statistics")
    if statistics.message_count and not statistics.chunk_count and not has_chunks:
        raise BagCorruptError(
            f"bag file {path} was written without chunks (rosbag2's preset fastwrite), so that it has no index; "
            "run 'ros2 bag convert' on the bag"
        )
    if statistics.message_count and not has_chunks:
        raise _corrupt(path, "has messages, but no index of its chunks")
    if sum(statistics.channel_message_counts.values()) != statistics.message_count:
        raise _corrupt(path, "has statistics that contradict themselves")
    missing = sorted(set(statistics.channel_message_counts) - declared)
    if missing:
        raise _corrupt(path, f"has messages of the channel {missing[0]}, which its summary does not declare")
    return statistics


def _topic(channel: Channel, schema: Schema | None, count: int, warnings: list[str]) -> TopicInfo:
    definition, encoding = "", ""
    if schema is not None and schema.data:
        try:
            definition, encoding = schema.data.decode(), schema.encoding
        except UnicodeDecodeError:
            warnings.append(f"topic {channel.topic}: the definition of {schema.name} is not UTF-8 text and is not used")
    return TopicInfo(
        name=channel.topic,
        type_name=schema.name if schema is not None else "",
        message_count=count,
        type_hash=channel.metadata.get("topic_type_hash", ""),
        definition=definition,
        definition_encoding=encoding,
        serialization_format=channel.message_encoding,
    )


def _chunk_content(path: Path, data: bytes, offset: int, first_ns: int, last_ns: int) -> bytes:
    """Return a chunk's records: decompressed within the stated size, and equal to its checksum."""
    where = f"chunk at byte {offset}"
    try:
        chunk = Chunk.read(ReadDataStream(io.BytesIO(data)))
    except _PARSE_ERRORS as error:
        raise _corrupt(path, f"has a damaged {where}") from error
    if (chunk.message_start_time, chunk.message_end_time) != (first_ns, last_ns):
        raise _corrupt(path, f"has other times in its {where} than in its index")
    size = chunk.uncompressed_size
    if size > MAX_CHUNK_BYTES:
        raise _corrupt(path, f"has {size} bytes in its {where}, which is more than this reader takes")
    try:
        content = _decompressed(chunk.compression, chunk.data, size)
    except (zstandard.ZstdError, RuntimeError, ValueError, EOFError) as error:
        raise _corrupt(path, f"has a damaged {where}") from error
    except KeyError as error:
        raise BagError(
            f"bag file {path} has the chunk compression {chunk.compression[:40]!r}; expected zstd, lz4 or none"
        ) from error
    if len(content) != size or chunk.uncompressed_crc not in (0, zlib.crc32(content)):
        raise _corrupt(path, f"has a {where} that differs from its checksum")
    return content


def _decompressed(compression: str, data: bytes, size: int) -> bytes:
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
