"""Search for the next record of an MCAP file behind damage.

A chunk is accepted when its checksum says so. The other records that stand between chunks are accepted when they
are sound themselves and a sound record follows. Messages outside of chunks carry no checksum: they are accepted only
in a file that is known to have such messages, because a damaged chunk may hold records that look the same.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from mcap.opcode import Opcode
from mcap.records import Channel, DataEnd, Metadata

from alpamayo_ros.errors import BagError
from alpamayo_ros.storage.mcap_files.facts import (
    COMPRESSION_NAMES,
    ChunkHead,
    Found,
    ImplausibleError,
    MessageHead,
    MessageIndexHead,
    Window,
    read_chunk,
    record_found,
)
from alpamayo_ros.storage.mcap_files.records import MAX_CHUNK_BYTES, RECORD

_BLOCK_BYTES = 1024 * 1024
_PATTERN_BYTES = 64
_CHUNK = rb"\x06.{5}\x00{3}.{16}.{5}\x00{3}.{4}(?:\x00{4}|\x04\x00{3}zstd|\x03\x00{3}lz4).{5}\x00{3}"
_OTHER = rb"\x0f\x04\x00{7}|[\x07\x0c].{3}\x00{5}"
_MESSAGE = rb"\x05.{4}\x00{4}"
_CHUNKS_AND_OTHERS = re.compile(b"(?=(?:" + b"|".join((_CHUNK, _OTHER)) + b"))", re.DOTALL)
_MESSAGES_TOO = re.compile(b"(?=(?:" + b"|".join((_CHUNK, _OTHER, _MESSAGE)) + b"))", re.DOTALL)
_CANDIDATE_COST_BYTES = 64
_WORK_PER_BYTE = 8
_LEAST_WORK_BYTES = 4 * MAX_CHUNK_BYTES
_CHAIN = 3
_CDR_FIRST_BYTES = tuple(bytes((0, kind)) for kind in (0, 1, 2, 3, 6, 7, 10, 11))
"""Classic CDR, its parameter lists, and the three of XCDR2."""


class Resynchroniser:
    """Finds the next record behind damage, with a bound on all the work that false starts can cost."""

    def __init__(self, window: Window, file: BinaryIO) -> None:
        """Take the file; ``learn`` tells what kind of file it is."""
        self._window = window
        self._file = file
        self._channels: set[int] = set()
        self._has_chunks = False
        self._has_messages = False
        self._work_left = _WORK_PER_BYTE * window.size + _LEAST_WORK_BYTES

    def learn(self, found: Found) -> None:
        """Note what the walk met."""
        content = found.content
        if isinstance(content, ChunkHead):
            self._has_chunks = True
        elif isinstance(content, MessageHead):
            self._has_messages = True
        elif isinstance(content, Channel):
            self._channels.add(content.id)

    def next_record(self, begin: int) -> int | None:
        """Return the offset of the next record that is accepted, None if there is none or the work is used up."""
        unchunked = self._has_messages and not self._has_chunks
        for offset in self._candidates(_MESSAGES_TOO if unchunked else _CHUNKS_AND_OTHERS, begin):
            self._work_left -= _CANDIDATE_COST_BYTES
            if self._work_left < 0:
                return None
            if self._is_record(offset):
                return offset
        return None

    def is_sound_chunk(self, found: Found) -> bool:
        """Say whether a chunk decompresses and is equal to its checksum."""
        content = found.content
        if not isinstance(content, ChunkHead) or not found.complete:
            return False
        if content.compression not in COMPRESSION_NAMES or content.size > MAX_CHUNK_BYTES:
            return False
        if not content.compression and content.size != content.data_length:
            return False
        self._work_left -= content.size + content.data_length
        if self._work_left < 0:
            return False
        try:
            data = read_chunk(self._window.path, self._file, found.offset, content)
        except BagError:
            return False
        return bool(content.crc) or _is_chain(data)

    def is_followed(self, found: Found) -> bool:
        """Say whether a record, or the end of the file, is where this one ends."""
        end = found.offset + found.length
        if end == self._window.size:
            return True
        try:
            record_found(self._window, end)
        except ImplausibleError:
            return False
        return True

    def _candidates(self, pattern: "re.Pattern[bytes]", begin: int) -> Iterator[int]:
        size = self._window.size
        for start in range(begin, size, _BLOCK_BYTES):
            block = self._window.read(start, _BLOCK_BYTES + _PATTERN_BYTES)
            for match in pattern.finditer(block):
                if match.start() >= _BLOCK_BYTES:
                    break
                yield start + match.start()

    def _is_record(self, offset: int) -> bool:
        try:
            found = record_found(self._window, offset)
        except ImplausibleError:
            return False
        content = found.content
        if isinstance(content, ChunkHead):
            return self.is_sound_chunk(found)
        if isinstance(content, MessageHead):
            return self._is_message_chain(found)
        if isinstance(content, MessageIndexHead):
            return bool(content.entries) and self._is_closely_followed(found)
        if isinstance(content, Metadata):
            return _metadata_bytes(content) == found.length - RECORD.size and self._is_closely_followed(found)
        return isinstance(content, DataEnd) and self._is_closely_followed(found)

    def _is_closely_followed(self, found: Found) -> bool:
        """Say whether a record of the format's own kinds follows."""
        following = self._window.read(found.offset + found.length, RECORD.size)
        return len(following) == RECORD.size and following[0] <= Opcode.DATA_END and self.is_followed(found)

    def _is_message_chain(self, found: Found) -> bool:
        """Say whether some messages of known channels stand in a row here, or fewer up to the end of the file."""
        for _ in range(_CHAIN):
            content = found.content
            if not isinstance(content, MessageHead):
                return True
            payload = self._window.read(content.payload_offset, min(2, content.payload_length))
            if content.channel_id not in self._channels or not payload.startswith(_CDR_FIRST_BYTES):
                return False
            end = found.offset + found.length
            if end == self._window.size:
                return True
            try:
                found = record_found(self._window, end)
            except ImplausibleError as error:
                return error.beyond
        return True


def _metadata_bytes(content: Metadata) -> int:
    """Return the length that a record has by its texts, 0 for one without a name, as zeros are."""
    texts = [content.name, *content.metadata.keys(), *content.metadata.values()]
    return sum(4 + len(text.encode()) for text in texts) + 4 if content.name else 0


def _is_chain(data: bytes) -> bool:
    """Say whether a chunk without checksum is made of records."""
    position = 0
    while position + RECORD.size <= len(data):
        opcode, length = RECORD.unpack_from(data, position)
        if opcode not in (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE) and opcode < 0x80:
            return False
        position += RECORD.size + length
    return position == len(data)
