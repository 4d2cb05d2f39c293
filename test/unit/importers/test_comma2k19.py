"""Import of a segment in comma2k19's layout, made by its own arithmetic."""

import json
import math
import shutil
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from alpamayo_ros.cli.bag_import import bag_import_comma2k19
from alpamayo_ros.errors import ArtifactError, BagWriteError, ConfigurationError, OutputError
from alpamayo_ros.importers.comma2k19 import import_comma2k19
from alpamayo_ros.importers.comma2k19_payloads import RADAR_POINT
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.identity import verify_identity
from alpamayo_ros.storage.reader import open_bag

FRAMES = 40
LATITUDE_DEG, LONGITUDE_DEG, HEIGHT_M = 37.7, -122.4, 50.0
HEADING_DEG, CLIMB_DEG, SPEED_MPS = 30.0, 4.0, 12.0
"""The car drives 30 degrees north of east, uphill."""

UTC_OFFSET_MS = 1_533_180_079_650
BOOT_S = 46_408.0
GNSS_DELAY_S = [0.0, 0.010, 0.003, 0.004, 0.400]
FRD = Rotation.from_euler("x", 180.0, degrees=True)
ECEF_FROM_ENU = Rotation.from_euler("ZX", [90.0 + LONGITUDE_DEG, 90.0 - LATITUDE_DEG], degrees=True)
ENU_FROM_RIG = Rotation.from_euler("ZY", [HEADING_DEG, -CLIMB_DEG], degrees=True)
DIRECTION = ENU_FROM_RIG.apply([1.0, 0.0, 0.0])


def origin_m():
    a, b = 6_378_137.0, 6_356_752.314245179
    latitude = math.radians(LATITUDE_DEG)
    normal = a**2 / math.hypot(a * math.cos(latitude), b * math.sin(latitude))
    across, up = (normal + HEIGHT_M) * math.cos(latitude), (b**2 / a**2 * normal + HEIGHT_M) * math.sin(latitude)
    longitude = math.radians(LONGITUDE_DEG)
    return np.array([across * math.cos(longitude), across * math.sin(longitude), up])


@dataclass
class Segment:
    """A made segment."""

    folder: object

    def write(self, name, array):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.save(file, np.asarray(array), allow_pickle=True)

    def read(self, name):
        return np.load(self.folder / name, allow_pickle=False)

    def edit(self, name, place, value):
        array = self.read(name)
        array[place] = value
        self.write(name, array)

    def log(self, name, times_s, values):
        self.write(f"processed_log/{name}/t", BOOT_S + np.asarray(times_s))
        self.write(f"processed_log/{name}/value", values)


