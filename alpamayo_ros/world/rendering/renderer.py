"""Draw what a pinhole camera of the vehicle sees of an episode's world."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.world.conditions import CLEAR, Conditions
from alpamayo_ros.world.rendering.actors import placed_actor, placed_pole, placed_signal
from alpamayo_ros.world.rendering.background import Background
from alpamayo_ros.world.rendering.boxes import VisibleBox, boxes_of
from alpamayo_ros.world.rendering.faces import Faces, Placed, stack
from alpamayo_ros.world.rendering.ground import GroundPainter
from alpamayo_ros.world.rendering.lamps import LightMap, beam_on
from alpamayo_ros.world.rendering.land import Land
from alpamayo_ros.world.rendering.light import light_of
from alpamayo_ros.world.rendering.painting import Beam, Strokes, in_painting_order, look, paint
from alpamayo_ros.world.rendering.rig import PinholeCamera
from alpamayo_ros.world.rendering.scenery import cast_shadow, plant
from alpamayo_ros.world.rendering.sky import Sky
from alpamayo_ros.world.rendering.view import NEAR_M, SUBPIXEL_BITS, View, clip, fixed_point, view_of
from alpamayo_ros.world.rendering.weather import Lens, add_glow, sun_share
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.snapshot import EgoState, Signal, Snapshot

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

RENDERER = "flat_faces"
"""Name of the renderer, for the tags of an episode."""
RENDERER_VERSION = "1"
SHADOW_SHARE = 0.85
"""Height that stands for an actor's when its shadow is drawn, as a share of it."""
MOVING = 1
"""Of the two groups of what is seen, the one that a snapshot holds; the other is scenery."""
DRAWN_M = 260.0
"""Actors farther from the ego vehicle are not placed at all."""


@dataclass(frozen=True, slots=True)
class _Staged:
    """What moves, as it stands at one snapshot."""

    snapshot: Snapshot
    faces: Faces
    names: tuple[tuple[str, str], ...]
    shadows: Floats
    strokes: dict[PinholeCamera, Strokes]


