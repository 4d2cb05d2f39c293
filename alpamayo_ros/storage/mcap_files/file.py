"""Read one MCAP file of a bag through its index, with every checksum verified.

Records are parsed by the mcap library, except messages: its message loop takes six times as long as the one here.
"""

import errno
import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Attachment as McapAttachment
from mcap.records import AttachmentIndex, Channel, MetadataIndex, Schema
from mcap.records import Metadata as McapMetadata

from alpamayo_ros.errors import BagCorruptError, BagError, ConfigurationError
from alpamayo_ros.storage.compressed_file import ExpansionBudget
from alpamayo_ros.storage.mcap_files.index import McapIndex, read_index
from alpamayo_ros.storage.mcap_files.records import (
    MESSAGE,
    MESSAGE_FIELDS_BYTES,
    MESSAGE_OPCODE,
    PARSE_ERRORS,
    RECORD,
    chunk_view,
    corrupt,
    read_at,
    record_at,
    record_into,
)
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.source import Attachment, Entry, FileContents, MetadataRecord, Selection

TEXT_ENCODINGS = ("ros2msg", "ros2idl")
"""Encodings of definitions that are text for us to parse."""

MAX_CHUNK_MESSAGES = 2_000_000
"""More messages in one chunk are refused: a chunk of empty messages is small, but they are not."""

_MAX_REUSED_BYTES = 64 * 1024 * 1024
"""A chunk up to this size is read into memory that the next one is read into again: fresh memory costs a page fault
every 4 kB. A larger one, which a damaged index may have made up, is not prepared for."""

_MIN_VIEWED_BYTES = 2 * 1024 * 1024
"""A chunk from this size on holds large messages; many small ones are cut faster out of ``bytes``."""


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
        self._known: McapIndex | None = None

    def contents(self) -> FileContents:
        """Read topics, counts and times from the summary."""
        index = self._index()
        statistics = index.statistics
        topics: dict[str, TopicInfo] = {}
        qos_texts: dict[str, str] = {}
        warnings: list[str] = []
        for channel in index.channels.values():
            schema = index.schemas.get(channel.schema_id)
            topic = topic_of_channel(channel, schema, statistics.channel_message_counts.get(channel.id, 0), warnings)
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

    def attachments(self) -> Iterator[Attachment]:
        """Return the attachments in file order."""
        index = self._index()
        with self._opened() as file:
            for entry in sorted(index.attachments, key=lambda item: item.offset):
                yield self._attachment(file, entry)

    def _attachment(self, file: BinaryIO, entry: AttachmentIndex) -> Attachment:
        what = f"attachment {entry.name[:80]!r}"
        data = record_at(self._path, file, entry.offset, entry.length, Opcode.ATTACHMENT, what)
        try:
            record = McapAttachment.read(ReadDataStream(io.BytesIO(data)))
            stated = int.from_bytes(data[-4:], "little")
        except PARSE_ERRORS as error:
            raise corrupt(self._path, f"has a damaged {what}") from error
        if stated not in (0, zlib.crc32(data[:-4])):
            raise corrupt(self._path, f"has an {what} that differs from its checksum")
        return Attachment(record.name, record.media_type, record.log_time, record.create_time, record.data)

    def _bag_metadata(self, index: McapIndex) -> str:
        """Return the last text that rosbag2 or we left in the file."""
        entries = [entry for entry in index.metadata if entry.name == "rosbag2"]
        if not entries:
            return ""
        with self._opened() as file:
            record = self._metadata_record(file, max(entries, key=lambda item: item.offset))
        return record.values.get("serialized_metadata", "")

    def _metadata_record(self, file: BinaryIO, entry: MetadataIndex) -> MetadataRecord:
        what = f"metadata record {entry.name[:80]!r}"
        data = record_at(self._path, file, entry.offset, entry.length, Opcode.METADATA, what)
        try:
            record = McapMetadata.read(ReadDataStream(io.BytesIO(data)))
        except PARSE_ERRORS as error:
            raise corrupt(self._path, f"has a damaged {what}") from error
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
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise ConfigurationError(
                    f"bag file {self._path} cannot be opened: too many files are open; expected a higher limit: "
                    "raise it by 'ulimit -n', or take fewer bags at once"
                ) from error
            raise BagCorruptError(
                f"bag file {self._path} cannot be read ({error.strerror}); expected a readable file"
            ) from error

    def _index(self) -> McapIndex:
        if self._known is not None:
            return self._known
        with self._opened() as file:
            index = read_index(self._path, file)
        if self._keep_index:
            self._known = index
        return index


