"""Charts and pictures of two drives of one episode: from above, over time, and through a camera."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Literal, TypeAlias, TypeVar

import cv2
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from alpamayo_ros.report.canvas import Theme, dress, encode_png, new_figure, own_settings
from alpamayo_ros.report.cause_box import draw_cause_box
from alpamayo_ros.report.words import ascii_line
from alpamayo_ros.structs.counterfactual import CounterfactualData, CounterfactualDrive, DriveMoment, DrivePicture
from alpamayo_ros.structs.rationale import LONGITUDINAL_WORDS, LongitudinalAction

_Style: TypeAlias = Literal["solid"] | tuple[float, Sequence[float]]

_Value = TypeVar("_Value")

PICTURE_WIDTH_PX = 640
"""Two of them stand side by side on a page."""

_WIDTH_IN = 9.4
_PLOT_IN = (0.8, 8.4)
_ABOVE_HEIGHT_IN = (2.0, 6.4)
_ROAD_MARGIN_M = 12.0
_STRIP_RGB = (0, 205, 160)
_QUALITY = 82
_DASHES: _Style = (0, (4.0, 2.0))
_STYLES: tuple[_Style, _Style] = ("solid", _DASHES)
_ACTIONS = (
    LongitudinalAction.STOPPED,
    LongitudinalAction.DECELERATE,
    LongitudinalAction.KEEP_SPEED,
    LongitudinalAction.ACCELERATE,
    LongitudinalAction.REVERSE,
)


def draw_from_above(data: CounterfactualData, theme: Theme) -> bytes:
    """Draw both drives, the road and the changed actors, turned so that the drive leads to the right, as PNG."""
    turned = _turner(data)
    drives = [turned(_positions(drive)) for drive in (data.original, data.edited)]
    tracks = [(track, turned(track.xy_m)) for track in data.tracks if len(track.xy_m)]
    seen = np.concatenate([*drives, *(_near(points, drives) for _, points in tracks)])
    low, high = seen.min(axis=0) - _ROAD_MARGIN_M, seen.max(axis=0) + _ROAD_MARGIN_M
    size = high - low
    height_in = float(np.clip(_PLOT_IN[1] * size[1] / size[0], *_ABOVE_HEIGHT_IN))
    scale = max(size[0] / _PLOT_IN[1], size[1] / height_in)
    middle, half = 0.5 * (low + high), 0.5 * scale * np.array([_PLOT_IN[1], height_in])
    with own_settings():
        figure, axes = _plot(height_in, 0.75, theme)
        axes.set_aspect("equal")
        axes.set_xlim(middle[0] - half[0], middle[0] + half[0])
        axes.set_ylim(middle[1] - half[1], middle[1] + half[1])
        axes.grid(visible=False)
        road = [turned(outline) for outline in data.road_xy_m if len(outline) > 2]
        axes.add_collection(PolyCollection(road, facecolors=theme.faint, edgecolors="none", alpha=0.55), autolim=False)
        for track, points in tracks:
            style = _STYLES[track.edited_run]
            axes.plot(points[:, 0], points[:, 1], color=theme.failed, linewidth=1.6, linestyle=style)
            axes.plot(*points[-1:].T, marker="X", markersize=7.0, color=theme.failed, linestyle="")
        for points, colour, style, drive in zip(
            drives, theme.series, _STYLES, (data.original, data.edited), strict=False
        ):
            axes.plot(points[:, 0], points[:, 1], color=colour, linewidth=2.4, linestyle=style)
            seconds = points[[index for index, moment in enumerate(drive.moments) if _is_whole(moment.t_s)]]
            axes.plot(seconds[:, 0], seconds[:, 1], "o", color=colour, markersize=3.6)
        axes.plot(*drives[0][:1].T, marker="o", markersize=8.0, color=theme.paper, markeredgecolor=theme.ink)
        axes.set_xlabel("m from the start; a dot each second")
        _legend(figure, [*_drive_handles(data, theme), *_track_handles(data, theme)], theme)
        return encode_png(figure)


def draw_over_time(data: CounterfactualData, theme: Theme) -> bytes:
    """Draw the speed of both drives, and below it what each driver decided and the cause that it named, as PNG."""
    drives = (data.original, data.edited)
    end_s = max(moment.t_s for drive in drives for moment in drive.moments)
    with own_settings():
        figure, axes = _plot(2.1, 1.75, theme)
        for drive, colour, style in zip(drives, theme.series, _STYLES, strict=False):
            times = [moment.t_s for moment in drive.moments]
            axes.plot(
                times, [moment.speed_mps for moment in drive.moments], color=colour, linewidth=2.0, linestyle=style
            )
        for picture in data.original.pictures:
            axes.axvline(picture.t_s, color=theme.faint, linewidth=1.0, zorder=0)
        axes.set_ylabel("speed [m/s]")
        fastest = max(moment.speed_mps for drive in drives for moment in drive.moments)
        axes.set_ylim(min(0.0, axes.get_ylim()[0]), max(1.0, 1.1 * fastest))
        axes.set_xlim(0.0, end_s + 0.1)
        axes.tick_params(labelbottom=False)
        height_in = figure.get_figheight()
        below = figure.add_axes((_PLOT_IN[0] / _WIDTH_IN, 0.78 / height_in, _PLOT_IN[1] / _WIDTH_IN, 0.85 / height_in))
        used = _draw_decisions(below, drives, theme)
        below.set_xlim(0.0, end_s + 0.1)
        below.set_xlabel("s after the start")
        below.xaxis.set_major_locator(MaxNLocator(nbins=10, steps=[1, 2, 5, 10]))
        _legend(figure, _drive_handles(data, theme), theme)
        colours = _action_colours(theme)
        figure.legend(
            handles=[Patch(facecolor=colours[one], label=LONGITUDINAL_WORDS[one]) for one in _ACTIONS if one in used],
            loc="lower left", bbox_to_anchor=(_PLOT_IN[0] / _WIDTH_IN - 0.01, 0.0), ncols=5, frameon=False,
            labelcolor=theme.ink, fontsize=8.5, borderaxespad=0.2,
        )  # fmt: skip
        return encode_png(figure)


def draw_picture(picture: DrivePicture) -> tuple[bytes, int, int]:
    """Draw the plan onto the ground and the cited cause's box into a camera picture.

    Returns:
        JPEG, width and height in px.
    """
    scale = PICTURE_WIDTH_PX / picture.bgr.shape[1]
    size = (PICTURE_WIDTH_PX, max(1, round(picture.bgr.shape[0] * scale)))
    resized = cv2.resize(picture.bgr, size, interpolation=cv2.INTER_CUBIC)
    rgb: NDArray[np.uint8] = np.ascontiguousarray(resized[:, :, ::-1], dtype=np.uint8)
    _draw_strip(rgb, (picture.strip_px + 0.5) * scale - 0.5)
    if picture.box_px is not None:
        draw_cause_box(rgb, [value * scale for value in picture.box_px], picture.box_label)
    _, encoded = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes(), size[0], size[1]


def _draw_strip(rgb: NDArray[np.uint8], strip: NDArray[np.float64]) -> None:
    quads = strip[np.isfinite(strip).all(axis=(1, 2)) & (np.abs(strip) < 1e5).all(axis=(1, 2))]
    if not len(quads):
        return
    mask = np.zeros(rgb.shape[:2], dtype=np.uint8)
    for quad in np.round(quads * 16.0).astype(np.int32):
        cv2.fillConvexPoly(mask, quad, 255, cv2.LINE_8, 4)
    inside = mask > 0
    rgb[inside] = (0.62 * rgb[inside] + 0.38 * np.array(_STRIP_RGB)).astype(np.uint8)


def _positions(drive: CounterfactualDrive) -> NDArray[np.float64]:
    return np.array([(moment.x_m, moment.y_m) for moment in drive.moments], dtype=np.float64).reshape(-1, 2)


def _turner(data: CounterfactualData) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return what turns the world so that the longer of the drives leads to the right from the origin."""
    paths = [_positions(drive) for drive in (data.original, data.edited)]
    start: NDArray[np.float64] = paths[0][0]
    away = max((path[-1] - start for path in paths), key=lambda step: float(np.hypot(*step)))
    first = data.original.moments[0]
    angle = math.atan2(away[1], away[0]) if np.hypot(*away) > 1.0 else first.heading_rad
    cosine, sine = math.cos(angle), math.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])

    def turned(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((points.reshape(-1, 2) - start) @ turn, dtype=np.float64)

    return turned


def _near(points: NDArray[np.float64], drives: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Leave out where an actor is far from both drives, so that a long way does not shrink everything else."""
    driven = np.concatenate(drives)
    low, high = driven.min(axis=0) - 2.0 * _ROAD_MARGIN_M, driven.max(axis=0) + 2.0 * _ROAD_MARGIN_M
    near: NDArray[np.float64] = points[((points >= low) & (points <= high)).all(axis=1)]
    return near


def _is_whole(t_s: float) -> bool:
    return abs(t_s - round(t_s)) < 0.01


def _plot(plot_height_in: float, below_in: float, theme: Theme) -> tuple[Figure, Axes]:
    height_in = plot_height_in + below_in + 0.6
    figure = new_figure(_WIDTH_IN, height_in, theme)
    axes = figure.add_axes(
        (_PLOT_IN[0] / _WIDTH_IN, below_in / height_in, _PLOT_IN[1] / _WIDTH_IN, plot_height_in / height_in)
    )
    dress(axes, theme)
    return figure, axes


def _drive_handles(data: CounterfactualData, theme: Theme) -> list[Artist]:
    return [
        Line2D([], [], color=colour, linewidth=2.4, linestyle=style, label=ascii_line(drive.label, 60))
        for drive, colour, style in zip(
            (data.original, data.edited), theme.series, _STYLES, strict=False
        )
    ]  # fmt: skip


def _track_handles(data: CounterfactualData, theme: Theme) -> list[Artist]:
    names = dict.fromkeys(
        track.id if track.kind in track.id else f"{track.kind} {track.id}" for track in data.tracks if len(track.xy_m)
    )
    return [
        Line2D([], [], color=theme.failed, linewidth=1.6, marker="X", markersize=6.0, label=ascii_line(name, 40))
        for name in list(names)[:2]
    ]


def _legend(figure: Figure, handles: Sequence[Artist], theme: Theme) -> None:
    figure.legend(
        handles=list(handles), loc="upper left", bbox_to_anchor=(_PLOT_IN[0] / _WIDTH_IN - 0.01, 1.0), frameon=False,
        ncols=max(1, len(handles)), labelcolor=theme.ink, borderaxespad=0.5,
    )  # fmt: skip


def _action_colours(theme: Theme) -> dict[LongitudinalAction, str]:
    return dict(
        zip(_ACTIONS, (theme.failed, theme.series[1], theme.skipped, theme.series[2], theme.series[3]), strict=True)
    )


def _draw_decisions(axes: Axes, drives: Sequence[CounterfactualDrive], theme: Theme) -> set[LongitudinalAction]:
    """Draw a bar for each drive; return the decisions that occur."""
    dress(axes, theme)
    axes.grid(visible=False)
    axes.set_yticks([0.5, 1.5], ["as it is", "changed"])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(2.0, 0.0)
    colours = _action_colours(theme)
    used: set[LongitudinalAction] = set()
    for row, drive in enumerate(drives):
        for action, start_s, end_s in _spans(drive.moments, lambda moment: moment.longitudinal):
            if action in colours:
                used.add(action)
                axes.barh(row + 0.5, end_s - start_s, left=start_s, height=0.56, color=colours[action], alpha=0.9)
        for cause, start_s, end_s in _spans(drive.moments, lambda moment: moment.cause):
            words = cause.replace("_", " ")
            if words and end_s - start_s > 0.085 * len(words):
                axes.text(
                    0.5 * (start_s + end_s), row + 0.5, ascii_line(words, 40), ha="center", va="center", color="white",
                    fontsize=8.0, clip_on=True,
                )  # fmt: skip
    return used


def _spans(
    moments: Sequence[DriveMoment], key: Callable[[DriveMoment], _Value]
) -> Iterator[tuple[_Value, float, float]]:
    """Yield value, start and end in s of every stretch over which a value stays the same."""
    step_s = moments[1].t_s - moments[0].t_s if len(moments) > 1 else 0.1
    for value, group in groupby(moments, key=key):
        stretch = list(group)
        yield value, stretch[0].t_s, stretch[-1].t_s + step_s
