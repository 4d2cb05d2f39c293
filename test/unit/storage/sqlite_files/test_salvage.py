"""What is left of a damaged sqlite3 file: rows from its pages, and what a journal holds."""

import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alpamayo_ros.storage.recovery.salvage import Findings
from alpamayo_ros.storage.sqlite_files.salvage import SqliteSalvage

CDR = b"\0\1\0\0"
ROWS = [
    ("/odom" if number % 3 else "/imu", 1000 + number, CDR + b"%d " % number * (1 if number % 7 else 3000))
    for number in range(300)
]
Recovered = list[tuple[str, int, bytes]]


def salvage(path: Path) -> tuple[Findings, Recovered]:
    with SqliteSalvage(path) as file:
        findings = file.survey(lambda _: None)
        ranks = {name: rank for rank, name in enumerate(findings.topics)}
        entries = [entry for block in range(len(file.starts())) for entry in file.read(block, ranks, 0)]
    assert len(entries) == findings.message_count
    return findings, [(message.topic, message.receive_ns, message.payload) for *_, message in entries]


@pytest.fixture
def database(make_foreign_bag: Callable[..., Path]) -> Path:
    return next(make_foreign_bag("foreign", ROWS, custom={"site": "here"}).glob("*.db3"))


def test_a_sound_database_gives_everything(database: Path) -> None:
    findings, messages = salvage(database)
    assert messages == ROWS
    assert findings.topics["/imu"].message_count == 100
    assert findings.topics["/imu"].type_name == "sensor_msgs/msg/Imu"
    assert findings.topics["/imu"].type_hash.startswith("RIHS01_")
    assert findings.topics["/imu"].offered_qos[0].depth == 7
    assert not findings.losses.count
    assert not findings.end_missing


def test_a_database_that_is_cut_gives_the_rows_of_whole_pages(database: Path) -> None:
    data = database.read_bytes()
    counts = []
    for length in range(0, len(data), 4000):
        database.write_bytes(data[:length])
        _, messages = salvage(database)
        assert set(messages) <= set(ROWS)
        counts.append(len(messages))
    assert counts == sorted(counts)
    assert counts[-1] > 200


def test_rows_are_found_without_the_pages_that_lead_to_them(database: Path) -> None:
    data = bytearray(database.read_bytes())
    for offset in range(0, len(data), 4096):
        if data[offset] == 5:
            data[offset : offset + 4096] = bytes(4096)
    database.write_bytes(data)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(database).execute("SELECT SUM(LENGTH(data)) FROM messages").fetchone()
    assert salvage(database)[1] == ROWS


def test_a_lost_table_of_topics_leaves_messages_without_name(database: Path) -> None:
    data = bytearray(database.read_bytes())
    for offset in range(0, len(data), 4096):
        if b"/odom" in data[offset : offset + 4096]:
            data[offset : offset + 4096] = bytes(4096)
    database.write_bytes(data)
    findings, messages = salvage(database)
    assert messages == []
    assert sum(findings.stray.values()) == len(ROWS)
    assert all("whose name is lost" in reason for reason in findings.stray)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9000), st.booleans()), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
)
def test_random_damage_is_no_error(
    database: Path, tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[float, int, bool]], seed: int
) -> None:
    generator = np.random.default_rng(seed)
    data = bytearray(database.read_bytes())
    for place, size, noise in edits:
        begin = int(place * len(data))
        length = len(data[begin : begin + size])
        data[begin : begin + size] = generator.bytes(length) if noise else bytes(length)
    path = tmp_path_factory.mktemp("damage") / "some.db3"
    path.write_bytes(data)
    salvage(path)


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_what_a_killed_writer_left_in_its_journal_is_used_and_nothing_is_changed(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "live.db3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode={mode}")
    connection.execute("PRAGMA cache_size=5")
    connection.execute(
        "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, serialization_format TEXT, "
        "offered_qos_profiles TEXT)"
    )
    connection.execute("CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, data BLOB)")
    connection.execute("INSERT INTO topics VALUES(1, '/a', 'std_msgs/msg/String', 'cdr', '')")
    for number in range(50):
        connection.execute("INSERT INTO messages VALUES(?, 1, ?, ?)", (number + 1, number, CDR + b"x" * 500))
    connection.execute("BEGIN")
    for number in range(50, 200):
        connection.execute("INSERT INTO messages VALUES(?, 1, ?, ?)", (number + 1, number, CDR + b"y" * 500))
    killed = tmp_path / "killed"
    killed.mkdir()
    for file in tmp_path.glob("live.db3*"):
        if not file.name.endswith("-shm"):
            shutil.copyfile(file, killed / file.name)
    connection.close()
    before = {file.name: file.read_bytes() for file in killed.iterdir()}
    findings, messages = salvage(killed / "live.db3")
    assert messages == [("/a", number, CDR + b"x" * 500) for number in range(50)]
    assert "was applied to a copy" in findings.notes[0]
    assert findings.end_missing
    assert {file.name: file.read_bytes() for file in killed.iterdir()} == before


