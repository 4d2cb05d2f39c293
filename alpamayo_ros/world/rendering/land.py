"""What is taken of the land: roads and paths by a map, then whatever is placed beside them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.rendering.outline import strip
from alpamayo_ros.world.road_map import DRIVING, INTERNAL, WALKING_AREA, RoadMap

Floats = NDArray[np.float64]

CELL_M = 0.5
MARGIN_M = 60.0
SUBPIXEL_BITS = 4
FREE, PAVED, DRIVEN, TAKEN = 0, 1, 2, 3


class Land:
    """A coarse picture of a map that says of each cell what is there."""

    def __init__(self, road_map: RoadMap) -> None:
        left, bottom, right, top = road_map.bounds
        self._low = np.array([left - MARGIN_M, bottom - MARGIN_M])
        columns, rows = (
            np.ceil((np.array([right + MARGIN_M, top + MARGIN_M]) - self._low) / CELL_M).astype(int).tolist()
        )
        self._cells: NDArray[np.uint8] = np.zeros((rows, columns), dtype=np.uint8)
        driven: list[Floats] = list(road_map.junctions.values())
        for lane in road_map.lanes.values():
            half = lane.width_m / 2.0 + 0.3
            outline = lane.centre if lane.kind == WALKING_AREA else strip(lane.centre, -half, half)
            if lane.kind in {DRIVING, INTERNAL}:
                driven.append(outline)
            else:
                self.take(outline, PAVED)
        for outline in driven:
            self.take(outline, DRIVEN)

    def take(self, outline: Floats, what: int = TAKEN) -> None:
        """Say what is inside of an outline, shape (N, 2)."""
        if len(outline) > 2:
            cv2.fillPoly(self._cells, [self._pixels(outline)], (float(what),), cv2.LINE_8, SUBPIXEL_BITS)

    def is_free(self, outline: Floats) -> bool:
        """Tell whether nothing at all is inside of an outline and all of it lies on the land."""
        pixels = self._pixels(outline)
        low = np.floor(pixels.min(axis=0) / (1 << SUBPIXEL_BITS)).astype(int) - 1
        high = np.ceil(pixels.max(axis=0) / (1 << SUBPIXEL_BITS)).astype(int) + 2
        rows, columns = self._cells.shape
        if (low < 0).any() or high[0] > columns or high[1] > rows:
            return False
        part = self._cells[low[1] : high[1], low[0] : high[0]]
        mask = np.zeros(part.shape, dtype=np.uint8)
        cv2.fillPoly(mask, [pixels - (low << SUBPIXEL_BITS)], (255.0,), cv2.LINE_8, SUBPIXEL_BITS)
        return not part[mask > 0].any()

    def is_driven(self, x: float, y: float) -> bool:
        """Tell whether vehicles drive over a place."""
        column, row = np.round((np.array([x, y]) - self._low) / CELL_M - 0.5).astype(int).tolist()
        rows, columns = self._cells.shape
        return 0 <= row < rows and 0 <= column < columns and bool(self._cells[row, column] == DRIVEN)

    def _pixels(self, outline: Floats) -> NDArray[np.int32]:
        pixels = (outline - self._low) / CELL_M - 0.5
        return np.asarray(np.round(pixels * (1 << SUBPIXEL_BITS)), dtype=np.int32)
