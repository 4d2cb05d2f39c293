"""The roads: everything that is drawn or decided about them."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

DRIVING, INTERNAL, SIDEWALK, CROSSING, WALKING_AREA = "driving", "internal", "sidewalk", "crossing", "walking_area"
SIGNAL_PREFIX = "signal:"

_DEFAULT_LANE_WIDTH_M = 3.2
"""SUMO's, where a lane states none."""
_FUNCTIONS = {"internal": INTERNAL, "crossing": CROSSING, "walkingarea": WALKING_AREA}

Line = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane for vehicles or for people on foot.

    Attributes:
        id: SUMO's.
        edge: Id of the edge that it is a part of.
        index: Number from the right, sidewalks included.
        kind: ``driving``, ``internal`` (through a junction), ``sidewalk``, ``crossing`` or ``walking_area``.
        centre: Centre line, shape (N, 2), m; of a walking area the outline.
        width_m: Of the lane.
        speed_limit_mps: Of the lane.
        left_line: Paint at its left border: ``solid``, ``dashed`` or ``none``.
        right_line: The same at its right border.
    """

    id: str
    edge: str
    index: int
    kind: str
    centre: Line
    width_m: float
    speed_limit_mps: float
    left_line: str
    right_line: str

    @property
    def length_m(self) -> float:
        """Length of the centre line."""
        return float(np.hypot(*np.diff(self.centre, axis=0).T).sum())


@dataclass(frozen=True, slots=True)
class Connection:
    """A way through a junction.

    Attributes:
        from_lane: Approach lane.
        via_lane: First lane inside the junction.
        to_lane: Lane behind the junction.
        direction: ``s`` straight, ``l`` left, ``r`` right, ``t`` turn back.
        signal: Id of the signal that rules it, empty if none does.
        yields_to: Ids of via lanes and crossings whose traffic goes first.
        via_lanes: All lanes inside the junction in their order; a left turn may have a place to wait in its middle.
        link: Number of the signal's link, -1 if there is none.
    """

    from_lane: str
    via_lane: str
    to_lane: str
    direction: str
    signal: str
    yields_to: tuple[str, ...]
    via_lanes: tuple[str, ...]
    link: int


@dataclass(frozen=True, slots=True)
class RoadMap:
    """A whole network.

    Attributes:
        name: Of the map.
        lanes: By id, in the order of the ids.
        connections: All ways through junctions.
        junctions: Outlines by id of the node, shape (N, 2), m.
        stop_lines: Shape (2, 2), m, left end first, by approach lane; none where somebody may drive on freely.
        crossing_links: Number of the signal's link by id of the crossing, where a signal rules it.
        signal_node: Id of the node with signals, empty if there is none.
        digest: ``sha256:`` of the network file.
    """

    name: str
    lanes: Mapping[str, Lane]
    connections: tuple[Connection, ...]
    junctions: Mapping[str, Line]
    stop_lines: Mapping[str, Line]
    crossing_links: Mapping[str, int]
    signal_node: str
    digest: str

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Smallest x and y, largest x and y of all lanes, m."""
        points = np.concatenate([lane.centre for lane in self.lanes.values()])
        low, high = points.min(axis=0), points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def lane_count(self) -> int:
        """How many lanes vehicles may drive on outside of junctions."""
        return sum(lane.kind == DRIVING for lane in self.lanes.values())

    def driving_lanes(self, edge: str) -> tuple[Lane, ...]:
        """Return the lanes of an edge for vehicles, the rightmost first."""
        found = [lane for lane in self.lanes.values() if lane.edge == edge and lane.kind == DRIVING]
        return tuple(sorted(found, key=lambda lane: lane.index))

    def sidewalk(self, edge: str) -> Lane | None:
        """Return the sidewalk of an edge."""
        found = (lane for lane in self.lanes.values() if lane.edge == edge and lane.kind == SIDEWALK)
        return next(found, None)

    def connections_from(self, lane: str) -> tuple[Connection, ...]:
        """Return the ways that lead on from a lane."""
        return tuple(connection for connection in self.connections if connection.from_lane == lane)


