"""The ego vehicle turns left and gives way to who comes towards it. Or nobody comes."""

from collections.abc import Mapping

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.scenarios.bodies import vehicle_body
from alpamayo_ros.world.scenarios.builder import StageBuilder
from alpamayo_ros.world.scenarios.red_light import signal_phases
from alpamayo_ros.world.scenarios.roads import ego_lanes, oncoming_edges, town_parameters, with_town
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.staging import Vehicle
from alpamayo_ros.world.scenarios.surroundings import add_crossing_people

FAMILIES = ("priority", "tee", "signals")
SLOWER_S = 1.5
"""The ego vehicle arrives later than at its speed of the start, because it brakes for the turn."""


def parameters(draw: Draw) -> Mapping[str, float | str]:
    """Draw the parameters."""
    oncoming = draw.chance(0.75)
    return {
        **town_parameters(draw, FAMILIES, ego_s=(50.0, 95.0)),
        "exit": "left",
        "event": "oncoming" if oncoming else "free",
        "vehicles": float(draw.whole(1, 4)) if oncoming else 0.0,
        "first_after_s": draw.within(-1.0, 2.5),
        "gap_s": draw.within(1.8, 3.6),
        "oncoming_share": draw.within(0.75, 0.95),
        "crossing_people": float(draw.whole(0, 1)),
    }


def build(spec: EpisodeSpec, draw: Draw) -> StageBuilder:
    """Put the scenario into the world."""
    builder = StageBuilder(spec, draw, ego_lanes(spec))
    if spec.text("family") == "signals":
        builder.phases = signal_phases(builder, "green")
    edges = oncoming_edges(spec.text("family"))
    lane = builder.road_map.driving_lanes(edges[0])[0]
    speed = spec.number("oncoming_share") * lane.speed_limit_mps
    line_m = builder.lane(builder.lanes[0]).length_m
    arrives_s = (line_m - builder.ego_front_m) / builder.ego_speed_mps + SLOWER_S + spec.number("first_after_s")
    for number in range(int(spec.number("vehicles"))):
        shape = vehicle_body(draw)
        distance_m = lane.length_m - speed * (arrives_s + number * spec.number("gap_s"))
        there = distance_m > shape.length + 1.0
        builder.vehicles.append(
            Vehicle(
                f"oncoming_{number}", shape, edges, lane.index,
                position_m=min(distance_m, lane.length_m - 8.0) if there else shape.length + 0.5,
                speed_mps=speed,
                desired_mps=speed,
                depart_s=0.0 if there else round(max(0.1, (shape.length + 1.0 - distance_m) / speed), 1),
                headway_s=1.2,
            )
        )  # fmt: skip
    if spec.number("vehicles"):
        builder.roles["cause"] = "oncoming_0"
    add_crossing_people(builder, int(spec.number("crossing_people")))
    with_town(builder, oncoming=False)
    return builder
