"""sqlite3 bags, sound and damaged."""

import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.errors import BagCorruptError, BagError
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.source import Selection
from alpamayo_ros.storage.sqlite_files.file import SqliteFile
from alpamayo_ros.storage.verification.verify import verify_bag

ROWS = [("/odom" if number % 3 else "/imu", 1000 + number, b"payload %d" % number * 5) for number in range(300)]


def contents(path: Path) -> list[tuple[str, int, bytes]]:
    with open_bag(path) as reader:
        return [(message.topic, message.receive_ns, message.payload) for message in reader.messages()]


def bare_database(
    folder: Path,
    *,
    topics: Sequence[tuple[object, ...]] = ((1, "/a", "std_msgs/msg/String", "cdr"),),
    rows: Sequence[tuple[object, ...]] = ((1, 1, 5, b"\0\1\0\0"),),
) -> Path:
    """Write a database whose columns take values of any type."""
    path = folder / "bare.db3"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE topics(id, name, type, serialization_format)")
    connection.execute("CREATE TABLE messages(id, topic_id, timestamp, data)")
    connection.executemany("INSERT INTO topics VALUES(?, ?, ?, ?)", topics)
    connection.executemany("INSERT INTO messages VALUES(?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return path


def test_a_foreign_bag_is_read(make_foreign_bag: Callable[..., Path]) -> None:
    path = make_foreign_bag("bag", ROWS, custom={"driver": "7"})
    with open_bag(path) as reader:
        assert (reader.storage_id, reader.message_count, reader.start_ns, reader.end_ns) == ("sqlite3", 300, 1000, 1299)
        assert reader.custom_data == {"driver": "7"}
        assert reader.topics["/imu"].message_count == 100
        assert reader.topics["/imu"].definition_encoding == "ros2msg"
        assert reader.topics["/imu"].offered_qos[0].reliability == "best_effort"
        assert list(reader.metadata_records()) == []
        assert reader.warnings == ()
    assert contents(path) == ROWS


def test_a_bare_file_counts_its_own_topics(make_foreign_bag: Callable[..., Path]) -> None:
    with open_bag(make_foreign_bag("bag", ROWS) / "bag.db3") as reader:
        assert reader.topics["/imu"].message_count == 100
        assert reader.topics["/odom"].message_count == 200
        assert len(list(reader.messages(["/imu"]))) == 100


def test_nothing_is_created_beside_the_file(make_foreign_bag: Callable[..., Path]) -> None:
    path = make_foreign_bag("bag", ROWS)
    before = sorted(entry.name for entry in path.iterdir())
    contents(path)
    assert sorted(entry.name for entry in path.iterdir()) == before


def test_a_path_with_odd_characters_is_opened(make_foreign_bag: Callable[..., Path]) -> None:
    path = make_foreign_bag("bag", ROWS)
    assert contents(path.rename(path.with_name("a ? # % bag"))) == ROWS


def test_times_and_topics_are_chosen_by_the_database(make_foreign_bag: Callable[..., Path]) -> None:
    with open_bag(make_foreign_bag("bag", ROWS)) as reader:
        found = [message.receive_ns for message in reader.messages(["/imu"], start_ns=1010, end_ns=1030)]
    assert found == [1012, 1015, 1018, 1021, 1024, 1027]


@pytest.mark.parametrize("percent", range(0, 100, 10))
def test_a_cut_file_is_refused_with_what_to_do(make_foreign_bag: Callable[..., Path], percent: int) -> None:
    path = make_foreign_bag("bag", ROWS)
    file = path / "bag.db3"
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * percent // 100])
    with pytest.raises(BagCorruptError, match="expected") as caught:
        contents(path)
    assert "\n" not in str(caught.value)


def test_a_flipped_byte_raises_no_foreign_exception(make_foreign_bag: Callable[..., Path]) -> None:
    path = make_foreign_bag("bag", ROWS)
    file = path / "bag.db3"
    data = bytearray(file.read_bytes())
    generator = np.random.default_rng(0)
    outcomes = {True: 0, False: 0}
    for position in generator.choice(len(data), 200, replace=False).tolist():
        old = data[position]
        data[position] ^= int(generator.integers(1, 256))
        file.write_bytes(data)
        try:
            contents(path)
            outcomes[True] += 1
        except BagError:
            outcomes[False] += 1
        data[position] = old
    assert sum(outcomes.values()) == 200
    assert outcomes[False] > 0


def test_a_journal_that_was_not_finished_is_named(make_foreign_bag: Callable[..., Path]) -> None:
    path = make_foreign_bag("bag", ROWS)
    (path / "bag.db3-wal").write_bytes(b"x" * 100)
    with pytest.raises(BagCorruptError, match=r"unfinished journal bag\.db3-wal"):
        contents(path)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DROP TABLE messages", "no table of topics or of messages"),
        ("DELETE FROM messages WHERE id = 5", "299 messages in all where metadata.yaml counts 300"),
        ("UPDATE messages SET data = 'text' WHERE id = 5", "row 5 that is no message"),
        ("UPDATE messages SET topic_id = 77 WHERE id = 5", "topic id 77"),
        ("UPDATE messages SET timestamp = -3 WHERE id = 5", "receive time -3"),
        ("UPDATE messages SET timestamp = 'noon' WHERE id = 5", "receive time 'noon'"),
        ("UPDATE topics SET type = 'std_msgs/msg/Bool' WHERE name = '/imu'", "expected one type for a topic"),
        ("UPDATE topics SET name = x'2f61' WHERE name = '/imu'", "a topic with the name b'/a'; expected text"),
        ("UPDATE topics SET type = x'2f61' WHERE name = '/imu'", "a topic with the type b'/a'; expected text"),
        ("UPDATE topics SET serialization_format = x'' WHERE name = '/imu'", "the serialization_format b''"),
        ("UPDATE topics SET name = CAST(x'ff' AS TEXT) WHERE name = '/imu'", "damaged or no database"),
    ],
)
def test_tables_that_are_not_sound_are_refused(
    make_foreign_bag: Callable[..., Path], statement: str, reason: str
) -> None:
    path = make_foreign_bag("bag", ROWS)
    connection = sqlite3.connect(path / "bag.db3")
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(BagCorruptError, match=re.escape(reason)):
        contents(path)


