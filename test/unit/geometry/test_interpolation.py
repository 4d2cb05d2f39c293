"""Interpolated poses err by no more than the motion's curvature allows, and nothing is extrapolated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from alpamayo_ros.geometry.interpolation import bracket_times, interpolate_poses
from alpamayo_ros.geometry.rotation import angle_between_rad, exp, multiply

BASE_NS = 1_557_539_956_439_383_000

RATES_HZ = st.one_of(st.integers(10, 1000), st.sampled_from([10, 11, 25, 50, 100, 125, 200, 400, 1000]))
SEEDS = st.integers(0, 2**32 - 1)
PROPERTY = settings(deadline=None, max_examples=120)


def jittered_stamps(rate_hz, seed):
    """Two seconds of strictly increasing stamps with phase, jitter of up to 45 % and up to two gaps."""
    generator = np.random.default_rng(seed)
    period_ns = 1_000_000_000 // rate_hz
    count = 2 * rate_hz + 2
    jitter_ns = generator.integers(0, max(1, int(period_ns * generator.choice([0.0, 0.1, 0.45]))) + 1, count)
    stamps_ns = BASE_NS + generator.integers(0, period_ns) + np.arange(count) * period_ns + jitter_ns
    keep = np.ones(count, dtype=bool)
    for _ in range(generator.integers(0, 3)):
        first = generator.integers(1, count - 1)
        keep[first : min(first + generator.integers(0, max(1, rate_hz // 8)), count - 1)] = False
    return stamps_ns[keep].astype(np.int64)


def grid(stamps_ns, seed):
    times_ns = np.random.default_rng(seed + 1).integers(stamps_ns[0], stamps_ns[-1] + 1, 50)
    times_ns[:3] = stamps_ns[0], stamps_ns[-1], stamps_ns[len(stamps_ns) // 2]
    return times_ns


def seconds(times_ns):
    return (times_ns - BASE_NS) / 1e9


def steady(count):
    return np.tile([0.0, 0.0, 0.0, 1.0], (count, 1))


def widths_s(stamps_ns, times_ns):
    return bracket_times(stamps_ns, times_ns).width_ns / 1e9


def ends_s(stamps_ns, times_ns):
    """Both ends of each bracket, in s."""
    brackets = bracket_times(stamps_ns, times_ns)
    return seconds(stamps_ns[brackets.before]), seconds(stamps_ns[brackets.after])


@PROPERTY
@given(RATES_HZ, SEEDS)
def test_constant_velocity_is_exact_to_a_nanometre_below_100_km(rate_hz, seed):
    generator = np.random.default_rng(seed)
    stamps_ns = jittered_stamps(rate_hz, seed)
    times_ns = grid(stamps_ns, seed)
    start_m, velocity_mps = generator.uniform(-99_000, 99_000, 3), generator.uniform(-70, 70, 3)
    positions_m, _ = interpolate_poses(
        stamps_ns,
        start_m + seconds(stamps_ns)[:, np.newaxis] * velocity_mps,
        steady(len(stamps_ns)),
        times_ns,
    )
    errors_m = np.linalg.norm(positions_m - (start_m + seconds(times_ns)[:, np.newaxis] * velocity_mps), axis=1)
    assert errors_m.max() <= 1e-9


@PROPERTY
@given(RATES_HZ, SEEDS)
def test_position_error_stays_below_an_eighth_of_acceleration_times_bracket_squared(rate_hz, seed):
    generator = np.random.default_rng(seed)
    stamps_ns = jittered_stamps(rate_hz, seed)
    times_ns = grid(stamps_ns, seed)
    coefficients = generator.normal(size=(4, 3)) * np.array([[1e4], [15.0], [4.0], [3.0]])

    def position_m(t):
        return sum(coefficients[power] * t[:, np.newaxis] ** power for power in range(4))

    def acceleration_mps2(t):
        return np.linalg.norm(2.0 * coefficients[2] + 6.0 * coefficients[3] * t[:, np.newaxis], axis=1)

    interpolated_m, _ = interpolate_poses(stamps_ns, position_m(seconds(stamps_ns)), steady(len(stamps_ns)), times_ns)
    # The acceleration is linear in time, so its norm is largest at one end of the bracket.
    before_s, after_s = ends_s(stamps_ns, times_ns)
    largest = np.maximum(acceleration_mps2(before_s), acceleration_mps2(after_s))
    allowed_m = largest * widths_s(stamps_ns, times_ns) ** 2 / 8 + 1e-6
    assert (np.linalg.norm(interpolated_m - position_m(seconds(times_ns)), axis=1) <= allowed_m).all()


@PROPERTY
@given(RATES_HZ, SEEDS)
def test_on_a_circle_position_errs_by_the_sagitta_and_heading_not_at_all(rate_hz, seed):
    generator = np.random.default_rng(seed)
    stamps_ns = jittered_stamps(rate_hz, seed)
    times_ns = grid(stamps_ns, seed)
    radius_m, rate_radps = generator.uniform(4.0, 200.0), generator.uniform(-1.0, 1.0)

    def pose(t):
        yaw = rate_radps * t
        position_m = radius_m * np.column_stack([np.sin(yaw), 1.0 - np.cos(yaw), np.zeros_like(yaw)])
        return position_m, exp(np.column_stack([np.zeros_like(yaw), np.zeros_like(yaw), yaw]))

    positions_m, quaternions = interpolate_poses(stamps_ns, *pose(seconds(stamps_ns)), times_ns)
    exact_m, exact = pose(seconds(times_ns))
    allowed_m = radius_m * rate_radps**2 * widths_s(stamps_ns, times_ns) ** 2 / 8 + 1e-6
    assert (np.linalg.norm(positions_m - exact_m, axis=1) <= allowed_m).all()
    assert angle_between_rad(quaternions, exact).max() <= 1e-6


@PROPERTY
@given(RATES_HZ, SEEDS)
def test_angle_error_about_a_fixed_axis_stays_below_an_eighth_of_its_acceleration_times_bracket_squared(rate_hz, seed):
    generator = np.random.default_rng(seed)
    stamps_ns = jittered_stamps(rate_hz, seed)
    times_ns = grid(stamps_ns, seed)
    axis = generator.normal(size=3)
    axis /= np.linalg.norm(axis)
    # Less than half a turn within any bracket: more cannot be told from a turn the other way.
    first, second, third = generator.uniform(-1.0, 1.0, 3) * np.array([2.0, 1.0, 0.3])
    start = Rotation.random(rng=generator).as_quat()

    def orientation(t):
        angle = first * t + second * t**2 + third * t**3
        return multiply(exp(angle[:, np.newaxis] * axis), start)

    signs = generator.choice([-1.0, 1.0], (len(stamps_ns), 1))
    lengths = 1.0 + generator.uniform(-1e-3, 1e-3, (len(stamps_ns), 1))
    _, quaternions = interpolate_poses(
        stamps_ns, np.zeros((len(stamps_ns), 3)), orientation(seconds(stamps_ns)) * signs * lengths, times_ns
    )
    before_s, after_s = ends_s(stamps_ns, times_ns)
    largest = np.maximum(abs(2 * second + 6 * third * before_s), abs(2 * second + 6 * third * after_s))
    allowed = largest * widths_s(stamps_ns, times_ns) ** 2 / 8 + 1e-6
    assert (angle_between_rad(quaternions, orientation(seconds(times_ns))) <= allowed).all()


@PROPERTY
@given(RATES_HZ, SEEDS)
def test_angle_error_with_a_turning_axis_stays_below_1_2_times_that(rate_hz, seed):
    generator = np.random.default_rng(seed)
    stamps_ns = jittered_stamps(rate_hz, seed)
    times_ns = grid(stamps_ns, seed)
    outer_radps, inner_radps = generator.uniform(-2.0, 2.0, 2)

    def orientation(t):
        zero = np.zeros_like(t)
        outer = exp(np.column_stack([zero, zero, outer_radps * t]))
        return multiply(outer, exp(np.column_stack([inner_radps * t, zero, zero])))

    _, quaternions = interpolate_poses(
        stamps_ns, np.zeros((len(stamps_ns), 3)), orientation(seconds(stamps_ns)), times_ns
    )
    # The outer rotation carries the inner axis round at right angles to its own: |alpha| is the product of both.
    alpha = abs(outer_radps * inner_radps)
    allowed = 1.2 * alpha * widths_s(stamps_ns, times_ns) ** 2 / 8 + 1e-6
    assert (angle_between_rad(quaternions, orientation(seconds(times_ns))) <= allowed).all()


def test_a_sample_on_the_time_is_taken_as_it_is():
    stamps_ns = np.array([0, 10, 20], dtype=np.int64) + BASE_NS
    brackets = bracket_times(stamps_ns, stamps_ns)
    assert brackets.before.tolist() == brackets.after.tolist() == [0, 1, 2]
    assert brackets.width_ns.tolist() == [0, 0, 0]
    positions_m = np.array([[0.1, 0.2, 0.3], [7.1, 8.2, 9.3], [1e5, 2e5, 3e5]])
    interpolated_m, _ = interpolate_poses(stamps_ns, positions_m, steady(3), stamps_ns)
    assert (interpolated_m == positions_m).all()


@pytest.mark.parametrize("time_ns", [-1, 21])
def test_a_time_outside_the_samples_is_refused(time_ns):
    with pytest.raises(ValueError, match="outside the samples; expected 0 to 20 ns"):
        bracket_times(np.array([0, 20], dtype=np.int64), np.array([time_ns], dtype=np.int64))


def test_a_time_without_samples_is_refused_and_no_times_need_none():
    with pytest.raises(ValueError, match="expected at least one sample"):
        bracket_times(np.zeros(0, dtype=np.int64), np.array([5], dtype=np.int64))
    assert bracket_times(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)).before.size == 0
