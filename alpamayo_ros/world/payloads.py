"""Build the serialized messages that only a simulated world can fill, such as odometry with a true twist."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from alpamayo_ros.importers.payloads import ODOMETRY
from alpamayo_ros.importers.payloads import header as stamped
from alpamayo_ros.messages.bag_translator import BAG
from alpamayo_ros.messages.translator import RIG_FRAME
from alpamayo_ros.messages.typestore import message_class, serialize
from alpamayo_ros.structs.navigation import Navigation
from alpamayo_ros.structs.rationale import Rationale
from alpamayo_ros.world.snapshot import EgoState

PATH = "nav_msgs/msg/Path"
NAVIGATION = "alpamayo_ros/msg/NavigationCommand"
RATIONALE = "alpamayo_ros/msg/Rationale"


def odometry(stamp_ns: int, frame_id: str, state: EgoState) -> bytes:
    """Return the pose of the rig and its velocity in the rig frame; covariances are zero, as both are exact."""
    pose = _pose(state)
    twist = message_class("geometry_msgs/msg/Twist")(
        linear=_triple("geometry_msgs/msg/Vector3", state.linear_velocity),
        angular=_triple("geometry_msgs/msg/Vector3", state.angular_velocity),
    )
    message = message_class(ODOMETRY)(
        header=stamped(stamp_ns, frame_id),
        child_frame_id=RIG_FRAME,
        pose=message_class("geometry_msgs/msg/PoseWithCovariance")(pose=pose, covariance=np.zeros(36)),
        twist=message_class("geometry_msgs/msg/TwistWithCovariance")(twist=twist, covariance=np.zeros(36)),
    )
    return serialize(message, ODOMETRY)


def path(frame_id: str, poses: Sequence[tuple[int, EgoState]]) -> bytes:
    """Return where the rig was, stamped with the first of the times; there is at least one."""
    posed = message_class("geometry_msgs/msg/PoseStamped")
    message = message_class(PATH)(
        header=stamped(poses[0][0], frame_id),
        poses=[posed(header=stamped(stamp_ns, frame_id), pose=_pose(state)) for stamp_ns, state in poses],
    )
    return serialize(message, PATH)


def navigation_command(stamp_ns: int, navigation: Navigation) -> bytes:
    """Return where the driver is told to go from a time on."""
    message = message_class(NAVIGATION)(header=stamped(stamp_ns, RIG_FRAME), navigation=int(navigation))
    return serialize(message, NAVIGATION)


def rationale(struct: Rationale) -> bytes:
    """Return a rationale."""
    return serialize(BAG.rationale(struct), RATIONALE)


def _pose(state: EgoState) -> Any:
    x, y, z, w = state.quaternion
    return message_class("geometry_msgs/msg/Pose")(
        position=_triple("geometry_msgs/msg/Point", state.position),
        orientation=message_class("geometry_msgs/msg/Quaternion")(x=x, y=y, z=z, w=w),
    )


def _triple(type_name: str, values: tuple[float, float, float]) -> Any:
    return message_class(type_name)(x=values[0], y=values[1], z=values[2])
