"""Walk the records of an MCAP file from its start, without trust in its summary, its lengths or its end.

Memory is bounded: attachments and the payloads of messages outside of chunks are passed over, chunks are looked at
one at a time and only when asked for. What cannot be read is reported as a ``Hole`` and the walk goes on behind it.
"""

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mcap.records import Channel, DataEnd, Footer, Schema

from alpamayo_ros.storage.mcap_files.facts import (
    ChunkHead,
    End,
    EndReason,
    Found,
    Hole,
    ImplausibleError,
    MessageHead,
    Window,
    record_found,
)
from alpamayo_ros.storage.mcap_files.records import MAGIC, corrupt
from alpamayo_ros.storage.mcap_files.resync import Resynchroniser

SPAN_BYTES = 1024 * 1024


def scan_mcap(path: Path, file: BinaryIO, *, resynchronise: bool = False) -> Iterator[Found]:
    """Yield every record of a file in file order, those of the summary too, and last an ``End``.

    The content of chunks is not looked at: ``read_chunk`` does that.

    Args:
        path: Of the file, for error texts.
        file: The file, opened for reading bytes; others may move its position in between.
        resynchronise: Whether to search for the next plausible record behind damage, yielding a ``Hole``;
            otherwise damage ends the walk.

    Raises:
        BagCorruptError: The file cannot be read at all.
    """
    window = Window(path, file)
    search = Resynchroniser(window, file) if resynchronise else None
    position, wrong = len(MAGIC), None
    if window.read(0, len(MAGIC)) != MAGIC:
        position = 0
        wrong = ImplausibleError("is empty" if not window.size else "does not begin as an MCAP file")
    while True:
        found = None
        if wrong is None:
            if position == window.size:
                yield Found(position, 0, End(EndReason.OPEN, "ends before its footer; it was cut or not closed"))
                return
            try:
                found = record_found(window, position)
            except ImplausibleError as error:
                wrong = error
        target = None
        if search is not None and (found is None or not found.complete or not _is_trusted(search, found)):
            target = search.next_record(position if found is None else position + 1)
        if found is not None and (target is None or target >= position + found.length):
            yield found
            if search is not None:
                search.learn(found)
            position += found.length
            if isinstance(found.content, Footer):
                yield _end_after_footer(window, position)
                return
            if not found.complete:
                yield Found(position, 0, End(EndReason.CUT, "ends within a chunk; it was cut or not closed"))
                return
            continue
        reason = wrong.text if wrong is not None else "has a record of a wrong length"
        if target is None:
            yield from _rest(window, position, reason, cut=wrong is not None and wrong.beyond)
            return
        yield Found(position, target - position, Hole(f"{reason} at byte {position}"))
        position, wrong = target, None


def _is_trusted(search: Resynchroniser, found: Found) -> bool:
    """Say whether the walk may go on behind a record: a wrong length would make it jump over sound ones."""
    if not isinstance(found.content, (ChunkHead, MessageHead)) or search.is_followed(found):
        return True
    return search.is_sound_chunk(found)


def _end_after_footer(window: Window, position: int) -> Found:
    tail = window.read(position, len(MAGIC) + 1)
    if tail == MAGIC:
        return Found(position, len(MAGIC), End(EndReason.COMPLETE, "is complete"))
    if len(tail) < len(MAGIC):
        return Found(position, len(tail), End(EndReason.CUT, "ends within its last bytes; it was cut"))
    return Found(position, window.size - position, End(EndReason.DAMAGED, "has other bytes behind its footer"))


def _rest(window: Window, position: int, reason: str, *, cut: bool) -> Iterator[Found]:
    """Say what the unreadable end of a file is."""
    length = window.size - position
    if cut:
        yield Found(position, length, End(EndReason.CUT, f"{reason}; it was cut or not closed"))
        return
    yield Found(position, length, End(EndReason.DAMAGED, f"{reason} at byte {position}, and nothing readable behind"))


class MessageSpans(NamedTuple):
    """The messages outside of chunks, as spans that a reader can treat like chunks without compression.

    Attributes:
        spans: First and last receive time in ns, offset and length in bytes of each span, in file order.
        channels: Ids of the channels of each span.
        counts: Messages by channel id.
        declared: The channels in the data section, by id.
        schemas: The schemas in the data section, by id.
    """

    spans: "array[int]"
    channels: list[frozenset[int]]
    counts: dict[int, int]
    declared: dict[int, Channel]
    schemas: dict[int, Schema]


def message_spans(path: Path, file: BinaryIO, span_bytes: int = SPAN_BYTES) -> MessageSpans:
    """Find the messages outside of chunks, as rosbag2's preset ``fastwrite`` writes all of them.

    A span is whole records: messages, and the schemas and channels between them. It costs one walk over the heads of
    all records; payloads are passed over.

    Args:
        path: Of the file, for error texts.
        file: The file, opened for reading bytes.
        span_bytes: Size after which a span ends; one larger message makes a larger span.

    Raises:
        BagCorruptError: The file is damaged or cut.
    """
    builder = SpanBuilder(span_bytes)
    for found in scan_mcap(path, file):
        content = found.content
        if isinstance(content, MessageHead):
            builder.add(found.offset, found.length, content)
        elif isinstance(content, Channel):
            builder.spans.declared.setdefault(content.id, content)
        elif isinstance(content, Schema):
            builder.spans.schemas.setdefault(content.id, content)
        else:
            builder.close_span()
            if isinstance(content, End):
                raise corrupt(path, content.sentence)
            if isinstance(content, DataEnd):
                break
    return builder.spans


class SpanBuilder:
    """Gathers messages outside of chunks into spans: the span in progress, and those before it."""

    def __init__(self, span_bytes: int = SPAN_BYTES) -> None:
        """Begin without any.

        Args:
            span_bytes: Size after which a span ends.
        """
        self.spans = MessageSpans(array("Q"), [], {}, {}, {})
        self._span_bytes = span_bytes
        self._sets: dict[frozenset[int], frozenset[int]] = {}
        self._ids: set[int] = set()
        self._start = self._end = self._first_ns = self._last_ns = 0

    def add(self, offset: int, length: int, message: MessageHead) -> None:
        """Add a message to the span, or begin the next one with it."""
        if self._ids and offset + length - self._start > self._span_bytes:
            self.close_span()
        channel_id, receive_ns = message.channel_id, message.receive_ns
        if not self._ids:
            self._start, self._first_ns, self._last_ns = offset, receive_ns, receive_ns
        self._first_ns = min(self._first_ns, receive_ns)
        self._last_ns = max(self._last_ns, receive_ns)
        self._ids.add(channel_id)
        self._end = offset + length
        self.spans.counts[channel_id] = self.spans.counts.get(channel_id, 0) + 1

    def close_span(self) -> None:
        """Put the span in progress with those before it."""
        if not self._ids:
            return
        known = frozenset(self._ids)
        self.spans.spans.extend((self._first_ns, self._last_ns, self._start, self._end - self._start))
        self.spans.channels.append(self._sets.setdefault(known, known))
        self._ids.clear()
