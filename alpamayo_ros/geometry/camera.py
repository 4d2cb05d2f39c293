"""Projection of points and ground strips into a camera picture, and its field of view.

Lens models are those of sensor_msgs/CameraInfo. A polynomial lens model is only meant for rays near the picture:
far outside of it the polynomial turns round and maps rays from the side, or nearly from behind, back into the
picture. Rays beyond that point, or further off than twice the picture's farthest corner, have no pixel here.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import CalibrationError, expected_one_of
from alpamayo_ros.geometry.transform import invert_pose, normalize_pose, transform_points
from alpamayo_ros.structs.camera import CameraCalibration, CameraIntrinsics
from alpamayo_ros.structs.pose import Pose

DISTORTION_MODELS = ("plumb_bob", "rational_polynomial", "equidistant")
"""Lens models of sensor_msgs/CameraInfo; an empty name means no distortion."""

_COEFFICIENT_COUNTS = {"": 0, "plumb_bob": 5, "rational_polynomial": 14, "equidistant": 4}
"""Most coefficients of each model; fewer, and trailing zeros, mean zeros."""

_MINIMUM_DEPTH_M = 0.01
"""Nothing closer to a lens than this can be seen."""

_REACH = 2.0
"""Rays are projected up to this many times the distance of the picture's farthest corner."""

_STRIP_RANGE_M = 300.0
"""A strip of 2 m is narrower than 7 px beyond this in a picture with a focal length of 1000 px."""


@dataclass(frozen=True, slots=True)
class _Lens:
    """Radial part of a lens model: ray coordinate s to distance from the principal point over focal length.

    s is the tangent of the angle to the optical axis, or the angle itself in rad for ``equidistant``; the distance is
    s * N(s^2) / D(s^2).
    """

    numerator: tuple[float, ...]
    denominator: tuple[float, ...]
    by_angle: bool

    def distance(self, ray: float) -> float:
        """Distance from the principal point over focal length of ray coordinate ``ray``."""
        square = ray * ray
        return ray * _polynomial(self.numerator, square) / _polynomial(self.denominator, square)

    def fold(self) -> float:
        """Ray coordinate where the distance stops growing, infinite if it never does.

        The derivative of s N(u) / D(u) with u = s^2 has the numerator N D + 2 u (N' D - N D').
        """
        n, d = np.polynomial.Polynomial(self.numerator), np.polynomial.Polynomial(self.denominator)
        slope = n * d + np.polynomial.Polynomial([0.0, 2.0]) * (n.deriv() * d - n * d.deriv())
        roots = [complex(root) for polynomial in (slope, d) for root in polynomial.trim().roots().tolist()]
        real = [root.real for root in roots if root.real > 0.0 and abs(root.imag) <= 1e-9 * (1.0 + root.real)]
        return math.sqrt(min(real, default=math.inf))

    def ray(self, distance: float) -> float:
        """Smallest ray coordinate with this distance, or that of the fold where no ray reaches it."""
        if not any(self.numerator[1:] + self.denominator[1:]):
            return distance
        limit = self.fold()
        high = min(limit, 1.0)
        while high < limit and high < 1e9 and self.distance(high) < distance:
            high = min(limit, 2.0 * high)
        if self.distance(high * (1.0 - 1e-12)) < distance:
            return high
        low = 0.0
        for _ in range(80):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.distance(middle) < distance else (low, middle)
        return high


