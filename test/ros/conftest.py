"""Nodes under test in this process, and a probe that hears what they say; a private domain for every test."""

import gc
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from alpamayo_ros.messages.topics import NAMESPACE, output_topic
from alpamayo_ros.messages.typestore import message_class, serialize
from alpamayo_ros.replay.drive import start_in_process
from alpamayo_ros.replay.session import ReplayRequest, run_session
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.domain import local_environment, private_domain
from alpamayo_ros.ros.lifecycle import ManagedNode, ReportingNode
from alpamayo_ros.ros.process import make_executor
from alpamayo_ros.ros.qos import qos_profile
from alpamayo_ros.ros.wiring import with_default_wiring
from alpamayo_ros.storage.copying.bag_time import BagTime
from alpamayo_ros.storage.copying.copy import copy_bag
from alpamayo_ros.storage.copying.request import CopyRequest
from alpamayo_ros.storage.writer import BagWriter

DEMO = Path(__file__).resolve().parents[2] / "bags" / "demo"
WAIT_S = 30.0
ODOMETRY_TOPIC = f"{NAMESPACE}/perception/input/odometry"


class Harness:
    """Some nodes and a probe on one executor, in one thread."""

    def __init__(self, domain_id: int, arguments: Sequence[str] = ()) -> None:
        self.context = Context()
        rclpy.init(
            args=with_default_wiring(["--ros-args", *arguments]),
            context=self.context,
            domain_id=domain_id,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.executor = make_executor(self.context)
        self.probe = Node("probe", namespace="/test", context=self.context, use_global_arguments=False)
        self.executor.add_node(self.probe)
        self.nodes: list[ReportingNode] = []
        self.health: dict[str, tuple[int, str]] = {}
        self.values: dict[str, dict[str, str]] = {}
        self.said: dict[str, list[str]] = {}
        self.heard: dict[str, list[Any]] = {}
        self.probe.create_subscription(
            generated_class("diagnostic_msgs/msg/DiagnosticArray"), "/diagnostics", self._on_health, 50
        )

    def add(self, *nodes: ReportingNode) -> None:
        for node in nodes:
            self.nodes.append(node)
            self.executor.add_node(node)

    def bring_up(self) -> None:
        for node in reversed(self.nodes):
            node.autostart()

    def hear(self, *interfaces: str) -> None:
        for interface in interfaces:
            row = output_topic(interface)
            heard = self.heard.setdefault(interface, [])
            self.probe.create_subscription(
                generated_class(row.type_name), row.resolved(), heard.append, qos_profile(row.qos)
            )

    def publisher(self, topic: str, type_name: str, qos: Any = 50) -> Any:
        return self.probe.create_publisher(generated_class(type_name), topic, qos)

    def spin_until(self, done: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            self.executor.spin_once(timeout_sec=0.05)
            assert time.monotonic() < deadline, f"{what}; health: {self.health}; heard: {self.counts()}"

    def spin_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.02)

    def drive_until(self, drive: Callable[..., None], publisher: Any, start_ns: int, done: Callable[[], Any]) -> None:
        """Drive on, two seconds at a time, until something is true: other processes may not hear each other yet."""
        for lap in range(30):
            if done():
                return
            drive(self, publisher, start_ns + lap * 2_000_000_000, 100)
            self.spin_for(0.2)
        assert done(), f"health: {self.health}; heard: {self.counts()}"

    def counts(self) -> dict[str, int]:
        return {name: len(messages) for name, messages in self.heard.items()}

    def says(self, node: str, words: str) -> bool:
        return any(words in text for text in self.said.get(f"{NAMESPACE}/{node}", []))

    def await_words(self, node: str, words: str) -> None:
        self.spin_until(lambda: self.says(node, words), f"{node} never said {words!r} but {self.said}")

    def await_present(self, node: str, words: str) -> None:
        """Wait until the newest diagnostics of a node hold some words."""
        self.spin_until(
            lambda: words in self.health.get(f"{NAMESPACE}/{node}", (0, ""))[1], f"{node} does not say {words!r}"
        )

    def await_match(self, publisher: Any) -> None:
        self.spin_until(lambda: publisher.get_subscription_count() > 0, f"nobody takes {publisher.topic_name}")

    def call(self, service: str, type_name: str, **fields: Any) -> Any:
        service_class = generated_class(type_name)
        client = self.probe.create_client(service_class, service)
        try:
            self.spin_until(client.service_is_ready, f"{service} did not appear")
            future = client.call_async(service_class.Request(**fields))
            self.spin_until(future.done, f"{service} did not answer")
            return future.result()
        finally:
            self.probe.destroy_client(client)

    def close(self) -> None:
        for node in self.nodes:
            node.shut_down()
            if isinstance(node, ManagedNode):
                node.handover.worker.close(10.0)
            self.executor.remove_node(node)
            node.destroy_node()
        # A lifecycle node leaves the domain with its last reference.
        self.nodes.clear()
        gc.collect()
        self.executor.remove_node(self.probe)
        self.probe.destroy_node()
        self.executor.shutdown()
        self.context.try_shutdown()

    def _on_health(self, message: Any) -> None:
        for status in message.status:
            node = status.name.partition(":")[0]
            self.health[node] = (status.level[0], status.message)
            self.values[node] = {pair.key: pair.value for pair in status.values}
            said = self.said.setdefault(node, [])
            if not said or said[-1] != status.message:
                said.append(status.message)


@pytest.fixture(scope="session")
def short_drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bag of the first six seconds of the demo drive, all four cameras."""
    bag = tmp_path_factory.mktemp("drive") / "short"
    copy_bag(CopyRequest("cut", (DEMO,), bag, end=BagTime(6_000_000_000)))
    return bag


@pytest.fixture
def domain_id() -> Iterator[int]:
    """Give a domain of this test's own, and an environment that stays on this machine."""
    with private_domain() as number, mock.patch.dict(os.environ, local_environment(number, os.environ)):
        yield number


@pytest.fixture
def make_harness(domain_id: int) -> Iterator[Callable[..., Harness]]:
    """Return a function that makes a harness with further command-line arguments."""
    made: list[Harness] = []

    def make(*arguments: str) -> Harness:
        made.append(Harness(domain_id, arguments))
        return made[-1]

    yield make
    for harness in made:
        harness.close()


@pytest.fixture
def odometry_payload(make_odometry: Callable[..., Any]) -> Callable[..., bytes]:
    """Return a function that serializes an odometry message of a straight drive."""

    def payload(stamp_ns: int, x: float = 0.0, child_frame: str = "base_link") -> bytes:
        message = make_odometry(stamp_ns, (x, 0.0, 0.0), child_frame=child_frame)
        return serialize(message, "nav_msgs/msg/Odometry")

    return payload


@pytest.fixture
def drive(odometry_payload: Callable[..., bytes]) -> Callable[..., None]:
    """Return a function that publishes odometry of one straight drive at 8 m/s, stamps 20 ms apart."""

    def publish(harness: Harness, publisher: Any, start_ns: int, count: int, *, step_ns: int = 20_000_000) -> None:
        for index in range(count):
            stamp_ns = start_ns + index * step_ns
            publisher.publish(odometry_payload(stamp_ns, 8e-9 * (stamp_ns - 1_700_000_000_000_000_000)))
            harness.executor.spin_once(timeout_sec=0.002)

    return publish


@pytest.fixture
def replay(tmp_path: Path) -> Callable[..., Any]:
    """Return a function that replays a bag and gives the result."""
    numbers = iter(range(1000))

    def run(bag: Path, start_drive: Any = start_in_process, profile: str = "kinematic", **options: Any) -> Any:
        request = ReplayRequest(bag=bag, profile=profile, out=tmp_path / f"out{next(numbers)}", **options)
        return run_session(request, clock=time.perf_counter, start_drive=start_drive)

    return run


@pytest.fixture
def make_camera_bag(tmp_path: Path, make_odometry: Callable[..., Any]) -> Callable[..., Path]:
    """Return a function that writes a drive with odometry and a camera that lags, falls silent and steps back."""

    def make() -> Path:
        path = tmp_path / "camera_drive"
        with BagWriter(path, identity=None) as writer:
            writer.add_topic("/odometry", "nav_msgs/msg/Odometry")
            writer.add_topic("/front/image/compressed", "sensor_msgs/msg/CompressedImage")
            receive_ns = 0
            for index, (topic, stamp_ns) in enumerate(_camera_drive()):
                receive_ns += 10_000_000
                if topic == "/odometry":
                    message: Any = make_odometry(stamp_ns, (8e-9 * stamp_ns, 0.0, 0.0))
                else:
                    message = _picture(stamp_ns, index)
                payload = serialize(message, writer.topics[topic].type_name)
                writer.write(topic, payload, receive_ns=receive_ns, publish_ns=receive_ns)
        return path

    return make


def _camera_drive() -> Iterator[tuple[str, int]]:
    """Yield (topic, stamp in ns) of what arrives."""
    ms = 1_000_000
    for start_ns in (10**12, 10**12 - 20 * 10**9):
        for time_ms in range(0, 6000, 50):
            yield "/odometry", start_ns + time_ms * ms
            lagged = time_ms - 150
            silent = 3500 <= lagged < 4300
            if lagged >= 0 and lagged % 100 == 0 and not silent:
                yield "/front/image/compressed", start_ns + lagged * ms


def _picture(stamp_ns: int, value: int) -> Any:
    pixels = np.full((18, 32, 3), value % 256, dtype=np.uint8)
    time_class, header = message_class("builtin_interfaces/msg/Time"), message_class("std_msgs/msg/Header")
    stamp = time_class(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    data = cv2.imencode(".jpg", pixels)[1].reshape(-1)
    return message_class("sensor_msgs/msg/CompressedImage")(
        header=header(stamp=stamp, frame_id="front"), format="jpeg", data=data
    )


def parameter_file(path: Path, values: dict[str, Any], node: str = "/**") -> str:
    """Write a ROS parameter file and return its path."""
    path.write_text(json.dumps({node: {"ros__parameters": values}}), encoding="utf-8")
    return str(path)
