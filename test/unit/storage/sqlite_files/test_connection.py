"""Databases that were made to keep a reader busy for ever, or to show it what is not there."""

import os
import signal
import sqlite3
import struct
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.source import Selection
from alpamayo_ros.storage.sqlite_files.connection import DATABASE_ERRORS, SqliteConnection, bounded_sql, shown
from alpamayo_ros.storage.sqlite_files.file import SqliteFile

TOPICS = (
    "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, "
    "serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL);"
    "INSERT INTO topics VALUES(1, '/a', 'std_msgs/msg/String', 'cdr', '');"
)
MESSAGES = "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB);"
ROW = "INSERT INTO messages VALUES(1, 1, 1000, x'00010000');"
ENDLESS_VIEW = (
    "AS WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r) "
    "SELECT id, 1 AS topic_id, id AS timestamp, x'00010000' AS data FROM r;"
)
PAGE_BYTES = 512


class Alarm(BaseException):
    """What a signal raises in these tests, as the command line's does."""


@pytest.fixture
def make_database(tmp_path: Path) -> Callable[[str], Path]:
    """Write a database by SQL."""

    def make(statements: str) -> Path:
        path = tmp_path / "bag.db3"
        connection = sqlite3.connect(path)
        connection.executescript(f"PRAGMA page_size = {PAGE_BYTES};{statements}")
        connection.close()
        return path

    return make


@pytest.fixture
def alarm_after() -> Iterator[Callable[[float], None]]:
    """Let a signal raise Alarm once the process has computed for so many seconds."""

    def ring(_number: int, _frame: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGVTALRM, ring)
    yield lambda duration_s: signal.setitimer(signal.ITIMER_VIRTUAL, duration_s) and None
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def link_pages_for_ever(path: Path, *, size: int = 0) -> None:
    """Replace the messages by 17 levels of pages, each of which names the next level 60 times.

    Args:
        path: The database; its table of messages has one page.
        size: Bytes that the file is made to have, for as many steps are allowed as its size is worth.
    """
    connection = sqlite3.connect(path)
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()[0]
    connection.close()
    data = bytearray(path.read_bytes())
    count = len(data) // PAGE_BYTES
    leaf = bytes(data[(root - 1) * PAGE_BYTES : root * PAGE_BYTES])
    numbers = [root, *range(count + 1, count + 18)]
    for number, child in pairwise(numbers):
        cells = b"".join(struct.pack(">IB", child, key + 1) for key in range(60))
        begin = PAGE_BYTES - len(cells)
        page = struct.pack(">BHHHBI", 5, 0, 60, begin, 0, child)
        page += b"".join(struct.pack(">H", begin + 5 * key) for key in range(60))
        data[(number - 1) * PAGE_BYTES : number * PAGE_BYTES] = page.ljust(begin, b"\0") + cells
    data[(numbers[-1] - 1) * PAGE_BYTES :] = leaf
    data[28:32] = struct.pack(">I", len(data) // PAGE_BYTES)
    path.write_bytes(data)
    if size:
        os.truncate(path, size)


def repeat_check(connection: SqliteConnection) -> None:
    try:
        for _ in range(1000):
            connection.problems()
    except DATABASE_ERRORS as error:
        raise connection.fault(error) from error


def test_a_sound_database_is_opened_with_its_tables(make_database: Callable[[str], Path]) -> None:
    connection = SqliteConnection(make_database(TOPICS + MESSAGES + ROW))
    assert connection.tables == {"topics", "messages"}
    assert connection.columns("messages") == ("id", "topic_id", "timestamp", "data")
    assert connection.execute("SELECT data FROM messages WHERE id = ?", (1,)).fetchone() == (b"\0\1\0\0",)
    assert connection.problems() == []
    connection.close()
    connection.close()


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (TOPICS + "CREATE VIEW messages " + ENDLESS_VIEW, "has 'messages' among its tables"),
        (TOPICS + MESSAGES + "CREATE VIEW beside " + ENDLESS_VIEW, "has 'beside' among its tables"),
        (
            TOPICS + MESSAGES.replace("data BLOB", "data BLOB GENERATED ALWAYS AS (zeroblob(900000000)) VIRTUAL"),
            "has the computed column 'data' in its table messages",
        ),
        (
            MESSAGES + TOPICS.split(";", maxsplit=1)[0][:-1] + ", x TEXT AS (name) STORED)",
            "has the computed column 'x' in its table topics",
        ),
        (
            TOPICS + MESSAGES + "CREATE TABLE metadata(id INTEGER PRIMARY KEY, metadata TEXT AS (hex(zeroblob(9)))); ",
            "has the computed column 'metadata' in its table metadata",
        ),
    ],
)
def test_what_only_looks_like_a_table_is_refused(
    make_database: Callable[[str], Path], statements: str, reason: str
) -> None:
    with pytest.raises(BagCorruptError, match=f"{reason}.*; expected the plain tables of rosbag2"):
        open_bag(make_database(statements))


