"""Import one segment of comma2k19 into a bag: poses, inertial unit, GNSS, speed, steering, wheels and radar.

Everything is taken from the source as it is, at its own rates: no sample is made up, moved in time or left out. What
the source does not have is absent from the bag, and what had to be assumed stands in the bag's tags.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry.geodesy import GeodeticPosition, enu_from_ecef, geodetic_from_ecef
from alpamayo_ros.geometry.rotation import from_matrix, invert, multiply, rotate
from alpamayo_ros.importers import comma2k19_payloads, payloads
from alpamayo_ros.importers.comma2k19_source import (
    ACCELEROMETER,
    FIXES,
    GYROSCOPE,
    RADAR,
    SPEED,
    STEERING,
    WHEEL_SPEEDS,
    Clock,
    Comma2k19Source,
    Series,
    read_source,
)
from alpamayo_ros.importers.imported_bag import (
    TOPICS_FILE,
    Event,
    ImportSummary,
    Progress,
    event,
    imported_identity,
    write_bag,
    write_topics_file,
)
from alpamayo_ros.messages.translator import RIG_FRAME
from alpamayo_ros.storage.qos import OUTPUT_QOS, SENSOR_QOS, QosProfile
from alpamayo_ros.storage.staging import staged_bag, validate_destination
from alpamayo_ros.structs.pose import Pose

ODOMETRY_FRAME = "odom"
"""East, north and up of WGS 84 at the first pose."""

GNSS_FRAME, RADAR_FRAME = "gnss", "radar"
"""Frames of sensors whose place on the vehicle the source does not say."""

ODOMETRY_TOPIC = "/odometry"
IMU_TOPIC = "/imu"
FIX_TOPIC = "/gnss/fix"
SPEED_TOPIC = "/vehicle/speed"
STEERING_TOPIC = "/vehicle/steering"
WHEELS_TOPIC = "/vehicle/wheel_speeds"
RADAR_TOPIC = "/radar/tracks"

TOPICS: Mapping[str, tuple[str, QosProfile]] = {
    ODOMETRY_TOPIC: (payloads.ODOMETRY, OUTPUT_QOS),
    IMU_TOPIC: (comma2k19_payloads.IMU, SENSOR_QOS),
    FIX_TOPIC: (payloads.FIX, SENSOR_QOS),
    SPEED_TOPIC: (comma2k19_payloads.TWIST, SENSOR_QOS),
    STEERING_TOPIC: (comma2k19_payloads.JOINTS, SENSOR_QOS),
    WHEELS_TOPIC: (comma2k19_payloads.JOINTS, SENSOR_QOS),
    RADAR_TOPIC: (comma2k19_payloads.POINTS, SENSOR_QOS),
}

STEERING_JOINT = "steering_wheel"
WHEELS = ("wheel_front_left", "wheel_front_right", "wheel_rear_left", "wheel_rear_right")

FRD_FROM_FLU = (1.0, 0.0, 0.0, 0.0)
"""Quaternion between the source's axes forward, right, down and the rig's forward, left, up: half a turn about x."""

RADAR_PAUSE_NS = 10_000_000
"""The radar of the RAV4 sends a burst of at most 11 ms, whose messages are at most 8 ms apart, every 50 ms."""

ATTRIBUTION = "comma2k19 by comma.ai, github.com/commaai/comma2k19; Schafer et al., arXiv:1812.05752"
LICENCE = "MIT, Copyright (c) 2018 comma.ai"

ASSUMPTIONS = (
    "The source has no receive times: every message's receive and publish time is its stamp.",
    "The rig frame is the frame of the source's poses (forward, right, down) turned by half a turn about x.",
    (
        "Its origin is the camera of a device behind the windscreen: the source says neither how high that is nor "
        "where the rear axle is, and no offset was applied."
    ),
    (
        "Odometry is the source's pose files alone, which an optimiser made of GNSS, camera and inertial unit: "
        "one message per pose, none between them."
    ),
    (
        "The twist is the source's velocity along the rig's axes; it has no turn rate (covariance -1 on the diagonal). "
        "All other covariances are unknown (zeros)."
    ),
    "The inertial unit is in the same device: it is taken as at the rig's origin, with the rig's axes.",
    "GNSS height, speed and bearing are not imported: the source does not name the height's datum.",
    "The steering angle is that of the steering wheel and is taken as positive to the left.",
    "Wheel speeds are velocities of joints in m/s, because the source does not give the wheels' radius.",
    (
        "A radar cloud is one burst of tracks, stamped by its last one; z is 0, because the radar does not measure it; "
        "the two columns that the source leaves unused are left out."
    ),
    (
        "Not imported: the magnetometer (its values cannot be in T, as the source says), the gyroscope before "
        "calibration and its bias, the second GNSS receiver, raw CAN and raw GNSS measurements."
    ),
)
"""What holds for every segment."""


def import_comma2k19(source: Path, destination: Path, *, progress: Progress | None = None) -> ImportSummary:
    """Import one segment.

    The bag is made beside its destination and gets its name when it is complete.

    Args:
        source: Folder of one segment, with ``global_pose/`` and ``processed_log/``.
        destination: Folder that does not exist yet.
        progress: Called with the messages written so far and in all.

    Raises:
        ConfigurationError: The source is missing or is not a segment of comma2k19.
        ArtifactError: A part of the source is missing, damaged or contradicts another.
        OutputError: The destination exists or cannot be written.
        BagWriteError: The disk is full or refused a write.
    """
    validate_destination(destination)
    segment = read_source(source)
    path = _local_path(segment)
    assumptions = (*ASSUMPTIONS, *_measured_assumptions(segment, path))
    absent = (*segment.absent, _camera_sentence(source))
    events = sorted(_events(segment, path), key=lambda one: (one.stamp_ns, one.topic))
    tags = _tags(source, segment, path)
    with staged_bag(destination) as folder:
        identity = imported_identity(tags, assumptions, absent)
        counts = write_bag(folder, events, TOPICS, identity, compression="zstd", progress=progress)
        write_topics_file(folder / TOPICS_FILE, odometry=ODOMETRY_TOPIC)
    return ImportSummary(
        destination=destination,
        topics=counts,
        start_ns=events[0].stamp_ns,
        end_ns=events[-1].stamp_ns,
        assumptions=assumptions,
        absent=absent,
    )


@dataclass(frozen=True, slots=True)
class _LocalPath:
    """The poses in a local frame.

    Attributes:
        origin: Of the frame.
        positions_m: float64 (N, 3), east, north, up.
        quaternions: float64 (N, 4), of the rig.
        velocities_mps: float64 (N, 3) along the rig's axes, None when there are none.
    """

    origin: GeodeticPosition
    positions_m: NDArray[np.float64]
    quaternions: NDArray[np.float64]
    velocities_mps: NDArray[np.float64] | None


def _local_path(segment: Comma2k19Source) -> _LocalPath:
    origin = geodetic_from_ecef(segment.positions_m[0])
    enu = enu_from_ecef(origin)
    ecef_from_rig = multiply(segment.quaternions, np.array(FRD_FROM_FLU))
    velocities_mps = None
    if segment.velocities_mps is not None:
        velocities_mps = rotate(invert(ecef_from_rig), segment.velocities_mps)
    return _LocalPath(
        origin,
        (segment.positions_m - segment.positions_m[0]) @ enu.T,
        multiply(from_matrix(enu), ecef_from_rig),
        velocities_mps,
    )


def _events(segment: Comma2k19Source, path: _LocalPath) -> Iterator[Event]:
    offset_ns = segment.clock.offset_ns
    velocities = [None] * len(segment.times_ns) if path.velocities_mps is None else _triples(path.velocities_mps)
    stamps_ns = (segment.times_ns + offset_ns).tolist()
    rows = zip(stamps_ns, path.positions_m.tolist(), path.quaternions.tolist(), velocities, strict=True)
    for stamp_ns, (x, y, z), (qx, qy, qz, qw), velocity in rows:
        pose = Pose((x, y, z), (qx, qy, qz, qw))
        yield event(stamp_ns, ODOMETRY_TOPIC, payloads.odometry, ODOMETRY_FRAME, pose, velocity)
    yield from _imu_events(segment, offset_ns)
    for stamp_ns, row in _rows(segment, FIXES):
        yield event(stamp_ns, FIX_TOPIC, payloads.nav_sat_fix, GNSS_FRAME, row[0], row[1])
    for stamp_ns, row in _rows(segment, SPEED):
        yield event(stamp_ns, SPEED_TOPIC, comma2k19_payloads.forward_speed, RIG_FRAME, row[0])
    for stamp_ns, row in _rows(segment, STEERING):
        angles = {STEERING_JOINT: math.radians(row[0])}
        yield event(stamp_ns, STEERING_TOPIC, comma2k19_payloads.joint_angles, angles)
    for stamp_ns, row in _rows(segment, WHEEL_SPEEDS):
        speeds = dict(zip(WHEELS, row, strict=True))
        yield event(stamp_ns, WHEELS_TOPIC, comma2k19_payloads.joint_velocities, speeds)
    if RADAR in segment.logs:
        yield from _radar_events(segment.logs[RADAR], offset_ns)


def _rows(segment: Comma2k19Source, log: str) -> Iterator[tuple[int, list[float]]]:
    if log in segment.logs:
        series = segment.logs[log]
        stamps_ns = (series.times_ns + segment.clock.offset_ns).tolist()
        yield from zip(stamps_ns, series.values.tolist(), strict=True)


def _triples(rows: NDArray[np.float64]) -> list[tuple[float, float, float]]:
    return [(x, y, z) for x, y, z in rows.tolist()]


def _imu_events(segment: Comma2k19Source, offset_ns: int) -> Iterator[Event]:
    """Give one message for each time of either sensor; of both only where their times are the same."""
    acceleration, turn_rate = (_samples(segment.logs.get(log)) for log in (ACCELEROMETER, GYROSCOPE))
    for key in sorted({*acceleration, *turn_rate}):
        values = (acceleration.get(key), turn_rate.get(key))
        yield event(key[0] + offset_ns, IMU_TOPIC, comma2k19_payloads.imu, RIG_FRAME, *values)


def _samples(series: Series | None) -> dict[tuple[int, int], tuple[float, float, float]]:
    """Return the values along the rig's axes by time, and by their number among those of one time."""
    if series is None:
        return {}
    times_ns = series.times_ns
    numbers = np.arange(len(times_ns)) - np.searchsorted(times_ns, times_ns)
    keys = zip(times_ns.tolist(), numbers.tolist(), strict=True)
    return dict(zip(keys, _triples(rotate(np.array(FRD_FROM_FLU), series.values)), strict=True))


