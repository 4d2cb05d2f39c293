"""A tight bend: the ego vehicle slows down for it."""

from collections.abc import Mapping

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.scenarios.builder import StageBuilder
from alpamayo_ros.world.scenarios.roads import ego_lanes, town_parameters, with_town
from alpamayo_ros.world.scenarios.spec import EpisodeSpec

FAMILIES = ("bend",)


def parameters(draw: Draw) -> Mapping[str, float | str]:
    """Draw the parameters."""
    return town_parameters(draw, FAMILIES, ego_s=(12.0, 40.0))


def build(spec: EpisodeSpec, draw: Draw) -> StageBuilder:
    """Put the scenario into the world."""
    builder = StageBuilder(spec, draw, ego_lanes(spec))
    with_town(builder)
    return builder
