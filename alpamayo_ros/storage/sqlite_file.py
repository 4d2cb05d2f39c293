"""Read one sqlite3 file of a bag."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.source import Attachment, Entry, FileContents, MetadataRecord, Selection

_BLOCK_BYTES = 1024 * 1024
_BLOCK_ROWS = 4096
_DATABASE_ERRORS = (sqlite3.Error, OverflowError, ValueError, TypeError, LookupError)
"""What a damaged database raises: its own errors, text that is not UTF-8, columns that are missing or of other types."""


class SqliteFile:
    """One sqlite3 file; it is opened read-only and as immutable, so that nothing is created beside it."""

    def __init__(self, path: Path, *, count_topics: bool = False) -> None:
        """Remember the path.

        Args:
            path: The file.
            count_topics: Whether to count messages by topic, which scans the file.
        """
        self._path = path
        self._count_topics = count_topics

    def contents(self) -> FileContents:
        """Read topics, counts and times."""
        for suffix in ("-wal", "-journal"):
            journal = self._path.with_name(self._path.name + suffix)
            if journal.is_file() and journal.stat().st_size:
                raise BagCorruptError(
                    f"bag file {self._path} has an unfinished journal {journal.name}; "
                    "expected a closed database: run 'alpamayo bag recover' on the bag"
                )
        connection = self._connected()
        try:
            return self._contents(connection)
        except _DATABASE_ERRORS as error:
            raise _corrupt(self._path, error) from error
        finally:
            connection.close()

    def _contents(self, connection: sqlite3.Connection) -> FileContents:
        tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"topics", "messages"} <= tables:
            raise BagCorruptError(
                f"bag file {self._path} has no table of topics or of messages; expected a rosbag2 database"
            )
        definitions = _definitions(connection) if "message_definitions" in tables else {}
        counts: dict[int, int] = {}
        if self._count_topics:
            counts = dict(connection.execute("SELECT topic_id, COUNT(*) FROM messages GROUP BY topic_id"))
        columns = _columns(connection, "topics")
        topics: dict[str, TopicInfo] = {}
        qos_texts: dict[str, str] = {}
        for row in connection.execute("SELECT * FROM topics ORDER BY id"):
            values = dict(zip(columns, row, strict=True))
            name, type_name = str(values["name"]), str(values["type"])
            encoding, definition = definitions.get(type_name, ("", ""))
            earlier = topics.get(name)
            if earlier is not None and earlier.type_name != type_name:
                raise BagCorruptError(
                    f"bag file {self._path} has topic {name} with the types {earlier.type_name!r} and {type_name!r}; "
                    "expected one type for a topic"
                )
            topics[name] = TopicInfo(
                name=name,
                type_name=type_name,
                message_count=counts.get(values["id"], 0) + (earlier.message_count if earlier is not None else 0),
                type_hash=str(values.get("type_description_hash", "")),
                definition=definition,
                definition_encoding=encoding,
                serialization_format=str(values["serialization_format"]),
            )
            qos_texts[name] = str(values.get("offered_qos_profiles", ""))
        count = int(connection.execute("SELECT COUNT(*) FROM messages").fetchone()[0])
        start_ns = connection.execute("SELECT MIN(timestamp) FROM messages").fetchone()[0]
        end_ns = connection.execute("SELECT MAX(timestamp) FROM messages").fetchone()[0]
        return FileContents(
            topics=topics,
            qos_texts=qos_texts,
            message_count=count,
            start_ns=_stamp(self._path, start_ns) if count else 0,
            end_ns=_stamp(self._path, end_ns) if count else 0,
            bag_metadata=_bag_metadata(connection) if "metadata" in tables else "",
            counted=self._count_topics,
        )

    def cursor(self, selection: Selection) -> "SqliteCursor":
        """Open the file for reading rows."""
        return SqliteCursor(self._path, self._connected(), selection)

    def metadata_records(self) -> Iterator[MetadataRecord]:
        """Return nothing: this storage has no such records."""
        return iter(())

    def attachments(self) -> Iterator[Attachment]:
        """Return nothing: this storage has no attachments."""
        return iter(())

    def _connected(self) -> sqlite3.Connection:
        try:
            location = f"file:{quote(str(self._path.resolve()))}?mode=ro&immutable=1"
            return sqlite3.connect(location, uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise _corrupt(self._path, error) from error


class SqliteCursor:
    """Reads rows by receive time, as many at a time as make about one chunk."""

    def __init__(self, path: Path, connection: sqlite3.Connection, selection: Selection) -> None:
        self._path = path
        self._connection = connection
        self._selection = selection
        self._topics: dict[int, tuple[str, str, int]] = {}
        try:
            for topic_id, name in connection.execute("SELECT id, name FROM topics"):
                if name in selection.ranks:
                    self._topics[topic_id] = (name, selection.type_names[name], selection.ranks[name])
            self._known = {row[0] for row in connection.execute("SELECT id FROM topics")}
            self._rows = connection.execute(*self._query())
            self._row = self._rows.fetchone()
        except _DATABASE_ERRORS as error:
            connection.close()
            raise _corrupt(path, error) from error

    def _query(self) -> tuple[str, tuple[int, ...]]:
        conditions, values = [], []
        if self._selection.start_ns is not None:
            conditions.append("timestamp >= ?")
            values.append(self._selection.start_ns)
        if self._selection.end_ns is not None:
            conditions.append("timestamp < ?")
            values.append(self._selection.end_ns)
        if len(self._topics) < len(self._known):
            # Ids come from the database itself and are integers.
            conditions.append(f"topic_id IN ({', '.join(str(int(number)) for number in self._topics)})")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT timestamp, topic_id, data, id FROM messages{where} ORDER BY timestamp, id", tuple(values)  # noqa: S608 - no text of the user

    @property
    def next_start_ns(self) -> int | None:
        """Receive time of the next row; None at the end."""
        return None if self._row is None else _stamp(self._path, self._row[0])

    def read_block(self) -> list[Entry]:
        """Return the next rows."""
        topics, file_index = self._topics, self._selection.file_index
        entries: list[Entry] = []
        size = 0
        row, fetch = self._row, self._rows.fetchone
        try:
            while row is not None and size < _BLOCK_BYTES and len(entries) < _BLOCK_ROWS:
                receive_ns, topic_id, payload, position = row
                if type(payload) is not bytes or type(receive_ns) is not int or receive_ns < 0:
                    raise BagCorruptError(
                        f"bag file {self._path} has a row {position} that is no message; "
                        "expected a time and a payload: record the bag again"
                    )
                topic = topics.get(topic_id)
                if topic is None:
                    raise BagCorruptError(
                        f"bag file {self._path} has a message of the topic id {topic_id!r}, which it does not "
                        "declare; expected complete tables: record the bag again"
                    )
                name, type_name, rank = topic
                message = BagMessage(name, type_name, receive_ns, receive_ns, payload)
                entries.append((receive_ns, rank, file_index, position, message))
                size += len(payload)
                row = fetch()
        except _DATABASE_ERRORS as error:
            raise _corrupt(self._path, error) from error
        self._row = row
        return entries

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]


def _definitions(connection: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    rows = connection.execute("SELECT topic_type, encoding, encoded_message_definition FROM message_definitions")
    return {str(row[0]): (str(row[1]) if row[2] else "", str(row[2])) for row in rows}


def _bag_metadata(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT metadata FROM metadata ORDER BY id DESC LIMIT 1").fetchone()
    return str(row[0]) if row is not None else ""


def _stamp(path: Path, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise BagCorruptError(f"bag file {path} has a receive time {value!r}; expected nanoseconds since the epoch")
    return value


def _corrupt(path: Path, error: Exception) -> BagCorruptError:
    return BagCorruptError(
        f"bag file {path} is damaged or no database ({error}); expected a rosbag2 database: "
        "run 'alpamayo bag recover' on the bag"
    )
