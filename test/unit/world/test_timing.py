"""Stamps are jittered and never out of order."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.world.timing import ACTORS, CAMERAS, ODOMETRY, Moment, Schedule

ALL = {"odometry": ODOMETRY, "actors": ACTORS, **CAMERAS}


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(sorted(ALL)), st.integers(0, 2**32))
def test_stamps_and_receptions_advance_and_nothing_arrives_before_it_was_sent(name: str, seed: int) -> None:
    moments = list(ALL[name].moments(15.2, np.random.default_rng(seed)))
    assert len(moments) > 70
    for before, after in itertools.pairwise(moments):
        assert before.stamp_ns < after.stamp_ns
        assert before.receive_ns < after.receive_ns
    assert all(0 <= one.stamp_ns <= one.publish_ns < one.receive_ns for one in moments)


def test_odometry_is_jittered_by_milliseconds_around_50_hz() -> None:
    stamps = [one.stamp_ns for one in ODOMETRY.moments(15.2, np.random.default_rng(0))]
    steps_ms = np.diff(stamps) / 1e6
    assert np.mean(steps_ms) == pytest.approx(20.0, abs=0.1)
    assert 1.0 < np.std(steps_ms) < 4.0
    assert steps_ms.max() < 50.0


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32))
def test_cameras_are_not_triggered_together_but_stay_well_within_50_ms(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stamps = np.array([[one.stamp_ns for one in schedule.moments(15.0, rng)] for schedule in CAMERAS.values()])
    skew_ms = (stamps.max(axis=0) - stamps.min(axis=0)) / 1e6
    assert skew_ms.min() > 5.0
    assert skew_ms.max() < 20.0


def test_the_last_moment_lies_within_the_duration() -> None:
    schedule = Schedule(100, 50)
    rng = np.random.default_rng(0)
    assert [one.stamp_ns for one in schedule.moments(0.25, rng)] == [50_000_000, 150_000_000, 250_000_000]
    assert list(schedule.moments(0.04, rng)) == []


def test_a_schedule_without_jitter_needs_no_luck() -> None:
    schedule = Schedule(20, 5, 0, 100, 40, 0)
    assert next(schedule.moments(1.0, np.random.default_rng(9))) == Moment(5_000_000, 5_100_000, 5_140_000)
