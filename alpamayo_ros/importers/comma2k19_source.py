"""Read one segment folder of comma2k19, strictly: NumPy arrays in files without extension."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ArtifactError, ConfigurationError
from alpamayo_ros.importers.npy_file import read_numbers

ACCELEROMETER, GYROSCOPE = "IMU/accelerometer", "IMU/gyro"
FIXES = "GNSS/live_gnss_ublox"
SPEED, STEERING, WHEEL_SPEEDS, RADAR = "CAN/speed", "CAN/steering_angle", "CAN/wheel_speed", "CAN/radar"

LOGS = {
    ACCELEROMETER: (3, "acceleration"),
    GYROSCOPE: (3, "turn rate"),
    FIXES: (6, "GNSS positions"),
    SPEED: (1, "speed of the car"),
    STEERING: (1, "steering angle"),
    WHEEL_SPEEDS: (4, "wheel speeds"),
    RADAR: (7, "radar tracks"),
}
"""Folders below ``processed_log`` that are read: columns, and what is absent without them."""

_UNUSED_COLUMNS = {RADAR: (3, 4)}
"""The source fills these with NaN."""

QUATERNION_NORM_TOLERANCE = 1e-3
"""A quaternion whose length is off 1 by more than this is refused."""

MIN_RADIUS_M, MAX_RADIUS_M = 6_350_000.0, 6_390_000.0
"""Distances from the Earth's centre between which roads are: 6 km below the poles, 11 km above the equator."""

GPS_EPOCH_S, WEEK_S, LEAP_S = 315_964_800, 604_800, 18
"""GPS time counts weeks from 1980-01-06, without leap seconds: 18 since 2017 (IERS Bulletin C 52)."""

_MAX_STAMP_NS = (2**31 - 1) * 1_000_000_000
"""Seconds of a ROS stamp are 32-bit signed."""

_MAX_SIZE = 1e15
"""Nothing that is measured is larger; the largest number of a real segment is a time in ms, 1.5e12."""

_MIN_UTC_MS = 1_500_000_000_000
"""July 2017; the data set was recorded later. The source's own description says s, its files hold ms."""

_MAX_TRACK = 2**16 - 1
_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000

Array = NDArray[np.float64]
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Series:
    """One log.

    Attributes:
        times_ns: int64 (N,), since the device was started, never falling.
        values: float64 (N, C); as the source documents them.
    """

    times_ns: Times
    values: Array


@dataclass(frozen=True, slots=True)
class Clock:
    """How the device's time relates to UTC.

    Attributes:
        offset_ns: UTC less the device's time; 0 when it is not known.
        fixes: How many GNSS fixes it is the median of.
        spread_ns: Between the smallest and the largest of their offsets.
        gps_offset_ns: The same by the GPS times of the frames, None when there are none.
    """

    offset_ns: int
    fixes: int
    spread_ns: int
    gps_offset_ns: int | None


@dataclass(frozen=True, slots=True)
class Comma2k19Source:
    """One segment.

    Attributes:
        folder: Where it lies.
        clock: From the device's time to UTC.
        times_ns: Of the poses, since the device was started, rising.
        positions_m: float64 (N, 3), ECEF.
        quaternions: float64 (N, 4), unit, xyzw: from the axes forward, right, down to those of ECEF.
        velocities_mps: float64 (N, 3) along the axes of ECEF, None when there are none.
        logs: By folder; those that the segment does not have are missing.
        absent: What the segment does not have, one phrase each.
    """

    folder: Path
    clock: Clock
    times_ns: Times
    positions_m: Array
    quaternions: Array
    velocities_mps: Array | None
    logs: Mapping[str, Series]
    absent: tuple[str, ...]


