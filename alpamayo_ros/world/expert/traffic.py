"""Vehicles on the ego vehicle's path, and those about to move there."""

import math
from collections.abc import Iterator

import numpy as np

from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.constraint import Barrier
from alpamayo_ros.world.expert.offsets import OffsetPlan
from alpamayo_ros.world.expert.parameters import ExpertParameters
from alpamayo_ros.world.expert.situation import PathActor, PathFrame
from alpamayo_ros.world.overlap import actor_boxes, overlap
from alpamayo_ros.world.snapshot import VEHICLE_KINDS
from alpamayo_ros.world.vehicle import REAR_AXLE_TO_FRONT_M, WIDTH_M

SAME_WAY_RAD = math.radians(60.0)
AGAINST_RAD = math.radians(120.0)
BESIDE_MARGIN_M = 0.25
"""Nearer to the ego vehicle's side than this is on its path."""
CUT_IN_HORIZON_S = 1.5
"""How far ahead a vehicle's motion to the side is followed."""
CUT_IN_MPS = 0.25
"""Slower motion to the side is no lane change."""
NEXT_LANE_M = 5.0
"""A vehicle farther beside the path is in no neighbour lane."""
OFF_CENTRE_M = 0.9
"""A vehicle farther from the middle of the path than this is still coming in."""
STANDING_MPS = 0.3
SLOWER_MPS = 1.0
SWEEP_M = 6.0
OPENING_MPS = 0.5
_LEAST_BRAKING_MPS2 = 0.5
_PASSES_BEFORE_S = 0.7


def is_standing_obstacle(item: PathActor) -> bool:
    """Tell whether an actor stands where nothing will make it move: cones, barriers, vehicles with hazard lights."""
    actor = item.actor
    if actor.kind in {"cone", "barrier"}:
        return True
    return actor.kind in VEHICLE_KINDS and actor.speed_mps < STANDING_MPS and actor.indicator == "hazard"


def vehicle_barriers(
    vehicles: tuple[PathActor, ...],
    plan: OffsetPlan,
    frame: PathFrame,
    motion: tuple[float, float],
    parameters: ExpertParameters,
) -> Iterator[Barrier]:
    """Yield what keeps the ego vehicle behind each vehicle on its path, whatever way that one drives.

    Args:
        vehicles: Without those that the plan passes.
        plan: Where across the path the ego vehicle is going to drive.
        frame: Of the path.
        motion: Its rear axle along the path, and its speed.
        parameters: How it drives.
    """
    s_m, speed_mps = motion
    for item in vehicles:
        if item.s_m < s_m + REAR_AXLE_TO_FRONT_M - 1.0:
            continue
        away = item.d_m - plan.at(item.s_m).d_m
        room = item.half_across_m + WIDTH_M / 2.0 + BESIDE_MARGIN_M
        same_way = abs(item.turn_rad) < SAME_WAY_RAD or is_standing_obstacle(item)
        if abs(away) < room:
            if same_way:
                yield _ahead(item, away, s_m, speed_mps, parameters)
            else:
                yield from _across(item, away, plan, frame, motion, parameters)
        elif same_way and _moves_in(item, away, room):
            yield _leader(Cause("cut_in_vehicle", item.actor.id), item, s_m, parameters)


def _ahead(item: PathActor, away: float, s_m: float, speed_mps: float, parameters: ExpertParameters) -> Barrier:
    """Return what keeps the ego vehicle behind a vehicle that drives its way."""
    actor = item.actor
    moving_in = away * item.speed_across_mps < 0.0 or _points_in(item, away)
    coming_in = abs(away) > OFF_CENTRE_M and moving_in and actor.speed_mps > STANDING_MPS
    label = "cut_in_vehicle" if coming_in else _label_of(item)
    return _leader(Cause(label, actor.id, state=_state(item, label, speed_mps)), item, s_m, parameters)


