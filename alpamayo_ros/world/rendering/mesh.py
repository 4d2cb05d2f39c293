"""Flat-coloured faces with four corners, and balls: what everything above the ground is made of."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]
Colour = tuple[float, float, float]
Floats = NDArray[np.float64]

PLAIN, PAINT, BRAKE, LEFT, RIGHT, HEAD, SHINING = range(7)
"""Roles of a face: its own colour, its owner's paint, lamps that its owner lights or not, a lamp that is always lit."""
LIT_COLOURS: dict[int, Colour] = {
    BRAKE: (40.0, 24.0, 255.0),
    LEFT: (30.0, 165.0, 255.0),
    RIGHT: (30.0, 165.0, 255.0),
    HEAD: (235.0, 250.0, 255.0),
}


@dataclass(frozen=True, slots=True)
class Mesh:
    """Faces and balls of one object, in the order in which those that are seen may be painted over each other.

    Attributes:
        corners: Of each face, counter-clockwise from outside, shape (F, 4, 3), m.
        colours: Blue, green, red of each face in full light, 0 to 255, shape (F, 3).
        roles: What each face is, shape (F,).
        balls: Centre and radius of each ball, shape (B, 4), m.
        ball_colours: Shape (B, 3).
        lamps: Middle and radius of each lamp, shape (L, 4), m.
        lamp_roles: Shape (L,).
        lamp_colours: Colour of each lamp when it is lit, shape (L, 3).
        lamp_normals: Where each lamp shines to, shape (L, 3).
        footprint: Convex outline on the ground, counter-clockwise, shape (4, 2), m.
        sort_faces: Whether faces must be painted far to near instead of in their order.
    """

    corners: Floats
    colours: Floats
    roles: NDArray[np.int64]
    balls: Floats
    ball_colours: Floats
    lamps: Floats
    lamp_roles: NDArray[np.int64]
    lamp_colours: Floats
    lamp_normals: Floats
    footprint: Floats
    sort_faces: bool

    @property
    def low(self) -> Floats:
        """Least x, y, z of everything, shape (3,)."""
        found: Floats = np.concatenate([self.corners.reshape(-1, 3), self.balls[:, :3] - self.balls[:, 3:]]).min(axis=0)
        return found

    @property
    def high(self) -> Floats:
        """Greatest x, y, z of everything, shape (3,)."""
        found: Floats = np.concatenate([self.corners.reshape(-1, 3), self.balls[:, :3] + self.balls[:, 3:]]).max(axis=0)
        return found


@dataclass
class MeshBuilder:
    """Collects faces; outward is the side from which the corners run counter-clockwise."""

    footprint: Sequence[tuple[float, float]]
    _corners: list[Sequence[Point]] = field(default_factory=list)
    _colours: list[Colour] = field(default_factory=list)
    _roles: list[int] = field(default_factory=list)
    _balls: list[tuple[float, float, float, float]] = field(default_factory=list)
    _ball_colours: list[Colour] = field(default_factory=list)
    _lamps: list[tuple[tuple[float, float, float, float], int, Point, Colour]] = field(default_factory=list)

    def face(self, corners: Sequence[Point], colour: Colour, role: int = PLAIN) -> None:
        """Add one convex face with three or more corners."""
        for start in range(1, len(corners) - 1, 2):
            quad = [corners[0], *corners[start : start + 3]]
            self._corners.append(quad if len(quad) == 4 else [*quad, quad[-1]])
            self._colours.append(colour)
            self._roles.append(role)

    def box(self, low: Point, high: Point, colour: Colour, *, top: Colour | None = None, role: int = PLAIN) -> None:
        """Add an axis-aligned box without its bottom."""
        (x0, y0, z0), (x1, y1, z1) = low, high
        self.face([(x0, y0, z0), (x0, y0, z1), (x0, y1, z1), (x0, y1, z0)], colour, role)
        self.face([(x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)], colour, role)
        self.face([(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)], colour, role)
        self.face([(x0, y1, z0), (x0, y1, z1), (x1, y1, z1), (x1, y1, z0)], colour, role)
        self.face([(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)], top or colour, role)

    def bar(self, low: Point, high: Point, half_x: float, half_y: float, colour: Colour, role: int = PLAIN) -> None:
        """Add the four long sides of a bar between two points; its cross-section lies flat."""
        ring = ((-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y))
        below = [(low[0] + dx, low[1] + dy, low[2]) for dx, dy in ring]
        above = [(high[0] + dx, high[1] + dy, high[2]) for dx, dy in ring]
        for i in range(4):
            j = (i + 1) % 4
            self.face([below[i], below[j], above[j], above[i]], colour, role)

    def disc(self, centre: Point, radius: float, colour: Colour, side: float, sides: int = 8) -> None:
        """Add an upright disc that is seen from where y has the sign of ``side``."""
        x, y, z = centre
        angles = [2.0 * math.pi * (i + 0.5) / sides for i in range(sides)]
        ring = [(x - side * radius * math.cos(angle), y, z + radius * math.sin(angle)) for angle in angles]
        self.face(ring, colour)

    def tapered(self, rings: Sequence[Sequence[Point]], colour: Colour, role: int = PLAIN) -> None:
        """Add the faces between rings that run counter-clockwise seen from above, and the top of the last one."""
        for lower, upper in itertools.pairwise(rings):
            count = len(lower)
            for i in range(count):
                j = (i + 1) % count
                self.face([lower[i], lower[j], upper[j], upper[i]], colour, role)
        self.face(rings[-1], colour, role)

    def ball(self, centre: Point, radius: float, colour: Colour) -> None:
        """Add a ball."""
        self._balls.append((*centre, radius))
        self._ball_colours.append(colour)

    def lamp(self, centre: Point, radius: float, normal: Point, role: int, colour: Colour | None = None) -> None:
        """Say where light comes from when the role is lit; the face itself is added apart."""
        self._lamps.append(((*centre, radius), role, normal, LIT_COLOURS[role] if colour is None else colour))

    def build(self, *, sort_faces: bool = False) -> Mesh:
        """Return the mesh."""
        return Mesh(
            np.array(self._corners, dtype=np.float64).reshape(-1, 4, 3),
            np.array(self._colours, dtype=np.float64).reshape(-1, 3),
            np.array(self._roles, dtype=np.int64),
            np.array(self._balls, dtype=np.float64).reshape(-1, 4),
            np.array(self._ball_colours, dtype=np.float64).reshape(-1, 3),
            np.array([lamp for lamp, _, _, _ in self._lamps], dtype=np.float64).reshape(-1, 4),
            np.array([role for _, role, _, _ in self._lamps], dtype=np.int64),
            np.array([colour for _, _, _, colour in self._lamps], dtype=np.float64).reshape(-1, 3),
            np.array([normal for _, _, normal, _ in self._lamps], dtype=np.float64).reshape(-1, 3),
            np.array(self.footprint, dtype=np.float64).reshape(4, 2),
            sort_faces,
        )


def rectangle(length: float, width: float) -> list[tuple[float, float]]:
    """Return a footprint around the origin, counter-clockwise; the length runs along x."""
    x, y = length / 2.0, width / 2.0
    return [(-x, -y), (x, -y), (x, y), (-x, y)]
