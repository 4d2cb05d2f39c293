"""Pictures show things where projection says, and only what is not hidden."""

import dataclasses
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.geometry.camera import project_points
from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.structs.camera import CameraCalibration
from alpamayo_ros.world.drive import EgoState
from alpamayo_ros.world.ground import CROSS_SECTION, METRES_PER_PX, GroundPainter
from alpamayo_ros.world.mesh import Mesh, MeshBuilder
from alpamayo_ros.world.renderer import NEAR_M, Renderer, clip
from alpamayo_ros.world.rig import CAMERAS, PinholeCamera
from alpamayo_ros.world.scene import Scene
from alpamayo_ros.world.shapes import SHAPES
from alpamayo_ros.world.traffic import CROSSING_M, MOVING

WIDE, TELE = CAMERAS[1], CAMERAS[3]
MAGENTA = (255.0, 0.0, 255.0)


def _pixels(camera: PinholeCamera, ego: EgoState, points: np.ndarray) -> np.ndarray:
    """Project world points by the code that perception and reports use, not by the renderer's own."""
    rig = (points - np.array(ego.position)) @ to_matrix(np.array(ego.quaternion))
    pixels, _ = project_points(rig, CameraCalibration(camera.id, camera.intrinsics, camera.pose))
    return pixels


def _cube(side: float) -> Mesh:
    half = side / 2.0
    builder = MeshBuilder([(-half, -half), (half, -half), (half, half), (-half, half)])
    builder.box((-half, -half, 0.0), (half, half, side), MAGENTA, plain=True)
    return builder.build()


def _magenta(picture: np.ndarray) -> np.ndarray:
    """Rows and columns of pixels that are mostly magenta, haze or not."""
    blue, green, red = (picture[:, :, channel].astype(int) for channel in range(3))
    return np.argwhere((blue - green > 90) & (red - green > 90))


def _alone(scene: Scene, mesh: Mesh) -> Renderer:
    """A renderer of the same street with one thing on it."""
    return Renderer(dataclasses.replace(scene, standing=(mesh,), vehicles=()))


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.id)
@pytest.mark.parametrize(("distance_m", "bearing_deg"), [(9.0, 0.0), (14.0, 6.0), (25.0, -8.0)])
def test_a_box_appears_where_its_corners_project(
    scene: Scene, camera: PinholeCamera, distance_m: float, bearing_deg: float
) -> None:
    ego = scene.ego.state(11.5)
    bearing = ego.yaw + math.radians(camera.yaw_deg + bearing_deg)
    place = np.array(ego.position) + (distance_m + 2.0) * np.array([math.cos(bearing), math.sin(bearing), 0.0])
    mesh = _cube(1.6).placed(float(place[0]), float(place[1]), 0.4)
    found = _magenta(_alone(scene, mesh).render(camera, ego, 11.5))
    corners = _pixels(camera, ego, np.unique(mesh.vertices.round(9), axis=0))
    assert len(corners) == 8
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert (low > 1.0).all()
    assert high[0] < camera.width - 2
    assert found[:, 1].min() == pytest.approx(low[0], abs=1.1)
    assert found[:, 1].max() == pytest.approx(high[0], abs=1.1)
    assert found[:, 0].min() == pytest.approx(low[1], abs=1.1)
    assert found[:, 0].max() == pytest.approx(min(high[1], camera.height - 1.0), abs=1.1)


@pytest.mark.parametrize("camera", [WIDE, TELE], ids=lambda camera: camera.id)
def test_the_lit_brake_lamps_of_the_lead_vehicle_shine_where_they_are(
    scene: Scene, renderer: Renderer, camera: PinholeCamera
) -> None:
    t_s = 12.5
    ego = scene.ego.state(t_s)
    lead, shape = MOVING[0], SHAPES[MOVING[0].shape]
    place = lead.placement(scene.lane, t_s)
    assert place is not None
    picture = renderer.render(camera, ego, t_s)
    for side in (-1.0, 1.0):
        x, y, z = -shape.length_rear, side * 0.77 * shape.width / 2.0, shape.waist - 0.15
        c, s = math.cos(place.heading), math.sin(place.heading)
        world = np.array([[place.x + c * x - s * y, place.y + s * x + c * y, z]])
        column, row = np.round(_pixels(camera, ego, world)[0]).astype(int)
        _, green, red = picture[row, column].tolist()
        assert red > 200
        assert green < 110


