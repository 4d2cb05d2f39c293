"""Ticks and differences over time."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from alpamayo_ros.report.canvas import DARK, LIGHT, own_settings
from alpamayo_ros.report.time_line import (
    LARGEST_RATIO,
    _differences_figure,
    draw_differences,
    draw_time_line,
    measured_differences,
    outcome_colour,
)
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import Comparison, FieldSummary, TickDifference, TickMark


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


def comparison_of(*differences, over_time=()):
    return Comparison(True, None, len(differences), 10, differences, (), (), tuple(over_time))


def drive(seconds=20.0, outcome=TickOutcome.ANSWERED):
    return [TickMark(index * 100_000_000, outcome) for index in range(round(10 * seconds))]


def figure_of(series, differing_ns=(), marks=None):
    """The chart as it is drawn, and its upper and lower axes."""
    with own_settings():
        figure = _differences_figure(series, frozenset(differing_ns), drive() if marks is None else marks, 0, LIGHT)
        figure.canvas.draw()
    strip, axes = figure.axes
    return figure, axes, strip


def test_elements_of_one_array_are_one_series_with_the_largest_of_each_tick(difference):
    again = replace(difference, field="y[9]", magnitude=0.08)
    later = replace(difference, t0_ns=difference.t0_ns + 1, magnitude=0.02)
    row = FieldSummary("trajectory_set", "y", 3, 3, 0.08, 0.01, "m")
    series = measured_differences(replace(comparison_of(later, difference, again), fields=(row,)))
    assert list(series) == ["trajectory_set.y, allowed: 0.01 m"]
    ((first_ns, first), (later_ns, second)) = series["trajectory_set.y, allowed: 0.01 m"]
    assert (first_ns, later_ns) == (difference.t0_ns, difference.t0_ns + 1)
    assert (first, second) == pytest.approx((8.0, 2.0))


def test_all_differing_ticks_are_drawn_and_not_only_the_first_that_were_kept(difference):
    late = [TickDifference(difference.t0_ns + index, "trajectory_set", "x", 2.0 + index) for index in range(500)]
    ((name, points),) = measured_differences(comparison_of(difference, over_time=late)).items()
    assert name == "trajectory_set.x"
    assert [ratio for _, ratio in points] == [2.0 + index for index in range(500)]


@pytest.mark.parametrize("change", [{"magnitude": None}, {"tolerance": None}, {"tolerance": 0.0}])
def test_what_has_no_multiple_of_a_tolerance_is_not_drawn(difference, change):
    assert measured_differences(comparison_of(replace(difference, **change))) == {}


@pytest.mark.parametrize("magnitude", [math.inf, math.nan, 1e300])
def test_what_is_not_finite_is_drawn_as_the_largest_difference(difference, magnitude):
    ((_, ratio),) = measured_differences(comparison_of(replace(difference, magnitude=magnitude))).popitem()[1]
    assert ratio == LARGEST_RATIO


def test_only_the_fields_that_moved_furthest_are_drawn(difference):
    many = [replace(difference, field=f"f{n}", magnitude=0.01 * (n + 2)) for n in range(9)]
    assert list(measured_differences(comparison_of(*many))) == [f"trajectory_set.f{n}" for n in (8, 7, 6, 5, 4)]


@pytest.mark.parametrize(
    ("largest", "labels"),
    [
        (1.05, ["0", "0.5", "1"]),
        (18.0, ["0", "5", "10", "15", "20"]),
        (1700.0, ["1", "10", "100", "1000"]),
        (3e5, ["1", "10", "100", "1000", "10000", "100000"]),
        (LARGEST_RATIO, ["0", "0.5", "1", "off scale"]),
    ],
)
def test_the_axis_of_differences_has_plain_numbers_and_nothing_is_cut_off(largest, labels):
    figure, axes, _ = figure_of({"trajectory_set.x": [(10**9, 1.01), (2 * 10**9, largest)]})
    ticks = [tick.label1.get_text() for tick in axes.yaxis.get_major_ticks()]
    assert ticks == labels
    assert [tick.label1.get_text() for tick in axes.yaxis.get_minor_ticks()] == []
    low, high = axes.get_ylim()
    assert all(low <= tick <= high for tick in axes.get_yticks())
    assert all(low < value < high for line in axes.lines for value in line.get_ydata())
    for text in (axes.yaxis.label, figure.axes[0].xaxis.label, *axes.get_yticklabels()):
        box = text.get_window_extent()
        assert box.x0 >= 0.0
        assert box.y0 >= 0.0
        assert box.y1 <= figure.bbox.height


def test_what_is_off_the_scale_lies_above_what_is_on_it():
    _, axes, _ = figure_of({"x": [(1, 500.0), (2, LARGEST_RATIO), (3, 900_000.0)]})
    on, off, largest = axes.lines[0].get_ydata()
    assert on < largest < off


@pytest.mark.parametrize("differing_s", [[1.0], [10.0, 19.9]])
def test_the_axis_spans_the_whole_drive_wherever_the_differences_are(differing_s):
    times_ns = [round(1e9 * second) for second in differing_s]
    _, axes, strip = figure_of({"x": [(time_ns, 3.0) for time_ns in times_ns]}, times_ns)
    assert axes.get_xlim() == strip.get_xlim()
    assert axes.get_xlim()[0] <= 0.0
    assert axes.get_xlim()[1] >= 19.9
    assert strip.get_xlabel() == "s after the first tick"


def test_parts_of_the_drive_without_difference_are_seen_as_such():
    marks = drive(5.0, TickOutcome.HISTORY_TOO_SHORT) + drive(20.0)[50:]
    differing = [mark.t0_ns for mark in marks[100:120]]
    figure, _, strip = figure_of({"x": [(differing[0], 3.0)]}, differing, marks)
    picture = np.asarray(figure.canvas.buffer_rgba())[:, :, :3]
    box = strip.get_window_extent()
    row = picture[round(figure.bbox.height - 0.5 * (box.y0 + box.y1))]

    def colour_at(second):
        return tuple(row[round(strip.transData.transform((second, 0.5))[0])])

    def rgb(colour):
        return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))

    seconds = (2.5, 7.5, 11.0, 15.0)
    seen = [min((LIGHT.faint, LIGHT.answered, LIGHT.failed), key=lambda c: math.dist(rgb(c), colour_at(second)))
            for second in seconds]  # fmt: skip
    assert seen == [LIGHT.faint, LIGHT.answered, LIGHT.failed, LIGHT.answered]
    legend = [text.get_text() for text in figure.legends[1].get_texts()]
    assert legend == ["differs", "no difference", "not answered"]


@pytest.mark.parametrize("largest", [0.011, 0.05, 1e6, 1e300])
def test_differences_of_any_size_can_be_drawn(difference, largest):
    comparison = comparison_of(difference, replace(difference, field="$x^{", magnitude=largest))
    for marks in ([], drive()):
        png = draw_differences(measured_differences(comparison), [difference.t0_ns], marks, difference.t0_ns, DARK)
        assert png[:4] == b"\x89PNG"
