"""Build the serialized messages of an imported bag; what a source does not give stays at the message's "unknown"."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from alpamayo_ros.messages.translator import RIG_FRAME
from alpamayo_ros.messages.typestore import message_class, serialize
from alpamayo_ros.structs.camera import CameraIntrinsics
from alpamayo_ros.structs.pose import Pose

IMAGE = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
ODOMETRY = "nav_msgs/msg/Odometry"
FIX = "sensor_msgs/msg/NavSatFix"
MARKERS = "visualization_msgs/msg/MarkerArray"
TRANSFORMS = "tf2_msgs/msg/TFMessage"

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Actor:
    """One labelled box in the frame of its message.

    Attributes:
        id: Small number of the actor, the same in every message.
        uuid: The source's own name of it.
        label: Kind of actor.
        pose: Of the middle of the box; x along its length.
        size_m: Length, width, height.
        rgba: Colour that it is shown in, 0 to 1.
    """

    id: int
    uuid: str
    label: str
    pose: Pose
    size_m: tuple[float, float, float]
    rgba: tuple[float, float, float, float] = (1.0, 0.6, 0.0, 0.5)


def compressed_image(stamp_ns: int, frame_id: str, jpeg: bytes) -> bytes:
    """Return a picture whose bytes are passed through."""
    data = np.frombuffer(jpeg, dtype=np.uint8)
    return serialize(message_class(IMAGE)(header=header(stamp_ns, frame_id), format="jpeg", data=data), IMAGE)


def camera_info(stamp_ns: int, frame_id: str, lens: CameraIntrinsics) -> bytes:
    """Return the intrinsics of a monocular camera; without distortion its projection matrix is k."""
    k = lens.k
    message = message_class(CAMERA_INFO)(
        header=header(stamp_ns, frame_id),
        height=lens.height,
        width=lens.width,
        distortion_model=lens.distortion_model,
        d=np.array(lens.d, dtype=np.float64),
        k=np.array(k, dtype=np.float64),
        r=np.eye(3).reshape(9),
        p=np.array([*k[0:3], 0.0, *k[3:6], 0.0, *k[6:9], 0.0], dtype=np.float64),
        binning_x=0,
        binning_y=0,
        roi=message_class("sensor_msgs/msg/RegionOfInterest")(
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        ),
    )
    return serialize(message, CAMERA_INFO)


def odometry(stamp_ns: int, frame_id: str, pose: Pose, velocity_mps: tuple[float, float, float] | None = None) -> bytes:
    """Return a pose of the rig; -1 on the diagonal of the twist's covariance says which part of it there is not.

    Covariances of what there is are unknown, which zeros say.

    Args:
        stamp_ns: Time of the pose.
        frame_id: Frame that the pose is in.
        pose: Of the rig.
        velocity_mps: Along the rig's own axes, None when the source has none; there is never a turn rate.
    """
    zero = message_class("geometry_msgs/msg/Vector3")(x=0.0, y=0.0, z=0.0)
    linear = zero if velocity_mps is None else vector("geometry_msgs/msg/Vector3", velocity_mps)
    absent = np.array([-1.0 if velocity_mps is None else 0.0] * 3 + [-1.0] * 3)
    message = message_class(ODOMETRY)(
        header=header(stamp_ns, frame_id),
        child_frame_id=RIG_FRAME,
        pose=message_class("geometry_msgs/msg/PoseWithCovariance")(pose=_pose(pose), covariance=np.zeros(36)),
        twist=message_class("geometry_msgs/msg/TwistWithCovariance")(
            twist=message_class("geometry_msgs/msg/Twist")(linear=linear, angular=zero),
            covariance=np.diag(absent).reshape(36),
        ),
    )
    return serialize(message, ODOMETRY)


def nav_sat_fix(stamp_ns: int, frame_id: str, latitude_deg: float, longitude_deg: float) -> bytes:
    """Return a position without altitude (NaN), of unknown status and unknown covariance."""
    status = message_class("sensor_msgs/msg/NavSatStatus")
    message = message_class(FIX)(
        header=header(stamp_ns, frame_id),
        status=status(status=status.STATUS_UNKNOWN, service=status.SERVICE_UNKNOWN),
        latitude=latitude_deg,
        longitude=longitude_deg,
        altitude=float("nan"),
        position_covariance=np.zeros(9),
        position_covariance_type=message_class(FIX).COVARIANCE_TYPE_UNKNOWN,
    )
    return serialize(message, FIX)


def marker_array(stamp_ns: int, frame_id: str, actors: Iterable[Actor], lifetime_ns: int) -> bytes:
    """Return one cube for each actor: namespace is the label, text the source's own name."""
    markers = [_cube(stamp_ns, frame_id, actor, lifetime_ns) for actor in actors]
    return serialize(message_class(MARKERS)(markers=markers), MARKERS)


