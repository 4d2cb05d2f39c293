"""Processor time and memory of the idle and of the running graph, over minutes: are they flat?

``ALPAMAYO_SOAK_S`` sets the length of each part, 600 s if it is not set.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytestmark = [pytest.mark.bench, pytest.mark.ros, pytest.mark.timeout(3600)]

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.prefix) / "lib" / "alpamayo_ros"
LENGTH_S = float(os.environ.get("ALPAMAYO_SOAK_S", "600"))
SAMPLES = 10
PROFILE = ROOT / "test" / "profiles" / "demo_four.yaml"
TOPICS = ROOT / "test" / "profiles" / "demo_four_topics.yaml"


@contextmanager
def started(name: str, environment: dict[str, str], *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run an executable and end it."""
    process = subprocess.Popen([str(PROGRAMS / name), "--ros-args", *arguments], env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def used(process: "subprocess.Popen[bytes]") -> tuple[float, float]:
    """Return processor seconds and resident MB so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    pages = int(Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1])
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def watched(processes: dict[str, "subprocess.Popen[bytes]"], title: str) -> None:
    """Print share of a core and memory of each process, part by part."""
    time.sleep(10.0)
    before = {name: used(process) for name, process in processes.items()}
    for part in range(1, SAMPLES + 1):
        time.sleep(LENGTH_S / SAMPLES)
        cells = []
        for name, process in processes.items():
            assert process.poll() is None, f"{name} ended"
            seconds, megabytes = used(process)
            cells.append(f"{name} {100 * (seconds - before[name][0]) / (LENGTH_S / SAMPLES):.1f} % {megabytes:.0f} MB")
            before[name] = (seconds, megabytes)
        print(f"{title}, {part * LENGTH_S / SAMPLES:.0f} s: {'; '.join(cells)}", flush=True)


@pytest.mark.parametrize("drives", [False, True], ids=["idle", "running"])
def test_the_graph_over_minutes(drives: bool) -> None:
    from alpamayo_ros.ros.domain import local_environment, private_domain

    common = ["-p", f"profile:={PROFILE}", "-p", f"topics_file:={TOPICS}"]
    with private_domain() as domain_id, ExitStack() as stack:
        environment = local_environment(domain_id, os.environ)
        names = ("lineage", "planner", "reasoning", "perception")
        processes = {name: stack.enter_context(started(name, environment, *common)) for name in names}
        if drives:
            bag = ["-p", f"bag:={ROOT / 'bags' / 'demo'}", "-p", "loop:=true"]
            processes["replayer"] = stack.enter_context(started("replayer", environment, *bag))
        print()
        watched(processes, "running" if drives else "idle")