def test_the_traffic_light_turns_from_green_to_red(scene: Scene, renderer: Renderer) -> None:
    seen = {}
    post = scene.lane.point(CROSSING_M - 0.6, CROSS_SECTION.right_kerb - 0.7)
    c, s = math.cos(post.heading), math.sin(post.heading)
    ego = scene.ego.state(12.0)
    for t_s, z in ((8.0, 2.55), (9.0, 2.90), (11.0, 3.25)):
        world = np.array([[post.x - 0.165 * c, post.y - 0.165 * s, z]])
        column, row = np.round(_pixels(TELE, ego, world)[0]).astype(int)
        seen[t_s] = renderer.render(TELE, ego, t_s)[row, column].astype(int)
    blue, green, red = seen[8.0]
    assert green > red + 60
    blue, green, red = seen[9.0]
    assert red > blue + 100
    assert green > blue + 60
    blue, green, red = seen[11.0]
    assert red > green + 100


def test_the_edge_line_is_painted_where_the_ground_projects(scene: Scene, renderer: Renderer) -> None:
    ego = scene.ego.state(14.0)
    picture = renderer.render(WIDE, ego, 14.0).mean(axis=2)
    s_m = scene.ego.motion.position_m(14.0)
    for ahead_m in (6.0, 8.0, 10.0):
        brightness = {}
        for name, d_m in (("line", CROSS_SECTION.right_edge), ("lane", CROSS_SECTION.right_edge + 0.6)):
            point = scene.lane.point(s_m + ahead_m, d_m)
            column, row = np.round(_pixels(WIDE, ego, np.array([[point.x, point.y, 0.0]]))[0]).astype(int)
            brightness[name] = picture[row, column]
        assert brightness["line"] > brightness["lane"] + 40


@pytest.mark.parametrize(
    ("camera", "distance_m", "side_m"),
    [(WIDE, 4.0, 0.8), (WIDE, 12.0, 2.0), (WIDE, 30.0, 6.0), (TELE, 20.0, 1.0), (TELE, 45.0, 5.0), (TELE, 90.0, 12.0)],
    ids=lambda value: getattr(value, "id", str(value)),
)
def test_a_square_on_the_ground_appears_where_it_projects_at_every_fineness(
    scene: Scene, camera: PinholeCamera, distance_m: float, side_m: float
) -> None:
    ego = dataclasses.replace(scene.ego.state(0.0), position=(0.0, 0.0, 0.0), yaw=0.0, pitch=0.004)
    half = side_m / 2.0
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half)]) + np.array([distance_m, 0.3])
    pictures = []
    for painted in (False, True):
        painter = GroundPainter(scene.lane, (-5.0, -30.0), (130.0, 30.0))
        if painted:
            painter.polygon(corners, MAGENTA)
        unseen = _cube(0.1).placed(0.0, -200.0, 0.0)
        street = dataclasses.replace(scene, ground=painter.ground(), standing=(unseen,), vehicles=())
        pictures.append(Renderer(street).render(camera, ego, 0.0).astype(float))
    cover = np.abs(pictures[1] - pictures[0]).sum(axis=2)
    cover /= np.sort(cover.ravel())[-10]
    rows, columns = np.indices(cover.shape)
    outline = _pixels(camera, ego, np.column_stack([corners, np.zeros(4)])).astype(np.float32)
    moments = cv2.moments(outline)
    # OpenCV's smoothed polygons are up to a pixel of the ground's picture too wide, and half of one off.
    blur_px = METRES_PER_PX * camera.focal_px / distance_m
    assert cover.sum() == pytest.approx(moments["m00"], rel=0.2)
    assert (cover * columns).sum() / cover.sum() == pytest.approx(moments["m10"] / moments["m00"], abs=0.3 + blur_px)
    assert (cover * rows).sum() / cover.sum() == pytest.approx(moments["m01"] / moments["m00"], abs=0.3 + blur_px / 3.0)


def test_the_sky_moves_up_when_the_nose_dips(scene: Scene) -> None:
    renderer = _alone(scene, _cube(0.2).placed(-30.0, 30.0, 0.0))
    braking = scene.ego.state(12.0)
    assert braking.pitch > 0.005
    rows = []
    for pitch in (0.0, braking.pitch):
        ego = dataclasses.replace(braking, position=(0.0, 0.0, 0.0), pitch=pitch, roll=0.0)
        rows.append(renderer.render(TELE, ego, 0.0).astype(float)[:, 100:200])
    level, dipped = rows
    misfit = [np.abs(level[60 + shift : 100 + shift] - dipped[60:100]).mean() for shift in range(20)]
    assert int(np.argmin(misfit)) == pytest.approx(TELE.focal_px * math.tan(braking.pitch), abs=1.0)


