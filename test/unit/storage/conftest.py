"""Bags to read, and a disk that fills up."""

import errno
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import Writer
from rosbags.rosbag2.enums import StoragePlugin

from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.messages.typestore import message_class, serialize, typestore
from alpamayo_ros.storage.filesystem import LocalFileSystem
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS, SENSOR_QOS, QosProfile
from alpamayo_ros.storage.writer import BagWriter

TYPES = {
    "/odom": "nav_msgs/msg/Odometry",
    "/imu": "sensor_msgs/msg/Imu",
    "/clock": "rosgraph_msgs/msg/Clock",
    "/tf_static": "tf2_msgs/msg/TFMessage",
    "/camera": "sensor_msgs/msg/CompressedImage",
}

Row = tuple[str, int, bytes]


@pytest.fixture
def types() -> dict[str, str]:
    """Topics that the bags of these tests have, with their types."""
    return dict(TYPES)


@pytest.fixture
def identity() -> BagIdentity:
    """An identity whose lineage id is the digest of its manifest."""
    manifest = '{"kind":"test"}'
    lineage_id = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    return BagIdentity(lineage_id, "none", manifest, {"scenario": "007", "night": "no", "at": "22:30", "empty": ""})


@pytest.fixture
def make_bag(tmp_path: Path) -> Callable[..., Path]:
    """Write rows of (topic, receive time, payload) with our writer."""

    def make(name: str, rows: Iterable[Row], **options: Any) -> Path:
        path = tmp_path / name
        with BagWriter(path, identity=options.pop("identity", None), **options) as writer:
            for topic, type_name in TYPES.items():
                writer.add_topic(topic, type_name)
            for topic, receive_ns, payload in rows:
                writer.write(topic, payload, receive_ns=receive_ns, publish_ns=max(0, receive_ns - 5))
        return path

    return make


@pytest.fixture
def make_foreign_bag(tmp_path: Path) -> Callable[..., Path]:
    """Write rows of (topic, receive time, payload) with the writer of rosbags."""

    def make(name: str, rows: Iterable[Row], plugin: str = "SQLITE3", custom: dict[str, str] | None = None) -> Path:
        path = tmp_path / name
        forever = QosTime(9223372036, 854775807)
        qos = Qos(
            QosHistory.KEEP_LAST,
            7,
            QosReliability.BEST_EFFORT,
            QosDurability.VOLATILE,
            forever,
            forever,
            QosLiveliness.AUTOMATIC,
            forever,
            avoid_ros_namespace_conventions=False,
        )
        with Writer(path, version=9, storage_plugin=StoragePlugin[plugin]) as writer:
            for key, value in (custom or {}).items():
                writer.set_custom_data(key, value)
            connections = {
                topic: writer.add_connection(topic, type_name, typestore=typestore(), offered_qos_profiles=[qos])
                for topic, type_name in TYPES.items()
            }
            for topic, receive_ns, payload in rows:
                writer.write(connections[topic], receive_ns, payload)
        return path

    return make


class FullDisk(LocalFileSystem):
    """A disk that takes ``room`` bytes in all; what is cut off or deleted is free again."""

    def __init__(self, room: int, number: int = errno.ENOSPC) -> None:
        self.room = room
        self.number = number

    def create(self, path: Path) -> Any:
        return _LimitedFile(super().create(path), self, path)

    def remove(self, path: Path) -> None:
        self.release(path.stat().st_size if path.exists() else 0)
        super().remove(path)

    def release(self, size: int) -> None:
        self.room += size


class _LimitedFile:
    def __init__(self, file: Any, disk: FullDisk, path: Path) -> None:
        self._file, self._disk, self._path = file, disk, path

    def write(self, data: Any) -> None:
        fitting = bytes(data)[: max(0, self._disk.room)]
        self._file.write(fitting)
        self._disk.room -= len(fitting) if len(fitting) == len(data) else self._disk.room
        if len(fitting) < len(data):
            raise OSError(self._disk.number, "No space left on device")

    def truncate(self, size: int) -> None:
        before = self._path.stat().st_size
        self._file.truncate(size)
        self._disk.release(before - size)

    def sync(self) -> None:
        self._file.sync()

    def close(self) -> None:
        self._file.close()


