"""A road network as it is drawn: nodes, edges, connections and crossings, in netconvert's plain XML."""

import math
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

Point = tuple[float, float]

CROSSING_WIDTH_M = 4.0


@dataclass(frozen=True, slots=True)
class Node:
    """An end of edges.

    Attributes:
        id: Unique.
        x: m.
        y: m.
        type: ``priority``, ``traffic_light``, ``right_before_left`` or ``dead_end``.
    """

    id: str
    x: float
    y: float
    type: str = "priority"


@dataclass(frozen=True, slots=True)
class Edge:
    """A one-way road; the one that goes back is another edge between the same nodes.

    Attributes:
        id: Unique.
        source: Node.
        target: Node.
        lanes: For vehicles.
        lane_width_m: Of one lane.
        speed_limit_mps: m/s.
        sidewalk_m: Width of the sidewalk at the right side, 0 if there is none.
        priority: Higher is more important where edges meet.
        shape: Left border of the edge from end to end, empty if straight between the nodes.
    """

    id: str
    source: str
    target: str
    lanes: int
    lane_width_m: float
    speed_limit_mps: float
    sidewalk_m: float = 0.0
    priority: int = 1
    shape: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A connection of two lanes, both counted from the right, sidewalks included."""

    source: str
    target: str
    source_lane: int
    target_lane: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """A zebra crossing over edges at a node."""

    node: str
    edges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlainNetwork:
    """A whole network.

    Attributes:
        nodes: All.
        edges: All.
        links: Explicit connections; where an edge has none they are guessed.
        crossings: All.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    links: tuple[Link, ...] = ()
    crossings: tuple[Crossing, ...] = ()

    def turned(self, angle: float) -> "PlainNetwork":
        """Return the same network turned about the origin, rad."""
        cosine, sine = math.cos(angle), math.sin(angle)

        def turn(point: Point) -> Point:
            return point[0] * cosine - point[1] * sine, point[0] * sine + point[1] * cosine

        nodes = tuple(Node(node.id, *turn((node.x, node.y)), node.type) for node in self.nodes)
        edges = tuple(
            Edge(
                edge.id, edge.source, edge.target, edge.lanes, edge.lane_width_m, edge.speed_limit_mps,
                edge.sidewalk_m, edge.priority, tuple(turn(point) for point in edge.shape),
            )
            for edge in self.edges
        )  # fmt: skip
        return PlainNetwork(nodes, edges, self.links, self.crossings)

    def files(self) -> dict[str, bytes]:
        """Return netconvert's input: contents by option."""
        nodes = Element("nodes")
        for node in self.nodes:
            SubElement(nodes, "node", id=node.id, x=_metres(node.x), y=_metres(node.y), type=node.type)
        edges = Element("edges")
        for edge in self.edges:
            attributes = {
                "id": edge.id,
                "from": edge.source,
                "to": edge.target,
                "numLanes": str(edge.lanes),
                "width": _metres(edge.lane_width_m),
                "speed": _metres(edge.speed_limit_mps),
                "priority": str(edge.priority),
                "spreadType": "right",
            }
            if edge.sidewalk_m:
                attributes["sidewalkWidth"] = _metres(edge.sidewalk_m)
            if edge.shape:
                attributes["shape"] = " ".join(f"{_metres(x)},{_metres(y)}" for x, y in edge.shape)
            SubElement(edges, "edge", attributes)
        connections = Element("connections")
        for link in self.links:
            attributes = {"from": link.source, "to": link.target}
            attributes |= {"fromLane": str(link.source_lane), "toLane": str(link.target_lane)}
            SubElement(connections, "connection", attributes)
        for crossing in self.crossings:
            attributes = {"node": crossing.node, "edges": " ".join(crossing.edges), "priority": "true"}
            SubElement(connections, "crossing", attributes | {"width": _metres(CROSSING_WIDTH_M)})
        return {"node-files": tostring(nodes), "edge-files": tostring(edges), "connection-files": tostring(connections)}


def _metres(value: float) -> str:
    return f"{value:.3f}"
