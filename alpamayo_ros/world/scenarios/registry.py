"""The scenarios by name, and the episodes that are made from them."""

import dataclasses
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alpamayo_ros.errors import ParameterError, expected_one_of
from alpamayo_ros.world.maps.draw import HELD_OUT, TRAIN, Draw
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.path import Path
from alpamayo_ros.world.scenarios import (
    construction,
    crossing_pedestrian,
    curve,
    cut_in,
    lane_keeping,
    lead_braking,
    merge,
    red_light,
    stopped_vehicle,
    unprotected_left,
)
from alpamayo_ros.world.scenarios.builder import StageBuilder
from alpamayo_ros.world.scenarios.circumstances import draw_conditions, draw_faults
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.staging import Staging

MAX_SEED = 2**53 - 1
SUN_AHEAD_M = 40.0
"""A sun that blinds stands low before the ego vehicle; this far ahead is where the road's direction is taken."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """How episodes of one name are made.

    Attributes:
        parameters: Draws the parameters.
        build: Puts them into the world.
    """

    parameters: Callable[[Draw], Mapping[str, float | str]]
    build: Callable[[EpisodeSpec, Draw], StageBuilder]


SCENARIOS: Mapping[str, Scenario] = {
    module.__name__.rpartition(".")[2]: Scenario(module.parameters, module.build)
    for module in (
        lane_keeping,
        curve,
        lead_braking,
        cut_in,
        crossing_pedestrian,
        red_light,
        unprotected_left,
        construction,
        stopped_vehicle,
        merge,
    )
}

_EPISODE = re.compile(r"(?P<scenario>[a-z_]+):(?P<seed>\d{1,16})(?:@(?P<split>[a-z_]+))?", re.ASCII)


def episode(name: str) -> EpisodeSpec:
    """Return the episode of a text: ``scenario:seed``, or ``scenario:seed@held_out``.

    Raises:
        ParameterError: The text is not of that form, or names what there is not.
    """
    match = _EPISODE.fullmatch(name)
    if match is None:
        raise ParameterError(f"episode {name!r} is no name; expected scenario:seed or scenario:seed@{HELD_OUT}")
    return draw_episode(match["scenario"], int(match["seed"]), match["split"] or TRAIN)


def draw_episode(scenario: str, seed: int, split: str = TRAIN) -> EpisodeSpec:
    """Draw an episode.

    Args:
        scenario: One of SCENARIOS.
        seed: 0 or more.
        split: ``train`` or ``held_out``: other maps and other ranges.

    Raises:
        ParameterError: The scenario or the split is unknown, or the seed out of range.
    """
    if scenario not in SCENARIOS:
        raise ParameterError(expected_one_of("scenario", scenario, tuple(SCENARIOS)))
    if not 0 <= seed <= MAX_SEED:
        raise ParameterError(f"seed {seed} is out of range; expected 0 to {MAX_SEED}")
    draw = _parameter_stream(scenario, seed, split)
    parameters = dict(SCENARIOS[scenario].parameters(draw))
    spec = EpisodeSpec(scenario, seed, split, parameters=parameters, duration_s=round(draw.uniform(18.0, 22.0), 1))
    sky = Draw(split, [seed, zlib.crc32(scenario.encode()), 3])
    conditions, faults = draw_conditions(sky), draw_faults(sky, spec.duration_s)
    if conditions.glare:
        conditions = dataclasses.replace(conditions, sun_azimuth_rad=_ahead(spec) + sky.uniform(-0.5, 0.5))
    return dataclasses.replace(spec, conditions=conditions, faults=faults)


def draw_parameters(scenario: str, seed: int, split: str = TRAIN) -> dict[str, float | str]:
    """Draw the parameters of an episode alone, which needs no map; the arguments are those of an episode."""
    return dict(SCENARIOS[scenario].parameters(_parameter_stream(scenario, seed, split)))


def _parameter_stream(scenario: str, seed: int, split: str) -> Draw:
    return Draw(split, [seed, zlib.crc32(scenario.encode()), 1])


def stage(spec: EpisodeSpec) -> Staging:
    """Return everything that an episode puts into the world at its start.

    Raises:
        ParameterError: The scenario is unknown, or a parameter is missing or of another type.
    """
    if spec.scenario not in SCENARIOS:
        raise ParameterError(expected_one_of("scenario", spec.scenario, tuple(SCENARIOS)))
    draw = Draw(spec.split, [spec.seed, zlib.crc32(spec.scenario.encode()), 2])
    try:
        return SCENARIOS[spec.scenario].build(spec, draw).staging()
    except KeyError as error:
        raise ParameterError(
            f"episode {spec.id!r} lacks the parameter {error}; expected those of {spec.scenario}"
        ) from error


def _ahead(spec: EpisodeSpec) -> float:
    """Return the heading of the road before the ego vehicle's start, rad."""
    staging = stage(spec)
    lane = load_map(staging.map_name).road_map.lanes[staging.ego.lanes[0]]
    return Path(lane.centre, smoothing_m=0.0).point(staging.ego.s_m + SUN_AHEAD_M)[2]
