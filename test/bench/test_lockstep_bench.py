"""Lockstep ticks per second through three processes, beside the bare rclpy round trip and the stages in process."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from alpamayo_ros.messages.typestore import message_class, serialize
from alpamayo_ros.replay.drive import Drive, start_in_process
from alpamayo_ros.replay.run import replay_bag, set_up_replay
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytestmark = [pytest.mark.bench, pytest.mark.ros]

FOUR = Path(__file__).parents[1] / "profiles" / "demo_four.yaml"
CAMERAS = (
    "camera_cross_left_120fov",
    "camera_front_wide_120fov",
    "camera_cross_right_120fov",
    "camera_front_tele_30fov",
)
ROUND_TRIPS = 2000
DURATION_S = 60
MS = 1_000_000
AIM = 0.2

ECHO = """
import rclpy
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node("echo")
answers = node.create_publisher(String, "pong", 10)
node.create_subscription(String, "ping", answers.publish, 10)
rclpy.spin(node)
"""


def round_trips_per_s(domain_id: int) -> float:
    """Measure publish, answer by another process, receive: one at a time, wait-set executor, as a user would write."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from std_msgs.msg import String

    echo = subprocess.Popen([sys.executable, "-c", ECHO])
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain_id)
    try:
        node = rclpy.create_node("asker", context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        answers: list[Any] = []
        asker = node.create_publisher(String, "ping", 10)
        node.create_subscription(String, "pong", answers.append, 10)
        while asker.get_subscription_count() == 0 or node.count_publishers("/pong") == 0:
            executor.spin_once(timeout_sec=0.05)
        message = String(data="x" * 32)
        for number in range(-100, ROUND_TRIPS):
            if number == 0:
                started = time.perf_counter()
            count = len(answers)
            asker.publish(message)
            while len(answers) == count:
                executor.spin_once(timeout_sec=0.5)
        return ROUND_TRIPS / (time.perf_counter() - started)
    finally:
        echo.kill()
        echo.wait()
        context.try_shutdown()


@pytest.fixture
def four_camera_bag(tmp_path: Path, make_odometry: Callable[..., Any]) -> Path:
    """Write a minute of 50 Hz odometry and four cameras at 10 Hz with JPEGs of about 15 kB."""
    path = tmp_path / "four"
    jpeg = picture_of_15_kb()
    time_class, header = message_class("builtin_interfaces/msg/Time"), message_class("std_msgs/msg/Header")
    picture = message_class("sensor_msgs/msg/CompressedImage")
    with BagWriter(path, identity=None) as writer:
        writer.add_topic("/odometry", "nav_msgs/msg/Odometry")
        for camera in CAMERAS:
            writer.add_topic(f"/camera/{camera}/image/compressed", "sensor_msgs/msg/CompressedImage")
        for time_ms in range(0, DURATION_S * 1000, 20):
            stamp_ns = 10**12 + time_ms * MS
            messages = [("/odometry", make_odometry(stamp_ns, (8e-3 * time_ms, 0.0, 0.0)))]
            if time_ms % 100 == 0:
                stamp = time_class(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
                for camera in CAMERAS:
                    message = picture(header=header(stamp=stamp, frame_id=camera), format="jpeg", data=jpeg)
                    messages.append((f"/camera/{camera}/image/compressed", message))
            for topic, message in messages:
                payload = serialize(message, writer.topics[topic].type_name)
                writer.write(topic, payload, receive_ns=stamp_ns + 5 * MS, publish_ns=stamp_ns)
    return path


def picture_of_15_kb() -> Any:
    generator = np.random.default_rng(1)
    coarse = generator.integers(0, 256, (12, 20, 3)).astype(np.uint8)
    smooth = cv2.resize(coarse, (320, 180), interpolation=cv2.INTER_CUBIC).astype(np.float64)
    pixels = np.clip(smooth + generator.normal(0.0, 6.0, smooth.shape), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].reshape(-1)


def ticks_per_s(bag: Path, out: Path, start: Callable[..., AbstractContextManager[Drive]], profile: str) -> float:
    with open_bag(bag) as reader:
        setup = set_up_replay(reader, profile_name=profile)
        with start(setup, reader) as drive:
            started = time.perf_counter()
            facts = replay_bag(reader, setup, drive, out)
            return len(facts.marks) / (time.perf_counter() - started)


def test_lockstep_against_the_bare_round_trip(four_camera_bag: Path, tmp_path: Path) -> None:
    from alpamayo_ros.ros.domain import local_environment, private_domain
    from alpamayo_ros.ros.lockstep import start_graph

    with private_domain() as domain_id, pytest.MonkeyPatch.context() as patch:
        for name, value in local_environment(domain_id, {}).items():
            patch.setenv(name, value)
        bare = round_trips_per_s(domain_id)
    print(f"\nJPEG of {len(picture_of_15_kb())} bytes; bare round trip {bare:.0f} per s")
    starters: dict[str, Callable[..., AbstractContextManager[Drive]]] = {
        "in process": start_in_process,
        "stack in one process": partial(start_graph, composed=True),
        "three processes": start_graph,
        "three processes that follow /clock": partial(start_graph, use_sim_time=True),
    }
    for profile, label in ((str(FOUR), "four cameras"), ("kinematic", "odometry alone")):
        for number, (how, start) in enumerate(starters.items()):
            rate = ticks_per_s(four_camera_bag, tmp_path / f"{label}{number}", start, profile)
            print(f"{label}, {how}: {rate:.0f} ticks/s, {rate / bare:.2f} of the bare round trip (aim {AIM})")


def answer_times_ms(bag: Path, out: Path, start: Callable[..., AbstractContextManager[Drive]]) -> list[float]:
    """Return how long the answer of each tick took, from the message that closed it, in ms."""
    times = []
    with open_bag(bag) as reader:
        setup = set_up_replay(reader, profile_name="kinematic")
        with start(setup, reader) as drive:
            take = drive.take_odometry

            def timed(*arguments: Any) -> Any:
                started = time.perf_counter()
                answers = take(*arguments)
                if answers and answers[0].trajectories is not None:
                    times.append(1e3 * (time.perf_counter() - started))
                return answers

            drive.take_odometry = timed  # type: ignore[method-assign]
            replay_bag(reader, setup, drive, out)
    return sorted(times)


def test_latency_that_the_stack_adds(four_camera_bag: Path, tmp_path: Path) -> None:
    """From the message that closes a tick, sent by another process, to its trajectory set, received there."""
    from alpamayo_ros.ros.lockstep import start_graph

    in_process = answer_times_ms(four_camera_bag, tmp_path / "in_process", start_in_process)
    print()
    for how, composed in (("stack", True), ("three processes", False)):
        graph = answer_times_ms(four_camera_bag, tmp_path / how, partial(start_graph, composed=composed))
        for name, share in (("median", 0.5), ("p99", 0.99)):
            bare, with_dds = (times[int(share * (len(times) - 1))] for times in (in_process, graph))
            print(f"{how}, {name}: {with_dds:.2f} ms, in process {bare:.2f} ms, added {with_dds - bare:.2f} ms")
