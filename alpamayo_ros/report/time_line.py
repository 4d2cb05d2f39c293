"""What happened over time: the outcome of each tick, and how far outputs moved from the baseline."""

import math
import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from alpamayo_ros.report.canvas import Theme, dress, encode_png, new_figure, own_settings
from alpamayo_ros.report.words import allowance, outcome_title, plain
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import Comparison, TickMark

_WIDTH_IN = 9.4
_LABEL_IN = 2.35
_ROW_IN = 0.34
_FIELDS_DRAWN = 5

LARGEST_RATIO = 1e6
"""What is this many times its tolerance or more, or is not finite, is off the scale."""

Series = Mapping[str, Sequence[tuple[int, float]]]
"""By field: t0 in ns and the difference as a multiple of the tolerance, ascending."""


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
        _dress_time(axes, 0.0, span_s)
        return encode_png(figure)


def outcome_colour(outcome: TickOutcome, theme: Theme) -> str:
    """Colour of an outcome: answered, skipped, failed or rejected."""
    special = {
        TickOutcome.ANSWERED: theme.answered,
        TickOutcome.SKIPPED_BUSY: theme.skipped,
        TickOutcome.STAGE_FAILED: theme.failed,
    }
    return special.get(outcome, theme.rejected)


def measured_differences(comparison: Comparison) -> dict[str, list[tuple[int, float]]]:
    """Sort differences into one series per field, the largest of each tick.

    Fields without a tolerance have nothing to draw. At most five fields, those that moved furthest.
    """
    allowed = {(row.interface, row.field): allowance(row.tolerance, row.unit) for row in comparison.fields}
    series: dict[str, dict[int, float]] = {}
    for t0_ns, interface, field, multiple in _multiples(comparison):
        # A difference to NaN is the largest there is.
        ratio = min(multiple, LARGEST_RATIO) if math.isfinite(multiple) else LARGEST_RATIO
        limit = allowed.get((interface, field))
        name = f"{interface}.{field}" + (f", allowed: {limit}" if limit is not None else "")
        ticks = series.setdefault(name, {})
        ticks[t0_ns] = max(ratio, ticks.get(t0_ns, 0.0))
    furthest = sorted(series, key=lambda name: (-max(series[name].values()), name))[:_FIELDS_DRAWN]
    return {name: sorted(series[name].items()) for name in furthest}


def _multiples(comparison: Comparison) -> list[tuple[int, str, str, float]]:
    """Interface, field without index and multiple of the tolerance at each tick, of the first ones for want of all."""
    if comparison.over_time:
        return [(item.t0_ns, item.interface, item.field, item.multiple) for item in comparison.over_time]
    return [
        # x[3] and x[4] are one field.
        (item.t0_ns, item.interface, re.sub(r"\[[^\]]*\]", "", item.field), item.magnitude / item.tolerance)
        for item in comparison.differences
        if item.magnitude is not None and item.tolerance
    ]


def draw_differences(
    series: Series, differing_ns: Collection[int], marks: Sequence[TickMark], start_ns: int, theme: Theme
) -> bytes:
    """Draw how far each field moved from the baseline over the whole drive, as PNG.

    Args:
        series: At least one, each with at least one difference.
        differing_ns: Ticks that differ in whatever way.
        marks: All ticks of the drive.
        start_ns: Time that the axis counts from.
        theme: Colours.
    """
    with own_settings():
        return encode_png(_differences_figure(series, differing_ns, marks, start_ns, theme))


def _differences_figure(
    series: Series, differing_ns: Collection[int], marks: Sequence[TickMark], start_ns: int, theme: Theme
) -> Figure:
    legend_in = 0.3 + 0.2 * (len(series) + 1)
    plot_in, strip_in, below_in = 2.4, 0.2, 0.6
    height_in = legend_in + plot_in + 0.1 + strip_in + below_in
    figure = new_figure(_WIDTH_IN, height_in, theme)
    left, width = 0.95 / _WIDTH_IN, 1.0 - 1.15 / _WIDTH_IN
    strip = figure.add_axes((left, below_in / height_in, width, strip_in / height_in))
    axes = figure.add_axes((left, (below_in + strip_in + 0.1) / height_in, width, plot_in / height_in))
    _draw_series(axes, series, start_ns, theme)
    states = _draw_strip(strip, differing_ns, marks, start_ns, theme)
    times = [mark.t0_ns for mark in marks] + list(differing_ns) + [t0 for points in series.values() for t0, _ in points]
    for part in (axes, strip):
        _dress_time(part, (min(times) - start_ns) / 1e9, (max(times) - start_ns) / 1e9)
    axes.tick_params(labelbottom=False)
    axes.set_xlabel("")
    place = (left - 0.01, 1.0)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=place, frameon=False,
        labelcolor=theme.ink, fontsize=8.5,
    )  # fmt: skip
    figure.legend(
        handles=states, loc="lower right", bbox_to_anchor=(1.0, 0.0), frameon=False, labelcolor=theme.ink,
        fontsize=8.5, ncols=len(states), borderaxespad=0.3,
    )  # fmt: skip
    return figure


