"""Poses between recorded poses: linear in position, slerp in orientation, never beyond the ends.

Between two samples D apart the position errs by at most max|a| D^2 / 8 and the orientation by at most
max|alpha| D^2 / 8 (the error of linear interpolation; 1.2 times that where the rotation axis turns).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry.rotation import normalize, slerp


@dataclass(frozen=True, slots=True)
class Brackets:
    """The two samples around each of N times.

    Attributes:
        before: int64 (N,), index of the last sample at or before each time.
        after: int64 (N,), index of the first sample at or after it; equal to ``before`` where a sample lies on it.
        width_ns: int64 (N,), time between the two.
        fraction: float64 (N,), where between the two each time lies, 0 to 1.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    width_ns: NDArray[np.int64]
    fraction: NDArray[np.float64]


def bracket_times(stamps_ns: NDArray[np.int64], times_ns: NDArray[np.int64]) -> Brackets:
    """Find the samples around each time.

    Args:
        stamps_ns: int64 (M,), strictly increasing.
        times_ns: int64 (N,), none outside the stamps.

    Raises:
        ValueError: A time lies before the first or after the last stamp: nothing is ever extrapolated.
    """
    after = np.searchsorted(stamps_ns, times_ns, side="left")
    if times_ns.size and (not stamps_ns.size or times_ns.max() > stamps_ns[-1] or times_ns.min() < stamps_ns[0]):
        span = f"{stamps_ns[0]} to {stamps_ns[-1]} ns" if stamps_ns.size else "at least one sample"
        raise ValueError(f"times {times_ns.min()} to {times_ns.max()} ns are outside the samples; expected {span}")
    after_ns = stamps_ns[after]
    before = after - (after_ns != times_ns)
    before_ns = stamps_ns[before]
    # Whole nanoseconds are subtracted before anything becomes a float: an epoch stamp has more digits than a float.
    width_ns = after_ns - before_ns
    fraction = (times_ns - before_ns) / np.maximum(width_ns, 1)
    return Brackets(before, after, width_ns, fraction)


def interpolate_poses(
    stamps_ns: NDArray[np.int64],
    positions_m: NDArray[np.float64],
    quaternions: NDArray[np.float64],
    times_ns: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interpolate a recorded motion.

    Args:
        stamps_ns: int64 (M,), strictly increasing.
        positions_m: float64 (M, 3).
        quaternions: float64 (M, 4), xyzw; need not be of unit length.
        times_ns: int64 (N,), none outside the stamps.

    Returns:
        Positions, float64 (N, 3) in m, and unit quaternions, float64 (N, 4).

    Raises:
        ValueError: A time lies before the first or after the last stamp.
    """
    brackets = bracket_times(stamps_ns, times_ns)
    return interpolate_between(brackets, positions_m, quaternions)


def interpolate_between(
    brackets: Brackets, positions_m: NDArray[np.float64], quaternions: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interpolate poses whose brackets are known already; see interpolate_poses."""
    start_m, end_m = positions_m[brackets.before], positions_m[brackets.after]
    position_m = start_m + (end_m - start_m) * brackets.fraction[:, np.newaxis]
    start, end = normalize(quaternions[brackets.before]), normalize(quaternions[brackets.after])
    return position_m, slerp(start, end, brackets.fraction)
