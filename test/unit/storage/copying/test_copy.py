"""Bags are cut, filtered and converted byte for byte, and say in the end what was done to them."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import BagCorruptError, BagError, ConfigurationError, OutputError, ParameterError, TopicError
from alpamayo_ros.lineage.runtime import package_version
from alpamayo_ros.storage.copying.bag_time import BagTime
from alpamayo_ros.storage.copying.copy import CopySummary, copy_bag
from alpamayo_ros.storage.copying.request import CopyRequest
from alpamayo_ros.storage.copying.topic_choice import TopicChoice
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.identity import (
    MAX_SIDECAR_BYTES,
    BagIdentity,
    read_identity,
    validate_identity,
    verify_identity,
)
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.reader import open_bag

START_NS = 1_700_000_000_000_000_000
S = 1_000_000_000
LINEAGE_TOPIC = "/alpamayo/output/lineage"

MakeDrive = Callable[..., Path]


def cut(bag: Path, out: Path, start_s: float | None = None, end_s: float | None = None, **options: Any) -> CopySummary:
    start, end = (None if time is None else BagTime(round(time * S)) for time in (start_s, end_s))
    return copy_bag(CopyRequest("cut", (bag,), out, start=start, end=end, **options))


def convert(bag: Path, out: Path, **options: Any) -> CopySummary:
    return copy_bag(CopyRequest("convert", (bag,), out, **options))


def choose(bag: Path, out: Path, **patterns: tuple[str, ...]) -> CopySummary:
    return copy_bag(CopyRequest("filter", (bag,), out, choice=TopicChoice(**patterns)))


def messages(bag: Path) -> list[BagMessage]:
    with open_bag(bag) as reader:
        return list(reader.messages())


def digest(bag: Path) -> str:
    with open_bag(bag) as reader:
        return content_digest(reader)


def test_a_cut_takes_from_its_start_on_and_before_its_end(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    summary = cut(drive, tmp_path / "out", 1.0, 2.0)
    taken = [message for message in messages(tmp_path / "out") if message.topic == "/odom"]
    assert [message.receive_ns - START_NS for message in taken] == [number * S // 10 for number in range(10, 20)]
    assert taken == [
        message
        for message in messages(drive)
        if message.topic == "/odom" and START_NS + S <= message.receive_ns < START_NS + 2 * S
    ]
    assert summary.topics["/odom"] == 10
    assert (summary.start_ns, summary.end_ns) == (START_NS + S, START_NS + 19 * S // 10)


def test_latched_messages_from_before_a_cut_stand_at_its_start(make_drive: MakeDrive, tmp_path: Path) -> None:
    summary = cut(make_drive(), tmp_path / "out", 2.5)
    moved = [message for message in messages(tmp_path / "out") if message.receive_ns == START_NS + 5 * S // 2]
    # In the total order: static topics by name, then data; of the transforms the last for each set of frames.
    assert [message.topic for message in moved] == [
        LINEAGE_TOPIC,
        "/robot_description",
        "/tf_static",
        "/tf_static",
        "/map",
        "/odom",
    ]
    received = [START_NS + offset * S // 100 for offset in (200, 0, 5, 205, 1)]
    assert [message.publish_ns for message in moved[:5]] == [stamp - 7 for stamp in received]
    assert moved[1].payload == b"old"
    assert [one.received_ns for one in summary.carried] == received
    assert {one.placed_ns for one in summary.carried} == {START_NS + 5 * S // 2}
    step = read_identity(tmp_path / "out").trace[0]
    assert step.carried == summary.carried
    assert step.carried[1].payload_sha256 == hashlib.sha256(b"old").hexdigest()


def test_logs_are_not_carried_although_they_are_latched(make_drive: MakeDrive, tmp_path: Path) -> None:
    assert cut(make_drive(), tmp_path / "out", 2.5).topics["/rosout"] == 0


def test_a_cut_names_its_lineage_in_all_four_places(
    make_drive: MakeDrive, tmp_path: Path, identity: BagIdentity
) -> None:
    cut(make_drive(), tmp_path / "out", 2.5)
    report = verify_identity(tmp_path / "out")
    assert report.disagreements == ()
    assert {place.lineage_id for place in report.places.values()} == {identity.lineage_id}
    assert len(report.places) == 4
    assert (report.manifest, report.tags, report.state) == (identity.manifest, identity.tags, "closed")


def test_the_trace_names_operation_arguments_version_and_source(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    cut(drive, tmp_path / "a", 1.0, None, compression="lz4")
    convert(tmp_path / "a", tmp_path / "b")
    first, second = read_identity(tmp_path / "b").trace
    assert (first.operation, first.version) == ("cut", package_version())
    assert first.arguments == {"start_ns": START_NS + S, "compression": "lz4"}
    source = first.sources[0]
    assert (source.name, source.start_ns, source.end_ns) == ("drive", START_NS, START_NS + 49 * S // 10)
    assert source.message_count == len(messages(drive))
    assert source.identity_sha256 == f"sha256:{hashlib.sha256((drive / 'identity.json').read_bytes()).hexdigest()}"
    assert source.lineage_id == read_identity(drive).lineage_id
    assert source.content_digest == ""
    assert (second.operation, second.arguments) == ("convert", {})
    assert second.sources[0].content_digest == digest(tmp_path / "a") == digest(tmp_path / "b")


def test_only_chunks_in_range_are_read(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive(chunk_size=100, compression="none")
    file = drive / "drive_0.mcap"
    data = file.read_bytes()
    file.write_bytes(data.replace(b"odom 12", b"odom xx").replace(b"odom 40", b"odom xx"))
    with pytest.raises(BagCorruptError):
        digest(drive)
    assert cut(drive, tmp_path / "out", 2.5, 3.5).topics["/odom"] == 10
    with pytest.raises(BagCorruptError):
        cut(drive, tmp_path / "bad", 2.5)
    assert not (tmp_path / "bad").exists()


def test_a_cut_by_receive_time_is_that_by_seconds(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    start, end = BagTime(START_NS + S, absolute=True), BagTime(START_NS + 2 * S, absolute=True)
    absolute = copy_bag(CopyRequest("cut", (drive,), tmp_path / "a", start=start, end=end))
    assert absolute.content_digest == cut(drive, tmp_path / "b", 1.0, 2.0).content_digest


def test_a_cut_that_excludes_nothing_changes_nothing(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    summary = cut(drive, tmp_path / "out", 0.0, 100.0)
    assert summary.changed_by == ()
    assert summary.content_digest == summary.sources[0].content_digest == digest(drive)
    assert messages(tmp_path / "out") == messages(drive)
    assert summary.carried == ()


def test_a_cut_that_excludes_logs_alone_changes_no_content(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    narrow = choose(drive, tmp_path / "few", topics=("/rosout", "/robot_description"), exclude=(LINEAGE_TOPIC,))
    assert narrow.changed_by == ("topics dropped: 3",)
    summary = cut(tmp_path / "few", tmp_path / "out", None, 3.5)
    assert summary.changed_by == ()


@pytest.mark.parametrize(("start_s", "end_s"), [(4.95, None), (None, 0.0), (100.0, 200.0)])
def test_a_cut_beside_the_bag_is_refused_with_the_times_of_the_bag(
    make_drive: MakeDrive, tmp_path: Path, start_s: float | None, end_s: float | None
) -> None:
    with pytest.raises(ParameterError, match=f"expected times from {START_NS} to {START_NS + 49 * S // 10} ns"):
        cut(make_drive(), tmp_path / "out", start_s, end_s)


def test_a_cut_that_ends_before_it_begins_is_refused(make_drive: MakeDrive, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="expected a later end"):
        cut(make_drive(), tmp_path / "out", 2.0, 2.0)


def test_a_cut_between_two_messages_holds_what_is_latched_and_says_so(make_drive: MakeDrive, tmp_path: Path) -> None:
    summary = cut(make_drive(), tmp_path / "out", 1.01, 1.02)
    assert summary.topics["/odom"] == 0
    assert summary.message_count == len(summary.carried) == 5


def test_an_empty_bag_cannot_be_cut_but_is_converted(make_bag: Callable[..., Path], tmp_path: Path) -> None:
    empty = make_bag("empty", [])
    with pytest.raises(ParameterError, match="no messages"):
        cut(empty, tmp_path / "out", 1.0)
    summary = convert(empty, tmp_path / "out")
    assert (summary.message_count, summary.changed_by, summary.start_ns) == (0, (), None)
    assert "the copy holds no messages" in summary.warnings
    with open_bag(tmp_path / "out") as reader:
        assert set(reader.topics) == {"/odom", "/imu", "/clock", "/tf_static", "/camera"}


def test_a_filter_drops_topics_and_says_so(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    summary = choose(drive, tmp_path / "out", topics=("/odom", "/tf*"))
    assert set(summary.topics) == {"/odom", "/tf_static", LINEAGE_TOPIC}
    assert summary.topics_dropped == ("/map", "/robot_description", "/rosout")
    assert summary.changed_by == ("topics dropped: 2",)
    assert summary.sources[0].content_digest == ""
    report = verify_identity(tmp_path / "out")
    assert report.disagreements == ()
    assert report.trace[0].topics_dropped == summary.topics_dropped
    assert report.trace[0].arguments == {"topics": ["/odom", "/tf*"]}
    kept = [message for message in messages(drive) if message.topic in summary.topics]
    assert messages(tmp_path / "out") == kept


def test_a_filter_of_logs_and_outputs_changes_no_content(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    summary = choose(drive, tmp_path / "out", exclude=("/rosout", LINEAGE_TOPIC))
    assert summary.changed_by == ()
    assert summary.content_digest == summary.sources[0].content_digest == digest(drive)


def test_a_filter_that_matches_nothing_is_refused(make_drive: MakeDrive, tmp_path: Path) -> None:
    with pytest.raises(TopicError, match=r"'/odometry' matches nothing in the bag; .*/odom"):
        choose(make_drive(), tmp_path / "out", topics=("/odometry",))
    assert not (tmp_path / "out").exists()


def test_a_bag_without_identity_gets_a_trace_and_no_ids(make_bag: Callable[..., Path], tmp_path: Path) -> None:
    choose(make_bag("bag", [("/odom", 1, b"x")]), tmp_path / "a", exclude=("/imu",))
    convert(tmp_path / "a", tmp_path / "b")
    report = verify_identity(tmp_path / "b")
    assert (report.lineage_id, report.envelope_id, report.disagreements) == ("", "", ())
    assert [step.operation for step in report.trace] == ["filter", "convert"]
    assert report.trace[0].sources[0].identity_sha256 == ""
    with open_bag(tmp_path / "b") as reader:
        assert set(reader.custom_data) == {"state", "trace"}


def test_a_lineage_that_only_the_topic_names_is_named_in_all_places(make_drive: MakeDrive, tmp_path: Path) -> None:
    convert(make_drive(identity=None), tmp_path / "out")
    report = verify_identity(tmp_path / "out")
    assert report.disagreements == ()
    assert len({place.lineage_id for place in report.places.values()} - {""}) == 1


def test_equal_copies_have_equal_bytes(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    for parent in ("one", "two"):
        cut(drive, tmp_path / parent / "out", 1.5, 4.0)
    files = [
        {path.name: path.read_bytes() for path in (tmp_path / parent / "out").iterdir()} for parent in ("one", "two")
    ]
    assert files[0] == files[1]
    assert set(files[0]) == {"out_0.mcap", "metadata.yaml", "identity.json"}


@pytest.mark.parametrize("state", ["recovered", "recording"])
def test_the_copy_of_a_part_is_a_part(make_drive: MakeDrive, tmp_path: Path, state: str) -> None:
    drive = make_drive(end_state=state) if state == "recovered" else make_drive()
    sidecar = drive / "identity.json"
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "state": state}))
    summary = convert(drive, tmp_path / "out")
    assert summary.state == "recovered"
    assert any("is a part of what was recorded" in warning for warning in summary.warnings)
    assert read_identity(tmp_path / "out").state == "recovered"


def test_a_bag_that_names_two_lineages_is_not_trusted(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    sidecar = drive / "identity.json"
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "lineage_id": "sha256:dd"}))
    with pytest.raises(BagError, match=r"names no one lineage .*identity\.json says sha256:dd") as refusal:
        convert(drive, tmp_path / "out")
    assert refusal.value.exit_code == 4


def test_a_smaller_disagreement_is_passed_on(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    (drive / "identity.json").unlink()
    summary = convert(drive, tmp_path / "out")
    assert any("identity.json names no lineage" in warning for warning in summary.warnings)
    assert verify_identity(tmp_path / "out").disagreements == ()


def test_tags_that_no_bag_can_hold_are_left_out_and_named(
    make_foreign_bag: Callable[..., Path], tmp_path: Path
) -> None:
    foreign = make_foreign_bag(
        "foreign", [("/odom", 1, b"x")], custom={"trace": "overland", "driver": "7\t\u00a08", "escape": "a\x1bb"}
    )
    summary = convert(foreign, tmp_path / "out")
    assert summary.tags_dropped == {"trace": ("overland",), "escape": ("a\x1bb",)}
    report = read_identity(tmp_path / "out")
    assert report.tags == {"driver": "7\t\u00a08"}
    assert report.trace[0].tags_dropped == summary.tags_dropped
    assert report.disagreements == ()


def test_an_output_that_exists_or_is_in_a_source_is_refused(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    before = sorted(drive.iterdir())
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to(drive)
    for out in (drive, tmp_path, tmp_path / "file", tmp_path / "dangling", tmp_path / "link"):
        with pytest.raises(OutputError, match="exists already"):
            convert(drive, out)
    for out in (drive / "out", drive / "deep" / "er", tmp_path / "link" / "out", drive / ".." / "drive" / "out"):
        with pytest.raises(OutputError, match="is inside of bag"):
            convert(drive, out)
    with pytest.raises(OutputError, match="cannot be made"):
        convert(drive, tmp_path / "file" / "out")
    assert sorted(drive.iterdir()) == before


def test_links_that_lead_in_a_circle_are_refused(make_drive: MakeDrive, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError):
        convert(make_drive(), tmp_path / "a" / "out")
    with pytest.raises(BagError):
        convert(tmp_path / "a", tmp_path / "out")


def test_a_name_as_long_as_a_bag_can_have_is_taken(make_drive: MakeDrive, tmp_path: Path) -> None:
    name = "x" * (255 - len("_0.mcap"))
    assert convert(make_drive(), tmp_path / name).changed_by == ()


def test_settings_beside_the_bag_go_along(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    (drive / "calibration.yaml").write_text("cameras: {}\n")
    (drive / "notes.txt").write_text("rain")
    summary = cut(drive, tmp_path / "out", 1.0)
    assert (tmp_path / "out" / "calibration.yaml").read_text() == "cameras: {}\n"
    assert any("left behind: notes.txt" in warning for warning in summary.warnings)


def test_progress_ends_with_all_that_there_is_to_do(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    told: list[tuple[int, int]] = []
    copy_bag(CopyRequest("convert", (drive,), tmp_path / "a"), lambda *done: told.append(done))
    assert (told[0], told[-1]) == ((0, 63), (63, 63))
    told.clear()
    request = CopyRequest("cut", (drive,), tmp_path / "b", start=BagTime(S), end=BagTime(3 * S))
    copy_bag(request, lambda *done: told.append(done))
    assert (told[0], told[-1]) == ((0, 2000), (2000, 2000))


@pytest.mark.parametrize("room", [0, 300, 1500, 4000, 6000, 8000])
def test_a_full_disk_leaves_nothing_behind(make_drive: MakeDrive, tmp_path: Path, full_disk: Any, room: int) -> None:
    drive = make_drive()
    (drive / "calibration.yaml").write_text("x" * 2000)
    with pytest.raises(BagError) as failure:
        copy_bag(CopyRequest("convert", (drive,), tmp_path / "out"), filesystem=full_disk(room))
    assert failure.value.exit_code == 74
    assert list(tmp_path.iterdir()) == [drive]


def test_an_interrupted_copy_leaves_nothing_behind(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_bag(CopyRequest("convert", (drive,), tmp_path / "out"), interrupt)
    assert list(tmp_path.iterdir()) == [drive]


def test_a_later_cut_knows_when_a_message_was_received_in_the_end(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    cut(drive, tmp_path / "a", 1.0)
    twice = cut(tmp_path / "a", tmp_path / "b", 1.5)
    once = cut(drive, tmp_path / "c", 2.5)
    assert twice.carried == once.carried
    assert messages(tmp_path / "b") == messages(tmp_path / "c")


def test_copies_of_a_cut_still_know_what_was_carried(make_drive: MakeDrive, tmp_path: Path) -> None:
    carried = cut(make_drive(), tmp_path / "a", 2.5).carried
    assert convert(tmp_path / "a", tmp_path / "b").carried == carried
    few = choose(tmp_path / "b", tmp_path / "c", topics=("/map",))
    assert few.carried == tuple(one for one in carried if one.topic in ("/map", LINEAGE_TOPIC))
    assert cut(tmp_path / "a", tmp_path / "d", None, 1.0).carried == carried


def test_places_that_hold_different_traces_are_found(make_drive: MakeDrive, tmp_path: Path) -> None:
    cut(make_drive(), tmp_path / "out", 2.5)
    sidecar = tmp_path / "out" / "identity.json"
    document = json.loads(sidecar.read_text())
    document["trace"]["steps"][0]["operation"] = "convert"
    sidecar.write_text(json.dumps(document))
    report = read_identity(tmp_path / "out")
    assert report.trace == ()
    assert any("different traces" in text for text in report.disagreements)
    del document["trace"]
    sidecar.write_text(json.dumps(document))
    report = read_identity(tmp_path / "out")
    assert len(report.trace) == 1
    assert any("identity.json holds no trace" in text for text in report.disagreements)
    sidecar.write_text(json.dumps({**document, "trace": "overland"}))
    assert any("it was damaged" in text for text in read_identity(tmp_path / "out").disagreements)


def test_a_trace_that_is_too_long_is_refused(make_drive: MakeDrive, tmp_path: Path, identity: BagIdentity) -> None:
    cut(make_drive(), tmp_path / "a", 1.0)
    step = read_identity(tmp_path / "a").trace[0]
    long = replace(identity, trace=(replace(step, arguments={"topics": ["/a" * 100] * 30_000}),))
    with pytest.raises(ConfigurationError, match="merge fewer bags"):
        validate_identity(long)


def test_a_start_and_a_duration_are_a_start_and_an_end(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    request = CopyRequest("cut", (drive,), tmp_path / "a", start=BagTime(S), duration_ns=S)
    assert copy_bag(request).content_digest == cut(drive, tmp_path / "b", 1.0, 2.0).content_digest
    assert read_identity(tmp_path / "a").trace == read_identity(tmp_path / "b").trace


@pytest.mark.parametrize("where", ["start", "end"])
def test_seconds_since_1970_are_not_taken_for_an_offset(make_drive: MakeDrive, tmp_path: Path, where: str) -> None:
    times: dict[str, Any] = {where: BagTime(START_NS + S + S // 2)}
    with pytest.raises(ParameterError) as refusal:
        copy_bag(CopyRequest("cut", (make_drive(),), tmp_path / "out", **times))
    assert f"{where} 1700000001.5 s after the first message is beyond bag" in str(refusal.value)
    assert "write 1700000001500000000ns or '2023-11-14 22:13:21.500' (UTC), or append 'ns'" in str(refusal.value)


def test_a_filter_leaves_a_topics_file_behind_that_would_lie(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    (drive / "topics.yaml").write_text("map: /map\nodometry: /odom\n")
    summary = choose(drive, tmp_path / "a", exclude=("/map",))
    assert not (tmp_path / "a" / "topics.yaml").exists()
    assert summary.warnings == ("left behind: topics.yaml; it names topics that the copy lacks (/map)",)
    assert choose(drive, tmp_path / "b", exclude=("/rosout",)).warnings == ()
    assert (tmp_path / "b" / "topics.yaml").exists()


@pytest.mark.parametrize("kind", ["pipe", "large", "folder"])
def test_a_sidecar_that_never_ends_is_no_identity(make_drive: MakeDrive, tmp_path: Path, kind: str) -> None:
    sidecar = make_drive() / "identity.json"
    sidecar.unlink()
    if kind == "pipe":
        os.mkfifo(sidecar)
    elif kind == "folder":
        sidecar.mkdir()
    else:
        with sidecar.open("wb") as file:
            file.truncate(MAX_SIDECAR_BYTES + 1)
    convert(tmp_path / "drive", tmp_path / "out")
    assert read_identity(tmp_path / "out").trace[0].sources[0].identity_sha256 == ""
