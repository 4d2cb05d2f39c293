"""Processor time, memory, rate and latency of the idle and of the running graph, over minutes: are they flat?

``ALPAMAYO_SOAK_S`` sets the length of each part, 600 s if it is not set.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytestmark = [pytest.mark.bench, pytest.mark.ros, pytest.mark.timeout(3600)]

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.prefix) / "lib" / "alpamayo_ros"
LENGTH_S = float(os.environ.get("ALPAMAYO_SOAK_S", "600"))
SAMPLES = 10
TRIGGER = "/camera/camera_front_wide_120fov/image/compressed"
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


def watched(
    processes: dict[str, "subprocess.Popen[bytes]"],
    title: str,
    wait: Callable[[float], None] = time.sleep,
    more: Callable[[], str] = lambda: "",
) -> None:
    """Print share of a core and memory of each process, and what else there is to say, part by part."""
    wait(10.0)
    more()
    before = {name: used(process) for name, process in processes.items()}
    for part in range(1, SAMPLES + 1):
        wait(LENGTH_S / SAMPLES)
        cells = []
        for name, process in processes.items():
            assert process.poll() is None, f"{name} ended"
            seconds, megabytes = used(process)
            cells.append(f"{name} {100 * (seconds - before[name][0]) / (LENGTH_S / SAMPLES):.1f} % {megabytes:.0f} MB")
            before[name] = (seconds, megabytes)
        print(f"{title}, {part * LENGTH_S / SAMPLES:.0f} s: {'; '.join(cells)}{more()}", flush=True)


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


class TickProbe:
    """Hears the pictures that trigger ticks and what becomes of them, and keeps the time between."""

    def __init__(self, domain_id: int) -> None:
        import rclpy
        from rclpy.context import Context
        from rclpy.node import Node
        from rclpy.qos import qos_profile_sensor_data

        from alpamayo_ros.ros.classes import generated_class
        from alpamayo_ros.ros.process import make_executor
        from alpamayo_ros.ros.qos import qos_profile

        self._context = Context()
        rclpy.init(args=[], context=self._context, domain_id=domain_id)
        self._node = Node("tick_probe", context=self._context)
        self._executor = make_executor(self._context)
        self._executor.add_node(self._node)
        self._heard: dict[int, float] = {}
        self._outcomes: Counter[str] = Counter()
        self._seconds: list[float] = []
        image, tick = generated_class("sensor_msgs/msg/CompressedImage"), generated_class("alpamayo_ros/msg/TickStatus")
        self._node.create_subscription(image, TRIGGER, self._on_picture, qos_profile_sensor_data)
        self._node.create_subscription(tick, "/alpamayo/output/tick", self._on_tick, qos_profile("ticks"))

    def wait(self, seconds: float) -> None:
        """Hear for a time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=min(left, 0.5))

    def said(self) -> str:
        """Return the outcomes and latencies since the last time."""
        outcomes, seconds = self._outcomes, self._seconds
        self._outcomes, self._seconds = Counter(), []
        self._heard.clear()
        p50, p99, largest = 1e3 * np.percentile(seconds or [np.nan], [50, 99, 100])
        counts = ", ".join(f"{number} {name}" for name, number in outcomes.most_common())
        return f"; {counts}; picture to tick: p50 {p50:.0f} ms, p99 {p99:.0f} ms, largest {largest:.0f} ms"

    def close(self) -> None:
        """Leave the graph."""
        import rclpy

        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _on_picture(self, message: Any) -> None:
        self._heard[stamp_ns(message)] = time.monotonic()

    def _on_tick(self, message: Any) -> None:
        self._outcomes[message.outcome_text.split(":")[0].split(";")[0][:40]] += 1
        heard = self._heard.get(stamp_ns(message))
        if heard is not None and message.outcome == message.ANSWERED:
            self._seconds.append(time.monotonic() - heard)


def stamp_ns(message: Any) -> int:
    """Return the stamp of a message in ns."""
    return int(message.header.stamp.sec) * 10**9 + int(message.header.stamp.nanosec)


def test_nano_at_ten_hertz_with_four_cameras() -> None:
    """The demo drive in a loop through ``stack``: of the 16 s of each round 1.5 s are too short a history."""
    from alpamayo_ros.ros.domain import local_environment, private_domain

    with private_domain() as domain_id, ExitStack() as stack:
        environment = local_environment(domain_id, os.environ)
        common = ["-p", "profile:=nano", "-p", f"topics_file:={TOPICS}"]
        bag = ["-p", f"bag:={ROOT / 'bags' / 'demo'}", "-p", "loop:=true"]
        processes = {"stack": stack.enter_context(started("stack", environment, *common))}
        processes["replayer"] = stack.enter_context(started("replayer", environment, *bag))
        probe = TickProbe(domain_id)
        stack.callback(probe.close)
        print()
        watched(processes, "nano", probe.wait, probe.said)
