"""Bird's-eye view of what was driven and what was predicted."""

import math
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from alpamayo_ros.report.approved import leaves_approved
from alpamayo_ros.report.canvas import Theme, dress, encode_png, new_figure, own_settings
from alpamayo_ros.structs.verdict import PredictedPath

PATHS_DRAWN = 24
"""At most this many predicted paths are drawn: more cover each other."""

_WIDTH_IN = 9.4
_PLOT_WIDTH_IN = 7.3
_PLOT_HEIGHT_IN = (2.3, 6.4)
_MARGIN_IN = {"left": 0.95, "top": 0.45, "bottom": 0.6}
_SMALLEST_M = 10.0
_FARTHEST_M = 1e7
_LARGEST_M = 1e12
_POINTS_DRAWN = 20_000
_START = ("o", "start", 8.0)
_END = ("s", "end", 7.5)
_APPROVED_DASHES = (0, (2.6, 1.8))

_Lines = tuple[NDArray[np.float64], list[NDArray[np.float64]], list[NDArray[np.float64]]]


def paths_to_draw(paths: Sequence[PredictedPath]) -> tuple[PredictedPath, ...]:
    """Pick every n-th predicted path so that at most PATHS_DRAWN remain."""
    return tuple(paths[:: max(1, math.ceil(len(paths) / PATHS_DRAWN))])


def draw_birds_eye(driven_odom_xyz_m: NDArray[np.float64], paths: Sequence[PredictedPath], theme: Theme) -> bytes:
    """Draw the driven path and predicted paths from above, in metres from the start, x to the right.

    Args:
        driven_odom_xyz_m: float64 (N, 3) in the odometry frame; N may be 0.
        paths: Predicted paths to draw, all of them.
        theme: Colours.

    Returns:
        A PNG. Where a prediction leaves the approved one, that is drawn as well.
    """
    driven, predicted, approved = _lines(driven_odom_xyz_m, paths)
    low, high, height_in = _view(np.concatenate([driven, *predicted, *approved, np.zeros((1, 2))]))
    with own_settings():
        figure, axes = _plot(height_in, theme)
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
        colours = _colours([path.t0_ns for path in paths], theme)
        start_ns = min((path.t0_ns for path in paths), default=0)
        rgba = np.asarray(colours.to_rgba(np.array([(path.t0_ns - start_ns) / 1e9 for path in paths]))).reshape(-1, 4)
        _draw_lines(axes, driven, predicted, rgba, theme)
        _draw_approved(axes, approved, theme)
        _draw_scale_bar(axes, theme)
        _draw_legend(figure, axes, (driven, predicted, approved), theme)
        if len(paths) > 1:
            _draw_colour_bar(figure, axes, colours, theme)
        return encode_png(figure)


def _lines(driven_odom_xyz_m: NDArray[np.float64], paths: Sequence[PredictedPath]) -> _Lines:
    """Driven path, predicted paths and approved paths, float64 (N, 2) each, from the first driven point."""
    nothing = np.zeros((0, 3))
    approved = [path.baseline_odom_xyz_m if leaves_approved(path) else None for path in paths]
    lines = [_finite_xy(driven_odom_xyz_m), *(_finite_xy(path.odom_xyz_m) for path in paths)]
    lines += [_finite_xy(nothing if line is None else line) for line in approved]
    somewhere = next((np.median(line, axis=0) for line in lines if len(line)), np.zeros(2))
    lines = [_near(line, somewhere) for line in lines]
    origin = next((line[0] for line in lines if len(line)), np.zeros(2))
    driven, *others = (line - origin for line in lines)
    return driven, others[: len(paths)], others[len(paths) :]


def _finite_xy(points_m: NDArray[np.float64]) -> NDArray[np.float64]:
    xy = np.asarray(points_m, dtype=np.float64).reshape(-1, 3)[:, :2]
    # Beyond this, differences of positions overflow or lose their metres; no frame on Earth has such positions.
    xy = xy[(np.abs(xy) <= _LARGEST_M).all(axis=1)]
    return xy[:: max(1, math.ceil(len(xy) / _POINTS_DRAWN))]


