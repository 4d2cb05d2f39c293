"""Odometry is kept exactly, in order, and forgotten only where nothing needs it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.perception.odometry_buffer import OdometryBuffer
from alpamayo_ros.structs.pose import OdometrySample


def sample(stamp_ns, x=0.0):
    return OdometrySample(stamp_ns, x, 1.0, 2.0, 0.0, 0.0, 0.6, 0.8)


def stamps(buffer, last_ns=2**62):
    return buffer.up_to(last_ns)[0].tolist()


def test_samples_come_back_exactly_at_epoch_size():
    buffer = OdometryBuffer()
    stamp_ns = 1_557_539_956_439_383_123
    buffer.add(sample(stamp_ns, 99_999.123456789))
    found_ns, poses = buffer.up_to(stamp_ns)
    assert found_ns.tolist() == [stamp_ns]
    assert poses.tolist() == [[99_999.123456789, 1.0, 2.0, 0.0, 0.0, 0.6, 0.8]]


def test_an_empty_buffer_gives_no_samples():
    assert OdometryBuffer().up_to(10)[1].shape == (0, 7)


def test_a_limit_includes_its_own_time():
    buffer = OdometryBuffer()
    for stamp_ns in (10, 20, 30):
        buffer.add(sample(stamp_ns))
    assert [stamps(buffer, limit) for limit in (9, 10, 29, 30)] == [[], [10], [10, 20], [10, 20, 30]]


@pytest.mark.parametrize("stamp_ns", [10, 9])
def test_a_sample_that_is_not_newer_is_refused(stamp_ns):
    buffer = OdometryBuffer()
    buffer.add(sample(10))
    with pytest.raises(ValueError, match="is not newer; expected more than 10 ns"):
        buffer.add(sample(stamp_ns))
    assert stamps(buffer) == [10]


def test_a_sample_that_holds_no_numbers_changes_nothing():
    buffer = OdometryBuffer()
    buffer.add(sample(10))
    with pytest.raises(Exception, match="float"):
        buffer.add(OdometrySample(20, 0.0, 0.0, None, 0.0, 0.0, 0.0, 1.0))
    assert stamps(buffer) == [10]
    buffer.add(sample(15))
    assert stamps(buffer) == [10, 15]


def test_a_cleared_buffer_takes_older_samples_and_nan():
    buffer = OdometryBuffer()
    buffer.add(sample(10))
    buffer.clear()
    buffer.add(sample(5, math.nan))
    assert len(buffer) == 1
    assert np.isnan(buffer.up_to(5)[1][0, 0])


def test_the_last_sample_at_or_before_the_boundary_is_kept():
    buffer = OdometryBuffer()
    for stamp_ns in (10, 20, 30):
        buffer.add(sample(stamp_ns))
    for boundary_ns, kept in ((5, [10, 20, 30]), (19, [10, 20, 30]), (20, [20, 30]), (100, [30]), (1, [30])):
        buffer.forget_before(boundary_ns)
        assert stamps(buffer) == kept


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 900), st.integers(0, 900)), min_size=1, max_size=12))
def test_what_is_kept_survives_any_growth_and_forgetting(rounds):
    buffer = OdometryBuffer()
    expected, clock = [], 0
    for count, kept_count in rounds:
        for _ in range(count):
            clock += 1
            buffer.add(sample(clock, clock / 7))
            expected.append((clock, clock / 7))
        boundary_ns = clock - kept_count
        buffer.forget_before(boundary_ns)
        older = [entry for entry in expected if entry[0] <= boundary_ns]
        expected = older[-1:] + [entry for entry in expected if entry[0] > boundary_ns]
        found_ns, poses = buffer.up_to(clock)
        assert list(zip(found_ns.tolist(), poses[:, 0].tolist(), strict=True)) == expected
        assert len(buffer) == len(expected)


def test_memory_stays_small_when_old_samples_are_forgotten():
    buffer = OdometryBuffer()
    for stamp_ns in range(20_000):
        buffer.add(sample(stamp_ns))
        if stamp_ns % 100 == 0:
            buffer.forget_before(stamp_ns - 1500)
    assert buffer._capacity <= 4096
