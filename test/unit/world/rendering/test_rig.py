"""The cameras are those of the model family, and their pose and intrinsics say the same as their angles."""

import math

import numpy as np
import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, RING, SHOWN_SIZE, TRAINING_SIZE, camera


def test_the_ring_has_the_seven_cameras_of_the_family_in_its_order() -> None:
    assert [one.id for one in RING] == [
        "camera_cross_left_120fov",
        "camera_front_wide_120fov",
        "camera_cross_right_120fov",
        "camera_rear_left_70fov",
        "camera_rear_tele_30fov",
        "camera_rear_right_70fov",
        "camera_front_tele_30fov",
    ]
    assert [RING.index(camera(one)) for one in FRONT_FOUR] == [0, 1, 2, 6]


@pytest.mark.parametrize("one", RING, ids=lambda one: one.id)
def test_the_id_states_the_field_of_view(one) -> None:
    stated = float(one.id.rsplit("_", 1)[1].removesuffix("fov"))
    edge = (one.width / 2.0) / one.focal_px
    assert 2.0 * math.degrees(math.atan(edge)) == pytest.approx(stated)


@pytest.mark.parametrize("one", RING, ids=lambda one: one.id)
def test_the_optical_axis_points_where_yaw_and_pitch_say(one) -> None:
    right, down, ahead = one.rig_from_optical.T
    yaw, pitch = math.radians(one.yaw_deg), math.radians(one.pitch_deg)
    expected = (math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), -math.sin(pitch))
    assert ahead == pytest.approx(expected)
    assert right[2] == pytest.approx(0.0, abs=1e-12)
    assert down[2] < 0.0
    assert np.cross(right, down) == pytest.approx(ahead)


def test_the_same_camera_in_another_size_sees_the_same_angle() -> None:
    small, large = (camera(FRONT_FOUR[1], *size) for size in (TRAINING_SIZE, SHOWN_SIZE))
    assert (small.width, small.height) == (160, 96)
    assert large.focal_px / small.focal_px == pytest.approx(large.width / small.width)
    assert small.intrinsics.height == 96
    assert small.pose == large.pose


def test_an_unknown_camera_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParameterError, match="camera 'front' is not known; expected one of: camera_cross_left"):
        camera("front")


def test_a_picture_without_room_is_refused() -> None:
    with pytest.raises(ParameterError, match="picture of 0 x 96 px is too small"):
        camera(FRONT_FOUR[0], 0, 96)
