"""A camera with another field of view or direction than the profile's is named; an unknown one is not."""

import math

import pytest
from scipy.spatial.transform import Rotation

from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import CameraSpec
from alpamayo_ros.perception.camera_match import CameraMatch
from alpamayo_ros.perception.picture_file import PictureSize
from alpamayo_ros.structs.camera import CameraCalibration, CameraIntrinsics
from alpamayo_ros.structs.pose import Pose

FORWARD = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
"""Rig from optical of a camera that looks forward: its z axis is the rig's x axis."""


def intrinsics(fov_deg, model="", d=(), width=1920):
    half_rad = math.radians(fov_deg / 2)
    focal_px = width / 2 / (half_rad if model == "equidistant" else math.tan(half_rad))
    k = (focal_px, 0.0, (width - 1) / 2, 0.0, focal_px, 539.5, 0.0, 0.0, 1.0)
    return CameraIntrinsics(width, 1080, k, model, d)


def looking(yaw_deg, pitch_deg=0.0):
    turned = Rotation.from_euler("ZY", [yaw_deg, pitch_deg], degrees=True) * FORWARD
    return Pose((1.0, 0.0, 1.5), tuple(turned.as_quat().tolist()))


def mismatch(spec, calibrated=None, pose=None, info=None, **params):
    match = CameraMatch(spec, CameraCalibration("front", calibrated, pose), PerceptionParams(**params))
    if info is not None:
        match.set_camera_info(info)
    return match.mismatch


@pytest.mark.parametrize("model", ["", "plumb_bob", "rational_polynomial", "equidistant"])
@pytest.mark.parametrize(("fov_deg", "fits"), [(60.0, True), (67.9, True), (52.1, True), (68.1, False), (51.9, False)])
def test_a_field_of_view_within_the_tolerance_fits(model, fov_deg, fits):
    spec = CameraSpec("front", horizontal_fov_deg=60.0)
    for text in (mismatch(spec, intrinsics(fov_deg, model)), mismatch(spec, info=intrinsics(fov_deg, model))):
        assert (text is None) is fits
        if not fits:
            assert f"horizontal field of view is {fov_deg:.1f} deg by " in text
            assert "expected 60.0 deg within 8.0 deg" in text


def test_a_wide_distorted_lens_is_measured_by_its_rays_not_by_its_focal_length():
    # Barrel distortion: the focal length alone says 90 degrees, the rays at the edges are further apart.
    distorted = intrinsics(90.0, "plumb_bob", (-0.1, 0.0, 0.0, 0.0, 0.0))
    assert mismatch(CameraSpec("front", horizontal_fov_deg=90.0), distorted) is not None
    assert mismatch(CameraSpec("front", horizontal_fov_deg=102.0), distorted) is None


def test_camera_info_and_calibration_must_both_fit():
    spec = CameraSpec("front", horizontal_fov_deg=60.0)
    good, bad = intrinsics(60.0), intrinsics(120.0)
    assert "120.0 deg by CameraInfo" in mismatch(spec, good, info=bad)
    assert "120.0 deg by calibration" in mismatch(spec, bad, info=good)
    assert mismatch(spec, good, info=good) is None


def test_what_is_not_known_or_not_asked_for_is_no_mismatch():
    spec = CameraSpec("front", horizontal_fov_deg=60.0, yaw_deg=0.0)
    assert mismatch(spec) is None
    assert CameraMatch(spec, None, PerceptionParams()).mismatch is None
    assert mismatch(CameraSpec("front"), intrinsics(170.0), looking(180.0)) is None
    uncalibrated = CameraIntrinsics(1920, 1080, (0.0,) * 9)
    assert mismatch(spec, info=uncalibrated) is None


@pytest.mark.parametrize("k0", [math.nan, math.inf, -1000.0])
def test_a_focal_length_that_means_nothing_is_a_mismatch(k0):
    broken = CameraIntrinsics(1920, 1080, (k0, 0.0, 960.0, 0.0, 1000.0, 540.0, 0.0, 0.0, 1.0))
    assert "field of view is not known" in mismatch(CameraSpec("front", horizontal_fov_deg=60.0), info=broken)
    assert mismatch(CameraSpec("front"), info=broken) is None


@pytest.mark.parametrize(
    ("expected_deg", "yaw_deg", "fits"),
    [(0.0, 9.9, True), (0.0, -9.9, True), (0.0, 10.1, False), (55.0, -55.0, False), (180.0, -175.0, True),
     (-175.0, 179.0, True), (-175.0, 174.0, False), (540.0, 180.0, True)],
)  # fmt: skip
def test_yaw_is_compared_the_shorter_way_round(expected_deg, yaw_deg, fits):
    text = mismatch(CameraSpec("front", yaw_deg=expected_deg), pose=looking(yaw_deg, 15.0))
    assert (text is None) is fits
    if not fits:
        assert f"yaw of the optical axis is {yaw_deg:.1f} deg by calibration" in text


def test_a_camera_that_looks_down_has_no_yaw():
    assert "optical axis is vertical" in mismatch(CameraSpec("front", yaw_deg=0.0), pose=looking(0.0, 89.0))


@pytest.mark.parametrize("quaternion", [(0.0, 0.0, 0.0, 0.0), (math.nan, 0.0, 0.0, 1.0)])
def test_a_pose_without_direction_is_a_mismatch(quaternion):
    text = mismatch(CameraSpec("front", yaw_deg=0.0), pose=Pose((0.0, 0.0, 0.0), quaternion))
    assert "yaw is not known from calibration" in text


def test_tolerances_are_parameters():
    spec = CameraSpec("front", horizontal_fov_deg=60.0, yaw_deg=0.0)
    allowed = {"max_fov_error_deg": 30.0, "max_yaw_error_deg": 45.0}
    assert mismatch(spec, intrinsics(80.0), looking(40.0)) is not None
    assert mismatch(spec, intrinsics(80.0), looking(40.0), **allowed) is None


def test_sizes_are_those_of_every_source_that_has_one():
    match = CameraMatch(CameraSpec("front"), CameraCalibration("front", intrinsics(60.0), None), PerceptionParams())
    assert match.set_camera_info(CameraIntrinsics(0, 0, (0.0,) * 9))
    assert match.sizes == (("calibration", PictureSize(1920, 1080)),)
    assert match.set_camera_info(intrinsics(60.0, width=640))
    assert not match.set_camera_info(intrinsics(60.0, width=640))
    assert match.sizes == (("calibration", PictureSize(1920, 1080)), ("CameraInfo", PictureSize(640, 1080)))
