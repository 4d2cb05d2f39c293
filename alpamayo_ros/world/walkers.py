"""People on foot: they follow their way, wait at the kerb, and step out when they are told to."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.world.path import Path
from alpamayo_ros.world.road_map import DRIVING, INTERNAL, RoadMap
from alpamayo_ros.world.scenarios.staging import WALK_ACCELERATION_MPS2, Trigger, Walker
from alpamayo_ros.world.snapshot import STEP_S, Actor

CAREFUL_DECELERATION_MPS2 = 2.5
"""A person waits for a vehicle that would have to brake harder than this."""
CAREFUL_MARGIN_M = 4.0
CAREFUL_ASIDE_M = 6.0
"""Vehicles that pass farther away than this are on another road."""
YIELD_AHEAD_S = 1.5
"""Traffic begins to yield this long before a person steps onto its lane."""
LANE_MARGIN_M = 0.8
"""A lane is free when the person is this far beside it."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Where a person's way crosses a lane.

    Attributes:
        lane: Its id.
        lane_position_m: Where on the lane.
        from_m: Where on the way the lane begins,
        to_m: and where it ends, margins included.
    """

    lane: str
    lane_position_m: float
    from_m: float
    to_m: float


class WalkerState:
    """One person on the way."""

    def __init__(self, walker: Walker, road_map: RoadMap) -> None:
        self.walker = walker
        self._path = Path(np.array(walker.way), smoothing_m=0.4)
        self._s_m = walker.start_m
        self._waits = walker.start_m >= walker.hold_m - 1e-6
        self._speed_mps = 0.0 if self._waits else walker.speed_mps
        self._acceleration_mps2 = 0.0
        self._released = False
        self._conflicts = _conflicts(walker, self._path, road_map)

    def advance(self, fires: Callable[[Trigger], bool], traffic: Sequence[Actor]) -> None:
        """Walk for one step."""
        end_m = self._path.length_m if self._released else min(self.walker.hold_m, self._path.length_m)
        if not self._released and self._s_m >= self.walker.hold_m - 1e-6 and fires(self.walker.trigger):
            self._released = not (self.walker.careful and self._must_wait(traffic))
            end_m = self._path.length_m if self._released else end_m
        before = self._speed_mps
        rest_m = max(end_m - self._s_m, 0.0)
        speed = min(self.walker.speed_mps, before + WALK_ACCELERATION_MPS2 * STEP_S, rest_m / STEP_S)
        self._s_m = min(self._s_m + speed * STEP_S, max(end_m, self._s_m))
        self._speed_mps = speed
        self._acceleration_mps2 = (speed - before) / STEP_S

    @property
    def actor(self) -> Actor:
        """The person as it is seen."""
        x, y, heading = self._path.point(self._s_m)
        body = self.walker.body
        lane = next((item.lane for item in self.walker.stretches if self._s_m < item.end_m), "")
        start_m = max((item.end_m for item in self.walker.stretches if self._s_m >= item.end_m), default=0.0)
        return Actor(
            id=self.walker.id,
            kind=body.kind,
            x=x,
            y=y,
            heading=heading,
            length=body.length,
            width=body.width,
            height=body.height,
            speed_mps=self._speed_mps,
            acceleration_mps2=self._acceleration_mps2,
            braking=False,
            indicator="none",
            colour=body.colour,
            lane=lane,
            lane_position_m=self._s_m - start_m,
        )

    def claims(self) -> list[tuple[str, float]]:
        """Return the lanes that traffic has to keep free for this person, and where on them."""
        if not self._released:
            return []
        reach_m = self._s_m + self.walker.speed_mps * YIELD_AHEAD_S
        return [
            (item.lane, item.lane_position_m)
            for item in self._conflicts
            if item.from_m < reach_m and self._s_m <= item.to_m
        ]

    def _must_wait(self, traffic: Sequence[Actor]) -> bool:
        """Tell whether a vehicle could not stop any more for somebody who steps onto the road."""
        points = [self._path.point((item.from_m + item.to_m) / 2.0) for item in self._conflicts]
        for vehicle in traffic:
            reach = vehicle.speed_mps**2 / (2.0 * CAREFUL_DECELERATION_MPS2) + CAREFUL_MARGIN_M + vehicle.length / 2.0
            cosine, sine = math.cos(vehicle.heading), math.sin(vehicle.heading)
            for x, y, _ in points:
                along = (x - vehicle.x) * cosine + (y - vehicle.y) * sine
                aside = abs((y - vehicle.y) * cosine - (x - vehicle.x) * sine)
                if -vehicle.length < along < reach and aside < CAREFUL_ASIDE_M and vehicle.speed_mps > 0.1:
                    return True
        return False


def _conflicts(walker: Walker, path: Path, road_map: RoadMap) -> tuple[Conflict, ...]:
    """Return where the parts of a way on the road cross lanes for vehicles."""
    spans, start = [], 0.0
    for stretch in walker.stretches:
        if stretch.on_road:
            spans.append((start, min(stretch.end_m, path.length_m)))
        start = stretch.end_m
    found = []
    for lane in road_map.lanes.values():
        if lane.kind not in {DRIVING, INTERNAL} or not spans:
            continue
        line = Path(lane.centre, smoothing_m=0.0) if lane.length_m > 0.1 else None
        if line is None:
            continue
        for first, last in spans:
            stations = np.arange(first, last + 0.25, 0.25)
            inside = []
            for station in stations.tolist():
                x, y, _ = path.point(station)
                s, d = line.project(x, y)
                if abs(d) <= lane.width_m / 2.0 + LANE_MARGIN_M and -0.5 < s < line.length_m + 0.5:
                    inside.append((station, s, abs(d)))
            if inside and min(d for _, _, d in inside) < lane.width_m / 2.0:
                place = min(inside, key=lambda item: item[2])[1]
                found.append(Conflict(lane.id, place, inside[0][0], inside[-1][0]))
    return tuple(found)
