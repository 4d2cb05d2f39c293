"""The street from above: one picture of the whole ground, with paint, dirt and shadows."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.lane import Lane
from alpamayo_ros.world.mesh import SUN, Colour, Mesh

METRES_PER_PX = 0.04
LEVELS = 6
"""Pictures of the ground, each half as fine as the one before."""
SUBPIXEL_BITS = 4
STRIPE_PX = 512
"""Rows that are worked on at once in wider numbers, so that the whole picture never is."""
STEP_M = 0.5
"""Distance between the corners of a strip along the lane."""

ASPHALT: Colour = (112.0, 108.0, 105.0)
PARKING: Colour = (124.0, 122.0, 120.0)
PAVEMENT: Colour = (168.0, 172.0, 174.0)
KERB: Colour = (196.0, 199.0, 200.0)
GUTTER: Colour = (88.0, 85.0, 83.0)
GRASS: Colour = (70.0, 132.0, 108.0)
YARD: Colour = (118.0, 142.0, 146.0)
PAINT: Colour = (222.0, 226.0, 226.0)
SHADOW = 0.56
"""What is left of the light in a shadow."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CrossSection:
    """Offsets across the street in m, from the ego lane's centre line, left positive."""

    right_wall: float = -9.2
    right_pavement: float = -7.2
    right_kerb: float = -4.25
    right_edge: float = -1.75
    middle: float = 1.75
    left_edge: float = 5.25
    left_kerb: float = 7.75
    left_pavement: float = 10.7
    left_wall: float = 12.7


CROSS_SECTION = CrossSection()


@dataclass(frozen=True, slots=True)
class Ground:
    """Pictures of the ground, from fine to coarse.

    Attributes:
        levels: Blue, green, red pictures; columns run along world x, rows along world y.
        x_m: World x of the centre of the first column of the finest level.
        y_m: World y of the centre of the first row of the finest level.
    """

    levels: tuple[Bytes, ...]
    x_m: float
    y_m: float


