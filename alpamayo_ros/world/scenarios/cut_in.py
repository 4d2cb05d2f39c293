"""A vehicle from the lane beside changes into the ego vehicle's lane, close before it. Or only passes."""

from collections.abc import Mapping

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.scenarios.bodies import vehicle_body
from alpamayo_ros.world.scenarios.builder import StageBuilder
from alpamayo_ros.world.scenarios.roads import ego_lanes, town_parameters, with_town
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.staging import LaneChange, SpeedChange, Trigger, Vehicle

FAMILIES = ("two_lane",)
ACTOR = "cut_in"


def parameters(draw: Draw) -> Mapping[str, float | str]:
    """Draw the parameters."""
    lane = draw.choice(("right", "left"), (2.0, 1.0))
    return {
        **town_parameters(draw, FAMILIES, lane=lane),
        "event": "cuts_in" if draw.chance(0.72) else "passes",
        "starts_ahead_m": draw.within(-6.0, 5.0),
        "faster_mps": draw.within(2.0, 3.6),
        "gap_m": draw.within(2.0, 8.0),
        "not_before_s": draw.uniform(1.5, 5.0),
        "then_share": draw.within(0.6, 0.85),
        "indicates_s": draw.within(0.6, 1.6) if draw.chance(0.75) else 0.0,
    }


def build(spec: EpisodeSpec, draw: Draw) -> StageBuilder:
    """Put the scenario into the world."""
    builder = StageBuilder(spec, draw, ego_lanes(spec))
    own = builder.lane(builder.lanes[0])
    other, side = (2, "right") if spec.text("lane") == "right" else (1, "left")
    speed = builder.ego_speed_mps + spec.number("faster_mps")
    shape = vehicle_body(draw, large=False)
    position = builder.ego_front_m + spec.number("starts_ahead_m")
    # The ego vehicle speeds up to the limit meanwhile; the actor has to get before it all the same.
    desired = own.speed_limit_mps + spec.number("faster_mps")
    builder.vehicles.append(Vehicle(ACTOR, shape, (own.edge,), other, position, speed, desired, keeps_lane=True))
    builder.roles["cause"] = ACTOR
    if spec.text("event") == "cuts_in":
        trigger = Trigger(after_s=spec.number("not_before_s"), behind_actor=ACTOR, distance_m=spec.number("gap_m"))
        indicates_s = round(spec.number("indicates_s"), 1)
        builder.orders += [
            LaneChange(ACTOR, trigger, own.index, side if indicates_s else "none", indicates_s),
            SpeedChange(ACTOR, trigger, spec.number("then_share") * own.speed_limit_mps, 1.5, 1000.0),
        ]
    with_town(builder, neighbours=False)
    return builder
