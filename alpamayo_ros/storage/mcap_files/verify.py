"""Verify one MCAP file by a walk over all of it, and compare its summary with what the walk met."""

import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mcap.opcode import Opcode
from mcap.records import (
    AttachmentIndex,
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
)

from alpamayo_ros.errors import BagCorruptError, BagError
from alpamayo_ros.storage.mcap_files.facts import (
    AttachmentHead,
    ChunkHead,
    End,
    EndReason,
    Found,
    Hole,
    ImplausibleError,
    MessageHead,
    MessageIndexHead,
    UnknownRecord,
    read_chunk,
    record_parsed,
)
from alpamayo_ros.storage.mcap_files.file import topic_of_channel
from alpamayo_ros.storage.mcap_files.records import MAGIC, MESSAGE, MESSAGE_OPCODE, RECORD, read_at
from alpamayo_ros.storage.mcap_files.scan import scan_mcap
from alpamayo_ros.storage.verification.checks import Verification
from alpamayo_ros.storage.verification.message_tally import HEAD_BYTES, MessageTally, Steps, TopicTally, note_steps

_BLOCK_BYTES = 1024 * 1024
_FOOTER_BYTES = RECORD.size + 20


class _Chunk(NamedTuple):
    """What was found out about one chunk: what its index states too."""

    length: int
    first_ns: int
    last_ns: int
    size: int
    compressed_size: int
    compression: str


class _Named(NamedTuple):
    """A metadata record or an attachment, as its index states it too."""

    length: int
    name: str


