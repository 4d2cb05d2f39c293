"""What cannot be meant is refused before anything is read."""

from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import ConfigurationError, ParameterError
from alpamayo_ros.storage.copy_request import BagTime, CopyRequest, parse_bag_time, parse_split_size
from alpamayo_ros.storage.topic_choice import TopicChoice


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("0", BagTime(0)),
        ("12.5", BagTime(12_500_000_000)),
        ("12.5s", BagTime(12_500_000_000)),
        ("0.000000001", BagTime(1)),
        ("1700000000000000001ns", BagTime(1_700_000_000_000_000_001, absolute=True)),
        ("0ns", BagTime(0, absolute=True)),
    ],
)
def test_a_time_is_seconds_after_the_first_message_or_a_stamp(text: str, time: BagTime) -> None:
    assert parse_bag_time(text) == time


@pytest.mark.parametrize(
    "text", ["", "-1", "nan", "inf", "1e3", "1.", ".5", "1.0000000001", "5ms", "1.5ns", "٣", "12 s", "9" * 20 + "ns"]
)
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ParameterError, match="expected seconds after the bag's first message"):
        parse_bag_time(text)


@pytest.mark.parametrize(
    ("text", "size"), [("2GB", 2_000_000_000), ("1.5GiB", 1_610_612_736), ("1 MB", 1_000_000), ("5000kB", 5_000_000)]
)
def test_a_size_is_a_number_with_its_unit(text: str, size: int) -> None:
    assert parse_split_size(text) == size


@pytest.mark.parametrize("text", ["", "2", "GB", "-1GB", "2gb", "1e9B", "0GB", "999kB", "inf"])
def test_a_size_without_unit_or_too_small_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="split size"):
        parse_split_size(text)


ONE = (Path("a"),)


@pytest.mark.parametrize(
    ("operation", "sources", "options", "wrong"),
    [
        ("merge", ONE, {}, "two or more"),
        ("convert", (), {}, "expected one"),
        ("filter", (Path("a"), Path("b")), {"choice": TopicChoice(("/a",))}, "expected one"),
        ("cut", ONE, {}, "neither a start nor an end"),
        ("filter", ONE, {}, "no patterns"),
        ("convert", ONE, {"ros_distro": "noetic"}, "expected one of: humble, iron, jazzy"),
        ("convert", ONE, {"compression": "gzip"}, "expected one of: lz4, none, zstd"),
        ("convert", ONE, {"max_file_bytes": 0}, "split size is 0"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(
    operation: Any, sources: tuple[Path, ...], options: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ConfigurationError, match=wrong):
        CopyRequest(operation, sources, Path("out"), **options)
