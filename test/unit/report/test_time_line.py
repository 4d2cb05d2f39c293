"""Ticks and differences over time."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from alpamayo_ros.report.canvas import DARK, LIGHT
from alpamayo_ros.report.time_line import (
    LARGEST_RATIO,
    draw_differences,
    draw_time_line,
    measured_differences,
    outcome_colour,
)
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import TickMark


def shares(png, theme):
    """Count the pixels that have exactly the colour of each outcome."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    found = {}
    for outcome in TickOutcome:
        colour = outcome_colour(outcome, theme)
        rgb = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
        found[outcome] = int((picture == rgb).all(axis=2).sum())
    return found


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_answered_rejected_skipped_and_failed_ticks_each_have_their_colour(theme):
    four = (TickOutcome.ANSWERED, TickOutcome.CAMERA_STALE, TickOutcome.SKIPPED_BUSY, TickOutcome.STAGE_FAILED)
    marks = [TickMark(index * 100_000_000, four[index % 4]) for index in range(40)]
    found = shares(draw_time_line(marks, theme), theme)
    assert len({outcome_colour(outcome, theme) for outcome in four}) == 4
    assert all(found[outcome] > 200 for outcome in four)


def test_a_single_rejected_tick_in_half_an_hour_is_still_to_be_seen():
    marks = [TickMark(index * 100_000_000, TickOutcome.ANSWERED) for index in range(18_000)]
    without = shares(draw_time_line(marks, LIGHT), LIGHT)[TickOutcome.NO_ODOMETRY]
    marks[9_000] = replace(marks[9_000], outcome=TickOutcome.NO_ODOMETRY)
    picture = cv2.imdecode(np.frombuffer(draw_time_line(marks, LIGHT), np.uint8), cv2.IMREAD_COLOR).astype(int)
    orange = (picture[:, :, 2] - picture[:, :, 0] > 60) & (picture[:, :, 2] > 180)
    assert without == 0
    assert orange.sum() >= 10


def test_one_tick_alone_and_ticks_of_one_time_can_be_drawn():
    one = TickMark(5, TickOutcome.ANSWERED)
    assert draw_time_line([one], LIGHT)[:4] == b"\x89PNG"
    assert draw_time_line([one, one, replace(one, outcome=TickOutcome.TIME_BACKWARDS)], LIGHT)[:4] == b"\x89PNG"


def test_elements_of_one_array_are_one_series_with_the_largest_of_each_tick(difference):
    again = replace(difference, field="y[9]", magnitude=0.08)
    later = replace(difference, t0_ns=difference.t0_ns + 1, magnitude=0.02)
    series = measured_differences([later, difference, again])
    assert list(series) == ["trajectory_set.y, tolerance 0.01 m"]
    ((first_ns, first), (later_ns, second)) = series["trajectory_set.y, tolerance 0.01 m"]
    assert (first_ns, later_ns) == (difference.t0_ns, difference.t0_ns + 1)
    assert (first, second) == pytest.approx((8.0, 2.0))


@pytest.mark.parametrize("change", [{"magnitude": None}, {"tolerance": None}, {"tolerance": 0.0}])
def test_what_has_no_multiple_of_a_tolerance_is_not_drawn(difference, change):
    assert measured_differences([replace(difference, **change)]) == {}


@pytest.mark.parametrize("magnitude", [math.inf, math.nan, 1e300])
def test_what_is_not_finite_is_drawn_as_the_largest_difference(difference, magnitude):
    ((_, ratio),) = measured_differences([replace(difference, magnitude=magnitude)]).popitem()[1]
    assert ratio == LARGEST_RATIO


def test_only_the_fields_that_moved_furthest_are_drawn(difference):
    many = [replace(difference, field=f"f{n}", magnitude=0.01 * (n + 2)) for n in range(9)]
    assert [name.split(",")[0] for name in measured_differences(many)] == [
        f"trajectory_set.f{n}" for n in (8, 7, 6, 5, 4)
    ]


@pytest.mark.parametrize("largest", [0.011, 0.05, 1e6, 1e300])
def test_differences_of_any_size_can_be_drawn(difference, largest):
    png = draw_differences([difference, replace(difference, field="$x^{", magnitude=largest)], difference.t0_ns, DARK)
    assert png[:4] == b"\x89PNG"
