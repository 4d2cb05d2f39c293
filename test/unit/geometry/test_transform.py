"""Rigid transforms agree with homogeneous matrices, and odometry moves to the rig without hiding bad samples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from alpamayo_ros.geometry.transform import (
    compose_poses,
    invert_pose,
    move_odometry,
    normalize_pose,
    pose_matrix,
    transform_points,
)
from alpamayo_ros.structs.pose import OdometrySample, Pose

SEEDS = st.integers(0, 2**32 - 1)


def random_pose(seed):
    generator = np.random.default_rng(seed)
    quaternion = Rotation.random(rng=generator).as_quat().tolist()
    return Pose(tuple((generator.normal(size=3) * 10).tolist()), tuple(quaternion))


def scipy_matrix(pose):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_quat(pose.quaternion).as_matrix()
    matrix[:3, 3] = pose.position
    return matrix


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_composition_and_inverse_agree_with_matrices(seed):
    first, second = random_pose(seed), random_pose(seed + 1)
    np.testing.assert_allclose(pose_matrix(first), scipy_matrix(first), atol=1e-14)
    np.testing.assert_allclose(
        pose_matrix(compose_poses(first, second)), scipy_matrix(first) @ scipy_matrix(second), atol=1e-12
    )
    np.testing.assert_allclose(pose_matrix(invert_pose(first)), np.linalg.inv(scipy_matrix(first)), atol=1e-12)


def test_points_move_as_by_the_matrix():
    pose, points = random_pose(1), np.random.default_rng(2).normal(size=(5, 3))
    expected = (scipy_matrix(pose) @ np.column_stack([points, np.ones(5)]).T).T[:, :3]
    np.testing.assert_allclose(transform_points(pose, points), expected, atol=1e-12)
    np.testing.assert_allclose(transform_points(pose, points[0]), expected[0], atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(SEEDS)
def test_moved_odometry_is_the_composed_pose_at_the_same_stamp(seed):
    odom_from_child, child_from_rig = random_pose(seed), random_pose(seed + 1)
    stamp_ns = 1_557_539_956_439_383_123
    sample = OdometrySample(stamp_ns, *odom_from_child.position, *odom_from_child.quaternion)
    moved = move_odometry(sample, child_from_rig)
    expected = compose_poses(odom_from_child, child_from_rig)
    assert moved.stamp_ns == stamp_ns
    np.testing.assert_allclose(moved[1:4], expected.position, atol=1e-12)
    np.testing.assert_allclose(moved[4:], expected.quaternion, atol=1e-14)


def test_moved_odometry_keeps_the_length_of_a_bad_quaternion_but_not_in_the_lever():
    sample = OdometrySample(0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.5)
    moved = move_odometry(sample, Pose((10.0, 0.0, 0.0), (0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5))))
    assert math.hypot(*moved[4:]) == pytest.approx(1.5)
    assert moved[1:4] == (11.0, 2.0, 3.0)


def test_moved_odometry_with_a_zero_quaternion_or_nan_still_shows_it():
    lever = Pose((1.0, 0.0, 0.0))
    assert move_odometry(OdometrySample(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), lever)[4:] == (0.0, 0.0, 0.0, 0.0)
    assert math.isnan(move_odometry(OdometrySample(0, math.nan, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0), lever).x)
    assert math.isnan(move_odometry(OdometrySample(0, 0.0, 0.0, 0.0, math.nan, 0.0, 0.0, 1.0), lever).qx)


def test_normalizing_a_pose_scales_only_its_quaternion():
    assert normalize_pose(Pose((1.0, 2.0, 3.0), (0.0, 0.0, 0.0, 2.0))) == Pose((1.0, 2.0, 3.0), (0.0, 0.0, 0.0, 1.0))


@pytest.mark.parametrize(
    "pose",
    [
        Pose((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)),
        Pose((math.nan, 0.0, 0.0)),
        Pose((0.0, math.inf, 0.0)),
        Pose((0.0, 0.0, 0.0), (math.nan, 0.0, 0.0, 1.0)),
        Pose((0.0, 0.0, 0.0), (math.inf, 0.0, 0.0, 1.0)),
    ],
)
def test_a_pose_without_direction_or_finite_numbers_is_refused(pose):
    with pytest.raises(ValueError, match="is no pose; expected finite numbers"):
        normalize_pose(pose)
