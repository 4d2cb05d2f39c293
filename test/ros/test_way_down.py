"""Stages in processes of their own go down in the order of the data, although all are told to at the same time."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.ros.node_processes import executable

pytestmark = pytest.mark.ros

STAGES = ("perception", "reasoning", "planner", "lineage")
ODOMETRY = "/alpamayo/perception/input/odometry"


@pytest.fixture
def stages(domain_id: int, tmp_path: Path) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    """Start the stages, each in a process of its own that logs to a file."""
    running = {}
    for stage in STAGES:
        with (tmp_path / f"{stage}.log").open("wb") as out:
            command = [str(executable(stage, os.environ))]
            environment = {**os.environ, "ROS_LOG_DIR": str(tmp_path / "log")}
            running[stage] = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    yield running
    for process in running.values():
        process.kill()
        process.wait()


def test_processes_go_down_after_those_that_feed_them(
    stages: Any, make_harness: Callable[..., Any], drive: Callable[..., None], tmp_path: Path
) -> None:
    harness = make_harness()
    harness.hear("tick", "trajectory_set")
    publisher = harness.publisher(ODOMETRY, "nav_msgs/msg/Odometry")
    harness.await_match(publisher)
    harness.drive_until(drive, publisher, 10**12, lambda: harness.heard["trajectory_set"])
    # Each has to know of those that feed it, which nobody can ask it.
    harness.spin_for(2.0)
    for stage in reversed(STAGES):
        stages[stage].send_signal(signal.SIGINT)
    assert [stages[stage].wait(30.0) for stage in STAGES] == [0] * len(STAGES)
    begins = {}
    for stage in STAGES:
        text = (tmp_path / f"{stage}.log").read_text(encoding="utf-8")
        # Not the end: the next one begins when the publishers of this one are gone, which is before its last word.
        begins[stage] = re.findall(rf"\[(\d+\.\d+)\] \[alpamayo.{stage}\]: going down", text)
    assert sorted(STAGES, key=lambda stage: float(begins[stage][0])) == list(STAGES)


def test_a_process_that_ends_alone_does_not_wait_for_ever(stages: Any, make_harness: Callable[..., Any]) -> None:
    harness = make_harness()
    harness.spin_until(
        lambda: all(harness.health.get(f"/alpamayo/{stage}", (0, ""))[1].startswith("active") for stage in STAGES[1:3]),
        "reasoning and planner are not active",
    )
    stages["planner"].send_signal(signal.SIGINT)
    assert stages["planner"].wait(30.0) == 0
    assert stages["reasoning"].poll() is None


def test_a_process_leaves_no_shared_memory_behind(stages: Any, tmp_path: Path) -> None:
    """Without a probe, which would map the segments of the others."""
    deadline = time.monotonic() + 30.0
    while not all("active; lineage" in (tmp_path / f"{stage}.log").read_text() for stage in STAGES):
        assert time.monotonic() < deadline, "the stages did not become active"
        threading.Event().wait(0.05)
    segments = {path for stage in STAGES for path in own_segments(stages[stage].pid)}
    assert segments, "Fast DDS maps a segment for each participant"
    for process in stages.values():
        process.send_signal(signal.SIGINT)
    assert [process.wait(30.0) for process in stages.values()] == [0] * len(STAGES)
    assert {path for path in segments if path.exists()} == set()


def own_segments(pid: int) -> set[Path]:
    """Return the segments of participants that a process maps; ports are shared by all and stay."""
    lines = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()
    found = {Path(line.split()[-1]) for line in lines if "/dev/shm/fastdds_" in line}
    return {path for path in found if re.fullmatch(r"fastdds_[0-9a-f]{16}", path.name)}