@pytest.mark.parametrize(
    "forgery",
    [
        "CREATE VIEW messages " + ENDLESS_VIEW[:-1],
        "CREATE VIRTUAL TABLE messages USING fts5(id, topic_id, timestamp, data)",
        "CREATE/**/TABLE messages(id INTEGER PRIMARY KEY, topic_id, timestamp, data)",
    ],
)
@pytest.mark.parametrize(("kind", "name"), [("table", "messages"), ("trigger", "harmless"), ("index", "harmless")])
def test_a_forged_entry_of_the_schema_is_refused(
    make_database: Callable[[str], Path], forgery: str, kind: str, name: str
) -> None:
    path = make_database(TOPICS + MESSAGES + ROW)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "UPDATE sqlite_master SET sql = ?, type = ?, name = ? WHERE name = 'messages'", (forgery, kind, name)
    )
    connection.commit()
    connection.close()
    with pytest.raises(BagCorruptError, match="expected"):
        open_bag(path)


def test_a_virtual_table_is_refused(make_database: Callable[[str], Path]) -> None:
    statements = (
        f"{TOPICS}CREATE VIEW v {ENDLESS_VIEW}"
        "CREATE VIRTUAL TABLE messages USING fts5(id, topic_id, timestamp, data, content='v', content_rowid='id');"
    )
    try:
        path = make_database(statements)
    except sqlite3.OperationalError as error:
        pytest.skip(f"this sqlite has no fts5 ({error})")
    with pytest.raises(BagCorruptError, match="has no rows of its own"):
        open_bag(path)


def test_a_trigger_and_an_index_do_no_harm(make_database: Callable[[str], Path]) -> None:
    path = make_database(
        f"{TOPICS}{MESSAGES}{ROW}CREATE UNIQUE INDEX i ON messages(timestamp);"
        "CREATE TRIGGER t AFTER INSERT ON messages BEGIN DELETE FROM messages; END;"
    )
    with open_bag(path) as reader:
        assert [message.receive_ns for message in reader.messages()] == [1000]


@pytest.mark.parametrize(
    "further",
    [
        "CREATE TABLE beside(x, y AS (zeroblob(900000000)));INSERT INTO beside VALUES(1);",
        "CREATE INDEX i ON messages(length(zeroblob(900000000) || id));",
        "CREATE INDEX i ON messages(id) WHERE length(zeroblob(900000000) || id) > 1;",
    ],
)
def test_what_the_own_check_of_the_library_would_compute_is_left_out(
    make_database: Callable[[str], Path], further: str
) -> None:
    # Before the row is there, the index has nothing to compute.
    connection = SqliteConnection(make_database(TOPICS + MESSAGES + further))
    assert connection.problems() == []
    connection.close()


