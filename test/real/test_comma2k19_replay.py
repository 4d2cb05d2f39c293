"""Real driving: a minute of comma2k19 is imported, replayed, and held against the car's own sensors."""

import math
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from alpamayo_ros.messages.translator import odometry_struct
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.perception.ego_history import EgoHistoryBuilder
from alpamayo_ros.perception.odometry_buffer import OdometryBuffer
from alpamayo_ros.replay.session import ReplayRequest, run_session
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.observation import EgoHistory
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.verdict import ReplayResult

PROGRAM = Path(sys.executable).with_name("alpamayo")

Log = tuple[NDArray[np.int64], NDArray[np.float64]]


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the minute as a bag, imported by the installed program."""
    if "ALPAMAYO_DATA" not in os.environ:
        pytest.skip("ALPAMAYO_DATA is not set")
    source = Path(os.environ["ALPAMAYO_DATA"]) / "comma2k19_example1"
    made = tmp_path_factory.mktemp("comma2k19") / "bag"
    command = [str(PROGRAM), "bag", "import", "comma2k19", str(source), str(made)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    return made


@pytest.fixture(scope="module")
def messages(bag: Path) -> dict[str, list[tuple[int, Any]]]:
    """Return stamps and messages by topic."""
    found: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    with open_bag(bag) as reader:
        for message in reader.messages():
            found[message.topic].append((message.receive_ns, deserialize(message.payload, message.type_name)))
    return found


@pytest.fixture(scope="module")
def odometry(messages: dict[str, list[tuple[int, Any]]]) -> list[OdometrySample]:
    return [odometry_struct(message) for _, message in messages["/odometry"]]


@pytest.fixture(scope="module")
def car_speed(messages: dict[str, list[tuple[int, Any]]]) -> Log:
    """Return what the car itself says of its speed, by time."""
    rows = [(stamp_ns, message.twist.twist.linear.x) for stamp_ns, message in messages["/vehicle/speed"]]
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


@pytest.fixture(scope="module")
def result(bag: Path, tmp_path_factory: pytest.TempPathFactory) -> ReplayResult:
    return replay(bag, tmp_path_factory.mktemp("replay") / "a")


def replay(bag: Path, out: Path) -> ReplayResult:
    request = ReplayRequest(bag=bag, profile="kinematic", out=out, topics=bag / "topics.yaml")
    return run_session(request, clock=lambda: 0.0)


def ticks(stamps_ns: list[int]) -> list[int]:
    """Return the times that the tick rule picks, written from its description."""
    picked: list[int] = []
    due_ns = 0
    for stamp_ns in stamps_ns:
        if not picked:
            picked, due_ns = [stamp_ns], stamp_ns + 100_000_000
        elif stamp_ns >= due_ns - 5_000_000 and stamp_ns >= picked[-1] + 50_000_000:
            picked.append(stamp_ns)
            due_ns = stamp_ns + 100_000_000 if stamp_ns >= due_ns + 100_000_000 else due_ns + 100_000_000
    return picked


def histories(odometry: list[OdometrySample]) -> list[tuple[int, EgoHistory]]:
    """Return the ego history at every tick that has one."""
    builder = EgoHistoryBuilder(load_profile("kinematic"), PerceptionParams())
    buffer = OdometryBuffer()
    for sample in odometry:
        buffer.add(sample)
    built = [(t0_ns, builder.build(buffer, t0_ns)) for t0_ns in ticks([sample.stamp_ns for sample in odometry])]
    return [(t0_ns, history) for t0_ns, history in built if isinstance(history, EgoHistory)]


def test_every_row_of_the_source_is_in_the_bag(messages: dict[str, list[tuple[int, Any]]]) -> None:
    assert {topic: len(entries) for topic, entries in messages.items()} == {
        "/gnss/fix": 579,
        "/imu": 6256,
        "/odometry": 1200,
        "/radar/tracks": 1200,
        "/vehicle/speed": 4974,
        "/vehicle/steering": 4974,
        "/vehicle/wheel_speeds": 4974,
    }
    assert sum(message.width for _, message in messages["/radar/tracks"]) == 10_100


def test_every_tick_with_enough_history_is_answered(result: ReplayResult, odometry: list[OdometrySample]) -> None:
    stamps_ns = [sample.stamp_ns for sample in odometry]
    expected = ticks(stamps_ns)
    early = sum(t0_ns - 1_500_000_000 < stamps_ns[0] for t0_ns in expected)
    assert (len(expected), early) == (600, 16)
    assert result.ticks == {"ANSWERED": 584, "HISTORY_TOO_SHORT": 16, "open_at_end": 0}


def test_the_same_replay_has_the_same_digest(bag: Path, result: ReplayResult, tmp_path: Path) -> None:
    assert replay(bag, tmp_path / "b").output_digest == result.output_digest


def test_displacement_errors_are_over_every_tick_whose_path_was_driven(
    result: ReplayResult, odometry: list[OdometrySample]
) -> None:
    last_ns = odometry[-1].stamp_ns
    answered = ticks([sample.stamp_ns for sample in odometry])[16:]
    errors = {error.horizon_s: error for error in result.ade_m}
    for horizon_s, error in errors.items():
        assert error.tick_count == sum(t0_ns + round(horizon_s * 1e9) <= last_ns for t0_ns in answered)
    means = [errors[horizon_s].mean_m for horizon_s in (1.0, 3.0, 5.0, 6.4)]
    assert [round(mean, 2) for mean in means if mean is not None] == [0.18, 0.82, 1.89, 2.87]


def test_displacement_errors_are_what_the_car_can_do(result: ReplayResult) -> None:
    """With accelerations of up to 2 m/s^2 the mean distance over T s is below 2 * T^2 / 6 m, and not nothing."""
    for error in result.ade_m:
        assert error.mean_m is not None
        assert 0.02 * error.horizon_s**2 < error.mean_m < 2.0 * error.horizon_s**2 / 6.0


def test_interpolated_history_has_the_speed_that_the_car_measures(
    odometry: list[OdometrySample], car_speed: Log
) -> None:
    differences: list[float] = []
    for t0_ns, history in histories(odometry):
        step_m = np.linalg.norm(np.diff(history.position_m, axis=0), axis=1)
        middle_ns = t0_ns + 0.5 * (history.offsets_ns[1:] + history.offsets_ns[:-1])
        speed_mps = np.interp(middle_ns - car_speed[0][0], car_speed[0] - car_speed[0][0], car_speed[1])
        differences += (step_m / 0.1 - speed_mps).tolist()
    assert len(differences) == 584 * 15
    size = np.abs(differences)
    # The car's speed is that of tyres whose size is guessed: it is 0.9 % low, 0.15 m/s at this speed.
    assert np.median(size) < 0.20
    assert np.percentile(size, 95) < 0.30
    assert size.max() < 0.60
    assert np.std(differences) < 0.10


def test_the_twist_agrees_with_the_path(
    messages: dict[str, list[tuple[int, Any]]], odometry: list[OdometrySample]
) -> None:
    stamps_s = np.array([sample.stamp_ns - odometry[0].stamp_ns for sample in odometry]) * 1e-9
    path_m = np.array([sample[1:4] for sample in odometry])
    by_path = np.linalg.norm(np.gradient(path_m, stamps_s, axis=0), axis=1)
    twists = [message.twist.twist.linear for _, message in messages["/odometry"]]
    assert np.percentile(np.abs(by_path - [math.hypot(t.x, t.y, t.z) for t in twists]), 95) < 0.02
    assert min(t.x for t in twists) > 7.0
    assert max(abs(t.y) for t in twists) < 0.5


def test_the_path_lies_on_the_fixes(
    messages: dict[str, list[tuple[int, Any]]], odometry: list[OdometrySample], bag: Path
) -> None:
    """East and north of the fixes by the lengths of a degree; a fix is heard of about 0.1 s late."""
    with open_bag(bag) as reader:
        tags = reader.custom_data
    latitude_deg, longitude_deg = float(tags["origin_latitude_deg"]), float(tags["origin_longitude_deg"])
    fixes = messages["/gnss/fix"]
    north_m = (np.array([fix.latitude for _, fix in fixes]) - latitude_deg) * 110_991.0
    east_m = (np.array([fix.longitude for _, fix in fixes]) - longitude_deg) * 88_180.0
    start_ns = odometry[0].stamp_ns
    heard_s = np.array([stamp_ns - start_ns for stamp_ns, _ in fixes]) * 1e-9
    stamps_s = np.array([sample.stamp_ns - start_ns for sample in odometry]) * 1e-9
    east_off = np.interp(heard_s - 0.1, stamps_s, [sample.x for sample in odometry]) - east_m
    north_off = np.interp(heard_s - 0.1, stamps_s, [sample.y for sample in odometry]) - north_m
    assert np.percentile(np.hypot(east_off, north_off), 95) < 2.0


def test_the_inertial_unit_has_the_axes_of_the_rig(
    messages: dict[str, list[tuple[int, Any]]], odometry: list[OdometrySample]
) -> None:
    samples = messages["/imu"]
    up = np.array([message.linear_acceleration.z for _, message in samples])
    assert 9.5 < up.mean() < 10.1
    start_ns = odometry[0].stamp_ns
    time_s = np.array([stamp_ns - start_ns for stamp_ns, _ in samples]) * 1e-9
    pose_s = np.array([sample.stamp_ns - start_ns for sample in odometry]) * 1e-9
    poses = Rotation.from_quat([sample[4:8] for sample in odometry])
    turns = (poses[:-4].inv() * poses[4:]).as_rotvec() / (pose_s[4:] - pose_s[:-4])[:, np.newaxis]
    for axis, name in enumerate(("x", "y", "z")):
        # The inertial unit is as fast as the road is rough: it is averaged over the same 0.2 s.
        rates = np.convolve(
            [getattr(message.angular_velocity, name) for _, message in samples], np.ones(21) / 21, "same"
        )
        by_imu = np.interp(0.5 * (pose_s[4:] + pose_s[:-4]), time_s, rates)
        assert np.corrcoef(by_imu, turns[:, axis])[0, 1] > 0.9
        assert 0.85 < np.polyfit(turns[:, axis], by_imu, 1)[0] < 1.15


def test_steering_to_the_left_turns_to_the_left(messages: dict[str, list[tuple[int, Any]]]) -> None:
    """That the source counts the angle positive to the left is an assumption of the import."""
    turns = messages["/imu"]
    rate = np.convolve([message.angular_velocity.z for _, message in turns], np.ones(50) / 50, "same")
    steering = messages["/vehicle/steering"]
    start_ns = turns[0][0]
    at_s = np.array([stamp_ns - start_ns for stamp_ns, _ in steering]) * 1e-9
    rates = np.interp(at_s, np.array([stamp_ns - start_ns for stamp_ns, _ in turns]) * 1e-9, rate)
    assert np.corrcoef([message.position[0] for _, message in steering], rates)[0, 1] > 0.8


def test_the_report_shows_the_path_and_names_no_camera(bag: Path, tmp_path: Path) -> None:
    replay(bag, tmp_path / "a")
    page = (tmp_path / "a" / "report.html").read_text()
    assert "Driven and predicted paths" in page
    assert "The bag has no camera topics." in page
    assert "data:image/jpeg" not in page
