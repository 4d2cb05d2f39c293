"""The cameras are where the calibration says."""

import math

import numpy as np
import pytest

from alpamayo_ros.geometry.camera import horizontal_fov_rad, project_points
from alpamayo_ros.structs.camera import CameraCalibration
from alpamayo_ros.world.rig import CAMERAS, PinholeCamera


def test_cameras_stand_in_the_order_that_four_camera_models_take() -> None:
    assert [camera.id for camera in CAMERAS] == [
        "camera_cross_left_120fov",
        "camera_front_wide_120fov",
        "camera_cross_right_120fov",
        "camera_front_tele_30fov",
    ]


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.id)
def test_intrinsics_state_the_field_of_view_of_the_name(camera: PinholeCamera) -> None:
    named_deg = float(camera.id.rsplit("_", 1)[1].removesuffix("fov"))
    assert math.degrees(horizontal_fov_rad(camera.intrinsics)) == pytest.approx(named_deg, abs=0.2)


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.id)
def test_the_optical_axis_has_the_stated_yaw_and_pitch(camera: PinholeCamera) -> None:
    right, down, ahead = camera.rig_from_optical.T
    assert math.degrees(math.atan2(ahead[1], ahead[0])) == pytest.approx(camera.yaw_deg, abs=1e-9)
    assert math.degrees(-math.asin(ahead[2])) == pytest.approx(camera.pitch_deg, abs=1e-9)
    assert right[2] == pytest.approx(0.0, abs=1e-12)
    assert down[2] < 0.0
    assert np.linalg.det(camera.rig_from_optical) == pytest.approx(1.0)


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.id)
def test_a_point_on_the_axis_appears_in_the_middle_of_the_picture(camera: PinholeCamera) -> None:
    point = np.array(camera.position) + 7.0 * camera.rig_from_optical[:, 2]
    pixels, visible = project_points(point[None], CameraCalibration(camera.id, camera.intrinsics, camera.pose))
    assert visible.all()
    assert pixels[0] == pytest.approx(np.array(camera.centre_px), abs=1e-6)
