"""What `alpamayo bag verify` finds: every kind of damage by the check that names it, and nothing in a sound bag."""

import sqlite3
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from mcap.records import ChunkIndex, Statistics
from mcap.writer import Writer

from alpamayo_ros.errors import BagNotFoundError
from alpamayo_ros.messages.typestore import message_class, serialize
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.mcap_facts import ChunkHead, MessageIndexHead
from alpamayo_ros.storage.mcap_scan import scan_mcap
from alpamayo_ros.storage.message import TopicInfo
from alpamayo_ros.storage.verification import Outcome
from alpamayo_ros.storage.verify import VerifyReport, hash_of_definition, verify_bag
from alpamayo_ros.storage.writer import BagWriter

CDR = b"\0\1\0\0"


def stamped(stamp_ns: int) -> bytes:
    return CDR + struct.pack("<iI", stamp_ns // 1_000_000_000, stamp_ns % 1_000_000_000) + bytes(20)


ROWS = [("/odom" if number % 3 else "/imu", 1000 + number, stamped(900 + number)) for number in range(200)]
NO_LINEAGE = BagIdentity("none", "none")


def outcomes(report: VerifyReport) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in report.checks}


def failed(path: Path) -> set[str]:
    return {check.name for check in verify_bag(path).failed}


def notes(report: VerifyReport, name: str) -> tuple[str, ...]:
    return next(check.notes for check in report.checks if check.name == name)


@pytest.fixture
def bag(make_bag: Callable[..., Path]) -> Path:
    return make_bag("bag", ROWS, chunk_size=600, identity=NO_LINEAGE)


@pytest.mark.parametrize("options", [{}, {"max_file_bytes": 3000}, {"compression": "none"}, {"compression": "lz4"}])
def test_nothing_is_wrong_with_what_we_write(make_bag: Callable[..., Path], options: dict[str, object]) -> None:
    report = verify_bag(make_bag("bag", ROWS, chunk_size=600, identity=NO_LINEAGE, **options))
    assert report.failed == ()
    assert (report.message_count, report.state) == (200, "closed")
    expected = {"data checksum", "summary checksum", "index", "message index", "type hashes", "identity", "metadata"}
    assert {name for name, outcome in outcomes(report).items() if outcome is Outcome.OK} >= expected
    assert outcomes(report)["decoding"] is Outcome.ABSENT


@pytest.mark.parametrize("plugin", ["SQLITE3", "MCAP"])
def test_a_bag_of_others_is_sound_and_lacks_an_identity(make_foreign_bag: Callable[..., Path], plugin: str) -> None:
    report = verify_bag(make_foreign_bag("foreign", ROWS, plugin))
    assert report.failed == ()
    assert outcomes(report)["identity"] is Outcome.ABSENT
    assert report.message_count == 200


def test_a_bare_file_of_the_mcap_library_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "some.mcap"
    for chunked in (True, False):
        with path.open("wb") as stream:
            writer = Writer(stream, use_chunking=chunked, enable_data_crcs=True)
            writer.start(profile="ros2")
            schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
            channel = writer.register_channel("/a", "cdr", schema)
            for number in range(100):
                writer.add_message(channel, number, CDR + b"text", number)
            writer.add_attachment(1, 1, "a.txt", "", b"text")
            writer.finish()
        report = verify_bag(path)
        assert report.failed == ()
        assert outcomes(report)["data checksum"] is Outcome.OK
        assert outcomes(report)["attachments"] is Outcome.OK
        assert outcomes(report)["metadata"] is Outcome.ABSENT


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_changed_byte_anywhere_is_found(make_bag: Callable[..., Path], compression: str) -> None:
    path = make_bag("bag", ROWS[:40], chunk_size=600, compression=compression)
    file = path / "bag_0.mcap"
    data = file.read_bytes()
    for place in range(8, len(data), 97):
        changed = bytearray(data)
        changed[place] ^= 0x10
        file.write_bytes(changed)
        assert failed(path), f"byte {place}"


