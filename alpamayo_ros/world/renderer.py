"""Draw what a pinhole camera sees: sky, ground by its homography, faces by the painter's algorithm."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.world.drive import EgoState
from alpamayo_ros.world.ground import METRES_PER_PX, SHADOW, Ground, shadow_outline
from alpamayo_ros.world.mesh import Colour, Mesh
from alpamayo_ros.world.occlusion import painting_order
from alpamayo_ros.world.rig import PinholeCamera
from alpamayo_ros.world.scene import Scene
from alpamayo_ros.world.sky import HAZE, HIGHEST_DEG, PX_PER_DEG

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

OVERSAMPLING = 2
"""Pictures are drawn this many times larger and averaged down, which smooths every edge."""
NEAR_M = 0.15
GUARD = 12.0
"""Faces are clipped where they leave this many times the field of view; OpenCV's integers overflow later."""
SUBPIXEL_BITS = 4
HAZE_LENGTH_M = 330.0
"""Distance at which 63 % of a thing's colour is lost in the air."""
VISIBLE_M = 240.0
SHADOW_HEIGHT_M = 1.2
"""Height that stands for a vehicle's when its shadow is drawn."""


@dataclass(frozen=True)
class _Faces:
    """Many objects in one set of arrays; face ranges of object i are ``first[i]:first[i + 1]``."""

    vertices: Floats
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    colours: Floats
    normals: Floats
    first: NDArray[np.int64]
    footprints: Floats
    centres: Floats
    radii: Floats
    sort_faces: list[bool]


