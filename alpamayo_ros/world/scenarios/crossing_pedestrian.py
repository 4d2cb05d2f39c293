"""Somebody crosses before the ego vehicle, on a zebra crossing or without one. Or only stands or walks beside it."""

import math
from collections.abc import Mapping

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.scenarios.bodies import body
from alpamayo_ros.world.scenarios.builder import KERB_WAIT_M, WALK_BESIDE_M, StageBuilder
from alpamayo_ros.world.scenarios.roads import ego_lanes, town_parameters, with_town
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.staging import WALK_ACCELERATION_MPS2, Prop, Trigger

FAMILIES = ("zebra", "street")
PEDESTRIAN = "pedestrian"
LEAST_HEADWAY_S = 2.4
"""At 50 km/h the ego vehicle stops within this time's way by braking with 3 m/s^2."""


def parameters(draw: Draw) -> Mapping[str, float | str]:
    """Draw the parameters."""
    drawn = town_parameters(draw, FAMILIES, weights=(3.0, 1.0), ego_s=(20.0, 60.0))
    return {
        **drawn,
        "event": draw.choice(("crosses", "walks_along", "stands"), (7.0, 2.0, 1.0)),
        "side": draw.choice(("right", "left")),
        "ahead_m": draw.within(60.0, 110.0),
        "meets_s": draw.within(-0.3, 0.7),
        "walking_mps": draw.within(0.9, 1.6),
        "companions": float(draw.chance(0.15)),
    }


def build(spec: EpisodeSpec, draw: Draw) -> StageBuilder:
    """Put the scenario into the world."""
    builder = StageBuilder(spec, draw, ego_lanes(spec))
    crossings = [lane for lane in builder.road_map.lanes.values() if lane.kind == "crossing"]
    if crossings:
        first, last = crossings[0].centre[0].tolist(), crossings[0].centre[-1].tolist()
        lane_id = crossings[0].id
        middle_s = builder.route.path.project((first[0] + last[0]) / 2.0, (first[1] + last[1]) / 2.0)[0]
    else:
        middle_s = builder.ego_front_m + spec.number("ahead_m")
        width = builder.lane(builder.lanes[0]).width_m
        first = list(builder.route.path.point(middle_s, -width / 2.0)[:2])
        last = list(builder.route.path.point(middle_s, width * 1.5)[:2])
        lane_id = builder.lanes[0]
    from_right = builder.route.path.project(first[0], first[1])[1] < builder.route.path.project(last[0], last[1])[1]
    if from_right != (spec.text("side") == "right"):
        first, last = last, first
    _add_pedestrians(builder, (first[0], first[1]), (last[0], last[1]), lane_id, middle_s)
    edge = builder.lane(builder.route.lane_at(middle_s - 10.0)).edge
    local = builder.line(builder.road_map.driving_lanes(edge)[0].id).project(*builder.route.path.point(middle_s)[:2])[0]
    with_town(builder, keep_clear=((edge, local - 22.0, local + 12.0),))
    return builder


def _add_pedestrians(
    builder: StageBuilder, near: tuple[float, float], far: tuple[float, float], lane_id: str, middle_s: float
) -> None:
    spec = builder.spec
    length = math.hypot(far[0] - near[0], far[1] - near[1])
    ux, uy = (far[0] - near[0]) / length, (far[1] - near[1]) / length
    target = builder.route.path.point(middle_s)[:2]
    builder.roles["cause"] = PEDESTRIAN
    headway_s = _headway_s(spec, math.hypot(target[0] - near[0], target[1] - near[1]))
    for number in range(1 + int(spec.number("companions"))):
        name = PEDESTRIAN if number == 0 else f"companion_{number}"
        aside = 0.0 if number == 0 else 0.9
        first = (near[0] - uy * aside, near[1] + ux * aside)
        last = (far[0] - uy * aside, far[1] + ux * aside)
        start = (first[0] - ux * (1.6 + 0.5 * number), first[1] - uy * (1.6 + 0.5 * number))
        event = spec.text("event")
        if event == "walks_along":
            _along(builder, name, start, number)
            continue
        if event == "stands":
            _stand(builder, name, first, (ux, uy))
            continue
        trigger = Trigger(0.4 * number, target, headway_s, 12.0)
        builder.crossing_walker(name, start, (first, last), lane_id, spec.number("walking_mps"), trigger)


def _headway_s(spec: EpisodeSpec, kerb_m: float) -> float:
    """Return how long before the ego vehicle would arrive the person steps out, to meet it on its lane."""
    walking = spec.number("walking_mps")
    starts_s = walking / WALK_ACCELERATION_MPS2 / 2.0
    return max((KERB_WAIT_M + kerb_m) / walking + starts_s + spec.number("meets_s"), LEAST_HEADWAY_S)


def _stand(builder: StageBuilder, name: str, kerb: tuple[float, float], across: tuple[float, float]) -> None:
    """Let somebody stand away from the kerb and look along the road."""
    back = builder.draw.uniform(2.3, 2.9)
    heading = math.atan2(across[1], across[0]) + math.copysign(math.pi / 2.0, builder.draw.uniform(-1.0, 1.0))
    place = (kerb[0] - back * across[0], kerb[1] - back * across[1])
    builder.props.append(Prop(name, body(builder.draw, "pedestrian"), *place, heading))


def _along(builder: StageBuilder, name: str, place: tuple[float, float], number: int) -> None:
    """Let somebody walk along the sidewalk that is nearest to a place."""
    sidewalks = [lane for lane in builder.road_map.lanes.values() if lane.kind == "sidewalk"]
    nearest = min(sidewalks, key=lambda lane: abs(builder.line(lane.id).project(*place)[1]))
    s_m = builder.line(nearest.id).project(*place)[0]
    builder.kerb_walker(
        name, nearest, s_m - 6.0 + 2.0 * number, builder.spec.number("walking_mps"),
        backwards=builder.draw.chance(0.5), offset_m=WALK_BESIDE_M - nearest.width_m / 2.0,
    )  # fmt: skip