def test_each_damage_is_named_by_its_check(bag: Path) -> None:
    file = bag / "bag_0.mcap"
    data = file.read_bytes()
    with file.open("rb") as opened:
        found = list(scan_mcap(file, opened))
    chunk = next(item for item in found if isinstance(item.content, ChunkHead))
    index = [item for item in found if isinstance(item.content, MessageIndexHead)][3]
    statistics = next(item for item in found if isinstance(item.content, Statistics))
    chunk_index = next(item for item in found if isinstance(item.content, ChunkIndex))
    for offset, check in (
        (chunk.offset + 60, "chunk checksums"),
        (index.offset + 16, "message index"),
        (statistics.offset + 9, "index"),
        (chunk_index.offset + 9, "index"),
        (8 + 12, "data checksum"),
    ):
        changed = bytearray(data)
        changed[offset] ^= 1
        file.write_bytes(changed)
        assert check in failed(bag)
    file.write_bytes(data[:-9])
    assert "structure" in failed(bag)
    file.write_bytes(data)
    assert failed(bag) == set()


def test_an_index_that_lies_is_found_although_its_checksum_is_right(tmp_path: Path, bag: Path) -> None:
    file = bag / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    footer = len(data) - 8 - 29
    start = int.from_bytes(data[footer + 9 : footer + 17], "little")
    with file.open("rb") as opened:
        statistics = next(i for i in scan_mcap(file, opened) if isinstance(i.content, Statistics))
    data[statistics.offset + 9] ^= 1
    struct.pack_into("<I", data, footer + 25, zlib.crc32(data[start : footer + 25]))
    bare = tmp_path / "bare.mcap"
    bare.write_bytes(data)
    assert failed(bare) == {"index"}


def test_metadata_and_folder_are_compared_with_the_files(bag: Path) -> None:
    metadata = bag / "metadata.yaml"
    text = metadata.read_text()
    for old, new, check in (
        ("message_count: 200", "message_count: 199", "metadata"),
        ("nanoseconds: 199", "nanoseconds: 198", "metadata"),
        ("nanoseconds_since_epoch: 1000", "nanoseconds_since_epoch: 999", "metadata"),
        ("type: sensor_msgs/msg/Imu", "type: sensor_msgs/msg/Image", "metadata"),
        ("name: /imu", "name: /imus", "metadata"),
        ("bag_0.mcap", "bag_1.mcap", "files"),
    ):
        assert old in text
        metadata.write_text(text.replace(old, new))
        assert check in failed(bag), new
    metadata.unlink()
    assert "metadata" in failed(bag)
    metadata.write_text(text)
    (bag / "bag_7.mcap").write_bytes((bag / "bag_0.mcap").read_bytes())
    assert "files" in failed(bag)


def test_a_changed_file_differs_from_its_digest(bag: Path) -> None:
    with (bag / "metadata.yaml").open("a") as file:
        file.write("# a comment\n")
    assert failed(bag) == {"identity"}
    assert not verify_bag(bag).is_recoverable


def test_a_bag_that_says_that_it_is_being_recorded_is_one_to_recover(bag: Path) -> None:
    sidecar = bag / "identity.json"
    sidecar.write_text(sidecar.read_text().replace('"closed"', '"recording"'))
    report = verify_bag(bag)
    assert [check.name for check in report.failed] == ["identity"]
    assert report.is_recoverable


def test_times_that_go_back_are_notes(make_bag: Callable[..., Path]) -> None:
    rows = [("/odom", 1000, stamped(500)), ("/odom", 900, stamped(400)), ("/imu", 950, stamped(1))]
    report = verify_bag(make_bag("bag", rows))
    assert report.failed == ()
    assert "/odom: receive times go back 1 times, by at most 100 ns" in notes(report, "receive times")
    assert "bag_0.mcap: receive times go back 1 times, by at most 100 ns" in notes(report, "receive times")
    assert notes(report, "header stamps") == ("/odom: header stamps go back 1 times, by at most 100 ns",)


def test_payloads_are_looked_at_and_on_request_decoded(make_bag: Callable[..., Path]) -> None:
    stamp = message_class("builtin_interfaces/msg/Time")(sec=1, nanosec=2)
    clock = serialize(message_class("rosgraph_msgs/msg/Clock")(clock=stamp), "rosgraph_msgs/msg/Clock")
    path = make_bag("good", [("/clock", 1, clock)])
    assert next(check.sentence for check in verify_bag(path, decode=True).checks if check.name == "decoding") == (
        "decoded messages: 1"
    )
    short = make_bag("short", [("/clock", 1, clock[:-1])])
    assert verify_bag(short).failed == ()
    report = verify_bag(short, decode=True)
    assert [check.name for check in report.failed] == ["decoding"]
    assert not report.is_recoverable
    assert failed(make_bag("no_cdr", [("/clock", 1, b"text")])) == {"payloads"}


