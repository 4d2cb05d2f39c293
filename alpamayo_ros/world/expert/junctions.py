"""Junctions on the route: where to stop at them, and where the ways of others cross the ego vehicle's."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.expert.situation import PathFrame
from alpamayo_ros.world.road_map import CROSSING, Connection, RoadMap
from alpamayo_ros.world.route import Route

CONFLICT_M = 2.4
"""Where the middles of two ways are nearer than this, vehicles on them collide."""
UPSTREAM_M = 120.0
"""How far before the junction foes are looked for."""
_SPACING_M = 0.5

Line = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Where the way of foes that go first crosses or joins the ego vehicle's.

    Attributes:
        foe: Their way through the junction.
        start_m: Where along the ego vehicle's path it begins.
        end_m: Where it ends.
        offsets_m: For each lane that leads there: a vehicle's distance to the conflict is this less its position
            on the lane.
        length_m: Along the foe's way.
        turn_rad: Heading of the foes relative to the path, both before the junction.
        joins: Whether both leave the junction on the same lane.
    """

    foe: Connection
    start_m: float
    end_m: float
    offsets_m: Mapping[str, float]
    length_m: float
    turn_rad: float
    joins: bool


@dataclass(frozen=True, slots=True)
class RouteJunction:
    """One junction on the route.

    Attributes:
        connection: The ego vehicle's way through it.
        stop_m: Of the stop line along the path.
        end_m: Where the route leaves it.
        conflicts: With those who go first.
    """

    connection: Connection
    stop_m: float
    end_m: float
    conflicts: tuple[Conflict, ...]


def junctions_on(road_map: RoadMap, route: Route, frame: PathFrame) -> tuple[RouteJunction, ...]:
    """Return the junctions of a route in their order; those without any choice or rule too."""
    names = [lane for lane, _, _ in route.lanes]
    ends = {lane: end for lane, _, end in route.lanes}
    on_route = set(names)
    found = [
        RouteJunction(
            connection,
            ends[connection.from_lane],
            ends[connection.via_lanes[-1]],
            tuple(_conflicts(road_map, connection, frame, ends[connection.from_lane])),
        )
        for connection in road_map.connections
        if connection.from_lane in on_route and connection.via_lane in on_route and connection.to_lane in on_route
    ]
    return tuple(sorted(found, key=lambda junction: junction.stop_m))


def _conflicts(road_map: RoadMap, own: Connection, frame: PathFrame, stop_m: float) -> Iterator[Conflict]:
    by_via = {connection.via_lane: connection for connection in road_map.connections}
    for via in own.yields_to:
        if via not in by_via or road_map.lanes[via].kind == CROSSING:
            continue
        foe = by_via[via]
        line = dense(np.concatenate([road_map.lanes[lane].centre for lane in foe.via_lanes]))
        s, d, _ = frame.project(line, stop_m - 5.0, stop_m + 60.0)
        close = np.flatnonzero(np.abs(d) < CONFLICT_M)
        if not len(close):
            continue
        first, last = int(close[0]), int(close[-1])
        steps = np.diff(line, axis=0)
        along = np.concatenate([[0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))])
        coming = math.atan2(steps[0][1], steps[0][0])
        turn = math.remainder(coming - float(np.interp(stop_m, frame.s_m, frame.headings)), math.tau)
        yield Conflict(
            foe,
            float(s[close].min()),
            float(s[close].max()),
            _upstream(road_map, foe, float(along[first])),
            float(along[last] - along[first]),
            turn,
            foe.to_lane == own.to_lane,
        )


def _upstream(road_map: RoadMap, foe: Connection, distance_m: float) -> dict[str, float]:
    """Return the distance to the conflict from the start of each lane that leads to it."""
    offsets: dict[str, float] = {}
    passed = 0.0
    for lane in foe.via_lanes:
        offsets[lane] = distance_m - passed
        passed += road_map.lanes[lane].length_m
    waiting = [(foe.from_lane, distance_m)]
    while waiting:
        lane, rest = waiting.pop()
        start = rest + road_map.lanes[lane].length_m
        if lane in offsets:
            continue
        offsets[lane] = start
        if rest > UPSTREAM_M:
            continue
        for connection in road_map.connections:
            if connection.to_lane == lane:
                before = start
                for via in reversed(connection.via_lanes):
                    before += road_map.lanes[via].length_m
                    offsets.setdefault(via, before)
                waiting.append((connection.from_lane, before))
    return offsets


def dense(line: Line, spacing_m: float = _SPACING_M) -> Line:
    """Return a line with points at most so far apart."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    stations = np.linspace(0.0, along[-1], max(2, math.ceil(along[-1] / spacing_m) + 1))
    return np.stack([np.interp(stations, along, line[:, axis]) for axis in (0, 1)], axis=1)