class Renderer:
    """Draws the world of one episode; holds what does not change between pictures."""

    def __init__(self, road_map: RoadMap, seed: int, conditions: Conditions = CLEAR, *, oversampling: int = 2) -> None:
        """Build the scenery and paint the ground.

        Args:
            road_map: The roads.
            seed: Of the episode; decides scenery, sky, sun and what lies on lenses.
            conditions: Weather and light.
            oversampling: Pictures are drawn this many times larger and averaged down, 1 to 4.

        Raises:
            ParameterError: The oversampling or the seed is out of range, or the map has no lanes.
        """
        if not road_map.lanes:
            raise ParameterError(f"road map {road_map.name!r} has no lanes; expected: at least one")
        if oversampling not in range(1, 5):
            raise ParameterError(f"oversampling {oversampling!r} is not possible; expected: 1 to 4")
        if seed < 0:
            raise ParameterError(f"seed {seed!r} is not possible; expected: 0 or more")
        self._seed = seed
        self._conditions = conditions
        self._oversampling = oversampling
        self._light = light_of(conditions, seed)
        self._land = Land(road_map)
        scenery = plant(road_map, self._land, seed, self._light)
        lit = self._light.lamps_lit and len(scenery.lamps) > 0
        self._street_light = LightMap(scenery.lamps, road_map.bounds) if lit else None
        self._standing = stack(scenery.things, self._light, self._street_light)
        painter = GroundPainter(road_map, scenery.yards, scenery.shadows, self._light)
        self._background = Background(painter, Sky(self._light, seed), self._light, self._street_light)
        self._poles: dict[str, tuple[Signal, Placed]] = {}
        self._lenses: dict[tuple[str, int, int], Lens] = {}
        self._staged: _Staged | None = None

    def render(self, camera: PinholeCamera, snapshot: Snapshot) -> Bytes:
        """Return what a camera sees, blue, green, red, shape (height, width, 3).

        Args:
            camera: The camera.
            snapshot: The moment.

        Raises:
            ParameterError: Something in the snapshot cannot be drawn.
        """
        scale = self._oversampling
        staged = self._stage(snapshot)
        small = view_of(camera, snapshot.ego)
        view = view_of(camera, snapshot.ego, scale)
        background = self._background.draw(camera, small, snapshot.ego)
        size = (view.width, view.height)
        picture = np.asarray(cv2.resize(background, size, interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
        if scale == 1:
            picture = picture.copy()
        if self._light.shadow < 0.97 and len(staged.shadows):
            _draw_shadows(picture, view, staged.shadows, self._light.shadow)
        paint(picture, self._strokes(camera, view, staged))
        taken = np.asarray(cv2.resize(picture, background.shape[1::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)
        sun_seen = 1.0
        if self._conditions.glare > 0.0:
            sun_seen = sun_share(small, self._light, background, taken)
        if scale == 1:
            taken = taken.copy()
        add_glow(taken, picture, view, (self._standing, staged.faces), self._light, scale)
        return self._lens(camera).look_through(taken, small, sun_seen, snapshot.t_s)

    def visible_boxes(self, camera: PinholeCamera, snapshot: Snapshot) -> tuple[VisibleBox, ...]:
        """Return where actors and signals appear in a camera's picture, as far as nothing hides all of them.

        Weather and lenses hide nothing here.

        Args:
            camera: The camera.
            snapshot: The moment.
        """
        scale = self._oversampling
        staged = self._stage(snapshot)
        view = view_of(camera, snapshot.ego, scale)
        return boxes_of(staged.names, view, self._strokes(camera, view, staged), MOVING, staged.faces, scale)

    def _strokes(self, camera: PinholeCamera, view: View, staged: _Staged) -> Strokes:
        """Return what is painted; it is kept while the moment lasts, for the picture and its boxes."""
        kept = staged.strokes.get(camera)
        if kept is None:
            beam = self._beam(staged.snapshot.ego)
            sight = look((self._standing, staged.faces), view, self._light, self._oversampling, beam)
            kept = staged.strokes[camera] = in_painting_order(view, sight)
        return kept

    def _stage(self, snapshot: Snapshot) -> _Staged:
        """Place what moves; what was placed last is kept for the other cameras."""
        if self._staged is not None and self._staged.snapshot is snapshot:
            return self._staged
        night = self._light.lamps_lit
        ego = snapshot.ego
        if (
            not all(map(math.isfinite, (*ego.position, ego.yaw, ego.pitch, ego.roll, snapshot.t_s)))
            or snapshot.t_s < 0.0
        ):
            raise ParameterError(
                f"step {snapshot.step} has the ego vehicle at {ego.position}, yaw {ego.yaw}, pitch {ego.pitch}, "
                f"roll {ego.roll} at {snapshot.t_s} s; expected: finite numbers, no time before the start"
            )
        x, y, _ = ego.position
        near = [one for one in snapshot.actors if abs(one.x - x) < DRAWN_M and abs(one.y - y) < DRAWN_M]
        lamps = [one for one in snapshot.signals if abs(one.x - x) < DRAWN_M and abs(one.y - y) < DRAWN_M]
        bodies = [placed_actor(one, snapshot.t_s, night=night) for one in near]
        things = [*bodies, *(placed_signal(one) for one in lamps), *(self._pole(one) for one in lamps)]
        names = (*((one.id, one.kind) for one in near), *((one.id, "signal") for one in lamps))
        faces = stack(things, self._light, self._street_light)
        sun = self._light.sun
        slope = -sun[:2] / max(float(sun[2]), 0.2)
        shadows = np.zeros((len(near), 8, 2))
        for index, one in enumerate(near):
            outline = cast_shadow(faces.footprints[index], slope * one.height * SHADOW_SHARE)
            shadows[index] = outline[np.minimum(np.arange(8), len(outline) - 1)]
        self._staged = _Staged(snapshot, faces, names, shadows, {})
        return self._staged

    def _pole(self, signal: Signal) -> Placed:
        kept = self._poles.get(signal.id)
        place = (signal.x, signal.y, signal.z, signal.heading)
        if kept is None or (kept[0].x, kept[0].y, kept[0].z, kept[0].heading) != place:
            kept = (signal, placed_pole(signal, self._land.is_driven))
            self._poles[signal.id] = kept
        return kept[1]

    def _beam(self, ego: EgoState) -> Beam | None:
        if not self._light.lamps_lit:
            return None
        night = self._light.night
        return lambda points: beam_on(points, ego).astype(np.float64) * (0.7 * night)

    def _lens(self, camera: PinholeCamera) -> Lens:
        key = (camera.id, camera.width, camera.height)
        if key not in self._lenses:
            size = (camera.width, camera.height)
            self._lenses[key] = Lens(self._conditions, self._light, self._seed, camera.id, size)
        return self._lenses[key]


def _draw_shadows(picture: Bytes, view: View, outlines: Floats, light: float) -> None:
    """Darken the ground inside of outlines, shape (N, 8, 2), once where they overlap."""
    right, down, ahead = view.turned(outlines[:, :, 0], outlines[:, :, 1], np.zeros(outlines.shape[:2]))
    before = ahead.min(axis=1) > 0.5
    slope = view.width / 2.0 / view.focal
    inside = (ahead.max(axis=1) > NEAR_M) & (np.abs(right) - slope * ahead < 0.0).any(axis=1)
    polygons = list(fixed_point(view.columns_rows(right, down, ahead)[before & inside])) if before.any() else []
    for index in np.flatnonzero(~before & (ahead.max(axis=1) > NEAR_M)).tolist():
        corners = zip(right[index].tolist(), down[index].tolist(), ahead[index].tolist(), strict=True)
        kept = clip(list(corners), view.slopes)
        if len(kept) >= 3:
            points = np.array(kept)
            polygons.append(fixed_point(view.columns_rows(points[:, 0], points[:, 1], points[:, 2])))
    if not polygons:
        return
    corners_px = np.concatenate(polygons) >> SUBPIXEL_BITS
    left, top = np.clip(corners_px.min(axis=0) - 1, 0, (view.width, view.height)).tolist()
    end, bottom = np.clip(corners_px.max(axis=0) + 2, 0, (view.width, view.height)).tolist()
    if left >= end or top >= bottom:
        return
    mask = np.zeros((bottom - top, end - left), dtype=np.uint8)
    offset = np.array([left, top], dtype=np.int32) << SUBPIXEL_BITS
    for polygon in polygons:
        cv2.fillConvexPoly(mask, polygon - offset, (255.0,), cv2.LINE_8, SUBPIXEL_BITS)
    table = np.clip(np.round(np.arange(256) * light), 0, 255).astype(np.uint8)
    part = picture[top:bottom, left:end]
    cv2.copyTo(cv2.LUT(part, table), mask, part)
