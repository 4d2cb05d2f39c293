"""Quaternions as arrays: float64 (..., 4) in xyzw order, every function vectorised over the leading axes.

Functions expect unit quaternions unless they say otherwise; q and -q are the same rotation.
"""

import numpy as np
from numpy.typing import NDArray

IDENTITY = (0.0, 0.0, 0.0, 1.0)
"""The quaternion, in xyzw order, that rotates nothing."""

_CONJUGATE = np.array([-1.0, -1.0, -1.0, 1.0])
_FLAT_IDENTITY = np.eye(3).ravel()


def _matrix_of_products() -> NDArray[np.float64]:
    """Return the matrix that takes the 16 products q_i q_j to the 9 numbers of the rotation matrix minus identity.

    R - 1 = 2 (u u^T - (u . u) 1 + w [u]x) with q = (u, w).
    """
    coefficients = np.zeros((4, 4, 3, 3))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        for other in (j, k):
            coefficients[i, other, i, other] = 2.0
            coefficients[i, i, other, other] = -2.0
        # [u]x has -u_i above the diagonal of the other two axes, taken in turn, and u_i below it.
        coefficients[i, 3, j, k], coefficients[i, 3, k, j] = -2.0, 2.0
    return coefficients.reshape(16, 9)


_MATRIX_OF_PRODUCTS = _matrix_of_products()


def _length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lengths of vectors, (..., n), as (..., 1)."""
    length: NDArray[np.float64] = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., np.newaxis]
    return length


def normalize(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale quaternions, (..., 4), to unit length; a quaternion of length zero becomes NaN."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        unit: NDArray[np.float64] = quaternions / _length(quaternions)
    return unit


def multiply(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Hamilton product: the rotation ``right`` followed by ``left``. Shapes broadcast to (..., 4)."""
    ax, ay, az, aw = left[..., 0], left[..., 1], left[..., 2], left[..., 3]
    bx, by, bz, bw = right[..., 0], right[..., 1], right[..., 2], right[..., 3]
    product = np.empty((*np.broadcast_shapes(left.shape[:-1], right.shape[:-1]), 4))
    product[..., 0] = aw * bx + ax * bw + ay * bz - az * by
    product[..., 1] = aw * by - ax * bz + ay * bw + az * bx
    product[..., 2] = aw * bz + ax * by - ay * bx + az * bw
    product[..., 3] = aw * bw - ax * bx - ay * by - az * bz
    return product


def invert(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inverse rotations of unit quaternions, (..., 4)."""
    inverse: NDArray[np.float64] = quaternions * _CONJUGATE
    return inverse


def rotate(quaternions: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotate vectors, (..., 3), by unit quaternions, (..., 4); leading axes broadcast."""
    axis, w = quaternions[..., :3], quaternions[..., 3:]
    twice = 2.0 * np.cross(axis, vectors)
    rotated: NDArray[np.float64] = vectors + w * twice + np.cross(axis, twice)
    return rotated


def to_matrix(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rotation matrices, (..., 3, 3), of unit quaternions, (..., 4)."""
    products = quaternions[..., :, np.newaxis] * quaternions[..., np.newaxis, :]
    shape = quaternions.shape[:-1]
    # One small matrix product instead of nine strided assignments: this runs at every tick.
    matrices: NDArray[np.float64] = products.reshape(*shape, 16) @ _MATRIX_OF_PRODUCTS + _FLAT_IDENTITY
    return matrices.reshape(*shape, 3, 3)


def from_matrix(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit quaternions, (..., 4), of rotation matrices, (..., 3, 3); the largest component is positive.

    Each column of the matrix 4 q q^T is the quaternion times one of its components; the one with the largest
    component loses no digits ("Quaternion from Rotation Matrix", Journal of
    Guidance and Control 1(3), 1978).
    """
    m = matrices
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    outer = np.empty((*m.shape[:-2], 4, 4))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        outer[..., i, i] = 1.0 + 2.0 * m[..., i, i] - trace
        outer[..., i, j] = outer[..., j, i] = m[..., j, i] + m[..., i, j]
        outer[..., i, 3] = outer[..., 3, i] = m[..., k, j] - m[..., j, k]
    outer[..., 3, 3] = 1.0 + trace
    largest = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    return normalize(np.take_along_axis(outer, largest[..., np.newaxis, np.newaxis], axis=-2)[..., 0, :])


def exp(rotation_vectors_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit quaternions, (..., 4), that rotate about ``v`` by ``|v|`` rad, for vectors (..., 3)."""
    half = 0.5 * rotation_vectors_rad
    angle = _length(half)
    # np.sinc(x) is sin(pi x) / (pi x), exact at zero.
    return np.concatenate([half * np.sinc(angle / np.pi), np.cos(angle)], axis=-1)


def log(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rotation vectors in rad, (..., 3) and at most pi long, of unit quaternions, (..., 4)."""
    # Of q and -q the one with w >= 0 turns by at most pi.
    near = np.where(quaternions[..., 3:] < 0.0, -quaternions, quaternions)
    axis, w = near[..., :3], near[..., 3:]
    sine = _length(axis)
    half_angle = np.arctan2(sine, w)
    scale = np.divide(half_angle, sine, out=np.ones_like(sine), where=sine > 0.0)
    vectors: NDArray[np.float64] = 2.0 * axis * scale
    return vectors


def angle_between_rad(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angle in rad, 0 to pi, between orientations, (..., 4); exact also for tiny angles."""
    return _length(log(multiply(invert(left), right)))[..., 0]


def slerp(start: NDArray[np.float64], end: NDArray[np.float64], fraction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn at constant speed from one orientation to another, along the shorter way.

    Args:
        start: Unit quaternions (..., 4).
        end: Unit quaternions (..., 4); their sign does not matter.
        fraction: (...), 0 gives ``start`` and 1 gives ``end``.

    Returns:
        Unit quaternions (..., 4).
    """
    same_side = np.einsum("...i,...i->...", start, end)[..., np.newaxis] >= 0.0
    end = np.where(same_side, end, -end)
    # Half the turned angle. The arc tangent keeps its digits where the arc cosine of the dot product loses half.
    half = 2.0 * np.arctan2(_length(end - start), _length(end + start))
    share = fraction[..., np.newaxis]
    sine = np.sin(half)
    turned = sine > 0.0
    if not turned.all():
        # Without a turn both weights are 0 / 0; the ends are equal there, so any positive weights do.
        half, sine = np.where(turned, half, 1.0), np.where(turned, sine, np.sin(1.0))
    return normalize(np.sin((1.0 - share) * half) / sine * start + np.sin(share * half) / sine * end)
