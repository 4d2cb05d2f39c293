"""Whatever a bag holds, its parts merged again are the bag, and every release keeps what it says."""

import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.storage.copying.bag_time import BagTime
from alpamayo_ros.storage.copying.copy import copy_bag
from alpamayo_ros.storage.copying.request import CopyRequest
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.distro import METADATA_VERSIONS
from alpamayo_ros.storage.identity import BagIdentity, read_identity, verify_identity
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS, QosProfile
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter

TYPES = {
    "/tf_static": ("tf2_msgs/msg/TFMessage", OUTPUT_QOS),
    "/robot_description": ("std_msgs/msg/String", OUTPUT_QOS),
    "/map": ("nav_msgs/msg/OccupancyGrid", LATCHED_QOS),
    "/clock": ("rosgraph_msgs/msg/Clock", OUTPUT_QOS),
    "/odom": ("nav_msgs/msg/Odometry", OUTPUT_QOS),
}
END_NS = 40

rows = st.lists(
    st.tuples(st.sampled_from(sorted(TYPES)), st.integers(0, END_NS), st.sampled_from([b"", b"a", b"b"])),
    min_size=1,
    max_size=25,
)
qos_profiles = st.builds(
    QosProfile,
    reliability=st.sampled_from(["reliable", "best_effort", "system_default"]),
    durability=st.sampled_from(["volatile", "transient_local", "system_default"]),
    history=st.sampled_from(["keep_last", "keep_all", "unknown", "system_default"]),
    depth=st.integers(0, 2**31),
    deadline_ns=st.integers(0, 2**60),
    lifespan_ns=st.integers(0, 2**60),
    liveliness=st.sampled_from(["automatic", "manual_by_topic", "system_default"]),
    avoid_ros_namespace_conventions=st.booleans(),
)


def write(path: Path, content: Sequence[tuple[str, int, bytes]], **options: Any) -> Path:
    profiles = options.pop("profiles", {})
    with BagWriter(path, identity=BagIdentity("none", "none", "", {"a": "ü 007"}), **options) as writer:
        for name, (type_name, qos) in TYPES.items():
            writer.add_topic(name, type_name, qos=profiles.get(name, qos))
        for topic, receive_ns, payload in content:
            writer.write(topic, payload, receive_ns=receive_ns, publish_ns=7)
    return path


def digest(bag: Path) -> str:
    with open_bag(bag) as reader:
        return content_digest(reader)


@settings(max_examples=15, deadline=None)
@given(rows, st.sets(st.integers(1, END_NS), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_a_bag_cut_anywhere_and_merged_again_says_the_same(
    content: list[tuple[str, int, bytes]], times: set[int], order: Any
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Rows in any order: the reader sorts them.
        drive = write(Path(folder) / "drive", content, chunk_size=64)
        with open_bag(drive) as reader:
            whole = list(reader.messages())
        first, last = whole[0].receive_ns, whole[-1].receive_ns
        bounds = [None, *sorted(time for time in times if first < time <= last), None]
        parts = []
        for number, (start, end) in enumerate(pairwise(bounds)):
            parts.append(Path(folder) / f"part{number}")
            begin = BagTime(0, absolute=True) if start is None else BagTime(start, absolute=True)
            until = None if end is None else BagTime(end, absolute=True)
            copy_bag(CopyRequest("cut", (drive,), parts[-1], start=begin, end=until))
        if len(parts) == 1:
            assert digest(parts[0]) == digest(drive)
            return
        order.shuffle(parts)
        summary = copy_bag(CopyRequest("merge", tuple(parts), Path(folder) / "merged"))
        assert summary.content_digest == digest(drive) == digest(Path(folder) / "merged")
        assert summary.carried == ()
        with open_bag(Path(folder) / "merged") as reader:
            assert list(reader.messages()) == whole


@settings(max_examples=15, deadline=None)
@given(
    rows,
    st.lists(st.tuples(st.integers(0, END_NS), st.integers(1, END_NS)), max_size=3),
    st.integers(1, END_NS),
    st.integers(0, 10),
    st.randoms(use_true_random=False),
)
def test_a_bag_cut_into_overlapping_parts_and_merged_again_says_the_same(
    content: list[tuple[str, int, bytes]], more: list[tuple[int, int]], middle: int, overlap: int, order: Any
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        drive = write(Path(folder) / "drive", content, chunk_size=64)
        with open_bag(drive) as reader:
            whole = list(reader.messages())
        first, last = whole[0].receive_ns, whole[-1].receive_ns
        # The first two cover the bag; the others are anywhere in it.
        spans = [(first, min(middle + overlap, END_NS + 1)), (middle, END_NS + 1)]
        spans += [(start, start + length) for start, length in more]
        parts = []
        for start, end in spans:
            if first < end and start <= last and start < end:
                parts.append(Path(folder) / f"part{len(parts)}")
                times = BagTime(start, absolute=True), BagTime(end, absolute=True)
                copy_bag(CopyRequest("cut", (drive,), parts[-1], start=times[0], end=times[1]))
        if len(parts) == 1:
            return
        order.shuffle(parts)
        summary = copy_bag(CopyRequest("merge", tuple(parts), Path(folder) / "merged"))
        assert summary.content_digest == digest(drive) == digest(Path(folder) / "merged")
        assert summary.carried == ()
        with open_bag(Path(folder) / "merged") as reader:
            assert list(reader.messages()) == whole


@settings(max_examples=5, deadline=None)
@given(rows, st.dictionaries(st.sampled_from(sorted(TYPES)), st.lists(qos_profiles, max_size=2).map(tuple)))
def test_a_bag_through_every_release_and_back_says_the_same(
    content: list[tuple[str, int, bytes]], profiles: dict[str, tuple[QosProfile, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bag = drive = write(Path(folder) / "drive", content, profiles=profiles)
        with open_bag(drive) as reader:
            whole, topics = list(reader.messages()), reader.topics
        for number, distro in enumerate([*METADATA_VERSIONS, "kilted"]):
            out = Path(folder) / f"{number}_{distro}"
            summary = copy_bag(CopyRequest("convert", (bag,), out, ros_distro=distro))
            assert summary.changed_by == ()
            with open_bag(out) as reader:
                assert (reader.metadata_version, reader.ros_distro) == (METADATA_VERSIONS[distro], distro)
                assert reader.topics == topics
            bag = out
        with open_bag(bag) as reader:
            assert list(reader.messages()) == whole
        assert digest(bag) == digest(drive)
        report = verify_identity(bag)
        assert report.disagreements == ()
        assert report.tags == read_identity(drive).tags
        assert len(report.trace) == len(METADATA_VERSIONS) + 1
