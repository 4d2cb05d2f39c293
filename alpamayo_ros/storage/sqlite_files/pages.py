"""Rows of a damaged sqlite3 database, read from its pages without trust in its trees.

Every leaf page of a table says so itself and holds whole rows (https://www.sqlite.org/fileformat2.html), so that rows
are found although the pages that lead to them are lost. Whose rows they are shows in their columns. There are no
checksums: a row is accepted when all its lengths agree.
"""

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from alpamayo_ros.errors import BagCorruptError

MAGIC = b"SQLite format 3\0"
HEADER_BYTES = 100
_DEFAULT_PAGE_BYTES = 4096
_LEAF = 0x0D
_LEAF_HEADER_BYTES = 8
_MIN_PAGE_BYTES, _MAX_PAGE_BYTES = 512, 65536
_FIRST_BLOB, _FIRST_TEXT = 12, 13
_INTEGER_BYTES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}
_REAL = 7
_MAX_COLUMNS = 16
_MAX_HEADER_BYTES = 128
_WALKS_PER_PAGE = 4


class Row(NamedTuple):
    """One row: its values are text, bytes, integers or None; a long blob at the end is left in the file.

    Attributes:
        row_id: 64-bit key.
        values: Columns; the last is empty bytes where ``blob_bytes`` says more.
        cell: Where the row's cell begins in the file.
        blob_bytes: Length of a blob in the last column, -1 if it is none.
    """

    row_id: int
    values: tuple[int | str | bytes | None, ...]
    cell: int
    blob_bytes: int


class _BrokenRowError(Exception):
    """A cell is no row."""


