"""Decide what the ego vehicle does now, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.constraint import Constraint, Pace, drivable_speeds
from alpamayo_ros.world.expert.junctions import junctions_on
from alpamayo_ros.world.expert.merging import LANE_END, LaneChange, Merge
from alpamayo_ros.world.expert.neighbours import Neighbours
from alpamayo_ros.world.expert.offsets import ON_THE_PATH, Offset, OffsetPlan
from alpamayo_ros.world.expert.parameters import USUAL, ExpertParameters
from alpamayo_ros.world.expert.passing import Passage, plan_passage
from alpamayo_ros.world.expert.pedestrians import crossings_on, pedestrian_barriers
from alpamayo_ros.world.expert.priority import foe_barriers, signal_barriers
from alpamayo_ros.world.expert.roll_out import Outlook, binding, limit_jerk, longitudinal_action, roll_out
from alpamayo_ros.world.expert.situation import PathFrame, along_path
from alpamayo_ros.world.expert.steering import steer
from alpamayo_ros.world.expert.traffic import vehicle_barriers
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.route import Route
from alpamayo_ros.world.snapshot import STEP_S, Snapshot
from alpamayo_ros.world.vehicle import REAR_AXLE_TO_FRONT_M, WIDTH_M

TURN_SOON_S = 2.5
"""A turn that begins later than this is not yet made."""
LANE_SHIFT_M = 1.0
"""A smaller change of the offset is no change of lanes."""
IN_ANOTHER_LANE_M = 1.8
"""A vehicle farther from where it is meant to be than this did not just fail to keep its lane."""
SPACING_M = 0.5
JUNCTION_AHEAD_M = 90.0
"""A curve that binds this near before a turn is the turn."""
_CURVE_BRAKING_SHARE = 0.7
_CURVE_SHARE = 0.9
_CURVE_LOOK_M = 8.0
_STEERING_PREVIEW_S = 0.1
_TURNS = {"left": LateralAction.LEFT, "right": LateralAction.RIGHT}


@dataclass(frozen=True, slots=True)
class Decision:
    """What the expert does at one step.

    Attributes:
        acceleration_mps2: Until the next step.
        curvature: Until the next step, 1/m.
        cause: Why; None where nothing but the speed limit or the free road binds.
        longitudinal: Class of the next three seconds along the path.
        lateral: Class across it: a turn at a junction, now or soon.
        lane: Class in terms of lanes.
        target_offset_m: Where across the path the vehicle is to be now, left positive.
    """

    acceleration_mps2: float
    curvature: float
    cause: Cause | None
    longitudinal: LongitudinalAction
    lateral: LateralAction
    lane: LaneAction
    target_offset_m: float


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a decision is about: the ego vehicle's place along the path, its constraints and its plans."""

    s_m: float
    d_m: float
    turn_rad: float
    constraints: tuple[Constraint, ...]
    passage: Passage
    merge: Merge

    @property
    def plan(self) -> OffsetPlan:
        return self.merge.plan if self.merge.waits else self.passage.plan


