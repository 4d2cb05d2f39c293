"""The summary of an MCAP file: channels, schemas, statistics and where its chunks are."""

import io
import zlib
from array import array
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import AttachmentIndex, Channel, ChunkIndex, Footer, Header, MetadataIndex, Schema, Statistics
from mcap.stream_reader import StreamReader

from alpamayo_ros.errors import BagError
from alpamayo_ros.storage.mcap_files.records import MAGIC, PARSE_ERRORS, RECORD, corrupt, read_at
from alpamayo_ros.storage.mcap_files.scan import message_spans

MAX_SUMMARY_BYTES = 1024 * 1024 * 1024
"""A larger summary is refused; a chunk takes about 100 bytes of it and 10 for each of its channels."""

_FOOTER_BYTES = 9 + 20
_SUMMARY_OPCODES = frozenset(
    (
        Opcode.SCHEMA,
        Opcode.CHANNEL,
        Opcode.STATISTICS,
        Opcode.CHUNK_INDEX,
        Opcode.ATTACHMENT_INDEX,
        Opcode.METADATA_INDEX,
        Opcode.SUMMARY_OFFSET,
    )
)


class McapIndex(NamedTuple):
    """A file's summary, compact: four integers a chunk.

    Attributes:
        channels: By id.
        schemas: By id.
        statistics: The Statistics record.
        unchunked: Whether ``chunks`` are spans of messages that stand in the file itself, as rosbag2's preset
            ``fastwrite`` leaves them, rather than chunk records.
        chunks: First and last receive time, offset and length of each chunk, by first receive time.
        chunk_channels: Ids of the channels in each chunk, None where the file does not say.
        metadata: Index of the Metadata records.
        attachments: Index of the attachments.
        compressions: Compression methods of the chunks.
    """

    channels: dict[int, Channel]
    schemas: dict[int, Schema]
    statistics: Statistics
    unchunked: bool
    chunks: "array[int]"
    chunk_channels: list[frozenset[int] | None]
    metadata: list[MetadataIndex]
    attachments: list[AttachmentIndex]
    compressions: tuple[str, ...]


def read_index(path: Path, file: BinaryIO) -> McapIndex:
    """Read the summary of a file.

    Raises:
        BagCorruptError: The file is damaged, truncated or without an index.
        BagError: It is sound, but no file of ROS 2.
    """
    size = file.seek(0, io.SEEK_END)
    opening = read_at(path, file, 0, min(size, len(MAGIC)), "first bytes")
    if opening != MAGIC:
        raise corrupt(path, "is empty" if size == 0 else "does not begin as an MCAP file")
    _validate_header(path, file)
    tail_bytes = _FOOTER_BYTES + len(MAGIC)
    if size < len(MAGIC) + tail_bytes:
        raise corrupt(path, "ends before its footer; it was cut or not closed")
    tail = read_at(path, file, size - tail_bytes, tail_bytes, "footer")
    opcode, length = RECORD.unpack_from(tail)
    if tail[_FOOTER_BYTES:] != MAGIC or opcode != Opcode.FOOTER or length != _FOOTER_BYTES - RECORD.size:
        raise corrupt(path, "has no footer; it was cut or not closed")
    footer = Footer.read(ReadDataStream(io.BytesIO(tail[RECORD.size :])))
    start, end = footer.summary_start, size - tail_bytes
    if start == 0:
        raise corrupt(path, "has no summary and no index")
    if not len(MAGIC) <= start <= end:
        raise corrupt(path, f"says that its summary is at byte {start} of {size}")
    if end - start > MAX_SUMMARY_BYTES:
        raise corrupt(path, f"has a summary of {end - start} bytes, which is more than this reader takes")
    if start < end and read_at(path, file, start, 1, "summary")[0] not in _SUMMARY_OPCODES:
        raise corrupt(path, f"has no summary at byte {start}, where it says")
    summary = read_at(path, file, start, end - start, "summary") + tail[:_FOOTER_BYTES]
    if footer.summary_crc not in (0, zlib.crc32(summary[:-4])):
        raise corrupt(path, "has a summary that differs from its checksum")
    index = _parsed_index(path, summary)
    if index.statistics.message_count and not index.chunks:
        return _with_spans(path, file, index)
    return index


