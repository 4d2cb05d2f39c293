"""Stages in processes of their own go down in the order of the data, although all are told to at the same time."""

import os
import re
import signal
import subprocess
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
    for stage in reversed(STAGES):
        stages[stage].send_signal(signal.SIGINT)
    assert [stages[stage].wait(30.0) for stage in STAGES] == [0] * len(STAGES)
    down = {}
    for stage in STAGES:
        text = (tmp_path / f"{stage}.log").read_text(encoding="utf-8")
        down[stage] = re.findall(rf"\[(\d+\.\d+)\] \[alpamayo.{stage}\]: down", text)
    assert sorted(STAGES, key=lambda stage: float(down[stage][0])) == list(STAGES)


def test_a_process_that_ends_alone_does_not_wait_for_ever(stages: Any, make_harness: Callable[..., Any]) -> None:
    harness = make_harness()
    harness.spin_until(
        lambda: all(harness.health.get(f"/alpamayo/{stage}", (0, ""))[1].startswith("active") for stage in STAGES[1:3]),
        "reasoning and planner are not active",
    )
    stages["planner"].send_signal(signal.SIGINT)
    assert stages["planner"].wait(30.0) == 0
    assert stages["reasoning"].poll() is None