def _near(points_m: NDArray[np.float64], middle_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave out what no drive reaches, so that one wild point does not shrink everything else to a dot."""
    return points_m[(np.abs(points_m - middle_m) <= _FARTHEST_M).all(axis=1)]


def _view(points_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Choose limits with one scale for both axes, and the height of the plot in inches that fits them."""
    low, high = points_m.min(axis=0), points_m.max(axis=0)
    middle, size = 0.5 * (low + high), np.maximum(1.1 * (high - low), _SMALLEST_M * np.array([1.0, 0.3]))
    height_in = float(np.clip(_PLOT_WIDTH_IN * size[1] / size[0], *_PLOT_HEIGHT_IN))
    scale = max(size[0] / _PLOT_WIDTH_IN, size[1] / height_in)
    half = 0.5 * scale * np.array([_PLOT_WIDTH_IN, height_in])
    return middle - half, middle + half, height_in


def _plot(plot_height_in: float, theme: Theme) -> tuple[Figure, Axes]:
    height_in = plot_height_in + _MARGIN_IN["top"] + _MARGIN_IN["bottom"]
    figure = new_figure(_WIDTH_IN, height_in, theme)
    place = (
        _MARGIN_IN["left"] / _WIDTH_IN,
        _MARGIN_IN["bottom"] / height_in,
        _PLOT_WIDTH_IN / _WIDTH_IN,
        plot_height_in / height_in,
    )
    axes = figure.add_axes(place)
    dress(axes, theme)
    axes.set_aspect("equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=9 if axis is axes.xaxis else 6, steps=[1, 2, 5, 10]))
    axes.ticklabel_format(style="plain", useOffset=False)
    axes.set_xlabel("x [m], odometry frame, from the start")
    axes.set_ylabel("y [m]")
    return figure, axes


def _colours(t0s_ns: Sequence[int], theme: Theme) -> ScalarMappable:
    start_ns = min(t0s_ns, default=0)
    span_s = (max(t0s_ns, default=0) - start_ns) / 1e9
    stops = mpl.colormaps["plasma"](np.linspace(theme.map_from, theme.map_to, 64))
    return ScalarMappable(
        Normalize(0.0, span_s if span_s > 0.0 else 1.0), LinearSegmentedColormap.from_list("ticks", list(stops))
    )


def _draw_lines(
    axes: Axes,
    driven: NDArray[np.float64],
    predicted: Sequence[NDArray[np.float64]],
    rgba: NDArray[np.float64],
    theme: Theme,
) -> None:
    if len(driven):
        axes.plot(driven[:, 0], driven[:, 1], color=theme.driven, linewidth=6.0, alpha=0.55, solid_capstyle="round")
    drawn = [index for index, line in enumerate(predicted) if len(line)]
    axes.add_collection(
        LineCollection([predicted[index] for index in drawn], colors=rgba[drawn], linewidths=1.3), autolim=False
    )
    ends = np.array([predicted[index][-1] for index in drawn]).reshape(-1, 2)
    axes.scatter(ends[:, 0], ends[:, 1], s=9.0, c=rgba[drawn], zorder=3)
    if len(driven):
        axes.add_line(_end_mark(driven[0], _START, theme))
        axes.add_line(_end_mark(driven[-1], _END, theme))


def _draw_approved(axes: Axes, approved: Sequence[NDArray[np.float64]], theme: Theme) -> None:
    drawn = [line for line in approved if len(line)]
    axes.add_collection(
        LineCollection(drawn, colors=theme.ink, linewidths=1.5, linestyles=[_APPROVED_DASHES], zorder=3.5),
        autolim=False,
    )
    ends = np.array([line[-1] for line in drawn]).reshape(-1, 2)
    axes.scatter(ends[:, 0], ends[:, 1], s=26.0, marker="x", linewidths=1.3, color=theme.ink, zorder=3.6)


def _end_mark(point: NDArray[np.float64], mark: tuple[str, str, float], theme: Theme) -> Line2D:
    """A start or end mark at a point; at no point at all for the legend."""
    shape, label, size = mark
    return Line2D(
        point[:1], point[1:2], linestyle="", marker=shape, markersize=size, color=theme.paper,
        markeredgecolor=theme.ink, markeredgewidth=1.8, zorder=4, label=label,
    )  # fmt: skip


def _draw_legend(
    figure: Figure,
    axes: Axes,
    lines: _Lines,
    theme: Theme,
) -> None:
    driven, predicted, approved = lines
    handles = []
    if len(driven):
        handles.append(Line2D([], [], color=theme.driven, alpha=0.55, linewidth=6.0, label="driven"))
        handles += [_end_mark(np.zeros(0), mark, theme) for mark in (_START, _END)]
    if any(len(line) for line in predicted):
        colour = theme.series[3]
        label = "predicted, with its last point"
        handles.append(Line2D([], [], color=colour, linewidth=1.3, marker="o", markersize=3.0, label=label))
    if any(len(line) for line in approved):
        handles.append(
            Line2D(
                [], [], color=theme.ink, linewidth=1.5, linestyle=_APPROVED_DASHES, marker="x", markersize=5.0,
                label="approved",
            )
        )  # fmt: skip
    left = _MARGIN_IN["left"] / _WIDTH_IN
    if handles:
        figure.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(left, 1.0), ncols=len(handles), frameon=False,
            labelcolor=theme.ink, borderaxespad=0.6, columnspacing=1.8,
        )  # fmt: skip
    else:
        axes.text(0.5, 0.5, "no path to draw", transform=axes.transAxes, ha="center", va="center", color=theme.ink)


def _draw_scale_bar(axes: Axes, theme: Theme) -> None:
    """Draw a bar of a round length, at most a fifth of the plot."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    longest = 0.2 * (right - left)
    decade = 10.0 ** math.floor(math.log10(longest))
    length = max(step * decade for step in (1.0, 2.0, 5.0) if step * decade <= longest)
    end, height = right - 0.02 * (right - left), bottom + 0.06 * (top - bottom)
    axes.plot([end - length, end], [height, height], color=theme.ink, linewidth=2.2, solid_capstyle="butt", zorder=5)
    text = f"{length:g} m" if length < 1000.0 else f"{length / 1000.0:g} km"
    label = axes.annotate(
        text,
        (end - 0.5 * length, height),
        (0.0, 4.0),
        textcoords="offset points",
        ha="center",
        color=theme.ink,
        zorder=5,
    )
    label.set_bbox({"facecolor": theme.paper, "edgecolor": "none", "alpha": 0.75, "pad": 1.0})


def _draw_colour_bar(figure: Figure, axes: Axes, colours: ScalarMappable, theme: Theme) -> None:
    place = axes.get_position()
    beside = figure.add_axes((place.x1 + 0.022, place.y0, 0.014, place.height))
    bar = figure.colorbar(colours, cax=beside)
    bar.set_label("tick, s after the first answered one", color=theme.ink, fontsize=8.5)
    bar.ax.tick_params(colors=theme.ink, labelsize=8.5, length=3)
    bar.locator = MaxNLocator(nbins=5)
    bar.update_ticks()
    bar.outline.set_visible(False)
