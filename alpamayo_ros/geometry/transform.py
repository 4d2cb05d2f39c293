"""Rigid transforms as Pose structs: ``a_from_b`` takes coordinates in frame b to coordinates in frame a."""

import math

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry.rotation import normalize, to_matrix
from alpamayo_ros.structs.pose import OdometrySample, Pose

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


def compose_poses(a_from_b: Pose, b_from_c: Pose) -> Pose:
    """Return ``a_from_c``. Both quaternions must be of unit length; so is the result, to rounding."""
    x, y, z = _rotated(a_from_b.quaternion, b_from_c.position)
    ax, ay, az = a_from_b.position
    return Pose((ax + x, ay + y, az + z), _product(a_from_b.quaternion, b_from_c.quaternion))


def invert_pose(a_from_b: Pose) -> Pose:
    """Return ``b_from_a``."""
    x, y, z, w = a_from_b.quaternion
    inverse = (-x, -y, -z, w)
    px, py, pz = _rotated(inverse, a_from_b.position)
    return Pose((-px, -py, -pz), inverse)


def normalize_pose(pose: Pose) -> Pose:
    """Return the pose with a quaternion of unit length.

    Raises:
        ValueError: A number is not finite, or the quaternion is too short to say which way it points.
    """
    norm = math.hypot(*pose.quaternion)
    if not (1e-6 < norm < math.inf and all(map(math.isfinite, pose.position))):
        raise ValueError(f"{pose} is no pose; expected finite numbers and a quaternion of unit length")
    x, y, z, w = pose.quaternion
    return Pose(pose.position, (x / norm, y / norm, z / norm, w / norm))


def pose_matrix(a_from_b: Pose) -> NDArray[np.float64]:
    """Return the homogeneous matrix, float64 (4, 4), of a pose; its quaternion need not be of unit length."""
    matrix = np.eye(4)
    matrix[:3, :3] = to_matrix(normalize(np.array(a_from_b.quaternion)))
    matrix[:3, 3] = a_from_b.position
    return matrix


def transform_points(a_from_b: Pose, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move points, float64 (..., 3) in m, from frame b to frame a."""
    matrix = pose_matrix(a_from_b)
    moved: NDArray[np.float64] = points_m @ matrix[:3, :3].T + matrix[:3, 3]
    return moved


def move_odometry(odom_from_child: OdometrySample, child_from_rig: Pose) -> OdometrySample:
    """Return the pose of the rig where the odometry is of another frame that is fixed to the vehicle.

    The length of the sample's quaternion is kept, so that a bad one is still seen as bad afterwards.

    Args:
        odom_from_child: Pose of the child frame in the odometry frame; may hold anything that a sensor can send.
        child_from_rig: Pose of the rig in the child frame, with a quaternion of unit length.
    """
    stamp_ns, x, y, z, qx, qy, qz, qw = odom_from_child
    norm = math.hypot(qx, qy, qz, qw)
    # Without a direction there is nothing to rotate by; the zero length shows in the result's quaternion.
    unit = (qx / norm, qy / norm, qz / norm, qw / norm) if norm > 0.0 else (0.0, 0.0, 0.0, 1.0)
    dx, dy, dz = _rotated(unit, child_from_rig.position)
    turned = _product((qx, qy, qz, qw), child_from_rig.quaternion)
    return OdometrySample(stamp_ns, x + dx, y + dy, z + dz, *turned)


def _rotated(quaternion: Quaternion, vector: Vector) -> Vector:
    """Rotate by a unit quaternion: v + 2 w (u x v) + 2 u x (u x v); plain floats, for use at 1000 Hz."""
    x, y, z, w = quaternion
    vx, vy, vz = vector
    tx, ty, tz = 2.0 * (y * vz - z * vy), 2.0 * (z * vx - x * vz), 2.0 * (x * vy - y * vx)
    return (
        vx + w * tx + y * tz - z * ty,
        vy + w * ty + z * tx - x * tz,
        vz + w * tz + x * ty - y * tx,
    )


def _product(left: Quaternion, right: Quaternion) -> Quaternion:
    ax, ay, az, aw = left
    bx, by, bz, bw = right
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )
