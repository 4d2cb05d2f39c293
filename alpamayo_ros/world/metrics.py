"""How well a drive went: collisions, leaving the road, progress, comfort, time to collision, signals, speed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.expert.junctions import junctions_on
from alpamayo_ros.world.expert.situation import PathFrame
from alpamayo_ros.world.overlap import actor_boxes, ego_box, moved, overlap
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.route import Route
from alpamayo_ros.world.snapshot import STEP_S, Actor, Snapshot
from alpamayo_ros.world.surface import DrivableSurface
from alpamayo_ros.world.vehicle import REAR_AXLE_TO_FRONT_M, centre, footprint

OFF_ROAD_S = 0.3
"""A corner of the vehicle beside the road for longer than this is a drive off the road."""
SPEEDING_MPS = 1.0
"""Faster than the limit by more than this is speeding."""
LOOK_TIMES_S = np.arange(0.0, 5.0, 0.1)
"""When a collision that is coming is looked for."""
NEAR_M = 80.0
"""How far around the ego vehicle."""


@dataclass(frozen=True, slots=True)
class Collision:
    """The first time that the ego vehicle's footprint overlaps another; whose fault it is nobody judges.

    Attributes:
        t_s: When.
        actor_id: With whom.
        kind: Of the actor.
        ego_speed_mps: Speed of the ego vehicle.
        relative_speed_mps: Length of the difference of both velocities.
    """

    t_s: float
    actor_id: str
    kind: str
    ego_speed_mps: float
    relative_speed_mps: float


@dataclass(frozen=True, slots=True)
class DriveMetrics:
    """How well one drive went.

    Attributes:
        duration_s: Of the drive.
        collision: The first one, None if there is none.
        off_road_s: Longest time in one piece with a corner of the footprint beside the road.
        progress_m: Way along the route.
        progress_share: Of the expert's way in the same episode, None where that is not known.
        acceleration_mps2: Most.
        braking_mps2: Most.
        jerk_mps3: Most, either way.
        lateral_mps2: Most acceleration to either side.
        time_to_collision_s: Least, with what is ahead on the route; infinite if it never came nearer.
        red_lights: Stop lines crossed at red.
        speeding_mps: Most above the limit, 0 if never.
    """

    duration_s: float
    collision: Collision | None
    off_road_s: float
    progress_m: float
    progress_share: float | None
    acceleration_mps2: float
    braking_mps2: float
    jerk_mps3: float
    lateral_mps2: float
    time_to_collision_s: float
    red_lights: int
    speeding_mps: float

    @property
    def off_road(self) -> bool:
        """Whether it left the road."""
        return self.off_road_s > OFF_ROAD_S

    @property
    def speeding(self) -> bool:
        """Whether it drove too fast."""
        return self.speeding_mps > SPEEDING_MPS


def evaluate_drive(
    snapshots: Sequence[Snapshot], road_map: RoadMap, route: Route, expert_progress_m: float | None = None
) -> DriveMetrics:
    """Evaluate a drive.

    Args:
        snapshots: At least two, one step apart.
        road_map: The roads.
        route: Where the ego vehicle was to drive.
        expert_progress_m: Way of the expert in the same episode and time.

    Raises:
        ValueError: There are fewer than two snapshots.
    """
    if len(snapshots) < 2:
        raise ValueError(f"drive has {len(snapshots)} moments; expected at least 2")
    frame = PathFrame(route.path)
    places = np.array([frame.place(one.ego)[0] for one in snapshots])
    egos = [one.ego for one in snapshots]
    accelerations = np.array([ego.acceleration_mps2 for ego in egos])
    lateral = np.array([ego.speed_mps**2 * ego.curvature for ego in egos])
    limits = np.array([road_map.lanes[route.lane_at(s)].speed_limit_mps for s in places.tolist()])
    excess = np.array([ego.speed_mps for ego in egos]) - limits
    progress = float(places[-1] - places[0])
    share = None
    if expert_progress_m is not None:
        share = 1.0 if expert_progress_m < 1.0 else progress / expert_progress_m
    return DriveMetrics(
        duration_s=snapshots[-1].t_s - snapshots[0].t_s,
        collision=first_collision(snapshots),
        off_road_s=_longest_off_road(snapshots, road_map),
        progress_m=progress,
        progress_share=share,
        acceleration_mps2=max(0.0, float(accelerations.max())),
        braking_mps2=max(0.0, -float(accelerations.min())),
        jerk_mps3=float(np.abs(np.diff(accelerations)).max()) / STEP_S,
        lateral_mps2=float(np.abs(lateral).max()),
        time_to_collision_s=min(_time_to_collision(one, frame, s) for one, s in zip(snapshots, places, strict=True)),
        red_lights=_red_lights(snapshots, places, road_map, route, frame),
        speeding_mps=max(0.0, float(excess.max())),
    )


def first_collision(snapshots: Sequence[Snapshot]) -> Collision | None:
    """Return the first overlap of the ego vehicle's footprint with another."""
    for snapshot in snapshots:
        found = collided(snapshot)
        if found is None:
            continue
        ego = snapshot.ego
        away = (
            ego.speed_mps * math.cos(ego.yaw) - found.speed_mps * math.cos(found.heading),
            ego.speed_mps * math.sin(ego.yaw) - found.speed_mps * math.sin(found.heading),
        )
        return Collision(snapshot.t_s, found.id, found.kind, ego.speed_mps, math.hypot(*away))
    return None


