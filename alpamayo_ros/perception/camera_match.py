"""Compare what is known about a camera with the camera that a profile was made for.

A model takes no calibration: it has learned each place of its input from one kind of camera in one direction. A wrong
camera there is silent, so field of view and yaw are compared wherever they are known. What is not known, or what a
profile does not ask for, is no mismatch.
"""

import math

from alpamayo_ros.errors import CalibrationError
from alpamayo_ros.geometry.camera import horizontal_fov_rad
from alpamayo_ros.geometry.transform import Vector, normalize_pose, pose_matrix
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import CameraSpec
from alpamayo_ros.perception.picture_file import PictureSize
from alpamayo_ros.structs.camera import CameraCalibration, CameraIntrinsics
from alpamayo_ros.structs.pose import Pose

_LEAST_HORIZONTAL = 0.1
"""An optical axis with a smaller horizontal part, within 6 degrees of vertical, has no yaw worth the name."""


class CameraMatch:
    """What is known about one camera, and whether it fits the profile."""

    def __init__(self, spec: CameraSpec, calibration: CameraCalibration | None, params: PerceptionParams) -> None:
        """Take the profile's camera and the calibration document's, if it has one."""
        self._spec = spec
        self._max_fov_error_deg = params.max_fov_error_deg
        self._max_yaw_error_deg = params.max_yaw_error_deg
        self._pose = calibration.rig_from_optical if calibration else None
        self._sources: dict[str, CameraIntrinsics] = {}
        if calibration and calibration.intrinsics:
            self._sources["calibration"] = calibration.intrinsics
        self._mismatch = self._find_mismatch()

    def set_camera_info(self, intrinsics: CameraIntrinsics) -> bool:
        """Take a CameraInfo, which replaces an earlier one; return whether it says something else."""
        if self._sources.get("CameraInfo") == intrinsics:
            return False
        self._sources["CameraInfo"] = intrinsics
        self._mismatch = self._find_mismatch()
        return True

    @property
    def sizes(self) -> tuple[tuple[str, PictureSize], ...]:
        """Size of the pictures that each source was calibrated with."""
        return tuple(
            (source, PictureSize(intrinsics.width, intrinsics.height))
            for source, intrinsics in self._sources.items()
            if intrinsics.width > 0 and intrinsics.height > 0
        )

    @property
    def mismatch(self) -> str | None:
        """How the camera differs from the profile, None if it does not as far as is known."""
        return self._mismatch

    def _find_mismatch(self) -> str | None:
        for source, intrinsics in self._sources.items():
            text = self._fov_mismatch(source, intrinsics)
            if text is not None:
                return text
        return self._yaw_mismatch(self._pose)

    def _fov_mismatch(self, source: str, intrinsics: CameraIntrinsics) -> str | None:
        expected_deg = self._spec.horizontal_fov_deg
        # A zero focal length is how sensor_msgs/CameraInfo says that a camera is not calibrated.
        if expected_deg is None or intrinsics.k[0] == 0.0:
            return None
        allowed = f"expected {expected_deg:.1f} deg within {self._max_fov_error_deg:.1f} deg"
        try:
            fov_deg = math.degrees(horizontal_fov_rad(intrinsics))
        except CalibrationError as error:
            return f"horizontal field of view is not known from {source} ({error}); {allowed}"
        if abs(fov_deg - expected_deg) <= self._max_fov_error_deg:
            return None
        return f"horizontal field of view is {fov_deg:.1f} deg by {source}; {allowed}"

    def _yaw_mismatch(self, pose: Pose | None) -> str | None:
        expected_deg = self._spec.yaw_deg
        if expected_deg is None or pose is None:
            return None
        allowed = f"expected {expected_deg:.1f} deg within {self._max_yaw_error_deg:.1f} deg"
        try:
            x, y, _ = _optical_axis(pose)
        except ValueError as error:
            return f"yaw is not known from calibration ({error}); {allowed}"
        if math.hypot(x, y) < _LEAST_HORIZONTAL:
            return f"optical axis is vertical by calibration and has no yaw; {allowed}"
        yaw_deg = math.degrees(math.atan2(y, x))
        error_deg = abs(math.remainder(yaw_deg - expected_deg, 360.0))
        if error_deg <= self._max_yaw_error_deg:
            return None
        return f"yaw of the optical axis is {yaw_deg:.1f} deg by calibration; {allowed}"


def _optical_axis(pose: Pose) -> Vector:
    """Return the camera's forward direction in the rig frame: the optical frame's z axis."""
    x, y, z = pose_matrix(normalize_pose(pose))[:3, 2].tolist()
    return x, y, z