def read_source(folder: Path) -> Comma2k19Source:
    """Read a segment.

    Raises:
        ConfigurationError: The folder is missing or is not a segment of comma2k19.
        ArtifactError: It is one, but a file is missing, damaged or contradicts another.
    """
    pose = folder / "global_pose"
    if not pose.is_dir():
        raise ConfigurationError(
            f"source {folder} has no folder global_pose; expected one segment of comma2k19 "
            "(global_pose/ and processed_log/)"
        )
    times_ns = _read_times(pose / "frame_times")
    steps = np.diff(times_ns)
    if len(times_ns) < 2 or steps.min() <= 0:
        raise ArtifactError(f"file {pose / 'frame_times'} has {_rising(times_ns)}; expected 2 or more rising times")
    count = len(times_ns)
    positions_m = _read_positions(pose / "frame_positions", count)
    quaternions = _read_quaternions(pose / "frame_orientations", count)
    absent: list[str] = []
    velocities_mps = None
    if (pose / "frame_velocities").exists():
        velocities_mps = _read_rows(pose / "frame_velocities", count, 3)
    else:
        absent.append("velocity: the source has no global_pose/frame_velocities")
    logs = _read_logs(folder / "processed_log", absent)
    clock = _read_clock(pose / "frame_gps_times", times_ns, logs.get(FIXES), absent)
    _validate_stamps(folder, clock, [times_ns, *(log.times_ns for log in logs.values())])
    return Comma2k19Source(folder, clock, times_ns, positions_m, quaternions, velocities_mps, logs, tuple(absent))


def _rising(times_ns: Times) -> str:
    if len(times_ns) < 2:
        return f"{len(times_ns)} time{'' if len(times_ns) == 1 else 's'}"
    index = int(np.argmin(np.diff(times_ns)))
    return f"time {index + 1} that is not later than the one before"


def _read_times(path: Path) -> Times:
    """Read seconds since the device was started."""
    times_s = _columns(path, read_numbers(path), 1)[:, 0]
    bad = np.flatnonzero(~((times_s >= 0.0) & (times_s < 2.0**31)))
    if len(bad):
        raise ArtifactError(f"file {path}: time {bad[0]} is {times_s[bad[0]]:g} s; expected seconds from 0 to 2^31")
    return np.rint(times_s * _NS_PER_S).astype(np.int64)


def _columns(path: Path, array: Array, columns: int) -> Array:
    """Return the array as (N, C); one column may also be a plain list."""
    if columns == 1 and array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != 2 or array.shape[1] != columns:
        raise ArtifactError(f"file {path} has shape {array.shape}; expected (N, {columns})")
    return array


def _read_rows(path: Path, count: int, columns: int, unused: tuple[int, ...] = ()) -> Array:
    """Read numbers of sensible size, one row for each time; columns that are unused become 0."""
    rows = _columns(path, read_numbers(path), columns)
    if len(rows) != count:
        raise ArtifactError(f"file {path} has {len(rows)} rows for {count} times; expected equal counts")
    rows[:, unused] = 0.0
    bad = np.flatnonzero(~(np.abs(rows) <= _MAX_SIZE).all(axis=1))
    if len(bad):
        raise ArtifactError(
            f"file {path}: row {bad[0]} is {rows[bad[0]].tolist()}; "
            f"expected finite numbers of at most {_MAX_SIZE:g} in size"
        )
    return rows


def _read_positions(path: Path, count: int) -> Array:
    positions_m = _read_rows(path, count, 3)
    radius_m = np.linalg.norm(positions_m, axis=1)
    bad = np.flatnonzero(~((radius_m >= MIN_RADIUS_M) & (radius_m <= MAX_RADIUS_M)))
    if len(bad):
        raise ArtifactError(
            f"file {path}: position {bad[0]} is {radius_m[bad[0]]:g} m from the Earth's centre; "
            f"expected {MIN_RADIUS_M:g} to {MAX_RADIUS_M:g}"
        )
    return positions_m


def _read_quaternions(path: Path, count: int) -> Array:
    """Read wxyz and return xyzw."""
    quaternions = _read_rows(path, count, 4)[:, [1, 2, 3, 0]]
    length = np.linalg.norm(quaternions, axis=1)
    bad = np.flatnonzero(~(np.abs(length - 1.0) <= QUATERNION_NORM_TOLERANCE))
    if len(bad):
        raise ArtifactError(
            f"file {path}: quaternion {bad[0]} has length {length[bad[0]]:g}; "
            f"expected 1 within {QUATERNION_NORM_TOLERANCE:g}"
        )
    return np.asarray(quaternions / length[:, np.newaxis])


