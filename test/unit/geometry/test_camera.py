"""Projection into a camera picture, against OpenCV and against geometry done by hand."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.errors import CalibrationError
from alpamayo_ros.geometry.camera import (
    horizontal_fov_rad,
    project_ground_strip,
    project_points,
    resample_path,
)
from alpamayo_ros.structs.camera import CameraCalibration, CameraIntrinsics
from alpamayo_ros.structs.pose import Pose

WIDTH, HEIGHT = 1920, 1080
PINHOLE = (1000.0, 0.0, 960.0, 0.0, 1000.0, 540.0, 0.0, 0.0, 1.0)
WIDE = (500.0, 0.0, 960.0, 0.0, 500.0, 540.0, 0.0, 0.0, 1.0)
LOOKING_FORWARD = Pose((1.0, 0.0, 2.0), (-0.5, 0.5, -0.5, 0.5))
"""Optical z along rig x, optical x along rig -y, optical y along rig -z."""

BARREL = (-0.35, 0.1, 0.001, -0.0005, -0.01)
RATIONAL = (5.2, 2.1, 1e-4, -2e-4, 0.08, 5.5, 3.9, 0.6)
FISHEYE = (0.02, -0.01, 0.003, -0.0005)


def camera(k=PINHOLE, model="", d=(), pose=LOOKING_FORWARD):
    return CameraCalibration("front", CameraIntrinsics(WIDTH, HEIGHT, k, model, d), pose)


def test_a_point_straight_ahead_lands_on_the_principal_point():
    pixels, visible = project_points(np.array([[21.0, 0.0, 2.0]]), camera())
    np.testing.assert_allclose(pixels, [[960.0, 540.0]], atol=1e-9)
    assert visible.tolist() == [True]


def test_left_is_left_and_the_ground_is_below_the_horizon():
    pixels, visible = project_points(np.array([[11.0, 2.0, 0.0]]), camera())
    np.testing.assert_allclose(pixels, [[960.0 - 200.0, 540.0 + 200.0]], atol=1e-9)
    assert visible.all()


@pytest.mark.parametrize(
    ("model", "d"),
    [("", ()), ("plumb_bob", BARREL), ("plumb_bob", ()), ("rational_polynomial", RATIONAL)],
)
def test_pinhole_models_agree_with_opencv_inside_the_picture(model, d):
    rng = np.random.default_rng(3)
    depth = rng.uniform(2.0, 80.0, 200)
    optical = np.column_stack([rng.uniform(-0.6, 0.6, 200) * depth, rng.uniform(-0.3, 0.3, 200) * depth, depth])
    rig = np.column_stack([optical[:, 2] + 1.0, -optical[:, 0], -optical[:, 1] + 2.0])
    pixels, visible = project_points(rig, camera(model=model, d=d))
    expected, _ = cv2.projectPoints(
        optical.reshape(-1, 1, 3), np.zeros(3), np.zeros(3), np.reshape(PINHOLE, (3, 3)), np.array(d or (0.0,) * 4)
    )
    np.testing.assert_allclose(pixels, expected.reshape(-1, 2), atol=1e-6)
    assert visible.all()


def test_equidistant_follows_the_angle_and_not_its_tangent():
    for angle in (0.2, 0.8, 1.3):
        point = np.array([[1.0 + 10.0 * math.cos(angle), -10.0 * math.sin(angle), 2.0]])
        pixels, _ = project_points(point, camera(k=WIDE, model="equidistant", d=FISHEYE))
        square = angle * angle
        series = angle * (1 + FISHEYE[0] * square + FISHEYE[1] * square**2 + FISHEYE[2] * square**3)
        series += angle * FISHEYE[3] * square**4
        np.testing.assert_allclose(pixels, [[960.0 + 500.0 * series, 540.0]], atol=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308, -1e308])
def test_points_that_are_not_finite_or_absurdly_far_are_not_visible_and_disturb_no_other_point(bad):
    points = np.array([[bad, 0.0, 0.0], [11.0, 0.0, 0.0], [11.0, bad, bad]])
    pixels, visible = project_points(points, camera(model="plumb_bob", d=BARREL))
    assert visible.tolist() == [bad == 1e308, True, False]
    assert np.isfinite(pixels[1]).all()
    assert np.isnan(pixels[2]).all()


def test_no_points_give_no_pixels():
    pixels, visible = project_points(np.zeros((0, 3)), camera())
    assert pixels.shape == (0, 2)
    assert visible.shape == (0,)


@pytest.mark.parametrize(("model", "d"), [("", ()), ("plumb_bob", BARREL), ("equidistant", FISHEYE)])
def test_points_behind_the_camera_have_no_pixel(model, d):
    pixels, visible = project_points(
        np.array([[-9.0, 0.0, 2.0], [1.0, 0.0, 2.0], [-9.0, 3.0, 0.0]]), camera(model=model, d=d)
    )
    assert np.isnan(pixels).all()
    assert not visible.any()


def test_a_point_beside_the_picture_keeps_its_pixel_so_that_lines_can_be_clipped():
    pixels, visible = project_points(np.array([[11.0, 12.0, 2.0]]), camera())
    np.testing.assert_allclose(pixels, [[960.0 - 1200.0, 540.0]], atol=1e-9)
    assert not visible[0]


@settings(deadline=None, max_examples=150)
@given(
    angle=st.floats(0.01, 1.56),
    turn=st.floats(0.0, 2.0 * math.pi),
    lens=st.sampled_from(
        [
            ("plumb_bob", (-0.5894, 0.66, 0.0011, -0.001, -1.0088)),
            ("plumb_bob", (-0.35, 0.1, 0.02, -0.02, 0.0)),
            ("plumb_bob", (-0.3, 0.0, 0.0, 0.0)),
            ("rational_polynomial", (0.1, -0.4, 0.0, 0.0, -0.2, 0.2, -0.3, 0.0)),
            ("equidistant", (0.1, -0.3, 0.02, 0.0)),
        ]
    ),
)
def test_rays_further_off_the_axis_never_fold_back_into_the_picture(angle, turn, lens):
    model, d = lens
    steps = np.linspace(0.002, angle, 200)
    optical = np.column_stack([np.sin(steps) * math.cos(turn), np.sin(steps) * math.sin(turn), np.cos(steps)])
    rig = 20.0 * np.column_stack([optical[:, 2], -optical[:, 0], -optical[:, 1]]) + [1.0, 0.0, 2.0]
    pixels, visible = project_points(rig, camera(model=model, d=d))
    drawn = np.isfinite(pixels).all(axis=1)
    distance = np.hypot(*(pixels[drawn] - [960.0, 540.0]).T)
    assert drawn[0]
    assert np.all(np.diff(drawn.astype(int)) <= 0), "a ray beyond one without a pixel has a pixel"
    assert np.all(np.diff(distance) > 0.0), "a ray further off the axis lies nearer to the middle"
    assert not visible[~drawn].any()


def test_a_barrel_lens_without_the_guard_would_draw_rays_from_the_side_into_the_picture():
    folded, _ = cv2.projectPoints(
        np.array([[[1.75, 0.0, 1.0]]]),
        np.zeros(3),
        np.zeros(3),
        np.reshape(PINHOLE, (3, 3)),
        np.array([-0.3, 0, 0, 0.0]),
    )
    assert 0.0 < folded[0, 0, 0] < WIDTH
    pixels, visible = project_points(np.array([[2.0, -1.75, 2.0]]), camera(model="plumb_bob", d=(-0.3, 0.0, 0.0, 0.0)))
    assert np.isnan(pixels).all()
    assert not visible.any()


def test_horizontal_fov_of_a_pinhole_is_twice_the_arctangent():
    assert horizontal_fov_rad(CameraIntrinsics(1921, 1080, PINHOLE)) == pytest.approx(
        2.0 * math.atan(0.9605), abs=1e-12
    )


def test_horizontal_fov_of_a_fisheye_is_its_angle_even_beyond_180_degrees():
    k = (300.0, 0.0, 499.5, 0.0, 300.0, 400.0, 0.0, 0.0, 1.0)
    assert horizontal_fov_rad(CameraIntrinsics(1000, 800, k, "equidistant", (0.0,) * 4)) == pytest.approx(1000 / 300)


@pytest.mark.parametrize(("model", "d"), [("plumb_bob", BARREL), ("rational_polynomial", RATIONAL)])
def test_the_rays_of_the_horizontal_fov_project_onto_the_edges(model, d):
    radial = tuple(0.0 if index in (2, 3) else value for index, value in enumerate(d))
    fov = horizontal_fov_rad(CameraIntrinsics(WIDTH, HEIGHT, (1000.0, 0.0, 959.5, *PINHOLE[3:]), model, radial))
    points = np.array([[2.0, math.tan(side * 0.5 * fov), 2.0] for side in (1.0, -1.0)])
    pixels, _ = project_points(points, camera(k=(1000.0, 0.0, 959.5, *PINHOLE[3:]), model=model, d=radial))
    np.testing.assert_allclose(pixels[:, 0], [-0.5, WIDTH - 0.5], atol=1e-6)


def test_horizontal_fov_stops_at_the_fold_of_a_lens_model_that_cannot_reach_the_edge():
    fold = 1.0 / math.sqrt(3 * 0.8)
    fov = horizontal_fov_rad(CameraIntrinsics(WIDTH, HEIGHT, PINHOLE, "plumb_bob", (-0.8, 0.0, 0.0, 0.0)))
    assert fov == pytest.approx(2.0 * math.atan(fold), abs=1e-9)


@pytest.mark.parametrize(
    ("intrinsics", "words"),
    [
        (CameraIntrinsics(0, 1080, PINHOLE), "size 0 x 1080"),
        (CameraIntrinsics(WIDTH, HEIGHT, (0.0,) * 9), "focal lengths 0.0 and 0.0"),
        (CameraIntrinsics(WIDTH, HEIGHT, (math.nan, *PINHOLE[1:])), "9 finite numbers"),
        (CameraIntrinsics(WIDTH, HEIGHT, PINHOLE, "double_sphere"), "expected one of: equidistant, plumb_bob"),
        (CameraIntrinsics(WIDTH, HEIGHT, PINHOLE, "equidistant", (0.1,) * 5), "at most 4 finite numbers"),
        (CameraIntrinsics(WIDTH, HEIGHT, PINHOLE, "plumb_bob", (math.inf,) * 5), "at most 5 finite numbers"),
        (CameraIntrinsics(WIDTH, HEIGHT, PINHOLE, "", (0.1,)), "at most 0 finite numbers"),
    ],
)
def test_intrinsics_that_cannot_be_used_are_refused_in_words(intrinsics, words):
    with pytest.raises(CalibrationError, match=words):
        horizontal_fov_rad(intrinsics)
    with pytest.raises(CalibrationError, match=words):
        project_points(np.zeros((1, 3)), CameraCalibration("front", intrinsics, LOOKING_FORWARD))


@pytest.mark.parametrize(
    ("calibration", "words"),
    [
        (CameraCalibration("left", None, LOOKING_FORWARD), "'left' has no intrinsics"),
        (
            CameraCalibration("left", CameraIntrinsics(10, 10, PINHOLE), None),
            "'left' has no pose in the rig frame",
        ),
        (camera(pose=Pose((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0))), "quaternion of unit length"),
        (camera(pose=Pose((math.nan, 0.0, 0.0))), "expected finite numbers"),
    ],
)
def test_a_camera_without_a_usable_calibration_is_refused_in_words(calibration, words):
    with pytest.raises(CalibrationError, match=words):
        project_points(np.zeros((1, 3)), calibration)


def test_trailing_zero_coefficients_change_nothing():
    point = np.array([[9.0, 2.0, 0.5]])
    short, _ = project_points(point, camera(model="plumb_bob", d=BARREL))
    long, _ = project_points(point, camera(model="plumb_bob", d=(*BARREL, 0.0, 0.0, 0.0)))
    np.testing.assert_array_equal(short, long)


def test_a_strip_is_as_wide_as_asked_for_and_starts_where_the_picture_does():
    path = np.column_stack([np.linspace(0.0, 60.0, 64), np.zeros(64), np.zeros(64)])
    quads = project_ground_strip(path, 2.0, camera())
    near, far = quads[0], quads[-1]
    depth = 1000.0 * 2.0 / (near[0, 1] - 540.0)
    assert near[3, 0] - near[0, 0] == pytest.approx(2.0 * 1000.0 / depth, rel=1e-9)
    assert near[0, 1] >= HEIGHT - 1 > near[1, 1], "the first quadrilateral crosses the lower edge"
    assert far[1, 1] == pytest.approx(540.0 + 1000.0 * 2.0 / 59.0, abs=1e-6)
    assert np.isfinite(quads).all()


def test_a_strip_that_turns_away_leaves_no_quadrilateral_with_a_corner_out_of_reach():
    angle = np.linspace(0.0, 1.9 * math.pi, 200)
    loop = np.column_stack([12.0 * np.sin(angle), 12.0 * (1.0 - np.cos(angle)), np.zeros(200)])
    quads = project_ground_strip(loop, 1.9, camera(model="plumb_bob", d=BARREL))
    assert len(quads) > 10
    inside = (quads >= -0.5).all(axis=2) & (quads < [WIDTH - 0.5, HEIGHT - 0.5]).all(axis=2)
    assert inside.any(axis=1).all()


@pytest.mark.parametrize(
    "path",
    [
        np.zeros((0, 3)),
        np.zeros((64, 3)),
        np.full((64, 3), np.nan),
        np.random.default_rng(1).normal(0.0, 0.005, (64, 3)),
    ],
)
def test_standing_still_gives_no_strip(path):
    assert project_ground_strip(path, 1.9, camera()).shape == (0, 4, 2)
    assert resample_path(path, 0.25).shape == (0, 3)


def test_resampling_keeps_the_ends_leaves_out_bad_points_and_bounds_the_work():
    path = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [np.nan, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 2.0, 0.0]])
    points = resample_path(path, 0.5)
    np.testing.assert_allclose(points[[0, 2, -1]], [[0, 0, 0], [1, 0, 0], [1, 2, 0]], atol=1e-12)
    assert np.allclose(np.linalg.norm(np.diff(points, axis=0), axis=1), 0.5)
    assert len(resample_path(np.array([[0.0, 0.0, 0.0], [1e12, 0.0, 0.0]]), 0.25)) == 1201
