"""The actors as seen along the ego vehicle's path."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.path import Path
from alpamayo_ros.world.snapshot import Actor, EgoState
from alpamayo_ros.world.vehicle import LENGTH_M, REAR_AXLE_TO_CENTRE_M, REAR_AXLE_TO_FRONT_M, WIDTH_M

Array = NDArray[np.float64]

BEHIND_M = 60.0
AHEAD_M = 160.0
"""How far along the path actors are looked at."""
BESIDE_M = 30.0
"""How far beside the path."""


@dataclass(frozen=True, slots=True)
class PathActor:
    """An actor in the coordinates of the path.

    Attributes:
        actor: In the world.
        s_m: Its centre along the path.
        d_m: Its centre left of the path.
        turn_rad: Its heading relative to the path, left positive, -pi to pi.
        half_along_m: Half of what it covers along the path.
        half_across_m: Half of what it covers across the path.
    """

    actor: Actor
    s_m: float
    d_m: float
    turn_rad: float
    half_along_m: float
    half_across_m: float

    @property
    def speed_along_mps(self) -> float:
        """Its speed along the path, negative if it comes nearer."""
        return self.actor.speed_mps * math.cos(self.turn_rad)

    @property
    def speed_across_mps(self) -> float:
        """Its speed to the left of the path."""
        return self.actor.speed_mps * math.sin(self.turn_rad)

    @property
    def touched_at_m(self) -> float:
        """Where the ego vehicle's rear axle is when its front touches it."""
        return self.s_m - self.half_along_m - REAR_AXLE_TO_FRONT_M


class PathFrame:
    """Projects many points on a path at once."""

    def __init__(self, path: Path) -> None:
        self.points = np.asarray(path.points, dtype=np.float64)
        steps = np.diff(self.points, axis=0)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        self.s_m = np.concatenate([[0.0], np.cumsum(lengths)])
        headings = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        middles = (self.s_m[1:] + self.s_m[:-1]) / 2.0
        self.headings = np.interp(self.s_m, middles, headings)
        self._cosines, self._sines = np.cos(self.headings), np.sin(self.headings)

    def project(self, points: Array, low_m: float = -math.inf, high_m: float = math.inf) -> tuple[Array, Array, Array]:
        """Project points on the part of the path between two places.

        Args:
            points: (N, 2).
            low_m: Start of the part.
            high_m: End of the part.

        Returns:
            Place along the path, offset to its left, and the path's heading there, each (N,). Beyond the ends of
            the whole path it goes on straight.
        """
        first = min(int(np.searchsorted(self.s_m, low_m)), len(self.s_m) - 1)
        last = max(int(np.searchsorted(self.s_m, high_m)), first + 1)
        line = self.points[first:last]
        away_x = points[:, 0, None] - line[:, 0]
        away_y = points[:, 1, None] - line[:, 1]
        nearest = np.argmin(away_x * away_x + away_y * away_y, axis=1)
        rows = np.arange(len(points))
        gap_x, gap_y = away_x[rows, nearest], away_y[rows, nearest]
        index = nearest + first
        cosine, sine = self._cosines[index], self._sines[index]
        along = gap_x * cosine + gap_y * sine
        return self.s_m[index] + along, gap_y * cosine - gap_x * sine, self.headings[index]

    def footprints(self, s_m: Array, d_m: Array, margin_m: float = 0.0) -> Array:
        """Return the ego vehicle's footprints with its rear axle at places along the path, headed along it.

        Args:
            s_m: (N,) along the path.
            d_m: (N,) left of the path.
            margin_m: Added to both sides of the body.

        Returns:
            (N, 5): x and y of the centre, heading, length, width.
        """
        headings = np.interp(s_m, self.s_m, self.headings)
        cosines, sines = np.cos(headings), np.sin(headings)
        beyond = s_m - np.clip(s_m, 0.0, self.s_m[-1]) + REAR_AXLE_TO_CENTRE_M
        x = np.interp(s_m, self.s_m, self.points[:, 0]) + beyond * cosines - d_m * sines
        y = np.interp(s_m, self.s_m, self.points[:, 1]) + beyond * sines + d_m * cosines
        sizes = np.full(len(s_m), LENGTH_M), np.full(len(s_m), WIDTH_M + 2.0 * margin_m)
        return np.stack([x, y, headings, *sizes], axis=-1)

    def place(self, ego: EgoState) -> tuple[float, float, float]:
        """Return the ego vehicle's rear axle along the path, left of it, and its heading relative to it.

        Of two passes of the path through the same place, that with the ego vehicle's heading counts.
        """
        away_x = ego.position[0] - self.points[:, 0]
        away_y = ego.position[1] - self.points[:, 1]
        against = np.cos(self.headings - ego.yaw) < 0.0
        index = int(np.argmin(away_x * away_x + away_y * away_y + 1e6 * against))
        cosine, sine = float(self._cosines[index]), float(self._sines[index])
        gap_x, gap_y = float(away_x[index]), float(away_y[index])
        turn = math.remainder(ego.yaw - float(self.headings[index]), math.tau)
        return float(self.s_m[index]) + gap_x * cosine + gap_y * sine, gap_y * cosine - gap_x * sine, turn


def along_path(frame: PathFrame, ego_s_m: float, actors: Sequence[Actor]) -> tuple[PathActor, ...]:
    """Return the actors near the path, the nearest along it first."""
    if not actors:
        return ()
    rows = np.array([(actor.x, actor.y, actor.heading, actor.length, actor.width) for actor in actors])
    s, d, headings = frame.project(rows[:, :2], ego_s_m - BEHIND_M, ego_s_m + AHEAD_M)
    turns = np.remainder(rows[:, 2] - headings + np.pi, 2.0 * np.pi) - np.pi
    cosines, sines = np.abs(np.cos(turns)), np.abs(np.sin(turns))
    along = (rows[:, 3] * cosines + rows[:, 4] * sines) / 2.0
    across = (rows[:, 3] * sines + rows[:, 4] * cosines) / 2.0
    near = (s > ego_s_m - BEHIND_M) & (s < ego_s_m + AHEAD_M) & (np.abs(d) < BESIDE_M)
    found = [
        PathActor(actors[index], *(float(column[index]) for column in (s, d, turns, along, across)))
        for index in np.flatnonzero(near).tolist()
    ]
    return tuple(sorted(found, key=lambda item: (item.s_m, item.actor.id)))