def test_pages_that_lead_to_each_other_for_ever_are_given_up(make_database: Callable[[str], Path]) -> None:
    path = make_database(TOPICS + MESSAGES + ROW)
    link_pages_for_ever(path)
    with pytest.raises(BagCorruptError, match=r"a statement took more than 2\d{6} steps"):
        open_bag(path)


def test_the_steps_of_one_statement_do_not_count_for_the_next(make_database: Callable[[str], Path]) -> None:
    path = make_database(TOPICS + MESSAGES + ROW)
    link_pages_for_ever(path)
    connection = SqliteConnection(path)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        connection.execute("SELECT SUM(1) FROM messages").fetchone()
    assert connection.execute("SELECT name FROM topics").fetchone() == ("/a",)
    connection.close()


@pytest.mark.parametrize("duration_s", [0.01, 0.02, 0.05, 0.1])
def test_a_signal_ends_a_statement_and_is_what_the_caller_sees(
    make_database: Callable[[str], Path], alarm_after: Callable[[float], None], duration_s: float
) -> None:
    path = make_database(TOPICS + MESSAGES + ROW)
    link_pages_for_ever(path, size=1 << 30)
    alarm_after(duration_s)
    with pytest.raises(Alarm):
        open_bag(path)


def test_a_signal_ends_the_search_for_the_first_row(
    make_database: Callable[[str], Path], alarm_after: Callable[[float], None]
) -> None:
    path = make_database(TOPICS + MESSAGES + ROW)
    link_pages_for_ever(path, size=1 << 30)
    file = SqliteFile(path)
    alarm_after(0.02)
    with pytest.raises(Alarm):
        file.cursor(Selection({"/a": 0}, {"/a": "std_msgs/msg/String"}, 0, start_ns=2000))


def test_the_check_of_the_library_lets_a_signal_through(
    make_database: Callable[[str], Path], alarm_after: Callable[[float], None]
) -> None:
    many = "WITH RECURSIVE r(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r WHERE id < 100000) "
    path = make_database(f"{TOPICS}{MESSAGES}INSERT INTO messages {many} SELECT id, 1, id, x'00' FROM r;")
    connection = SqliteConnection(path)
    alarm_after(0.005)
    with pytest.raises(Alarm):
        repeat_check(connection)
    connection.close()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 cannot bound the length of a value")
def test_a_value_that_says_it_is_longer_than_the_file_is_refused(make_database: Callable[[str], Path]) -> None:
    connection = SqliteConnection(make_database(TOPICS + MESSAGES + ROW))
    with pytest.raises(DATABASE_ERRORS, match="too big"):
        connection.execute("SELECT zeroblob(2000000)").fetchone()
    connection.close()


@pytest.mark.parametrize(("value", "taken"), [("zeroblob(9)", True), ("zeroblob(10)", False), ("'text'", False)])
def test_a_longer_value_is_left_out_where_the_library_has_no_limit(value: str, taken: bool) -> None:
    connection = sqlite3.connect(":memory:")
    query = f"SELECT {bounded_sql('data', 9)} FROM (SELECT {value} AS data)"
    assert (connection.execute(query).fetchone()[0] is not None) is taken
    connection.close()


def test_a_name_that_is_no_text_is_opened(make_database: Callable[[str], Path]) -> None:
    path = make_database(TOPICS + MESSAGES + ROW)
    odd = path.with_name(os.fsdecode(b"a\xff?#.db3"))
    try:
        path.rename(odd)
    except OSError as error:
        pytest.skip(f"this file system takes text only ({error})")
    with open_bag(odd) as reader:
        assert len(list(reader.messages())) == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BagCorruptError, match=r"none\.db3 is damaged or no database"):
        SqliteConnection(tmp_path / "none.db3")


def test_a_value_is_shown_in_a_few_letters() -> None:
    assert shown(None) == "None"
    assert shown("noon\n") == r"'noon\n'"
    assert len(shown(b"\0" * 1_000_000)) < 200
