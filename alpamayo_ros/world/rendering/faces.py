"""Many objects in one set of arrays, placed in the world and lit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.rendering.lamps import UPRIGHT, LightMap
from alpamayo_ros.world.rendering.light import Light
from alpamayo_ros.world.rendering.mesh import BRAKE, HEAD, LIT_COLOURS, PAINT, SHINING, Colour
from alpamayo_ros.world.rendering.model import DETAILS, Model

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

ROLES = SHINING + 1
TAIL_COLOUR: Colour = (24.0, 14.0, 150.0)
"""Of a brake lamp that is not lit on a vehicle whose headlamps are."""
BALL_LIGHT = 0.75
"""Balls are lit like a face whose normal has this much of the sun's height."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One object at its place.

    Attributes:
        model: What it looks like.
        x: Where the origin of the model is in the world, m.
        y: Where the origin of the model is in the world, m.
        heading: Where the x axis of the model points to, rad.
        paint: Colour of the faces that have the role PAINT.
        lit: Roles of lamps that are lit.
    """

    model: Model
    x: float
    y: float
    heading: float
    paint: Colour = (128.0, 128.0, 128.0)
    lit: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Faces:
    """Faces of N objects; coordinates and colours are rows.

    Attributes:
        corners: x, y, z of the four corners, shape (3, 4, F), m.
        middles: Shape (3, F), m.
        normals: Shape (3, F).
        albedo: Colour in full light, shape (3, F).
        colours: Colour under sun and sky, shape (3, F).
        shining: Faces that give light of their own, shape (F,).
        balls: Centre and radius, shape (4, B), m.
        ball_albedo: Shape (3, B).
        ball_colours: Shape (3, B).
        face_ranges: First and last + 1 face of each object and level, shape (N, DETAILS, 2).
        ball_ranges: The same for balls.
        lamps: Middle and radius of every lit lamp, shape (4, L).
        lamp_colours: Shape (3, L).
        lamp_normals: Shape (3, L).
        centres: Shape (3, N).
        radii: Of balls around the objects, shape (N,).
        heights: Shape (N,).
        footprints: Shape (N, 4, 2).
        sort_faces: Shape (N,).
    """

    corners: Floats
    middles: Floats
    normals: Floats
    albedo: Floats
    colours: Floats
    shining: NDArray[np.bool_]
    balls: Floats
    ball_albedo: Floats
    ball_colours: Floats
    face_ranges: Whole
    ball_ranges: Whole
    lamps: Floats
    lamp_colours: Floats
    lamp_normals: Floats
    centres: Floats
    radii: Floats
    heights: Floats
    footprints: Floats
    sort_faces: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of objects."""
        return len(self.radii)


def stack(things: Sequence[Placed], light: Light, street_light: LightMap | None = None) -> Faces:
    """Place objects, each in all its levels of detail, and light them.

    Args:
        things: The objects.
        light: Of sun and sky.
        street_light: Of street lamps, where they are lit.
    """
    if not things:
        return _nothing()
    models = [thing.model for thing in things]
    poses = np.array([(one.x, one.y, math.cos(one.heading), math.sin(one.heading)) for one in things]).T
    lit = np.zeros((len(things), ROLES), dtype=np.bool_)
    lit[:, SHINING] = True
    for index, thing in enumerate(things):
        for role in thing.lit:
            lit[index, role] = True
    face_counts = [len(one.roles) for one in models]
    ball_counts = [one.balls.shape[1] for one in models]
    face_owner, ball_owner = (
        np.repeat(np.arange(len(things)), face_counts),
        np.repeat(np.arange(len(things)), ball_counts),
    )
    pose = poses[:, face_owner]
    corners = _moved(np.concatenate([one.corners for one in models], axis=2), pose)
    middles = _moved(np.concatenate([one.middles for one in models], axis=1), pose)
    normals = _turned(np.concatenate([one.normals for one in models], axis=1), pose)
    roles = np.concatenate([one.roles for one in models])
    albedo = np.concatenate([one.colours for one in models], axis=1)
    shining = _paint(albedo, roles, face_owner, things, lit)
    colours = light.shaded(albedo, normals)
    balls = np.concatenate([one.balls for one in models], axis=1)
    balls[:3] = _moved(balls[:3], poses[:, ball_owner])
    ball_albedo = np.concatenate([one.ball_colours for one in models], axis=1)
    up = np.zeros((3, balls.shape[1]))
    up[2] = BALL_LIGHT
    ball_colours = light.shaded(ball_albedo, up)
    if street_light is not None:
        colours += albedo * street_light.at(middles) * (UPRIGHT * light.night)
        ball_colours += ball_albedo * street_light.at(balls) * (UPRIGHT * light.night)
    np.copyto(colours, albedo, where=shining)
    footprints = np.array([one.footprint for one in models]).transpose(2, 1, 0)
    return Faces(
        corners,
        middles,
        normals,
        albedo,
        colours,
        shining,
        balls,
        ball_albedo,
        ball_colours,
        _ranges([one.face_ranges for one in models], face_counts),
        _ranges([one.ball_ranges for one in models], ball_counts),
        *_lit_lamps(models, poses, lit),
        _moved(np.array([one.centre for one in models]).T, poses),
        np.array([one.radius for one in models]),
        np.array([one.height for one in models]),
        np.stack(_moved_flat(footprints[0], footprints[1], poses), axis=-1).transpose(1, 0, 2),
        np.array([one.sort_faces for one in models], dtype=np.bool_),
    )


