"""Find and read what is left of a damaged MCAP file.

A chunk whose checksum fails gives nothing: which of its messages is damaged cannot be told. A chunk that the end of
the file cuts gives the messages before the cut, and a chunk without checksum those before the first broken record.
"""

import struct
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mcap.opcode import Opcode
from mcap.records import Channel, DataEnd, Footer, Metadata, Schema, Statistics

from alpamayo_ros.errors import BagCorruptError, BagError
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.storage.mcap_files.facts import (
    MAX_RECORD_BYTES,
    AttachmentHead,
    ChunkHead,
    End,
    EndReason,
    Found,
    Hole,
    ImplausibleError,
    MessageHead,
    UnknownRecord,
    Window,
    beginning_of_chunk,
    read_chunk,
    record_found,
    record_parsed,
)
from alpamayo_ros.storage.mcap_files.file import topic_of_channel
from alpamayo_ros.storage.mcap_files.records import (
    MAX_CHUNK_BYTES,
    MESSAGE,
    MESSAGE_FIELDS_BYTES,
    MESSAGE_OPCODE,
    RECORD,
    corrupt,
    read_at,
)
from alpamayo_ros.storage.mcap_files.scan import SpanBuilder, scan_mcap
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.metadata import parse_qos
from alpamayo_ros.storage.recovery.salvage import Findings, Progress, joined_topics
from alpamayo_ros.storage.source import Attachment, Entry, MetadataRecord

_WHOLE, _PART, _SPAN = 0, 1, 2
_ROW = 4
_MAX_LINEAGE_PAYLOADS = 4
_MAX_LINEAGE_BYTES = 1024 * 1024
_MAX_RECORDS = 10_000
_FIRST_PRIVATE_OPCODE = 0x80


class _Walked(NamedTuple):
    """What the records of one chunk are."""

    first_ns: int
    last_ns: int
    counts: Mapping[int, int]
    end: int
    whole: bool


