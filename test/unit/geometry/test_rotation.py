"""Quaternion arrays agree with scipy, keep their digits at small angles and broadcast."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation, Slerp

from alpamayo_ros.geometry import rotation

SEEDS = st.integers(0, 2**32 - 1)


def random_quaternions(seed, count=20):
    quaternions = Rotation.random(count, np.random.default_rng(seed)).as_quat()
    return quaternions * np.where(np.random.default_rng(seed).random((count, 1)) < 0.5, -1.0, 1.0)


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_product_inverse_rotation_and_matrix_agree_with_scipy(seed):
    left, right = random_quaternions(seed), random_quaternions(seed + 1)
    vectors = np.random.default_rng(seed).normal(size=(20, 3)) * 100
    product = rotation.multiply(left, right)
    expected = (Rotation.from_quat(left) * Rotation.from_quat(right)).as_matrix()
    np.testing.assert_allclose(Rotation.from_quat(product).as_matrix(), expected, atol=1e-14)
    np.testing.assert_allclose(rotation.to_matrix(product), expected, atol=1e-14)
    np.testing.assert_allclose(rotation.rotate(left, vectors), Rotation.from_quat(left).apply(vectors), atol=1e-12)
    np.testing.assert_allclose(
        rotation.to_matrix(rotation.invert(left)), Rotation.from_quat(left).inv().as_matrix(), atol=1e-14
    )


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_logarithm_and_exponential_agree_with_scipy_and_undo_each_other(seed):
    quaternions = random_quaternions(seed)
    vectors = rotation.log(quaternions)
    np.testing.assert_allclose(vectors, Rotation.from_quat(quaternions).as_rotvec(), atol=1e-12)
    np.testing.assert_allclose(
        rotation.to_matrix(rotation.exp(vectors)), Rotation.from_quat(quaternions).as_matrix(), atol=1e-13
    )


@settings(deadline=None, max_examples=30)
@given(SEEDS)
def test_slerp_agrees_with_scipy_for_either_sign(seed):
    start, end = random_quaternions(seed), random_quaternions(seed + 1)
    fraction = np.random.default_rng(seed).random(20)
    turned = rotation.slerp(start, end, fraction)
    for index in range(20):
        expected = Slerp([0.0, 1.0], Rotation.from_quat([start[index], end[index]]))(fraction[index])
        np.testing.assert_allclose(rotation.to_matrix(turned[index]), expected.as_matrix(), atol=1e-12)
    opposite = rotation.slerp(start, -end, fraction)
    np.testing.assert_allclose(rotation.to_matrix(opposite), rotation.to_matrix(turned), atol=1e-13)


@settings(deadline=None, max_examples=50)
@given(arrays(np.float64, 3, elements=st.floats(-1e-7, 1e-7)), st.floats(0.0, 1.0))
def test_slerp_keeps_its_digits_at_tiny_angles(vector, fraction):
    start, end = np.array([rotation.IDENTITY]), rotation.exp(vector)[np.newaxis]
    turned = rotation.log(rotation.slerp(start, end, np.array([fraction])))[0]
    np.testing.assert_allclose(turned, vector * fraction, atol=1e-16 + 1e-9 * np.linalg.norm(vector))


def test_slerp_of_equal_orientations_is_that_orientation():
    quaternions = random_quaternions(3)
    turned = rotation.slerp(quaternions, -quaternions, np.linspace(0.0, 1.0, 20))
    np.testing.assert_allclose(rotation.to_matrix(turned), rotation.to_matrix(quaternions), atol=1e-15)


def test_slerp_ends_are_its_arguments():
    start, end = random_quaternions(5), random_quaternions(6)
    for fraction, expected in ((0.0, start), (1.0, end)):
        turned = rotation.slerp(start, end, np.full(20, fraction))
        np.testing.assert_allclose(rotation.to_matrix(turned), rotation.to_matrix(expected), atol=1e-14)


def test_quaternions_of_matrices_agree_with_scipy_near_half_turns_too():
    half_turns = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0], [1e-9, 1.0, 1e-9, 1e-9]])
    for quaternions in (half_turns, random_quaternions(7, 200)):
        matrices = Rotation.from_quat(quaternions).as_matrix()
        np.testing.assert_allclose(rotation.to_matrix(rotation.from_matrix(matrices)), matrices, atol=1e-14)


@pytest.mark.parametrize("angle_rad", [0.0, 1e-12, 1e-6, 1.0, np.pi - 1e-9])
def test_angle_between_orientations_is_exact_at_every_size(angle_rad):
    start = random_quaternions(9, 1)
    end = rotation.multiply(start, rotation.exp(np.array([[angle_rad, 0.0, 0.0]])))
    assert rotation.angle_between_rad(start, end)[0] == pytest.approx(angle_rad, rel=1e-3, abs=1e-15)


def test_normalizing_a_zero_quaternion_gives_nan_without_a_warning():
    assert np.isnan(rotation.normalize(np.zeros((1, 4)))).all()


def test_operations_broadcast_one_rotation_over_many_vectors():
    quaternion = random_quaternions(11, 1)[0]
    vectors = np.arange(12.0).reshape(4, 3)
    np.testing.assert_allclose(
        rotation.rotate(quaternion, vectors), Rotation.from_quat(quaternion).apply(vectors), atol=1e-13
    )
    assert rotation.multiply(quaternion, random_quaternions(12, 4)).shape == (4, 4)