class McapCursor:
    """Reads the chunks of one file that can hold wanted messages, by their first receive time."""

    def __init__(self, path: Path, file: BinaryIO, index: McapIndex, selection: Selection) -> None:
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
        self._unchunked = index.unchunked
        self._wanted = self._wanted_chunks(index)
        self._next = next(self._wanted, None)
        self._buffer = bytearray()
        self._budget = ExpansionBudget()

    def _wanted_chunks(self, index: McapIndex) -> Iterator[int]:
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
        if self._unchunked:
            content: bytes | memoryview = read_at(self._path, self._file, offset, length, f"messages at byte {offset}")
        else:
            content = chunk_view(self._path, self._chunk(offset, length), offset, first_ns, last_ns)
            try:
                self._budget.spend(length, len(content))
            except ValueError as error:
                raise corrupt(self._path, f"has a chunk at byte {offset} that {error}") from error
        entries = self._entries(content if len(content) >= _MIN_VIEWED_BYTES else bytes(content), offset)
        for entry in entries:
            if not first_ns <= entry[0] <= last_ns:
                raise corrupt(
                    self._path,
                    f"has a message of time {entry[0]} ns in the chunk of {first_ns} to {last_ns} ns at byte {offset}",
                )
        start_ns, end_ns = self._selection.start_ns, self._selection.end_ns
        if (start_ns is not None and first_ns < start_ns) or (end_ns is not None and last_ns >= end_ns):
            low, high = start_ns or 0, last_ns + 1 if end_ns is None else end_ns
            entries = [entry for entry in entries if low <= entry[0] < high]
        return entries

    def _chunk(self, offset: int, length: int) -> memoryview:
        """Return the content of a chunk record; the next call overwrites it."""
        what = f"chunk at byte {offset}"
        if length > _MAX_REUSED_BYTES:
            return memoryview(record_at(self._path, self._file, offset, length, Opcode.CHUNK, what))
        if length > len(self._buffer):
            # A new one, because the old one may still be viewed.
            self._buffer = bytearray(length)
        return record_into(self._buffer, self._path, self._file, offset, length, Opcode.CHUNK, what)

    def _entries(self, content: bytes | memoryview, chunk_offset: int) -> list[Entry]:
        ranks, topics, file_index = self._ranks, self._topics, self._selection.file_index
        unpack, new, fields = MESSAGE.unpack_from, tuple.__new__, MESSAGE.size
        entries: list[Entry] = []
        append = entries.append
        position, end = 0, len(content)
        # Chunk offset and offset in the chunk order the messages of a file; a chunk is below 2^32 bytes.
        base = chunk_offset << 32
        try:
            while position < end:
                if content[position] != MESSAGE_OPCODE:
                    position += RECORD.size + RECORD.unpack_from(content, position)[1]
                    continue
                _, length, channel_id, _, receive_ns, publish_ns = unpack(content, position)
                following = position + 9 + length
                if length < MESSAGE_FIELDS_BYTES or following > end:
                    raise corrupt(
                        self._path, f"has a message of {length} bytes beyond its chunk at byte {chunk_offset}"
                    )
                rank = ranks.get(channel_id)
                if rank is not None:
                    topic, type_name = topics[channel_id]
                    payload = bytes(content[position + fields : following])
                    message = new(BagMessage, (topic, type_name, receive_ns, publish_ns, payload))
                    append((receive_ns, rank, file_index, base + position, message))
                    if len(entries) > MAX_CHUNK_MESSAGES:
                        raise corrupt(
                            self._path,
                            f"has more than {MAX_CHUNK_MESSAGES} messages in its chunk at byte {chunk_offset}, "
                            "which is more than this reader takes",
                        )
                elif channel_id not in self._known:
                    raise corrupt(self._path, f"has a message of the channel {channel_id}, which it does not declare")
                position = following
        except struct.error as error:
            raise corrupt(self._path, f"has a cut record in its chunk at byte {chunk_offset}") from error
        if position != end:
            raise corrupt(self._path, f"has a cut record in its chunk at byte {chunk_offset}")
        return entries

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def topic_of_channel(channel: Channel, schema: Schema | None, count: int, warnings: list[str]) -> TopicInfo:
    """Return what a channel and its schema say about a topic, its QoS aside; what is no text is noted and left out."""
    definition, encoding = "", ""
    if schema is not None and schema.data:
        if schema.encoding not in TEXT_ENCODINGS:
            # Protobuf's is binary: escaped, so that a copy of the bag carries it byte for byte.
            definition, encoding = schema.data.decode(errors="surrogateescape"), schema.encoding
        else:
            try:
                definition, encoding = schema.data.decode(), schema.encoding
            except UnicodeDecodeError:
                warnings.append(
                    f"topic {channel.topic}: the definition of {schema.name} is not UTF-8 text and is not used"
                )
    return TopicInfo(
        name=channel.topic,
        type_name=schema.name if schema is not None else "",
        message_count=count,
        type_hash=channel.metadata.get("topic_type_hash", ""),
        definition=definition,
        definition_encoding=encoding,
        serialization_format=channel.message_encoding,
    )