def test_the_same_moment_gives_the_same_bytes_from_another_renderer(scene: Scene, renderer: Renderer) -> None:
    ego = scene.ego.state(6.0)
    again = Renderer(scene).render(WIDE, ego, 6.0)
    assert np.array_equal(renderer.render(WIDE, ego, 6.0), again)
    assert again.shape == (WIDE.height, WIDE.width, 3)
    assert again.dtype == np.uint8


def test_the_number_of_threads_changes_no_pixel(scene: Scene, renderer: Renderer) -> None:
    ego = scene.ego.state(9.0)
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = renderer.render(WIDE, ego, 9.0)
        cv2.setNumThreads(4)
        together = renderer.render(WIDE, ego, 9.0)
    finally:
        cv2.setNumThreads(threads)
    assert np.array_equal(alone, together)


def test_a_near_thing_hides_a_far_thing(scene: Scene) -> None:
    ego = scene.ego.state(14.0)
    s_m = scene.ego.motion.position_m(14.0)
    near, far = (scene.lane.point(s_m + ahead_m) for ahead_m in (9.0, 20.0))
    wall = MeshBuilder([(-0.2, -3.0), (0.2, -3.0), (0.2, 3.0), (-0.2, 3.0)])
    wall.box((-0.2, -3.0, 0.0), (0.2, 3.0, 4.0), (40.0, 40.0, 40.0))
    hidden = _cube(1.5).placed(far.x, far.y, far.heading)
    shown = _magenta(_alone(scene, hidden).render(WIDE, ego, 14.0))
    both = dataclasses.replace(scene, standing=(hidden, wall.build().placed(near.x, near.y, near.heading)), vehicles=())
    assert len(shown) > 50
    assert len(_magenta(Renderer(both).render(WIDE, ego, 14.0))) == 0


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(*[st.floats(-50.0, 50.0)] * 3), min_size=3, max_size=3))
def test_clipped_corners_can_all_be_projected_and_lie_on_the_triangle(
    corners: list[tuple[float, float, float]],
) -> None:
    triangle = np.array(corners)
    slopes = (20.0, 12.0)
    kept = clip(triangle, slopes)
    if len(kept) == 0:
        return
    assert kept[:, 2].min() >= NEAR_M - 1e-9
    assert (np.abs(kept[:, 0]) <= slopes[0] * kept[:, 2] + 1e-6).all()
    assert (np.abs(kept[:, 1]) <= slopes[1] * kept[:, 2] + 1e-6).all()
    normal = np.cross(triangle[1] - triangle[0], triangle[2] - triangle[0])
    assert np.abs((kept - triangle[0]) @ normal).max() <= 1e-6 * (1.0 + np.abs(normal).max())


def test_what_lies_in_front_is_not_changed_by_clipping() -> None:
    triangle = np.array([[0.0, 0.0, 5.0], [1.0, 0.0, 5.0], [0.0, 1.0, 6.0]])
    assert clip(triangle, (10.0, 10.0)) == pytest.approx(triangle)


def test_what_lies_behind_disappears() -> None:
    triangle = np.array([[0.0, 0.0, -5.0], [1.0, 0.0, -5.0], [0.0, 1.0, 0.1]])
    assert clip(triangle, (10.0, 10.0)).shape == (0, 3)


def test_a_thing_that_reaches_behind_the_camera_fills_its_side_of_the_picture(scene: Scene) -> None:
    ego = scene.ego.state(14.0)
    builder = MeshBuilder([(-40.0, 1.0), (40.0, 1.0), (40.0, 2.0), (-40.0, 2.0)])
    builder.box((-40.0, 1.0, 0.0), (40.0, 2.0, 30.0), MAGENTA, plain=True)
    mesh = builder.build().placed(ego.position[0], ego.position[1], ego.yaw)
    found = _magenta(_alone(scene, mesh).render(WIDE, ego, 14.0))
    left = found[found[:, 1] < 0.25 * WIDE.width]
    assert len(left) > 0.95 * 0.25 * WIDE.width * WIDE.height
    assert found[:, 1].max() < WIDE.width / 2.0 + 12.0
