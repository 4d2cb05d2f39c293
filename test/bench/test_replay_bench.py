"""Measure replays: ticks per second, peak memory, displacement errors. Prints; judges nothing.

The memory of a replay is read from a process of its own, so that nothing else is counted.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from alpamayo_ros.messages.typestore import serialize
from alpamayo_ros.replay.drive import start_in_process
from alpamayo_ros.replay.run import replay_bag, set_up_replay
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter

pytestmark = pytest.mark.bench

BAGS = Path(__file__).parents[2] / "bags"
PROGRAM = Path(sys.executable).with_name("alpamayo")
AIM_TICKS_PER_S = 2000


@pytest.fixture
def odometry_drive(
    tmp_path: Path, make_odometry: Callable[..., object], drive_poses: Callable[..., object]
) -> Callable[..., Path]:
    """Return a function that writes a drive of a given length and odometry rate."""

    def make(duration_s: float, rate_hz: float) -> Path:
        path = tmp_path / f"drive_{duration_s:g}_{rate_hz:g}"
        with BagWriter(path, identity=None) as writer:
            writer.add_topic("/odometry", "nav_msgs/msg/Odometry")
            for pose in drive_poses(duration_s, rate_hz):  # type: ignore[attr-defined]
                payload = serialize(make_odometry(*pose), "nav_msgs/msg/Odometry")
                writer.write("/odometry", payload, receive_ns=pose[0], publish_ns=pose[0])
        return path

    return make


@pytest.mark.parametrize("rate_hz", [10.0, 50.0, 200.0])
def test_ticks_per_second_without_pictures(odometry_drive: Callable[..., Path], tmp_path: Path, rate_hz: float) -> None:
    bag = odometry_drive(600.0, rate_hz)
    best = 0.0
    for attempt in range(3):
        with open_bag(bag) as reader:
            setup = set_up_replay(reader, profile_name="kinematic")
            started = time.perf_counter()
            with start_in_process(setup, reader) as drive:
                facts = replay_bag(reader, setup, drive, tmp_path / f"out{attempt}")
            best = max(best, len(facts.marks) / (time.perf_counter() - started))
    print(f"\nodometry at {rate_hz:g} Hz: {best:.0f} ticks/s, {best / AIM_TICKS_PER_S:.2f} of the aim")


def peak_memory_mb(arguments: list[str]) -> tuple[float, str]:
    """Run the program and return its peak resident memory in MB and its standard output."""
    code = (
        "import resource, subprocess, sys; run = subprocess.run(sys.argv[1:], capture_output=True, text=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); print(run.stdout)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(PROGRAM), *arguments], capture_output=True, text=True, check=True
    )
    kilobytes, _, output = run.stdout.partition("\n")
    return int(kilobytes) / 1000.0, output


def test_peak_memory_does_not_grow_with_the_bag(odometry_drive: Callable[..., Path], tmp_path: Path) -> None:
    for duration_s in (60.0, 600.0, 3600.0):
        bag = odometry_drive(duration_s, 50.0)
        memory, _ = peak_memory_mb(
            ["replay", "run", str(bag), "--profile", "kinematic", "--out", str(tmp_path / bag.name) + "_out"]
        )
        print(f"\n{duration_s:g} s of odometry at 50 Hz: {memory:.0f} MB")


def test_pandaset_and_demo(tmp_path: Path) -> None:
    bags = {"demo": (BAGS / "demo", [])}
    if "ALPAMAYO_DATA" in os.environ:
        source = Path(os.environ["ALPAMAYO_DATA"]) / "pandaset_seq002"
        imported = tmp_path / "pandaset"
        memory, _ = peak_memory_mb(["bag", "import", "pandaset", str(source), str(imported)])
        print(f"\nimport of PandaSet: {memory:.0f} MB")
        bags["pandaset"] = (imported, ["--calibration", str(imported / "calibration.yaml")])
    for name, (bag, options) in bags.items():
        out = str(tmp_path / f"{name}_out")
        memory, output = peak_memory_mb(
            ["replay", "run", str(bag), "--profile", "kinematic", *options, "--out", out, "--json"]
        )
        result = json.loads(output)
        errors = ", ".join(f"{h} s: {row['mean_m']} m (n = {row['ticks']})" for h, row in result["ade_m"].items())
        print(f"\n{name}: {memory:.0f} MB; {result['ticks']}; ADE {errors}; timings {result['timings']}")
