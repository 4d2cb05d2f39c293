"""Nothing happens: the ego vehicle follows its lane, on its own or behind somebody far away."""

from collections.abc import Mapping

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.scenarios.builder import StageBuilder
from alpamayo_ros.world.scenarios.roads import ego_lanes, town_parameters, with_town
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.surroundings import add_lead

FAMILIES = ("street", "two_lane", "zebra", "priority", "tee")


def parameters(draw: Draw) -> Mapping[str, float | str]:
    """Draw the parameters."""
    drawn = town_parameters(draw, FAMILIES)
    exits = {"priority": ("straight", "right"), "tee": ("straight",)}.get(str(drawn["family"]), ("straight",))
    return {
        **drawn,
        "exit": draw.choice(exits),
        "lead_headway_s": draw.within(3.5, 6.0) if draw.chance(0.35) else 0.0,
    }


def build(spec: EpisodeSpec, draw: Draw) -> StageBuilder:
    """Put the scenario into the world."""
    builder = StageBuilder(spec, draw, ego_lanes(spec))
    headway = spec.number("lead_headway_s")
    if headway:
        add_lead(builder, "lead", headway * builder.ego_speed_mps, builder.ego_speed_mps, builder.ego_speed_mps)
    with_town(builder)
    return builder