class SqlitePages:
    """The pages of one database file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Read the page size.

        Raises:
            BagCorruptError: The file cannot be read.
        """
        self._path = path
        self._file = file
        self.size = file.seek(0, 2)
        header = self._read(0, HEADER_BYTES)
        self.has_header = header.startswith(MAGIC) and len(header) == HEADER_BYTES
        page_bytes = int.from_bytes(header[16:18], "big") if self.has_header else _DEFAULT_PAGE_BYTES
        page_bytes = _MAX_PAGE_BYTES if page_bytes == 1 else page_bytes
        if not _MIN_PAGE_BYTES <= page_bytes <= _MAX_PAGE_BYTES or page_bytes & (page_bytes - 1):
            page_bytes = _DEFAULT_PAGE_BYTES
        reserved = header[20] if self.has_header else 0
        self.page_bytes = page_bytes
        # Stated pages count only where the last writer kept them: its counters then agree.
        is_stated = self.has_header and header[24:28] == header[92:96]
        self.stated_bytes = int.from_bytes(header[28:32], "big") * page_bytes if is_stated else 0
        self._usable = max(page_bytes - reserved, 480)
        self.page_count = -(-self.size // page_bytes)
        # What pages of one table share; a hostile file could make every row run through the same pages.
        self._walks_left = _WALKS_PER_PAGE * self.page_count + 1024

    def rows(self, broken: "array[int]") -> Iterator[tuple[int, list[Row]]]:
        """Yield the page offset and the rows of every leaf page in the file; empty pages of tables are left out.

        Args:
            broken: Takes the offsets of leaf pages in which a row is broken.

        Raises:
            BagCorruptError: The file cannot be read.
        """
        for number in range(self.page_count):
            offset = number * self.page_bytes
            start = HEADER_BYTES if number == 0 and self.has_header else 0
            page = self._read(offset, self.page_bytes)
            if len(page) < start + _LEAF_HEADER_BYTES or page[start] != _LEAF:
                continue
            rows, whole = self._rows_of_page(page, offset, start)
            if not whole:
                broken.append(offset)
            if rows:
                yield offset, rows

    def blob(self, cell: int) -> bytes:
        """Return the blob in the last column of a row that ``rows`` gave.

        Raises:
            BagCorruptError: The file was changed meanwhile.
        """
        offset = cell - cell % self.page_bytes
        page = self._read(offset, self.page_bytes)
        try:
            row, parts = self._row(page, cell - offset, offset, limited=False)
        except (_BrokenRowError, IndexError) as error:
            raise BagCorruptError(f"bag file {self._path} was changed meanwhile at byte {cell}") from error
        data = b"".join(parts)
        return data[len(data) - row.blob_bytes :] if row.blob_bytes > 0 else b""

    def _rows_of_page(self, page: bytes, offset: int, start: int) -> tuple[list[Row], bool]:
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        pointers = start + _LEAF_HEADER_BYTES
        if pointers + 2 * count > len(page):
            return [], False
        rows: list[Row] = []
        whole = True
        for number in range(count):
            at = pointers + 2 * number
            cell = int.from_bytes(page[at : at + 2], "big")
            if cell < pointers + 2 * count:
                whole = False
                continue
            try:
                row, _ = self._row(page, cell, offset, limited=True)
            except (_BrokenRowError, IndexError):
                whole = False
                continue
            rows.append(row)
        return rows, whole

    def _row(self, page: bytes, cell: int, offset: int, *, limited: bool) -> tuple[Row, list[bytes]]:
        """Read a cell; return the row and the pieces of its payload, or only the first piece with ``limited``."""
        length, at = _varint(page, cell)
        row_id, at = _varint(page, at)
        if length > self.size:
            raise _BrokenRowError
        local, overflows = self._local_bytes(length)
        if at + local + (4 if overflows else 0) > len(page):
            raise _BrokenRowError
        first = page[at : at + local]
        types, body = _column_types(first, length)
        following = int.from_bytes(page[at + local : at + local + 4], "big") if overflows else 0
        parts = [first]
        blob_bytes = _blob_bytes(types[-1])
        if overflows:
            parts += self._overflow(following, length - local, kept=not limited or blob_bytes < 0)
        data = first if limited and blob_bytes >= 0 else b"".join(parts)
        values = _values(data, types[:-1] if blob_bytes >= 0 else types, body)
        if blob_bytes >= 0:
            values += (b"",)
        signed = row_id - 2**64 if row_id >= 2**63 else row_id
        return Row(signed, values, offset + cell, blob_bytes), parts

    def _local_bytes(self, length: int) -> tuple[int, bool]:
        """Return how much of a payload stands in the leaf page, and whether the rest is elsewhere."""
        usable = self._usable
        most = usable - 35
        if length <= most:
            return length, False
        least = (usable - 12) * 32 // 255 - 23
        fitting = least + (length - least) % (usable - 4)
        return (fitting if fitting <= most else least), True

    def _overflow(self, number: int, rest: int, *, kept: bool) -> list[bytes]:
        """Follow the pages that hold the rest of a payload, reading only their heads unless it is ``kept``."""
        parts: list[bytes] = []
        content_bytes = self._usable - 4
        while rest > 0:
            if kept is False:
                self._walks_left -= 1
            if not 1 < number <= self.page_count or self._walks_left < 0:
                raise _BrokenRowError
            wanted = min(rest, content_bytes)
            page = self._read((number - 1) * self.page_bytes, 4 + wanted if kept else 4)
            if len(page) < (4 + wanted if kept else 4) or (number - 1) * self.page_bytes + 4 + wanted > self.size:
                raise _BrokenRowError
            if kept:
                parts.append(page[4:])
            number = int.from_bytes(page[:4], "big")
            rest -= wanted
        if number:
            raise _BrokenRowError
        return parts

    def _read(self, offset: int, length: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(length)
        except OSError as error:
            raise BagCorruptError(
                f"bag file {self._path} cannot be read at byte {offset} ({error.strerror}); expected a readable file"
            ) from error


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for number in range(9):
        byte = data[at + number]
        if number == 8:  # The ninth byte counts whole.
            return (value << 8) | byte, at + 9
        value = (value << 7) | (byte & 0x7F)
        if byte < 0x80:  # The high bit says that more bytes follow.
            return value, at + number + 1
    raise _BrokenRowError


def _column_types(data: bytes, length: int) -> tuple[list[int], int]:
    """Return the types of a row's columns and where its values begin; all lengths must add up."""
    header_bytes, at = _varint(data, 0)
    if not 2 <= header_bytes <= min(_MAX_HEADER_BYTES, len(data)):
        raise _BrokenRowError
    types: list[int] = []
    total = header_bytes
    while at < header_bytes:
        kind, at = _varint(data, at)
        types.append(kind)
        total += _size_of(kind)
    if at != header_bytes or total != length or len(types) > _MAX_COLUMNS:
        raise _BrokenRowError
    return types, header_bytes


def _size_of(kind: int) -> int:
    if kind >= _FIRST_BLOB:
        return (kind - _FIRST_BLOB) // 2
    size = _INTEGER_BYTES.get(kind)
    if size is None:
        raise _BrokenRowError
    return size


def _blob_bytes(kind: int) -> int:
    return (kind - _FIRST_BLOB) // 2 if kind >= _FIRST_BLOB and kind % 2 == 0 else -1


def _values(data: bytes, types: list[int], at: int) -> tuple[int | str | bytes | None, ...]:
    values: list[int | str | bytes | None] = []
    for kind in types:
        size = _size_of(kind)
        piece = data[at : at + size]
        if len(piece) != size:
            raise _BrokenRowError
        at += size
        if kind == 0 or kind == _REAL:
            values.append(None)
        elif kind >= _FIRST_TEXT and kind % 2:
            try:
                values.append(piece.decode())
            except UnicodeDecodeError as error:
                raise _BrokenRowError from error
        elif kind >= _FIRST_BLOB:
            values.append(piece)
        elif kind in (8, 9):
            values.append(kind - 8)
        else:
            values.append(int.from_bytes(piece, "big", signed=True))
    return tuple(values)