def _radar_events(radar: Series, offset_ns: int) -> Iterator[Event]:
    for first, end in _bursts(radar):
        times_ns, rows = radar.times_ns[first:end], radar.values[first:end]
        points = np.zeros(len(rows), dtype=comma2k19_payloads.RADAR_POINT)
        points["x"], points["y"], points["relative_speed"] = rows[:, 0], rows[:, 1], rows[:, 2]
        points["time"] = (times_ns - times_ns[-1]) * 1e-9
        points["track"], points["new_track"] = rows[:, 5], rows[:, 6]
        stamp_ns = int(times_ns[-1]) + offset_ns
        yield event(stamp_ns, RADAR_TOPIC, comma2k19_payloads.radar_tracks, RADAR_FRAME, points)


def _bursts(radar: Series) -> Iterator[tuple[int, int]]:
    """Give first row and end of each burst: one ends at a pause, and before a track that it holds already."""
    first = 0
    seen: set[float] = set()
    addresses = radar.values[:, 5].tolist()
    for row, address in enumerate(addresses):
        pause = row > first and radar.times_ns[row] - radar.times_ns[row - 1] > RADAR_PAUSE_NS
        if pause or address in seen:
            yield first, row
            first = row
            seen = set()
        seen.add(address)
    yield first, len(addresses)