def static_transforms(stamp_ns: int, parent: str, children: Mapping[str, Pose]) -> bytes:
    """Return the poses of child frames in one parent frame."""
    stamped = message_class("geometry_msgs/msg/TransformStamped")
    transform = message_class("geometry_msgs/msg/Transform")
    message = message_class(TRANSFORMS)(
        transforms=[
            stamped(
                header=header(stamp_ns, parent),
                child_frame_id=child,
                transform=transform(
                    translation=vector("geometry_msgs/msg/Vector3", pose.position), rotation=_quaternion(pose)
                ),
            )
            for child, pose in children.items()
        ]
    )
    return serialize(message, TRANSFORMS)


def header(stamp_ns: int, frame_id: str) -> Any:
    """Return a ``std_msgs/msg/Header``."""
    seconds, nanoseconds = divmod(stamp_ns, _NS_PER_S)
    time = message_class("builtin_interfaces/msg/Time")(sec=seconds, nanosec=nanoseconds)
    return message_class("std_msgs/msg/Header")(stamp=time, frame_id=frame_id)


def vector(type_name: str, values: tuple[float, float, float]) -> Any:
    """Return a message with x, y and z, such as ``geometry_msgs/msg/Vector3``."""
    return message_class(type_name)(x=values[0], y=values[1], z=values[2])


def _quaternion(pose: Pose) -> Any:
    x, y, z, w = pose.quaternion
    return message_class("geometry_msgs/msg/Quaternion")(x=x, y=y, z=z, w=w)


def _pose(pose: Pose) -> Any:
    position = vector("geometry_msgs/msg/Point", pose.position)
    return message_class("geometry_msgs/msg/Pose")(position=position, orientation=_quaternion(pose))


def _cube(stamp_ns: int, frame_id: str, actor: Actor, lifetime_ns: int) -> Any:
    seconds, nanoseconds = divmod(lifetime_ns, _NS_PER_S)
    marker = message_class("visualization_msgs/msg/Marker")
    return marker(
        header=header(stamp_ns, frame_id),
        ns=actor.label,
        id=actor.id,
        type=marker.CUBE,
        action=marker.ADD,
        pose=_pose(actor.pose),
        scale=vector("geometry_msgs/msg/Vector3", actor.size_m),
        color=_colour(actor.rgba),
        lifetime=message_class("builtin_interfaces/msg/Duration")(sec=seconds, nanosec=nanoseconds),
        frame_locked=False,
        points=[],
        colors=[],
        texture_resource="",
        texture=_no_texture(),
        uv_coordinates=[],
        text=actor.uuid,
        mesh_resource="",
        mesh_file=_no_mesh(),
        mesh_use_embedded_materials=False,
    )


@lru_cache(maxsize=64)
def _colour(rgba: tuple[float, float, float, float]) -> Any:
    red, green, blue, opacity = rgba
    return message_class("std_msgs/msg/ColorRGBA")(r=red, g=green, b=blue, a=opacity)


@lru_cache(maxsize=1)
def _no_texture() -> Any:
    return message_class(IMAGE)(header=header(0, ""), format="", data=np.zeros(0, dtype=np.uint8))


@lru_cache(maxsize=1)
def _no_mesh() -> Any:
    return message_class("visualization_msgs/msg/MeshFile")(filename="", data=np.zeros(0, dtype=np.uint8))
