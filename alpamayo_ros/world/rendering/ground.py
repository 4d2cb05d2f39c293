"""The ground from above: surfaces, kerbs, paint and shadows of a road map, as fine as a camera needs."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.rendering.light import Light
from alpamayo_ros.world.rendering.mesh import Colour
from alpamayo_ros.world.rendering.outline import beside, dashes, length_of, piece, places, strip
from alpamayo_ros.world.road_map import CROSSING, DRIVING, INTERNAL, SIDEWALK, WALKING_AREA, Lane, RoadMap

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

COARSE_M = 0.5
"""Metres per px of the picture of the whole map."""
COARSE_LEVELS = 5
MARGIN_M = 60.0
"""How much ground is painted around the lanes."""
SUBPIXEL_BITS = 4

ASPHALT: Colour = (106.0, 103.0, 100.0)
JUNCTION: Colour = (103.0, 100.0, 98.0)
PAVEMENT: Colour = (160.0, 165.0, 168.0)
KERB: Colour = (190.0, 194.0, 196.0)
GUTTER: Colour = (84.0, 82.0, 80.0)
GRASS: Colour = (66.0, 124.0, 102.0)
YARD: Colour = (112.0, 138.0, 140.0)
PAINT: Colour = (224.0, 228.0, 228.0)

LINE_M = 0.14
EDGE_INSET_M = 0.22
"""How far the middle of an edge line lies inside of the lane's border."""
DASH_M, GAP_M = 3.0, 4.5
STOP_LINE_M = 0.45
BAR_M, BAR_STEP_M = 0.5, 1.0
KERB_M = 0.22
GRAIN_PX = 512
GRAIN_CELLS = ((2, 3.0), (8, 4.0), (64, 6.0))
"""Size in px of 0.125 m and strength of each layer of the ground's grain."""
GRAIN_M = 0.125


@dataclass(frozen=True, slots=True)
class Patch:
    """A flat area of one colour; ``thin_m`` is the width of a line that may be finer than a pixel, else 0."""

    outline: Floats
    colour: Colour
    thin_m: float = 0.0
    below: Colour = ASPHALT


@dataclass(frozen=True, slots=True)
class Ground:
    """Pictures of a rectangle of ground, each half as fine as the one before.

    Attributes:
        levels: Blue, green, red; columns run along world x, rows along world y.
        metres_per_px: Of the finest level.
        x_m: World x of the centre of the first column of the finest level.
        y_m: World y of the centre of the first row of the finest level.
    """

    levels: tuple[Bytes, ...]
    metres_per_px: float
    x_m: float
    y_m: float


