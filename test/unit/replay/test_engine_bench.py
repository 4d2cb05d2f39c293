"""The figures of a bench are those of its ticks, and a bag that says nothing has none."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.replay.engine_bench import bench_document, bench_on_bag
from alpamayo_ros.replay.engine_compare import parse_side


def test_each_part_is_what_the_clock_says(make_odometry_bag: Callable[..., Path]) -> None:
    ticking = count()
    marks: list[str] = []
    found = bench_on_bag(
        parse_side("kinematic@reference"), make_odometry_bag(), lambda: float(next(ticking)),
        first=lambda: marks.append("answered"),
    )  # fmt: skip
    assert marks == ["answered"]
    # Every look at this clock is a second: one for each stage, and one for each message that is taken.
    for part in ("perceive", "reason", "plan"):
        assert found.latency_ms[part].p50 == found.latency_ms[part].largest == 1000.0
    assert found.latency_ms["observe"].p50 >= 1000.0
    assert found.latency_ms["all"].p50 == found.latency_ms["observe"].p50 + 3000.0
    assert found.ticks_per_s == pytest.approx(1000.0 / found.latency_ms["all"].mean)
    document = bench_document(found)
    assert document["start_s"] is None
    assert document["failover_s"] == {}
    assert document["backend"] == "reference"
    assert document["digests"]["engine"].startswith("sha256:") or document["digests"]["engine"] in ("none", "unknown")


def test_a_bag_without_an_answered_tick_is_refused(make_odometry_bag: Callable[..., Path]) -> None:
    with pytest.raises(ConfigurationError, match="has no tick that is answered"):
        bench_on_bag(parse_side("kinematic"), make_odometry_bag(duration_s=0.5), lambda: 0.0)
