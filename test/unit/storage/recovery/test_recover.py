"""Damaged bags become valid ones that say what is missing; sound files are never touched."""

import hashlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.writer import Writer

from alpamayo_ros.errors import AlpamayoError, BagCorruptError, BagNotFoundError, BagWriteError, OutputError
from alpamayo_ros.storage.identity import BagIdentity, read_identity
from alpamayo_ros.storage.mcap_files.facts import ChunkHead
from alpamayo_ros.storage.mcap_files.scan import scan_mcap
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.recovery.file_recovery import Recovery, losses_sentence
from alpamayo_ros.storage.recovery.recover import default_destination, recover_bag
from alpamayo_ros.storage.source import Attachment
from alpamayo_ros.storage.verification.verify import verify_bag
from alpamayo_ros.storage.writer import BagWriter

CDR = b"\0\1\0\0"
ROWS = [
    ("/odom" if number % 3 else "/imu", 1000 + number, CDR + b"\0\0\0\0\0\0\0\0payload %d" % number)
    for number in range(200)
]
Rows = list[tuple[str, int, bytes]]
NO_LINEAGE = BagIdentity("none", "none", "", {"scenario": "007"})


def contents(path: Path) -> Rows:
    with open_bag(path) as reader:
        return [(message.topic, message.receive_ns, message.payload) for message in reader.messages()]


def tree(path: Path) -> dict[str, str]:
    files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def recovered(path: Path) -> tuple[Recovery, Rows]:
    """Recover a bag and hold what is true of every recovery."""
    before = tree(path)
    destination = path.parent / f"{path.name}_out"
    result = recover_bag(path, destination)
    assert tree(path) == before
    rows = contents(destination)
    assert [stamp for _, stamp, _ in rows] == sorted(stamp for _, stamp, _ in rows)
    assert len(rows) == result.message_count == sum(file.message_count for file in result.files)
    report = verify_bag(destination)
    assert [check.sentence for check in report.failed] == []
    assert report.state == "recovered"
    identity = read_identity(destination)
    assert identity.trace[-1].operation == "recover"
    assert identity.trace[-1].sources[0].message_count == len(rows)
    losses = identity.trace[-1].arguments.get("losses", [])
    assert losses == [losses_sentence(file) for file in result.files if not file.is_whole]
    shutil.rmtree(destination)
    return result, rows


@pytest.fixture
def bag(make_bag: Callable[..., Path]) -> Path:
    """A bag of some splits."""
    path = make_bag("bag", ROWS, chunk_size=600, identity=NO_LINEAGE, max_file_bytes=2000, compression="none")
    assert len(list(path.glob("*.mcap"))) > 3
    return path


