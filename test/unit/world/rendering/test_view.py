"""Projection agrees with the code that perception uses; clipping keeps what can be projected."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.geometry.camera import project_points
from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.structs.camera import CameraCalibration
from alpamayo_ros.world.rendering.rig import RING
from alpamayo_ros.world.rendering.view import NEAR_M, clip, view_of


@pytest.mark.parametrize("camera", RING, ids=lambda camera: camera.id)
def test_points_appear_where_the_calibration_projects_them(made, camera) -> None:
    ego = made.ego(12.0, -3.0, 0.7, 0.01, -0.02)
    view = view_of(camera, ego)
    rng = np.random.default_rng(0)
    optical = np.column_stack([rng.uniform(-3.0, 3.0, size=(20, 2)), rng.uniform(4.0, 30.0, 20)])
    world = view.eye + optical @ view.world_from_optical.T
    rig = (world - np.array(ego.position)) @ to_matrix(np.array(ego.quaternion))
    expected, _ = project_points(rig, CameraCalibration(camera.id, camera.intrinsics, camera.pose))
    inside = np.isfinite(expected).all(axis=1)
    assert inside.sum() > 5
    assert view.columns_rows(*view.optical(world))[inside] == pytest.approx(expected[inside], abs=1e-6)


def test_a_larger_picture_shows_the_same_at_the_same_share(made) -> None:
    ego = made.ego(0.0)
    one, two = view_of(RING[1], ego), view_of(RING[1], ego, 2)
    point = view_of(RING[1], ego).eye + np.array([[9.0, 2.0, -1.0]])
    small, large = (view.columns_rows(*view.optical(point))[0] for view in (one, two))
    assert (large + 0.5) / 2.0 - 0.5 == pytest.approx(small)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(*[st.floats(-50.0, 50.0)] * 3), min_size=3, max_size=3))
def test_clipped_corners_can_all_be_projected_and_lie_on_the_triangle(corners) -> None:
    slopes = (20.0, 12.0)
    kept = np.array(clip(corners, slopes)).reshape(-1, 3)
    if len(kept) == 0:
        return
    assert kept[:, 2].min() >= NEAR_M - 1e-9
    assert (np.abs(kept[:, 0]) <= slopes[0] * kept[:, 2] + 1e-6).all()
    assert (np.abs(kept[:, 1]) <= slopes[1] * kept[:, 2] + 1e-6).all()
    triangle = np.array(corners)
    normal = np.cross(triangle[1] - triangle[0], triangle[2] - triangle[0])
    assert np.abs((kept - triangle[0]) @ normal).max() <= 1e-6 * (1.0 + np.abs(normal).max())


def test_what_lies_in_front_is_not_changed_by_clipping() -> None:
    triangle = [(0.0, 0.0, 5.0), (1.0, 0.0, 5.0), (0.0, 1.0, 6.0)]
    assert clip(triangle, (10.0, 10.0)) == triangle


def test_what_lies_behind_disappears() -> None:
    assert clip([(0.0, 0.0, -5.0), (1.0, 0.0, -5.0), (0.0, 1.0, 0.1)], (10.0, 10.0)) == []
