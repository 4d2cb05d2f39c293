"""What cannot be meant is refused before anything is read."""

from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import ConfigurationError, ParameterError
from alpamayo_ros.storage.copying.bag_time import BagTime
from alpamayo_ros.storage.copying.request import CopyRequest, parse_split_size
from alpamayo_ros.storage.copying.topic_choice import TopicChoice

SIZES = [
    *(("2GB", 2_000_000_000), ("1.5GiB", 1_610_612_736), ("1 MB", 1_000_000), ("5000kB", 5_000_000), ("2Gi", 2 << 30)),
    *(("2G", 2_000_000_000), ("2gb", 2_000_000_000), ("100M", 100_000_000), ("2000000B", 2_000_000)),
]


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_a_size_is_a_number_with_its_unit(text: str, size: int) -> None:
    assert parse_split_size(text) == size


@pytest.mark.parametrize("text", ["", "2", "GB", "-1GB", "2gib2", "1e9B", "bb", "9bb", "0GB", "999kB", "inf"])
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
        ("cut", ONE, {}, r"neither a start nor an end; .* 1\.6 s of history .* 6\.4 s after"),
        ("cut", ONE, {"duration_ns": 1}, "a duration without a start"),
        ("cut", ONE, {"duration_ns": 1, "end": BagTime(9)}, "a duration without a start"),
        ("cut", ONE, {"duration_ns": 1, "start": BagTime(1), "end": BagTime(9)}, "a duration and an end"),
        ("cut", ONE, {"duration_ns": 0, "start": BagTime(1)}, "expected more than none"),
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
