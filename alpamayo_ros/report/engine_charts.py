"""How far two ways of running one model are apart: by output, and over time."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from alpamayo_ros.report.canvas import LIGHT, Theme, dress, encode_png, new_figure, own_settings
from alpamayo_ros.report.words import ascii_line
from alpamayo_ros.structs.engine_comparison import EngineComparison, OutputDifference, TickAgreement

_WIDTH_IN = 9.4
_LABEL_IN = 2.3
_ROW_IN = 0.42
_TIME_IN = 2.2
_SMALLEST = 1e-9
"""What is smaller is drawn here: a logarithm has no zero."""
_LARGEST = 1e9


def draw_engine_comparison(comparison: EngineComparison, theme: Theme = LIGHT) -> bytes:
    """Draw largest and mean difference of each output beside its tolerance, and trajectories over time, as PNG.

    Args:
        comparison: With at least one output.
        theme: Colours.
    """
    rows = len(comparison.outputs)
    height_in = 1.5 + _ROW_IN * rows + ((_TIME_IN + 0.9) if comparison.ticks else 0.0)
    with own_settings():
        figure = new_figure(_WIDTH_IN, height_in, theme)
        title = f"{ascii_line(comparison.first.name, 40)} and {ascii_line(comparison.second.name, 40)}"
        figure.text(0.02, 1.0 - 0.28 / height_in, title, color=theme.ink, fontsize=12, va="center")
        source = ascii_line(comparison.source, 110)
        figure.text(0.02, 1.0 - 0.52 / height_in, source, color=theme.ink, va="center")
        plot = (_LABEL_IN / _WIDTH_IN, (_WIDTH_IN - _LABEL_IN - 0.25) / _WIDTH_IN)
        bottom = height_in - 0.8 - _ROW_IN * rows
        _draw_outputs(
            figure.add_axes((plot[0], bottom / height_in, plot[1], _ROW_IN * rows / height_in)),
            comparison.outputs,
            theme,
        )
        if comparison.ticks:
            _draw_ticks(
                figure.add_axes((plot[0], 0.5 / height_in, plot[1], _TIME_IN / height_in)), comparison.ticks, theme
            )
        return encode_png(figure)


def _draw_outputs(axes: Axes, outputs: Sequence[OutputDifference], theme: Theme) -> None:
    dress(axes, theme)
    axes.set_xscale("log")
    for row, one in enumerate(outputs):
        colour = theme.answered if one.within else theme.failed
        largest, mean, allowed = (_drawable(value) for value in (one.largest, one.mean, one.tolerance))
        axes.plot([mean, largest], [row, row], color=colour, linewidth=2.2)
        axes.plot([mean], [row], marker="|", color=colour, markersize=10)
        axes.plot([largest], [row], marker="o", color=colour, markersize=6)
        axes.plot([allowed, allowed], [row - 0.36, row + 0.36], color=theme.ink, linewidth=1.6)
    axes.set_yticks(range(len(outputs)), [f"{one.stage}  {ascii_line(one.output, 20)}" for one in outputs])
    axes.set_ylim(len(outputs) - 0.5, -0.5)
    axes.set_xlabel("difference on equal inputs, each in its own unit")
    handles = [
        Line2D([], [], color=theme.answered, marker="o", label="mean to largest"),
        Line2D([], [], color=theme.ink, marker="|", linestyle="", markersize=10, label="allowed"),
        Patch(color=theme.failed, label="more than allowed"),
    ]
    axes.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False, labelcolor=theme.ink,
        borderaxespad=0.2,
    )  # fmt: skip


def _draw_ticks(axes: Axes, ticks: Sequence[TickAgreement], theme: Theme) -> None:
    dress(axes, theme)
    start_ns = ticks[0].t0_ns
    seconds = np.array([(tick.t0_ns - start_ns) / 1e9 for tick in ticks])
    apart = np.array([tick.ade_m for tick in ticks])
    axes.plot(seconds, apart, color=theme.series[0], linewidth=1.2, marker=".", markersize=4)
    other = np.array([not (tick.same_text and tick.same_decision) for tick in ticks])
    if other.any():
        axes.plot(
            seconds[other], apart[other], linestyle="", marker="x", color=theme.failed, label="says something else"
        )
        axes.legend(frameon=False, labelcolor=theme.ink, loc="upper right")
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("time from the first tick, s")
    axes.set_ylabel("distance of plans, m")


def _drawable(value: float) -> float:
    return _LARGEST if math.isinf(value) else max(value, _SMALLEST)
