"""Ground and sky behind everything that stands: the ground by its homography, at the fineness that each row needs."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.rendering.ground import Ground, GroundPainter
from alpamayo_ros.world.rendering.lamps import HEADLIGHT, LightMap, beam_on
from alpamayo_ros.world.rendering.light import Light
from alpamayo_ros.world.rendering.rig import PinholeCamera
from alpamayo_ros.world.rendering.sky import Sky
from alpamayo_ros.world.rendering.view import View, view_of
from alpamayo_ros.world.snapshot import EgoState

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bytes = NDArray[np.uint8]

SLANT = 0.30
"""How far the ground's fineness follows its foreshortening: 0 keeps every line and flickers, 1 blurs it."""


@dataclass(frozen=True, slots=True)
class Window:
    """A square of ground around the ego vehicle that is painted at some fineness.

    Attributes:
        metres_per_px: Of its finest level.
        levels: How many levels, each half as fine.
        width_m: Of the square.
        step_m: The square moves along in steps of this size.
    """

    metres_per_px: float
    levels: int
    width_m: float
    step_m: float

    def middle(self, x: float, y: float) -> tuple[float, float]:
        """Return the middle of the square around a place: the same for all places of one field of a grid."""
        return math.floor(x / self.step_m + 0.5) * self.step_m, math.floor(y / self.step_m + 0.5) * self.step_m


SMALL_WIDTH_PX = 240
"""Pictures wider than this get the finer windows."""
WINDOWS = (Window(0.0625, 1, 48.0, 16.0), Window(0.125, 2, 112.0, 32.0))
FINER_WINDOWS = (Window(0.03125, 1, 64.0, 16.0), Window(0.0625, 1, 128.0, 32.0), Window(0.125, 2, 224.0, 32.0))
"""From fine to coarse, each level half as fine as the one before; the whole map's picture goes on from there."""


