"""Paths drawn onto the ground of camera pictures."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from alpamayo_ros.report.camera_view import draw_camera_view
from alpamayo_ros.structs.camera import CameraIntrinsics
from alpamayo_ros.structs.pose import Pose
from alpamayo_ros.structs.rationale import CausalFactor

BEHIND = Pose((0.0, 0.0, 1.5), (0.5, 0.5, -0.5, -0.5))


def seen(view):
    picture = cv2.imdecode(np.frombuffer(view.jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int)
    assert picture.shape == (view.height, view.width, 3)
    return picture


def greenish(picture):
    return (picture[:, :, 1] > picture[:, :, 2] + 25) & (picture[:, :, 1] > picture[:, :, 0])


def yellowish(picture):
    return (picture[:, :, 2] > 200) & (picture[:, :, 1] > 140) & (picture[:, :, 0] < 110)


def test_the_strip_covers_the_ground_ahead_with_the_width_of_the_vehicle(make_picture):
    picture = make_picture(driven_m=0.0)
    view = draw_camera_view(picture, picture.t0_ns)
    drawn = greenish(seen(view))
    assert view.note == ""
    assert not view.driven
    # Row 200 of 270, shown twice as large: the ground is 400 * 1.5 / (200 - 134.5) = 9.16 m ahead.
    columns = np.flatnonzero(drawn[401])
    assert columns.max() - columns.min() == pytest.approx(2 * 400 * 1.9 / 9.16, abs=8)
    assert 0.5 * (columns.max() + columns.min()) == pytest.approx(480, abs=3)
    assert not drawn[:270, 200:].any(), "something is drawn above the horizon"


def test_the_driven_path_is_a_line_where_it_was_driven(make_picture):
    picture = make_picture()
    view = draw_camera_view(picture, picture.t0_ns)
    columns = np.flatnonzero(yellowish(seen(view))[401, 250:]) + 250
    assert view.driven
    # 0.3 m to the left at 9.16 m.
    assert columns.mean() == pytest.approx(480 - 2 * 400 * 0.3 / 9.16, abs=4)


def test_a_picture_of_another_size_than_its_calibration_shows_the_same(make_picture, street):
    half = make_picture(bgr=cv2.resize(street, (240, 135), interpolation=cv2.INTER_AREA), driven_m=0.0)
    full = make_picture(driven_m=0.0)
    views = [draw_camera_view(picture, picture.t0_ns) for picture in (half, full)]
    drawn = [greenish(seen(view)) for view in views]
    assert (drawn[0] ^ drawn[1]).sum() < 0.02 * drawn[1].sum()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"speed_mps": 0.0}, "Standing still"),
        ({"speed_mps": 0.2}, "lies outside what this camera sees"),
    ],
)
def test_a_path_that_cannot_be_seen_says_so_in_the_picture(make_picture, change, words):
    picture = make_picture(driven_m=0.0, **change)
    view = draw_camera_view(picture, picture.t0_ns)
    assert words in view.note
    drawn = seen(view)
    assert not greenish(drawn)[200:].any()
    assert (drawn[400:460, 200:760].min(axis=2) > 200).sum() > 200, "the note is not written"


def test_a_camera_that_looks_backwards_shows_nothing_of_the_path(make_picture, camera):
    picture = make_picture(camera=replace(camera, rig_from_optical=BEHIND))
    assert "outside what this camera sees" in draw_camera_view(picture, picture.t0_ns).note


@pytest.mark.parametrize(
    "change",
    [
        {"intrinsics": None},
        {"rig_from_optical": None},
        {"intrinsics": CameraIntrinsics(480, 270, (0.0,) * 9)},
        {"rig_from_optical": Pose((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0))},
    ],
)
def test_without_a_usable_calibration_the_picture_is_shown_and_says_why(make_picture, camera, change):
    picture = make_picture(camera=replace(camera, **change))
    view = draw_camera_view(picture, picture.t0_ns)
    assert "no usable calibration" in view.note
    assert not greenish(seen(view)).any()


@pytest.mark.parametrize("path", [np.zeros((0, 3)), np.full((64, 3), np.nan)])
def test_a_missing_path_is_named_as_missing(make_picture, path):
    picture = make_picture(driven_m=0.0)
    picture = replace(picture, path=replace(picture.path, rig_xyz_m=path))
    assert draw_camera_view(picture, picture.t0_ns).note == "There is no predicted path at this tick."


def test_a_hostile_camera_name_is_drawn_as_text(make_picture, camera):
    picture = make_picture(camera=replace(camera, camera="$\\frac{\x00\n左<script>" * 20))
    assert draw_camera_view(picture, picture.t0_ns).width == 960


@pytest.mark.parametrize("shape", [(1, 1, 3), (2000, 40, 3), (3, 3000, 3)])
def test_pictures_of_odd_shapes_are_drawn(make_picture, shape):
    picture = make_picture(bgr=np.zeros(shape, np.uint8))
    view = draw_camera_view(picture, picture.t0_ns)
    assert view.width <= 960
    assert view.height <= 720
    seen(view)


def pinkish(picture):
    return (picture[:, :, 2] > 200) & (picture[:, :, 1] < 150) & (picture[:, :, 0] > 150)


def test_the_approved_path_is_a_dashed_line_where_it_is_another(make_picture, approve):
    picture = make_picture(driven_m=0.0)
    picture = replace(picture, path=approve(picture.path, left_m=0.5))
    view = draw_camera_view(picture, picture.t0_ns)
    drawn = pinkish(seen(view))
    assert view.approved
    # 0.5 m to the left; row r of the shown picture looks at the ground 400 * 1.5 / (0.5 * r - 134.75) m ahead.
    rows = [row for row in range(330, 480) if drawn[row, 300:].any()]
    for row in rows:
        columns = np.flatnonzero(drawn[row, 300:]) + 300
        assert columns.mean() == pytest.approx(479.5 - 800 * 0.5 * (0.5 * row - 134.75) / 600, abs=5)
    assert 0.35 < len(rows) / 150 < 0.9, "it is dashed"


@pytest.mark.parametrize("left_m", [0.0, 0.019])
def test_an_approved_path_that_looks_the_same_is_not_drawn_over_the_predicted_one(make_picture, approve, left_m):
    picture = make_picture()
    same = draw_camera_view(replace(picture, path=approve(picture.path, left_m=left_m)), picture.t0_ns)
    assert same == draw_camera_view(picture, picture.t0_ns)
    assert not same.approved


@pytest.mark.parametrize("value", [1e308, -1e308, 1e200, math.inf, math.nan])
def test_positions_that_nothing_on_earth_has_raise_no_warning(make_picture, value):
    picture = make_picture()
    wild = np.full((64, 3), value)
    wild[::2] *= -1.0
    everywhere = replace(picture.path, rig_xyz_m=wild, driven_rig_xyz_m=wild, baseline_rig_xyz_m=-wild)
    view = draw_camera_view(replace(picture, path=everywhere), picture.t0_ns)
    assert "predicted path" in view.note
    assert len(view.note) < 100
    assert not view.driven
    assert not view.approved
    one = picture.path.rig_xyz_m.copy()
    one[50] = value
    assert draw_camera_view(replace(picture, path=replace(picture.path, rig_xyz_m=one)), picture.t0_ns).note == ""


def test_the_box_of_a_cause_is_drawn_in_its_camera_only(make_picture):
    picture = make_picture()
    camera = picture.camera.camera
    height, width = picture.bgr.shape[:2]
    box = (0.25 * width, 0.25 * height, 0.2 * width, 0.2 * height)
    there, elsewhere = (
        replace(picture, path=replace(picture.path, causes=(CausalFactor("red_light", camera=name, box_px=box),)))
        for name in (camera, "another")
    )
    plain, boxed = draw_camera_view(picture, picture.t0_ns), draw_camera_view(there, picture.t0_ns)
    assert boxed.causes == ("red light",)
    assert boxed.jpeg != plain.jpeg
    assert draw_camera_view(elsewhere, picture.t0_ns) == plain


def test_a_picture_is_made_smaller_until_it_fits(make_picture):
    noise = np.random.default_rng(5).integers(0, 256, (270, 480, 3), dtype=np.uint8)
    picture = make_picture(bgr=noise)
    large, small, least = (draw_camera_view(picture, picture.t0_ns, limit) for limit in (10**9, 120_000, 1))
    assert len(large.jpeg) > 120_000 >= len(small.jpeg)
    assert len(least.jpeg) <= len(small.jpeg)
    assert seen(least).shape == (least.height, least.width, 3)
