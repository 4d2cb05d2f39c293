"""Cones close the ego vehicle's lane or make it narrower. Or they stand beside it."""

import math
from collections.abc import Mapping

from alpamayo_ros.world import vehicle
from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.scenarios.builder import StageBuilder
from alpamayo_ros.world.scenarios.roads import ego_lanes, town_parameters, with_town
from alpamayo_ros.world.scenarios.spec import EpisodeSpec

FAMILIES = ("two_lane", "street")
CONE_STEP_M = 5.0
CONE_M = 0.4
TAPER_M = 20.0
BORDER_M = 0.35
"""Cones that close a lane stand this far inside its border."""


def parameters(draw: Draw) -> Mapping[str, float | str]:
    """Draw the parameters."""
    drawn = town_parameters(draw, FAMILIES, weights=(3.0, 2.0))
    works = "closed" if drawn["family"] == "two_lane" else "narrow"
    return {
        **drawn,
        "event": works if draw.chance(0.75) else "beside",
        "ahead_m": draw.within(55.0, 100.0),
        "zone_m": draw.within(25.0, 50.0),
        "too_narrow_m": draw.within(0.2, 0.55),
        "follower_headway_s": 0.0,
    }


def build(spec: EpisodeSpec, draw: Draw) -> StageBuilder:
    """Put the scenario into the world."""
    builder = StageBuilder(spec, draw, ego_lanes(spec))
    own = builder.lane(builder.lanes[0])
    start = builder.ego_front_m + spec.number("ahead_m")
    end = start + spec.number("zone_m")
    event, half = spec.text("event"), own.width_m / 2.0
    if event == "closed":
        _close(builder, own.id, start, end, from_right=True)
    elif event == "narrow":
        # Beside a vehicle in the lane's middle there is room; the cones stand farther in than that.
        inner = -vehicle.WIDTH_M / 2.0 + spec.number("too_narrow_m") - CONE_M / 2.0
        _along(builder, own.id, start, end, inner, outer=-half - 0.1)
    elif spec.text("family") == "two_lane":
        _close(builder, f"{own.edge}_{own.index + 1}", start, end, from_right=False)
    else:
        _along(builder, own.id, start, end, -half - 0.5, outer=-half - 0.7)
    builder.roles["cause"] = "cone_00"
    clear = (own.edge, start - 15.0, end + 15.0)
    with_town(builder, keep_clear=(clear,), neighbours_until_m=math.inf if event == "closed" else start - 45.0)
    return builder


def _close(builder: StageBuilder, lane_id: str, start: float, end: float, *, from_right: bool) -> None:
    """Close a lane: a slanting row from the road's border, then a row along the other border, a barrier in it."""
    border = builder.lane(lane_id).width_m / 2.0 - BORDER_M
    inner = border if from_right else -border
    slant = int(TAPER_M / CONE_STEP_M)
    places = [(start + CONE_STEP_M * k, -inner + 2.0 * inner * k / slant) for k in range(slant)]
    count = max(1, int((end - start - TAPER_M) / CONE_STEP_M))
    places += [(start + TAPER_M + CONE_STEP_M * k, inner) for k in range(count + 1)]
    places.append((start + TAPER_M + 2.0, 0.0))
    builder.add_cones("cone", lane_id, places, blocks=True, last_kind="barrier")


def _along(builder: StageBuilder, lane_id: str, start: float, end: float, inner: float, outer: float) -> None:
    """Put a row of cones along the right border, its ends farther out."""
    count = max(2, int((end - start) / CONE_STEP_M))
    places = [(start + CONE_STEP_M * k, outer if k in {0, count} else inner) for k in range(count + 1)]
    builder.add_cones("cone", lane_id, places, blocks=False)
