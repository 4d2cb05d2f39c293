"""One kind of thing in all its levels of detail, packed so that many can be placed at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.rendering.mesh import Mesh

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

DETAILS = 4
"""Levels of detail of a model: near, middle, far, distant."""


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The meshes of a thing; arrays hold the levels one after the other.

    Attributes:
        corners: x, y, z of the four corners of each face, shape (3, 4, F), m; long rows are what NumPy is quick with.
        middles: x, y, z of the faces' middles, shape (3, F).
        normals: Unit normals, shape (3, F).
        colours: Shape (3, F).
        roles: Shape (F,).
        balls: x, y, z and radius, shape (4, B).
        ball_colours: Shape (3, B).
        lamps: x, y, z and radius, shape (4, L).
        lamp_roles: Shape (L,).
        lamp_colours: Shape (3, L).
        lamp_normals: Shape (3, L).
        face_ranges: First and last + 1 face of each level, shape (DETAILS, 2).
        ball_ranges: The same for balls.
        centre: Middle of a ball around everything, shape (3,).
        radius: Of that ball.
        height: Of the highest corner.
        footprint: Convex outline on the ground, counter-clockwise, shape (4, 2).
        sort_faces: Whether faces must be painted far to near instead of in their order.
    """

    corners: Floats
    middles: Floats
    normals: Floats
    colours: Floats
    roles: Whole
    balls: Floats
    ball_colours: Floats
    lamps: Floats
    lamp_roles: Whole
    lamp_colours: Floats
    lamp_normals: Floats
    face_ranges: Whole
    ball_ranges: Whole
    centre: Floats
    radius: float
    height: float
    footprint: Floats
    sort_faces: bool


def model(*meshes: Mesh) -> Model:
    """Pack a thing's meshes from near to far; the last one stands for every level that is not given."""
    near = meshes[0]
    corners = np.concatenate([mesh.corners for mesh in meshes])
    faces = np.cumsum([0] + [len(mesh.roles) for mesh in meshes])
    balls = np.cumsum([0] + [len(mesh.balls) for mesh in meshes])
    level = np.minimum(np.arange(DETAILS), len(meshes) - 1)
    low, high = near.low, near.high
    return Model(
        corners=np.ascontiguousarray(corners.transpose(2, 1, 0)),
        middles=_rows(corners.mean(axis=1)),
        normals=_rows(_normals(corners)),
        colours=_rows(np.concatenate([mesh.colours for mesh in meshes])),
        roles=np.concatenate([mesh.roles for mesh in meshes]),
        balls=_rows(np.concatenate([mesh.balls for mesh in meshes])),
        ball_colours=_rows(np.concatenate([mesh.ball_colours for mesh in meshes])),
        lamps=_rows(near.lamps),
        lamp_roles=near.lamp_roles,
        lamp_colours=_rows(near.lamp_colours),
        lamp_normals=_rows(near.lamp_normals),
        face_ranges=np.stack([faces[level], faces[level + 1]], axis=1),
        ball_ranges=np.stack([balls[level], balls[level + 1]], axis=1),
        centre=(low + high) / 2.0,
        radius=float(np.sqrt(((high - low) ** 2).sum())) / 2.0,
        height=float(high[2]),
        footprint=near.footprint,
        sort_faces=near.sort_faces,
    )


def _rows(values: Floats) -> Floats:
    return np.ascontiguousarray(values.T)


def _normals(corners: Floats) -> Floats:
    """Return the unit normals of quadrilaterals: across both diagonals; of triangles as well."""
    one, other = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    across: Floats = np.cross(one, other)
    length = np.sqrt((across**2).sum(axis=1))
    unit: Floats = across / np.maximum(length, 1e-12)[:, None]
    return unit