class Background:
    """Draws ground and sky of one episode; keeps the fine ground around the ego vehicle until it has moved on."""

    def __init__(self, painter: GroundPainter, sky: Sky, light: Light, street_light: LightMap | None) -> None:
        self._painter = painter
        self._sky = sky
        self._light = light
        self._street_light = street_light
        self._whole = painter.whole()
        self._beams: dict[PinholeCamera, Singles] = {}
        self._windows: dict[Window, tuple[tuple[float, float], Ground]] = {}

    def draw(self, camera: PinholeCamera, view: View, ego: EgoState) -> Bytes:
        """Return a picture of ground and sky of the camera's size."""
        picture = np.empty((view.height, view.width, 3), dtype=np.uint8)
        self._sky.draw(picture, view)
        columns = (np.arange(view.width) - view.centre[0]) / view.focal
        rows = (np.arange(view.height) - view.centre[1]) / view.focal
        turn = view.world_from_optical[2]
        rise = columns[None, :] * turn[0] + rows[:, None] * turn[1] + turn[2]
        lowest = np.minimum(rise[:, 0], rise[:, -1])
        below = np.flatnonzero(lowest < -1e-4)
        if len(below) == 0:
            return picture
        first = int(below[0])
        rise = rise[first:]
        depth = view.eye[2] / np.maximum(-rise, 1e-5)
        ground = self._warped(view, ego, first, depth[:, view.width // 2], float(view.eye[2]))
        distance = depth * np.sqrt(1.0 + columns[None, :] ** 2 + rows[first:, None] ** 2)
        lit = self._lit(ground.astype(np.float32), camera, view, first, distance)
        air = self._light.seen_through(distance).astype(np.float32)[:, :, None]
        haze = self._light.haze.astype(np.float32)
        lit = lit * air + haze * (1.0 - air)
        mask = (rise < 0.0).astype(np.uint8)
        cv2.copyTo(np.clip(lit, 0.0, 255.0).astype(np.uint8), mask, picture[first:])
        return picture

    def _lit(self, ground: Singles, camera: PinholeCamera, view: View, first: int, distance: Floats) -> Singles:
        """Apply lamps at night and the shine of wet asphalt."""
        light = self._light
        tint = light.tint.astype(np.float32)
        if not light.lamps_lit and light.night > 0.0:
            ground = ground * tint
        if light.lamps_lit:
            mapping = plane_of(view, first)
            lamps = (
                self._beam(camera)[first:, :, None] * np.array(HEADLIGHT, dtype=np.float32) * np.float32(light.night)
            )
            if self._street_light is not None:
                lamps = lamps + self._street_light.seen(mapping, view.width, view.height - first) * light.night
            ground = ground * (tint + lamps)
        if light.rain > 0.0:
            grazing = view.eye[2] / distance
            mirror = (np.float32(0.75 * light.rain) * np.exp(grazing * -5.0)).astype(np.float32)[:, :, None]
            ground = (
                ground * np.float32(1.0 - 0.38 * light.rain) * (1.0 - mirror) + light.haze.astype(np.float32) * mirror
            )
        return np.asarray(ground, dtype=np.float32)

    def _warped(self, view: View, ego: EgoState, first: int, depth: Floats, height: float) -> Bytes:
        windows = FINER_WINDOWS if view.width > SMALL_WIDTH_PX else WINDOWS
        finest = windows[0].metres_per_px
        fineness = np.log2(depth / view.focal / finest) + SLANT * np.log2(np.maximum(depth / height, 1.0))
        count = sum(window.levels for window in windows) + len(self._whole.levels)
        levels = np.clip(np.round(fineness), 0, count - 1).astype(int)
        picture = np.empty((len(depth), view.width, 3), dtype=np.uint8)
        plane = plane_of(view, first)
        changes = np.flatnonzero(np.diff(levels)) + 1
        begins, ends = [0, *changes.tolist()], [*changes.tolist(), len(levels)]
        for begin, end in zip(begins, ends, strict=True):
            ground, level = self._ground(windows, int(levels[begin]), ego)
            _warp(ground, level, plane, begin, picture[begin:end], self._painter.outside)
        return picture

    def _beam(self, camera: PinholeCamera) -> Singles:
        """Return the share of the headlights' light on the ground in a picture; body and camera nod together."""
        kept = self._beams.get(camera)
        if kept is None:
            rest = EgoState((0.0, 0.0, 0.0), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
            plane = plane_of(view_of(camera, rest), 0)
            kept = self._beams[camera] = beam_on(_ground_points(plane, camera.width, camera.height), rest)
        return kept

    def _ground(self, windows: tuple[Window, ...], level: int, ego: EgoState) -> tuple[Ground, int]:
        """Return the picture that has a level counted from the finest window, and the level's number in it."""
        for window in windows:
            if level < window.levels:
                return self._painted(window, ego), level
            level -= window.levels
        return self._whole, level

    def _painted(self, window: Window, ego: EgoState) -> Ground:
        middle = window.middle(ego.position[0], ego.position[1])
        kept = self._windows.get(window)
        if kept is None or kept[0] != middle:
            kept = middle, self._painter.part(middle, window.width_m, window.metres_per_px, window.levels)
            self._windows[window] = kept
        return kept[1]


def plane_of(view: View, first: int) -> Floats:
    """Return the homography from px, rows counted from ``first``, to the ground plane in m."""
    scale = np.array(
        [
            [1.0 / view.focal, 0.0, -view.centre[0] / view.focal],
            [0.0, 1.0 / view.focal, -view.centre[1] / view.focal],
            [0.0, 0.0, 1.0],
        ]
    )
    rays = view.world_from_optical @ scale
    plane = np.stack(
        [view.eye[0] * rays[2] - view.eye[2] * rays[0], view.eye[1] * rays[2] - view.eye[2] * rays[1], rays[2]]
    )
    plane[:, 2] += plane[:, 1] * first
    return plane


def _warp(ground: Ground, level: int, plane: Floats, begin: int, picture: Bytes, outside: tuple[float, ...]) -> None:
    pixel = ground.metres_per_px * 2.0**level
    shift = ground.metres_per_px * (2.0**level - 1.0) / 2.0
    mapping = np.stack(
        [
            (plane[0] - (ground.x_m + shift) * plane[2]) / pixel,
            (plane[1] - (ground.y_m + shift) * plane[2]) / pixel,
            plane[2],
        ]
    )
    mapping[:, 2] += mapping[:, 1] * begin
    cv2.warpPerspective(
        ground.levels[level],
        mapping,
        (picture.shape[1], picture.shape[0]),
        picture,
        cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        cv2.BORDER_CONSTANT,
        outside,
    )


def _ground_points(plane: Floats, width: int, height: int) -> Floats:
    columns, rows = np.arange(width)[None, :], np.arange(height)[:, None]
    scaled = [columns * plane[i, 0] + rows * plane[i, 1] + plane[i, 2] for i in range(3)]
    depth = np.minimum(scaled[2], -1e-5)
    return np.stack([scaled[0] / depth, scaled[1] / depth])
