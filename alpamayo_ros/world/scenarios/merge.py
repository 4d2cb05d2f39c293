"""The ego vehicle comes from an on-ramp and merges into a road of two lanes, with traffic in its way or without."""

from collections.abc import Mapping

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.maps.library import VARIANTS, map_name
from alpamayo_ros.world.scenarios.bodies import vehicle_body
from alpamayo_ros.world.scenarios.builder import StageBuilder
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.staging import Vehicle
from alpamayo_ros.world.scenarios.surroundings import add_stream
from alpamayo_ros.world.snapshot import STEP_S

LANES = ("ramp_gore_0", "gore_taper_0", "gore_taper_1", "taper_east_0")
MAIN = ("west_gore", "gore_taper", "taper_east")
RIVAL = "rival"
EGO_ACCELERATION_MPS2 = 2.0
"""How fast the ego vehicle is expected to get up to speed at first, less towards the limit."""


def parameters(draw: Draw) -> Mapping[str, float | str]:
    """Draw the parameters."""
    rival = draw.chance(0.75)
    return {
        "family": "ramp",
        "map": map_name("ramp", draw.split, draw.whole(0, VARIANTS[draw.split] - 1)),
        "event": "traffic" if rival else "free",
        "ego_s_m": draw.uniform(8.0, 40.0),
        "speed_share": draw.within(0.55, 0.75),
        "rival_ahead_m": draw.within(-12.0, 12.0),
        "rival_share": draw.within(0.8, 0.95),
        "followers": float(draw.whole(0, 3)) if rival else 0.0,
        "gap_s": draw.within(1.4, 3.5),
        "left_per_minute": draw.within(4.0, 16.0) if draw.chance(0.8) else 0.0,
    }


def build(spec: EpisodeSpec, draw: Draw) -> StageBuilder:
    """Put the scenario into the world."""
    builder = StageBuilder(spec, draw, LANES)
    if spec.text("event") == "traffic":
        _add_rivals(builder)
    add_stream(builder, "left", MAIN, spec.number("left_per_minute"), lane=1)
    return builder


def _add_rivals(builder: StageBuilder) -> None:
    """Let vehicles arrive beside the ego vehicle where it is to change lanes."""
    spec, shift = builder.spec, builder.route.shift
    if shift is None:
        return
    lane = builder.lane("west_gore_0")
    speed = spec.number("rival_share") * lane.speed_limit_mps
    arrives_s = _drives_s(shift.start_m - builder.ego_s_m, builder.ego_speed_mps, lane.speed_limit_mps)
    beside_m = shift.start_m - next(start for name, start, _ in builder.route.lanes if name == "gore_taper_0")
    front_m = lane.length_m + beside_m + spec.number("rival_ahead_m") - speed * arrives_s
    builder.roles["cause"] = RIVAL
    for number in range(1 + int(spec.number("followers"))):
        shape = vehicle_body(builder.draw)
        name = RIVAL if number == 0 else f"{RIVAL}_{number}"
        there = front_m > shape.length + 1.0
        builder.vehicles.append(
            Vehicle(
                name, shape, MAIN, 0,
                position_m=min(front_m, lane.length_m - 2.0) if there else shape.length + 0.5,
                speed_mps=speed,
                desired_mps=speed,
                depart_s=0.0 if there else round(max(0.1, (shape.length + 1.0 - front_m) / speed), 1),
                headway_s=1.3,
                keeps_lane=True,
            )
        )  # fmt: skip
        front_m = min(front_m, lane.length_m - 2.0) - shape.length - spec.number("gap_s") * speed


def _drives_s(distance_m: float, speed_mps: float, limit_mps: float) -> float:
    """Return how long it takes to drive a distance while getting up to the limit (Intelligent Driver Model)."""
    t_s = 0.0
    while distance_m > 0.0:
        speed_mps += EGO_ACCELERATION_MPS2 * (1.0 - min(speed_mps / limit_mps, 1.0) ** 4) * STEP_S
        distance_m -= speed_mps * STEP_S
        t_s += STEP_S
    return t_s
