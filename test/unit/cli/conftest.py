"""The installed program, and small bags with a camera."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from alpamayo_ros.messages.typestore import message_class, serialize
from alpamayo_ros.storage.writer import BagWriter

PROGRAM = Path(sys.executable).with_name("alpamayo")


@pytest.fixture
def program() -> Path:
    """Return the installed program."""
    return PROGRAM


@pytest.fixture
def alpamayo(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the installed program in a scratch folder."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(PROGRAM), *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def jpeg(width: int = 64, height: int = 36, shade: int = 128) -> bytes:
    """Return a small JPEG file."""
    return cv2.imencode(".jpg", np.full((height, width, 3), shade, dtype=np.uint8))[1].tobytes()


@pytest.fixture
def make_camera_bag(tmp_path: Path, make_odometry: Any, drive_poses: Any) -> Callable[..., Path]:
    """Return a function that writes odometry at 20 Hz and one camera at 10 Hz."""

    def make(
        name: str = "camera",
        *,
        picture: Callable[[int], Any] | None = None,
        picture_type: str = "sensor_msgs/msg/CompressedImage",
        info_size: tuple[int, int] | None = (64, 36),
        duration_s: float = 4.0,
    ) -> Path:
        topic = "/camera/front/image"
        with BagWriter(tmp_path / name, identity=None) as writer:
            writer.add_topic("/odometry", "nav_msgs/msg/Odometry")
            writer.add_topic(topic, picture_type)
            writer.add_topic("/camera/front/camera_info", "sensor_msgs/msg/CameraInfo")
            for index, pose in enumerate(drive_poses(duration_s, 20.0)):
                stamp_ns = pose[0]
                if index == 0 and info_size is not None:
                    info = serialize(camera_info(stamp_ns, *info_size), "sensor_msgs/msg/CameraInfo")
                    writer.write("/camera/front/camera_info", info, receive_ns=stamp_ns, publish_ns=stamp_ns)
                if not index % 2:
                    message = (picture or compressed)(stamp_ns)
                    payload = serialize(message, picture_type)
                    writer.write(topic, payload, receive_ns=stamp_ns, publish_ns=stamp_ns)
                payload = serialize(make_odometry(*pose), "nav_msgs/msg/Odometry")
                writer.write("/odometry", payload, receive_ns=stamp_ns, publish_ns=stamp_ns)
        return tmp_path / name

    return make


def header(stamp_ns: int) -> Any:
    """Return a header in the camera's optical frame."""
    stamp = message_class("builtin_interfaces/msg/Time")(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return message_class("std_msgs/msg/Header")(stamp=stamp, frame_id="front_optical")


def compressed(stamp_ns: int, data: bytes | None = None) -> Any:
    """Return a CompressedImage message."""
    pixels = np.frombuffer(jpeg() if data is None else data, dtype=np.uint8)
    return message_class("sensor_msgs/msg/CompressedImage")(header=header(stamp_ns), format="jpeg", data=pixels)


def raw(stamp_ns: int, height: int, width: int, step: int, data_bytes: int) -> Any:
    """Return an Image message whose header may lie."""
    return message_class("sensor_msgs/msg/Image")(
        header=header(stamp_ns),
        height=height,
        width=width,
        encoding="rgb8",
        is_bigendian=0,
        step=step,
        data=np.zeros(data_bytes, dtype=np.uint8),
    )


def camera_info(stamp_ns: int, width: int, height: int) -> Any:
    """Return a CameraInfo message of a pinhole camera."""
    roi = message_class("sensor_msgs/msg/RegionOfInterest")(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    return message_class("sensor_msgs/msg/CameraInfo")(
        header=header(stamp_ns),
        height=height,
        width=width,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=np.array([50.0, 0, width / 2, 0, 50.0, height / 2, 0, 0, 1.0]),
        r=np.eye(3).reshape(-1),
        p=np.zeros(12),
        binning_x=0,
        binning_y=0,
        roi=roi,
    )


@pytest.fixture
def camera_messages() -> Any:
    """Return the functions that build camera messages."""

    class Messages:
        compressed = staticmethod(compressed)
        raw = staticmethod(raw)
        jpeg = staticmethod(jpeg)

    return Messages
