"""The bird's-eye view, for short, long and broken drives."""

import math
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alpamayo_ros.report.birds_eye import _PLOT_WIDTH_IN, PATHS_DRAWN, _view, draw_birds_eye, paths_to_draw
from alpamayo_ros.report.canvas import DARK, LIGHT


def pixels(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].astype(int)


def coloured(picture, background):
    """Pixels that are neither background nor a shade of grey."""
    spread = picture.max(axis=2) - picture.min(axis=2)
    return int(((spread > 60) & (np.abs(picture - background).max(axis=2) > 60)).sum())


@pytest.mark.parametrize("count", [0, 1, 24, 25, 48, 1000])
def test_every_nth_path_is_drawn_so_that_few_remain(make_path, count):
    drawn = paths_to_draw([make_path(index) for index in range(count)])
    assert min(count, 13) <= len(drawn) <= PATHS_DRAWN
    assert len({b.t0_ns - a.t0_ns for a, b in pairwise(drawn)}) <= 1


@settings(deadline=None, max_examples=200)
@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 20), st.just(2)), elements=st.floats(-1e7, 1e7)))
def test_one_metre_is_as_long_in_x_as_in_y_and_everything_is_in_view(points):
    low, high, height_in = _view(points)
    metres_per_inch = (high - low) / [_PLOT_WIDTH_IN, height_in]
    assert metres_per_inch[0] == pytest.approx(metres_per_inch[1], rel=1e-6)
    assert (points >= low).all()
    assert (points <= high).all()
    assert (high - low).min() >= 2.9
    assert 2.0 <= height_in <= 7.0


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_a_short_and_a_long_drive_both_show_their_predictions(data, winding, make_path, theme):
    background = [int(theme.paper[start : start + 2], 16) for start in (1, 3, 5)]
    short = pixels(draw_birds_eye(data.driven_odom_xyz_m, paths_to_draw(data.paths), theme))
    along = [make_path(index, speed_mps=12.0) for index in range(0, 4800, 200)]
    along = [replace(path, odom_xyz_m=winding[200 * n : 200 * n + 64]) for n, path in enumerate(along)]
    long = pixels(draw_birds_eye(winding, along, theme))
    for picture in (short, long):
        plot = picture[:, : int(0.87 * picture.shape[1])]
        assert coloured(plot, background) > 400, "predicted paths are hard to see"
        assert 200 < picture.shape[0] < 900
        assert picture.shape[1] == short.shape[1]


def test_one_wild_point_does_not_shrink_the_drive_to_a_dot(data, make_path):
    wild = data.driven_odom_xyz_m.copy()
    wild[50] = [1e300, -1e300, 0.0]
    wild[60] = np.nan
    kept = np.delete(data.driven_odom_xyz_m, [50, 60], axis=0)
    assert draw_birds_eye(wild, data.paths[:1], LIGHT) == draw_birds_eye(kept, data.paths[:1], LIGHT)


@pytest.mark.parametrize(
    "driven", [np.zeros((0, 3)), np.zeros((1, 3)), np.full((5, 3), np.nan), np.full((5, 3), 3.0)], ids=str
)
def test_standing_still_and_missing_paths_give_a_picture_all_the_same(make_path, driven):
    empty = replace(make_path(), odom_xyz_m=np.full((64, 3), np.nan))
    for paths in ((), (empty,), (make_path(speed_mps=0.0),)):
        assert pixels(draw_birds_eye(driven, paths, LIGHT)).shape[0] > 200


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_approved_path_is_drawn_where_it_is_another_and_only_there(data, make_path, approve, theme):
    ink = [int(theme.ink[start : start + 2], 16) for start in (1, 3, 5)]

    def plot(path):
        return pixels(draw_birds_eye(data.driven_odom_xyz_m, [path], theme))

    def inked(picture):
        # Without the legend above, the axis labels and the scale bar.
        return int((np.abs(picture - ink).max(axis=2)[60:-110, 130:] < 40).sum())

    alone = plot(make_path())
    assert inked(plot(approve(make_path(), left_m=2.0))) > inked(alone) + 300
    assert np.array_equal(plot(approve(make_path(), left_m=0.01)), alone)


@pytest.mark.parametrize("value", [1e308, -1e308, math.inf, math.nan, 1e13])
def test_positions_that_nothing_on_earth_has_raise_no_warning_and_draw_nothing(data, make_path, approve, value):
    driven = data.driven_odom_xyz_m.copy()
    driven[0] = value
    driven[1] = -value
    path = approve(make_path(), left_m=1.0)
    wild = path.odom_xyz_m.copy()
    wild[:32], wild[32:] = value, -value
    broken = replace(path, odom_xyz_m=wild, baseline_odom_xyz_m=-wild)
    assert draw_birds_eye(driven, [broken], LIGHT)[:4] == b"\x89PNG"
    assert draw_birds_eye(wild, [broken], LIGHT)[:4] == b"\x89PNG"
    same_origin = draw_birds_eye(data.driven_odom_xyz_m[2:], [make_path()], LIGHT)
    assert draw_birds_eye(driven, [make_path()], LIGHT) == same_origin


def test_a_wild_first_position_does_not_send_the_drive_out_of_view(data, make_path):
    wild = data.driven_odom_xyz_m.copy()
    wild[0] = [1e9, 0.0, 0.0]
    assert draw_birds_eye(wild, [make_path()], LIGHT) == draw_birds_eye(
        data.driven_odom_xyz_m[1:], [make_path()], LIGHT
    )