class Expert:
    """Drives one route: a pure function of the snapshot.

    Its memory is the vehicle's place alone, so it also finds back from beside the path.
    """

    def __init__(self, road_map: RoadMap, route: Route, parameters: ExpertParameters = USUAL) -> None:
        """Prepare what does not change along a route."""
        self.parameters = parameters
        self._route = route
        self._frame = PathFrame(route.path)
        self._neighbours = Neighbours(road_map, self._frame)
        self._crossings = crossings_on(road_map, self._frame)
        self._junctions = junctions_on(road_map, route, self._frame)
        self._lane_change = LaneChange(road_map, route)
        self._limit, self._curve = _paces(road_map, route, parameters)

    def place(self, snapshot: Snapshot) -> tuple[float, float]:
        """Return the ego vehicle's rear axle along the route and left of it, m."""
        s_m, d_m, _ = self._frame.place(snapshot.ego)
        return s_m, d_m

    def decide(self, snapshot: Snapshot) -> Decision:
        """Return what to do until the next step."""
        ego = snapshot.ego
        scene = self._scene(snapshot)
        outlook = self._outlook(scene.constraints, scene, snapshot)
        wanted, _ = binding(scene.constraints, scene.s_m, ego.speed_mps)
        lateral = self._lateral(scene.s_m, outlook)
        longitudinal = longitudinal_action(outlook.speeds_mps)
        lane = self._lane(scene, scene.plan, outlook)
        cause = self._cause(scene, outlook, longitudinal, lane)
        if cause is not None:
            without = self._classes_without(cause, scene, snapshot)
            cause = replace(cause, decisive=without != (longitudinal, lateral, lane))
        preview = scene.s_m + ego.speed_mps * _STEERING_PREVIEW_S
        offset = scene.plan.at(scene.s_m)
        ahead = scene.plan.at(preview)
        curvature = steer(
            error_m=scene.d_m - offset.d_m,
            heading_error_rad=scene.turn_rad,
            path_curvature=self._route.path.curvature(preview),
            wanted=Offset(offset.d_m, offset.slope, ahead.bend),
            speed_mps=ego.speed_mps,
            present_curvature=ego.curvature,
            dt_s=STEP_S,
        )
        acceleration = limit_jerk(wanted, ego.acceleration_mps2, STEP_S, self.parameters)
        return Decision(acceleration, curvature, cause, longitudinal, lateral, lane, offset.d_m)

    def _scene(self, snapshot: Snapshot) -> _Scene:
        ego, limits = snapshot.ego, self.parameters
        s_m, d_m, turn = self._frame.place(ego)
        actors = along_path(self._frame, s_m, snapshot.actors)
        people = [item for item in actors if item.actor.kind == "pedestrian"]
        others = tuple(item for item in actors if item.actor.kind != "pedestrian")
        signals = {signal.id: signal for signal in snapshot.signals}
        speeds = (ego.speed_mps, self._limit.speed(s_m))
        passage = plan_passage(others, self._neighbours, (s_m, d_m), speeds, limits)
        merge = self._lane_change.decide(others, (s_m, d_m), ego.speed_mps, limits)
        plan = merge.plan if merge.waits else passage.plan
        considered = tuple(item for item in others if item.actor.id not in passage.passed)
        constraints: list[Constraint] = [self._limit, self._curve, *passage.constraints, *merge.constraints]
        constraints += signal_barriers(self._junctions, signals, s_m, ego.speed_mps, limits)
        constraints += foe_barriers(
            self._junctions, snapshot.actors, signals, self._curve, s_m, ego.speed_mps, limits
        )  # fmt: skip
        vehicles = vehicle_barriers(considered, plan, self._frame, (s_m, ego.speed_mps), limits)
        constraints += [self._lane_change.named(barrier, s_m, considered) for barrier in vehicles]
        constraints += pedestrian_barriers(people, self._crossings, plan, s_m, ego.speed_mps, limits)
        return _Scene(s_m, d_m, turn, tuple(constraints), passage, merge)

    def _outlook(self, constraints: Sequence[Constraint], scene: _Scene, snapshot: Snapshot) -> Outlook:
        ego = snapshot.ego
        return roll_out(constraints, scene.s_m, ego.speed_mps, ego.acceleration_mps2, self.parameters)

    def _classes_without(
        self, cause: Cause, scene: _Scene, snapshot: Snapshot
    ) -> tuple[LongitudinalAction, LateralAction, LaneAction]:
        """Return the classes of the decision if this cause were not there."""
        rest = [item for item in scene.constraints if item.cause is None or item.cause.key != cause.key]
        outlook = self._outlook(rest, scene, snapshot)
        blockage = scene.passage.blockage
        plan = scene.plan
        if blockage is not None and blockage.cause.key == cause.key:
            plan = ON_THE_PATH
        if scene.merge.blockers == (cause.actor_id,):
            plan = scene.passage.plan
        lane = self._lane(scene, plan, outlook)
        if cause.label == LANE_END.label and not scene.merge.waits:
            lane = LaneAction.KEEP
        longitudinal = longitudinal_action(outlook.speeds_mps)
        return longitudinal, self._lateral(scene.s_m, outlook), lane

    def _lateral(self, s_m: float, outlook: Outlook) -> LateralAction:
        soon = outlook.at(TURN_SOON_S) + REAR_AXLE_TO_FRONT_M
        for maneuver in self._route.maneuvers:
            if maneuver.s_m <= soon and s_m < maneuver.end_m:
                return _TURNS.get(maneuver.command, LateralAction.STRAIGHT)
        return LateralAction.STRAIGHT

    def _lane(self, scene: _Scene, plan: OffsetPlan, outlook: Outlook) -> LaneAction:
        """Return the change of lanes within the horizon, from where the vehicle is meant to be now."""
        end_m = outlook.s_m[-1]
        before = scene.plan.at(scene.s_m).d_m
        late_m = IN_ANOTHER_LANE_M if scene.passage.blockage is None else LANE_SHIFT_M
        if abs(before - scene.d_m) > late_m and not scene.merge.waits:
            # It had to wait and shifts later than planned, or what it went around is gone.
            before = scene.d_m
        after = plan.at(end_m).d_m
        change = after + self._lane_change.done_m(end_m) - before - self._lane_change.done_m(scene.s_m)
        farthest = max(abs(before), abs(after)) + WIDTH_M / 2.0
        leaves = farthest > self._neighbours.lane_half_width(scene.s_m) + 0.3 or self._lane_change.shift is not None
        if abs(change) < LANE_SHIFT_M or not leaves:
            return LaneAction.KEEP
        return LaneAction.CHANGE_LEFT if change > 0.0 else LaneAction.CHANGE_RIGHT

    def _cause(
        self, scene: _Scene, outlook: Outlook, longitudinal: LongitudinalAction, lane: LaneAction
    ) -> Cause | None:
        """Return whose constraint takes most of the free road's speed, or else what the vehicle shifts around."""
        cause = outlook.main_cause(self.parameters.binding_mps)
        blockage = scene.passage.blockage
        if cause is not None and (blockage is None or cause.key != blockage.cause.key):
            return self._described(cause, scene, longitudinal)
        if blockage is not None and scene.s_m < blockage.until_m:
            shifts = scene.s_m > blockage.from_m - blockage.length_m or lane is not LaneAction.KEEP
            # On the way back it has passed what it does not yet stand beside.
            back = LaneAction.CHANGE_RIGHT if blockage.offset_m > 0.0 else LaneAction.CHANGE_LEFT
            beside = scene.s_m + REAR_AXLE_TO_FRONT_M > blockage.start_m or lane is back
            if shifts or cause is not None:
                return replace(blockage.cause, state="beside" if beside else "")
        if lane is not LaneAction.KEEP and self._lane_change.shift is not None:
            return LANE_END
        return None

    def _described(self, cause: Cause, scene: _Scene, longitudinal: LongitudinalAction) -> Cause | None:
        """Return the cause with what more there is to say about a curve; a start before one has no cause."""
        if cause.label != "curve":
            return cause
        if longitudinal is LongitudinalAction.ACCELERATE:
            here, limit = self._curve.speed(scene.s_m), self._limit.speed(scene.s_m)
            ending = here < _CURVE_SHARE * limit and self._curve.speed(scene.s_m + _CURVE_LOOK_M) > here
            return replace(cause, state="ending") if ending else None
        return replace(cause, state="junction" if self._turns_at(scene.s_m) else "")

    def _turns_at(self, s_m: float) -> bool:
        """Tell whether the route turns at a junction here or soon."""
        return any(
            maneuver.command in _TURNS and maneuver.s_m - JUNCTION_AHEAD_M <= s_m < maneuver.end_m
            for maneuver in self._route.maneuvers
        )


def _paces(road_map: RoadMap, route: Route, parameters: ExpertParameters) -> tuple[Pace, Pace]:
    """Return the speeds that the limits allow along a route, and those that its curves allow as well."""
    stations = np.arange(0.0, route.path.length_m + SPACING_M, SPACING_M).tolist()
    limits = [road_map.lanes[route.lane_at(s)].speed_limit_mps for s in stations]
    lateral = parameters.lateral_acceleration_mps2
    curves = [
        min(limit, (lateral / max(abs(route.path.curvature(s)), 1e-6)) ** 0.5)
        for s, limit in zip(stations, limits, strict=True)
    ]
    braking = _CURVE_BRAKING_SHARE * parameters.braking_mps2
    limit_pace = Pace(None, drivable_speeds(limits, SPACING_M, braking), SPACING_M, parameters)
    return limit_pace, Pace(Cause("curve", ""), drivable_speeds(curves, SPACING_M, braking), SPACING_M, parameters)