def _tags(source: Path, segment: Comma2k19Source, path: _LocalPath) -> dict[str, str]:
    name = source.resolve().name
    # In the data set a segment is named by a number, in a folder that is named after the drive.
    place = f"{source.resolve().parent.name}/{name}" if name.isdecimal() else name
    return {
        "provenance": "real",
        "source": f"comma2k19, segment in {place}",
        "licence": LICENCE,
        "attribution": ATTRIBUTION,
        "origin_latitude_deg": f"{path.origin.latitude_deg:.9f}",
        "origin_longitude_deg": f"{path.origin.longitude_deg:.9f}",
        "origin_height_m": f"{path.origin.height_m:.3f}",
        "utc_offset_s": f"{segment.clock.offset_ns / 1e9:.6f}",
    }


def _measured_assumptions(segment: Comma2k19Source, path: _LocalPath) -> tuple[str, ...]:
    """Say what was measured in this segment."""
    origin = path.origin
    sentences = [
        (
            "The odometry frame is east, north and up at the first pose: "
            f"{origin.latitude_deg:.9f}, {origin.longitude_deg:.9f} degrees, "
            f"{origin.height_m:.3f} m above the ellipsoid of WGS 84."
        ),
        _clock_sentence(segment.clock),
    ]
    if path.velocities_mps is not None:
        x, y, z = path.velocities_mps.mean(axis=0).tolist()
        if x > 1.0:
            left_deg, up_deg = math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y)))
            sentences.append(
                f"On average the velocity points {abs(left_deg):.1f} degrees {'left' if left_deg > 0.0 else 'right'} "
                f"of the rig's x axis and {abs(up_deg):.1f} degrees {'above' if up_deg > 0.0 else 'below'} it: "
                "the axes are those of the device, and were not turned."
            )
    return tuple(sentences)


def _clock_sentence(clock: Clock) -> str:
    if not clock.fixes:
        return "Stamps are the device's time since its start: no GNSS fix says what time that was."
    sentence = (
        f"Stamps are the device's time since its start and {clock.offset_ns / 1e9:.6f} s, the median of "
        f"{clock.fixes} GNSS fixes of their UTC less the time when the device heard of them "
        f"(they span {clock.spread_ns / 1e9:.3f} s)"
    )
    if clock.gps_offset_ns is None:
        return f"{sentence}."
    later_s = (clock.gps_offset_ns - clock.offset_ns) / 1e9
    return f"{sentence}; the GPS times of the frames, without leap seconds, would make that {later_s:+.3f} s."


def _camera_sentence(source: Path) -> str:
    if (source / "video.hevc").exists():
        return "pictures: video.hevc is not imported"
    return "pictures: the source has no video.hevc, and preview.png is one picture, not a series"
