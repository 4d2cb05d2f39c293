"""Where a vehicle may drive: the surface of lanes and junctions."""

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.road_map import RoadMap

Array = NDArray[np.float64]

DRIVABLE_KINDS = ("driving", "internal")
TOLERANCE_M = 0.15
"""The edge line's own width: on it is not beside the road."""
_MOST_PAIRS = 2_000_000


class DrivableSurface:
    """The lanes for vehicles and the junctions of a map."""

    def __init__(self, road_map: RoadMap) -> None:
        lanes = [lane for lane in road_map.lanes.values() if lane.kind in DRIVABLE_KINDS]
        self._starts = np.concatenate([lane.centre[:-1] for lane in lanes])
        self._ways = np.concatenate([np.diff(lane.centre, axis=0) for lane in lanes])
        halves = [np.full(len(lane.centre) - 1, lane.width_m / 2.0 + TOLERANCE_M) for lane in lanes]
        self._halves = np.concatenate(halves)
        self._junctions = [np.asarray(polygon, dtype=np.float64) for polygon in road_map.junctions.values()]

    def contains(self, points: Array) -> NDArray[np.bool_]:
        """Tell which points lie on the surface.

        Args:
            points: (N, 2) in the world, m.

        Returns:
            (N,).
        """
        inside = np.zeros(len(points), dtype=bool)
        chunk = max(1, _MOST_PAIRS // max(1, len(self._starts)))
        for first in range(0, len(points), chunk):
            inside[first : first + chunk] = self._on_a_lane(points[first : first + chunk])
        for polygon in self._junctions:
            outside = np.flatnonzero(~inside)
            inside[outside] = in_polygon(points[outside], polygon)
        return inside

    def _on_a_lane(self, points: Array) -> NDArray[np.bool_]:
        low, high = points.min(axis=0), points.max(axis=0)
        reach = self._halves[:, None] + np.abs(self._ways)
        near = ((self._starts + reach >= low) & (self._starts - reach <= high)).all(axis=1)
        starts, ways, halves = self._starts[near], self._ways[near], self._halves[near]
        away = points[:, None] - starts
        squared = np.maximum((ways * ways).sum(axis=1), 1e-12)
        share = np.clip((away * ways).sum(axis=2) / squared, 0.0, 1.0)
        rest = away - share[..., None] * ways
        return np.asarray(((rest * rest).sum(axis=2) <= halves * halves).any(axis=1))


def in_polygon(points: Array, polygon: Array) -> NDArray[np.bool_]:
    """Tell which points lie in a polygon: a ray to the right crosses its outline an odd number of times.

    Args:
        points: (N, 2).
        polygon: (M, 2) corners in order, closed by itself.
    """
    x, y = points[:, 0, None], points[:, 1, None]
    x0, y0 = polygon[:, 0], polygon[:, 1]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    spans = (y0 > y) != (y1 > y)
    rise = np.where(y1 == y0, 1.0, y1 - y0)
    crosses = spans & (x < x0 + (y - y0) * (x1 - x0) / rise)
    return np.asarray(np.count_nonzero(crosses, axis=1) % 2 == 1)
