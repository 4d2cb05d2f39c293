"""Where the ego vehicle is to drive: a reference line through its lanes, and what navigation says about it."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.path import Path
from alpamayo_ros.world.road_map import Connection, Lane, RoadMap

ANNOUNCED_M = 60.0
"""How far ahead navigation speaks of a maneuver."""
MANEUVERS = {"l": "left", "r": "right", "s": "straight"}


@dataclass(frozen=True, slots=True)
class Maneuver:
    """One junction on the way.

    Attributes:
        s_m: Where the route enters it.
        end_m: Where the route leaves it.
        command: ``left``, ``right`` or ``straight``.
        connection: The way through it.
    """

    s_m: float
    end_m: float
    command: str
    connection: Connection


@dataclass(frozen=True, slots=True)
class LaneShift:
    """A change of lanes that is a part of the route, as at the end of an on-ramp.

    Attributes:
        start_m: Where the reference line begins to leave the first lane's centre.
        end_m: Where it has reached the other lane's centre.
        from_lane: Id.
        to_lane: Id.
        lane_end_m: Where the first lane ends.
    """

    start_m: float
    end_m: float
    from_lane: str
    to_lane: str
    lane_end_m: float


@dataclass(frozen=True, slots=True)
class Route:
    """A way through the map.

    Attributes:
        path: Reference line.
        lanes: Id, first and last arc length on the path of each lane along it.
        maneuvers: Junctions where there is a choice, in their order.
        shift: The change of lanes in it, if there is one.
    """

    path: Path
    lanes: tuple[tuple[str, float, float], ...]
    maneuvers: tuple[Maneuver, ...]
    shift: LaneShift | None = None

    def navigation(self, s_m: float) -> str:
        """Return ``left``, ``right``, ``straight`` or ``none`` for the next maneuver at an arc length.

        A command holds until the junction is left.
        """
        for maneuver in self.maneuvers:
            if maneuver.s_m - ANNOUNCED_M <= s_m < maneuver.end_m:
                return maneuver.command
        return "none"

    def lane_at(self, s_m: float) -> str:
        """Return the id of the lane at an arc length; before the start the first, after the end the last."""
        for lane, _, end_m in self.lanes:
            if s_m < end_m:
                return lane
        return self.lanes[-1][0]


def plan_route(road_map: RoadMap, lanes: Sequence[str], shift_shares: tuple[float, float] = (0.35, 0.8)) -> Route:
    """Plan a route along lanes outside of junctions.

    Args:
        road_map: The roads.
        lanes: Ids in their order. Two that stand on the same edge are a change of lanes, at most once.
        shift_shares: Where in the lane such a change begins and ends, as shares of its length.

    Raises:
        ValueError: Two lanes do not follow each other.
    """
    pieces: list[tuple[str, NDArray[np.float64]]] = [(lanes[0], road_map.lanes[lanes[0]].centre)]
    choices: list[tuple[int, Connection]] = []
    change: tuple[int, str, str] | None = None
    for before, after in itertools.pairwise(lanes):
        if road_map.lanes[before].edge == road_map.lanes[after].edge:
            line = _shifted(road_map.lanes[before], road_map.lanes[after], shift_shares)
            pieces[-1] = (before, line)
            change = (len(pieces) - 1, before, after)
            continue
        connection = next((item for item in road_map.connections_from(before) if item.to_lane == after), None)
        if connection is None:
            raise ValueError(f"lane {after!r} does not follow {before!r}; expected a connection on {road_map.name!r}")
        choices.append((len(pieces), connection))
        pieces += [(via, road_map.lanes[via].centre) for via in connection.via_lanes]
        pieces.append((after, road_map.lanes[after].centre))
    path = Path(np.concatenate([line for _, line in pieces]))
    spans = _spans(path, pieces)
    maneuvers = tuple(
        Maneuver(
            spans[index][1],
            spans[index + len(connection.via_lanes) - 1][2],
            MANEUVERS.get(connection.direction, "straight"),
            connection,
        )
        for index, connection in choices
        if len({item.direction for item in road_map.connections_from(connection.from_lane)}) > 1
    )
    if change is None:
        return Route(path, spans, maneuvers)
    index, before, after = change
    _, start_m, end_m = spans[index]
    length = end_m - start_m
    shift = LaneShift(start_m + shift_shares[0] * length, start_m + shift_shares[1] * length, before, after, end_m)
    middle = (shift.start_m + shift.end_m) / 2.0
    split = ((before, start_m, middle), (after, middle, end_m))
    return Route(path, (*spans[:index], *split, *spans[index + 1 :]), maneuvers, shift)


def _spans(path: Path, pieces: Sequence[tuple[str, NDArray[np.float64]]]) -> tuple[tuple[str, float, float], ...]:
    spans, start, raw = [], 0.0, 0.0
    for number, (lane, line) in enumerate(pieces, start=1):
        raw += float(np.hypot(*np.diff(line, axis=0).T).sum())
        last = number == len(pieces)
        end = path.length_m if last else path.project(float(line[-1, 0]), float(line[-1, 1]), near_s=raw)[0]
        spans.append((lane, start, end))
        start = end
    return tuple(spans)


def _shifted(first: Lane, other: Lane, shares: tuple[float, float]) -> NDArray[np.float64]:
    """Return a line that leaves the first lane's centre for the other lane's, with a smooth step."""
    from_line, to_line = Path(first.centre, smoothing_m=0.0), Path(other.centre, smoothing_m=0.0)
    count = max(2, round(from_line.length_m))
    points = []
    for share in np.linspace(0.0, 1.0, count + 1).tolist():
        x0, y0, _ = from_line.point(share * from_line.length_m)
        x1, y1, _ = to_line.point(share * to_line.length_m)
        step = min(max((share - shares[0]) / (shares[1] - shares[0]), 0.0), 1.0)
        weight = (1.0 - math.cos(math.pi * step)) / 2.0
        points.append((x0 + weight * (x1 - x0), y0 + weight * (y1 - y0)))
    return np.array(points)