def test_a_page_chain_that_runs_in_circles_ends(database: Path) -> None:
    data = bytearray(database.read_bytes())
    pages = len(data) // 4096
    for page in range(1, pages):
        if data[page * 4096 : page * 4096 + 3] == b"\0\0\0":
            data[page * 4096 : page * 4096 + 4] = (page + 1).to_bytes(4, "big")
    database.write_bytes(data)
    _, messages = salvage(database)
    assert set(messages) <= set(ROWS)


def test_a_journal_deletes_no_file_that_it_names(database: Path, tmp_path: Path) -> None:
    """SQLite deletes the super-journal that a rollback journal names, once it has rolled back."""
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    magic, page_bytes = bytes.fromhex("d9d505f920a163d7"), 4096
    pages = database.stat().st_size // page_bytes
    name = str(victim).encode()
    header = (magic + struct.pack(">IIIII", 0, 0x1234, pages, 512, page_bytes)).ljust(512, b"\0")
    record = struct.pack(">I", 0x40000000 // page_bytes + 1) + name + struct.pack(">II", len(name), sum(name)) + magic
    database.with_name(database.name + "-journal").write_bytes(header + record)
    assert salvage(database)[1] == ROWS
    assert victim.read_text() == "precious"


def test_a_database_cut_between_pages_lacks_its_end(database: Path) -> None:
    data = database.read_bytes()
    database.write_bytes(data[: len(data) // 4096 // 2 * 4096])
    findings, messages = salvage(database)
    assert findings.end_missing
    assert f"of {len(data)} bytes; it was cut" in findings.notes[0]
    assert findings.times.gaps[-1] == (messages[-1][1], None)


def test_rows_that_are_missing_show_in_time(database: Path) -> None:
    data = bytearray(database.read_bytes())
    connection = sqlite3.connect(database)
    connection.execute("DELETE FROM messages WHERE id BETWEEN 101 AND 120")
    connection.commit()
    connection.execute("VACUUM")
    connection.close()
    assert salvage(database)[0].times.gaps == []
    data = bytearray(database.read_bytes())
    data += b"the beginning of a page"
    database.write_bytes(data)
    assert (1099, 1120) in salvage(database)[0].times.gaps


def test_rows_are_taken_whatever_their_column_of_ids_holds(tmp_path: Path) -> None:
    path = tmp_path / "odd.db3"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE topics(id INTEGER PRIMARY KEY, name, type, serialization_format, qos)")
    connection.execute("CREATE TABLE messages(id, topic_id, timestamp, data)")
    connection.execute("INSERT INTO topics VALUES(1, '/a', 'std_msgs/msg/String', 'cdr', '')")
    for number, row_id in enumerate(("text", None, b"blob", 4096)):
        connection.execute("INSERT INTO messages VALUES(?, 1, ?, ?)", (row_id, number, CDR))
    connection.commit()
    connection.close()
    assert salvage(path)[1] == [("/a", number, CDR) for number in range(4)]
