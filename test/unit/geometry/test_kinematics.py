"""Motion is measured exactly on a circle, and rolled out without a special case for straight roads."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.geometry.kinematics import (
    MAX_CURVATURE_RADPM,
    PlanarMotion,
    limit_actions,
    limit_turn_rate,
    measure_motion,
    roll_out,
    roll_out_actions,
)

OFFSETS_S = np.arange(-15, 1) * 0.1


def arc(speed: float, turn_rate: float, acceleration: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return past positions and rotations, in the rig at t0, of a drive that ends in it."""
    heading = turn_rate * OFFSETS_S
    distance = speed * OFFSETS_S + 0.5 * acceleration * OFFSETS_S**2
    half = 0.5 * heading
    chord = distance * np.sinc(half / math.pi)
    position = np.stack([chord * np.cos(half), chord * np.sin(half), np.zeros(16)], axis=1)
    rotation = np.zeros((16, 3, 3))
    rotation[:, 0, 0] = rotation[:, 1, 1] = np.cos(heading)
    rotation[:, 1, 0] = np.sin(heading)
    rotation[:, 0, 1] = -np.sin(heading)
    rotation[:, 2, 2] = 1.0
    return position, rotation


@given(st.floats(1.0, 40.0), st.floats(-0.3, 0.3), st.sampled_from([0.1, 0.5, 1.5]))
@settings(deadline=None, max_examples=60)
def test_a_circle_is_measured_exactly(speed: float, turn_rate: float, window_s: float) -> None:
    motion = measure_motion(*arc(speed, turn_rate), OFFSETS_S, window_s)
    assert motion.speed_mps == pytest.approx(speed, abs=1e-9)
    assert motion.turn_rate_radps == pytest.approx(turn_rate, abs=1e-9)
    assert motion.acceleration_mps2 == pytest.approx(0.0, abs=1e-7)


@given(st.floats(2.0, 30.0), st.floats(-2.0, 2.0))
@settings(deadline=None, max_examples=40)
def test_constant_acceleration_gives_the_speed_at_t0_without_lag(speed: float, acceleration: float) -> None:
    motion = measure_motion(*arc(speed, 0.0, acceleration), OFFSETS_S, 0.5)
    assert motion.speed_mps == pytest.approx(speed, abs=1e-9)
    assert motion.acceleration_mps2 == pytest.approx(acceleration, abs=1e-7)


def test_reversing_is_negative() -> None:
    assert measure_motion(*arc(-2.0, 0.0), OFFSETS_S, 0.5).speed_mps == pytest.approx(-2.0)


def test_a_heading_across_half_a_turn_is_unwrapped() -> None:
    motion = measure_motion(*arc(20.0, 3.0), OFFSETS_S, 1.5)
    assert motion.turn_rate_radps == pytest.approx(3.0, abs=1e-9)


def test_a_turn_on_the_spot_is_measured_as_it_is_and_not_continued() -> None:
    motion = measure_motion(*arc(0.0, 0.2), OFFSETS_S, 0.5)
    assert (motion.speed_mps, motion.turn_rate_radps) == (0.0, pytest.approx(0.2))
    assert limit_turn_rate(motion).turn_rate_radps == 0.0


@pytest.mark.parametrize("turn_rate", [0.9, -0.9])
def test_no_tighter_turn_than_a_vehicle_drives_is_continued(turn_rate: float) -> None:
    motion = limit_turn_rate(PlanarMotion(1.0, 0.5, turn_rate))
    assert motion.turn_rate_radps == pytest.approx(math.copysign(MAX_CURVATURE_RADPM, turn_rate))
    assert (motion.speed_mps, motion.acceleration_mps2) == (1.0, 0.5)
    assert limit_turn_rate(PlanarMotion(10.0, 0.0, turn_rate)).turn_rate_radps == turn_rate


@given(st.floats(-5.0, 40.0), st.floats(-0.5, 0.5))
@settings(deadline=None, max_examples=60)
def test_a_roll_out_follows_the_closed_form(speed: float, turn_rate: float) -> None:
    path = roll_out(PlanarMotion(speed, 9.0, turn_rate), 64, 0.1)
    time = np.arange(1, 65) * 0.1
    if abs(turn_rate) > 1e-3:
        radius = speed / turn_rate
        assert path[:, 0] == pytest.approx(radius * np.sin(turn_rate * time), abs=1e-9)
        assert path[:, 1] == pytest.approx(radius * (1 - np.cos(turn_rate * time)), abs=1e-9)
    assert path[:, 2] == pytest.approx(turn_rate * time)
    assert np.isfinite(path).all()


def test_a_straight_roll_out_has_no_singularity() -> None:
    path = roll_out(PlanarMotion(10.0, 0.0, 0.0), 3, 0.1)
    assert path.tolist() == [[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [pytest.approx(3.0), 0.0, 0.0]]


def actions(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array([pairs], dtype=np.float64)


@given(
    st.floats(0.0, 40.0),
    st.lists(st.tuples(st.floats(-9.8, 9.8), st.floats(-0.33, 0.33)), min_size=1, max_size=20),
)
@settings(deadline=None, max_examples=60)
def test_actions_roll_out_as_the_action_space_says_and_never_back(
    speed: float, pairs: list[tuple[float, float]]
) -> None:
    """Step by step as in the published integration, with the speed held at zero."""
    dt, v, yaw, x, y = 0.1, speed, 0.0, 0.0, 0.0
    rolled = roll_out_actions(actions(*pairs), speed, dt)[0]
    for step, (acceleration, curvature) in enumerate(pairs):
        after = max(v + acceleration * dt, 0.0)
        turned = yaw + curvature * (v * dt + 0.5 * (after - v) * dt)
        x += 0.5 * dt * (v * math.cos(yaw) + after * math.cos(turned))
        y += 0.5 * dt * (v * math.sin(yaw) + after * math.sin(turned))
        expected = [x, y, 0.0, turned, after, (after - v) / dt, curvature]
        assert rolled[:, step] == pytest.approx(expected, abs=1e-9)
        v, yaw = after, turned
    assert (rolled[4] >= 0.0).all()


def test_a_braked_vehicle_stops_and_stands() -> None:
    rolled = roll_out_actions(actions(*[(-5.0, 0.1)] * 10), 1.0, 0.1)[0]
    assert rolled[4].tolist() == pytest.approx([0.5] + [0.0] * 9)
    assert rolled[5].tolist() == pytest.approx([-5.0, -5.0] + [0.0] * 8)
    assert len(set(rolled[0, 1:].tolist())) == 1
    assert not roll_out_actions(actions((-1.0, 0.0)), -3.0, 0.1)[0, :6].any()


def test_samples_are_rolled_out_each_on_its_own() -> None:
    both = np.concatenate([actions((1.0, 0.1), (0.0, 0.2)), actions((-1.0, 0.0), (2.0, -0.3))])
    rolled = roll_out_actions(both, 6.0, 0.1)
    assert rolled.shape == (2, 7, 2)
    for index in range(2):
        assert np.array_equal(rolled[index], roll_out_actions(both[index : index + 1], 6.0, 0.1)[0])


def test_actions_are_limited_to_the_action_space() -> None:
    limited = limit_actions(actions((20.0, -1.0), (-20.0, 1.0), (1.0, 0.1)))
    assert limited.tolist() == [[[9.8, -0.33], [-9.8, 0.33], [1.0, 0.1]]]
