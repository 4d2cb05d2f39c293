"""What lies beside the path: a lane of the same direction, the oncoming lane, or nothing to drive on."""

import math
from collections.abc import Sequence

import numpy as np

from alpamayo_ros.world.expert.junctions import dense
from alpamayo_ros.world.expert.situation import PathFrame
from alpamayo_ros.world.road_map import DRIVING, INTERNAL, RoadMap

SAME, ONCOMING, NOTHING = "same", "oncoming", "nothing"
_SPACING_M = 2.0
_REACH_M = 6.0
_AGAINST_RAD = math.radians(120.0)
_ALONG_RAD = math.radians(40.0)


class Neighbours:
    """The lanes to the left and to the right of a path."""

    def __init__(self, road_map: RoadMap, frame: PathFrame) -> None:
        count = int(frame.s_m[-1] / _SPACING_M) + 1
        self._sides = {"left": [(NOTHING, 0.0)] * count, "right": [(NOTHING, 0.0)] * count}
        self._half_width = [0.0] * count
        for lane in road_map.lanes.values():
            if lane.kind not in {DRIVING, INTERNAL}:
                continue
            line = dense(lane.centre, _SPACING_M)
            s, d, headings = frame.project(line)
            steps = np.diff(line, axis=0)
            ways = np.arctan2(steps[:, 1], steps[:, 0])
            turns = np.remainder(np.append(ways, ways[-1]) - headings + np.pi, 2.0 * np.pi) - np.pi
            for place, offset, turn in zip(s.tolist(), d.tolist(), np.abs(turns).tolist(), strict=True):
                self._note(place, offset, turn, lane.width_m, inside=lane.kind == INTERNAL)

    def _note(self, place_m: float, offset_m: float, turn_rad: float, width_m: float, *, inside: bool) -> None:
        index = round(place_m / _SPACING_M)
        if not 0 <= index < len(self._half_width) or abs(offset_m) > _REACH_M:
            return
        if abs(offset_m) < 0.6 * width_m:
            if turn_rad < _ALONG_RAD:
                self._half_width[index] = width_m / 2.0
            return
        if inside or _ALONG_RAD <= turn_rad <= _AGAINST_RAD:
            return
        side = self._sides["left" if offset_m > 0.0 else "right"]
        kind = SAME if turn_rad < _ALONG_RAD else ONCOMING
        if side[index][0] == NOTHING or abs(offset_m) < abs(side[index][1]):
            side[index] = (kind, offset_m)

    def lane_half_width(self, s_m: float) -> float:
        """Return half of the width of the path's own lane, m."""
        return self._half_width[self._index(s_m)] or 1.6

    def beside(self, side: str, start_m: float, end_m: float) -> tuple[str, float]:
        """Return what lies on a side all along a part of the path, and the offset of its middle.

        It is nothing as soon as it is nothing at one place.
        """
        part: Sequence[tuple[str, float]] = self._sides[side][self._index(start_m) : self._index(end_m) + 1]
        kinds = {kind for kind, _ in part}
        if len(kinds) != 1:
            return NOTHING, 0.0
        return kinds.pop(), float(np.mean([offset for _, offset in part]))

    def _index(self, s_m: float) -> int:
        return min(max(round(s_m / _SPACING_M), 0), len(self._half_width) - 1)