def _read_logs(folder: Path, absent: list[str]) -> dict[str, Series]:
    logs: dict[str, Series] = {}
    for name, (columns, words) in LOGS.items():
        place = folder / name
        if not place.is_dir():
            absent.append(f"{words}: the source has no processed_log/{name}")
            continue
        times_ns = _read_times(place / "t")
        falling = np.flatnonzero(np.diff(times_ns) < 0)
        if len(falling):
            raise ArtifactError(
                f"file {place / 't'} has time {falling[0] + 1} before the one that precedes it; expected rising times"
            )
        values = _read_rows(place / "value", len(times_ns), columns, _UNUSED_COLUMNS.get(name, ()))
        if not len(times_ns):
            absent.append(f"{words}: processed_log/{name} is empty")
            continue
        _validate_values(name, place / "value", values)
        logs[name] = Series(times_ns, values)
    return logs


def _validate_values(name: str, path: Path, values: Array) -> None:
    """Require what messages can hold: places on Earth, and track numbers."""
    if name == FIXES:
        bad = np.flatnonzero((np.abs(values[:, 0]) > 90.0) | (np.abs(values[:, 1]) > 180.0))
        expected = "a latitude and a longitude of at most 90 and 180 degrees in size"
    elif name == RADAR:
        track, new = values[:, 5], values[:, 6]
        bad = np.flatnonzero((track != np.rint(track)) | (track < 0) | (track > _MAX_TRACK) | ((new != 0) & (new != 1)))
        expected = f"an address from 0 to {_MAX_TRACK}, and 0 or 1 for a new track"
    else:
        return
    if len(bad):
        raise ArtifactError(f"file {path}: row {bad[0]} is {values[bad[0]].tolist()}; expected {expected}")


def _read_clock(path: Path, times_ns: Times, fixes: Series | None, absent: list[str]) -> Clock:
    """Take the median over the fixes of UTC less the device's time when it heard of the fix."""
    gps_offset_ns = None
    if path.exists():
        rows = _read_rows(path, len(times_ns), 2)
        gps_offset_ns = _middle(
            [
                _exact_ns(GPS_EPOCH_S - LEAP_S + week * WEEK_S, _NS_PER_S) + _exact_ns(second, _NS_PER_S) - int(time_ns)
                for (week, second), time_ns in zip(rows.tolist(), times_ns, strict=True)
            ]
        )
    offsets_ns = []
    if fixes is not None:
        for utc_ms, time_ns in zip(fixes.values[:, 3].tolist(), fixes.times_ns, strict=True):
            # A receiver that does not know the time yet says 0, or the date when it was built.
            if utc_ms >= _MIN_UTC_MS:
                offsets_ns.append(_exact_ns(utc_ms, _NS_PER_MS) - int(time_ns))
    if not offsets_ns:
        absent.append("UTC: no GNSS fix has one, so stamps count from the start of the device")
        return Clock(0, 0, 0, gps_offset_ns)
    return Clock(_middle(offsets_ns), len(offsets_ns), max(offsets_ns) - min(offsets_ns), gps_offset_ns)


def _exact_ns(value: float, unit_ns: int) -> int:
    """Convert a time without the product, which as a float holds the present only to 256 ns."""
    part, whole = math.modf(value)
    return int(whole) * unit_ns + round(part * unit_ns)


def _middle(values: list[int]) -> int:
    """Return the upper median, exactly."""
    return sorted(values)[len(values) // 2]


def _validate_stamps(folder: Path, clock: Clock, times_ns: list[Times]) -> None:
    first_ns = min(int(times[0]) for times in times_ns) + clock.offset_ns
    last_ns = max(int(times[-1]) for times in times_ns) + clock.offset_ns
    if first_ns < 0 or last_ns > _MAX_STAMP_NS:
        raise ArtifactError(
            f"source {folder} has times from {first_ns / _NS_PER_S:g} to {last_ns / _NS_PER_S:g} s by its GNSS fixes; "
            "expected seconds from 1970 to 2038"
        )
