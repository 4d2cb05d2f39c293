"""A vehicle stands in the ego vehicle's lane: broken down, or only for a while. Or it stands beside it."""

import math
from collections.abc import Mapping

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.scenarios.bodies import body
from alpamayo_ros.world.scenarios.builder import PARKED_GAP_M, StageBuilder
from alpamayo_ros.world.scenarios.roads import ego_lanes, town_parameters, with_town
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.staging import SpeedChange, Trigger, Vehicle

FAMILIES = ("two_lane", "street")
ACTOR = "stopped"


def parameters(draw: Draw) -> Mapping[str, float | str]:
    """Draw the parameters."""
    drawn = town_parameters(draw, FAMILIES)
    event = draw.choice(("broken_down", "waits", "beside"), (5.0, 2.5, 2.5))
    return {
        **drawn,
        "event": event,
        "ahead_m": draw.within(60.0, 110.0),
        "kind": draw.choice(("car", "van", "truck"), (3.0, 1.0, 1.0)),
        "waits_s": draw.within(9.0, 14.0),
        "hazard": float(draw.chance(0.7)),
        "follower_headway_s": 0.0,
    }


def build(spec: EpisodeSpec, draw: Draw) -> StageBuilder:
    """Put the scenario into the world."""
    builder = StageBuilder(spec, draw, ego_lanes(spec))
    own = builder.lane(builder.lanes[0])
    shape = body(draw, spec.text("kind"))
    rear = builder.ego_front_m + spec.number("ahead_m")
    front = rear + shape.length
    event = spec.text("event")
    warns = event == "broken_down" or (event == "beside" and spec.number("hazard") > 0.0)
    hazard = "hazard" if warns else "none"
    if event == "beside" and spec.text("family") == "street":
        aside = -(own.width_m / 2.0 + PARKED_GAP_M + shape.width / 2.0)
        builder.add_prop(ACTOR, shape, own.id, rear + shape.length / 2.0, aside, hazard)
    elif event == "waits":
        desired = 0.9 * own.speed_limit_mps
        builder.vehicles.append(Vehicle(ACTOR, shape, (own.edge,), own.index, front, 0.0, desired, keeps_lane=True))
        builder.orders.append(SpeedChange(ACTOR, Trigger(), 0.0, 5.0, spec.number("waits_s")))
    else:
        index = own.index + 1 if event == "beside" else own.index
        builder.vehicles.append(
            Vehicle(ACTOR, shape, (own.edge,), index, front, 0.0, 10.0, standing=True, indicator=hazard)
        )
    builder.roles["cause"] = ACTOR
    until_m = rear - 45.0 if event == "beside" else math.inf
    with_town(builder, keep_clear=((own.edge, rear - 12.0, front + 8.0),), neighbours_until_m=until_m)
    return builder
