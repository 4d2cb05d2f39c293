"""What happened over time: the outcome of each tick, and how far outputs moved from the baseline."""

import math
import re
from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator, NullFormatter

from alpamayo_ros.report.canvas import Theme, dress, encode_png, new_figure, own_settings
from alpamayo_ros.report.words import outcome_title, plain
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import FieldDifference, TickMark

_WIDTH_IN = 9.4
_LABEL_IN = 2.35
_ROW_IN = 0.34
_FIELDS_DRAWN = 5

LARGEST_RATIO = 1e6
"""Differences that are more than this many times their tolerance, or not finite, are drawn here."""


def draw_time_line(marks: Sequence[TickMark], theme: Theme) -> bytes:
    """Draw one row per outcome that occurred, with a mark for each tick, as PNG.

    Args:
        marks: At least one tick.
        theme: Colours.
    """
    start_ns = min(mark.t0_ns for mark in marks)
    outcomes = sorted({mark.outcome for mark in marks})
    times = {
        outcome: np.array([(mark.t0_ns - start_ns) / 1e9 for mark in marks if mark.outcome is outcome])
        for outcome in outcomes
    }
    span_s = max((float(row.max()) for row in times.values()), default=0.0)
    height_in = _ROW_IN * len(outcomes) + 0.75
    with own_settings():
        figure = new_figure(_WIDTH_IN, height_in, theme)
        plot_in = _WIDTH_IN - _LABEL_IN - 0.2
        axes = figure.add_axes(
            (_LABEL_IN / _WIDTH_IN, 0.55 / height_in, plot_in / _WIDTH_IN, _ROW_IN * len(outcomes) / height_in)
        )
        dress(axes, theme)
        axes.grid(visible=False, axis="y")
        # 72 points per inch; a mark fills most of its 100 ms where there is room and stays visible where there is not.
        width_pt = float(np.clip(0.6 * 72.0 * plot_in * 0.1 / max(span_s, 0.1), 1.0, 6.0))
        for row, outcome in enumerate(outcomes):
            axes.vlines(
                times[outcome], row - 0.32, row + 0.32, color=outcome_colour(outcome, theme), linewidth=width_pt
            )
        labels = [f"{outcome_title(outcome.name)}  ({len(times[outcome])})" for outcome in outcomes]
        axes.set_yticks(range(len(outcomes)), labels)
        axes.set_ylim(len(outcomes) - 0.5, -0.5)
        axes.set_xlim(-0.02 * max(span_s, 0.5), 1.02 * max(span_s, 0.5))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=10, steps=[1, 2, 5, 10]))
        axes.set_xlabel("s after the first tick")
        return encode_png(figure)


def outcome_colour(outcome: TickOutcome, theme: Theme) -> str:
    """Colour of an outcome: answered, skipped, failed or rejected."""
    special = {
        TickOutcome.ANSWERED: theme.answered,
        TickOutcome.SKIPPED_BUSY: theme.skipped,
        TickOutcome.STAGE_FAILED: theme.failed,
    }
    return special.get(outcome, theme.rejected)


def measured_differences(differences: Sequence[FieldDifference]) -> dict[str, list[tuple[int, float]]]:
    """Sort differences into one series per field: (t0 in ns, multiple of the tolerance), largest per tick.

    Fields without a magnitude or a tolerance have nothing to draw. At most five fields, those that moved furthest.
    """
    series: dict[str, dict[int, float]] = {}
    for difference in differences:
        if difference.magnitude is None or not difference.tolerance:
            continue
        # A difference to NaN is the largest there is.
        ratio = difference.magnitude / difference.tolerance
        ratio = min(ratio, LARGEST_RATIO) if math.isfinite(ratio) else LARGEST_RATIO
        # x[3] and x[4] are one field.
        name = re.sub(r"\[[^\]]*\]", "", f"{difference.interface}.{difference.field}")
        ticks = series.setdefault(f"{name}, tolerance {difference.tolerance:g} {difference.unit}".rstrip(), {})
        ticks[difference.t0_ns] = max(ratio, ticks.get(difference.t0_ns, 0.0))
    furthest = sorted(series, key=lambda name: (-max(series[name].values()), name))[:_FIELDS_DRAWN]
    return {name: sorted(series[name].items()) for name in furthest}


def draw_differences(differences: Sequence[FieldDifference], start_ns: int, theme: Theme) -> bytes:
    """Draw how far each field moved from the baseline, in multiples of its tolerance, as PNG.

    Args:
        differences: At least one with a magnitude and a tolerance.
        start_ns: Time that the axis counts from.
        theme: Colours.
    """
    series = measured_differences(differences)
    with own_settings():
        height_in = 3.2 + 0.2 * len(series)
        figure = new_figure(_WIDTH_IN, height_in, theme)
        above_in = 0.45 + 0.2 * len(series)
        axes = figure.add_axes((0.08, 0.55 / height_in, 0.9, (height_in - 0.55 - above_in) / height_in))
        dress(axes, theme)
        for (name, points), colour, marker in zip(series.items(), theme.series, "osD^v", strict=False):
            seconds = [(t0_ns - start_ns) / 1e9 for t0_ns, _ in points]
            ratios = [ratio for _, ratio in points]
            axes.plot(seconds, ratios, marker, color=colour, markersize=4.5, alpha=0.85, label=_printable(name))
        axes.axhline(1.0, color=theme.ink, linewidth=1.2, linestyle=(0, (5, 3)), label="tolerance")
        values = [ratio for points in series.values() for _, ratio in points]
        if max(values) > 30.0:
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.set_ylim(0.7 * min([1.0, *values]), 1.6 * max(values))
        else:
            axes.set_ylim(0.0, 1.12 * max([1.2, *values]))
        axes.set_xlabel("s after the first tick")
        axes.set_ylabel("difference / tolerance")
        figure.legend(loc="upper left", bbox_to_anchor=(0.07, 1.0), frameon=False, labelcolor=theme.ink, fontsize=8.5)
        return encode_png(figure)


def _printable(text: str) -> str:
    """Keep to characters that the bundled font has."""
    return "".join(character if " " <= character <= "~" else "?" for character in plain(text))[:80]
