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
from alpamayo_ros.storage.copying.copy import copy_bag
from alpamayo_ros.storage.copying.request import CopyRequest
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.mcap_files.facts import ChunkHead, MessageIndexHead
from alpamayo_ros.storage.mcap_files.scan import scan_mcap
from alpamayo_ros.storage.message import TopicInfo
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.recovery.file_recovery import losses_sentence
from alpamayo_ros.storage.recovery.files import find_recoverable_files
from alpamayo_ros.storage.recovery.recover import recover_bag
from alpamayo_ros.storage.verification.checks import Outcome
from alpamayo_ros.storage.verification.verify import VerifyReport, hash_of_definition, verify_bag
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
        ("nanoseconds: 199", "nanoseconds: 198", "identity"),
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
    assert "/odom: receive times go back once, by at most 100 ns" in notes(report, "receive times")
    assert "bag_0.mcap: receive times go back once, by at most 100 ns" in notes(report, "receive times")
    assert notes(report, "header stamps") == ("/odom: header stamps go back once, by at most 100 ns",)


def test_payloads_are_looked_at_and_on_request_decoded(make_bag: Callable[..., Path]) -> None:
    stamp = message_class("builtin_interfaces/msg/Time")(sec=1, nanosec=2)
    clock = serialize(message_class("rosgraph_msgs/msg/Clock")(clock=stamp), "rosgraph_msgs/msg/Clock")
    path = make_bag("good", [("/clock", 1, clock)])
    assert next(check.sentence for check in verify_bag(path, decode=True).checks if check.name == "decoding") == (
        "1 message was decoded"
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


def test_a_wrong_duration_alone_is_a_note(make_foreign_bag: Callable[..., Path]) -> None:
    path = make_foreign_bag("foreign", ROWS)
    metadata = path / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace("nanoseconds: 199", "nanoseconds: 150"))
    report = verify_bag(path)
    assert report.failed == ()
    assert notes(report, "metadata")[0] == (
        "duration of the bag: metadata.yaml says 150 ns, but it is 199 ns; harmless, 'ros2 bag reindex' writes it so"
    )


def test_recovery_is_advised_only_where_it_helps(bag: Path, make_bag: Callable[..., Path]) -> None:
    other = make_bag("other", ROWS[:5])
    (bag / "other_0.mcap").write_bytes((other / "other_0.mcap").read_bytes())
    report = verify_bag(bag)
    assert [check.name for check in report.failed] == ["files"]
    assert not report.is_recoverable
    (bag / "other_0.mcap").rename(bag / "bag_5.mcap")
    assert verify_bag(bag).is_recoverable


def test_messages_of_unknown_types_are_counted_when_the_others_are_decoded(tmp_path: Path) -> None:
    stamp = message_class("builtin_interfaces/msg/Time")(sec=1, nanosec=2)
    clock = serialize(message_class("rosgraph_msgs/msg/Clock")(clock=stamp), "rosgraph_msgs/msg/Clock")
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        writer.add_topic("/clock", "rosgraph_msgs/msg/Clock")
        writer.add_topic("/odd", "odd_msgs/msg/Odd", definition="int32 x", definition_encoding="ros2msg", type_hash="")
        for number in range(20):
            writer.write("/odd" if number % 4 else "/clock", clock, receive_ns=number, publish_ns=number)
    report = verify_bag(tmp_path / "bag", decode=True)
    assert next(check.sentence for check in report.checks if check.name == "decoding") == (
        "5 messages were decoded; 15 messages were not decoded, of types that are not known here: odd_msgs/msg/Odd"
    )


def test_a_recovered_part_says_what_it_lacks_and_so_do_its_copies(make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", ROWS, chunk_size=600)
    file = path / "bag_0.mcap"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert not verify_bag(path).is_part
    recovery = recover_bag(path, path.parent / "saved")
    report = verify_bag(path.parent / "saved")
    assert (report.failed, report.is_part, report.state) == ((), True, "recovered")
    assert report.losses == (losses_sentence(recovery.files[0]),)
    copy_bag(CopyRequest("convert", (path.parent / "saved",), path.parent / "copy"))
    assert verify_bag(path.parent / "copy").losses == report.losses


def test_what_is_of_ros_1_is_named_in_the_words_of_every_other_verb(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old.bag").write_bytes(b"#ROSBAG V2.0\n" + bytes(100))
    (tmp_path / "empty").mkdir()
    for name in ("folder/old.bag", "folder", "empty"):
        with pytest.raises(BagNotFoundError) as reading, open_bag(tmp_path / name):
            pass
        for verb in (verify_bag, find_recoverable_files):
            with pytest.raises(BagNotFoundError) as caught:
                verb(tmp_path / name)
            assert str(caught.value) == str(reading.value)


def test_no_sentence_shows_numbers_of_channels_or_values_of_python(bag: Path) -> None:
    file = bag / "bag_0.mcap"
    data = file.read_bytes()
    with file.open("rb") as opened:
        found = list(scan_mcap(file, opened))
    places = [
        item.offset + 9 + at for item in found if isinstance(item.content, (Statistics, ChunkIndex)) for at in (0, 9)
    ]
    places += [item.offset + 16 for item in found if isinstance(item.content, MessageIndexHead)][:3]
    seen = ""
    for place in places[:20]:
        changed = bytearray(data)
        changed[place] ^= 1
        file.write_bytes(changed)
        report = verify_bag(bag)
        assert report.failed
        seen += "\n".join(problem for check in report.failed for problem in check.problems)
    for word in ("_Chunk(", "Channel(", "None", "{", "channel 1", "(1,", "['"):
        assert word not in seen, word


def test_odd_rows_of_a_database_fail(tmp_path: Path) -> None:
    path = tmp_path / "odd.db3"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE topics(id, name, type, serialization_format, offered_qos_profiles)")
    connection.execute("CREATE TABLE messages(id, topic_id, timestamp, data)")
    connection.execute("INSERT INTO topics VALUES(1, '/a', 'std_msgs/msg/String', 'cdr', '')")
    for row_id in ("text", None, b"blob", 4096):
        connection.execute("INSERT INTO messages VALUES(?, 1, 5, ?)", (row_id, CDR))
    connection.commit()
    connection.close()
    assert "structure" in failed(path)


def test_a_time_that_no_bag_can_hold_fails(tmp_path: Path) -> None:
    path = tmp_path / "late.mcap"
    with path.open("wb") as stream:
        writer = Writer(stream)
        writer.start(profile="ros2")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
        writer.add_message(writer.register_channel("/a", "cdr", schema), 2**63, CDR + b"text", 1)
        writer.finish()
    report = verify_bag(path)
    assert [check.name for check in report.failed] == ["receive times"]
    assert report.is_recoverable