@pytest.fixture
def full_disk() -> type[FullDisk]:
    """The class of a disk that fills up."""
    return FullDisk


LINEAGE_TOPIC = "/alpamayo/output/lineage"
DRIVE_START_NS = 1_700_000_000_000_000_000


def drive_topics() -> dict[str, tuple[str, QosProfile]]:
    """Topics of ``make_drive`` with types and QoS; /map has a type that nobody knows and is latched by its QoS."""
    return {
        "/odom": ("nav_msgs/msg/Odometry", SENSOR_QOS),
        "/tf_static": ("tf2_msgs/msg/TFMessage", OUTPUT_QOS),
        "/robot_description": ("std_msgs/msg/String", OUTPUT_QOS),
        "/map": ("robot_msgs/msg/Map", LATCHED_QOS),
        "/rosout": ("rcl_interfaces/msg/Log", LATCHED_QOS),
        LINEAGE_TOPIC: (output_topic("lineage").type_name, LATCHED_QOS),
    }


def lineage_message(identity: BagIdentity) -> bytes:
    type_name = output_topic("lineage").type_name
    stamp = message_class("builtin_interfaces/msg/Time")(sec=0, nanosec=0)
    message = message_class(type_name)(
        stamp=stamp,
        lineage_id=identity.lineage_id,
        envelope_id=identity.envelope_id,
        components=[],
        manifest=identity.manifest,
    )
    return serialize(message, type_name)


def transform_message(child: str, stamp_s: int = 0) -> bytes:
    stamp = message_class("builtin_interfaces/msg/Time")(sec=stamp_s, nanosec=0)
    header = message_class("std_msgs/msg/Header")(stamp=stamp, frame_id="base_link")
    vector, rotation = message_class("geometry_msgs/msg/Vector3"), message_class("geometry_msgs/msg/Quaternion")
    one = message_class("geometry_msgs/msg/TransformStamped")(
        header=header,
        child_frame_id=child,
        transform=message_class("geometry_msgs/msg/Transform")(vector(0.0, 0.0, 0.0), rotation(0.0, 0.0, 0.0, 1.0)),
    )
    return serialize(message_class("tf2_msgs/msg/TFMessage")(transforms=[one]), "tf2_msgs/msg/TFMessage")


@pytest.fixture
def make_drive(tmp_path: Path, identity: BagIdentity) -> Callable[..., Path]:
    """Write five seconds of a drive: 10 Hz odometry, latched topics, and the lineage once a second."""

    def make(name: str = "drive", **options: Any) -> Path:
        written_as = options.pop("identity", identity)
        rows = [(number * 100, "/odom", b"odom %d" % number) for number in range(50)]
        rows += [(number * 1000, LINEAGE_TOPIC, lineage_message(identity)) for number in range(5)]
        rows += [(0, "/tf_static", transform_message("front")), (50, "/tf_static", transform_message("rear"))]
        rows += [(2050, "/tf_static", transform_message("front", 2))]
        rows += [(0, "/robot_description", b"old"), (3000, "/robot_description", b"new")]
        rows += [(10, "/map", b"map"), (20, "/rosout", b"hello"), (2020, "/rosout", b"world")]
        with BagWriter(tmp_path / name, identity=written_as, **options) as writer:
            for topic, (type_name, qos) in drive_topics().items():
                known = {} if topic != "/map" else {"definition": "uint8 x\n", "type_hash": "RIHS01_" + "7" * 64}
                writer.add_topic(topic, type_name, qos=qos, **known)
            for offset_ms, topic, payload in sorted(rows, key=lambda row: row[0]):
                stamp_ns = DRIVE_START_NS + offset_ms * 1_000_000
                writer.write(topic, payload, receive_ns=stamp_ns, publish_ns=stamp_ns - 7)
        return tmp_path / name

    return make
