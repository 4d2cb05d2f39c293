"""The families of road networks. In each the ego vehicle comes along the positive x axis, then the map is turned."""

import math
from collections.abc import Callable, Mapping

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.maps.plain import Crossing, Edge, Link, Node, PlainNetwork, Point

TOWN_MPS = 50.0 / 3.6
SLOW_TOWN_MPS = 30.0 / 3.6
RAMP_MPS = 80.0 / 3.6

ARMS = ("west", "south", "east", "north")

_ARC_STEP_M = 2.0


def street(draw: Draw) -> PlainNetwork:
    """Return a road with one lane each way and gentle bends of radius 120 m and more."""
    turns = [(draw.within(120.0, 400.0), _sign(draw) * draw.within(0.15, 0.5)) for _ in range(3)]
    return _two_way(draw, [(draw.within(30.0, 80.0), *turn) for turn in turns], TOWN_MPS)


def bend(draw: Draw) -> PlainNetwork:
    """Return a road with one lane each way and tight bends of radius 16 m to 60 m."""
    first = (draw.within(70.0, 110.0), draw.within(16.0, 60.0), _sign(draw) * draw.within(0.6, 1.6))
    second = (draw.within(40.0, 90.0), draw.within(20.0, 70.0), -math.copysign(draw.within(0.5, 1.4), first[2]))
    return _two_way(draw, [first, second], TOWN_MPS)


def two_lane(draw: Draw) -> PlainNetwork:
    """Return a road with two lanes each way and gentle bends."""
    turns = [(draw.within(200.0, 500.0), _sign(draw) * draw.within(0.08, 0.3)) for _ in range(2)]
    return _two_way(draw, [(draw.within(60.0, 140.0), *turn) for turn in turns], TOWN_MPS, lanes=2)


def zebra(draw: Draw) -> PlainNetwork:
    """Return a road with one lane each way and a zebra crossing in its middle."""
    before, after = draw.within(110.0, 170.0), draw.uniform(280.0, 300.0)
    width, sidewalk, speed = _section(draw, draw.choice(("30", "50"), (1.0, 3.0)))
    nodes = (Node("west", -before, 0.0), Node("middle", 0.0, 0.0), Node("east", after, draw.within(-30.0, 30.0)))
    edges = [*_pair("west", "middle", 1, width, speed, sidewalk), *_pair("middle", "east", 1, width, speed, sidewalk)]
    crossing = Crossing("middle", ("middle_east", "east_middle"))
    return PlainNetwork(nodes, tuple(edges), (), (crossing,)).turned(_heading(draw))


def signals(draw: Draw) -> PlainNetwork:
    """Return a junction of four roads with signals."""
    return _junction(draw, ARMS, "traffic_light", minor=False)


def priority(draw: Draw) -> PlainNetwork:
    """Return a junction of four roads where the ego vehicle's road goes first."""
    return _junction(draw, ARMS, "priority", minor=True)


def tee(draw: Draw) -> PlainNetwork:
    """Return a T junction: a minor road on the left of the ego vehicle's road, which goes first."""
    return _junction(draw, ("west", "east", "north"), "priority", minor=True)


def ramp(draw: Draw) -> PlainNetwork:
    """Return a road of two lanes one way, 80 km/h, with an on-ramp and a lane to get up to speed on."""
    width = draw.uniform(3.4, 3.75)
    before, beside, after = draw.uniform(190.0, 230.0), draw.within(150.0, 210.0), 420.0
    angle, radius, length = draw.within(0.12, 0.28), draw.within(160.0, 260.0), draw.within(80.0, 110.0)
    gore = (-3.0, -2.0 * width)
    # Backwards from the gore: an arc that is tangent to the main road there, then straight.
    steps = max(2, math.ceil(radius * angle / _ARC_STEP_M))
    bends = [angle * step / steps for step in range(steps + 1)]
    arc = [(gore[0] - radius * math.sin(turn), gore[1] - radius * (1.0 - math.cos(turn))) for turn in bends]
    start = _ahead(arc[-1], angle + math.pi, length)
    shape = (start, *reversed(arc))
    nodes = (
        Node("west", -before, 0.0),
        Node("gore", 0.0, 0.0),
        Node("taper", beside, 0.0),
        Node("east", beside + after, 0.0),
        Node("ramp", *start),
    )
    edges = (
        Edge("west_gore", "west", "gore", 2, width, RAMP_MPS, priority=3),
        Edge("gore_taper", "gore", "taper", 3, width, RAMP_MPS, priority=3),
        Edge("taper_east", "taper", "east", 2, width, RAMP_MPS, priority=3),
        Edge("ramp_gore", "ramp", "gore", 1, width, RAMP_MPS, shape=shape),
    )
    links = (
        Link("west_gore", "gore_taper", 0, 1),
        Link("west_gore", "gore_taper", 1, 2),
        Link("ramp_gore", "gore_taper", 0, 0),
        Link("gore_taper", "taper_east", 1, 0),
        Link("gore_taper", "taper_east", 2, 1),
    )
    return PlainNetwork(nodes, edges, links).turned(_heading(draw))