def collided(snapshot: Snapshot) -> Actor | None:
    """Return an actor whose footprint overlaps the ego vehicle's, the first by id."""
    if not snapshot.actors:
        return None
    touching = np.flatnonzero(overlap(ego_box(snapshot.ego), actor_boxes(snapshot.actors)))
    return snapshot.actors[int(touching[0])] if len(touching) else None


def _longest_off_road(snapshots: Sequence[Snapshot], road_map: RoadMap) -> float:
    corners = np.concatenate([footprint(one.ego) for one in snapshots])
    on_road = DrivableSurface(road_map).contains(corners).reshape(-1, 4)
    longest = present = 0
    for beside in np.any(~on_road, axis=1).tolist():
        present = present + 1 if beside else 0
        longest = max(longest, present)
    return longest * STEP_S


def _time_to_collision(snapshot: Snapshot, frame: PathFrame, s_m: float) -> float:
    """Return the time until the ego vehicle, along its route, touches another, straight on; both as fast as now."""
    ego = snapshot.ego
    x, y = centre(ego)
    near = tuple(actor for actor in snapshot.actors if math.hypot(actor.x - x, actor.y - y) < NEAR_M)
    if not near:
        return math.inf
    _, d_m, _ = frame.place(ego)
    own = frame.footprints(s_m + ego.speed_mps * LOOK_TIMES_S, np.full(len(LOOK_TIMES_S), d_m))
    speeds = np.array([actor.speed_mps for actor in near])
    touching = overlap(own[:, None], moved(actor_boxes(near), speeds, LOOK_TIMES_S)).any(axis=1)
    return float(LOOK_TIMES_S[int(np.argmax(touching))]) if touching.any() else math.inf


def _red_lights(
    snapshots: Sequence[Snapshot], places: NDArray[np.float64], road_map: RoadMap, route: Route, frame: PathFrame
) -> int:
    fronts = places + REAR_AXLE_TO_FRONT_M
    crossed = 0
    for junction in junctions_on(road_map, route, frame):
        if not junction.connection.signal:
            continue
        past = np.flatnonzero((fronts[1:] > junction.stop_m) & (fronts[:-1] <= junction.stop_m))
        for index in past[:1].tolist():
            states = {signal.id: signal.state for signal in snapshots[index].signals}
            crossed += states.get(junction.connection.signal) == "red"
    return crossed


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened.

    Attributes:
        count: How often.
        total: Out of how many.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    count: int
    total: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """Count out of total, 0 of nothing."""
        return self.count / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class DriveSummary:
    """How well many drives went.

    Attributes:
        drives: How many.
        collision: Drives with a collision.
        off_road: Drives that left the road.
        red_light: Drives that crossed a stop line at red.
        speeding: Drives above the limit.
        progress_m: Mean.
        progress_share: Mean over the drives where the expert's is known, None if it never is.
        braking_mps2: 95th percentile of the hardest braking.
        jerk_mps3: 95th percentile of the strongest jerk.
        lateral_mps2: 95th percentile of the strongest acceleration to a side.
        time_to_collision_s: 5th percentile of the least time to collision.
    """

    drives: int
    collision: Rate
    off_road: Rate
    red_light: Rate
    speeding: Rate
    progress_m: float
    progress_share: float | None
    braking_mps2: float
    jerk_mps3: float
    lateral_mps2: float
    time_to_collision_s: float


def summarise(drives: Sequence[DriveMetrics]) -> DriveSummary:
    """Put drives together.

    Raises:
        ValueError: There is none.
    """
    if not drives:
        raise ValueError("there is no drive to summarise; expected at least one")
    shares = [one.progress_share for one in drives if one.progress_share is not None]
    nearest = sorted(one.time_to_collision_s for one in drives)
    return DriveSummary(
        drives=len(drives),
        collision=rate(sum(one.collision is not None for one in drives), len(drives)),
        off_road=rate(sum(one.off_road for one in drives), len(drives)),
        red_light=rate(sum(one.red_lights > 0 for one in drives), len(drives)),
        speeding=rate(sum(one.speeding for one in drives), len(drives)),
        progress_m=float(np.mean([one.progress_m for one in drives])),
        progress_share=float(np.mean(shares)) if shares else None,
        braking_mps2=float(np.percentile([one.braking_mps2 for one in drives], 95)),
        jerk_mps3=float(np.percentile([one.jerk_mps3 for one in drives], 95)),
        lateral_mps2=float(np.percentile([one.lateral_mps2 for one in drives], 95)),
        # An infinite time between two finite ones is no number to interpolate with.
        time_to_collision_s=nearest[int(0.05 * (len(nearest) - 1))],
    )


def rate(count: int, total: int) -> Rate:
    """Return a rate with its 95 % interval of Wilson (1927)."""
    if total == 0:
        return Rate(0, 0, 0.0, 1.0)
    z = 1.959964
    share, spread = count / total, z * z / total
    middle = (share + spread / 2.0) / (1.0 + spread)
    half = z / (1.0 + spread) * math.sqrt(share * (1.0 - share) / total + spread / (4.0 * total))
    return Rate(count, total, max(0.0, middle - half), min(1.0, middle + half))
