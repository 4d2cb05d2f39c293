"""Build the serialized messages that only a car's own sensors fill: inertial unit, wheels, steering, radar."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.importers.payloads import header, vector
from alpamayo_ros.messages.typestore import message_class, serialize

IMU = "sensor_msgs/msg/Imu"
TWIST = "geometry_msgs/msg/TwistWithCovarianceStamped"
JOINTS = "sensor_msgs/msg/JointState"
POINTS = "sensor_msgs/msg/PointCloud2"

Triple = tuple[float, float, float]

RADAR_POINT = np.dtype(
    [
        ("x", "<f4"),
        ("y", "<f4"),
        ("z", "<f4"),
        ("relative_speed", "<f4"),
        ("time", "<f4"),
        ("track", "<u2"),
        ("new_track", "u1"),
        ("padding", "u1"),
    ]
)
"""One radar track: m, m/s, and s against the cloud's stamp."""

_ABSENT = -1.0
"""On the diagonal of a covariance, or as its first number: there is no such value (sensor_msgs/Imu)."""


def imu(stamp_ns: int, frame_id: str, acceleration_mps2: Triple | None, turn_rate_radps: Triple | None) -> bytes:
    """Return one sample without orientation; a covariance of zeros is unknown, one that begins with -1 means absent.

    Args:
        stamp_ns: Time of the sample.
        frame_id: Frame whose axes the values are along.
        acceleration_mps2: Specific force: upwards while at rest. None when there is none at this time.
        turn_rate_radps: None when there is none at this time.
    """
    three = "geometry_msgs/msg/Vector3"
    message = message_class(IMU)(
        header=header(stamp_ns, frame_id),
        orientation=message_class("geometry_msgs/msg/Quaternion")(x=0.0, y=0.0, z=0.0, w=1.0),
        orientation_covariance=_covariance(known=False),
        angular_velocity=vector(three, turn_rate_radps or (0.0, 0.0, 0.0)),
        angular_velocity_covariance=_covariance(known=turn_rate_radps is not None),
        linear_acceleration=vector(three, acceleration_mps2 or (0.0, 0.0, 0.0)),
        linear_acceleration_covariance=_covariance(known=acceleration_mps2 is not None),
    )
    return serialize(message, IMU)


def forward_speed(stamp_ns: int, frame_id: str, speed_mps: float) -> bytes:
    """Return a speed along x; -1 on the covariance's diagonal says that the other five values are absent."""
    three = "geometry_msgs/msg/Vector3"
    message = message_class(TWIST)(
        header=header(stamp_ns, frame_id),
        twist=message_class("geometry_msgs/msg/TwistWithCovariance")(
            twist=message_class("geometry_msgs/msg/Twist")(
                linear=vector(three, (speed_mps, 0.0, 0.0)), angular=vector(three, (0.0, 0.0, 0.0))
            ),
            covariance=np.diag([0.0, *[_ABSENT] * 5]).reshape(36),
        ),
    )
    return serialize(message, TWIST)


def joint_angles(stamp_ns: int, angles_rad: Mapping[str, float]) -> bytes:
    """Return angles by joint name; a joint state without velocities has none."""
    return _joints(stamp_ns, tuple(angles_rad), position=np.array(list(angles_rad.values())))


def joint_velocities(stamp_ns: int, velocities: Mapping[str, float]) -> bytes:
    """Return velocities by joint name, rad/s or m/s as the joint turns or slides; there are no positions."""
    return _joints(stamp_ns, tuple(velocities), velocity=np.array(list(velocities.values())))


def radar_tracks(stamp_ns: int, frame_id: str, points: NDArray[Any]) -> bytes:
    """Return a cloud in no order.

    Args:
        stamp_ns: Time of the last point.
        frame_id: Of the radar: x forward, y left.
        points: Of type ``RADAR_POINT``, (N,).
    """
    message = message_class(POINTS)(
        header=header(stamp_ns, frame_id),
        height=1,
        width=len(points),
        fields=_point_fields(),
        is_bigendian=False,
        point_step=RADAR_POINT.itemsize,
        row_step=RADAR_POINT.itemsize * len(points),
        data=np.frombuffer(points.tobytes(), dtype=np.uint8),
        is_dense=True,
    )
    return serialize(message, POINTS)


def _covariance(*, known: bool) -> NDArray[np.float64]:
    covariance = np.zeros(9)
    covariance[0] = 0.0 if known else _ABSENT
    return covariance


def _joints(stamp_ns: int, names: tuple[str, ...], **values: NDArray[np.float64]) -> bytes:
    none = np.zeros(0)
    message = message_class(JOINTS)(
        header=header(stamp_ns, ""),
        name=list(names),
        position=values.get("position", none),
        velocity=values.get("velocity", none),
        effort=none,
    )
    return serialize(message, JOINTS)


@lru_cache(maxsize=1)
def _point_fields() -> list[Any]:
    field = message_class("sensor_msgs/msg/PointField")
    kinds = {"<f4": field.FLOAT32, "<u2": field.UINT16, "|u1": field.UINT8}
    fields: Mapping[str, Any] = RADAR_POINT.fields or {}
    return [
        field(name=name, offset=fields[name][1], datatype=kinds[fields[name][0].str], count=1)
        for name in RADAR_POINT.names or ()
        if name != "padding"
    ]