def _across(
    item: PathActor,
    away: float,
    plan: OffsetPlan,
    frame: PathFrame,
    motion: tuple[float, float],
    parameters: ExpertParameters,
) -> Iterator[Barrier]:
    """Yield what keeps the ego vehicle away from a vehicle that is across its path or comes against it.

    In a bend the place along the path says little about a long vehicle beside it: the ego vehicle's footprints along
    the path tell whether it is in the way.
    """
    s_m, speed_mps = motion
    touched = _first_touch(item, plan, frame, s_m)
    if touched is None:
        return
    across = item.speed_across_mps
    until = math.inf
    if abs(across) > 1.0:
        side = math.copysign(1.0, across)
        until = (WIDTH_M / 2.0 + BESIDE_MARGIN_M + item.half_across_m - side * away) / abs(across)
    if until < math.inf and speed_mps * (until + _PASSES_BEFORE_S) < touched - s_m:
        return
    label = "oncoming_vehicle" if abs(item.turn_rad) > AGAINST_RAD else "crossing_vehicle"
    yield Barrier(
        Cause(label, item.actor.id), touched, parameters, parameters.standstill_gap_m, 0.5,
        speed_mps=min(0.0, item.speed_along_mps), until_s=until,
    )  # fmt: skip


def _first_touch(item: PathActor, plan: OffsetPlan, frame: PathFrame, s_m: float) -> float | None:
    """Return where the ego vehicle's rear axle is when it touches a vehicle that stays where it is."""
    places = np.arange(max(s_m, item.touched_at_m - SWEEP_M), item.s_m + item.half_along_m + SWEEP_M, 1.0)
    if not len(places):
        return None
    offsets = np.array([plan.at(place).d_m for place in places.tolist()])
    touched = overlap(actor_boxes((item.actor,)), frame.footprints(places, offsets, BESIDE_MARGIN_M))
    return float(places[int(np.argmax(touched))]) if touched.any() else None


def _moves_in(item: PathActor, away: float, room: float) -> bool:
    """Tell whether a vehicle in a neighbour lane is about to be on the path."""
    if abs(away) > NEXT_LANE_M or item.actor.speed_mps < STANDING_MPS:
        return False
    inward = -math.copysign(1.0, away) * item.speed_across_mps
    # Its body overhangs: what its middle moves aside in the horizon counts.
    if inward > CUT_IN_MPS and abs(away) - inward * CUT_IN_HORIZON_S < room:
        return True
    return _points_in(item, away)


def _label_of(item: PathActor) -> str:
    if item.actor.kind not in VEHICLE_KINDS:
        return "construction"
    return "stopped_vehicle" if is_standing_obstacle(item) else "lead_vehicle"


def _points_in(item: PathActor, away: float) -> bool:
    return item.actor.indicator == ("right" if away > 0.0 else "left")


def _leader(cause: Cause, item: PathActor, s_m: float, parameters: ExpertParameters) -> Barrier:
    braking = max(0.0, -item.actor.acceleration_mps2)
    # A vehicle that comes in just ahead leaves no gap: the ego vehicle falls back rather than brake with all it has.
    touched = max(item.touched_at_m, s_m + 2.0) if cause.label == "cut_in_vehicle" else item.touched_at_m
    return Barrier(
        cause, touched, parameters, parameters.standstill_gap_m, parameters.headway_s,
        speed_mps=max(0.0, item.speed_along_mps),
        braking_mps2=braking if braking > _LEAST_BRAKING_MPS2 else 0.0,
    )  # fmt: skip


def _state(item: PathActor, label: str, speed_mps: float) -> str:
    """Return what more there is to say about a vehicle ahead."""
    actor = item.actor
    if label != "lead_vehicle":
        return ""
    if actor.speed_mps < STANDING_MPS:
        return "standing"
    if actor.braking or actor.acceleration_mps2 < -1.0:
        return "braking"
    if actor.speed_mps > speed_mps + OPENING_MPS:
        return "leaving"
    return "slower" if actor.speed_mps < speed_mps - SLOWER_MPS else ""
