"""Signals and right of way: whether the ego vehicle may enter a junction now."""

import math
from collections.abc import Iterator, Mapping, Sequence

from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.constraint import Barrier, Pace
from alpamayo_ros.world.expert.junctions import Conflict, RouteJunction
from alpamayo_ros.world.expert.parameters import ExpertParameters
from alpamayo_ros.world.expert.roll_out import time_to
from alpamayo_ros.world.snapshot import VEHICLE_KINDS, Actor, Signal
from alpamayo_ros.world.vehicle import LENGTH_M, REAR_AXLE_TO_FRONT_M

BEFORE_LINE_M = 1.0
"""The front stands this much before a stop line."""
PAST_LINE_M = 1.0
"""A front farther than this past the line has crossed it."""
COMMITTED_MARGIN_S = 0.3
"""What must be left to others once the ego vehicle is past the line."""
AGAINST_RAD = math.radians(110.0)
LOOK_M = 70.0
"""Right of way is looked at from this far before the junction."""
_FOE_ACCELERATION_MPS2 = 1.5
_WAY_STEP_M = 2.0
_SLOWEST_MPS = 1.0
_BEHIND_FOE_S = 0.4


def signal_barriers(
    junctions: Sequence[RouteJunction],
    signals: Mapping[str, Signal],
    s_m: float,
    speed_mps: float,
    parameters: ExpertParameters,
) -> Iterator[Barrier]:
    """Yield the stop lines whose signals forbid to go on.

    At amber the ego vehicle stops where comfortable braking is enough, at red wherever it can.
    """
    front = s_m + REAR_AXLE_TO_FRONT_M
    for junction in junctions:
        signal = signals.get(junction.connection.signal)
        if signal is None or signal.state not in {"red", "amber"} or front > junction.stop_m + PAST_LINE_M:
            continue
        gap = junction.stop_m - front
        needed = speed_mps * speed_mps / (2.0 * max(gap, 0.1))
        most = parameters.amber_braking_mps2 if signal.state == "amber" else parameters.hard_braking_mps2
        if needed > most and speed_mps > 1.0:
            continue
        cause = Cause("red_light", signal.id, state="amber" if signal.state == "amber" else "")
        yield Barrier(cause, junction.stop_m - REAR_AXLE_TO_FRONT_M, parameters, BEFORE_LINE_M, 0.5)


def foe_barriers(
    junctions: Sequence[RouteJunction],
    actors: Sequence[Actor],
    signals: Mapping[str, Signal],
    pace: Pace,
    s_m: float,
    speed_mps: float,
    parameters: ExpertParameters,
) -> Iterator[Barrier]:
    """Yield what makes the ego vehicle wait for each vehicle that goes first and would meet it in the junction."""
    front = s_m + REAR_AXLE_TO_FRONT_M
    for junction in junctions:
        if front > junction.end_m or junction.stop_m - front > LOOK_M:
            continue
        past_line = front > junction.stop_m + PAST_LINE_M
        margin = COMMITTED_MARGIN_S if past_line else parameters.gap_margin_s
        for conflict in junction.conflicts:
            if front > conflict.start_m:
                continue
            stop_m = conflict.start_m - BEFORE_LINE_M if past_line else junction.stop_m
            come, gone = _own_window(conflict, front, speed_mps, pace, parameters)
            windows = ((_foe_window(conflict, actor, signals), actor) for actor in actors)
            meeting = [
                (window, actor)
                for window, actor in windows
                if window is not None and gone + margin >= window[0] and come <= window[1] + _BEHIND_FOE_S
            ]
            # The next one to come is the one to wait for; the others are reasons of their own.
            for window, actor in sorted(meeting, key=lambda item: (item[0][0], item[1].id)):
                touched = max(stop_m - REAR_AXLE_TO_FRONT_M, s_m)
                yield Barrier(
                    Cause(_label(conflict), actor.id), touched, parameters, BEFORE_LINE_M, 0.5,
                    until_s=window[1] + _BEHIND_FOE_S,
                )  # fmt: skip


def _own_window(
    conflict: Conflict, front_m: float, speed_mps: float, pace: Pace, parameters: ExpertParameters
) -> tuple[float, float]:
    """Return when the ego vehicle comes to a conflict and when it has left it, if it does not wait."""
    left_m = conflict.end_m + (0.0 if conflict.joins else LENGTH_M)
    place, passed, come = front_m, 0.0, 0.0
    while place < left_m:
        risen = math.sqrt(speed_mps**2 + 2.0 * parameters.acceleration_mps2 * (place - front_m + _WAY_STEP_M))
        # The pace is that of the rear axle.
        passed += _WAY_STEP_M / max(min(risen, pace.speed(place - REAR_AXLE_TO_FRONT_M)), _SLOWEST_MPS)
        place += _WAY_STEP_M
        if place <= conflict.start_m:
            come = passed
    return come, passed


def _foe_window(conflict: Conflict, actor: Actor, signals: Mapping[str, Signal]) -> tuple[float, float] | None:
    """Return when a vehicle comes to a conflict and when it has left it; None if it does not come there."""
    offset = conflict.offsets_m.get(actor.lane)
    if offset is None or actor.kind not in VEHICLE_KINDS or actor.indicator == "hazard":
        return None
    if _goes_elsewhere(conflict, actor):
        return None
    distance = offset - actor.lane_position_m
    left = distance + conflict.length_m + actor.length
    if left < 0.0:
        return None
    if _is_held(conflict, actor, signals):
        return None
    fastest = max(actor.speed_mps, 8.0 if not conflict.joins else 12.0)
    come = time_to(distance, actor.speed_mps, fastest, _FOE_ACCELERATION_MPS2)
    leave = time_to(left, actor.speed_mps, fastest, _FOE_ACCELERATION_MPS2)
    return come, leave


def _goes_elsewhere(conflict: Conflict, actor: Actor) -> bool:
    """Tell whether the indicator says that a vehicle before the junction takes another way."""
    if actor.lane in conflict.foe.via_lanes:
        return False
    turning = {"l": "left", "r": "right"}.get(conflict.foe.direction, "none")
    return actor.indicator in {"left", "right"} and actor.indicator != turning


def _is_held(conflict: Conflict, actor: Actor, signals: Mapping[str, Signal]) -> bool:
    """Tell whether a signal makes a vehicle wait, and it can."""
    signal = signals.get(conflict.foe.signal)
    if signal is None or signal.state != "red" or actor.lane in conflict.foe.via_lanes:
        return False
    if actor.lane != conflict.foe.from_lane:
        return True
    rest = max(0.1, conflict.offsets_m[actor.lane] - conflict.offsets_m[conflict.foe.via_lane] - actor.lane_position_m)
    return actor.speed_mps**2 / (2.0 * rest) < 4.0


def _label(conflict: Conflict) -> str:
    return "oncoming_vehicle" if abs(conflict.turn_rad) > AGAINST_RAD else "crossing_vehicle"