@pytest.fixture
def segment(tmp_path):
    made = Segment(tmp_path / "drive" / "40")
    time_s = 0.05 * np.arange(FRAMES)
    travelled = SPEED_MPS * time_s[:, np.newaxis] * DIRECTION
    quaternion = (ECEF_FROM_ENU * ENU_FROM_RIG * FRD).as_quat()[[3, 0, 1, 2]]
    made.write("global_pose/frame_times", BOOT_S + time_s)
    made.write("global_pose/frame_positions", origin_m() + ECEF_FROM_ENU.apply(travelled))
    made.write("global_pose/frame_orientations", np.tile(quaternion, (FRAMES, 1)))
    made.write("global_pose/frame_velocities", np.tile(ECEF_FROM_ENU.apply(SPEED_MPS * DIRECTION), (FRAMES, 1)))
    gps_s = UTC_OFFSET_MS / 1e3 + BOOT_S + time_s + 18 - 315_964_800
    made.write("global_pose/frame_gps_times", np.column_stack([gps_s // 604_800, gps_s % 604_800]))
    imu_s = 0.01 * np.arange(200) + 0.001
    made.log("IMU/accelerometer", imu_s, np.asfortranarray(np.tile([1.0, 2.0, -9.8], (200, 1))))
    made.log("IMU/gyro", imu_s, np.tile([0.1, 0.2, 0.3], (200, 1)))
    fix_s = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    utc_ms = np.rint((BOOT_S + fix_s) * 1e3) + UTC_OFFSET_MS
    rows = [[LATITUDE_DEG, LONGITUDE_DEG + 1e-5 * k, 7.0, utc_ms[k], 33.0, 60.0] for k in range(5)]
    made.log("GNSS/live_gnss_ublox", fix_s + GNSS_DELAY_S, rows)
    can_s = 0.012 * np.arange(20)
    made.log("CAN/speed", can_s, np.full((20, 1), SPEED_MPS))
    made.log("CAN/steering_angle", can_s, np.linspace(-90.0, 100.0, 20))
    made.log("CAN/wheel_speed", can_s, np.tile([11.0, 12.0, 13.0, 14.0], (20, 1)))
    nan = math.nan
    radar = [
        [70.0, 1.5, -2.0, nan, nan, 528.0, 1.0],
        [80.0, -2.5, 3.0, nan, nan, 530.0, 0.0],
        [70.1, 1.5, -2.0, nan, nan, 528.0, 0.0],
        [70.2, 1.5, -2.0, nan, nan, 528.0, 0.0],
        [80.1, -2.5, 3.0, nan, nan, 531.0, 0.0],
    ]
    made.log("CAN/radar", [0.1, 0.105, 0.15, 0.155, 0.155], radar)
    return made


def read(bag):
    """Messages by topic as (receive ns, publish ns, message)."""
    messages = defaultdict(list)
    with open_bag(bag) as reader:
        for message in reader.messages():
            content = deserialize(message.payload, message.type_name)
            messages[message.topic].append((message.receive_ns, message.publish_ns, content))
    return messages


def stamp_ns(message):
    return message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec


def xyz(value):
    return (value.x, value.y, value.z)


@pytest.fixture
def imported(segment, tmp_path):
    summary = import_comma2k19(segment.folder, tmp_path / "bag")
    return summary, read(tmp_path / "bag"), segment


def test_every_row_of_the_source_is_one_message(imported):
    summary, messages, _ = imported
    counts = {topic: len(entries) for topic, entries in messages.items()}
    assert counts == dict(summary.topics)
    assert counts == {
        "/odometry": FRAMES,
        "/imu": 200,
        "/gnss/fix": 5,
        "/vehicle/speed": 20,
        "/vehicle/steering": 20,
        "/vehicle/wheel_speeds": 20,
        "/radar/tracks": 3,
    }
    assert summary.calibration_digest is None


def test_stamps_are_the_time_of_the_device_and_the_median_offset_to_utc(imported):
    summary, messages, _ = imported
    # Of the delays 0, 3, 4, 10 and 400 ms the median is 4 ms: one late fix moves nothing.
    offset_ns = (UTC_OFFSET_MS - 4) * 1_000_000
    for topic, first_s in (("/odometry", 0.0), ("/imu", 0.001), ("/vehicle/speed", 0.0), ("/gnss/fix", 0.1)):
        receive_ns, publish_ns, message = messages[topic][0]
        assert receive_ns == publish_ns == stamp_ns(message)
        assert stamp_ns(message) == pytest.approx(offset_ns + round((BOOT_S + first_s) * 1e9), abs=20)
    assert summary.start_ns == messages["/odometry"][0][0]
    steps = np.diff([receive for receive, _, _ in messages["/odometry"]])
    assert np.abs(steps - 50_000_000).max() <= 20


def test_the_path_is_east_north_up_of_the_first_pose(imported):
    _, messages, _ = imported
    for index, (_, _, message) in enumerate(messages["/odometry"]):
        expected = 0.05 * index * SPEED_MPS * DIRECTION
        assert xyz(message.pose.pose.position) == pytest.approx(expected, abs=2e-8)
        assert (message.header.frame_id, message.child_frame_id) == ("odom", "base_link")
        assert not message.pose.covariance.any()


def test_the_rig_looks_forward_left_and_up(imported):
    _, messages, _ = imported
    orientation = messages["/odometry"][0][2].pose.pose.orientation
    rotation = Rotation.from_quat([orientation.x, orientation.y, orientation.z, orientation.w])
    assert (rotation.inv() * ENU_FROM_RIG).magnitude() == pytest.approx(0.0, abs=1e-9)
    x_axis = rotation.apply([1.0, 0.0, 0.0])
    assert math.degrees(math.atan2(x_axis[1], x_axis[0])) == pytest.approx(HEADING_DEG)
    assert math.degrees(math.asin(x_axis[2])) == pytest.approx(CLIMB_DEG)
    assert rotation.apply([0.0, 1.0, 0.0])[:2] == pytest.approx([-0.5, math.cos(math.radians(30.0))])


def test_the_twist_is_the_velocity_along_the_rig_without_a_turn_rate(imported):
    _, messages, _ = imported
    for _, _, message in messages["/odometry"]:
        assert xyz(message.twist.twist.linear) == pytest.approx((SPEED_MPS, 0.0, 0.0), abs=1e-9)
        assert np.diagonal(message.twist.covariance.reshape(6, 6)).tolist() == [0, 0, 0, -1, -1, -1]


def test_without_velocities_there_is_no_twist(segment, tmp_path):
    (segment.folder / "global_pose" / "frame_velocities").unlink()
    summary = import_comma2k19(segment.folder, tmp_path / "bag")
    message = read(tmp_path / "bag")["/odometry"][0][2]
    assert np.diagonal(message.twist.covariance.reshape(6, 6)).tolist() == [-1] * 6
    assert summary.absent[0] == "velocity: the source has no global_pose/frame_velocities"


def test_the_inertial_unit_is_turned_to_forward_left_up(imported):
    _, messages, _ = imported
    for _, _, message in messages["/imu"]:
        assert xyz(message.linear_acceleration) == (1.0, -2.0, 9.8)
        assert xyz(message.angular_velocity) == (0.1, -0.2, -0.3)
        assert message.orientation_covariance[0] == -1.0
        assert not message.angular_velocity_covariance.any()
        assert not message.linear_acceleration_covariance.any()


def test_acceleration_and_turn_rate_of_other_times_are_not_paired(segment, tmp_path):
    segment.log("IMU/gyro", [0.001, 0.0015, 0.0015], [[0.1, 0.2, 0.3], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    import_comma2k19(segment.folder, tmp_path / "bag")
    messages = [message for _, _, message in read(tmp_path / "bag")["/imu"]]
    assert len(messages) == 202
    told = [
        (message.linear_acceleration_covariance[0], message.angular_velocity_covariance[0]) for message in messages[:4]
    ]
    assert told == [(0.0, 0.0), (-1.0, 0.0), (-1.0, 0.0), (0.0, -1.0)]
    assert sorted(message.angular_velocity.x for message in messages[1:3]) == [1.0, 2.0]


def test_fixes_have_no_height_that_the_source_does_not_define(imported):
    _, messages, _ = imported
    fix = messages["/gnss/fix"][2][2]
    assert (fix.latitude, fix.longitude) == (LATITUDE_DEG, LONGITUDE_DEG + 2e-5)
    assert math.isnan(fix.altitude)


def test_the_car_says_speed_angle_and_wheels(imported):
    _, messages, _ = imported
    speed = messages["/vehicle/speed"][0][2]
    assert xyz(speed.twist.twist.linear) == (SPEED_MPS, 0.0, 0.0)
    assert np.diagonal(speed.twist.covariance.reshape(6, 6)).tolist() == [0.0, -1, -1, -1, -1, -1]
    assert speed.header.frame_id == "base_link"
    angles = [message for _, _, message in messages["/vehicle/steering"]]
    assert [list(angles[0].name), list(angles[0].velocity), list(angles[0].effort)] == [["steering_wheel"], [], []]
    assert angles[0].position.tolist() == pytest.approx([-math.pi / 2])
    assert angles[-1].position.tolist() == pytest.approx([math.radians(100.0)])
    wheels = messages["/vehicle/wheel_speeds"][0][2]
    names = ["wheel_front_left", "wheel_front_right", "wheel_rear_left", "wheel_rear_right"]
    assert [list(wheels.name), wheels.velocity.tolist(), list(wheels.position)] == [names, [11.0, 12.0, 13.0, 14.0], []]


def test_radar_bursts_end_at_a_pause_and_before_a_track_that_they_hold(imported):
    _, messages, _ = imported
    clouds = [message for _, _, message in messages["/radar/tracks"]]
    assert [cloud.width for cloud in clouds] == [2, 1, 2]
    assert [cloud.header.frame_id for cloud in clouds] == ["radar"] * 3
    points = np.frombuffer(clouds[0].data.tobytes(), dtype=RADAR_POINT)
    assert [points[name].tolist() for name in ("x", "y", "z")] == [[70.0, 80.0], [1.5, -2.5], [0.0, 0.0]]
    assert points["relative_speed"].tolist() == [-2.0, 3.0]
    assert (points["track"].tolist(), points["new_track"].tolist()) == ([528, 530], [1, 0])
    assert points["time"].tolist() == pytest.approx([-0.005, 0.0], abs=1e-7)
    described = {field.name: (field.offset, field.datatype, field.count) for field in clouds[0].fields}
    assert described["track"] == (20, 4, 1)
    assert described["x"] == (0, 7, 1)
    assert "padding" not in described
    assert (clouds[0].point_step, clouds[0].row_step, len(clouds[0].data)) == (24, 48, 48)


def test_the_bag_says_what_it_is(imported):
    summary, _, segment = imported
    report = verify_identity(summary.destination)
    assert (report.lineage_id, report.state, report.disagreements) == ("none", "closed", ())
    tags = report.tags
    assert tags["source"] == "comma2k19, segment in drive/40"
    assert tags["licence"] == "MIT, Copyright (c) 2018 comma.ai"
    assert float(tags["origin_latitude_deg"]) == pytest.approx(LATITUDE_DEG, abs=1e-9)
    assert float(tags["origin_longitude_deg"]) == pytest.approx(LONGITUDE_DEG, abs=1e-9)
    assert float(tags["origin_height_m"]) == pytest.approx(HEIGHT_M, abs=1e-3)
    assert float(tags["utc_offset_s"]) == pytest.approx((UTC_OFFSET_MS - 4) / 1e3, abs=1e-6)
    for sentence in summary.assumptions:
        assert sentence in tags["assumptions"]
    said = tags["assumptions"]
    assert "the median of 5 GNSS fixes" in said
    assert "they span 0.400 s" in said
    assert "would make that +0.004 s" in said
    assert "the source says neither how high that is nor where the rear axle is, and no offset was applied" in said
    assert tags["absent"] == "pictures: the source has no video.hevc, and preview.png is one picture, not a series"
    assert sorted(file.name for file in summary.destination.iterdir()) == [
        "bag_0.mcap",
        "identity.json",
        "metadata.yaml",
        "topics.yaml",
    ]
    (segment.folder / "video.hevc").write_bytes(b"")
    again = import_comma2k19(segment.folder, summary.destination.with_name("again"))
    assert again.absent == ("pictures: video.hevc is not imported",)


def test_how_the_device_is_turned_against_the_motion_is_said_and_not_corrected(segment, tmp_path):
    turn = Rotation.from_euler("ZY", [-2.0, 3.0], degrees=True)
    quaternion = (ECEF_FROM_ENU * ENU_FROM_RIG * turn * FRD).as_quat()[[3, 0, 1, 2]]
    segment.write("global_pose/frame_orientations", np.tile(quaternion, (FRAMES, 1)))
    summary = import_comma2k19(segment.folder, tmp_path / "bag")
    assert any("2.0 degrees left of the rig's x axis and 3.0 degrees above it" in said for said in summary.assumptions)
    x, y, z = xyz(read(tmp_path / "bag")["/odometry"][0][2].twist.twist.linear)
    assert math.hypot(x, y, z) == pytest.approx(SPEED_MPS)
    assert z > 0.5


def test_two_imports_say_the_same(segment, tmp_path):
    digests = []
    for name in ("one", "two"):
        import_comma2k19(segment.folder, tmp_path / name)
        with open_bag(tmp_path / name) as reader:
            digests.append(content_digest(reader))
    assert digests[0] == digests[1]


def test_poses_alone_are_enough_and_all_else_is_said_to_be_absent(segment, tmp_path):
    shutil.rmtree(segment.folder / "processed_log")
    for name in ("frame_velocities", "frame_gps_times"):
        (segment.folder / "global_pose" / name).unlink()
    summary = import_comma2k19(segment.folder, tmp_path / "bag")
    assert dict(summary.topics) == {"/odometry": FRAMES}
    assert [sentence.split(":")[0] for sentence in summary.absent] == [
        "velocity",
        "acceleration",
        "turn rate",
        "GNSS positions",
        "speed of the car",
        "steering angle",
        "wheel speeds",
        "radar tracks",
        "UTC",
        "pictures",
    ]
    assert summary.start_ns == round(BOOT_S * 1e9)
    assert any("no GNSS fix says what time that was" in said for said in summary.assumptions)


def test_an_empty_log_is_absent(segment, tmp_path):
    segment.log("CAN/radar", np.zeros(0), np.zeros((0, 7)))
    summary = import_comma2k19(segment.folder, tmp_path / "bag")
    assert "/radar/tracks" not in summary.topics
    assert summary.absent[0] == "radar tracks: processed_log/CAN/radar is empty"


def test_fixes_without_time_give_no_offset(segment, tmp_path):
    segment.edit("processed_log/GNSS/live_gnss_ublox/value", (slice(1, None), 3), [0.0, 1.0, 1.5e9, 3.2e11])
    expected_ns = UTC_OFFSET_MS * 1_000_000 + round(BOOT_S * 1e9)
    assert import_comma2k19(segment.folder, tmp_path / "one").start_ns == pytest.approx(expected_ns, abs=20)
    segment.edit("processed_log/GNSS/live_gnss_ublox/value", (0, 3), 0.0)
    summary = import_comma2k19(segment.folder, tmp_path / "two")
    assert summary.start_ns == round(BOOT_S * 1e9)
    assert summary.topics["/gnss/fix"] == 5


def test_progress_counts_every_message_once(segment, tmp_path):
    calls = []
    summary = import_comma2k19(segment.folder, tmp_path / "bag", progress=lambda *call: calls.append(call))
    total = sum(summary.topics.values())
    assert calls == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize("place", ["absent", "file", "empty"])
def test_a_source_that_is_no_segment_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="expected one segment of comma2k19"):
        import_comma2k19(tmp_path / place, tmp_path / "bag")
    assert not (tmp_path / "bag").exists()


def test_an_existing_destination_is_left_alone(segment, tmp_path):
    (tmp_path / "bag").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        import_comma2k19(segment.folder, tmp_path / "bag")


def remove(name):
    return lambda segment: (segment.folder / name).unlink()


def shorten(name):
    return lambda segment: segment.write(name, segment.read(name)[:-1])


def put(name, place, value):
    return lambda segment: segment.edit(name, place, value)


def replace(name, array):
    return lambda segment: segment.write(name, array)


POSE, LOG = "global_pose/frame_", "processed_log/"
DAMAGE = {
    "times missing": (remove(POSE + "times"), "frame_times"),
    "positions missing": (remove(POSE + "positions"), "frame_positions"),
    "orientations missing": (remove(POSE + "orientations"), "frame_orientations"),
    "value missing": (remove(LOG + "CAN/speed/value"), "CAN/speed/value"),
    "times of a log missing": (remove(LOG + "CAN/speed/t"), "CAN/speed/t"),
    "positions fewer": (shorten(POSE + "positions"), "39 rows for 40 times"),
    "orientations fewer": (shorten(POSE + "orientations"), "frame_orientations"),
    "velocities fewer": (shorten(POSE + "velocities"), "frame_velocities"),
    "GPS times fewer": (shorten(POSE + "gps_times"), "frame_gps_times"),
    "log fewer": (shorten(LOG + "IMU/gyro/value"), "IMU/gyro/value"),
    "log times fewer": (shorten(LOG + "IMU/gyro/t"), "IMU/gyro/value"),
    "one pose": (replace(POSE + "times", [1.0]), "1 time; expected 2 or more"),
    "no pose": (replace(POSE + "times", np.zeros(0)), "0 times"),
    "times equal": (put(POSE + "times", 3, BOOT_S + 0.1), "time 3 that is not later"),
    "times fall": (put(POSE + "times", 3, BOOT_S), "time 3 that is not later"),
    "time NaN": (put(POSE + "times", 3, math.nan), "time 3 is nan s"),
    "time infinite": (put(LOG + "CAN/speed/t", 3, math.inf), "time 3 is inf s"),
    "time negative": (put(LOG + "CAN/speed/t", 0, -1.0), "time 0 is -1 s"),
    "time of a log falls": (put(LOG + "CAN/speed/t", 3, 1.0), "time 3 before the one that precedes it"),
    "position NaN": (put(POSE + "positions", (5, 1), math.nan), "frame_positions: row 5"),
    "position at the centre": (put(POSE + "positions", 5, 0.0), "position 5 is 0 m from the Earth's centre"),
    "position in km": (lambda s: s.write(POSE + "positions", s.read(POSE + "positions") / 1e3), "6370"),
    "position huge": (put(POSE + "positions", (5, 1), 1e300), "of at most 1e.15 in size"),
    "quaternion NaN": (put(POSE + "orientations", (5, 1), math.nan), "frame_orientations: row 5"),
    "quaternion zero": (put(POSE + "orientations", 5, 0.0), "quaternion 5 has length 0"),
    "quaternion long": (put(POSE + "orientations", 5, 1.0), "quaternion 5 has length 2"),
    "velocity NaN": (put(POSE + "velocities", (5, 1), math.nan), "frame_velocities: row 5"),
    "velocity infinite": (put(POSE + "velocities", (5, 1), math.inf), "frame_velocities: row 5"),
    "GPS time NaN": (put(POSE + "gps_times", (5, 0), math.nan), "frame_gps_times: row 5"),
    "positions of other shape": (replace(POSE + "positions", np.zeros((3, FRAMES))), r"expected \(N, 3\)"),
    "positions flat": (replace(POSE + "positions", np.zeros(3 * FRAMES)), r"expected \(N, 3\)"),
    "times of other shape": (replace(POSE + "times", np.zeros((FRAMES, 2))), r"expected \(N, 1\)"),
    "times without shape": (replace(POSE + "times", 1.0), r"has shape \(\)"),
    "angles of other shape": (replace(LOG + "CAN/steering_angle/value", np.zeros((20, 2))), r"\(N, 1\)"),
    "fixes without height": (replace(LOG + "GNSS/live_gnss_ublox/value", np.zeros((5, 4))), r"\(N, 6\)"),
    "acceleration NaN": (put(LOG + "IMU/accelerometer/value", (7, 2), math.nan), "accelerometer/value: row 7"),
    "speed NaN": (put(LOG + "CAN/speed/value", 7, math.nan), "CAN/speed/value: row 7"),
    "latitude beyond the pole": (put(LOG + "GNSS/live_gnss_ublox/value", (2, 0), 91.0), "expected a latitude"),
    "longitude beyond the date line": (put(LOG + "GNSS/live_gnss_ublox/value", (2, 1), 181.0), "longitude"),
    "time of fixes after 2038": (put(LOG + "GNSS/live_gnss_ublox/value", (slice(None), 3), 3e12), "to 2038"),
    "track in parts": (put(LOG + "CAN/radar/value", (1, 5), 528.5), "an address from 0 to 65535"),
    "track too large": (put(LOG + "CAN/radar/value", (1, 5), 65536.0), "an address from 0 to 65535"),
    "track NaN": (put(LOG + "CAN/radar/value", (1, 5), math.nan), "CAN/radar/value: row 1"),
    "track old and new": (put(LOG + "CAN/radar/value", (1, 6), 2.0), "0 or 1 for a new track"),
    "pickled": (replace(POSE + "positions", np.array([{}] * FRAMES)), "not a NumPy array of numbers"),
    "texts": (replace(LOG + "CAN/speed/value", ["a"] * 20), "expected real numbers"),
    "file is a folder": (
        lambda s: [remove(POSE + "times")(s), (s.folder / POSE).with_name("frame_times").mkdir()],
        "is missing",
    ),
    "cut": (lambda s: (s.folder / LOG / "CAN/speed/value").write_bytes(b"\x93NUMPY\x01\x00v"), "CAN/speed/value"),
}


@pytest.mark.parametrize("name", list(DAMAGE))
def test_a_damaged_source_is_refused_in_one_sentence_and_leaves_nothing(segment, tmp_path, name):
    damage, said = DAMAGE[name]
    damage(segment)
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(ArtifactError, match=said) as caught:
        import_comma2k19(segment.folder, target / "bag")
    assert "\n" not in str(caught.value)
    assert str(segment.folder) in str(caught.value)
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, BagWriteError])
def test_an_interrupted_import_leaves_nothing(segment, tmp_path, error):
    target = tmp_path / "out"
    target.mkdir()

    def interrupt(done, _total):
        if done == 100:
            raise error

    with pytest.raises(error):
        import_comma2k19(segment.folder, target / "bag", progress=interrupt)
    assert list(target.iterdir()) == []


def test_the_command_prints_a_summary_and_json(segment, tmp_path, capsys):
    bag_import_comma2k19(segment.folder, tmp_path / "one", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["topics"]["/odometry"] == FRAMES
    assert document["calibration_digest"] is None
    assert document["absent"]
    bag_import_comma2k19(segment.folder, tmp_path / "two [1]")
    text = capsys.readouterr().out
    assert "two [1]" in text
    assert "assumed: Stamps are the device's time" in text
    assert "absent: pictures" in text