def _with_spans(path: Path, file: BinaryIO, index: McapIndex) -> McapIndex:
    """Index a file that has messages but no chunks, by one pass over its record headers."""
    if index.statistics.chunk_count:
        raise corrupt(path, "has messages, but no index of its chunks")
    found = message_spans(path, file)
    counted = {number: count for number, count in index.statistics.channel_message_counts.items() if count}
    if {number: count for number, count in found.counts.items() if count} != counted:
        raise corrupt(path, "has other numbers of messages than its statistics say")
    rows = found.spans
    order = sorted(range(len(found.channels)), key=lambda number: (rows[4 * number], rows[4 * number + 2]))
    return index._replace(
        unchunked=True,
        chunks=array("Q", (value for number in order for value in rows[4 * number : 4 * number + 4])),
        chunk_channels=[found.channels[number] for number in order],
    )


def _validate_header(path: Path, file: BinaryIO) -> None:
    opening = read_at(path, file, len(MAGIC), RECORD.size, "header")
    opcode, length = RECORD.unpack(opening)
    if opcode != Opcode.HEADER or length > 65536:
        raise corrupt(path, "has no header")
    try:
        header = Header.read(ReadDataStream(io.BytesIO(read_at(path, file, 8 + RECORD.size, length, "header"))))
    except PARSE_ERRORS as error:
        raise corrupt(path, "has a damaged header") from error
    if header.profile == "ros1":
        raise BagError(f"bag file {path} holds messages of ROS 1; expected those of ROS 2: convert the bag it is from")


def _parsed_index(path: Path, summary: bytes) -> McapIndex:
    channels: dict[int, Channel] = {}
    schemas: dict[int, Schema] = {}
    statistics: Statistics | None = None
    rows: list[tuple[int, int, int, int, frozenset[int] | None]] = []
    metadata: list[MetadataIndex] = []
    attachments: list[AttachmentIndex] = []
    sets: dict[frozenset[int], frozenset[int]] = {}
    compressions: set[str] = set()
    try:
        # The library wants the end magic after the footer.
        stream = io.BytesIO(summary + MAGIC)
        # A chunk has no place here; without emit_chunks the library would decompress it, whatever its size.
        reader = StreamReader(stream, skip_magic=True, emit_chunks=True, record_size_limit=len(summary))
        for record in reader.records:
            if isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Statistics):
                statistics = record
            elif isinstance(record, MetadataIndex):
                metadata.append(record)
            elif isinstance(record, AttachmentIndex):
                attachments.append(record)
            elif isinstance(record, ChunkIndex):
                ids = frozenset(record.message_index_offsets)
                known = sets.setdefault(ids, ids) if ids else None
                compressions.add(record.compression)
                bounds = (record.message_start_time, record.message_end_time)
                rows.append((*bounds, record.chunk_start_offset, record.chunk_length, known))
    except PARSE_ERRORS as error:
        raise corrupt(path, "has a damaged summary") from error
    statistics = _validated(path, statistics, declared=set(channels))
    if len({row[2] for row in rows}) != len(rows):
        raise corrupt(path, "has an index that names a chunk twice")
    rows.sort(key=lambda row: (row[0], row[2]))
    return McapIndex(
        channels=channels,
        schemas=schemas,
        statistics=statistics,
        unchunked=False,
        chunks=array("Q", (value for row in rows for value in row[:4])),
        chunk_channels=[row[4] for row in rows],
        metadata=metadata,
        attachments=attachments,
        compressions=tuple(sorted(compressions - {""})),
    )


def _validated(path: Path, statistics: Statistics | None, *, declared: set[int]) -> Statistics:
    """Return the statistics of a file, after they were found to agree with the rest of its summary."""
    if statistics is None:
        raise corrupt(path, "has no statistics")
    if sum(statistics.channel_message_counts.values()) != statistics.message_count:
        raise corrupt(path, "has statistics that contradict themselves")
    missing = sorted(set(statistics.channel_message_counts) - declared)
    if missing:
        raise corrupt(path, f"has messages of the channel {missing[0]}, which its summary does not declare")
    return statistics
