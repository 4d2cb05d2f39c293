"""Build the serialized messages that only a simulated world can fill: odometry with a true twist."""

from typing import Any

import numpy as np

from alpamayo_ros.importers.payloads import ODOMETRY
from alpamayo_ros.messages.translator import RIG_FRAME
from alpamayo_ros.messages.typestore import message_class, serialize
from alpamayo_ros.world.drive import EgoState

_NS_PER_S = 1_000_000_000


def odometry(stamp_ns: int, frame_id: str, state: EgoState) -> bytes:
    """Return the pose of the rig and its velocity in the rig frame; covariances are zero, as both are exact."""
    seconds, nanoseconds = divmod(stamp_ns, _NS_PER_S)
    time = message_class("builtin_interfaces/msg/Time")(sec=seconds, nanosec=nanoseconds)
    x, y, z, w = state.quaternion
    pose = message_class("geometry_msgs/msg/Pose")(
        position=_triple("geometry_msgs/msg/Point", state.position),
        orientation=message_class("geometry_msgs/msg/Quaternion")(x=x, y=y, z=z, w=w),
    )
    twist = message_class("geometry_msgs/msg/Twist")(
        linear=_triple("geometry_msgs/msg/Vector3", state.linear_velocity),
        angular=_triple("geometry_msgs/msg/Vector3", state.angular_velocity),
    )
    message = message_class(ODOMETRY)(
        header=message_class("std_msgs/msg/Header")(stamp=time, frame_id=frame_id),
        child_frame_id=RIG_FRAME,
        pose=message_class("geometry_msgs/msg/PoseWithCovariance")(pose=pose, covariance=np.zeros(36)),
        twist=message_class("geometry_msgs/msg/TwistWithCovariance")(twist=twist, covariance=np.zeros(36)),
    )
    return serialize(message, ODOMETRY)


def _triple(type_name: str, values: tuple[float, float, float]) -> Any:
    return message_class(type_name)(x=values[0], y=values[1], z=values[2])
