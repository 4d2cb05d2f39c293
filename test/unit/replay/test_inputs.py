"""What a bag says about the rig: transforms, cameras, and the frame of its odometry."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import BagCorruptError, TopicError
from alpamayo_ros.geometry.transform import invert_pose
from alpamayo_ros.messages.typestore import message_class, serialize
from alpamayo_ros.replay.inputs import OdometryReader, decode, read_rig
from alpamayo_ros.replay.run import set_up_replay
from alpamayo_ros.replay.topic_map import TopicMap
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.pose import OdometryFrame, Pose

ODOMETRY = "nav_msgs/msg/Odometry"
TF = "tf2_msgs/msg/TFMessage"
HALF = math.sqrt(0.5)
IMU_IN_RIG = Pose((1.0, 0.0, 0.5), (0.0, 0.0, HALF, HALF))
IMU = OdometryFrame("imu", invert_pose(IMU_IN_RIG))


def message(payload: bytes, type_name: str = ODOMETRY) -> BagMessage:
    return BagMessage("/odometry", type_name, 5, 5, payload)


def odometry(make_odometry: Callable[..., Any], child: str, position: tuple[float, float, float]) -> BagMessage:
    return message(serialize(make_odometry(10**9, position, child_frame=child), ODOMETRY))


def test_odometry_of_the_rig_is_taken_as_it_is(make_odometry: Callable[..., Any]) -> None:
    sample = OdometryReader(None).read(odometry(make_odometry, "base_link", (1.0, 2.0, 3.0)))
    assert (sample.x, sample.y, sample.z, sample.qw) == (1.0, 2.0, 3.0, 1.0)


def test_odometry_of_another_frame_is_moved_by_the_static_transform(make_odometry: Callable[..., Any]) -> None:
    reader = OdometryReader(IMU)
    sample = reader.read(odometry(make_odometry, "imu", (10.0, 0.0, 0.0)))
    # The imu looks along +x of odom; the rig is turned by -90 degrees and lies 1 m behind it along its own x.
    assert (sample.x, sample.y, sample.z) == pytest.approx((10.0, 1.0, -0.5))
    assert (sample.qx, sample.qy, sample.qz, sample.qw) == pytest.approx((0.0, 0.0, -HALF, HALF))


def test_a_frame_that_changes_is_refused(make_odometry: Callable[..., Any]) -> None:
    reader = OdometryReader(IMU)
    reader.read(odometry(make_odometry, "base_link", (0.0, 0.0, 0.0)))
    with pytest.raises(TopicError, match="changes its child_frame_id from 'base_link' to 'imu'"):
        reader.read(odometry(make_odometry, "imu", (0.0, 0.0, 0.0)))


def test_a_frame_without_a_name_is_refused(make_odometry: Callable[..., Any]) -> None:
    with pytest.raises(TopicError, match="child_frame_id ''"):
        OdometryReader(None).read(odometry(make_odometry, "", (0.0, 0.0, 0.0)))


def test_a_payload_that_is_cut_short_is_a_corrupt_bag() -> None:
    with pytest.raises(BagCorruptError, match="message on /odometry received at 5 ns cannot be read"):
        decode(message(b"\0\1\0\0\1\2\3"))


def tf_bag(path: Path, make_odometry: Callable[..., Any], tf_type: str, child: str) -> Path:
    time, header = message_class("builtin_interfaces/msg/Time"), message_class("std_msgs/msg/Header")
    transform = message_class("geometry_msgs/msg/TransformStamped")(
        header=header(stamp=time(sec=0, nanosec=0), frame_id="base_link"),
        child_frame_id="imu",
        transform=message_class("geometry_msgs/msg/Transform")(
            translation=message_class("geometry_msgs/msg/Vector3")(x=1.0, y=0.0, z=0.5),
            rotation=message_class("geometry_msgs/msg/Quaternion")(x=0.0, y=0.0, z=HALF, w=HALF),
        ),
    )
    static = (
        message_class(TF)(transforms=[transform])
        if tf_type == TF
        else message_class("std_msgs/msg/String")(data="not a transform")
    )
    with BagWriter(path, identity=None) as writer:
        writer.add_topic("/tf_static", tf_type)
        writer.add_topic("/odometry", ODOMETRY)
        writer.write("/tf_static", serialize(static, tf_type), receive_ns=1, publish_ns=1)
        for index in range(3):
            payload = serialize(make_odometry(10**9 + index, (float(index), 0.0, 0.0), child_frame=child), ODOMETRY)
            writer.write("/odometry", payload, receive_ns=10 + index, publish_ns=10 + index)
    return path


def test_a_transform_that_moves_the_odometry_is_part_of_the_lineage(
    tmp_path: Path, make_odometry: Callable[..., Any]
) -> None:
    digests = {}
    for child in ("imu", "base_link"):
        with open_bag(tf_bag(tmp_path / child, make_odometry, TF, child)) as reader:
            lineage = set_up_replay(reader, profile_name="kinematic").lineage
        digests[child] = next(c for c in lineage.components if c.kind == "calibration")
    assert digests["base_link"].digest == "none"
    assert digests["imu"].digest.startswith("sha256:")
    assert "/tf_static" in digests["imu"].name


def test_a_topic_that_only_has_the_name_of_static_transforms_is_not_read(
    tmp_path: Path, make_odometry: Callable[..., Any]
) -> None:
    with open_bag(tf_bag(tmp_path / "bag", make_odometry, "std_msgs/msg/String", "base_link")) as reader:
        profile = set_up_replay(reader, profile_name="kinematic").profile
        assert read_rig(reader, TopicMap("/odometry"), profile, None).transforms == []
