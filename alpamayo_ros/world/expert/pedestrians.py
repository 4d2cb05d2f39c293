"""People on foot who cross the ego vehicle's path, or are about to."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.constraint import Barrier
from alpamayo_ros.world.expert.offsets import OffsetPlan
from alpamayo_ros.world.expert.parameters import ExpertParameters
from alpamayo_ros.world.expert.situation import PathActor, PathFrame
from alpamayo_ros.world.road_map import CROSSING, RoadMap
from alpamayo_ros.world.vehicle import LENGTH_M, REAR_AXLE_TO_FRONT_M, WIDTH_M

SIDE_M = WIDTH_M / 2.0 + 0.8
"""Nearer to the middle of the path than this somebody is in the way."""
HORIZON_S = 4.0
"""Somebody who will be in the way later than this may still be waited for, but not yet."""
WAITING_M = 1.5
"""Somebody who stands no farther from the road's edge than this and looks across it wants to cross."""
WALKING_MPS = 0.3
USUAL_WALK_MPS = 1.2
BEFORE_CROSSING_M = 0.8
BEFORE_PEDESTRIAN_M = 2.5
GOES_FIRST_S = 1.0
"""The ego vehicle goes first where it is past this much before somebody is in the way."""
_LATE_S = 0.3


@dataclass(frozen=True, slots=True)
class PathCrossing:
    """A zebra crossing on the path.

    Attributes:
        id: Of its lane.
        start_m: Where along the path it begins.
        end_m: Where it ends.
        left_m: Its left end, offset from the path.
        right_m: Its right end.
        ruled: Whether a signal rules it.
    """

    id: str
    start_m: float
    end_m: float
    left_m: float
    right_m: float
    ruled: bool


def crossings_on(road_map: RoadMap, frame: PathFrame) -> tuple[PathCrossing, ...]:
    """Return the zebra crossings that the path leads over."""
    found = []
    for lane in road_map.lanes.values():
        if lane.kind != CROSSING:
            continue
        count = max(2, math.ceil(lane.length_m / 0.5))
        stations = np.linspace(0.0, 1.0, count)
        share = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(lane.centre, axis=0).T))]) / lane.length_m
        points = np.stack([np.interp(stations, share, lane.centre[:, axis]) for axis in (0, 1)], axis=1)
        s, d, _ = frame.project(points)
        nearest = int(np.argmin(np.abs(d)))
        if abs(d[nearest]) > 0.6 or not 0.0 < s[nearest] < frame.s_m[-1]:
            continue
        half = lane.width_m / 2.0
        ruled = lane.id in road_map.crossing_links
        middle = float(s[nearest])
        found.append(PathCrossing(lane.id, middle - half, middle + half, float(d.max()), float(d.min()), ruled))
    return tuple(sorted(found, key=lambda item: item.start_m))


def pedestrian_barriers(
    people: Sequence[PathActor],
    crossings: Sequence[PathCrossing],
    plan: OffsetPlan,
    s_m: float,
    speed_mps: float,
    parameters: ExpertParameters,
) -> Iterator[Barrier]:
    """Yield what makes the ego vehicle wait for each pedestrian who is or will soon be in its way."""
    for item in people:
        if item.s_m < s_m + REAR_AXLE_TO_FRONT_M - 0.5:
            continue
        away = item.d_m - plan.at(item.s_m).d_m
        crossing = next((place for place in crossings if _is_at(item, place)), None)
        entering, leaving, waiting = _in_the_way(item, away, crossing)
        if leaving < 0.0 or entering > HORIZON_S:
            continue
        gap = item.touched_at_m - s_m
        passed = gap + LENGTH_M + 2.0 * item.half_along_m
        if not waiting and entering > 0.0 and passed / max(speed_mps, 0.1) + GOES_FIRST_S < entering:
            continue
        at = item.s_m - BEFORE_PEDESTRIAN_M
        if crossing is not None:
            at = min(at, crossing.start_m - BEFORE_CROSSING_M)
        touched = at - REAR_AXLE_TO_FRONT_M
        if touched < s_m - 0.5:
            touched = max(touched, item.s_m - item.half_along_m - 1.0 - REAR_AXLE_TO_FRONT_M)
        cause = Cause("crossing_pedestrian", item.actor.id, state="waiting" if waiting or entering > 1.5 else "")
        yield Barrier(cause, touched + 1.0, parameters, 1.0, 0.5, until_s=leaving + _LATE_S)


def _is_at(item: PathActor, crossing: PathCrossing) -> bool:
    on = item.actor.lane == crossing.id
    return on or crossing.start_m - 1.0 < item.s_m < crossing.end_m + 1.0


def _in_the_way(item: PathActor, away: float, crossing: PathCrossing | None) -> tuple[float, float, bool]:
    """Return when somebody comes into the way and when they leave it, in s from now, and whether they wait.

    A time that has passed is 0 for coming and negative for leaving; who does not come at all comes never.
    """
    across = item.speed_across_mps
    inside = abs(away) < SIDE_M
    if abs(across) < WALKING_MPS:
        if inside:
            return 0.0, math.inf, False
        if crossing is not None and not crossing.ruled and _looks_across(item, away, crossing):
            return 0.0, math.inf, True
        return math.inf, math.inf, False
    inward = -math.copysign(1.0, away) * across > 0.0
    # Who has just stepped off walks faster in a moment.
    pace = max(abs(across), USUAL_WALK_MPS)
    if inside:
        return 0.0, (SIDE_M + abs(away) * (1.0 if inward else -1.0)) / pace, False
    if not inward:
        return math.inf, -1.0, False
    return (abs(away) - SIDE_M) / pace, (abs(away) + SIDE_M) / abs(across), False


def _looks_across(item: PathActor, away: float, crossing: PathCrossing) -> bool:
    edge = crossing.left_m if away > 0.0 else -crossing.right_m
    looks = -math.copysign(1.0, away) * math.sin(item.turn_rad) > 0.5
    return looks and abs(item.d_m) < edge + WAITING_M
