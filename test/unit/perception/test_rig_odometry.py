"""Odometry of a frame that is fixed to the vehicle becomes odometry of the rig, or is refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.errors import TopicError
from alpamayo_ros.perception.rig_odometry import RigOdometry, unconnected
from alpamayo_ros.structs.pose import OdometryFrame, OdometrySample, Pose

QUARTER = math.sqrt(0.5)
IMU = OdometryFrame("imu", Pose((1.0, 0.0, -0.5)))
SAMPLE = OdometrySample(5, 10.0, 20.0, 1.0, 0.0, 0.0, QUARTER, QUARTER)


def test_odometry_of_the_rig_is_the_same_object() -> None:
    assert RigOdometry(None).to_rig(SAMPLE, "base_link", "/odom") is SAMPLE
    assert RigOdometry(IMU).to_rig(SAMPLE, "base_link", "/odom") is SAMPLE


def test_odometry_of_the_calibrated_frame_is_moved_to_the_rig() -> None:
    # The vehicle looks along y of the odometry frame, so what is ahead of the sensor is further along y.
    moved = RigOdometry(IMU).to_rig(SAMPLE, "imu", "/odom")
    assert moved == pytest.approx((5, 10.0, 21.0, 0.5, 0.0, 0.0, QUARTER, QUARTER))


def test_a_turned_sensor_turns_the_rig_the_other_way() -> None:
    backwards = OdometryFrame("imu", Pose(quaternion=(0.0, 0.0, 1.0, 0.0)))
    moved = RigOdometry(backwards).to_rig(SAMPLE, "imu", "/odom")
    assert moved[4:] == pytest.approx((0.0, 0.0, QUARTER, -QUARTER))


@pytest.mark.parametrize("frame", [None, IMU])
@pytest.mark.parametrize("child_frame", ["", "base_footprint", "IMU", "/base_link"])
def test_a_frame_that_nothing_connects_is_refused_with_the_ways_out(
    frame: OdometryFrame | None, child_frame: str
) -> None:
    with pytest.raises(TopicError) as refused:
        RigOdometry(frame).to_rig(SAMPLE, child_frame, "/odom")
    assert str(refused.value) == unconnected("/odom", child_frame)
    assert f"odometry /odom is about child_frame_id {child_frame!r}" in str(refused.value)
    assert "expected 'base_link', 'odometry' in the calibration, or a static transform" in str(refused.value)


def test_a_refused_frame_binds_nothing() -> None:
    odometry = RigOdometry(IMU)
    with pytest.raises(TopicError):
        odometry.to_rig(SAMPLE, "wheel", "/odom")
    assert odometry.to_rig(SAMPLE, "imu", "/odom").y == pytest.approx(21.0)


@pytest.mark.parametrize(("first", "second"), [("base_link", "imu"), ("imu", "base_link"), ("imu", "")])
def test_the_frame_may_not_change_in_a_drive_and_the_first_goes_on(first: str, second: str) -> None:
    odometry = RigOdometry(IMU)
    before = odometry.to_rig(SAMPLE, first, "/odom")
    with pytest.raises(TopicError, match=f"changes its child_frame_id from '{first}' to '{second}'; expected one"):
        odometry.to_rig(SAMPLE, second, "/odom")
    assert odometry.to_rig(SAMPLE, first, "/odom") == before


def test_the_rig_may_have_another_name() -> None:
    assert RigOdometry(None, "ego").to_rig(SAMPLE, "ego", "/odom") is SAMPLE
    with pytest.raises(TopicError, match="connects it with 'ego'"):
        RigOdometry(None, "ego").to_rig(SAMPLE, "base_link", "/odom")


@given(st.tuples(*[st.floats()] * 7))
def test_whatever_a_sensor_sends_keeps_its_stamp_and_raises_nothing(values: tuple[float, ...]) -> None:
    moved = RigOdometry(IMU).to_rig(OdometrySample(7, *values), "imu", "/odom")
    assert moved.stamp_ns == 7
    if not all(map(math.isfinite, values)):
        assert not all(map(math.isfinite, moved[1:]))
