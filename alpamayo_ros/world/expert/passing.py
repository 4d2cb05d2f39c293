"""Pass what blocks the lane by a shift into the lane beside it, or wait behind it until that is free."""

from collections.abc import Sequence
from dataclasses import dataclass

from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.constraint import Barrier, Constraint, SlowPlace
from alpamayo_ros.world.expert.neighbours import NOTHING, ONCOMING, Neighbours
from alpamayo_ros.world.expert.offsets import ON_THE_PATH, OffsetPlan, around
from alpamayo_ros.world.expert.parameters import ExpertParameters
from alpamayo_ros.world.expert.roll_out import time_to
from alpamayo_ros.world.expert.situation import PathActor
from alpamayo_ros.world.expert.traffic import AGAINST_RAD, SAME_WAY_RAD, is_standing_obstacle
from alpamayo_ros.world.snapshot import VEHICLE_KINDS
from alpamayo_ros.world.vehicle import LENGTH_M, REAR_AXLE_TO_FRONT_M, WIDTH_M

OVERHANG_M = LENGTH_M - REAR_AXLE_TO_FRONT_M
"""From the rear axle to the rear bumper."""
BEFORE_M = 2.0
"""The shift is complete this much before what is passed, and lasts as much beyond."""
WAITING_SHIFT_M = 13.0
"""Room that the ego vehicle leaves itself for the shift where it has to wait."""
NEAREST_M = 5.0
"""Room that it leaves itself at the least."""
LEAST_SHIFT_M = 14.0
TOGETHER_M = 45.0
"""Obstacles nearer to each other than this are passed at once."""
COMMITTED_M = 0.5
"""An ego vehicle that is this far to the side goes on."""
SEEN_M = 90.0
"""Obstacles are passed when they are nearer than this."""
ONCOMING_MARGIN_S = 1.5
BESIDE_MARGIN_M = 2.0
BEHIND_MARGIN_S = 0.3
BEHIND_CLOSING_S = 2.5
PASSING_MPS = 30.0 / 3.6
"""Fast enough beside what stands in the road: a door may open, a worker step out."""
SHIFT_MPS = 10.0
"""Speed on the way from the limit down to that."""
_PASSING_ACCELERATION_MPS2 = 1.5
_BACK_SHARE = 0.6
"""Of the shift back; then the vehicle is out of the other lane."""
_STANDING_ONCOMING_MPS = 3.0


@dataclass(frozen=True, slots=True)
class Blockage:
    """Obstacles that are passed at once.

    Attributes:
        cause: The nearest of them.
        start_m: Where along the path they begin.
        end_m: Where they end.
        offset_m: Where the ego vehicle passes, left of the path.
        length_m: Of the shift to there.
        obstacles: All of them.
    """

    cause: Cause
    start_m: float
    end_m: float
    offset_m: float
    length_m: float
    obstacles: tuple[PathActor, ...]

    @property
    def from_m(self) -> float:
        """Where the ego vehicle's rear axle is when the shift must be complete."""
        return self.start_m - BEFORE_M - REAR_AXLE_TO_FRONT_M

    @property
    def until_m(self) -> float:
        """Where its rear axle is when it may shift back."""
        return self.end_m + BEFORE_M + OVERHANG_M


@dataclass(frozen=True, slots=True)
class Passage:
    """What the ego vehicle does about the obstacles in its lane.

    Attributes:
        plan: Where across the path it drives.
        passed: Obstacles that need no other consideration.
        constraints: Where it must wait before obstacles, and where it passes slowly.
        blockage: What the plan shifts around, None if it keeps to the path.
    """

    plan: OffsetPlan
    passed: frozenset[str] = frozenset()
    constraints: tuple[Constraint, ...] = ()
    blockage: Blockage | None = None


def plan_passage(
    actors: Sequence[PathActor],
    neighbours: Neighbours,
    place: tuple[float, float],
    speeds_mps: tuple[float, float],
    parameters: ExpertParameters,
) -> Passage:
    """Decide about what stands in the lane.

    Args:
        actors: All, along the path.
        neighbours: What lies beside the path.
        place: The ego vehicle's rear axle along the path and left of it.
        speeds_mps: Its speed, and the speed that it may drive here.
        parameters: How it drives.
    """
    s_m, d_m = place
    blockages = _blockages(actors, neighbours, s_m, speeds_mps[1], parameters)
    if not blockages:
        return Passage(ON_THE_PATH)
    blockage = blockages[0]
    side = "left" if blockage.offset_m > 0.0 else "right"
    inside = abs(blockage.offset_m) + WIDTH_M / 2.0 <= neighbours.lane_half_width(blockage.start_m) + 0.1
    beside, _ = neighbours.beside(side, blockage.from_m - 4.0, blockage.until_m)
    committed = d_m * blockage.offset_m > 0.0 and abs(d_m) > COMMITTED_M
    committed = committed or s_m > blockage.from_m
    possible = inside or beside != NOTHING
    free = inside or committed or _is_free(actors, blockage, beside, place, speeds_mps)
    ids = frozenset(item.actor.id for item in blockage.obstacles)
    if possible and free:
        plan = around([(blockage.from_m, blockage.until_m, blockage.offset_m)], blockage.length_m)
        slowly = SlowPlace(blockage.cause, blockage.from_m - BEFORE_M, blockage.until_m, PASSING_MPS, parameters)
        return Passage(plan, ids, (slowly,), blockage)
    nearest = blockage.start_m - REAR_AXLE_TO_FRONT_M
    gap = 1.0 if possible else parameters.standstill_gap_m
    if possible:
        # It leaves itself room for the shift, unless that takes harder braking than to wait nearer.
        comfortable = s_m + gap + speeds_mps[0] ** 2 / (2.0 * parameters.amber_braking_mps2)
        nearest = max(nearest - WAITING_SHIFT_M, min(comfortable, nearest - NEAREST_M))
    touched = max(nearest, min(s_m + gap, blockage.start_m - REAR_AXLE_TO_FRONT_M))
    barrier = Barrier(blockage.cause, touched, parameters, gap, 0.8)
    return Passage(ON_THE_PATH, ids, (barrier,), None)


