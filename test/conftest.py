"""Fixtures that every room may use."""

import importlib.util
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.messages.typestore import message_class, serialize
from alpamayo_ros.storage.writer import BagWriter

START_NS = 1_700_000_000_000_000_000


def odometry_message(
    stamp_ns: int,
    position: tuple[float, float, float],
    yaw: float = 0.0,
    *,
    child_frame: str = "base_link",
    quaternion: tuple[float, float, float, float] | None = None,
) -> Any:
    """Return a nav_msgs/Odometry message of a bag."""
    time, header = message_class("builtin_interfaces/msg/Time"), message_class("std_msgs/msg/Header")
    vector = message_class("geometry_msgs/msg/Vector3")
    qx, qy, qz, qw = quaternion or (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))
    x, y, z = position
    return message_class("nav_msgs/msg/Odometry")(
        header=header(stamp=time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9), frame_id="odom"),
        child_frame_id=child_frame,
        pose=message_class("geometry_msgs/msg/PoseWithCovariance")(
            pose=message_class("geometry_msgs/msg/Pose")(
                position=message_class("geometry_msgs/msg/Point")(x=x, y=y, z=z),
                orientation=message_class("geometry_msgs/msg/Quaternion")(x=qx, y=qy, z=qz, w=qw),
            ),
            covariance=np.zeros(36),
        ),
        twist=message_class("geometry_msgs/msg/TwistWithCovariance")(
            twist=message_class("geometry_msgs/msg/Twist")(
                linear=vector(x=0.0, y=0.0, z=0.0), angular=vector(x=0.0, y=0.0, z=0.0)
            ),
            covariance=np.zeros(36),
        ),
    )


def arc_poses(
    duration_s: float, rate_hz: float, speed_mps: float = 8.0, turn_rate_radps: float = 0.1
) -> Iterator[tuple[int, tuple[float, float, float], float]]:
    """Yield (stamp in ns, position in m, yaw in rad) along a circle, driven at constant speed."""
    for index in range(int(duration_s * rate_hz) + 1):
        time_s = index / rate_hz
        yaw = turn_rate_radps * time_s
        radius = speed_mps / turn_rate_radps
        yield START_NS + round(time_s * 1e9), (radius * math.sin(yaw), radius * (1.0 - math.cos(yaw)), 0.0), yaw


@pytest.fixture
def make_odometry_bag(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a bag of odometry along an arc (or of given messages)."""

    def make(
        name: str = "drive",
        messages: Iterable[Any] | None = None,
        *,
        duration_s: float = 6.0,
        rate_hz: float = 20.0,
        topic: str = "/odometry",
        receive_by_order: bool = False,
    ) -> Path:
        path = tmp_path / name
        if messages is None:
            messages = [odometry_message(*pose) for pose in arc_poses(duration_s, rate_hz)]
        with BagWriter(path, identity=None) as writer:
            writer.add_topic(topic, "nav_msgs/msg/Odometry")
            receive_ns = 0
            for message in messages:
                # Received in the given order, even where stamps are not.
                stamp_ns = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
                receive_ns = receive_ns + 10**6 if receive_by_order else max(stamp_ns, receive_ns + 1)
                writer.write(
                    topic, serialize(message, "nav_msgs/msg/Odometry"), receive_ns=receive_ns, publish_ns=receive_ns
                )
        return path

    return make


@pytest.fixture(scope="session")
def tiny_model() -> Any:
    """Return the module ``test/tiny_model.py``: it writes a split model of the real interface."""
    pytest.importorskip("onnx", reason="onnx is not installed")
    spec = importlib.util.spec_from_file_location("tiny_model", Path(__file__).with_name("tiny_model.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make_odometry() -> Callable[..., Any]:
    """Return the function that builds odometry messages."""
    return odometry_message


@pytest.fixture
def drive_poses() -> Callable[..., Any]:
    """Return the function that yields poses along an arc."""
    return arc_poses
