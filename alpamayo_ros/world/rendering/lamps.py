"""Light at night: street lamps on a map, and the ego vehicle's headlights."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.snapshot import EgoState

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

CELL_M = 0.5
POOL_M = 7.0
"""Distance from a street lamp's foot at which its light on the ground is 61 % of that below it."""
LAMP_LIGHT = (0.40, 0.52, 0.60)
"""Light of a street lamp straight below it, as a share of daylight: blue, green, red."""
UPRIGHT = 0.6
"""Share of a street lamp's light that reaches upright faces."""
HEADLIGHT = (0.80, 0.86, 0.88)
BEAM_REACH_M = 32.0
BEAM_RAD = 0.52
BEAM_FROM_M = 3.6
"""Where the headlights are ahead of the rear axle."""


class LightMap:
    """How much light of street lamps falls on each place."""

    def __init__(self, lamps: Floats, bounds: tuple[float, float, float, float]) -> None:
        """Add up the light of all lamps.

        Args:
            lamps: Shape (N, 2), m.
            bounds: Of the map: smallest x and y, largest x and y.
        """
        margin = 4.0 * POOL_M
        self._low = np.array(bounds[:2]) - margin
        columns, rows = np.ceil((np.array(bounds[2:]) + margin - self._low) / CELL_M).astype(int).tolist()
        total = np.zeros((rows, columns), dtype=np.float32)
        reach = round(3.0 * POOL_M / CELL_M)
        offsets = np.arange(-reach, reach + 1) * CELL_M
        pool = np.exp(-(offsets[None, :] ** 2 + offsets[:, None] ** 2) / (2.0 * POOL_M**2)).astype(np.float32)
        for x, y in lamps.tolist():
            column, row = round((x - self._low[0]) / CELL_M - 0.5), round((y - self._low[1]) / CELL_M - 0.5)
            left, top = max(0, column - reach), max(0, row - reach)
            right, bottom = min(columns, column + reach + 1), min(rows, row + reach + 1)
            if left < right and top < bottom:
                part = pool[top - row + reach : bottom - row + reach, left - column + reach : right - column + reach]
                total[top:bottom, left:right] += part
        self._share = np.minimum(total, np.float32(1.2))

    def at(self, points: Floats) -> Floats:
        """Return the light at places, x and y in the first two rows, as a share of daylight, shape (3, N)."""
        column = np.floor((points[0] - self._low[0]) / CELL_M).astype(int)
        row = np.floor((points[1] - self._low[1]) / CELL_M).astype(int)
        rows, columns = self._share.shape
        inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
        share = np.where(inside, self._share[row.clip(0, rows - 1), column.clip(0, columns - 1)], 0.0)
        found: Floats = share * np.array(LAMP_LIGHT)[:, None]
        return found

    def seen(self, plane: Floats, width: int, height: int) -> Singles:
        """Return the light on the ground as a camera sees it, shape (height, width, 3).

        Args:
            plane: Homography from px to the ground plane in m.
            width: px.
            height: px.
        """
        half = CELL_M / 2.0
        mapping = np.stack(
            [
                (plane[0] - (self._low[0] + half) * plane[2]) / CELL_M,
                (plane[1] - (self._low[1] + half) * plane[2]) / CELL_M,
                plane[2],
            ]
        )
        share = cv2.warpPerspective(
            self._share, mapping, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        return np.asarray(share[:, :, None] * np.array(LAMP_LIGHT, dtype=np.float32), dtype=np.float32)


def beam_on(points: Floats, ego: EgoState) -> Singles:
    """Return the share of the headlights' light at places in the world, x and y in the first two rows."""
    cosine, sine = math.cos(ego.yaw), math.sin(ego.yaw)
    x, y = points[0] - ego.position[0], points[1] - ego.position[1]
    ahead, left = x * cosine + y * sine - BEAM_FROM_M, y * cosine - x * sine
    ahead = np.maximum(ahead, 0.0)
    distance = np.hypot(ahead, left)
    angle = np.arctan2(left, np.maximum(ahead, 1e-3))
    share = np.exp(-((angle / BEAM_RAD) ** 2) - (distance / BEAM_REACH_M) ** 2) * np.minimum(ahead / 2.0, 1.0)
    return np.asarray(share, dtype=np.float32)