def test_a_table_whose_name_is_no_text_is_refused(make_foreign_bag: Callable[..., Path]) -> None:
    path = make_foreign_bag("bag", ROWS)
    connection = sqlite3.connect(path / "bag.db3")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET name = CAST(x'ff' AS TEXT) WHERE name = 'schema'")
    connection.commit()
    connection.close()
    with pytest.raises(BagCorruptError, match="damaged or no database"):
        contents(path)


def test_a_table_without_time_index_and_definitions_is_read(make_foreign_bag: Callable[..., Path]) -> None:
    path = make_foreign_bag("bag", reversed(ROWS))
    connection = sqlite3.connect(path / "bag.db3")
    connection.executescript("DROP INDEX timestamp_idx; DROP TABLE message_definitions; DROP TABLE metadata")
    connection.close()
    assert contents(path) == ROWS


@pytest.mark.parametrize("column", ["name", "type", "serialization_format", "id"])
@pytest.mark.parametrize(("value", "shown"), [(None, "None"), (b"y", "b'y'"), (1.5, "1.5")])
def test_a_topic_of_other_types_is_refused_when_the_bag_is_opened(
    tmp_path: Path, column: str, value: object, shown: str
) -> None:
    row = {"id": 1, "name": "/a", "type": "std_msgs/msg/String", "serialization_format": "cdr", column: value}
    path = bare_database(tmp_path, topics=[tuple(row.values())])
    with pytest.raises(BagCorruptError, match=rf"topic with the {column} {shown}; expected .*bag recover"):
        open_bag(path)


@pytest.mark.parametrize(("value", "shown"), [(None, "None"), ("a", "'a'"), (b"x", "b'x'"), (1.5, "1.5")])
def test_a_message_whose_id_is_no_number_is_refused(tmp_path: Path, value: object, shown: str) -> None:
    path = bare_database(tmp_path, rows=[(value, 1, 5, b"\0\1\0\0"), (2, 1, 5, b"\0\1\0\0")])
    with pytest.raises(BagCorruptError, match=f"row {shown} that is no message; expected a number"):
        contents(path)
    report = verify_bag(path)
    assert any("id that is no number" in text for check in report.failed for text in check.problems)


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "stamps"),
    [
        (None, 10**22, [0, 5, 2**63 - 1]),
        (5, 2**63, [5, 2**63 - 1]),
        (2**63 - 1, 2**64, [2**63 - 1]),
        (None, 2**63 - 1, [0, 5]),
        (-(10**22), 6, [0, 5]),
        (None, -(10**22), []),
        (2**63, None, []),
        (10**22, 10**23, []),
    ],
)
def test_times_beyond_what_a_database_can_hold_choose_all_that_is_there(
    tmp_path: Path, start_ns: int | None, end_ns: int | None, stamps: list[int]
) -> None:
    path = bare_database(tmp_path, rows=[(1, 1, 0, b""), (2, 1, 5, b""), (3, 1, 2**63 - 1, b"")])
    with open_bag(path) as reader:
        assert [message.receive_ns for message in reader.messages(None, start_ns, end_ns)] == stamps
    file = SqliteFile(path)
    cursor = file.cursor(Selection({"/a": 0}, {"/a": "x/msg/X"}, 0, start_ns, end_ns))
    assert [entry[0] for entry in cursor.read_block()] == stamps
    cursor.close()


def test_texts_that_are_missing_are_empty(tmp_path: Path) -> None:
    path = bare_database(tmp_path)
    connection = sqlite3.connect(path)
    connection.executescript(
        "ALTER TABLE topics ADD COLUMN offered_qos_profiles; ALTER TABLE topics ADD COLUMN type_description_hash;"
        "CREATE TABLE metadata(id INTEGER PRIMARY KEY, metadata); INSERT INTO metadata VALUES(1, NULL);"
        "CREATE TABLE message_definitions(topic_type, encoding, encoded_message_definition);"
        "INSERT INTO message_definitions VALUES(x'00', NULL, NULL);"
    )
    connection.close()
    with open_bag(path) as reader:
        assert reader.warnings == ()
        topic = reader.topics["/a"]
    assert (topic.type_hash, topic.definition, topic.offered_qos) == ("", "", ())


def test_a_bag_without_messages_is_read(tmp_path: Path) -> None:
    with open_bag(bare_database(tmp_path, rows=[])) as reader:
        assert (reader.message_count, list(reader.messages())) == (0, [])
    assert SqliteFile(tmp_path / "bare.db3").contents().message_count == 0
