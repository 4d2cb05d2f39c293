"""Flat-coloured convex faces: what everything above the ground is made of."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]
Colour = tuple[float, float, float]
Floats = NDArray[np.float64]

SUN = np.array([-0.42, 0.36, 0.833])
"""Direction towards the sun: behind the vehicle's left shoulder at the start, 56 degrees high."""
SUN = SUN / np.linalg.norm(SUN)
AMBIENT = 0.62
DIFFUSE = 0.46


@dataclass(frozen=True, slots=True)
class Mesh:
    """Faces of one object, in the order in which its visible faces may be painted over each other.

    Attributes:
        vertices: Corners of all faces, shape (V, 3), m.
        sizes: Number of corners of each face, shape (F,).
        colours: Blue, green, red of each face in full light, 0 to 255, shape (F, 3).
        normals: Unit outward normals, shape (F, 3).
        plain: Faces that are not shaded: lamps and leaves, whose colour says it already, shape (F,).
        footprint: Convex outline on the ground, counter-clockwise, shape (4, 2), m.
        sort_faces: Whether faces must be painted far to near instead of in their order.
    """

    vertices: Floats
    sizes: NDArray[np.int64]
    colours: Floats
    normals: Floats
    plain: NDArray[np.bool_]
    footprint: Floats
    sort_faces: bool = False

    def placed(self, x: float, y: float, heading: float) -> "Mesh":
        """Return the same object moved and turned on the ground."""
        c, s = math.cos(heading), math.sin(heading)
        turn = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
        return Mesh(
            self.vertices @ turn + np.array([x, y, 0.0]),
            self.sizes,
            self.colours,
            self.normals @ turn,
            self.plain,
            self.footprint @ turn[:2, :2] + np.array([x, y]),
            self.sort_faces,
        )

    def shaded_colours(self) -> Floats:
        """Return the colour of each face under the sun, shape (F, 3)."""
        light = AMBIENT + DIFFUSE * np.clip(self.normals @ SUN, 0.0, 1.0)
        light[self.plain] = 1.0
        shaded: Floats = np.clip(self.colours * light[:, None], 0.0, 255.0)
        return shaded


@dataclass
class MeshBuilder:
    """Collects faces; outward is the side from which the corners run counter-clockwise."""

    footprint: Sequence[tuple[float, float]]
    _vertices: list[Point] = field(default_factory=list)
    _sizes: list[int] = field(default_factory=list)
    _colours: list[Colour] = field(default_factory=list)
    _plain: list[bool] = field(default_factory=list)

    def face(self, corners: Sequence[Point], colour: Colour, *, plain: bool = False) -> None:
        """Add one convex face."""
        self._vertices.extend(corners)
        self._sizes.append(len(corners))
        self._colours.append(colour)
        self._plain.append(plain)

    def box(self, low: Point, high: Point, colour: Colour, *, top: Colour | None = None, plain: bool = False) -> None:
        """Add an axis-aligned box without its bottom."""
        (x0, y0, z0), (x1, y1, z1) = low, high
        self.face([(x0, y0, z0), (x0, y0, z1), (x0, y1, z1), (x0, y1, z0)], colour, plain=plain)
        self.face([(x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)], colour, plain=plain)
        self.face([(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)], colour, plain=plain)
        self.face([(x0, y1, z0), (x0, y1, z1), (x1, y1, z1), (x1, y1, z0)], colour, plain=plain)
        self.face([(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)], top or colour, plain=plain)

    def ball(self, centre: Point, radius: float, colour: Colour, rng: np.random.Generator, sides: int = 9) -> None:
        """Add a ragged ball of leaves, three rings high."""
        rings = ((-0.95, 0.42), (-0.35, 0.98), (0.45, 0.90), (0.98, 0.30))
        ragged = rng.uniform(0.86, 1.10, size=(len(rings), sides)) * radius
        turn = 2.0 * math.pi / sides
        corners = [
            [
                (
                    centre[0] + reach * width * math.cos(turn * i),
                    centre[1] + reach * width * math.sin(turn * i),
                    centre[2] + reach * height,
                )
                for i, reach in enumerate(ragged[level].tolist())
            ]
            for level, (height, width) in enumerate(rings)
        ]
        for lower, upper in itertools.pairwise(corners):
            for i in range(sides):
                j = (i + 1) % sides
                light = float(rng.uniform(0.86, 1.14))
                leaves = (colour[0] * light, colour[1] * light, colour[2] * light)
                self.face([lower[i], lower[j], upper[j], upper[i]], leaves)
        self.face(corners[-1], colour)

    def build(self, *, sort_faces: bool = False) -> Mesh:
        """Return the mesh; normals are those of each face's plane (Newell's method)."""
        vertices = np.array(self._vertices, dtype=np.float64).reshape(-1, 3)
        sizes = np.array(self._sizes, dtype=np.int64)
        normals = np.zeros((len(sizes), 3))
        start = 0
        for index, size in enumerate(sizes):
            corners = vertices[start : start + size]
            following = np.roll(corners, -1, axis=0)
            normal = np.cross(corners, following).sum(axis=0)
            length = float(np.linalg.norm(normal))
            if length <= 0.0:
                raise ValueError(f"face {index} has no area; expected at least three corners that are not in a line")
            normals[index] = normal / length
            start += size
        return Mesh(
            vertices,
            sizes,
            np.array(self._colours, dtype=np.float64).reshape(-1, 3),
            normals,
            np.array(self._plain, dtype=np.bool_),
            np.array(self.footprint, dtype=np.float64),
            sort_faces,
        )