def _blockages(
    actors: Sequence[PathActor], neighbours: Neighbours, s_m: float, limit_mps: float, parameters: ExpertParameters
) -> list[Blockage]:
    """Return what stands in the lane not yet passed, the nearest first."""
    groups: list[list[PathActor]] = []
    for item in actors:
        if not is_standing_obstacle(item) or not _blocks(item):
            continue
        if item.s_m + item.half_along_m + BEFORE_M + OVERHANG_M + 40.0 < s_m or item.s_m - s_m > SEEN_M + TOGETHER_M:
            continue
        if groups and item.s_m - groups[-1][-1].s_m < TOGETHER_M:
            groups[-1].append(item)
        else:
            groups.append([item])
    found = [_blockage(group, neighbours, s_m, limit_mps, parameters) for group in groups]
    return [item for item in found if item.until_m + item.length_m > s_m and item.from_m - s_m < SEEN_M]


def _blocks(item: PathActor) -> bool:
    return abs(item.d_m) < item.half_across_m + WIDTH_M / 2.0 + 0.3


def _blockage(
    group: Sequence[PathActor], neighbours: Neighbours, s_m: float, limit_mps: float, parameters: ExpertParameters
) -> Blockage:
    start = min(item.s_m - item.half_along_m for item in group)
    end = max(item.s_m + item.half_along_m for item in group)
    room = WIDTH_M / 2.0 + parameters.clearance_m
    left = max(item.d_m + item.half_across_m for item in group) + room
    right = min(item.d_m - item.half_across_m for item in group) - room
    beside_left, _ = neighbours.beside("left", start - 8.0, end + 4.0)
    beside_right, _ = neighbours.beside("right", start - 8.0, end + 4.0)
    most = neighbours.lane_half_width(start) - WIDTH_M / 2.0
    costs = {left: _cost(left, most, beside_left), right: _cost(-right, most, beside_right)}
    offset = min(costs, key=lambda value: costs[value])
    nearest = next((item for item in group if item.s_m + item.half_along_m > s_m), group[-1])
    label = "stopped_vehicle" if nearest.actor.kind in VEHICLE_KINDS else "construction"
    length = max(LEAST_SHIFT_M, parameters.shift_s * min(limit_mps, SHIFT_MPS) * min(1.0, abs(offset) / 3.0 + 0.2))
    return Blockage(Cause(label, nearest.actor.id), start, end, offset, length, tuple(group))


def _cost(offset_m: float, most_m: float, beside: str) -> float:
    """Return how little the ego vehicle likes an offset to one side: within its lane best, then its own direction."""
    if offset_m <= most_m + 0.1:
        return max(0.0, offset_m)
    return {NOTHING: 1000.0, ONCOMING: 100.0}.get(beside, 10.0) + offset_m


def _is_free(
    actors: Sequence[PathActor],
    blockage: Blockage,
    beside: str,
    place: tuple[float, float],
    speeds_mps: tuple[float, float],
) -> bool:
    """Tell whether nobody is or will soon be where the ego vehicle would pass."""
    s_m, _ = place
    speed, _ = speeds_mps
    way = blockage.until_m + _BACK_SHARE * blockage.length_m - s_m
    duration = time_to(way, min(speed, PASSING_MPS), PASSING_MPS, _PASSING_ACCELERATION_MPS2) + ONCOMING_MARGIN_S
    passed = {item.actor.id for item in blockage.obstacles}
    for item in actors:
        if item.actor.id in passed or item.actor.kind not in VEHICLE_KINDS:
            continue
        if abs(item.d_m - blockage.offset_m) > item.half_across_m + WIDTH_M / 2.0 + 0.5:
            continue
        if abs(item.turn_rad) > AGAINST_RAD:
            reach = max(-item.speed_along_mps, _STANDING_ONCOMING_MPS) * duration
            if s_m - LENGTH_M < item.s_m - item.half_along_m < blockage.until_m + reach:
                return False
        elif abs(item.turn_rad) < SAME_WAY_RAD and _is_beside(item, s_m, speed, parallel=beside != ONCOMING):
            return False
    return True


def _is_beside(item: PathActor, s_m: float, speed_mps: float, *, parallel: bool) -> bool:
    """Tell whether a vehicle of the same direction is beside the ego vehicle or coming up from behind."""
    if not parallel:
        return False
    front, rear = s_m + REAR_AXLE_TO_FRONT_M, s_m - OVERHANG_M
    ahead = item.s_m - item.half_along_m - front
    behind = rear - item.s_m - item.half_along_m
    if ahead > 0.0:
        closing = max(0.0, speed_mps - item.speed_along_mps)
        return ahead < BESIDE_MARGIN_M + closing
    if behind > 0.0:
        closing = max(0.0, item.speed_along_mps - speed_mps)
        return behind < BESIDE_MARGIN_M + BEHIND_CLOSING_S * closing + BEHIND_MARGIN_S * speed_mps
    return True