def _nothing() -> Faces:
    rows, ranges, one = np.zeros((3, 0)), np.zeros((0, DETAILS, 2), dtype=np.int64), np.zeros(0)
    none = np.zeros(0, dtype=np.bool_)
    return Faces(
        corners=np.zeros((3, 4, 0)),
        middles=rows,
        normals=rows,
        albedo=rows,
        colours=rows,
        shining=none,
        balls=np.zeros((4, 0)),
        ball_albedo=rows,
        ball_colours=rows,
        face_ranges=ranges,
        ball_ranges=ranges,
        lamps=np.zeros((4, 0)),
        lamp_colours=rows,
        lamp_normals=rows,
        centres=rows,
        radii=one,
        heights=one,
        footprints=np.zeros((0, 4, 2)),
        sort_faces=none,
    )


def _moved_flat(x: Floats, y: Floats, poses: Floats) -> tuple[Floats, Floats]:
    return x * poses[2] - y * poses[3] + poses[0], x * poses[3] + y * poses[2] + poses[1]


def _moved(points: Floats, poses: Floats) -> Floats:
    """Place points, shape (3, ..., M); ``poses`` are x, y, cosine, sine, shape (4, M)."""
    placed = np.empty_like(points)
    placed[0], placed[1] = _moved_flat(points[0], points[1], poses)
    placed[2] = points[2]
    return placed


def _turned(directions: Floats, poses: Floats) -> Floats:
    turned = np.empty_like(directions)
    turned[0] = directions[0] * poses[2] - directions[1] * poses[3]
    turned[1] = directions[0] * poses[3] + directions[1] * poses[2]
    turned[2] = directions[2]
    return turned


def _paint(
    albedo: Floats, roles: Whole, owner: Whole, things: Sequence[Placed], lit: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Give faces their owner's paint and lit lamps; return which faces shine."""
    paints = np.array([thing.paint for thing in things]).T / 255.0
    painted = np.flatnonzero(roles == PAINT)
    albedo[:, painted] *= paints[:, owner[painted]]
    lamps = np.flatnonzero(roles >= BRAKE)
    on = lit[owner[lamps], roles[lamps]]
    driving = (roles[lamps] == BRAKE) & lit[owner[lamps], HEAD] & ~on
    table = np.zeros((3, ROLES))
    for role, colour in LIT_COLOURS.items():
        table[:, role] = colour
    switched = lamps[on & (roles[lamps] != SHINING)]
    albedo[:, switched] = table[:, roles[switched]]
    albedo[:, lamps[driving]] = np.array(TAIL_COLOUR)[:, None]
    shining = np.zeros(len(roles), dtype=np.bool_)
    shining[lamps[on | driving]] = True
    return shining


def _ranges(ranges: Sequence[Whole], counts: Sequence[int]) -> Whole:
    first = np.cumsum([0, *counts[:-1]])
    moved: Whole = np.array(ranges).reshape(-1, DETAILS, 2) + first[:, None, None]
    return moved


def _lit_lamps(models: Sequence[Model], poses: Floats, lit: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    counts = [len(one.lamp_roles) for one in models]
    owner = np.repeat(np.arange(len(models)), counts)
    on = np.flatnonzero(lit[owner, np.concatenate([one.lamp_roles for one in models])])
    pose = poses[:, owner[on]]
    lamps = np.concatenate([one.lamps for one in models], axis=1)[:, on]
    lamps[:3] = _moved(lamps[:3], pose)
    colours = np.concatenate([one.lamp_colours for one in models], axis=1)[:, on]
    normals = np.concatenate([one.lamp_normals for one in models], axis=1)[:, on]
    return lamps, colours, _turned(normals, pose)
