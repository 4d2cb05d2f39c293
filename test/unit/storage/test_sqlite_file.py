"""sqlite3 bags, sound and damaged."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.errors import BagCorruptError, BagError
from alpamayo_ros.storage.reader import open_bag

ROWS = [("/odom" if number % 3 else "/imu", 1000 + number, b"payload %d" % number * 5) for number in range(300)]


def contents(path: Path) -> list[tuple[str, int, bytes]]:
    with open_bag(path) as reader:
        return [(message.topic, message.receive_ns, message.payload) for message in reader.messages()]


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
