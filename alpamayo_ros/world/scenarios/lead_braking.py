"""The vehicle ahead brakes hard, to a crawl or to a stand, and drives on later. Or it does not brake at all."""

from collections.abc import Mapping

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.scenarios.builder import StageBuilder
from alpamayo_ros.world.scenarios.roads import ego_lanes, town_parameters, with_town
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.staging import SpeedChange, Trigger
from alpamayo_ros.world.scenarios.surroundings import add_lead

FAMILIES = ("street", "two_lane")


def parameters(draw: Draw) -> Mapping[str, float | str]:
    """Draw the parameters."""
    return {
        **town_parameters(draw, FAMILIES),
        "event": "brakes" if draw.chance(0.75) else "none",
        "headway_s": draw.within(1.3, 2.4),
        "brakes_after_s": draw.within(2.0, 8.0),
        "deceleration_mps2": draw.within(2.5, 5.0),
        "slow_share": 0.0 if draw.chance(0.5) else draw.within(0.2, 0.5),
        "hold_s": draw.within(2.0, 5.0),
    }


def build(spec: EpisodeSpec, draw: Draw) -> StageBuilder:
    """Put the scenario into the world."""
    builder = StageBuilder(spec, draw, ego_lanes(spec))
    speed = builder.ego_speed_mps
    add_lead(builder, "lead", spec.number("headway_s") * speed + 2.0, speed, speed)
    builder.roles["cause"] = "lead"
    if spec.text("event") == "brakes":
        builder.orders.append(
            SpeedChange(
                "lead",
                Trigger(after_s=spec.number("brakes_after_s")),
                spec.number("slow_share") * speed,
                spec.number("deceleration_mps2"),
                spec.number("hold_s"),
            )
        )
    with_town(builder)
    return builder