class GroundPainter:
    """Paints in street coordinates on one picture of the ground."""

    def __init__(self, lane: Lane, low: tuple[float, float], high: tuple[float, float]) -> None:
        self._lane = lane
        self._low = low
        width = round((high[0] - low[0]) / METRES_PER_PX)
        height = round((high[1] - low[1]) / METRES_PER_PX)
        self._picture: Bytes = np.empty((height, width, 3), dtype=np.uint8)
        self._picture[:] = np.array(GRASS, dtype=np.uint8)

    def strip(self, s0_m: float, s1_m: float, d0_m: float, d1_m: float, colour: Colour) -> None:
        """Paint the area between two positions and two offsets."""
        self.polygon(street_outline(self._lane, s0_m, s1_m, d0_m, d1_m), colour)

    def polygon(self, corners: NDArray[np.float64], colour: Colour) -> None:
        """Paint a polygon given in world coordinates, shape (N, 2)."""
        cv2.fillPoly(self._picture, [self._pixels(corners)], colour, cv2.LINE_AA, SUBPIXEL_BITS)

    def darken(self, outlines: Sequence[NDArray[np.float64]], light: float) -> None:
        """Leave only a part of the light inside the outlines, once where they overlap."""
        mask = np.zeros(self._picture.shape[:2], dtype=np.uint8)
        for outline in outlines:
            cv2.fillPoly(mask, [self._pixels(outline)], (255.0,), cv2.LINE_8, SUBPIXEL_BITS)
        soft = cv2.GaussianBlur(mask, (9, 9), 0)
        for row in range(0, len(soft), STRIPE_PX):
            part = self._picture[row : row + STRIPE_PX]
            kept = 1.0 - (1.0 - light) / 255.0 * soft[row : row + STRIPE_PX, :, None].astype(np.float32)
            part[:] = (part * kept).astype(np.uint8)

    def roughen(self, rng: np.random.Generator) -> None:
        """Add grain of several sizes, so that speed can be seen on an empty road."""
        height, width = self._picture.shape[:2]
        for row in range(0, height, STRIPE_PX):
            part = self._picture[row : row + STRIPE_PX]
            grain = rng.integers(-4, 5, size=part.shape[:2], dtype=np.int16)
            part[:] = np.clip(part + grain[:, :, None], 0, 255).astype(np.uint8)
        for cell_px, strength in ((9, 5.0), (60, 7.0), (300, 7.0)):
            shape = (height // cell_px + 2, width // cell_px + 2)
            coarse = rng.integers(0, 256, size=shape, dtype=np.uint8)
            patches = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
            for row in range(0, height, STRIPE_PX):
                part = self._picture[row : row + STRIPE_PX]
                offset = (patches[row : row + STRIPE_PX].astype(np.float32) / 255.0 - 0.5) * 2.0 * strength
                part[:] = np.clip(part + offset[:, :, None], 0, 255).astype(np.uint8)

    def ground(self) -> Ground:
        """Return the picture, softened against jagged edges close to the cameras, with its coarser levels."""
        levels = [np.asarray(cv2.GaussianBlur(self._picture, (3, 3), 0.8), dtype=np.uint8)]
        for _ in range(LEVELS - 1):
            finer = levels[-1]
            size = (finer.shape[1] // 2, finer.shape[0] // 2)
            levels.append(
                np.asarray(
                    cv2.resize(finer[: size[1] * 2, : size[0] * 2], size, interpolation=cv2.INTER_AREA), dtype=np.uint8
                )
            )
        half = METRES_PER_PX / 2.0
        return Ground(tuple(levels), self._low[0] + half, self._low[1] + half)

    def _pixels(self, corners: NDArray[np.float64]) -> NDArray[np.int32]:
        pixels = (corners - np.array(self._low)) / METRES_PER_PX - 0.5
        fixed: NDArray[np.int32] = np.round(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)
        return fixed


def street_outline(lane: Lane, s0_m: float, s1_m: float, d0_m: float, d1_m: float) -> NDArray[np.float64]:
    """Return the outline of an area in street coordinates as world points, shape (N, 2)."""
    count = max(2, round((s1_m - s0_m) / STEP_M) + 1)
    positions = [s0_m + (s1_m - s0_m) * i / (count - 1) for i in range(count)]
    there = [lane.point(s, d0_m) for s in positions]
    back = [lane.point(s, d1_m) for s in reversed(positions)]
    return np.array([(point.x, point.y) for point in [*there, *back]])


def shadow_outline(mesh: Mesh, height_m: float) -> NDArray[np.float64]:
    """Return the convex shadow that a thing of some height throws on the ground, shape (N, 2)."""
    shift = -SUN[:2] / SUN[2] * height_m
    both = np.concatenate([mesh.footprint, mesh.footprint + shift]).astype(np.float32)
    hull = cv2.convexHull(both)
    return hull.reshape(-1, 2).astype(np.float64)


def paint_street(painter: GroundPainter, lane: Lane, crossing_m: float, rng: np.random.Generator) -> None:
    """Paint everything flat: surfaces, grain, kerbs, lines, the crossing."""
    cross = CROSS_SECTION
    first, last = lane.first_m, lane.last_m
    painter.strip(first, last, cross.right_wall - 9.0, cross.left_wall + 9.0, YARD)
    painter.strip(first, last, cross.right_wall, cross.right_pavement, GRASS)
    painter.strip(first, last, cross.left_pavement, cross.left_wall, GRASS)
    painter.strip(first, last, cross.right_pavement, cross.left_pavement, PAVEMENT)
    for joint in range(int(first), int(last)):
        for d0, d1 in ((cross.right_pavement, cross.right_kerb), (cross.left_kerb, cross.left_pavement)):
            painter.strip(joint, joint + 0.05, d0, d1, (146.0, 150.0, 152.0))
    painter.strip(first, last, cross.right_kerb, cross.left_kerb, PARKING)
    painter.strip(first, last, cross.right_edge - 0.2, cross.left_edge + 0.2, ASPHALT)
    for wheel in (-0.8, 0.8):
        for centre in (0.0, 2.0 * cross.middle):
            painter.strip(first, last, centre + wheel - 0.28, centre + wheel + 0.28, (104.0, 100.0, 97.0))
    _paint_repairs(painter, lane, rng)
    painter.roughen(rng)
    for kerb, inwards in ((cross.right_kerb, 1.0), (cross.left_kerb, -1.0)):
        painter.strip(first, last, kerb, kerb + inwards * 0.35, GUTTER)
        painter.strip(first, last, kerb, kerb - inwards * 0.18, KERB)
    _paint_lines(painter, lane, crossing_m)


def _paint_repairs(painter: GroundPainter, lane: Lane, rng: np.random.Generator) -> None:
    """Paint patches of newer asphalt and manholes."""
    for start in range(int(lane.first_m) + 4, int(lane.last_m) - 8, 9):
        s_m = start + float(rng.uniform(0.0, 5.0))
        d_m = float(rng.uniform(-1.4, 3.6))
        shade = float(rng.uniform(-13.0, 6.0))
        colour = (ASPHALT[0] + shade, ASPHALT[1] + shade, ASPHALT[2] + shade)
        painter.strip(s_m, s_m + float(rng.uniform(1.2, 4.0)), d_m, d_m + float(rng.uniform(0.6, 1.5)), colour)
    for start in range(int(lane.first_m) + 7, int(lane.last_m) - 4, 21):
        centre = lane.point(start + float(rng.uniform(0.0, 3.0)), float(rng.choice([0.1, 3.4])))
        angles = np.linspace(0.0, 2.0 * np.pi, 20, endpoint=False)
        circle = np.stack([centre.x + 0.36 * np.cos(angles), centre.y + 0.36 * np.sin(angles)], axis=1)
        painter.polygon(circle, (72.0, 70.0, 68.0))


def _paint_lines(painter: GroundPainter, lane: Lane, crossing_m: float) -> None:
    """Paint edge lines, the dashed middle line, parking bays, stop lines and the crossing."""
    cross = CROSS_SECTION
    gap = (crossing_m - 2.6, crossing_m + 5.6)
    stretches = ((lane.first_m, gap[0]), (gap[1], lane.last_m))
    for s0, s1 in stretches:
        for edge in (cross.right_edge, cross.left_edge):
            painter.strip(s0, s1, edge - 0.07, edge + 0.07, PAINT)
    for dash in range(int(lane.first_m), int(lane.last_m) - 3, 6):
        if dash + 3.0 < gap[0] - 8.0 or dash > gap[1] + 8.0:
            painter.strip(dash, dash + 3.0, cross.middle - 0.07, cross.middle + 0.07, PAINT)
    for s0, s1 in ((gap[0] - 12.0, gap[0]), (gap[1], gap[1] + 12.0)):
        painter.strip(s0, s1, cross.middle - 0.07, cross.middle + 0.07, PAINT)
    for bay in range(int(lane.first_m), int(lane.last_m) - 1, 6):
        if bay < gap[0] - 3.0 or bay > gap[1] + 3.0:
            painter.strip(bay, bay + 0.1, cross.right_kerb + 0.35, cross.right_edge - 0.2, PAINT)
            painter.strip(bay, bay + 0.1, cross.left_edge + 0.2, cross.left_kerb - 0.35, PAINT)
    painter.strip(gap[0], gap[0] + 0.45, cross.right_edge, cross.middle - 0.1, PAINT)
    painter.strip(gap[1] - 0.45, gap[1], cross.middle + 0.1, cross.left_edge, PAINT)
    bar = cross.right_kerb + 0.4
    while bar + 0.5 < cross.left_kerb - 0.3:
        painter.strip(crossing_m, crossing_m + 3.0, bar, bar + 0.5, PAINT)
        bar += 1.0