def test_a_type_hash_must_be_that_of_the_definition(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        writer.add_topic("/imu", "sensor_msgs/msg/Imu", type_hash="RIHS01_" + "0" * 64)
        writer.write("/imu", stamped(1), receive_ns=1, publish_ns=1)
    assert failed(tmp_path / "bag") == {"type hashes"}


def test_char_is_hashed_as_the_unsigned_byte_that_it_is() -> None:
    """The first is the hash in std_msgs/msg/Char.json of ROS 2, the second what rosbags makes of it."""
    topic = TopicInfo("/c", "std_msgs/msg/Char", definition="char data\n", definition_encoding="ros2msg")
    assert hash_of_definition(topic) == (
        "RIHS01_3ad2d04dd29ba19d04b16659afa3ccaedd691914b02a64e82e252f2fa6a586a9",
        "RIHS01_8914cecc0520f475fc3f8767a9f9e529341a75440e1b184a7e152195b2ffce5f",
    )


def test_a_damaged_database_fails_its_own_check(make_foreign_bag: Callable[..., Path]) -> None:
    path = make_foreign_bag("foreign", ROWS)
    file = next(path.glob("*.db3"))
    data = file.read_bytes()
    file.write_bytes(data[:-4096])
    assert "database" in failed(path)
    file.write_bytes(data)
    connection = sqlite3.connect(file)
    connection.execute("UPDATE messages SET topic_id = 99 WHERE id = 5")
    connection.commit()
    connection.close()
    assert "structure" in failed(path)
    file.with_name(file.name + "-wal").write_bytes(b"unfinished")
    assert "structure" in failed(path)


def test_files_compressed_as_a_whole_are_verified_as_rosbag2_leaves_them(make_bag: Callable[..., Path]) -> None:
    """With the plain name in ``files``, and after 'ros2 bag play' with the plain file beside the compressed one."""
    bag = make_bag("bag", ROWS, chunk_size=600)
    data = (bag / "bag_0.mcap").read_bytes()
    (bag / "bag_0.mcap").unlink()
    metadata = bag / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace("- bag_0.mcap", "- bag_0.mcap.zstd"))
    (bag / "bag_0.mcap.zstd").write_bytes(zstandard.compress(data))
    assert failed(bag) == set()
    (bag / "bag_0.mcap").write_bytes(data)
    assert failed(bag) == set()
    assert "stands beside its compressed form" in notes(verify_bag(bag), "files")[0]
    (bag / "bag_0.mcap").unlink()
    (bag / "bag_0.mcap.zstd").write_bytes(zstandard.compress(data)[:-10])
    assert "structure" in failed(bag)


def test_a_channel_without_messages_may_stand_in_the_summary_alone(tmp_path: Path) -> None:
    """As rosbag2 writes it: a channel goes into the data section with its first message only."""
    path = tmp_path / "some.mcap"
    with path.open("wb") as stream:
        writer = Writer(stream, use_chunking=False, enable_data_crcs=False)
        writer.start(profile="ros2")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
        used = writer.register_channel("/used", "cdr", schema)
        before = stream.tell()
        writer.register_channel("/unused", "cdr", schema)
        after = stream.tell()
        writer.add_message(used, 1, CDR + b"text", 1)
        writer.finish()
    data = path.read_bytes()
    moved = bytearray(data[:before] + data[after:])
    footer = len(moved) - 8 - 29
    start, offsets = (int.from_bytes(moved[footer + at : footer + at + 8], "little") for at in (9, 17))
    struct.pack_into("<QQI", moved, footer + 9, start - (after - before), offsets - (after - before), 0)
    path.write_bytes(moved)
    assert failed(path) == set()


def test_what_is_no_bag_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no bag")
    for name in ("text", "missing", "."):
        with pytest.raises(BagNotFoundError):
            verify_bag(tmp_path / name)


def test_progress_ends_at_its_total(bag: Path) -> None:
    seen: list[tuple[int, int]] = []
    verify_bag(bag, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] == (bag / "bag_0.mcap").stat().st_size
