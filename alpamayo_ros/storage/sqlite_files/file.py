"""Read one sqlite3 file of a bag."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.source import Attachment, Entry, FileContents, MetadataRecord, Selection
from alpamayo_ros.storage.sqlite_files.connection import DATABASE_ERRORS, SqliteConnection, shown

_BLOCK_BYTES = 1024 * 1024
_BLOCK_ROWS = 4096
_MAX_STAMP_NS = 2**63 - 1


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
        connection = SqliteConnection(self._path)
        try:
            return self._contents(connection)
        except DATABASE_ERRORS as error:
            raise connection.fault(error) from error
        finally:
            connection.close()

    def _contents(self, connection: SqliteConnection) -> FileContents:
        tables = connection.tables
        if not {"topics", "messages"} <= tables:
            raise BagCorruptError(
                f"bag file {self._path} has no table of topics or of messages; expected a rosbag2 database"
            )
        definitions = _definitions(connection) if "message_definitions" in tables else {}
        counts: dict[int, int] = {}
        if self._count_topics:
            counts = dict(connection.execute("SELECT topic_id, COUNT(*) FROM messages GROUP BY topic_id"))
        columns = connection.columns("topics")
        topics: dict[str, TopicInfo] = {}
        qos_texts: dict[str, str] = {}
        for row in connection.execute("SELECT * FROM topics ORDER BY id"):
            values = dict(zip(columns, row, strict=True))
            self._validate_topic(values)
            name, type_name = values["name"], values["type"]
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
                type_hash=_text(values.get("type_description_hash")),
                definition=definition,
                definition_encoding=encoding,
                serialization_format=values["serialization_format"],
            )
            qos_texts[name] = _text(values.get("offered_qos_profiles"))
        if self._count_topics:
            count = sum(counts.values())
        else:
            # COUNT(*) would be one step of the library, which nothing can interrupt, however the pages are linked.
            count = int(connection.execute("SELECT SUM(1) FROM messages").fetchone()[0] or 0)
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

    def _validate_topic(self, values: dict[str, Any]) -> None:
        expected = {"id": int, "name": str, "type": str, "serialization_format": str}
        for column, kind in expected.items():
            if type(values[column]) is not kind:
                raise BagCorruptError(
                    f"bag file {self._path} has a topic with the {column} {shown(values[column])}; expected "
                    f"{'a whole number' if kind is int else 'text'}: run 'alpamayo bag recover' on the bag"
                )

    def cursor(self, selection: Selection) -> "SqliteCursor":
        """Open the file for reading rows."""
        return SqliteCursor(self._path, SqliteConnection(self._path), selection)

    def metadata_records(self) -> Iterator[MetadataRecord]:
        """Return nothing: this storage has no such records."""
        return iter(())

    def attachments(self) -> Iterator[Attachment]:
        """Return nothing: this storage has no attachments."""
        return iter(())


class SqliteCursor:
    """Reads rows by receive time, as many at a time as make about one chunk."""

    def __init__(self, path: Path, connection: SqliteConnection, selection: Selection) -> None:
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
        except DATABASE_ERRORS as error:
            connection.close()
            raise connection.fault(error) from error
        except BaseException:
            connection.close()
            raise

    def _query(self) -> tuple[str, tuple[int, ...]]:
        conditions, values = [], []
        # The database has no numbers below -2^63 or above 2^63 - 1, and no message is outside of what it can hold.
        if self._selection.start_ns is not None:
            conditions.append("timestamp >= ?" if self._selection.start_ns <= _MAX_STAMP_NS else "timestamp > ?")
            values.append(min(max(self._selection.start_ns, 0), _MAX_STAMP_NS))
        if self._selection.end_ns is not None and self._selection.end_ns <= _MAX_STAMP_NS:
            conditions.append("timestamp < ?")
            values.append(max(self._selection.end_ns, 0))
        if len(self._topics) < len(self._known):
            # Ids come from the database itself and are integers: ``contents`` has looked.
            conditions.append(f"topic_id IN ({', '.join(str(int(number)) for number in self._topics)})")
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        columns = f"timestamp, topic_id, {self._connection.payload_sql}, id"
        return f"SELECT {columns} FROM messages{where} ORDER BY timestamp, id", tuple(values)  # noqa: S608 - no text of the user

    @property
    def next_start_ns(self) -> int | None:
        """Receive time of the next row; None at the end."""
        return None if self._row is None else _stamp(self._path, self._row[0])

    def read_block(self) -> list[Entry]:
        """Return the next rows."""
        topics, file_index = self._topics, self._selection.file_index
        entries: list[Entry] = []
        size = 0
        row = self._row
        if row is None:
            return entries
        try:
            # One row is always read ahead: its time is the bound of what comes.
            for following in chain(self._rows, (None,)):
                receive_ns, topic_id, payload, position = row
                if type(payload) is not bytes or not (type(receive_ns) is type(position) is int) or receive_ns < 0:
                    raise BagCorruptError(
                        f"bag file {self._path} has a row {shown(position)} that is no message; "
                        "expected a number, a time and a payload: run 'alpamayo bag recover' on the bag"
                    )
                topic = topics.get(topic_id)
                if topic is None:
                    raise BagCorruptError(
                        f"bag file {self._path} has a message of the topic id {shown(topic_id)}, which it does not "
                        "declare; expected complete tables: run 'alpamayo bag recover' on the bag"
                    )
                name, type_name, rank = topic
                message = BagMessage(name, type_name, receive_ns, receive_ns, payload)
                entries.append((receive_ns, rank, file_index, position, message))
                size += len(payload)
                row = following
                if size >= _BLOCK_BYTES or len(entries) == _BLOCK_ROWS:
                    break
        except DATABASE_ERRORS as error:
            raise self._connection.fault(error) from error
        self._row = row
        return entries

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def _definitions(connection: SqliteConnection) -> dict[str, tuple[str, str]]:
    rows = connection.execute("SELECT topic_type, encoding, encoded_message_definition FROM message_definitions")
    return {_text(row[0]): (_text(row[1]) if row[2] else "", _text(row[2])) for row in rows}


def _bag_metadata(connection: SqliteConnection) -> str:
    row = connection.execute("SELECT metadata FROM metadata ORDER BY id DESC LIMIT 1").fetchone()
    return _text(row[0]) if row is not None else ""


def _text(value: Any) -> str:
    """Return what may be missing; a value of another type counts as missing."""
    return value if isinstance(value, str) else ""


def _stamp(path: Path, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise BagCorruptError(
            f"bag file {path} has a receive time {shown(value)}; expected nanoseconds since the epoch"
        )
    return value
