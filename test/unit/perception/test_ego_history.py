"""The ego history keeps the error bounds in the rig at t0, and is refused with numbers where it cannot."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from alpamayo_ros.geometry.interpolation import bracket_times
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.tick import Rejection, TickOutcome

MS = 1_000_000
BASE_NS = 1_557_539_956_439_383_000
OFFSETS_NS = np.arange(-15, 1) * 100 * MS
SEEDS = st.integers(0, 2**32 - 1)
RATES_HZ = st.one_of(st.integers(10, 1000), st.sampled_from([10, 20, 50, 100, 200, 1000]))
PROPERTY = settings(deadline=None, max_examples=60)


def jittered_stamps(rate_hz, generator):
    """About 2.2 s of stamps with phase, jitter and gaps, some of them longer than is allowed."""
    period_ns = 1_000_000_000 // rate_hz
    count = int(2.2 * rate_hz) + 2
    jitter_ns = generator.integers(0, int(period_ns * generator.choice([0.0, 0.2, 0.45])) + 1, count)
    stamps_ns = BASE_NS + generator.integers(0, period_ns) + np.arange(count) * period_ns + jitter_ns
    keep = np.ones(count, dtype=bool)
    for _ in range(generator.integers(0, 3)):
        first = generator.integers(0, count)
        keep[first : first + generator.integers(0, max(1, rate_hz // 7))] = False
    return stamps_ns[keep].astype(np.int64)


def observe(build, stamps_ns, positions_m, quaternions, t0_ns):
    assembler = build.assembler()
    for stamp_ns, position_m, quaternion in zip(stamps_ns, positions_m, quaternions, strict=True):
        assembler.add_odometry(build.sample(stamp_ns, position_m, quaternion))
    return assembler.assemble(int(t0_ns), 0)


def expected_outcome(stamps_ns, t0_ns):
    """What the rule says about the stamps alone, written without the code under test."""
    seen = [int(s) for s in stamps_ns if s <= t0_ns + 150 * MS]
    if not seen:
        return TickOutcome.NO_ODOMETRY
    if seen[-1] < t0_ns:
        return TickOutcome.ODOMETRY_STALE
    if seen[0] > t0_ns - 1500 * MS:
        return TickOutcome.HISTORY_TOO_SHORT
    for offset_ns in OFFSETS_NS:
        time_ns = t0_ns + int(offset_ns)
        if min(s for s in seen if s >= time_ns) - max(s for s in seen if s <= time_ns) > 150 * MS:
            return TickOutcome.ODOMETRY_GAP
    return TickOutcome.ANSWERED


@PROPERTY
@given(rate_hz=RATES_HZ, seed=SEEDS)
def test_rows_in_the_rig_keep_the_bounds_at_every_rate_phase_and_jitter(build, rate_hz, seed):
    generator = np.random.default_rng(seed)
    stamps_ns = jittered_stamps(rate_hz, generator)
    t0_ns = BASE_NS + int(generator.integers(1_450 * MS, 2_250 * MS))
    start_m = generator.uniform(-90_000, 90_000, 3)
    linear = generator.uniform(-1.0, 1.0, (3, 3)) * np.array([[30.0], [4.0], [1.0]])
    yaw = generator.uniform(-1.0, 1.0, 3) * np.array([1.0, 0.5, 0.2])
    tilt = Rotation.random(rng=generator)

    def pose(times_ns):
        t = (times_ns - BASE_NS) / 1e9
        position_m = start_m + sum(linear[power] * t[:, np.newaxis] ** (power + 1) for power in range(3))
        angle = yaw[0] * t + yaw[1] * t**2 + yaw[2] * t**3
        return position_m, tilt * Rotation.from_rotvec(angle[:, np.newaxis] * [0.0, 0.0, 1.0])

    positions_m, rotations = pose(stamps_ns)
    signs = generator.choice([-1.0, 1.0], (len(stamps_ns), 1)) * generator.uniform(0.9991, 1.0009)
    observation = observe(build, stamps_ns, positions_m, rotations.as_quat() * signs, t0_ns)
    expected = expected_outcome(stamps_ns, t0_ns)
    if expected is not TickOutcome.ANSWERED:
        assert observation.outcome is expected
        assert observation.text.startswith(expected.name)
        return

    history = observation.history
    times_ns = t0_ns + OFFSETS_NS
    brackets = bracket_times(stamps_ns, times_ns)
    ends_s = np.stack([(stamps_ns[brackets.before] - BASE_NS) / 1e9, (stamps_ns[brackets.after] - BASE_NS) / 1e9])
    acceleration = np.linalg.norm(2 * linear[1] + 6 * linear[2] * ends_s[..., np.newaxis], axis=-1).max(axis=0)
    alpha = np.abs(2 * yaw[1] + 6 * yaw[2] * ends_s).max(axis=0)
    width_s = brackets.width_ns / 1e9
    position_bound_m = acceleration * width_s**2 / 8 + 1e-6
    angle_bound = alpha * width_s**2 / 8 + 1e-6

    exact_m, exact = pose(times_ns)
    relative_m = exact[-1].inv().apply(exact_m - exact_m[-1])
    distance_m = np.linalg.norm(relative_m, axis=1)
    errors_m = np.linalg.norm(history.position_m - relative_m, axis=1)
    assert (errors_m <= position_bound_m + position_bound_m[-1] + distance_m * angle_bound[-1]).all()
    turns = (Rotation.from_matrix(history.rotation).inv() * (exact[-1].inv() * exact)).magnitude()
    assert (turns <= angle_bound + angle_bound[-1]).all()
    assert np.linalg.norm(history.odom_from_rig_position_m - exact_m[-1]) <= position_bound_m[-1]
    at_t0 = Rotation.from_quat(history.odom_from_rig_quaternion)
    assert (at_t0.inv() * exact[-1]).magnitude() <= angle_bound[-1]
    # Bytes, because a negative zero is not exactly zero in a digest.
    assert history.position_m[-1].tobytes() == bytes(24)
    assert (history.rotation[-1] == np.eye(3)).all()


@PROPERTY
@given(rate_hz=RATES_HZ, seed=SEEDS)
def test_straight_driving_at_constant_speed_is_exact_to_a_nanometre_below_100_km(build, rate_hz, seed):
    generator = np.random.default_rng(seed)
    period_ns = 1_000_000_000 // rate_hz
    count = 2 * rate_hz + 1
    stamps_ns = BASE_NS + np.arange(count) * period_ns + generator.integers(0, period_ns // 3 + 1, count)
    t0_ns = int(generator.integers(BASE_NS + 1_640 * MS, stamps_ns[-1] + 1))
    start_m, velocity_mps = generator.uniform(-99_000, 99_000, 3), generator.uniform(-70, 70, 3)
    rotation = Rotation.random(rng=generator)
    positions_m = start_m + ((stamps_ns - BASE_NS) / 1e9)[:, np.newaxis] * velocity_mps
    quaternion = rotation.as_quat()
    observation = observe(build, stamps_ns, positions_m, np.tile(quaternion, (count, 1)), t0_ns)
    assert isinstance(observation, Observation)
    expected_m = rotation.inv().apply((OFFSETS_NS / 1e9)[:, np.newaxis] * velocity_mps)
    assert np.abs(observation.history.position_m - expected_m).max() <= 1e-9
    np.testing.assert_allclose(observation.history.rotation, np.tile(np.eye(3), (16, 1, 1)), atol=1e-14)


def straight(build, stamps_ms, t0_ms=2000, bad=None, **params):
    """Observe straight driving from samples at some times in ms; ``bad`` replaces samples by their time."""
    assembler = build.assembler(**params)
    for stamp_ms in stamps_ms:
        sample = build.sample(BASE_NS + stamp_ms * MS, (stamp_ms / 100, 0.0, 0.0))
        assembler.add_odometry(sample._replace(**(bad or {}).get(stamp_ms, {})))
    return assembler.assemble(BASE_NS + t0_ms * MS, 0)


GRID_MS = range(500, 2001, 100)


def test_the_grid_runs_from_1500_ms_before_t0_to_t0_oldest_first(build):
    observation = straight(build, GRID_MS)
    assert observation.history.offsets_ns.tolist() == [ms * MS for ms in range(-1500, 1, 100)]
    assert observation.history.position_m[:, 0].tolist() == [float(ms) for ms in range(-15, 1)]
    assert not math.copysign(1.0, observation.history.position_m[-1, 1]) < 0


def test_a_profile_sets_length_and_period_of_the_grid(build):
    assembler = build.assembler(build.profile(history_length=3, period_ms=50))
    for stamp_ms in (0, 100):
        assembler.add_odometry(build.sample(stamp_ms * MS, (stamp_ms, 0, 0)))
    history = assembler.assemble(100 * MS, 0).history
    assert history.offsets_ns.tolist() == [-100 * MS, -50 * MS, 0]
    assert history.position_m[:, 0].tolist() == [-100.0, -50.0, 0.0]


def test_the_history_cannot_be_changed_afterwards(build):
    history = straight(build, GRID_MS).history
    with pytest.raises(ValueError, match="read-only"):
        history.position_m[0] = 1.0


def test_no_odometry_and_odometry_beyond_the_horizon_are_the_same(build):
    for stamps_ms in ([], [2151], [2151, 2160]):
        rejection = straight(build, stamps_ms)
        assert rejection.outcome is TickOutcome.NO_ODOMETRY
        assert rejection.text == straight(build, []).text


def test_odometry_that_ends_before_t0_is_stale_even_if_more_comes_beyond_the_horizon(build):
    for later in ([], [2151]):
        rejection = straight(build, [*range(500, 2000, 100), *later])
        assert rejection == Rejection(
            TickOutcome.ODOMETRY_STALE,
            f"ODOMETRY_STALE: newest odometry at {BASE_NS + 1900 * MS} ns is 100.0 ms before t0; "
            "expected one at t0 or up to 150.0 ms after it",
        )


def test_odometry_at_t0_and_at_the_start_of_the_grid_is_enough(build):
    assert isinstance(straight(build, GRID_MS), Observation)
    assert straight(build, [501, *range(600, 2001, 100)]).outcome is TickOutcome.HISTORY_TOO_SHORT


def test_a_short_history_names_its_oldest_sample(build):
    rejection = straight(build, range(1300, 2001, 100))
    assert rejection.text == (
        f"HISTORY_TOO_SHORT: oldest odometry at {BASE_NS + 1300 * MS} ns is 800.0 ms after t0 - 1500 ms; "
        "expected one at that time or before"
    )


def test_a_bracket_of_150_ms_is_allowed_and_one_more_is_named_with_its_numbers(build):
    assert isinstance(straight(build, [*range(500, 1201, 100), 1250, 1400, *range(1500, 2001, 100)]), Observation)
    rejection = straight(build, [*range(500, 1201, 100), 1249, 1400, *range(1500, 2001, 100)])
    assert rejection == Rejection(
        TickOutcome.ODOMETRY_GAP,
        f"ODOMETRY_GAP: 151.0 ms between odometry at {BASE_NS + 1249 * MS} and {BASE_NS + 1400 * MS} ns "
        "around t0 - 700 ms; allowed 150 ms",
    )


def test_a_bracket_across_t0_is_judged_too(build):
    rejection = straight(build, [*range(500, 1901, 100), 2060])
    assert rejection.outcome is TickOutcome.ODOMETRY_GAP
    assert "around t0;" in rejection.text


def test_a_gap_that_no_grid_time_falls_into_is_harmless(build):
    assert isinstance(straight(build, GRID_MS, max_odometry_gap_ms=1), Observation)


def test_a_larger_allowed_gap_also_looks_further_ahead(build):
    stamps_ms = [*range(500, 1901, 100), 2180]
    assert straight(build, stamps_ms).outcome is TickOutcome.ODOMETRY_STALE
    assert isinstance(straight(build, stamps_ms, max_odometry_gap_ms=280, max_wait_ms=400), Observation)


@pytest.mark.parametrize("field", ["x", "y", "z", "qx", "qy", "qz", "qw"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_used_sample_that_is_not_finite_is_named(build, field, value):
    rejection = straight(build, GRID_MS, bad={1200: {field: value}})
    assert rejection.outcome is TickOutcome.ODOMETRY_INVALID
    assert rejection.text.startswith(f"ODOMETRY_INVALID: odometry at {BASE_NS + 1200 * MS} ns holds [")


def test_a_sample_that_is_not_used_may_hold_anything(build):
    stamps_ms = [*range(500, 2001, 10)]
    assert isinstance(straight(build, stamps_ms, bad={1250: {"x": math.nan}}), Observation)
    assert isinstance(straight(build, [*GRID_MS, 2100], bad={2100: {"qw": 0.0}}), Observation)


@pytest.mark.parametrize(("length", "allowed"), [(1.0009, True), (0.9991, True), (1.0011, False), (0.9989, False)])
def test_orientations_are_normalized_within_the_tolerance_and_refused_beyond(build, length, allowed):
    outcome = straight(build, GRID_MS, bad={1200: {"qw": length}, 2000: {"qw": -length}})
    assert isinstance(outcome, Observation) is allowed
    if allowed:
        np.testing.assert_allclose(outcome.history.rotation, np.tile(np.eye(3), (16, 1, 1)), atol=1e-15)
        assert abs(outcome.history.odom_from_rig_quaternion).tolist() == [0.0, 0.0, 0.0, 1.0]
    else:
        assert f"odometry at {BASE_NS + 1200 * MS} ns has an orientation of length {length:g}" in outcome.text


@pytest.mark.parametrize("quaternion", [{"qw": 0.0}, {"qx": 1e300, "qw": 1e300}])
def test_orientations_without_a_usable_length_are_refused_without_a_warning(build, quaternion):
    assert straight(build, GRID_MS, bad={2000: quaternion}).outcome is TickOutcome.ODOMETRY_INVALID


def test_positions_too_far_apart_for_a_float_are_refused_without_a_warning(build):
    rejection = straight(build, [*range(500, 1950, 100), 1950, 2050], bad={1950: {"x": 1.7e308}, 2050: {"x": -1.7e308}})
    assert rejection.outcome is TickOutcome.ODOMETRY_INVALID
    assert "too far apart" in rejection.text


def test_the_first_reason_in_the_order_of_the_codes_is_given(build):
    nan = {"x": math.nan}
    assert straight(build, [1000, 1900], bad={1000: nan}).outcome is TickOutcome.ODOMETRY_STALE
    assert straight(build, [1000, 2000], bad={1000: nan}).outcome is TickOutcome.HISTORY_TOO_SHORT
    assert straight(build, [500, 2000], bad={500: nan}).outcome is TickOutcome.ODOMETRY_GAP
    assert straight(build, GRID_MS, bad={500: nan}).outcome is TickOutcome.ODOMETRY_INVALID


def test_forgetting_changes_no_outcome_and_no_text_of_a_later_tick(build):
    kept, forgetting = build.assembler(), build.assembler()
    generator = np.random.default_rng(0)
    stamps_ns = np.sort(generator.integers(0, 6_000 * MS, 150))
    for stamp_ns in np.unique(stamps_ns):
        for assembler in (kept, forgetting):
            assembler.add_odometry(build.sample(stamp_ns, generator.normal(size=3)))
    outcomes = set()
    for t0_ms in range(1000, 6100, 37):
        forgetting.forget_before(t0_ms * MS)
        results = [assembler.assemble(t0_ms * MS, 0) for assembler in (kept, forgetting)]
        assert type(results[0]) is type(results[1])
        if isinstance(results[0], Rejection):
            assert results[0] == results[1]
            outcomes.add(results[0].outcome)
    assert {TickOutcome.HISTORY_TOO_SHORT, TickOutcome.ODOMETRY_GAP} <= outcomes
