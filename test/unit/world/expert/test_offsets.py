"""Shifts across the path."""

import pytest

from alpamayo_ros.world.expert.offsets import ON_THE_PATH, Shift, around


def test_a_shift_begins_and_ends_smoothly() -> None:
    shift = Shift(10.0, 40.0, 0.0, 3.0)
    assert shift.at(10.0) == (0.0, 0.0, 0.0)
    end = shift.at(40.0)
    assert (end.d_m, end.slope, end.bend) == pytest.approx((3.0, 0.0, 0.0), abs=1e-12)
    assert shift.at(25.0).d_m == pytest.approx(1.5)


def test_slope_and_bend_are_the_derivatives() -> None:
    shift = Shift(0.0, 30.0, -1.0, 2.0)
    for s in (4.0, 11.0, 23.0):
        assert shift.at(s).slope == pytest.approx((shift.at(s + 1e-4).d_m - shift.at(s - 1e-4).d_m) / 2e-4, abs=1e-6)
        assert shift.at(s).bend == pytest.approx((shift.at(s + 1e-4).slope - shift.at(s - 1e-4).slope) / 2e-4, abs=1e-6)


def test_the_plan_is_beside_the_path_in_the_interval_alone() -> None:
    plan = around([(100.0, 120.0, 2.5)], 30.0)
    assert [plan.at(s).d_m for s in (0.0, 69.0, 100.0, 110.0, 120.0, 151.0)] == [0.0, 0.0, 2.5, 2.5, 2.5, 0.0]


def test_between_near_intervals_it_does_not_come_back() -> None:
    plan = around([(100.0, 120.0, 2.5), (150.0, 160.0, 2.5)], 30.0)
    assert plan.at(135.0).d_m == 2.5
    far = around([(100.0, 120.0, 2.5), (300.0, 310.0, -1.0)], 30.0)
    assert far.at(200.0).d_m == 0.0
    assert far.at(305.0).d_m == -1.0


def test_without_shifts_it_keeps_to_the_path() -> None:
    assert ON_THE_PATH.at(12.0) == (0.0, 0.0, 0.0)
    assert around([], 30.0) == ON_THE_PATH