class GroundPainter:
    """Paints any part of one map's ground at any fineness."""

    def __init__(self, road_map: RoadMap, patches: Sequence[Patch], shadows: Sequence[Floats], light: Light) -> None:
        """Collect what is painted.

        Args:
            road_map: The map.
            patches: Painted below the road: yards.
            shadows: Outlines of what is in the shadow, each shape (N, 2).
            light: Of sun and sky; pictures are painted as by day, whose fine differences a night would lose.
        """
        self._patches = [*patches, *road_patches(road_map)]
        self._low = np.array([patch.outline.min(axis=0) for patch in self._patches]).reshape(-1, 2)
        self._high = np.array([patch.outline.max(axis=0) for patch in self._patches]).reshape(-1, 2)
        self._shadows = list(shadows)
        self._sunny, self._shady = light.ground, light.ground * light.shadow
        self._bounds = road_map.bounds

    @property
    def outside(self) -> Colour:
        """Colour of the ground beyond every picture."""
        return GRASS[0] * self._sunny, GRASS[1] * self._sunny, GRASS[2] * self._sunny

    def whole(self) -> Ground:
        """Paint the whole map coarsely."""
        left, bottom, right, top = self._bounds
        low = np.floor(np.array([left - MARGIN_M, bottom - MARGIN_M]) / 8.0) * 8.0
        size = np.ceil((np.array([right + MARGIN_M, top + MARGIN_M]) - low) / 8.0) * 8.0
        return self._ground(low, size, COARSE_M, COARSE_LEVELS)

    def part(self, middle: tuple[float, float], width_m: float, metres_per_px: float, levels: int) -> Ground:
        """Paint a square."""
        size = np.array([width_m, width_m])
        return self._ground(np.array(middle) - size / 2.0, size, metres_per_px, levels)

    def _ground(self, low: Floats, size: Floats, metres_per_px: float, levels: int) -> Ground:
        columns, rows = np.round(size / metres_per_px).astype(int).tolist()
        picture: Bytes = np.empty((rows, columns, 3), dtype=np.uint8)
        cv2.rectangle(picture, (0, 0), (columns, rows), GRASS, cv2.FILLED)
        high = low + size
        inside = ((self._low < high) & (self._high > low)).all(axis=1)
        for index in np.flatnonzero(inside).tolist():
            patch = self._patches[index]
            pixels = _pixels(patch.outline, low, metres_per_px)
            if not patch.thin_m:
                cv2.fillPoly(picture, [pixels], patch.colour, cv2.LINE_AA, SUBPIXEL_BITS)
                continue
            # Smoothed edges make polygons about a pixel wider; thin ones become lines, as bright as they are wide.
            ends = pixels.reshape(2, -1, 2)
            middle = (ends[0] + ends[1, ::-1]) // 2
            width = patch.thin_m / metres_per_px
            if width < 2.0:
                share = min(1.0, width)
                colour = tuple(
                    one * share + other * (1.0 - share) for one, other in zip(patch.colour, patch.below, strict=True)
                )
                cv2.polylines(picture, [middle], False, colour, 1, cv2.LINE_AA, SUBPIXEL_BITS)  # noqa: FBT003
                continue
            slim = np.concatenate([middle, middle[::-1]]) + (
                (pixels - np.concatenate([middle, middle[::-1]])) * (1.0 - 0.8 / width)
            )
            cv2.fillPoly(picture, [slim.astype(np.int32)], patch.colour, cv2.LINE_AA, SUBPIXEL_BITS)
        _roughen(picture, low, metres_per_px)
        self._light(picture, low, metres_per_px)
        pictures = [picture]
        for _ in range(levels - 1):
            finer = pictures[-1]
            pictures.append(
                np.asarray(
                    cv2.resize(finer, (finer.shape[1] // 2, finer.shape[0] // 2), interpolation=cv2.INTER_AREA),
                    dtype=np.uint8,
                )
            )
        half = metres_per_px / 2.0
        return Ground(tuple(pictures), metres_per_px, float(low[0]) + half, float(low[1]) + half)

    def _light(self, picture: Bytes, low: Floats, metres_per_px: float) -> None:
        """Apply sun and shadow."""
        sunny, shady = (
            np.clip(np.round(np.arange(256) * share), 0, 255).astype(np.uint8) for share in (self._sunny, self._shady)
        )
        outlines = [_pixels(outline, low, metres_per_px) for outline in self._shadows]
        high = np.array(picture.shape[1::-1]) << SUBPIXEL_BITS
        outlines = [one for one in outlines if (one.max(axis=0) > 0).all() and (one.min(axis=0) < high).all()]
        mask = np.zeros(picture.shape[:2], dtype=np.uint8)
        for outline in outlines:
            cv2.fillPoly(mask, [outline], (255.0,), cv2.LINE_8, SUBPIXEL_BITS)
        shadow = cv2.LUT(picture, shady) if outlines else picture
        cv2.LUT(picture, sunny, picture)
        if outlines:
            cv2.copyTo(shadow, mask, picture)


def _pixels(outline: Floats, low: Floats, metres_per_px: float) -> NDArray[np.int32]:
    pixels = (outline - low) / metres_per_px - 0.5
    return np.round(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)


@functools.lru_cache(maxsize=8)
def _grain(metres_per_px: float) -> tuple[Bytes, Bytes]:
    """Return what is added to and taken from the ground, a tile that continues at its edges."""
    rng = np.random.default_rng(23)
    total = np.zeros((GRAIN_PX, GRAIN_PX), dtype=np.float32)
    for cell, strength in GRAIN_CELLS:
        coarse = rng.random((GRAIN_PX // cell, GRAIN_PX // cell), dtype=np.float32) * 2.0 - 1.0
        wrapped = np.pad(coarse, 2, mode="wrap")
        fine = cv2.resize(wrapped, None, fx=cell, fy=cell, interpolation=cv2.INTER_LINEAR)
        total += np.float32(strength) * fine[2 * cell : 2 * cell + GRAIN_PX, 2 * cell : 2 * cell + GRAIN_PX]
    size = round(GRAIN_PX * GRAIN_M / metres_per_px)
    interpolation = cv2.INTER_AREA if metres_per_px > GRAIN_M else cv2.INTER_LINEAR
    total = np.asarray(cv2.resize(total, (size, size), interpolation=interpolation), dtype=np.float32)
    more, less = np.clip(np.round(total), 0, 40), np.clip(np.round(-total), 0, 40)
    return (
        np.repeat(more.astype(np.uint8)[:, :, None], 3, axis=2),
        np.repeat(less.astype(np.uint8)[:, :, None], 3, axis=2),
    )


def _roughen(picture: Bytes, low: Floats, metres_per_px: float) -> None:
    """Add grain that stays at its place in the world, so that speed can be seen on an empty road."""
    more, less = _grain(metres_per_px)
    size = len(more)
    column, row = (np.round(low / metres_per_px).astype(int) % size).tolist()
    more, less = (np.roll(tile, (-row, -column), axis=(0, 1)) for tile in (more, less))
    for top in range(0, picture.shape[0], size):
        for left in range(0, picture.shape[1], size):
            part = picture[top : top + size, left : left + size]
            rows, columns = part.shape[:2]
            cv2.add(part, more[:rows, :columns], part)
            cv2.subtract(part, less[:rows, :columns], part)


def road_patches(road_map: RoadMap) -> list[Patch]:
    """Return everything that is painted of a map, what lies below first."""
    lanes = list(road_map.lanes.values())
    driven = [lane for lane in lanes if lane.kind in {DRIVING, INTERNAL}]
    walked = [lane for lane in lanes if lane.kind == SIDEWALK]
    areas = [lane.centre for lane in lanes if lane.kind == WALKING_AREA and len(lane.centre) > 2]
    patches = [Patch(_lane_outline(lane, 0.12), KERB) for lane in walked]
    patches += [Patch(area, PAVEMENT) for area in areas]
    patches += [Patch(_lane_outline(lane, 0.0), PAVEMENT) for lane in walked]
    roads = [lane for lane in driven if lane.kind == DRIVING]
    patches += [Patch(_lane_outline(lane, KERB_M), KERB) for lane in roads]
    patches += [Patch(_lane_outline(lane, 0.04), GUTTER) for lane in roads]
    patches += [Patch(shape, JUNCTION) for shape in road_map.junctions.values()]
    patches += [Patch(area, PAVEMENT) for area in areas]
    patches += [Patch(_lane_outline(lane, 0.0), JUNCTION) for lane in driven if lane.kind == INTERNAL]
    patches += [Patch(_lane_outline(lane, 0.0), ASPHALT) for lane in roads]
    for lane in roads:
        for wheel in (-0.85, 0.85):
            patches.append(Patch(strip(lane.centre, wheel - 0.28, wheel + 0.28), (98.0, 95.0, 93.0), 0.56))
    for lane in lanes:
        if lane.kind == CROSSING:
            patches.append(Patch(_lane_outline(lane, 0.0), JUNCTION))
            patches += _zebra(lane)
    for lane in roads:
        patches += _lines(lane)
    for line in road_map.stop_lines.values():
        patches.append(_stop_line(line))
    return patches


def _lane_outline(lane: Lane, more_m: float) -> Floats:
    half = lane.width_m / 2.0 + more_m
    return strip(lane.centre, -half, half)


def _lines(lane: Lane) -> list[Patch]:
    """Return the lines at both borders of a lane; a dashed one is shared with the neighbour."""
    patches: list[Patch] = []
    half = lane.width_m / 2.0
    for side, kind in ((1.0, lane.left_line), (-1.0, lane.right_line)):
        if kind == "none":
            continue
        middle = side * (half - (EDGE_INSET_M if kind == "solid" else 0.0))
        line = beside(lane.centre, middle)
        if kind == "solid":
            patches.append(Patch(strip(line, -LINE_M / 2.0, LINE_M / 2.0), PAINT, LINE_M))
            continue
        for start, end in dashes(length_of(line), DASH_M, GAP_M):
            patches.append(Patch(strip(piece(line, start, end), -LINE_M / 2.0, LINE_M / 2.0), PAINT, LINE_M))
    return patches


def _stop_line(line: Floats) -> Patch:
    """Return the paint of a stop line: it ends where the lane ends, and leaves room for the lines beside it."""
    left, right = line[0], line[1]
    across = (right - left) / max(float(np.hypot(*(right - left))), 1e-9)
    back = np.array([across[1], -across[0]]) * STOP_LINE_M
    left, right = left + 0.15 * across, right - 0.15 * across
    return Patch(np.stack([left, right, right + back, left + back]), PAINT, STOP_LINE_M)


def _zebra(lane: Lane) -> list[Patch]:
    """Return the bars of a crossing: they lie along the traffic, one after the other along the way of the people."""
    length = length_of(lane.centre)
    count = int((length - 0.4) // BAR_STEP_M)
    first = (length - (count - 1) * BAR_STEP_M) / 2.0
    patches: list[Patch] = []
    points, headings = places(lane.centre, first + np.arange(max(0, count), dtype=np.float64) * BAR_STEP_M)
    reach = lane.width_m / 2.0 - 0.25
    for point, heading in zip(points, headings.tolist(), strict=True):
        along = np.array([np.cos(heading), np.sin(heading)]) * BAR_M / 2.0
        side = np.array([-np.sin(heading), np.cos(heading)]) * reach
        corners = np.stack([point - along - side, point - along + side, point + along + side, point + along - side])
        patches.append(Patch(corners, PAINT, BAR_M))
    return patches