class McapSalvage:
    """One MCAP file in any state."""

    def __init__(self, path: Path) -> None:
        """Remember the path."""
        self._path = path
        self._channels: dict[int, Channel] = {}
        self._schemas: dict[int, Schema] = {}
        self._counts: Counter[int] = Counter()
        self._stated_counts: Mapping[int, int] = {}
        # First receive time, offset, length and kind of each block.
        self._rows = array("Q")
        self._findings = Findings()
        self._spans = SpanBuilder()
        self._lineage_channels: set[int] = set()
        self._unverified_channels: set[int] = set()
        self._summary_definitions: list[Channel | Schema] | None = None
        self._summary_is_damaged = False
        self._has_all_data = False
        self._records: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        self._attachments: list[AttachmentHead] = []
        self._known: Mapping[int, tuple[int, str, str]] | None = None

    def survey(self, progress: Progress) -> Findings:
        """Look at the whole file, every chunk decompressed and compared with its checksum."""
        try:
            with self._path.open("rb") as file:
                for found in scan_mcap(self._path, file, resynchronise=True):
                    self._take(file, found)
                    progress(found.offset + found.length)
        except OSError as error:
            raise corrupt(self._path, f"cannot be read ({error.strerror})") from error
        self._close_spans()
        # Behind the data section there are no messages to lose.
        self._findings.times.close(end_missing=self._findings.end_missing and not self._has_all_data)
        self._describe_topics()
        return self._findings

    def starts(self) -> Sequence[int]:
        """Return the first receive time of each block."""
        return self._rows[::_ROW]

    def read(self, block: int, ranks: Mapping[str, int], file_index: int) -> list[Entry]:
        """Return the messages of one block on the topics that have a rank."""
        _, offset, length, kind = self._rows[_ROW * block : _ROW * block + _ROW]
        try:
            with self._path.open("rb") as file:
                if kind == _SPAN:
                    content = read_at(self._path, file, offset, length, f"messages at byte {offset}")
                else:
                    content = self._chunk_again(file, offset, partly=kind == _PART)
        except OSError as error:
            raise corrupt(self._path, f"cannot be read ({error.strerror})") from error
        return self._entries(content[:length], offset, ranks, file_index)

    def attachments(self) -> Iterator[Attachment]:
        """Return the attachments that are equal to their checksum."""
        for head in self._attachments:
            if head.crc_length > MAX_CHUNK_BYTES:
                self._findings.notes.append(f"the attachment {head.name[:80]!r} is too large and is left out")
                continue
            with self._path.open("rb") as file:
                data = read_at(self._path, file, head.content_offset, head.crc_length, "attachment")
            if head.crc not in (0, zlib.crc32(data)):
                self._findings.notes.append(f"the attachment {head.name[:80]!r} is damaged and is left out")
                continue
            data = data[head.crc_length - head.data_length :]
            yield Attachment(head.name, head.media_type, head.log_ns, head.create_ns, data)

    def _take(self, file: BinaryIO, found: Found) -> None:
        content = found.content
        if not isinstance(content, (MessageHead, Schema, Channel)):
            self._close_spans()
        if isinstance(content, ChunkHead):
            self._take_chunk(file, found, content)
        elif isinstance(content, MessageHead):
            self._take_message(found, content)
        elif isinstance(content, (Channel, Schema)):
            self._declare_outside(content)
        elif isinstance(content, Metadata):
            self._take_metadata(content)
        elif isinstance(content, AttachmentHead):
            self._attachments.append(content)
        elif isinstance(content, DataEnd):
            self._summary_definitions = []
            self._has_all_data = True
        elif isinstance(content, Statistics):
            self._findings.expected = content.message_count
            self._stated_counts = content.channel_message_counts
        elif isinstance(content, Footer):
            self._take_summary(file, found, content)
        elif isinstance(content, (UnknownRecord, Hole, End)):
            self._take_damage(found, content)

    def _take_message(self, found: Found, head: MessageHead) -> None:
        if self._findings.compressions:
            # The head of a chunk in which one bit is wrong looks so.
            reason = f"has a message outside of its chunks at byte {found.offset}"
            self._findings.losses.add(found.offset, found.length, reason)
            self._findings.times.add_loss()
        else:
            self._spans.add(found.offset, found.length, head)

    def _take_damage(self, found: Found, content: UnknownRecord | Hole | End) -> None:
        losses = self._findings.losses
        if isinstance(content, UnknownRecord):
            reason = f"has a record of the unknown kind {content.opcode} at byte {found.offset}"
            losses.add(found.offset, found.length, reason)
        elif isinstance(content, Hole):
            losses.add(found.offset, found.length, content.reason)
            self._summary_is_damaged = self._summary_definitions is not None
            if not self._summary_is_damaged:
                self._findings.times.add_loss()
        elif content.reason is not EndReason.COMPLETE:
            self._findings.end_missing = True
            if content.reason is not EndReason.DAMAGED:
                self._take_summary_definitions(verified=False)
            if found.length:
                losses.add(found.offset, found.length, content.sentence)
            else:
                self._findings.notes.append(content.sentence)

    def _declare_outside(self, record: Channel | Schema) -> None:
        """Note a definition outside of chunks; those in the summary wait for its checksum."""
        if self._summary_definitions is not None:
            self._summary_definitions.append(record)
        else:
            self._take_definition(record, verified=False)

    def _take_definition(self, record: Channel | Schema, *, verified: bool) -> None:
        if isinstance(record, Schema):
            self._schemas.setdefault(record.id, record)
        elif record.id not in self._channels:
            self._channels[record.id] = record
            if not verified:
                self._unverified_channels.add(record.id)

    def _take_summary(self, file: BinaryIO, found: Found, footer: Footer) -> None:
        """Take the definitions of the summary unless its checksum says that they are damaged."""
        end = found.offset + RECORD.size + 16
        verified = False
        if footer.summary_crc and footer.summary_start and 0 < end - footer.summary_start <= MAX_RECORD_BYTES:
            data = read_at(self._path, file, footer.summary_start, end - footer.summary_start, "summary")
            verified = zlib.crc32(data) == footer.summary_crc
            if not verified:
                self._findings.notes.append("the summary differs from its checksum and is not used")
                self._findings.expected = None
                self._summary_is_damaged = True
        self._take_summary_definitions(verified=verified)

    def _take_summary_definitions(self, *, verified: bool) -> None:
        records, self._summary_definitions = self._summary_definitions or [], []
        if not self._summary_is_damaged:
            for record in records:
                self._take_definition(record, verified=verified)

    def _take_chunk(self, file: BinaryIO, found: Found, head: ChunkHead) -> None:
        losses = self._findings.losses
        name = head.compression or "none"
        self._findings.compressions[name] = self._findings.compressions.get(name, 0) + 1
        data, whole, reason = b"", found.complete, ""
        if found.complete:
            try:
                data = read_chunk(self._path, file, found.offset, head)
            except BagCorruptError as error:
                whole, reason = False, _wrong(str(error), self._path)
                if not head.crc:
                    data = beginning_of_chunk(file, head)
            except BagError as error:
                losses.add(found.offset, found.length, _wrong(str(error), self._path))
                self._findings.times.add_loss()
                return
        else:
            data, reason = beginning_of_chunk(file, head), f"ends within its chunk at byte {found.offset}"
        bounds = None if whole and head.crc else (head.first_ns, head.last_ns)
        walked = self._walked(data, bounds)
        count = sum(walked.counts.values())
        if count:
            self._rows.extend((walked.first_ns, found.offset, walked.end, _WHOLE if whole else _PART))
            self._counts.update(walked.counts)
            self._findings.times.add_messages(walked.first_ns, walked.last_ns)
            if not (whole and head.crc):
                self._findings.unverified += count
        if not whole or not walked.whole:
            kept = f"; {count} messages of it were kept" if count else ""
            reason = reason or f"has a broken record in its chunk at byte {found.offset}"
            losses.add(found.offset, found.length, f"{reason}{kept}")
            self._findings.times.add_loss()

    def _walked(self, data: bytes, bounds: tuple[int, int] | None) -> _Walked:
        """Walk over the records of a chunk up to the first that is broken, and note its schemas and channels.

        Args:
            data: The records.
            bounds: Receive times that the chunk states, where no checksum says that the records are sound.
        """
        counts: Counter[int] = Counter()
        first_ns, last_ns = 2**64, 0
        position, end = 0, len(data)
        while position + RECORD.size <= end:
            opcode, length = RECORD.unpack_from(data, position)
            following = position + RECORD.size + length
            if following > end:
                break
            if opcode == MESSAGE_OPCODE:
                if length < MESSAGE_FIELDS_BYTES:
                    break
                _, _, channel_id, _, receive_ns, _ = MESSAGE.unpack_from(data, position)
                if bounds is not None and not bounds[0] <= receive_ns <= bounds[1]:
                    break
                counts[channel_id] += 1
                first_ns, last_ns = min(first_ns, receive_ns), max(last_ns, receive_ns)
                if channel_id in self._lineage_channels:
                    self._take_lineage(data[position + MESSAGE.size : following])
            elif opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                try:
                    self._declare(record_parsed(opcode, data[position + RECORD.size : following]))
                except ImplausibleError:
                    break
            elif opcode < _FIRST_PRIVATE_OPCODE:
                break
            position = following
        return _Walked(first_ns, last_ns, counts, position, position == end)

    def _declare(self, record: object) -> None:
        """Note a definition in a chunk, which goes before one that no checksum covers."""
        if isinstance(record, Schema):
            self._schemas[record.id] = record
        elif isinstance(record, Channel):
            self._channels[record.id] = record
            self._unverified_channels.discard(record.id)
            schema = self._schemas.get(record.schema_id)
            if schema is not None and schema.name == output_topic("lineage").type_name:
                self._lineage_channels.add(record.id)

    def _take_lineage(self, payload: bytes) -> None:
        payloads = self._findings.lineage_payloads
        if len(payloads) < _MAX_LINEAGE_PAYLOADS and len(payload) <= _MAX_LINEAGE_BYTES:
            payloads.append(payload)

    def _take_metadata(self, content: Metadata) -> None:
        if content.name == "rosbag2":
            self._findings.bag_metadata = content.metadata.get("serialized_metadata", "")
            return
        record = MetadataRecord(content.name, dict(content.metadata))
        key = (record.name, tuple(sorted(record.values.items())))
        if key not in self._records and len(self._records) < _MAX_RECORDS:
            self._records.add(key)
            self._findings.records.append(record)

    def _close_spans(self) -> None:
        """Take over the finished spans of messages outside of chunks."""
        self._spans.close_span()
        spans, counts = self._spans.spans.spans, self._spans.spans.counts
        if not spans:
            return
        for first_ns, last_ns, offset, length in zip(*(iter(spans),) * 4, strict=True):
            self._rows.extend((first_ns, offset, length, _SPAN))
            self._findings.times.add_messages(first_ns, last_ns)
        self._counts.update(counts)
        self._findings.unverified += sum(counts.values())
        self._spans = SpanBuilder()

    def _describe_topics(self) -> None:
        findings = self._findings
        if not self._summary_is_damaged:
            for channel_id, count in self._stated_counts.items():
                if count and channel_id in self._channels:
                    name = self._channels[channel_id].topic
                    findings.expected_topics[name] = findings.expected_topics.get(name, 0) + count
        for channel_id in sorted({*self._channels, *self._counts}):
            count = self._counts[channel_id]
            channel = self._channels.get(channel_id)
            if channel is None:
                findings.add_stray(f"on the channel {channel_id}, whose definition is lost", count)
                continue
            schema = self._schemas.get(channel.schema_id)
            topic = topic_of_channel(channel, schema, count, findings.notes)
            try:
                topic = replace(topic, offered_qos=parse_qos(channel.metadata.get("offered_qos_profiles", "")))
            except ValueError as error:
                findings.notes.append(f"topic {channel.topic}: {error}")
            earlier = findings.topics.get(topic.name)
            if earlier is not None and "" != earlier.type_name != topic.type_name != "":
                findings.add_stray(f"on {topic.name} with the further type {topic.type_name!r}", count)
                del self._channels[channel_id]
                continue
            findings.message_count += count
            if channel_id in self._unverified_channels:
                findings.unverified += count
            findings.topics[topic.name] = topic if earlier is None else joined_topics(earlier, topic)
        findings.unverified = min(findings.unverified, findings.message_count)

    def _chunk_again(self, file: BinaryIO, offset: int, *, partly: bool) -> bytes:
        try:
            found = record_found(Window(self._path, file), offset)
        except ImplausibleError as error:
            raise corrupt(self._path, f"{error.text} at byte {offset}; it was changed meanwhile") from error
        if not isinstance(found.content, ChunkHead):
            raise corrupt(self._path, f"has no chunk at byte {offset}; it was changed meanwhile")
        if partly:
            return beginning_of_chunk(file, found.content)
        return read_chunk(self._path, file, offset, found.content)

    def _entries(self, content: bytes, offset: int, ranks: Mapping[str, int], file_index: int) -> list[Entry]:
        entries: list[Entry] = []
        base, position, end = offset << 32, 0, len(content)
        known = self._known_channels(ranks)
        try:
            while position < end:
                opcode, length = RECORD.unpack_from(content, position)
                following = position + RECORD.size + length
                if opcode == MESSAGE_OPCODE:
                    _, _, channel_id, _, receive_ns, publish_ns = MESSAGE.unpack_from(content, position)
                    if channel_id in known:
                        rank, topic, type_name = known[channel_id]
                        payload = content[position + MESSAGE.size : following]
                        message = BagMessage(topic, type_name, receive_ns, publish_ns, payload)
                        entries.append((receive_ns, rank, file_index, base + position, message))
                position = following
        except struct.error as error:
            raise corrupt(self._path, f"was changed meanwhile at byte {offset}") from error
        return entries

    def _known_channels(self, ranks: Mapping[str, int]) -> Mapping[int, tuple[int, str, str]]:
        """Return rank, topic and type by channel; they are the same for every block."""
        if self._known is None:
            schemas = self._schemas
            self._known = {
                channel.id: (
                    ranks[channel.topic],
                    channel.topic,
                    schemas[channel.schema_id].name if channel.schema_id in schemas else "",
                )
                for channel in self._channels.values()
                if channel.topic in ranks
            }
        return self._known


def _wrong(sentence: str, path: Path) -> str:
    """Return what is wrong without the path, which stands once over all losses of a file."""
    return sentence.removeprefix(f"bag file {path} ").partition("; expected")[0]