@dataclass(slots=True)
class _Walk:
    """What the walk met."""

    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)
    first_ns: int = 2**64
    last_ns: int = 0
    chunks: dict[int, _Chunk] = field(default_factory=dict)
    indexes: dict[int, dict[int, int]] = field(default_factory=dict)
    metadata: dict[int, _Named] = field(default_factory=dict)
    attachments: dict[int, _Named] = field(default_factory=dict)
    in_data: bool = True
    entries: dict[int, list[tuple[int, int]]] | None = None
    last_chunk: int = 0
    statistics: Statistics | None = None
    chunk_indexes: list[ChunkIndex] = field(default_factory=list)
    metadata_indexes: list[MetadataIndex] = field(default_factory=list)
    attachment_indexes: list[AttachmentIndex] = field(default_factory=list)
    summary_schemas: dict[int, Schema] = field(default_factory=dict)
    summary_channels: dict[int, Channel] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one file holds, for the comparison with metadata.yaml."""

    message_count: int
    first_ns: int
    last_ns: int
    bag_metadata: str = ""


class McapVerification:
    """The verification of one file."""

    def __init__(self, path: Path, verification: Verification, tally: MessageTally) -> None:
        """Remember where to look and whom to tell.

        Args:
            path: The file.
            verification: Takes the results.
            tally: Takes the messages.
        """
        self._path = path
        self._name = path.name
        self._results = verification
        self._tally = tally
        self._walk = _Walk()
        self._topics: dict[int, TopicTally] = {}
        self._order = Steps()
        self._bag_metadata = ""

    def run(self, progress: Callable[[int], None]) -> FileFacts:
        """Walk over the file.

        Args:
            progress: Told the bytes that were looked at.

        Raises:
            BagCorruptError: The file cannot be read at all.
        """
        walk = self._walk
        with self._path.open("rb") as file:
            for found in scan_mcap(self._path, file, resynchronise=True):
                if walk.in_data:
                    self._take_data(file, found)
                else:
                    self._take_summary(file, found)
                if isinstance(found.content, Hole):
                    self._results.add_failed("structure", f"{self._name}: {found.content.reason}")
                elif isinstance(found.content, End):
                    self._take_end(found.content)
                progress(found.offset + found.length)
        note_steps(self._results, "receive times", f"{self._name}: receive times", self._order)
        return FileFacts(sum(walk.counts.values()), walk.first_ns, walk.last_ns, self._bag_metadata)

    def _take_end(self, end: End) -> None:
        if end.reason is EndReason.COMPLETE:
            self._results.add_passed("structure")
        else:
            self._results.add_failed("structure", f"{self._name}: {end.sentence}")

    def _take_data(self, file: BinaryIO, found: Found) -> None:
        walk, content = self._walk, found.content
        if isinstance(content, ChunkHead):
            self._take_chunk(file, found, content)
        elif isinstance(content, MessageIndexHead):
            self._take_message_index(found, content)
        elif isinstance(content, MessageHead):
            tally = self._topic(content.channel_id)
            wanted = content.payload_length if tally is not None and tally.needs_payload else HEAD_BYTES
            length = min(content.payload_length, wanted)
            payload = read_at(self._path, file, content.payload_offset, length, "message")
            self._take_message(content.channel_id, content.receive_ns, content.publish_ns, payload)
        elif isinstance(content, Schema):
            walk.schemas.setdefault(content.id, content)
        elif isinstance(content, Channel):
            walk.channels.setdefault(content.id, content)
        elif isinstance(content, Metadata):
            walk.metadata[found.offset] = _Named(found.length, content.name)
            if content.name == "rosbag2":
                self._bag_metadata = content.metadata.get("serialized_metadata", "")
        elif isinstance(content, AttachmentHead):
            self._take_attachment(file, found, content)
        elif isinstance(content, UnknownRecord):
            note = f"{self._name}: a record of the unknown kind {content.opcode} at byte {found.offset}"
            self._results.add_note("structure", note)
        elif isinstance(content, DataEnd):
            walk.in_data = False
            self._compare_checksum(
                file, "data checksum", "data section", content.data_section_crc, 0, found.offset, also_from=len(MAGIC)
            )

    def _take_chunk(self, file: BinaryIO, found: Found, head: ChunkHead) -> None:
        walk = self._walk
        walk.entries = None
        walk.last_chunk = found.offset
        walk.chunks[found.offset] = _Chunk(
            found.length, head.first_ns, head.last_ns, head.size, head.data_length, head.compression
        )
        if not found.complete:
            return
        try:
            data = read_chunk(self._path, file, found.offset, head)
        except BagError as error:
            name = "chunk checksums" if isinstance(error, BagCorruptError) else "structure"
            self._results.add_failed(name, str(error))
            return
        if head.crc:
            self._results.add_passed("chunk checksums")
        else:
            self._results.add_absent("chunk checksums", "chunks without checksum")
        walk.entries = {}
        try:
            outside = self._walk_chunk(data, head, walk.entries)
        except (ImplausibleError, IndexError) as error:
            self._results.add_failed("structure", f"{self._name}: the chunk at byte {found.offset} {error}")
            walk.entries = None
            return
        if outside:
            self._results.add_failed(
                "receive times",
                f"{self._name}: {outside} {'message' if outside == 1 else 'messages'} of the chunk at byte "
                f"{found.offset} outside of its times, {head.first_ns} to {head.last_ns} ns",
                outside,
            )

    def _walk_chunk(self, data: bytes, head: ChunkHead, entries: dict[int, list[tuple[int, int]]]) -> int:
        """Take the records of a chunk; return how many messages are outside of its times."""
        position, end, outside = 0, len(data), 0
        view = memoryview(data)
        while position < end:
            if position + RECORD.size > end:
                raise ImplausibleError("has a cut record")
            opcode, length = RECORD.unpack_from(data, position)
            following = position + RECORD.size + length
            if following > end or (opcode == MESSAGE_OPCODE and position + MESSAGE.size > following):
                raise ImplausibleError("has a cut record")
            if opcode == MESSAGE_OPCODE:
                _, _, channel_id, _, receive_ns, publish_ns = MESSAGE.unpack_from(data, position)
                tally = self._topic(channel_id)
                start = position + MESSAGE.size
                stop = following if tally is not None and tally.needs_payload else min(following, start + HEAD_BYTES)
                self._take_message(channel_id, receive_ns, publish_ns, bytes(view[start:stop]))
                entries.setdefault(channel_id, []).append((receive_ns, position))
                outside += not head.first_ns <= receive_ns <= head.last_ns
            elif opcode == Opcode.SCHEMA or opcode == Opcode.CHANNEL:
                record = record_parsed(opcode, data[position + RECORD.size : following])
                if isinstance(record, Schema):
                    self._walk.schemas.setdefault(record.id, record)
                elif isinstance(record, Channel):
                    self._walk.channels.setdefault(record.id, record)
            position = following
        return outside

    def _take_message(self, channel_id: int, receive_ns: int, publish_ns: int, payload: bytes) -> None:
        walk = self._walk
        walk.counts[channel_id] += 1
        self._order.take(receive_ns)
        walk.first_ns = min(walk.first_ns, receive_ns)
        walk.last_ns = max(walk.last_ns, receive_ns)
        tally = self._topic(channel_id)
        if tally is not None:
            tally.take(receive_ns, publish_ns, payload)
        elif walk.counts[channel_id] == 1:
            self._results.add_failed(
                "structure", f"{self._name}: messages of the channel {channel_id}, which is not declared before them"
            )

    def _topic(self, channel_id: int) -> TopicTally | None:
        tally = self._topics.get(channel_id)
        if tally is None:
            channel = self._walk.channels.get(channel_id)
            if channel is None:
                return None
            self._compare_schema(channel)
            notes: list[str] = []
            topic = topic_of_channel(channel, self._walk.schemas.get(channel.schema_id), 0, notes)
            for note in notes:
                self._results.add_note("structure", f"{self._name}: {note}")
            tally = self._topics[channel_id] = self._tally.topic(topic)
        return tally

    def _take_message_index(self, found: Found, index: MessageIndexHead) -> None:
        walk = self._walk
        walk.indexes.setdefault(walk.last_chunk, {})[index.channel_id] = found.offset
        if walk.entries is None:
            return
        held = sorted(walk.entries.get(index.channel_id, ()))
        stated = sorted(index.pairs())
        if stated == held:
            self._results.add_passed("message index", len(stated))
        else:
            self._results.add_failed(
                "message index",
                f"{self._name}: the index at byte {found.offset} names other messages on "
                f"{self._topic_name(index.channel_id)} than its chunk holds ({len(stated)}, not {len(held)})",
            )

    def _take_attachment(self, file: BinaryIO, found: Found, head: AttachmentHead) -> None:
        self._walk.attachments[found.offset] = _Named(found.length, head.name)
        if not head.crc:
            self._results.add_absent("attachments", "attachments without checksum")
        elif _crc(self._path, file, head.content_offset, head.content_offset + head.crc_length) == head.crc:
            self._results.add_passed("attachments")
        else:
            self._results.add_failed("attachments", f"{self._name}: {head.name[:80]!r} differs from its checksum")

    def _take_summary(self, file: BinaryIO, found: Found) -> None:
        walk, content = self._walk, found.content
        if isinstance(content, Schema):
            walk.summary_schemas[content.id] = content
        elif isinstance(content, Channel):
            walk.summary_channels[content.id] = content
        elif isinstance(content, Statistics):
            walk.statistics = content
        elif isinstance(content, ChunkIndex):
            walk.chunk_indexes.append(content)
        elif isinstance(content, MetadataIndex):
            walk.metadata_indexes.append(content)
        elif isinstance(content, AttachmentIndex):
            walk.attachment_indexes.append(content)
        elif isinstance(content, Footer):
            if not content.summary_start:
                self._results.add_failed("index", f"{self._name}: the file has no summary and no index")
                return
            end = found.offset + _FOOTER_BYTES - 4
            self._compare_checksum(file, "summary checksum", "summary", content.summary_crc, content.summary_start, end)
            self._compare_summary()

    def _compare_checksum(
        self, file: BinaryIO, name: str, what: str, stated: int, start: int, end: int, *, also_from: int | None = None
    ) -> None:
        """Compare a checksum; writers disagree on whether that of the data section covers the magic bytes."""
        if not stated:
            self._results.add_absent(name, f"the {what} has no checksum")
        elif stated == _crc(self._path, file, start, end) or (
            also_from is not None and stated == _crc(self._path, file, also_from, end)
        ):
            self._results.add_passed(name)
        else:
            self._results.add_failed(name, f"{self._name}: the {what} differs from its checksum")

    def _compare_summary(self) -> None:
        walk = self._walk
        # rosbag2 writes a channel with its first message, but lists in the summary those without messages too.
        for number in sorted({*walk.channels, *walk.summary_channels}):
            self._compare_definition(
                f"the channel of {self._topic_name(number)}",
                walk.summary_channels.get(number),
                walk.channels.get(number),
                is_used=bool(walk.counts[number]),
            )
        for number in sorted({*walk.schemas, *walk.summary_schemas}):
            schema = walk.schemas.get(number, walk.summary_schemas.get(number))
            name = schema.name if schema is not None else ""
            self._compare_definition(
                f"the definition of {name[:80]}", walk.summary_schemas.get(number), walk.schemas.get(number)
            )
        self._compare_statistics()
        stated = {item.chunk_start_offset: item for item in walk.chunk_indexes}
        if len(stated) != len(walk.chunk_indexes):
            self._results.add_failed("index", f"{self._name}: the index names a chunk twice")
        for offset in sorted({*stated, *walk.chunks}):
            item = stated.get(offset)
            indexed = None if item is None else _chunk_of_index(item)
            self._compare_entry(f"the chunk at byte {offset}", indexed, walk.chunks.get(offset))
            if item is not None and item.message_index_offsets:
                held = walk.indexes.get(offset, {})
                differing = item.message_index_offsets.items() ^ held.items()
                if differing:
                    names = ", ".join(self._topic_name(number) for number in sorted({key for key, _ in differing})[:5])
                    what = f"the index entry of the chunk at byte {offset} points at no message index of {names}"
                    self._results.add_failed("index", f"{self._name}: {what}")
                else:
                    self._results.add_passed("index")
        for what, found, entries in (
            ("metadata record", walk.metadata, walk.metadata_indexes),
            ("attachment", walk.attachments, walk.attachment_indexes),
        ):
            named = {entry.offset: _Named(entry.length, entry.name) for entry in entries}
            for offset in sorted({*named, *found} if named else ()):
                self._compare_entry(f"the {what} at byte {offset}", named.get(offset), found.get(offset))

    def _compare_definition(
        self, what: str, stated: Channel | Schema | None, found: Channel | Schema | None, *, is_used: bool = False
    ) -> None:
        if stated is not None and found is not None:
            if stated == found:
                self._results.add_passed("index")
            else:
                self._results.add_failed("index", f"{self._name}: {what} is another in the summary than in the data")
        elif found is not None and (is_used or isinstance(found, Schema)):
            self._results.add_failed("index", f"{self._name}: {what} is not in the summary")

    def _compare_entry(self, what: str, stated: "_Chunk | _Named | None", found: "_Chunk | _Named | None") -> None:
        """Compare what the index says of a place in the file with what is there."""
        if stated is None or found is None:
            missing = "is not in the index" if stated is None else "is in the index, but not in the file"
            self._results.add_failed("index", f"{self._name}: {what} {missing}")
        elif stated == found:
            self._results.add_passed("index")
        else:
            key, said, held = next(
                (key, said, held) for key, said, held in zip(stated._fields, stated, found, strict=True) if said != held
            )
            problem = f"{what}: for its {key.replace('_', ' ')} the index says {said}, but it is {held}"
            self._results.add_failed("index", f"{self._name}: {problem}")

    def _compare_schema(self, channel: Channel) -> None:
        """Say of a channel whether the schema that it names is declared before it; 0 is none."""
        if channel.schema_id and channel.schema_id not in self._walk.schemas:
            problem = f"{channel.topic[:80]} names the schema {channel.schema_id}, which is not declared before it"
            self._results.add_failed("structure", f"{self._name}: {problem}", is_recoverable=False)

    def _topic_name(self, channel_id: int) -> str:
        for channels in (self._walk.channels, self._walk.summary_channels):
            if channel_id in channels:
                return channels[channel_id].topic[:80]
        return f"the unknown channel {channel_id}"

    def _compare_statistics(self) -> None:
        walk, statistics = self._walk, self._walk.statistics
        if statistics is None:
            self._results.add_failed("index", f"{self._name}: the summary has no statistics")
            return
        count = sum(walk.counts.values())
        by_channel = statistics.channel_message_counts
        rows = [("messages", statistics.message_count, count)]
        rows += [
            (f"messages on {self._topic_name(number)}", by_channel.get(number, 0), walk.counts[number])
            for number in sorted({*by_channel, *walk.counts})
            if by_channel.get(number, 0) or walk.counts[number]
        ]
        rows += [
            ("chunks", statistics.chunk_count, len(walk.chunks)),
            ("attachments", statistics.attachment_count, len(walk.attachments)),
            ("metadata records", statistics.metadata_count, len(walk.metadata)),
        ]
        if count:
            rows.append(("first receive time in ns", statistics.message_start_time, walk.first_ns))
            rows.append(("last receive time in ns", statistics.message_end_time, walk.last_ns))
        for what, said, held in rows:
            self._results.add_compared("index", f"{self._name}: {what}: the statistics say", said, held)


def _chunk_of_index(item: ChunkIndex) -> _Chunk:
    return _Chunk(
        item.chunk_length,
        item.message_start_time,
        item.message_end_time,
        item.uncompressed_size,
        item.compressed_size,
        item.compression,
    )


def _crc(path: Path, file: BinaryIO, start: int, end: int) -> int:
    crc = 0
    for position in range(start, end, _BLOCK_BYTES):
        crc = zlib.crc32(read_at(path, file, position, min(_BLOCK_BYTES, end - position), "data"), crc)
    return crc
