"""The ego history of one observation: recorded odometry at the grid times, in the rig frame at t0."""

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry.interpolation import Brackets, bracket_times, interpolate_between
from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.perception.odometry_buffer import OdometryBuffer
from alpamayo_ros.perception.wording import grid_time, milliseconds, rejection
from alpamayo_ros.structs.observation import EgoHistory
from alpamayo_ros.structs.tick import Rejection, TickOutcome

ODOMETRY_AHEAD_NS = 150_000_000
"""Odometry up to this much after t0 decides an outcome; so later samples, whenever they arrive, change nothing."""


class EgoHistoryBuilder:
    """Interpolate the ego history that a profile asks for, or say why that is not possible."""

    def __init__(self, profile: Profile, params: PerceptionParams) -> None:
        """Lay out the grid."""
        period_ns = profile.period_ms * 1_000_000
        self._offsets_ns = np.arange(1 - profile.history_length, 1, dtype=np.int64) * period_ns
        self._offsets_ns.flags.writeable = False
        self._max_gap_ns = params.max_odometry_gap_ms * 1_000_000
        self._max_quaternion_error = params.max_quaternion_error
        self._ahead_ns = max(ODOMETRY_AHEAD_NS, self._max_gap_ns)

    @property
    def span_ns(self) -> int:
        """Time between the oldest row and t0."""
        return -int(self._offsets_ns[0])

    def build(self, odometry: OdometryBuffer, t0_ns: int) -> EgoHistory | Rejection:
        """Return the ego history at t0, or the first reason against it.

        Args:
            odometry: Samples; those more than 150 ms after t0 are not looked at.
            t0_ns: Model time in ns.
        """
        stamps_ns, poses = odometry.up_to(t0_ns + self._ahead_ns)
        span = self._judge_span(stamps_ns, t0_ns)
        if span is not None:
            return span
        brackets = bracket_times(stamps_ns, t0_ns + self._offsets_ns)
        gap = self._judge_gaps(brackets, stamps_ns)
        if gap is not None:
            return gap
        invalid = self._judge_values(brackets, stamps_ns, poses)
        if invalid is not None:
            return invalid
        return self._in_rig(brackets, poses)

    def _judge_span(self, stamps_ns: NDArray[np.int64], t0_ns: int) -> Rejection | None:
        if not stamps_ns.size:
            return rejection(
                TickOutcome.NO_ODOMETRY, "no odometry up to t0; expected samples around every history time"
            )
        newest_ns, oldest_ns = int(stamps_ns[-1]), int(stamps_ns[0])
        if newest_ns < t0_ns:
            return rejection(
                TickOutcome.ODOMETRY_STALE,
                f"newest odometry at {newest_ns} ns is {milliseconds(t0_ns - newest_ns)} before t0; "
                f"expected one at t0 or up to {milliseconds(self._ahead_ns)} after it",
            )
        if oldest_ns > t0_ns - self.span_ns:
            return rejection(
                TickOutcome.HISTORY_TOO_SHORT,
                f"oldest odometry at {oldest_ns} ns is {milliseconds(oldest_ns - t0_ns + self.span_ns)} "
                f"after {grid_time(-self.span_ns)}; expected one at that time or before",
            )
        return None

    def _judge_gaps(self, brackets: Brackets, stamps_ns: NDArray[np.int64]) -> Rejection | None:
        row = int(brackets.width_ns.argmax())
        widest_ns = int(brackets.width_ns[row])
        if widest_ns <= self._max_gap_ns:
            return None
        before_ns, after_ns = int(stamps_ns[brackets.before[row]]), int(stamps_ns[brackets.after[row]])
        return rejection(
            TickOutcome.ODOMETRY_GAP,
            f"{milliseconds(widest_ns)} between odometry at {before_ns} and {after_ns} ns "
            f"around {grid_time(int(self._offsets_ns[row]))}; allowed {self._max_gap_ns // 1_000_000} ms",
        )

    def _judge_values(
        self, brackets: Brackets, stamps_ns: NDArray[np.int64], poses: NDArray[np.float64]
    ) -> Rejection | None:
        """Judge the samples around the grid times, oldest first; others are not used."""
        used = np.concatenate([brackets.before, brackets.after])
        values = poses[used]
        with np.errstate(over="ignore", invalid="ignore"):
            norm = np.sqrt(np.sum(values[:, 3:] * values[:, 3:], axis=1))
            bad = ~(np.isfinite(values).all(axis=1) & (np.abs(norm - 1.0) <= self._max_quaternion_error))
        if not bad.any():
            return None
        first = int(used[bad].min())
        sample = poses[first].tolist()
        if not np.isfinite(poses[first]).all():
            fault = f"holds {sample}, not all finite; expected finite numbers"
        else:
            length = float(norm[bad][used[bad].argmin()])
            fault = (
                f"has an orientation of length {length:.6g}; expected 1 within {self._max_quaternion_error:g} "
                f"(quaternion {sample[3:]})"
            )
        return rejection(TickOutcome.ODOMETRY_INVALID, f"odometry at {int(stamps_ns[first])} ns {fault}")

    def _in_rig(self, brackets: Brackets, poses: NDArray[np.float64]) -> EgoHistory | Rejection:
        with np.errstate(over="ignore", invalid="ignore"):
            position_m, quaternion = interpolate_between(brackets, poses[:, :3], poses[:, 3:])
            odom_from_row = to_matrix(quaternion)
            odom_from_rig = odom_from_row[-1]
            # A row vector times R is R^T times the column vector: odometry frame to rig frame.
            rig_position_m = (position_m - position_m[-1]) @ odom_from_rig
        if not np.isfinite(rig_position_m).all():
            return rejection(
                TickOutcome.ODOMETRY_INVALID,
                "odometry positions are too far apart for a float; expected metres in one local frame",
            )
        rotation = odom_from_rig.T @ odom_from_row
        # Exact by definition; the arithmetic above leaves rounding and negative zeros.
        rig_position_m[-1] = 0.0
        rotation[-1] = np.eye(3)
        history = EgoHistory(self._offsets_ns, rig_position_m, rotation, position_m[-1].copy(), quaternion[-1].copy())
        for array in (history.position_m, history.rotation):
            array.flags.writeable = False
        return history