def _draw_series(axes: Axes, series: Series, start_ns: int, theme: Theme) -> None:
    dress(axes, theme)
    on_scale = [ratio for points in series.values() for _, ratio in points if ratio < LARGEST_RATIO]
    off_scale = any(ratio >= LARGEST_RATIO for points in series.values() for _, ratio in points)
    logarithmic, low, high, ticks = _value_axis(on_scale)
    # One row above everything that has a place on the scale.
    above = high * (high / low) ** 0.12 if logarithmic else 1.12 * high
    for (name, points), colour, marker in zip(series.items(), theme.series, "osD^v", strict=False):
        seconds = [(t0_ns - start_ns) / 1e9 for t0_ns, _ in points]
        ratios = [ratio if ratio < LARGEST_RATIO else above for _, ratio in points]
        axes.plot(seconds, ratios, marker, color=colour, markersize=4.0, alpha=0.8, label=_printable(name))
    axes.axhline(1.0, color=theme.ink, linewidth=1.2, linestyle=(0, (5, 3)), label="allowed")
    axes.set_yscale("log" if logarithmic else "linear")
    labels = [f"{tick:g}" for tick in ticks]
    if off_scale:
        ticks, labels = [*ticks, above], [*labels, "off scale"]
        high = above * (high / low) ** 0.06 if logarithmic else 1.06 * above
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FixedFormatter(labels))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("times what is allowed")


def _value_axis(ratios: Sequence[float]) -> tuple[bool, float, float, list[float]]:
    """Choose whether the axis is logarithmic, its ends, and its ticks, all of them within the ends."""
    largest = max([1.2, *ratios])
    if largest <= 30.0:
        high = 1.12 * largest
        ticks = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(0.0, high)
        return False, 0.0, high, [float(tick) for tick in ticks if 0.0 <= tick <= high]
    high = 1.6 * largest
    return True, 0.6, high, [10.0**power for power in range(math.floor(math.log10(high)) + 1)]


def _draw_strip(
    axes: Axes, differing_ns: Collection[int], marks: Sequence[TickMark], start_ns: int, theme: Theme
) -> list[Patch]:
    """Draw for each tick whether it differs, so that what is empty above is seen to be equal; returns the legend."""
    dress(axes, theme)
    axes.grid(visible=False)
    axes.set_yticks([0.5], ["ticks"])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(0.0, 1.0)
    rows = {
        ("not answered", theme.faint): [
            mark.t0_ns for mark in marks if mark.outcome is not TickOutcome.ANSWERED and mark.t0_ns not in differing_ns
        ],
        ("no difference", theme.answered): [
            mark.t0_ns for mark in marks if mark.outcome is TickOutcome.ANSWERED and mark.t0_ns not in differing_ns
        ],
        ("differs", theme.failed): sorted(differing_ns),
    }
    times = sorted({*differing_ns, *(mark.t0_ns for mark in marks)})
    span_s = max((times[-1] - times[0]) / 1e9, 0.5) if times else 0.5
    # Each mark fills its 100 ms, and no less than what can be seen.
    width_pt = float(np.clip(72.0 * (_WIDTH_IN - 1.15) * 0.1 / span_s, 1.5, 20.0))
    for (_, colour), row in rows.items():
        axes.vlines([(t0_ns - start_ns) / 1e9 for t0_ns in row], 0.0, 1.0, color=colour, linewidth=width_pt)
    return [Patch(facecolor=colour, label=label) for (label, colour), row in reversed(rows.items()) if row]


def _dress_time(axes: Axes, first_s: float, last_s: float) -> None:
    """Let the time axis span the drive, and a little more so that no mark is cut."""
    span_s = max(last_s - first_s, 0.5)
    axes.set_xlim(first_s - 0.02 * span_s, first_s + 1.02 * span_s)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, steps=[1, 2, 5, 10]))
    axes.set_xlabel("s after the first tick")


def _printable(text: str) -> str:
    """Keep to characters that the bundled font has."""
    return "".join(character if " " <= character <= "~" else "?" for character in plain(text))[:110]