def _stack(meshes: Sequence[Mesh]) -> _Faces:
    sizes = np.concatenate([mesh.sizes for mesh in meshes])
    low = np.stack([mesh.vertices.min(axis=0) for mesh in meshes])
    high = np.stack([mesh.vertices.max(axis=0) for mesh in meshes])
    return _Faces(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([[0], np.cumsum(sizes)[:-1]]),
        sizes,
        np.concatenate([mesh.shaded_colours() for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([[0], np.cumsum([len(mesh.sizes) for mesh in meshes])]),
        np.stack([mesh.footprint for mesh in meshes]),
        (low + high) / 2.0,
        np.linalg.norm(high - low, axis=1) / 2.0,
        [mesh.sort_faces for mesh in meshes],
    )


@dataclass(frozen=True)
class _View:
    """A camera at one moment.

    Attributes:
        eye: Optical centre in the world, m.
        world_from_optical: Rotation matrix.
        focal: px of the oversampled picture.
        centre: Principal point in px of the oversampled picture.
        width: px of the oversampled picture.
        height: px of the oversampled picture.
    """

    eye: Floats
    world_from_optical: Floats
    focal: float
    centre: tuple[float, float]
    width: int
    height: int

    def optical(self, points: Floats) -> Floats:
        """Return world points, shape (N, 3), in the optical frame."""
        moved: Floats = (points - self.eye) @ self.world_from_optical
        return moved

    def pixels(self, optical: Floats) -> Floats:
        """Return where points of the optical frame appear, shape (N, 2); depth must be positive."""
        scaled: Floats = optical[:, :2] / optical[:, 2:] * self.focal + np.array(self.centre)
        return scaled


class _Face(NamedTuple):
    """One face in a picture: distance in m, corners in fixed-point px, colour."""

    distance: float
    corners: NDArray[np.int32]
    colour: Colour


class _Shown(NamedTuple):
    """One object in a picture."""

    footprint: Floats
    sort_faces: bool
    faces: list[_Face]


class Renderer:
    """Draws one scene; holds what does not change between pictures."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._standing = _stack(scene.standing)

    def render(self, camera: PinholeCamera, ego: EgoState, t_s: float) -> Bytes:
        """Return what a camera sees, blue, green, red, shape (height, width, 3).

        Args:
            camera: The camera.
            ego: Where the vehicle is.
            t_s: Time of everything else that moves, s after the start.
        """
        view = _view(camera, ego)
        moving = self._scene.moving_meshes(t_s)
        changing = _stack([*moving, *self._scene.traffic_lights(t_s)])
        picture = self._background(view)
        _draw_shadows(picture, view, moving)
        _draw_objects(picture, view, (self._standing, changing))
        size = (camera.width, camera.height)
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def _background(self, view: _View) -> Bytes:
        """Draw sky and ground."""
        half = OVERSAMPLING
        columns: Floats = (
            (np.arange(view.width // half, dtype=np.float64) + 0.5) * half - 0.5 - view.centre[0]
        ) / view.focal
        rows: Floats = (
            (np.arange(view.height // half, dtype=np.float64) + 0.5) * half - 0.5 - view.centre[1]
        ) / view.focal
        right, down, ahead = view.world_from_optical.T
        rise = (columns[None, :] * right[2] + rows[:, None] * down[2] + ahead[2]).astype(np.float32)
        length = np.sqrt(1.0 + columns[None, :] ** 2 + rows[:, None] ** 2).astype(np.float32)
        picture = self._sky(view, columns, rows, rise, length)
        depth = np.float32(view.eye[2]) / np.maximum(-rise, np.float32(1e-6))
        distance = depth * length
        spot = depth / np.float32(view.focal)
        fineness = np.log2(spot / np.float32(METRES_PER_PX)) + 0.3 * np.log2(distance / np.float32(view.eye[2]))
        ground = _warp_ground(view, self._scene.ground, fineness, rise < 0.0)
        air = _enlarged(np.exp(-distance / np.float32(HAZE_LENGTH_M)), view)
        haze = np.broadcast_to(HAZE.astype(np.uint8), ground.shape).copy()
        hazy = cv2.blendLinear(ground, haze, air, 1.0 - air)
        below = _enlarged(-rise, view) > 0.0
        cv2.copyTo(hazy, below.astype(np.uint8), picture)
        return picture

    def _sky(
        self,
        view: _View,
        columns: Floats,
        rows: Floats,
        rise: NDArray[np.float32],
        length: NDArray[np.float32],
    ) -> Bytes:
        right, down, ahead = view.world_from_optical.T
        x = columns[None, :] * right[0] + rows[:, None] * down[0] + ahead[0]
        y = columns[None, :] * right[1] + rows[:, None] * down[1] + ahead[1]
        azimuth = (np.degrees(np.arctan2(y, x)) + 180.0) * PX_PER_DEG - 0.5
        elevation = (HIGHEST_DEG - np.degrees(np.arcsin(rise / length))) * PX_PER_DEG - 0.5
        seen = cv2.remap(
            self._scene.panorama,
            azimuth.astype(np.float32),
            elevation.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        size = (view.width, view.height)
        return np.asarray(cv2.resize(seen, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _view(camera: PinholeCamera, ego: EgoState) -> _View:
    world_from_rig = to_matrix(np.array(ego.quaternion))
    eye = np.array(ego.position) + world_from_rig @ np.array(camera.position)
    focal = camera.focal_px * OVERSAMPLING
    width, height = camera.width * OVERSAMPLING, camera.height * OVERSAMPLING
    return _View(
        eye, world_from_rig @ camera.rig_from_optical, focal, ((width - 1) / 2.0, (height - 1) / 2.0), width, height
    )


def _enlarged(values: NDArray[np.float32], view: _View) -> NDArray[np.float32]:
    size = (view.width, view.height)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _warp_ground(view: _View, ground: Ground, fineness: NDArray[np.float32], below: NDArray[np.bool_]) -> Bytes:
    """Return the ground plane as the camera sees it; where the sky is, anything.

    ``fineness`` is the wanted level of the ground's picture for each pixel before oversampling.
    """
    picture = np.zeros((view.height, view.width, 3), dtype=np.uint8)
    levels = np.clip(np.round(fineness), 0, len(ground.levels) - 1).astype(np.int64)
    levels[~below] = len(ground.levels) - 1
    scale = np.array(
        [
            [1.0 / view.focal, 0.0, -view.centre[0] / view.focal],
            [0.0, 1.0 / view.focal, -view.centre[1] / view.focal],
            [0.0, 0.0, 1.0],
        ]
    )
    rays = view.world_from_optical @ scale
    plane = np.stack([view.eye[0] * rays[2] - view.eye[2] * rays[0], view.eye[1] * rays[2] - view.eye[2] * rays[1]])
    for level, source in enumerate(ground.levels):
        wanted = levels == level
        used = np.flatnonzero(wanted.any(axis=1))
        if len(used) == 0:
            continue
        top, bottom = int(used[0]) * OVERSAMPLING, (int(used[-1]) + 1) * OVERSAMPLING
        pixel = METRES_PER_PX * 2.0**level
        shift = METRES_PER_PX * (2.0**level - 1.0) / 2.0
        mapping = np.stack(
            [
                (plane[0] - (ground.x_m + shift) * rays[2]) / pixel,
                (plane[1] - (ground.y_m + shift) * rays[2]) / pixel,
                rays[2],
            ]
        )
        mapping[:, 2] += mapping[:, 1] * top
        edge = tuple(float(value) for value in source[0, 0])
        seen = cv2.warpPerspective(
            source,
            mapping,
            (view.width, bottom - top),
            flags=(cv2.INTER_CUBIC if level == 0 else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=edge,
        )
        mask = np.repeat(np.repeat(wanted[used[0] : used[-1] + 1], OVERSAMPLING, axis=0), OVERSAMPLING, axis=1)
        cv2.copyTo(seen, mask.astype(np.uint8), picture[top:bottom])
    return picture


def _draw_shadows(picture: Bytes, view: _View, meshes: Sequence[Mesh]) -> None:
    mask = np.zeros(picture.shape[:2], dtype=np.uint8)
    drawn = False
    for mesh in meshes:
        outline = shadow_outline(mesh, SHADOW_HEIGHT_M)
        optical = clip(view.optical(np.column_stack([outline, np.zeros(len(outline))])), _slopes(view))
        if len(optical) >= 3:
            cv2.fillConvexPoly(mask, _fixed(view.pixels(optical)), (255.0,), cv2.LINE_8, SUBPIXEL_BITS)
            drawn = True
    if drawn:
        table = np.clip(np.round(np.arange(256) * SHADOW), 0, 255).astype(np.uint8)
        cv2.copyTo(cv2.LUT(picture, table), mask, picture)


def _draw_objects(picture: Bytes, view: _View, groups: Sequence[_Faces]) -> None:
    """Paint all faces that the camera sees, hidden ones first."""
    shown: list[_Shown] = []
    for group in groups:
        shown.extend(_visible_objects(group, view))
    footprints = np.array([one.footprint for one in shown]).reshape(-1, 4, 2)
    for index in painting_order(footprints, view.eye[:2]):
        one = shown[index]
        if one.sort_faces:
            one.faces.sort(key=lambda face: -face.distance)
        for face in one.faces:
            cv2.fillConvexPoly(picture, face.corners, face.colour, cv2.LINE_8, SUBPIXEL_BITS)


def _visible_objects(group: _Faces, view: _View) -> list[_Shown]:
    """Project a group; return footprint, sorting and faces (distance, corners, colour) of each object in view."""
    slopes = _slopes(view)
    inside = _objects_in_view(group, view)
    optical = view.optical(group.vertices)
    depth = np.minimum.reduceat(optical[:, 2], group.starts)
    deepest = np.maximum.reduceat(optical[:, 2], group.starts)
    anchor = group.vertices[group.starts]
    facing = np.einsum("fk,fk->f", group.normals, view.eye - anchor) > 0.0
    safe = optical.copy()
    safe[:, 2] = np.maximum(safe[:, 2], NEAR_M)
    pixels = view.pixels(safe)
    low = np.minimum.reduceat(pixels, group.starts, axis=0)
    high = np.maximum.reduceat(pixels, group.starts, axis=0)
    whole = depth > NEAR_M
    limit = GUARD * view.width
    whole &= (low > -limit).all(axis=1) & (high < limit).all(axis=1)
    off = (high < -1.0).any(axis=1) | (low[:, 0] > view.width) | (low[:, 1] > view.height)
    wanted = facing & (deepest > NEAR_M) & ~(whole & off)
    middle = np.add.reduceat(optical, group.starts, axis=0) / group.sizes[:, None]
    distance = np.linalg.norm(middle, axis=1)
    air = np.exp(-distance / HAZE_LENGTH_M)[:, None]
    colours = group.colours * air + HAZE * (1.0 - air)
    fixed = _fixed(np.clip(pixels, -limit, limit))
    shown: list[_Shown] = []
    for index in np.flatnonzero(inside).tolist():
        faces: list[_Face] = []
        begin, end = int(group.first[index]), int(group.first[index + 1])
        for face in (begin + np.flatnonzero(wanted[begin:end])).tolist():
            start, size = int(group.starts[face]), int(group.sizes[face])
            blue, green, red = colours[face].tolist()
            corners = fixed[start : start + size]
            if not whole[face]:
                clipped = clip(optical[start : start + size], slopes)
                if len(clipped) < 3:
                    continue
                corners = _fixed(view.pixels(clipped))
            faces.append(_Face(float(distance[face]), corners, (blue, green, red)))
        if faces:
            shown.append(_Shown(group.footprints[index], group.sort_faces[index], faces))
    return shown


def _objects_in_view(group: _Faces, view: _View) -> NDArray[np.bool_]:
    """Tell which objects' balls reach into the viewing pyramid."""
    optical = view.optical(group.centres)
    inside = (optical[:, 2] > -group.radii) & (np.linalg.norm(optical, axis=1) - group.radii < VISIBLE_M)
    for axis, size in ((0, view.width), (1, view.height)):
        slope = size / 2.0 / view.focal
        reach = group.radii * math.hypot(1.0, slope)
        inside &= np.abs(optical[:, axis]) - slope * optical[:, 2] < reach
    found: NDArray[np.bool_] = inside
    return found


def _slopes(view: _View) -> tuple[float, float]:
    return GUARD * view.width / 2.0 / view.focal, GUARD * view.height / 2.0 / view.focal


def clip(corners: Floats, slopes: tuple[float, float]) -> Floats:
    """Cut a polygon of the optical frame to what can be projected (Sutherland and Hodgman).

    Args:
        corners: Shape (N, 3), m.
        slopes: Largest |x| / z and |y| / z that are kept.

    Returns:
        The corners that remain, shape (M, 3); M = 0 when nothing does.
    """
    planes = np.array(
        [
            [0.0, 0.0, 1.0, -NEAR_M],
            [1.0, 0.0, slopes[0], 0.0],
            [-1.0, 0.0, slopes[0], 0.0],
            [0.0, 1.0, slopes[1], 0.0],
            [0.0, -1.0, slopes[1], 0.0],
        ]
    )
    for plane in planes:
        if len(corners) == 0:
            break
        side = corners @ plane[:3] + plane[3]
        kept: list[Floats] = []
        for index in range(len(corners)):
            following = (index + 1) % len(corners)
            if side[index] >= 0.0:
                kept.append(corners[index])
            if (side[index] >= 0.0) != (side[following] >= 0.0):
                share = side[index] / (side[index] - side[following])
                kept.append(corners[index] + share * (corners[following] - corners[index]))
        corners = np.array(kept).reshape(-1, 3)
    return corners


def _fixed(pixels: Floats) -> NDArray[np.int32]:
    return np.round(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)