FAMILIES: Mapping[str, Callable[[Draw], PlainNetwork]] = {
    "street": street,
    "bend": bend,
    "two_lane": two_lane,
    "zebra": zebra,
    "signals": signals,
    "priority": priority,
    "tee": tee,
    "ramp": ramp,
}


def _sign(draw: Draw) -> float:
    return 1.0 if draw.chance(0.5) else -1.0


def _heading(draw: Draw) -> float:
    return draw.uniform(-math.pi, math.pi)


def _section(draw: Draw, limit: str) -> tuple[float, float, float]:
    """Return lane width, width of the sidewalk and speed limit of a road in town."""
    return draw.within(3.1, 3.6), draw.uniform(3.5, 4.2), SLOW_TOWN_MPS if limit == "30" else TOWN_MPS


def _pair(
    source: str, target: str, lanes: int, width: float, speed: float, sidewalk: float, rank: int = 1
) -> tuple[Edge, Edge]:
    """Return the edges of both ways between two nodes."""
    return (
        Edge(f"{source}_{target}", source, target, lanes, width, speed, sidewalk, rank),
        Edge(f"{target}_{source}", target, source, lanes, width, speed, sidewalk, rank),
    )


def _two_way(draw: Draw, sections: list[tuple[float, float, float]], speed: float, lanes: int = 1) -> PlainNetwork:
    """Return a road between two nodes.

    Args:
        draw: Stream of parameters.
        sections: Length of a straight, then radius and turn (rad, left positive) of the arc behind it.
        speed: Limit in m/s.
        lanes: Each way.
    """
    width, sidewalk, _ = _section(draw, "50")
    points: list[Point] = [(0.0, 0.0)]
    heading = 0.0
    for straight, radius, turn in [*sections, (260.0, 0.0, 0.0)]:
        points.append(_ahead(points[-1], heading, straight))
        steps = max(1, math.ceil(radius * abs(turn) / _ARC_STEP_M)) if turn else 0
        for _ in range(steps):
            chord = 2.0 * radius * math.sin(abs(turn) / steps / 2.0)
            points.append(_ahead(points[-1], heading + turn / steps / 2.0, chord))
            heading += turn / steps
    out = Edge("west_east", "west", "east", lanes, width, speed, sidewalk, shape=tuple(points))
    back = Edge("east_west", "east", "west", lanes, width, speed, sidewalk, shape=tuple(reversed(points)))
    nodes = (Node("west", *points[0]), Node("east", *points[-1]))
    return PlainNetwork(nodes, (out, back)).turned(_heading(draw))


def _junction(draw: Draw, arms: tuple[str, ...], kind: str, *, minor: bool) -> PlainNetwork:
    width, sidewalk, speed = _section(draw, "50")
    bearings = {"west": math.pi, "south": -math.pi / 2.0, "east": 0.0, "north": math.pi / 2.0}
    nodes = [Node("centre", 0.0, 0.0, kind)]
    edges: list[Edge] = []
    crossings: list[Crossing] = []
    for arm in arms:
        skew = draw.within(-0.2, 0.2) if arm in {"south", "north"} else draw.within(-0.08, 0.08)
        length = draw.within(150.0, 190.0) if arm == "west" else draw.uniform(250.0, 280.0)
        bearing = bearings[arm] + skew
        nodes.append(Node(arm, length * math.cos(bearing), length * math.sin(bearing), "dead_end"))
        main = not minor or arm in {"west", "east"}
        edges += _pair(arm, "centre", 1, width, speed, sidewalk, rank=3 if main else 1)
        if kind == "traffic_light" or not main:
            crossings.append(Crossing("centre", (f"{arm}_centre", f"centre_{arm}")))
    return PlainNetwork(tuple(nodes), tuple(edges), (), tuple(crossings)).turned(_heading(draw))


def _ahead(point: Point, heading: float, distance: float) -> Point:
    return point[0] + distance * math.cos(heading), point[1] + distance * math.sin(heading)
