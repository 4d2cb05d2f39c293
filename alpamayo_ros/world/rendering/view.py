"""A camera at one moment: where points of the world appear, and what of a face can be projected."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.world.rendering.rig import PinholeCamera
from alpamayo_ros.world.snapshot import EgoState

Floats = NDArray[np.float64]

NEAR_M = 0.15
GUARD = 12.0
"""Faces are clipped where they leave this many times the field of view; OpenCV's integers overflow later."""
SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class View:
    """A camera at one moment.

    Attributes:
        eye: Optical centre in the world, m.
        world_from_optical: Rotation matrix.
        focal: px.
        centre: Principal point in px.
        width: px.
        height: px.
    """

    eye: Floats
    world_from_optical: Floats
    focal: float
    centre: tuple[float, float]
    width: int
    height: int

    def optical(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Return right, down and ahead of world points, shape (..., 3), each of shape (...)."""
        return self.turned(points[..., 0], points[..., 1], points[..., 2])

    def turned(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats, Floats]:
        """Return right, down and ahead of world points.

        The sums are written out: a matrix product may round differently on another processor.
        """
        turn, eye = self.world_from_optical.tolist(), self.eye.tolist()
        x, y, z = x - eye[0], y - eye[1], z - eye[2]
        right = x * turn[0][0] + y * turn[1][0] + z * turn[2][0]
        down = x * turn[0][1] + y * turn[1][1] + z * turn[2][1]
        ahead = x * turn[0][2] + y * turn[1][2] + z * turn[2][2]
        return right, down, ahead

    def columns_rows(self, right: Floats, down: Floats, ahead: Floats) -> Floats:
        """Return where points of the optical frame appear in px, shape (..., 2); ``ahead`` must be positive."""
        scale = self.focal / ahead
        return np.stack([right * scale + self.centre[0], down * scale + self.centre[1]], axis=-1)

    @property
    def slopes(self) -> tuple[float, float]:
        """Largest |right| / ahead and |down| / ahead that faces keep."""
        return GUARD * self.width / 2.0 / self.focal, GUARD * self.height / 2.0 / self.focal


def view_of(camera: PinholeCamera, ego: EgoState, scale: int = 1) -> View:
    """Return a camera's view; the picture is ``scale`` times as large as the camera's."""
    world_from_rig = to_matrix(np.array(ego.quaternion))
    eye = np.array(ego.position) + world_from_rig @ np.array(camera.position)
    rig_from_optical = _rig_from_optical(camera.yaw_deg, camera.pitch_deg)
    width, height = camera.width * scale, camera.height * scale
    return View(
        eye,
        world_from_rig @ rig_from_optical,
        camera.focal_px * scale,
        ((width - 1) / 2.0, (height - 1) / 2.0),
        width,
        height,
    )


@functools.lru_cache(maxsize=64)
def _rig_from_optical(yaw_deg: float, pitch_deg: float) -> Floats:
    return PinholeCamera("", 90.0, (0.0, 0.0, 0.0), yaw_deg, pitch_deg).rig_from_optical


def clip(corners: Sequence[Sequence[float]], slopes: tuple[float, float]) -> list[tuple[float, float, float]]:
    """Cut a convex polygon of the optical frame to what can be projected (Sutherland and Hodgman).

    Args:
        corners: Right, down, ahead of each, m.
        slopes: Largest |right| / ahead and |down| / ahead that are kept.

    Returns:
        The corners that remain; none when nothing does.
    """
    planes = (
        (0.0, 0.0, 1.0, -NEAR_M),
        (1.0, 0.0, slopes[0], 0.0),
        (-1.0, 0.0, slopes[0], 0.0),
        (0.0, 1.0, slopes[1], 0.0),
        (0.0, -1.0, slopes[1], 0.0),
    )
    kept = [(float(corner[0]), float(corner[1]), float(corner[2])) for corner in corners]
    for a, b, c, d in planes:
        if not kept:
            break
        sides = [a * x + b * y + c * z + d for x, y, z in kept]
        found: list[tuple[float, float, float]] = []
        for index, (here, side) in enumerate(zip(kept, sides, strict=True)):
            after = (index + 1) % len(kept)
            if side >= 0.0:
                found.append(here)
            if (side >= 0.0) != (sides[after] >= 0.0):
                share, there = side / (side - sides[after]), kept[after]
                found.append(
                    (
                        here[0] + share * (there[0] - here[0]),
                        here[1] + share * (there[1] - here[1]),
                        here[2] + share * (there[2] - here[2]),
                    )
                )
        kept = found
    return kept


def fixed_point(pixels: Floats) -> NDArray[np.int32]:
    """Return px as OpenCV's polygons want them, with ``SUBPIXEL_BITS`` binary places."""
    return np.ascontiguousarray(np.round(pixels * (1 << SUBPIXEL_BITS)), dtype=np.int32)
