"""What scenarios in town have in common: the road, where the ego vehicle starts, and the town around it."""

import math
from collections.abc import Sequence

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.maps.library import VARIANTS, map_name
from alpamayo_ros.world.scenarios.builder import StageBuilder
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.surroundings import add_follower, add_parked, add_people, add_stream

BICYCLE_SHARE = 0.07
JUNCTIONS = ("signals", "priority", "tee")
EXITS = {"straight": "east", "left": "north", "right": "south"}


def town_parameters(
    draw: Draw,
    families: Sequence[str],
    *,
    weights: Sequence[float] | None = None,
    ego_s: tuple[float, float] = (30.0, 70.0),
    lane: str = "right",
) -> dict[str, float | str]:
    """Draw what every scenario in town has.

    Args:
        draw: Stream of parameters.
        families: Of the road networks.
        weights: How often each of them is taken.
        ego_s: Range of the ego vehicle's start on its route, m.
        lane: Of roads with two lanes: ``right`` or ``left``.
    """
    family = draw.choice(families, weights)
    return {
        "family": family,
        "map": map_name(family, draw.split, draw.whole(0, VARIANTS[draw.split] - 1)),
        "lane": lane,
        "exit": "straight",
        "ego_s_m": draw.uniform(*ego_s),
        "speed_share": draw.within(0.75, 0.95),
        # The band below a range that begins at nothing is nothing.
        "oncoming_per_minute": max(0.0, draw.within(0.0, 16.0)) if draw.chance(0.8) else 0.0,
        "cross_per_minute": draw.within(2.0, 10.0) if draw.chance(0.7) else 0.0,
        "parked_share": draw.within(0.1, 0.5) if draw.chance(0.7) else 0.0,
        "people": float(draw.whole(0, 10)),
        "follower_headway_s": draw.within(1.2, 2.5) if draw.chance(0.4) else 0.0,
    }


def ego_lanes(spec: EpisodeSpec) -> tuple[str, ...]:
    """Return the ego vehicle's lanes outside of junctions."""
    family = spec.text("family")
    if family in JUNCTIONS:
        return "west_centre_1", f"centre_{EXITS[spec.text('exit')]}_1"
    if family == "zebra":
        return "west_middle_1", "middle_east_1"
    return ("west_east_2",) if family == "two_lane" and spec.text("lane") == "left" else ("west_east_1",)


def oncoming_edges(family: str) -> tuple[str, ...]:
    """Return the route of who comes towards the ego vehicle."""
    if family in JUNCTIONS:
        return "east_centre", "centre_west"
    return ("east_middle", "middle_west") if family == "zebra" else ("east_west",)


def cross_routes(family: str) -> tuple[tuple[str, ...], ...]:
    """Return the routes of who comes from the side."""
    if family == "tee":
        return (("north_centre", "centre_west"), ("north_centre", "centre_east"))
    if family in JUNCTIONS:
        return (
            ("north_centre", "centre_south"),
            ("south_centre", "centre_north"),
            ("north_centre", "centre_west"),
            ("south_centre", "centre_east"),
        )
    return ()


def with_town(
    builder: StageBuilder,
    keep_clear: tuple[tuple[str, float, float], ...] = (),
    *,
    oncoming: bool = True,
    neighbours: bool = True,
    neighbours_until_m: float = math.inf,
) -> None:
    """Add the town's bystanders.

    Args:
        builder: Staging under construction.
        keep_clear: Edge, first and last arc length on it where nobody parks.
        oncoming: Whether somebody comes towards the ego vehicle; if not, the scenario sees to that.
        neighbours: Whether somebody drives in the lane beside the ego vehicle's.
        neighbours_until_m: At the start none of them is beyond this on the road.
    """
    spec = builder.spec
    family = spec.text("family")
    if oncoming:
        rate = spec.number("oncoming_per_minute")
        add_stream(builder, "oncoming", oncoming_edges(family), rate, bicycles=BICYCLE_SHARE)
    for number, route in enumerate(cross_routes(family)):
        share = spec.number("cross_per_minute") / 2.0
        if builder.draw.chance(0.7):
            add_stream(builder, f"cross_{number}", route, share, until_m=120.0)
    if family == "two_lane" and neighbours:
        other = 1 if spec.text("lane") == "left" else 2
        edges = (builder.lane(builder.lanes[0]).edge,)
        rate = spec.number("cross_per_minute")
        add_stream(builder, "neighbour", edges, rate, lane=other, until_m=neighbours_until_m)
    if spec.number("follower_headway_s"):
        add_follower(builder, spec.number("follower_headway_s"))
    add_parked(builder, spec.number("parked_share"), keep_clear)
    add_people(builder, int(spec.number("people")))
