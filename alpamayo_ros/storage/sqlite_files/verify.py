"""Verify one sqlite3 file of a bag: by the library's own check, and by a walk over all rows."""

from collections.abc import Callable
from pathlib import Path

from alpamayo_ros.errors import BagError
from alpamayo_ros.storage.mcap_files.verify import FileFacts
from alpamayo_ros.storage.sqlite_files.connection import DATABASE_ERRORS, SqliteConnection, shown
from alpamayo_ros.storage.sqlite_files.file import SqliteFile
from alpamayo_ros.storage.sqlite_files.salvage import JOURNAL_SUFFIXES
from alpamayo_ros.storage.verification.checks import Verification
from alpamayo_ros.storage.verification.message_tally import HEAD_BYTES, MessageTally, Steps, TopicTally, note_steps

_PROGRESS_ROWS = 4096


class SqliteVerification:
    """The verification of one file."""

    def __init__(self, path: Path, verification: Verification, tally: MessageTally) -> None:
        """Remember where to look and whom to tell.

        Args:
            path: The file.
            verification: Takes the results.
            tally: Takes the messages.
        """
        self._path = path
        self._results = verification
        self._tally = tally
        self._first_ns, self._last_ns, self._count = 2**64, 0, 0
        self._order = Steps()

    def run(self, progress: Callable[[int], None]) -> FileFacts:
        """Look at the whole file.

        Args:
            progress: Told the bytes that were looked at, roughly.
        """
        name = self._path.name
        for suffix in JOURNAL_SUFFIXES:
            journal = self._path.with_name(name + suffix)
            if journal.is_file() and journal.stat().st_size:
                self._results.add_failed("structure", f"{name}: has an unfinished journal {journal.name}")
                return FileFacts(0, 2**64, 0)
        try:
            topics = SqliteFile(self._path, count_topics=False).contents()
            connection = SqliteConnection(self._path)
        except BagError as error:
            self._results.add_failed("database", str(error))
            return FileFacts(0, 2**64, 0)
        size = self._path.stat().st_size
        try:
            problems = connection.problems()
            if not problems:
                self._results.add_passed("database")
            for problem in problems:
                self._results.add_failed("database", f"{name}: {problem[:200]}")
            progress(size // 2)
            tallies: dict[int, TopicTally] = {}
            for topic_id, topic_name in connection.execute("SELECT id, name FROM topics"):
                if type(topic_id) is int and isinstance(topic_name, str) and topic_name in topics.topics:
                    tallies[topic_id] = self._tally.topic(topics.topics[topic_name])
                else:
                    problem = f"{name}: the topic of the id {shown(topic_id)} has no name that is a text"
                    self._results.add_failed("structure", problem)
            self._walk(connection, tallies, progress, size)
        except (*DATABASE_ERRORS, MemoryError) as error:
            connection.let_interruption_through()
            self._results.add_failed("database", f"{name}: cannot be read to its end ({error})")
        else:
            self._results.add_passed("structure")
        finally:
            connection.close()
        note_steps(self._results, "receive times", f"{name}: receive times", self._order)
        return FileFacts(self._count, self._first_ns, self._last_ns, topics.bag_metadata)

    def _walk(
        self,
        connection: SqliteConnection,
        tallies: dict[int, TopicTally],
        progress: Callable[[int], None],
        size: int,
    ) -> None:
        name = self._path.name
        whole = any(tally.needs_payload for tally in tallies.values())
        payload = connection.payload_sql if whole else f"substr({connection.payload_sql}, 1, {HEAD_BYTES})"
        highest = connection.execute("SELECT MAX(id) FROM messages").fetchone()[0]
        last_id = highest if type(highest) is int and highest > 0 else 1
        query = f"SELECT id, topic_id, timestamp, typeof(data), {payload} FROM messages ORDER BY id"  # noqa: S608 - no text of the user
        for row_id, topic_id, stamp, kind, head in connection.execute(query):
            tally = tallies.get(topic_id)
            if tally is None:
                self._results.add_failed(
                    "structure",
                    f"{name}: message {shown(row_id)} has the topic id {shown(topic_id)}, which is not declared",
                )
            elif type(row_id) is not int:
                self._results.add_failed("structure", f"{name}: a row of the messages has an id that is no number")
            elif type(stamp) is not int or stamp < 0 or kind != "blob" or head is None:
                self._results.add_failed("structure", f"{name}: row {shown(row_id)} is no message")
            else:
                tally.take(stamp, stamp, head)
                self._count += 1
                self._order.take(stamp)
                self._first_ns = min(self._first_ns, stamp)
                self._last_ns = max(self._last_ns, stamp)
            if type(row_id) is int and row_id % _PROGRESS_ROWS == 0:
                progress(size // 2 + size // 2 * min(max(row_id, 0), last_id) // last_id)
