"""Bags are merged in the total order, and only what belongs together is."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import ConfigurationError, TopicError
from alpamayo_ros.storage.copying.bag_time import BagTime
from alpamayo_ros.storage.copying.copy import CopySummary, copy_bag
from alpamayo_ros.storage.copying.request import CopyRequest
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.identity import BagIdentity, read_identity, verify_identity
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.qos import LATCHED_QOS, SENSOR_QOS
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter

START_NS = 1_700_000_000_000_000_000
S = 1_000_000_000

MakeDrive = Callable[..., Path]


def merge(out: Path, *bags: Path, **options: Any) -> CopySummary:
    return copy_bag(CopyRequest("merge", bags, out, **options))


def cut(bag: Path, out: Path, start_s: float | None, end_s: float | None) -> Path:
    start, end = (None if time is None else BagTime(round(time * S)) for time in (start_s, end_s))
    copy_bag(CopyRequest("cut", (bag,), out, start=start, end=end))
    return out


def messages(bag: Path) -> list[BagMessage]:
    with open_bag(bag) as reader:
        return list(reader.messages())


def digest(bag: Path) -> str:
    with open_bag(bag) as reader:
        return content_digest(reader)


def write(path: Path, identity: BagIdentity | None, **topics: Any) -> Path:
    """Write a bag with one message 1 s after a drive's start on each topic, declared as given."""
    with BagWriter(path, identity=identity) as writer:
        for name, declaration in topics.items():
            writer.add_topic(
                f"/{name}", **{"type_name": "robot_msgs/msg/Map", "definition": "", "type_hash": ""} | declaration
            )
            payload = path.name.encode()
            writer.write(f"/{name}", payload, receive_ns=START_NS + S, publish_ns=START_NS + S)
    return path


def at(path: Path, *times_ns: int) -> Path:
    """Write a bag without tags with messages at given times."""
    with BagWriter(path, identity=None) as writer:
        writer.add_topic("/a", "a/msg/A", definition="", type_hash="")
        for time_ns in times_ns:
            writer.write("/a", b"x", receive_ns=time_ns, publish_ns=time_ns)
    return path


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_the_parts_of_a_bag_merged_again_are_the_bag(
    make_drive: MakeDrive, tmp_path: Path, order: tuple[int, ...]
) -> None:
    drive = make_drive()
    times = (None, 2.1, 3.0, None)
    parts = [cut(drive, tmp_path / f"part{number}", times[number], times[number + 1]) for number in range(3)]
    summary = merge(tmp_path / "out", *(parts[number] for number in order))
    assert summary.content_digest == digest(drive) == digest(tmp_path / "out")
    assert messages(tmp_path / "out") == messages(drive)
    assert summary.carried == ()
    assert summary.changed_by == ("3 bags merged",)
    report = verify_identity(tmp_path / "out")
    assert report.disagreements == ()
    assert report.lineage_id == read_identity(drive).lineage_id