def test_a_bag_that_was_killed_while_recording_gives_every_complete_chunk(tmp_path: Path) -> None:
    path = tmp_path / "killed"
    program = f"""
import os, signal
from pathlib import Path
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.writer import BagWriter
identity = BagIdentity("none", "none", "", {{"scenario": "007"}})
writer = BagWriter(Path({str(path)!r}), identity=identity, chunk_size=1000, max_file_bytes=20000)
writer.add_topic("/odom", "nav_msgs/msg/Odometry")
for number in range(2000):
    writer.write("/odom", b"\\0\\1\\0\\0" + b"\\0" * 8 + os.urandom(90), receive_ns=1000 + number, publish_ns=number)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    assert ended.returncode == -signal.SIGKILL
    result, rows = recovered(path)
    assert len(rows) > 1980
    assert [stamp for _, stamp, _ in rows] == list(range(1000, 1000 + len(rows)))
    assert result.files[-1].end_missing
    assert all(file.is_whole for file in result.files[:-1])


def test_identity_tags_and_qos_are_carried_on(make_bag: Callable[..., Path]) -> None:
    identity = BagIdentity("none", "none", "", {"scenario": "007", "night": "no"})
    path = make_bag("bag", ROWS, identity=identity, chunk_size=600)
    with open_bag(path) as reader:
        topics = dict(reader.topics)
    file = path / "bag_0.mcap"
    file.write_bytes(file.read_bytes()[:-40])
    (path / "metadata.yaml").unlink()
    for sidecar in (True, False):
        if not sidecar:
            (path / "identity.json").unlink()
        recover_bag(path, path.parent / "out")
        found = read_identity(path.parent / "out")
        assert (found.lineage_id, found.envelope_id, dict(found.tags)) == ("none", "none", dict(identity.tags))
        assert found.disagreements == ()
        with open_bag(path.parent / "out") as reader:
            assert dict(reader.topics) == topics
        shutil.rmtree(path.parent / "out")


def test_the_lineage_is_found_in_the_topic_when_nothing_else_is_left(make_drive: Callable[..., Path]) -> None:
    path = make_drive("drive", identity=None)
    file = path / "drive_0.mcap"
    data = file.read_bytes()
    file.write_bytes(data[:-60])
    with open_bag(make_drive("named")) as reader:
        stated = read_identity(reader.path)
    recover_bag(file, path.parent / "out")
    found = read_identity(path.parent / "out")
    assert (found.lineage_id, found.manifest) == (stated.lineage_id, stated.manifest)
    assert found.disagreements == ()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_destroyed_split_leaves_the_others(bag: Path, number: int) -> None:
    file = bag / f"bag_{number}.mcap"
    with open_bag(file) as reader:
        lost = reader.message_count
    file.write_bytes(bytes(file.stat().st_size))
    result, rows = recovered(bag)
    assert len(rows) == len(ROWS) - lost
    assert (result.files[number].message_count, result.files[number].expected_count) == (0, lost)
    assert not result.is_whole
    file.unlink()
    result, again = recovered(bag)
    assert again == rows
    assert result.files[number].notes == ("the file is missing",)


def test_metadata_that_lies_costs_no_message(bag: Path) -> None:
    metadata = bag / "metadata.yaml"
    text = metadata.read_text()
    for old, new in (
        ("message_count: 200", "message_count: 7"),
        ("- bag_1.mcap", "- nothing.mcap"),
        ("version: 9", "version: 99"),
        ("rosbag2_bagfile_information", "other"),
        ("- bag_3.mcap\n", ""),
    ):
        assert old in text
        metadata.write_text(text.replace(old, new, 1))
        _, rows = recovered(bag)
        assert rows == ROWS
    metadata.write_bytes(b"\xff\xfe")
    assert recovered(bag)[1] == ROWS
    metadata.unlink()
    result, rows = recovered(bag)
    assert rows == ROWS
    assert result.is_whole


@pytest.mark.parametrize("percent", [1, 10, 35, 60, 85, 99])
def test_a_bare_file_that_is_cut_is_recovered(make_bag: Callable[..., Path], percent: int) -> None:
    file = make_bag("bag", ROWS, chunk_size=300, compression="none") / "bag_0.mcap"
    data = file.read_bytes()
    for name in ("cut.mcap", "without_suffix"):
        cut = file.with_name(name)
        cut.write_bytes(data[: len(data) * percent // 100])
        try:
            _, rows = recovered(cut)
        except BagCorruptError:
            assert percent < 50
        else:
            assert rows == ROWS[: len(rows)]


def test_a_file_compressed_as_a_whole_is_recovered_as_far_as_it_decompresses(bag: Path) -> None:
    file = bag / "bag_1.mcap"
    data = zstandard.compress(file.read_bytes())
    file.unlink()
    (bag / "bag_1.mcap.zstd").write_bytes(data)
    assert recovered(bag)[1] == ROWS
    (bag / "bag_1.mcap.zstd").write_bytes(data[:-30])
    result, rows = recovered(bag)
    assert set(rows) <= set(ROWS)
    assert any("is no complete zstd file" in note for note in result.files[1].notes)


def test_messages_compressed_one_by_one_are_decompressed(bag: Path, make_bag: Callable[..., Path]) -> None:
    rows = [(topic, stamp, zstandard.compress(payload)) for topic, stamp, payload in ROWS]
    path = make_bag("compressed", rows, chunk_size=500)
    metadata = path / "metadata.yaml"
    text = metadata.read_text().replace("compression_format: ''", "compression_format: zstd")
    metadata.write_text(text.replace("compression_mode: ''", "compression_mode: MESSAGE"))
    file = path / "compressed_0.mcap"
    file.write_bytes(file.read_bytes()[:-70])
    assert recovered(path)[1] == ROWS


@pytest.mark.parametrize("plugin", ["SQLITE3", "MCAP"])
def test_bags_of_others_are_recovered(make_foreign_bag: Callable[..., Path], plugin: str) -> None:
    path = make_foreign_bag("foreign", ROWS, plugin, custom={"site": "here"})
    file = next(file for file in path.iterdir() if file.suffix in (".db3", ".mcap"))
    file.write_bytes(file.read_bytes()[: -30 if plugin == "MCAP" else -4096])
    result, rows = recovered(path)
    assert set(rows) <= set(ROWS)
    assert len(rows) > 100
    assert not result.is_whole
    recover_bag(path, path.parent / "out")
    found = read_identity(path.parent / "out")
    assert (found.lineage_id, found.tags["site"]) == ("", "here")
    with open_bag(path.parent / "out") as reader:
        assert reader.topics["/odom"].offered_qos[0].depth == 7


def test_messages_of_overlapping_files_come_in_order(make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", ROWS[::2], chunk_size=600)
    other = make_bag("other", ROWS[1::2], chunk_size=600)
    shutil.copyfile(other / "other_0.mcap", path / "bag_1.mcap")
    (path / "metadata.yaml").unlink()
    assert recovered(path)[1] == ROWS


def test_records_and_attachments_of_others_are_carried_on(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", identity=None, chunk_size=300) as writer:
        writer.add_topic("/imu", "sensor_msgs/msg/Imu")
        writer.add_metadata_record("calibration", {"camera": "front"})
        writer.add_attachment(Attachment("map.txt", "text/plain", 1, 2, b"here be dragons"))
        for number in range(30):
            writer.write("/imu", CDR + bytes(8), receive_ns=number, publish_ns=number)
    file = tmp_path / "bag" / "bag_0.mcap"
    file.write_bytes(file.read_bytes()[:-20])
    recover_bag(tmp_path / "bag", tmp_path / "out")
    with open_bag(tmp_path / "out") as reader:
        assert {"calibration"} <= {record.name for record in reader.metadata_records()}
        assert [(item.name, item.data) for item in reader.attachments()] == [("map.txt", b"here be dragons")]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_damage_anywhere_gives_a_valid_bag_or_one_sentence(
    bag: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damage") / "bag"
    shutil.copytree(bag, path)
    for file in sorted(path.iterdir()):
        content = bytearray(file.read_bytes())
        for _ in range(data.draw(st.integers(0, 2))):
            begin = data.draw(st.integers(0, len(content)))
            size = data.draw(st.integers(1, 2000))
            content[begin : begin + size] = data.draw(st.sampled_from([b"", b"\0" * 20, b"\xff" * 500]))
        file.write_bytes(content)
    try:
        result = recover_bag(path, path.parent / "out")
    except AlpamayoError:
        assert not (path.parent / "out").exists()
        return
    rows = contents(path.parent / "out")
    assert len(set(rows) - set(ROWS)) <= sum(file.unverified_count for file in result.files)
    assert [check.sentence for check in verify_bag(path.parent / "out").failed if check.name != "payloads"] == []


def test_nothing_recoverable_is_an_error_and_leaves_nothing(tmp_path: Path, make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", [])
    with pytest.raises(BagCorruptError, match="no message can be recovered"):
        recover_bag(path, tmp_path / "out")
    (tmp_path / "zeros.mcap").write_bytes(bytes(5000))
    with pytest.raises(BagCorruptError, match="does not begin as an MCAP file"):
        recover_bag(tmp_path / "zeros.mcap", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_bag_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no bag")
    (tmp_path / "folder").mkdir()
    for name in ("text", "folder", "missing", "a\0b"):
        with pytest.raises(BagNotFoundError):
            recover_bag(tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_destination_is_new_and_not_in_the_bag(bag: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for destination in (tmp_path / "there", bag / "inside", tmp_path / "dangling"):
        with pytest.raises(OutputError):
            recover_bag(bag, destination)
    assert not (bag / "inside").exists()


def test_a_full_disk_is_said_and_what_was_written_is_readable(bag: Path, tmp_path: Path, full_disk: type) -> None:
    with pytest.raises(BagWriteError):
        recover_bag(bag, tmp_path / "out", filesystem=full_disk(14_000))
    rows = contents(tmp_path / "out")
    assert rows == ROWS[: len(rows)]


def test_files_of_other_bags_are_left_alone(bag: Path, make_bag: Callable[..., Path]) -> None:
    other = make_bag("other", [("/imu", 5, CDR)])
    shutil.copyfile(other / "other_0.mcap", bag / "other_0.mcap")
    result, rows = recovered(bag)
    assert rows == ROWS
    assert any("other_0.mcap is passed over" in note for note in result.notes)
    (bag / "metadata.yaml").unlink()
    assert recovered(bag)[1] == ROWS
    renamed = bag.rename(bag.with_name("renamed"))
    with pytest.raises(BagNotFoundError, match="files of several bags"):
        recover_bag(renamed, bag.with_name("out"))


def test_the_default_destination_is_beside_the_bag(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    assert default_destination(tmp_path / "drive") == tmp_path / "drive_recovered"
    assert default_destination(tmp_path / "drive_0.mcap.zstd") == tmp_path / "drive_0_recovered"


def test_progress_reaches_its_total_and_never_goes_back(bag: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    recover_bag(bag, tmp_path / "out", progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len({total for _, total in seen}) == 1
    assert seen[-1][0] <= seen[-1][1]


def test_settings_beside_the_bag_go_along(bag: Path) -> None:
    (bag / "calibration.yaml").write_text("cameras: 6")
    (bag / "notes.txt").write_text("what happened")
    (bag / "bag_0.mcap").unlink()
    result = recover_bag(bag, bag.parent / "saved")
    assert (bag.parent / "saved" / "calibration.yaml").read_text() == "cameras: 6"
    assert result.companions == ("calibration.yaml",)
    assert any("left behind: notes.txt" in note for note in result.notes)
    assert verify_bag(bag.parent / "saved").failed == ()


def test_losses_are_known_by_topic_and_time(make_bag: Callable[..., Path]) -> None:
    path = make_bag("bag", ROWS, chunk_size=600, compression="none")
    file = path / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    with file.open("rb") as opened:
        chunks = [item for item in scan_mcap(file, opened) if isinstance(item.content, ChunkHead)]
    heads = [chunk.content for chunk in chunks]
    data[chunks[2].offset + 100] ^= 1
    data[chunks[3].offset + 100] ^= 1
    file.write_bytes(data)
    for metadata in (True, False):
        if not metadata:
            (path / "metadata.yaml").unlink()
        result, rows = recovered(path)
        found = result.files[0]
        assert found.gaps == ((heads[1].last_ns - 1000, heads[4].first_ns - 1000),)
        lost = [row for row in ROWS if row not in rows]
        assert found.lost_topics == {name: sum(row[0] == name for row in lost) for name in ("/odom", "/imu")}
        assert found.topics == {name: sum(row[0] == name for row in rows) for name in ("/imu", "/odom")}
    (path / "bag_0.mcap").write_bytes(bytes(data[: chunks[1].offset]))
    assert recovered(path)[0].files[0].gaps == ((heads[0].last_ns - 1000, None),)


def test_a_missing_file_is_missing_from_when_to_when(bag: Path) -> None:
    with open_bag(bag / "bag_1.mcap") as reader:
        first_ns, last_ns = reader.start_ns, reader.end_ns
    assert first_ns is not None
    assert last_ns is not None
    (bag / "bag_1.mcap").unlink()
    result, _ = recovered(bag)
    assert result.files[1].gaps == ((first_ns - 1000, last_ns - 1000),)
    assert sum(result.lost_topics.values()) == result.files[1].expected_count


def test_an_interrupted_recovery_leaves_a_bag_that_says_so(bag: Path, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > 0.8 * total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recover_bag(bag, tmp_path / "saved", progress=interrupt)
    assert "was interrupted before its end" in verify_bag(tmp_path / "saved").losses[0]


def test_a_loop_of_links_is_no_bag(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(BagNotFoundError):
        recover_bag(loop, default_destination(loop))


def test_definitions_that_are_no_text_are_carried_on(tmp_path: Path) -> None:
    path = tmp_path / "proto.mcap"
    with path.open("wb") as stream:
        writer = Writer(stream, chunk_size=10)
        writer.start(profile="")
        schema = writer.register_schema("foxglove.Log", "protobuf", b"\xff\xfe\0binary")
        channel = writer.register_channel("/log", "protobuf", schema)
        for number in range(10):
            writer.add_message(channel, number, b"payload", number)
        writer.finish()
    path.write_bytes(path.read_bytes()[:-10])
    recover_bag(path, tmp_path / "saved")
    with open_bag(tmp_path / "saved") as reader:
        topic = reader.topics["/log"]
        assert reader.message_count == 10
    assert topic.definition.encode(errors="surrogateescape") == b"\xff\xfe\0binary"
    assert (topic.definition_encoding, topic.serialization_format) == ("protobuf", "protobuf")


def test_thousands_of_different_records_take_no_quadratic_time(tmp_path: Path) -> None:
    path = tmp_path / "records.mcap"
    with path.open("wb") as stream:
        writer = Writer(stream)
        writer.start(profile="ros2")
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data")
        writer.add_message(writer.register_channel("/a", "cdr", schema), 1, CDR + b"text", 1)
        for number in range(3000):
            writer.add_metadata("calibration", {"number": str(number % 2000)})
        writer.finish()
    path.write_bytes(path.read_bytes()[:-10])
    result = recover_bag(path, tmp_path / "saved")
    assert result.message_count == 1
    with open_bag(tmp_path / "saved") as reader:
        records = [record for record in reader.metadata_records() if record.name == "calibration"]
    assert len(records) == 2000
