"""Compare predicted with driven paths while a bag streams by, in bounded memory."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.structs.observation import EgoHistory
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.trajectory import TrajectorySet
from alpamayo_ros.structs.verdict import HorizonError

HORIZONS_S = (1.0, 3.0, 5.0, 6.3, 6.4)
"""Horizons that displacement errors are stated for; 6.4 s is the whole trajectory of the Alpamayo family."""

_MAX_PATH_POINTS = 4000
_STEP_BACK_NS = 1_000_000_000
_LONGEST_WAIT_NS = 6_000_000_000
"""A tick is answered at most this much after its t0 (the largest ``max_wait_ms`` and a margin)."""


@dataclass(frozen=True, slots=True)
class DrivenPath:
    """The driven path after one tick.

    Attributes:
        t0_ns: Tick.
        rig_xyz_m: float64 (M, 3), driven positions at t0 + (k + 1) * dt in the rig frame at t0; M may be less than N.
    """

    t0_ns: int
    rig_xyz_m: NDArray[np.float64]


class _Track:
    """The last stretch of odometry as arrays; appending is cheap, old rows are forgotten in bulk."""

    def __init__(self) -> None:
        self._stamp_ns = np.zeros(1024, dtype=np.int64)
        self._position_m = np.zeros((1024, 3))
        self._start = 0
        self._end = 0

    @property
    def stamp_ns(self) -> NDArray[np.int64]:
        return self._stamp_ns[self._start : self._end]

    @property
    def position_m(self) -> NDArray[np.float64]:
        return self._position_m[self._start : self._end]

    @property
    def newest_ns(self) -> int | None:
        return int(self._stamp_ns[self._end - 1]) if self._end > self._start else None

    def append(self, sample: OdometrySample) -> None:
        if self._end == len(self._stamp_ns):
            self._make_room()
        self._stamp_ns[self._end] = sample.stamp_ns
        self._position_m[self._end] = (sample.x, sample.y, sample.z)
        self._end += 1

    def _make_room(self) -> None:
        count = self._end - self._start
        size = len(self._stamp_ns) if count <= len(self._stamp_ns) // 2 else 2 * len(self._stamp_ns)
        stamps, positions = np.zeros(size, dtype=np.int64), np.zeros((size, 3))
        stamps[:count], positions[:count] = self.stamp_ns, self.position_m
        self._stamp_ns, self._position_m, self._start, self._end = stamps, positions, 0, count

    def forget_before(self, stamp_ns: int) -> None:
        """Keep the newest row at or before the stamp, and every later one."""
        self._start += max(int(np.searchsorted(self.stamp_ns, stamp_ns, side="right")) - 1, 0)

    def clear(self) -> None:
        self._start = self._end = 0


@dataclass(frozen=True, slots=True)
class _Pending:
    trajectories: TrajectorySet
    origin_m: NDArray[np.float64]
    odom_from_rig: NDArray[np.float64]
    grid_ns: NDArray[np.int64]


class DrivenPathEvaluator:
    """Holds each trajectory until its driven path is known, then measures it.

    The displacement error of one tick up to a horizon is the mean over the points up to it of the xy distance
    between the selected sample and the driven path, interpolated linearly between odometry samples at most
    ``max_gap_ns`` apart. A tick counts for a horizon only if its driven path is known to the end of it.
    """

    def __init__(self, horizons_s: Sequence[float] = HORIZONS_S, max_gap_ns: int = 150_000_000) -> None:
        self._horizons_s = tuple(horizons_s)
        self._max_gap_ns = max_gap_ns
        self._sums = [0.0] * len(self._horizons_s)
        self._counts = [0] * len(self._horizons_s)
        self._track = _Track()
        self._pending: deque[_Pending] = deque()
        self._path: list[tuple[float, float, float]] = []
        self._stride = 1
        self._seen = 0

    def add_odometry(self, sample: OdometrySample) -> list[DrivenPath]:
        """Take one pose; return the driven paths that it completes."""
        newest_ns = self._track.newest_ns
        done: list[DrivenPath] = []
        if newest_ns is not None and sample.stamp_ns <= newest_ns:
            if newest_ns - sample.stamp_ns <= _STEP_BACK_NS:
                return done
            done = self.finish()
            self._track.clear()
        self._track.append(sample)
        self._remember(sample)
        while self._pending and self._pending[0].grid_ns[-1] <= sample.stamp_ns:
            done.append(self._measure(self._pending.popleft()))
        if not self._seen % 64:
            waiting_ns = int(self._pending[0].grid_ns[0]) if self._pending else sample.stamp_ns
            self._track.forget_before(min(waiting_ns, sample.stamp_ns - _LONGEST_WAIT_NS))
        return done

    def add_trajectories(self, trajectories: TrajectorySet, history: EgoHistory) -> list[DrivenPath]:
        """Take the answer of one tick; return its driven path if that is complete already."""
        step_ns = round(trajectories.dt_s * 1e6) * 1000  # the float32 is off by less than a microsecond
        pending = _Pending(
            trajectories,
            history.odom_from_rig_position_m,
            to_matrix(history.odom_from_rig_quaternion),
            trajectories.t0_ns + step_ns * np.arange(1, trajectories.point_count + 1, dtype=np.int64),
        )
        newest_ns = self._track.newest_ns
        if newest_ns is not None and pending.grid_ns[-1] <= newest_ns:
            return [self._measure(pending)]
        self._pending.append(pending)
        return []

    def finish(self) -> list[DrivenPath]:
        """Measure what is left, as far as its driven path is known."""
        done = [self._measure(pending) for pending in self._pending]
        self._pending.clear()
        return done

    def errors(self) -> tuple[HorizonError, ...]:
        """Return the displacement errors by horizon."""
        return tuple(
            HorizonError(horizon, total / count if count else None, count)
            for horizon, total, count in zip(self._horizons_s, self._sums, self._counts, strict=True)
        )

    def driven_odom_xyz_m(self) -> NDArray[np.float64]:
        """Return the whole driven path in the odometry frame, thinned to a few thousand points, float64 (P, 3)."""
        return np.array(self._path, dtype=np.float64).reshape(-1, 3)

    def _remember(self, sample: OdometrySample) -> None:
        self._seen += 1
        if self._seen % self._stride:
            return
        if math.isfinite(sample.x + sample.y + sample.z):
            self._path.append((sample.x, sample.y, sample.z))
        if len(self._path) > _MAX_PATH_POINTS:
            self._path = self._path[::2]
            self._stride *= 2

    def _measure(self, pending: _Pending) -> DrivenPath:
        driven = self._driven(pending)
        known = len(driven)
        trajectories = pending.trajectories
        selected = trajectories.selected_index
        ahead = trajectories.x[selected, :known] - driven[:, 0]
        aside = trajectories.y[selected, :known] - driven[:, 1]
        total = np.cumsum(np.hypot(ahead, aside))
        for index, horizon_s in enumerate(self._horizons_s):
            count = round(horizon_s / trajectories.dt_s)
            if 1 <= count <= known:
                self._sums[index] += float(total[count - 1]) / count
                self._counts[index] += 1
        return DrivenPath(trajectories.t0_ns, driven)

    def _driven(self, pending: _Pending) -> NDArray[np.float64]:
        stamps, position, grid = self._track.stamp_ns, self._track.position_m, pending.grid_ns
        after = np.searchsorted(stamps, grid)
        known = after < len(stamps)
        after = np.minimum(after, len(stamps) - 1)
        before = np.maximum(np.where(stamps[after] == grid, after, after - 1), 0)
        gap = stamps[after] - stamps[before]
        known &= (stamps[before] <= grid) & (gap <= self._max_gap_ns)
        fraction = ((grid - stamps[before]) / np.maximum(gap, 1))[:, np.newaxis]
        odom = position[before] + fraction * (position[after] - position[before])
        known &= np.isfinite(odom).all(axis=1)
        count = len(grid) if known.all() else int(np.argmin(known))
        driven: NDArray[np.float64] = (odom[:count] - pending.origin_m) @ pending.odom_from_rig
        return driven