def project_points(
    points_rig_m: NDArray[np.float64], camera: CameraCalibration
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Project points of the rig frame into a camera's picture.

    Args:
        points_rig_m: float64 (N, 3) in m; non-finite points are allowed and are not visible.
        camera: A camera with intrinsics and pose.

    Returns:
        Pixels as float64 (N, 2), column then row, with (0, 0) in the middle of the first pixel; NaN for points that
        are behind the camera or that its lens model does not reach. And bool (N,): which lie inside the picture.

    Raises:
        CalibrationError: The camera has no intrinsics or pose, or they are not usable.
    """
    intrinsics, pose = _calibrated(camera)
    points = np.asarray(points_rig_m, dtype=np.float64).reshape(-1, 3)
    lens = _lens(intrinsics)
    with np.errstate(invalid="ignore", over="ignore"):
        optical = transform_points(invert_pose(pose), points)
        usable: NDArray[np.bool_] = np.asarray(np.isfinite(optical).all(axis=1))
        usable[usable] = optical[usable, 2] > _MINIMUM_DEPTH_M
        across, depth = np.hypot(optical[usable, 0], optical[usable, 1]), optical[usable, 2]
        usable[usable] = (np.arctan2(across, depth) if lens.by_angle else across / depth) <= _reach(intrinsics, lens)
    pixels = np.full((len(points), 2), np.nan)
    if usable.any():
        pixels[usable] = _distort(optical[usable], intrinsics)
    columns, rows = pixels[:, 0], pixels[:, 1]
    # Comparisons with NaN are false, so points without a pixel are not visible.
    visible = (columns >= -0.5) & (columns < intrinsics.width - 0.5) & (rows >= -0.5) & (rows < intrinsics.height - 0.5)
    return pixels, visible


def project_ground_strip(
    path_xyz_m: NDArray[np.float64], width_m: float, camera: CameraCalibration, spacing_m: float = 0.25
) -> NDArray[np.float64]:
    """Project a strip along a path into a camera's picture, as quadrilaterals that can be filled.

    Args:
        path_xyz_m: float64 (N, 3), middle of the strip in the rig frame in m, in driving order.
        width_m: Width of the strip in m, at right angles to the path in the xy plane.
        camera: A camera with intrinsics and pose.
        spacing_m: Length of one quadrilateral in m; short ones follow the lens distortion.

    Returns:
        float64 (M, 4, 2) px, near left, far left, far right, near right; only those with a corner in the picture,
        and none for a path shorter than 5 cm.

    Raises:
        CalibrationError: The camera has no intrinsics or pose, or they are not usable.
    """
    middle = resample_path(path_xyz_m, spacing_m)
    if len(middle) < 2:
        _calibrated(camera)
        return np.zeros((0, 4, 2))
    along = np.gradient(middle[:, :2], axis=0)
    length = np.hypot(along[:, 0], along[:, 1])
    along /= np.where(length > 0.0, length, 1.0)[:, np.newaxis]
    to_left = np.column_stack([-along[:, 1], along[:, 0], np.zeros(len(middle))]) * (0.5 * width_m)
    left, left_visible = project_points(middle + to_left, camera)
    right, right_visible = project_points(middle - to_left, camera)
    corners = np.stack([left[:-1], left[1:], right[1:], right[:-1]], axis=1)
    seen = np.stack([left_visible[:-1], left_visible[1:], right_visible[1:], right_visible[:-1]], axis=1)
    return corners[seen.any(axis=1) & np.isfinite(corners).all(axis=(1, 2))]


def resample_path(path_xyz_m: NDArray[np.float64], spacing_m: float) -> NDArray[np.float64]:
    """Place points along a path at even distances, up to 300 m of it.

    Args:
        path_xyz_m: float64 (N, 3) in m; non-finite points are left out.
        spacing_m: Distance between points in m, at least 0.01.

    Returns:
        float64 (M, 3) in m; empty for a path shorter than 5 cm, whose direction would be noise.
    """
    path = np.asarray(path_xyz_m, dtype=np.float64).reshape(-1, 3)
    path = path[np.isfinite(path).all(axis=1)]
    kept: list[int] = []
    for index in range(len(path)):
        # Points closer than 5 cm to the last kept one say nothing about the direction.
        if not kept or math.dist(path[index], path[kept[-1]]) >= 0.05:
            kept.append(index)
    if len(kept) < 2:
        return np.zeros((0, 3))
    path = path[kept]
    distance = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    length = min(float(distance[-1]), _STRIP_RANGE_M)
    wanted = np.linspace(0.0, length, max(2, math.ceil(length / max(spacing_m, 0.01)) + 1))
    return np.column_stack([np.interp(wanted, distance, path[:, axis]) for axis in range(3)])


def horizontal_fov_rad(intrinsics: CameraIntrinsics) -> float:
    """Angle in rad between the rays of the left and right edge of the picture, lens distortion undone.

    Where the lens model does not reach an edge, the ray of its fold stands in for it.

    Raises:
        CalibrationError: The intrinsics are not usable.
    """
    _validate_intrinsics(intrinsics, "intrinsics")
    lens = _lens(intrinsics)
    focal_px, centre_px = intrinsics.k[0], intrinsics.k[2]
    angle = 0.0
    for edge in ((centre_px + 0.5) / focal_px, (intrinsics.width - 0.5 - centre_px) / focal_px):
        ray = math.copysign(lens.ray(abs(edge)), edge)
        angle += ray if lens.by_angle else math.atan(ray)
    return angle


def _calibrated(camera: CameraCalibration) -> tuple[CameraIntrinsics, Pose]:
    if camera.intrinsics is None or camera.rig_from_optical is None:
        missing = "intrinsics" if camera.intrinsics is None else "pose in the rig frame"
        raise CalibrationError(f"camera {camera.camera!r} has no {missing}; expected both intrinsics and a pose")
    _validate_intrinsics(camera.intrinsics, f"camera {camera.camera!r}")
    try:
        return camera.intrinsics, normalize_pose(camera.rig_from_optical)
    except ValueError as error:
        raise CalibrationError(f"camera {camera.camera!r} has a pose that cannot be used: {error}") from error


def _validate_intrinsics(intrinsics: CameraIntrinsics, thing: str) -> None:
    if intrinsics.width < 1 or intrinsics.height < 1:
        raise CalibrationError(f"{thing} size {intrinsics.width} x {intrinsics.height} px is empty; expected 1 or more")
    if len(intrinsics.k) != 9 or not all(map(math.isfinite, intrinsics.k)):
        raise CalibrationError(f"{thing} matrix {intrinsics.k} is not usable; expected 9 finite numbers")
    if intrinsics.k[0] <= 0.0 or intrinsics.k[4] <= 0.0:
        raise CalibrationError(
            f"{thing} focal lengths {intrinsics.k[0]} and {intrinsics.k[4]} px are not usable; expected more than 0"
        )
    if intrinsics.distortion_model not in _COEFFICIENT_COUNTS:
        raise CalibrationError(
            expected_one_of(f"{thing} distortion model", intrinsics.distortion_model, DISTORTION_MODELS)
        )
    count = _COEFFICIENT_COUNTS[intrinsics.distortion_model]
    if any(intrinsics.d[count:]) or not all(map(math.isfinite, intrinsics.d)):
        raise CalibrationError(
            f"{thing} distortion {intrinsics.d} does not fit model {intrinsics.distortion_model!r}; "
            f"expected at most {count} finite numbers"
        )


def _lens(intrinsics: CameraIntrinsics) -> _Lens:
    d = (*intrinsics.d, *([0.0] * 14))
    if intrinsics.distortion_model == "equidistant":
        return _Lens((1.0, *d[:4]), (1.0,), by_angle=True)
    return _Lens((1.0, d[0], d[1], d[4]), (1.0, d[5], d[6], d[7]), by_angle=False)


def _reach(intrinsics: CameraIntrinsics, lens: _Lens) -> float:
    """Largest ray coordinate that is projected, a little inside the fold."""
    fx, _, cx, _, fy, cy = intrinsics.k[:6]
    corner = math.hypot(max(abs(cx), abs(intrinsics.width - cx)) / fx, max(abs(cy), abs(intrinsics.height - cy)) / fy)
    return lens.ray(_REACH * corner) * (1.0 - 1e-9)


def _distort(optical_m: NDArray[np.float64], intrinsics: CameraIntrinsics) -> NDArray[np.float64]:
    """Pixels, float64 (N, 2), of points in front of the camera, float64 (N, 3) in the optical frame."""
    matrix = np.asarray(intrinsics.k, dtype=np.float64).reshape(3, 3)
    points, zero = optical_m.reshape(-1, 1, 3), np.zeros(3)
    coefficients = np.zeros(4 if intrinsics.distortion_model == "equidistant" else 14)
    coefficients[: len(intrinsics.d)] = intrinsics.d[: len(coefficients)]
    if intrinsics.distortion_model == "equidistant":
        pixels, _ = cv2.fisheye.projectPoints(points, zero, zero, matrix, coefficients)
    else:
        pixels, _ = cv2.projectPoints(points, zero, zero, matrix, coefficients)
    return np.asarray(pixels, dtype=np.float64).reshape(-1, 2)


def _polynomial(coefficients: tuple[float, ...], value: float) -> float:
    result = 0.0
    for coefficient in reversed(coefficients):
        result = result * value + coefficient
    return result
