"""Leave a lane that ends: shift into the lane beside it as the route says, or wait for a gap there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.constraint import Barrier, Constraint
from alpamayo_ros.world.expert.offsets import ON_THE_PATH, OffsetPlan, Shift
from alpamayo_ros.world.expert.parameters import ExpertParameters
from alpamayo_ros.world.expert.passing import OVERHANG_M
from alpamayo_ros.world.expert.situation import PathActor
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.route import LaneShift, Route
from alpamayo_ros.world.snapshot import VEHICLE_KINDS
from alpamayo_ros.world.vehicle import REAR_AXLE_TO_FRONT_M

LANE_END = Cause("lane_end", "")
COMMITTED_M = 0.9
"""An ego vehicle that is this far out of the first lane's middle goes on."""
LOOK_M = 90.0
"""A gap is looked for from this far before the shift."""
BEFORE_END_M = 6.0
GAP_M = 3.0
GAP_S = 0.5
CLOSING_S = 2.0
PASSED_MPS = 1.0
"""A vehicle beside that is slower than the ego vehicle by more than this is left behind."""
BEHIND_M = 6.0
_ON_LANE_M = 1.3


@dataclass(frozen=True, slots=True)
class Merge:
    """What the ego vehicle does about the change of lanes in its route.

    Attributes:
        plan: Where across the path it drives: off the path while it keeps to the first lane.
        constraints: The vehicle that it merges behind, and the lane's end where it waits.
        blockers: Ids of the vehicles for which it keeps to the first lane; empty if it follows the path.
    """

    plan: OffsetPlan = ON_THE_PATH
    constraints: tuple[Constraint, ...] = ()
    blockers: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether it keeps to the first lane for want of a gap."""
        return bool(self.blockers)


class LaneChange:
    """The change of lanes in a route."""

    def __init__(self, road_map: RoadMap, route: Route) -> None:
        self.shift: LaneShift | None = route.shift
        self._width = 0.0
        self._other_lanes: frozenset[str] = frozenset()
        if route.shift is not None:
            first, other = road_map.lanes[route.shift.from_lane], road_map.lanes[route.shift.to_lane]
            self._other_lanes = _other_lanes(road_map, route.shift.to_lane)
            self._width = (first.width_m + other.width_m) / 2.0 * math.copysign(1.0, other.index - first.index)

    def done_m(self, s_m: float) -> float:
        """Return how far to the left the path is of the first lane's middle."""
        if self.shift is None:
            return 0.0
        share = (s_m - self.shift.start_m) / (self.shift.end_m - self.shift.start_m)
        share = min(max(share, 0.0), 1.0)
        return self._width * (1.0 - math.cos(math.pi * share)) / 2.0

    def decide(
        self, actors: Sequence[PathActor], place: tuple[float, float], speed_mps: float, parameters: ExpertParameters
    ) -> Merge:
        """Decide whether to follow the path into the other lane now.

        Args:
            actors: All, along the path.
            place: The ego vehicle's rear axle along the path and left of it.
            speed_mps: Of the ego vehicle.
            parameters: How it drives.
        """
        shift = self.shift
        s_m, d_m = place
        if shift is None or s_m < shift.start_m - LOOK_M or s_m > shift.lane_end_m:
            return Merge()
        others = [item for item in actors if self._is_on_other_lane(item)]
        committed = (self.done_m(s_m) + d_m) / self._width * abs(self._width) > COMMITTED_M
        if committed:
            return Merge()
        leader = _leader(others, s_m, speed_mps)
        constraints: list[Constraint] = []
        if leader is not None:
            constraints.append(_behind(leader, s_m, parameters))
        blockers = [item for item in others if not _leaves_a_gap(item, s_m, speed_mps)]
        if not blockers:
            return Merge(ON_THE_PATH, tuple(constraints))
        stay = OffsetPlan((Shift(shift.start_m, shift.end_m, 0.0, -self._width),))
        end = shift.lane_end_m - BEFORE_END_M - REAR_AXLE_TO_FRONT_M
        nearest = min(blockers, key=lambda item: (abs(item.s_m - s_m), item.actor.id))
        constraints.append(Barrier(Cause("merging_vehicle", nearest.actor.id), end, parameters, 1.0, 0.5))
        return Merge(stay, tuple(constraints), tuple(item.actor.id for item in blockers))

    def named(self, barrier: Barrier, s_m: float, actors: Sequence[PathActor]) -> Barrier:
        """Return the barrier of a vehicle with its part in the change of lanes.

        What seems to cut in while the ego vehicle itself changes lanes is on the lane that it merges into.
        """
        shift = self.shift
        if shift is None or barrier.cause.label != "cut_in_vehicle" or s_m > shift.lane_end_m:
            return barrier
        on_lane = any(item.actor.id == barrier.cause.actor_id and self._is_on_other_lane(item) for item in actors)
        return replace(barrier, cause=replace(barrier.cause, label="merging_vehicle")) if on_lane else barrier

    def _is_on_other_lane(self, item: PathActor) -> bool:
        if item.actor.kind not in VEHICLE_KINDS:
            return False
        if item.actor.lane in self._other_lanes:
            return True
        return abs(item.d_m - (self._width - self.done_m(item.s_m))) < _ON_LANE_M


def _other_lanes(road_map: RoadMap, lane: str) -> frozenset[str]:
    """Return a lane, those that lead to it and those that it leads to."""
    found = {lane}
    for connection in road_map.connections:
        if connection.to_lane == lane:
            found.update((connection.from_lane, *connection.via_lanes))
        if connection.from_lane == lane:
            found.update((connection.to_lane, *connection.via_lanes))
    return frozenset(found)


def _leader(others: Sequence[PathActor], s_m: float, speed_mps: float) -> PathActor | None:
    """Return the vehicle to merge behind: the rearmost that is ahead, or beside and not being left behind."""
    middle = s_m + (REAR_AXLE_TO_FRONT_M - OVERHANG_M) / 2.0
    for item in others:
        beside = item.s_m > middle - BEHIND_M - item.half_along_m
        if item.s_m > middle or (beside and item.speed_along_mps > speed_mps - PASSED_MPS):
            return item
    return None


def _behind(leader: PathActor, s_m: float, parameters: ExpertParameters) -> Barrier:
    touched = max(leader.touched_at_m, s_m + 1.5)
    speed = max(0.0, leader.speed_along_mps)
    cause = Cause("merging_vehicle", leader.actor.id)
    return Barrier(cause, touched, parameters, parameters.standstill_gap_m, 0.8, speed_mps=speed)


def _leaves_a_gap(item: PathActor, s_m: float, speed_mps: float) -> bool:
    ahead = item.touched_at_m - s_m
    if ahead > 0.0:
        return ahead > GAP_M + CLOSING_S * max(0.0, speed_mps - item.speed_along_mps)
    behind = s_m - OVERHANG_M - item.s_m - item.half_along_m
    closing = max(0.0, item.speed_along_mps - speed_mps)
    return behind > GAP_M + GAP_S * item.speed_along_mps + CLOSING_S * closing