def parse_road_map(name: str, text: bytes) -> RoadMap:
    """Read a network file.

    Args:
        name: Of the map.
        text: Content of the file, without what differs between two runs.
    """
    root = ET.fromstring(text)  # noqa: S314 - written by our own netconvert a moment ago
    lanes = _lanes(root)
    chains = _chains(root)
    yields = _yields(root, chains)
    connections: list[Connection] = []
    crossing_links: dict[str, int] = {}
    signal_node = ""
    for item in root.iter("connection"):
        link, signal = int(item.get("linkIndex", "-1")), ""
        target = f"{item.get('to')}_{item.get('toLane')}"
        if "tl" in item.attrib:
            signal_node = item.attrib["tl"]
            if lanes[target].kind == CROSSING:
                crossing_links[target] = link
        source = f"{item.get('from')}_{item.get('fromLane')}"
        if lanes[source].kind != DRIVING or "via" not in item.attrib:
            continue
        if "tl" in item.attrib:
            signal = SIGNAL_PREFIX + source
        vias = _chain(item.attrib["via"], chains)
        first = yields.get(vias[-1], ()) or yields.get(vias[0], ())
        connections.append(Connection(source, vias[0], target, item.attrib["dir"].lower(), signal, first, vias, link))
    connections.sort(key=lambda connection: (connection.from_lane, connection.via_lane))
    junctions = {
        item.attrib["id"]: _points(item.get("shape", ""))
        for item in root.iter("junction")
        if item.get("type") not in {"internal", "dead_end"} and len(item.get("shape", "").split()) > 2
    }
    # On a main road only left turns wait, in the junction: no line is painted there.
    free = {item.from_lane for item in connections if not item.signal and not item.yields_to}
    ruled = {item.from_lane for item in connections} - free
    return RoadMap(
        name=name,
        lanes=lanes,
        connections=tuple(connections),
        junctions=junctions,
        stop_lines={lane: stop_line(lanes[lane]) for lane in sorted(ruled)},
        crossing_links=crossing_links,
        signal_node=signal_node,
        digest="sha256:" + hashlib.sha256(text).hexdigest(),
    )


def stop_line(lane: Lane) -> Line:
    """Return the line across the end of a lane: left end, right end; shape (2, 2), m."""
    end, before = lane.centre[-1], lane.centre[-2]
    heading = math.atan2(end[1] - before[1], end[0] - before[0])
    left = np.array([-math.sin(heading), math.cos(heading)]) * lane.width_m / 2.0
    return np.stack([end + left, end - left])


def _points(text: str) -> Line:
    return np.array([[float(value) for value in point.split(",")[:2]] for point in text.split()], dtype=np.float64)


def _lanes(root: Element) -> dict[str, Lane]:
    lanes: dict[str, Lane] = {}
    for edge in root.iter("edge"):
        function = edge.get("function", "")
        items = list(edge.iter("lane"))
        driving = [item for item in items if item.get("allow") != "pedestrian"]
        two_way = _has_way_back(root, edge)
        for item in items:
            kind = _FUNCTIONS.get(function) or (DRIVING if item in driving else SIDEWALK)
            left = right = "none"
            if kind == DRIVING:
                place = driving.index(item)
                right = "dashed" if place > 0 else "solid"
                left = "dashed" if place < len(driving) - 1 or (two_way and len(driving) == 1) else "solid"
            lanes[item.attrib["id"]] = Lane(
                id=item.attrib["id"],
                edge=edge.attrib["id"],
                index=int(item.attrib["index"]),
                kind=kind,
                centre=_points(item.attrib["shape"]),
                width_m=float(item.get("width", _DEFAULT_LANE_WIDTH_M)),
                speed_limit_mps=float(item.attrib["speed"]),
                left_line=left,
                right_line=right,
            )
    return dict(sorted(lanes.items()))


def _has_way_back(root: Element, edge: Element) -> bool:
    ends = (edge.get("to"), edge.get("from"))
    return any((other.get("from"), other.get("to")) == ends for other in root.iter("edge"))


def _chains(root: Element) -> dict[str, str]:
    """Return the lane that follows a via lane inside the junction, where there is one."""
    return {
        f"{item.get('from')}_{item.get('fromLane')}": item.attrib["via"]
        for item in root.iter("connection")
        if item.get("from", "").startswith(":") and "via" in item.attrib
    }


def _chain(via: str, chains: Mapping[str, str]) -> tuple[str, ...]:
    found = [via]
    while found[-1] in chains:
        found.append(chains[found[-1]])
    return tuple(found)


def _yields(root: Element, chains: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return who goes first, by the lane that stands for a link in the junction's list."""
    first_of = {last: first for first, last in chains.items()}
    found: dict[str, tuple[str, ...]] = {}
    for junction in root.iter("junction"):
        inside = junction.get("intLanes", "").split()
        for request in junction.iter("request"):
            bits = request.attrib["response"][::-1]
            foes = [inside[index] for index, bit in enumerate(bits) if bit == "1" and index < len(inside)]
            found[inside[int(request.attrib["index"])]] = tuple(first_of.get(foe, foe) for foe in foes)
    return found
