"""Find and read what is left of a damaged sqlite3 file of a bag.

An unfinished journal is applied first, by the library, to a copy; then the rows are read from the pages.
"""

import shutil
import sqlite3
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, final

import numpy as np

from alpamayo_ros.errors import BagCorruptError, BagWriteError
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.metadata import parse_qos
from alpamayo_ros.storage.qos import QosProfile
from alpamayo_ros.storage.recovery.salvage import Findings, Progress, joined_topics
from alpamayo_ros.storage.source import Attachment, Entry
from alpamayo_ros.storage.sqlite_files.pages import Row, SqlitePages

JOURNAL_SUFFIXES = ("-wal", "-journal")
_SUPER_JOURNAL_MAGIC_BYTES = 8
_BLOCK_BYTES = 1024 * 1024
_BLOCK_ROWS = 4096
_MAX_LINEAGE_PAYLOADS = 4
_MAX_LINEAGE_BYTES = 1024 * 1024
_MAX_DECLARATIONS = 100_000
_UNIQUE_ROWS = "stand in the file a second time"


class _Topic(NamedTuple):
    name: str
    type_name: str
    serialization_format: str
    qos: str
    type_hash: str


@final
class SqliteSalvage:
    """One sqlite3 file in any state; use it in a ``with`` block, which deletes the copy if one was made."""

    def __init__(self, path: Path) -> None:
        """Remember the path."""
        self._path = path
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._pages_path = path
        self._findings = Findings()
        self._topics: dict[int, _Topic] = {}
        self._definitions: dict[str, tuple[str, str]] = {}
        # Receive time, row id, topic id, place and size of each message.
        self._columns = tuple(array("q") for _ in range(5))
        self._blocks: list[tuple[int, int, int]] = []
        self._order = np.empty(0, dtype=np.int64)

    def __enter__(self) -> "SqliteSalvage":
        """Return the file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Delete the copy."""
        self.close()

    def close(self) -> None:
        """Delete the copy that was made to apply a journal."""
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None

    def survey(self, progress: Progress) -> Findings:
        """Look at every page.

        Raises:
            BagCorruptError: The file cannot be read at all.
            BagWriteError: There is no room for the copy that a journal asks for.
        """
        self._apply_journal()
        broken = array("q")
        try:
            with self._pages_path.open("rb") as file:
                pages = SqlitePages(self._path, file)
                self._describe_file(pages)
                for offset, rows in pages.rows(broken):
                    for row in rows:
                        self._take(row)
                    progress(offset)
                self._sort()
                self._take_lineage(pages)
        except OSError as error:
            raise BagCorruptError(f"bag file {self._path} cannot be read ({error.strerror})") from error
        for offset in broken:
            self._findings.losses.add(offset, pages.page_bytes, f"has a broken row in the page at byte {offset}")
        self._describe_times()
        self._describe_topics()
        return self._findings

    def starts(self) -> Sequence[int]:
        """Return the first receive time of each block of rows."""
        return [block[2] for block in self._blocks]

    def read(self, block: int, ranks: Mapping[str, int], file_index: int) -> list[Entry]:
        """Return the messages of one block on the topics that have a rank."""
        begin, end, _ = self._blocks[block]
        stamps, row_ids, topic_ids, cells, _ = self._columns
        entries: list[Entry] = []
        with self._pages_path.open("rb") as file:
            pages = SqlitePages(self._path, file)
            for number in self._order[begin:end].tolist():
                topic = self._topics.get(topic_ids[number])
                if topic is None or topic.name not in ranks:
                    continue
                stamp = stamps[number]
                message = BagMessage(topic.name, topic.type_name, stamp, stamp, pages.blob(cells[number]))
                entries.append((stamp, ranks[topic.name], file_index, row_ids[number], message))
        return entries

    def attachments(self) -> Iterator[Attachment]:
        """Return nothing: this storage has no attachments."""
        return iter(())

    def _apply_journal(self) -> None:
        journals = [self._path.with_name(self._path.name + suffix) for suffix in JOURNAL_SUFFIXES]
        unfinished = [journal for journal in journals if journal.is_file() and journal.stat().st_size]
        if not unfinished:
            return
        self._copy = tempfile.TemporaryDirectory(prefix="alpamayo_bag_", ignore_cleanup_errors=True)
        target = Path(self._copy.name) / self._path.name
        try:
            for file in (self._path, *unfinished):
                shutil.copyfile(file, target.with_name(file.name))
                _forget_further_file(target.with_name(file.name))
        except OSError as error:
            raise BagWriteError(
                f"bag file {self._path} has an unfinished journal and cannot be copied into {target.parent} "
                f"({error.strerror}); expected room there: set TMPDIR to a folder on a larger disk"
            ) from error
        names = ", ".join(file.name for file in unfinished)
        try:
            connection = sqlite3.connect(target, isolation_level=None)
            try:
                connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.close()
            self._findings.notes.append(f"the unfinished journal {names} was applied to a copy")
        except sqlite3.Error as error:
            shutil.copyfile(self._path, target)
            self._findings.notes.append(f"the unfinished journal {names} cannot be applied ({error})")
        self._pages_path = target
        self._findings.end_missing = True

    def _describe_file(self, pages: SqlitePages) -> None:
        losses = self._findings.losses
        if not pages.has_header:
            losses.add(0, min(100, pages.size), "does not begin as a database")
        elif pages.size % pages.page_bytes:
            self._findings.end_missing = True
            losses.add(pages.size - pages.size % pages.page_bytes, pages.size % pages.page_bytes, "ends within a page")
        if pages.stated_bytes > pages.size:
            self._findings.end_missing = True
            self._findings.notes.append(f"ends after {pages.size} of {pages.stated_bytes} bytes; it was cut")

    def _take(self, row: Row) -> None:
        """Tell by its columns which of rosbag2's tables a row is from."""
        match row.values:
            # The id is none: it is the key of the row itself, unless somebody made the table otherwise.
            case (_, int() as topic_id, int() as stamp, bytes()) if row.blob_bytes >= 0 and stamp >= 0:
                if stamp < 2**63 and abs(topic_id) < 2**31:
                    for column, value in zip(
                        self._columns, (stamp, row.row_id, topic_id, row.cell, row.blob_bytes), strict=True
                    ):
                        column.append(value)
            case (None, str() as name, str() as type_name, str() as form, str() as qos, *rest) if name.startswith("/"):
                type_hash = rest[0] if rest and isinstance(rest[0], str) else ""
                if len(self._topics) < _MAX_DECLARATIONS:
                    self._topics.setdefault(row.row_id, _Topic(name, type_name, form, qos, type_hash))
            case (None, str() as type_name, str() as encoding, str() as definition, *_):
                if len(self._definitions) < _MAX_DECLARATIONS:
                    self._definitions.setdefault(type_name, (encoding if definition else "", definition))
            case (None, int(), str() as text) if text:
                self._findings.bag_metadata = text
            case _:
                pass  # A row of sqlite's own tables, or of an index.

    def _sort(self) -> None:
        """Order the messages by time and key, drop what stands there twice, and cut them into blocks."""
        stamps, row_ids, _, _, sizes = (np.asarray(column, dtype=np.int64) for column in self._columns)
        order = np.lexsort((row_ids, stamps))
        _, first = np.unique(row_ids, return_index=True)
        if len(first) != len(order):
            self._findings.add_stray(_UNIQUE_ROWS, len(order) - len(first))
            unique = np.zeros(len(order), dtype=bool)
            unique[first] = True
            order = order[unique[order]]
        self._order = order
        begin, size = 0, 0
        for position, number in enumerate(order.tolist()):
            if size >= _BLOCK_BYTES or position - begin >= _BLOCK_ROWS:
                self._blocks.append((begin, position, int(stamps[order[begin]])))
                begin, size = position, 0
            size += int(sizes[number])
        if begin < len(order):
            self._blocks.append((begin, len(order), int(stamps[order[begin]])))

    def _take_lineage(self, pages: SqlitePages) -> None:
        type_name = output_topic("lineage").type_name
        wanted = {key for key, topic in self._topics.items() if topic.type_name == type_name}
        if not wanted:
            return
        _, _, topic_ids, cells, sizes = self._columns
        for number in self._order.tolist():
            if topic_ids[number] in wanted and sizes[number] <= _MAX_LINEAGE_BYTES:
                self._findings.lineage_payloads.append(pages.blob(cells[number]))
                if len(self._findings.lineage_payloads) == _MAX_LINEAGE_PAYLOADS:
                    return

    def _describe_times(self) -> None:
        """Tell by the row ids, which rosbag2 counts up from 1, where in time rows are missing in a damaged file."""
        findings = self._findings
        stamps, row_ids = (np.asarray(column, dtype=np.int64)[self._order] for column in self._columns[:2])
        order = np.argsort(row_ids, kind="stable")
        stamps, row_ids = stamps[order], row_ids[order]
        if not len(stamps):
            findings.times.close(end_missing=bool(findings.losses.count) or findings.end_missing)
            return
        breaks = [0]
        if findings.losses.count or findings.end_missing:
            breaks += (np.flatnonzero(np.diff(row_ids) > 1) + 1).tolist()
            if row_ids[0] > 1:
                findings.times.add_loss()
        for begin, end in zip(breaks, [*breaks[1:], len(stamps)], strict=True):
            findings.times.add_messages(int(stamps[begin:end].min()), int(stamps[begin:end].max()))
            if end < len(stamps):
                findings.times.add_loss()
        findings.times.close(end_missing=findings.end_missing)

    def _describe_topics(self) -> None:
        findings = self._findings
        topic_ids = np.asarray(self._columns[2], dtype=np.int64)[self._order]
        counts = Counter(dict(zip(*(part.tolist() for part in np.unique(topic_ids, return_counts=True)), strict=True)))
        for topic_id in sorted({*self._topics, *counts}):
            topic, count = self._topics.get(topic_id), counts[topic_id]
            if topic is None:
                findings.add_stray(f"on the topic id {topic_id}, whose name is lost", count)
                continue
            info = self._info(topic, count)
            earlier = findings.topics.get(topic.name)
            if earlier is not None and earlier.type_name != topic.type_name:
                findings.add_stray(f"on {topic.name} with the further type {topic.type_name!r}", count)
                del self._topics[topic_id]
                continue
            findings.topics[topic.name] = info if earlier is None else joined_topics(earlier, info)
            findings.message_count += count
        findings.unverified = findings.message_count

    def _info(self, topic: _Topic, count: int) -> TopicInfo:
        encoding, definition = self._definitions.get(topic.type_name, ("", ""))
        offered: tuple[QosProfile, ...] = ()
        try:
            offered = parse_qos(topic.qos)
        except ValueError as error:
            self._findings.notes.append(f"topic {topic.name}: {error}")
        return TopicInfo(
            name=topic.name,
            type_name=topic.type_name,
            message_count=count,
            type_hash=topic.type_hash,
            definition=definition,
            definition_encoding=encoding,
            serialization_format=topic.serialization_format,
            offered_qos=offered,
        )


def _forget_further_file(journal: Path) -> None:
    """Make the copy of a rollback journal end without the name of a super-journal.

    The library would delete the file of that name, wherever it is, once it has applied the journal.
    """
    if journal.name.endswith("-journal"):
        with journal.open("ab") as file:
            file.write(bytes(_SUPER_JOURNAL_MAGIC_BYTES))
