"""The cameras of the world's vehicle: ideal pinholes with known places, for every camera of the model family."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ParameterError, expected_one_of
from alpamayo_ros.geometry.rotation import multiply, to_matrix
from alpamayo_ros.structs.camera import CameraIntrinsics
from alpamayo_ros.structs.pose import Pose

TRAINING_SIZE = (160, 96)
"""Width and height in px of what the small model takes."""
SHOWN_SIZE = (480, 288)
"""Width and height in px of pictures for people."""

RIG_FROM_FORWARD_OPTICAL = np.array([-0.5, 0.5, -0.5, 0.5])
"""Quaternion (xyzw) of a camera that looks straight ahead: its x, y, z axes are the rig's -y, -z, x axes."""


@dataclass(frozen=True, slots=True)
class PinholeCamera:
    """A camera without distortion.

    Attributes:
        id: Camera id.
        horizontal_fov_deg: Full horizontal angle of view.
        position: Optical centre in the rig frame, m.
        yaw_deg: Direction of the optical axis in the rig frame, left positive.
        pitch_deg: Tilt of the optical axis, down positive.
        width: px.
        height: px.
    """

    id: str
    horizontal_fov_deg: float
    position: tuple[float, float, float]
    yaw_deg: float
    pitch_deg: float
    width: int = TRAINING_SIZE[0]
    height: int = TRAINING_SIZE[1]

    @property
    def frame_id(self) -> str:
        """Name of the optical frame."""
        return f"{self.id}_optical"

    @property
    def focal_px(self) -> float:
        """Focal length in px, the same for both axes."""
        return self.width / 2.0 / math.tan(math.radians(self.horizontal_fov_deg) / 2.0)

    @property
    def centre_px(self) -> tuple[float, float]:
        """Principal point in px: the middle of the picture, where whole numbers are pixel centres."""
        return (self.width - 1) / 2.0, (self.height - 1) / 2.0

    @property
    def pose(self) -> Pose:
        """Pose of the optical frame in the rig frame: turned by yaw, then tilted by pitch."""
        yaw, pitch = math.radians(self.yaw_deg) / 2.0, math.radians(self.pitch_deg) / 2.0
        turn = np.array([0.0, 0.0, math.sin(yaw), math.cos(yaw)])
        tilt = np.array([0.0, math.sin(pitch), 0.0, math.cos(pitch)])
        x, y, z, w = multiply(multiply(turn, tilt), RIG_FROM_FORWARD_OPTICAL).tolist()
        return Pose(self.position, (x, y, z, w))

    @property
    def rig_from_optical(self) -> NDArray[np.float64]:
        """Rotation matrix of the same pose, shape (3, 3)."""
        return to_matrix(np.array(self.pose.quaternion))

    @property
    def intrinsics(self) -> CameraIntrinsics:
        """The same pinhole as CameraInfo states it."""
        focal, (column, row) = self.focal_px, self.centre_px
        return CameraIntrinsics(
            self.width,
            self.height,
            (focal, 0.0, column, 0.0, focal, row, 0.0, 0.0, 1.0),
            "plumb_bob",
            (0.0, 0.0, 0.0, 0.0, 0.0),
        )


RING = (
    PinholeCamera("camera_cross_left_120fov", 120.0, (2.05, 0.92, 1.15), 55.0, 2.0),
    PinholeCamera("camera_front_wide_120fov", 120.0, (1.80, 0.00, 1.48), 0.0, 3.0),
    PinholeCamera("camera_cross_right_120fov", 120.0, (2.05, -0.92, 1.15), -55.0, 2.0),
    PinholeCamera("camera_rear_left_70fov", 70.0, (1.95, 0.95, 1.00), 152.0, 2.0),
    PinholeCamera("camera_rear_tele_30fov", 30.0, (-0.40, 0.00, 1.46), 180.0, 0.5),
    PinholeCamera("camera_rear_right_70fov", 70.0, (1.95, -0.95, 1.00), -152.0, 2.0),
    PinholeCamera("camera_front_tele_30fov", 30.0, (1.82, 0.06, 1.48), 0.0, 0.5),
)
"""Every camera of the model family in the family's order; places are those of a usual passenger car."""
FRONT_FOUR = tuple(RING[index].id for index in (0, 1, 2, 6))
"""The set and order that four-camera driving models take."""


def camera(camera_id: str, width: int = TRAINING_SIZE[0], height: int = TRAINING_SIZE[1]) -> PinholeCamera:
    """Return a camera of the vehicle with a picture of some size.

    Args:
        camera_id: One of the family's camera ids.
        width: px, at least 8.
        height: px, at least 8.

    Raises:
        ParameterError: The id is unknown or the size is too small.
    """
    if min(width, height) < 8:
        raise ParameterError(f"picture of {width} x {height} px is too small; expected: at least 8 x 8 px")
    for one in RING:
        if one.id == camera_id:
            return dataclasses.replace(one, width=width, height=height)
    raise ParameterError(expected_one_of("camera", camera_id, [one.id for one in RING]))