def test_later_parts_alone_keep_one_copy_of_what_was_carried(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    parts = [cut(drive, tmp_path / "a", 2.1, 3.5), cut(drive, tmp_path / "b", 3.5, None)]
    summary = merge(tmp_path / "out", *parts)
    cut(drive, tmp_path / "tail", 2.1, None)
    assert messages(tmp_path / "out") == messages(tmp_path / "tail")
    assert summary.carried == read_identity(tmp_path / "tail").trace[0].carried


def test_a_message_that_no_other_bag_holds_stays_where_it_was_carried(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    tail = cut(drive, tmp_path / "tail", 2.5, None)
    other = write(tmp_path / "other", None, map={"definition": "uint8 x\n", "type_hash": "RIHS01_" + "7" * 64})
    summary = merge(tmp_path / "out", tail, other)
    assert summary.topics["/map"] == 2
    assert len(summary.carried) == 5


def test_the_trace_of_a_merge_holds_those_of_its_sources(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    parts = [cut(drive, tmp_path / "a", None, 3.0), cut(drive, tmp_path / "b", 3.0, None)]
    merge(tmp_path / "out", *parts)
    (step,) = read_identity(tmp_path / "out").trace
    assert [source.name for source in step.sources] == ["a", "b"]
    assert [source.trace[0].operation for source in step.sources] == ["cut", "cut"]
    assert [source.content_digest for source in step.sources] == [digest(part) for part in parts]


def test_messages_at_one_time_stand_in_the_total_order(tmp_path: Path) -> None:
    types = {"/tf_static": "a/msg/A", "/clock": "a/msg/A", "/b": "a/msg/A", "/a": "a/msg/A"}
    bags = []
    for number, names in enumerate((("/a", "/tf_static"), ("/b", "/clock"), ("/a", "/b"))):
        bags.append(tmp_path / f"bag{number}")
        with BagWriter(bags[-1], identity=None) as writer:
            for name in names:
                writer.add_topic(name, types[name], definition="", type_hash="")
                for receive_ns in (1, 5, 5):
                    writer.write(name, b"%d" % number, receive_ns=receive_ns, publish_ns=9)
    summary = merge(tmp_path / "out", *bags)
    merged = messages(tmp_path / "out")
    assert [(row.topic, row.payload) for row in merged[:6]] == [
        ("/tf_static", b"0"), ("/clock", b"1"), ("/a", b"0"), ("/a", b"2"), ("/b", b"1"), ("/b", b"2")
    ]  # fmt: skip
    assert len(merged) == summary.message_count == 18
    assert summary.content_digest == digest(tmp_path / "out")


@pytest.mark.parametrize(
    ("one", "other", "wrong"),
    [
        ({"type_name": "a/msg/A"}, {"type_name": "a/msg/B"}, "has the type 'a/msg/A' .* and 'a/msg/B'"),
        ({"type_hash": "RIHS01_1"}, {"type_hash": "RIHS01_2"}, "has the type hash 'RIHS01_1' .* and 'RIHS01_2'"),
        ({"serialization_format": "cdr"}, {"serialization_format": "json"}, "has the serialization format"),
        (
            {"definition": "1", "definition_encoding": "protobuf"},
            {"definition": "2", "definition_encoding": "protobuf"},
            "has the definition",
        ),
    ],
)
def test_one_topic_with_two_types_is_refused(tmp_path: Path, one: Any, other: Any, wrong: str) -> None:
    bags = write(tmp_path / "one", None, map=one), write(tmp_path / "two", None, map=other)
    with pytest.raises(TopicError, match=wrong) as refusal:
        merge(tmp_path / "out", *bags)
    assert str(bags[0]) in str(refusal.value)
    assert str(bags[1]) in str(refusal.value)


def test_what_one_bag_does_not_say_of_a_topic_the_other_does(tmp_path: Path) -> None:
    bags = (
        write(tmp_path / "one", None, map={"qos": (LATCHED_QOS,)}),
        write(
            tmp_path / "two",
            None,
            map={"type_hash": "RIHS01_2", "definition": "uint8 x\n", "qos": (SENSOR_QOS, LATCHED_QOS)},
        ),
    )
    merge(tmp_path / "out", *bags)
    with open_bag(tmp_path / "out") as reader:
        topic = reader.topics["/map"]
    assert (topic.type_hash, topic.definition, topic.message_count) == ("RIHS01_2", "uint8 x\n", 2)
    assert topic.offered_qos == (LATCHED_QOS, SENSOR_QOS)


@pytest.mark.parametrize("field", ["lineage_id", "envelope_id"])
def test_different_lineages_and_envelopes_are_refused(tmp_path: Path, identity: BagIdentity, field: str) -> None:
    identity = replace(identity, manifest="", envelope_id="sha256:ee")
    one = write(tmp_path / "one", identity, a={})
    two = write(tmp_path / "two", replace(identity, **{field: "sha256:ff"}), a={})
    with pytest.raises(ConfigurationError, match=rf"different {field.removesuffix('_id')}s .*names sha256:ff"):
        merge(tmp_path / "out", one, two)


@pytest.mark.parametrize("unnamed", [None, BagIdentity("none", "none")])
def test_beside_a_bag_without_lineage_the_named_one_is_kept_with_a_warning(
    make_drive: MakeDrive, tmp_path: Path, unnamed: BagIdentity | None, identity: BagIdentity
) -> None:
    other = write(tmp_path / "other", unnamed, a={})
    summary = merge(tmp_path / "out", other, make_drive())
    assert summary.lineage_id == identity.lineage_id
    assert any(f"{other}: names no lineage" in text for text in summary.warnings)
    report = verify_identity(tmp_path / "out")
    assert (report.lineage_id, report.manifest, report.disagreements) == (identity.lineage_id, identity.manifest, ())
    assert report.trace[0].sources[0].lineage_id == ("" if unnamed is None else "none")


def test_bags_without_lineage_stay_without(tmp_path: Path) -> None:
    bags = write(tmp_path / "one", None, a={}), write(tmp_path / "two", BagIdentity("none", "none"), b={})
    assert merge(tmp_path / "out", *bags).lineage_id == "none"
    assert merge(tmp_path / "foreign", bags[0], write(tmp_path / "three", None, c={})).lineage_id == ""


def test_two_drives_are_refused_by_their_tags_unless_that_is_wanted(tmp_path: Path) -> None:
    one = write(tmp_path / "one", BagIdentity("none", "none", "", {"source": "monday", "car": "7"}), a={})
    two = write(tmp_path / "two", BagIdentity("none", "none", "", {"source": "friday", "rain": "yes"}), a={})
    with pytest.raises(ConfigurationError, match=r"these are two drives \(source: monday or friday\)"):
        merge(tmp_path / "out", one, two)
    summary = merge(tmp_path / "out", one, two, allow_different_tags=True)
    assert summary.tags_dropped == {"source": ("monday", "friday")}
    report = read_identity(tmp_path / "out")
    assert report.tags == {"car": "7", "rain": "yes"}
    assert report.trace[0].tags_dropped == summary.tags_dropped
    assert report.trace[0].arguments == {"allow_different_tags": True}


def test_a_bag_given_twice_is_refused(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    (tmp_path / "link").symlink_to(drive)
    with pytest.raises(ConfigurationError, match="given twice"):
        merge(tmp_path / "out", drive, tmp_path / "link")


def test_a_merged_bag_is_a_part_when_one_of_its_sources_is(make_drive: MakeDrive, tmp_path: Path) -> None:
    one = cut(make_drive(), tmp_path / "a", None, 2.0)
    two = cut(make_drive("whole"), tmp_path / "b", 2.0, None)
    sidecar = two / "identity.json"
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "state": "recovered"}))
    assert merge(tmp_path / "out", one, two).state == "recovered"


def test_an_empty_bag_adds_nothing(make_drive: MakeDrive, make_bag: Callable[..., Path], tmp_path: Path) -> None:
    drive, empty = make_drive(identity=None), make_bag("empty", [])
    with open_bag(empty) as reader:
        assert reader.start_ns is None
    copy_bag(CopyRequest("convert", (empty,), tmp_path / "e"))
    summary = merge(tmp_path / "out", drive, tmp_path / "e")
    assert summary.message_count == 63
    assert summary.changed_by == ()


def test_the_overlapping_parts_of_a_bag_merged_are_the_bag(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    parts = [cut(drive, tmp_path / "a", None, 3.0), cut(drive, tmp_path / "b", 2.1, None)]
    summary = merge(tmp_path / "out", *reversed(parts))
    assert summary.content_digest == digest(drive) == digest(tmp_path / "out")
    assert messages(tmp_path / "out") == messages(drive)
    assert (summary.carried, summary.topics["/odom"], summary.kept_once["/odom"]) == ((), 50, 9)
    assert read_identity(tmp_path / "out").trace[0].kept_once == summary.kept_once
    assert verify_identity(tmp_path / "out").disagreements == ()


def test_a_bag_merged_with_a_copy_of_itself_is_itself(make_drive: MakeDrive, tmp_path: Path) -> None:
    drive = make_drive()
    whole = {name: sum(one.topic == name for one in messages(drive)) for name in {one.topic for one in messages(drive)}}
    copy_bag(CopyRequest("convert", (drive,), tmp_path / "copy", compression="lz4"))
    summary = merge(tmp_path / "out", drive, tmp_path / "copy")
    assert messages(tmp_path / "out") == messages(drive)
    assert (summary.changed_by, summary.kept_once) == ((), whole)
    tail = cut(drive, tmp_path / "tail", 2.5, None)
    copy_bag(CopyRequest("convert", (tail,), tmp_path / "again"))
    summary = merge(tmp_path / "tails", tail, tmp_path / "again")
    assert messages(tmp_path / "tails") == messages(tail)
    assert len(summary.carried) == 5


@pytest.mark.parametrize(("gap_s", "text"), [(11, "11.0 s later"), (3 * 3600, "3.0 h later"), (86_400, "24.0 h later")])
def test_bags_that_lie_apart_are_merged_with_a_warning(tmp_path: Path, gap_s: int, text: str) -> None:
    bags = [at(tmp_path / "late", START_NS + (gap_s + 1) * S), at(tmp_path / "early", START_NS, START_NS + S)]
    (warning,) = merge(tmp_path / "out", *bags).warnings
    assert warning.startswith(f"bag {bags[1]} ends at 2023-11-14 22:13:21.000 UTC and bag {bags[0]} begins at ")
    assert warning.endswith(text)


def test_bags_that_touch_or_overlap_are_merged_without_a_word(tmp_path: Path) -> None:
    spans = ((0, 100), (5, 6), (110, 111), (90, 95))
    bags = [at(tmp_path / f"b{number}", *(START_NS + s * S for s in span)) for number, span in enumerate(spans)]
    assert merge(tmp_path / "out", *bags).warnings == ()


def test_bags_more_than_a_day_apart_are_refused_unless_that_is_wanted(tmp_path: Path) -> None:
    bags = at(tmp_path / "a", START_NS), at(tmp_path / "b", START_NS + 8 * 365 * 86_400 * S)
    wrong = r"ends at 2023-11-14 22:13:20\.000 UTC and .* begins at 2031-11-12 22:13:20\.000 UTC, 8\.0 years later;"
    with pytest.raises(ConfigurationError, match=wrong) as refusal:
        merge(tmp_path / "out", *bags)
    assert refusal.value.exit_code == 2
    assert not (tmp_path / "out").exists()
    (warning,) = merge(tmp_path / "out", *bags, allow_different_tags=True).warnings
    assert "8.0 years later" in warning


def test_tags_that_will_speak_for_an_untagged_bag_are_named(tmp_path: Path) -> None:
    tagged = write(tmp_path / "one", BagIdentity("none", "none", "", {"source": "monday", "licence": "MIT"}), a={})
    partly = write(tmp_path / "two", BagIdentity("none", "none", "", {"source": "monday"}), a={})
    untagged = write(tmp_path / "three", BagIdentity("none", "none"), a={})
    warnings = merge(tmp_path / "out", tagged, partly, untagged).warnings
    end = "has none of them, and in the merged bag they speak for its messages too"
    assert warnings == (
        f"tags licence come from {tagged}; {partly} {end}",
        f"tags licence, source come from {tagged}; {untagged} {end}",
    )


def test_a_copy_without_publish_times_is_no_equal_copy_and_that_is_said(tmp_path: Path) -> None:
    for name, late_ns in (("one", 0), ("two", 5)):
        with BagWriter(tmp_path / name, identity=None) as writer:
            writer.add_topic("/a", "a/msg/A", definition="", type_hash="")
            writer.write("/a", b"x", receive_ns=START_NS, publish_ns=START_NS - late_ns)
    summary = merge(tmp_path / "out", tmp_path / "one", tmp_path / "two")
    assert (summary.message_count, summary.kept_once) == (2, {})
    assert any("/a: 1 messages are in several bags with other publish times" in text for text in summary.warnings)
