"""Pictures show things where projection says, only what is not hidden, and the same bytes for the same moment."""

import dataclasses
import math

import cv2
import numpy as np
import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.geometry.camera import project_points
from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.structs.camera import CameraCalibration
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, RING, SHOWN_SIZE, camera
from alpamayo_ros.world.snapshot import KINDS

SMALL = [camera(one) for one in FRONT_FOUR]
WIDE, TELE = SMALL[1], SMALL[3]
MAGENTA = (255.0, 0.0, 255.0)


def pixels(one, ego, points) -> np.ndarray:
    """Project world points by the code that perception uses, not by the renderer's own."""
    rig = (np.array(points, dtype=float) - np.array(ego.position)) @ to_matrix(np.array(ego.quaternion))
    return project_points(rig, CameraCalibration(one.id, one.intrinsics, one.pose))[0]


def magenta(picture: np.ndarray) -> np.ndarray:
    """Rows and columns of pixels that are mostly magenta, haze or not."""
    blue, green, red = (picture[:, :, channel].astype(int) for channel in range(3))
    return np.argwhere((blue - green > 50) & (red - green > 50))


@pytest.mark.parametrize("one", [camera(one, *SHOWN_SIZE) for one in FRONT_FOUR], ids=lambda one: one.id)
@pytest.mark.parametrize(("distance_m", "bearing_deg"), [(12.0, 0.0), (18.0, 6.0), (30.0, -8.0)])
def test_a_van_appears_where_its_corners_project(made, plaza, one, distance_m: float, bearing_deg: float) -> None:
    ego = made.ego(5.0, -1.75, 0.1, 0.004, 0.003)
    bearing = ego.yaw + math.radians(one.yaw_deg + bearing_deg)
    x, y = ego.position[0] + distance_m * math.cos(bearing), ego.position[1] + distance_m * math.sin(bearing)
    van = made.actor("van", "van", x, y, 0.4, colour=MAGENTA)
    empty, shown = (plaza.render(one, made.snapshot(ego, actors)).astype(int) for actors in ((), (van,)))
    c, s = math.cos(0.4), math.sin(0.4)
    corners = [(x + c * a - s * b, y + s * a + c * b, z) for a in (-2.7, 2.7) for b in (-1.0, 1.0) for z in (0.3, 2.2)]
    expected = pixels(one, ego, corners)
    low, high = expected.min(axis=0), expected.max(axis=0)
    found = magenta(shown)
    changed = np.argwhere(np.abs(shown - empty).sum(axis=2) > 60)
    assert len(found) > 40
    frame = np.array([one.width - 1.0, one.height - 1.0])
    slack = 0.12 * (high - low).max() + 1.5
    assert found[:, 1].min() >= low[0] - 1.5
    assert found[:, 1].max() <= high[0] + 1.5
    assert found[:, 0].min() >= low[1] - 1.5
    assert found[:, 1].min() == pytest.approx(max(low[0], 0.0), abs=slack)
    assert found[:, 1].max() == pytest.approx(min(high[0], frame[0]), abs=slack)
    assert changed[:, 0].max() >= min(high[1], frame[1]) - slack


@pytest.mark.parametrize(("one", "ahead_m"), [(WIDE, 9.0), (TELE, 25.0)], ids=["wide", "tele"])
def test_lit_brake_lamps_shine_where_they_are(made, renderer, one, ahead_m: float) -> None:
    ego = made.ego(5.0)
    rear = ego.position[0] + ahead_m
    pictures = {}
    for braking in (False, True):
        car = made.actor("lead", "car", rear + 2.2, -1.75, braking=braking, colour=(90.0, 90.0, 90.0))
        pictures[braking] = renderer.render(one, made.snapshot(ego, (car,))).astype(int)
    for side in (-1.0, 1.0):
        column, row = np.round(pixels(one, ego, [(rear, -1.75 + side * 0.62, 0.78)])[0]).astype(int)
        lit, dark = pictures[True][row, column], pictures[False][row, column]
        assert lit[2] > 190
        assert lit[2] - lit[1] > 80
        assert lit[2] - dark[2] > 60


@pytest.mark.parametrize(("one", "ahead_m"), [(TELE, 40.0), (WIDE, 12.0)], ids=["tele", "wide"])
def test_signals_can_be_read_in_small_pictures(made, renderer, one, ahead_m: float) -> None:
    ego = made.ego(58.0 - ahead_m - one.position[0])
    seen = {}
    for state in ("red", "amber", "green", "off"):
        signal = made.signal(58.0, state)
        picture = renderer.render(one, made.snapshot(ego, (), (signal,))).astype(int)
        column, row = np.round(pixels(one, ego, [(signal.x, signal.y, signal.z)])[0]).astype(int)
        seen[state] = picture[row - 5 : row + 6, column - 3 : column + 4]
    blue, green, red = np.moveaxis(seen["red"], 2, 0)
    assert (red - green).max() > 90
    blue, green, red = np.moveaxis(seen["green"], 2, 0)
    assert (green - red).max() > 70
    blue, green, red = np.moveaxis(seen["amber"], 2, 0)
    assert np.minimum(red - blue, green - blue).max() > 60
    for lit in ("red", "amber", "green"):
        assert np.abs(seen[lit] - seen["off"]).sum(axis=2).max() > 150


def test_the_edge_line_is_painted_where_the_ground_projects(made, renderer) -> None:
    ego = made.ego(10.0)
    for one in (camera(WIDE.id, *SHOWN_SIZE), TELE):
        picture = renderer.render(one, made.snapshot(ego)).mean(axis=2)
        for ahead_m in (6.0, 9.0) if one.id == WIDE.id else (18.0, 24.0):
            points = [(ego.position[0] + ahead_m, y, 0.0) for y in (-3.28, -2.3)]
            (line_x, line_y), (lane_x, lane_y) = np.round(pixels(one, ego, points)).astype(int)
            assert picture[line_y, line_x] > picture[lane_y, lane_x] + 35


def test_the_horizon_is_where_it_projects_and_moves_up_when_the_nose_dips(made, renderer) -> None:
    rows = []
    for pitch in (0.0, 0.02):
        ego = made.ego(110.0, -1.75, 0.0, pitch)
        picture = renderer.render(TELE, made.snapshot(ego)).astype(int)
        greenness = (picture[:, :, 1] - picture[:, :, 0])[:, 5:25].mean(axis=1)
        horizon = pixels(TELE, ego, [(1e6, -1.75, 0.0)])[0][1]
        assert greenness[: int(horizon) - 18].max() < 5
        rows.append(horizon)
    assert rows[1] - rows[0] == pytest.approx(-TELE.focal_px * 0.02, abs=0.3)


def test_a_near_thing_hides_a_far_thing(made, renderer) -> None:
    ego = made.ego(5.0)
    far = made.actor("far", "car", 40.0, -1.75, colour=MAGENTA)
    near = made.actor("near", "truck", 20.0, -1.75, colour=(40.0, 40.0, 40.0))
    assert len(magenta(renderer.render(TELE, made.snapshot(ego, (far,))))) > 20
    assert len(magenta(renderer.render(TELE, made.snapshot(ego, (far, near))))) == 0


def test_a_thing_that_reaches_behind_the_camera_fills_its_side_of_the_picture(made, renderer) -> None:
    ego = made.ego(30.0)
    wall = made.actor("wall", "barrier", 30.0, 1.0, colour=MAGENTA)
    bus = made.actor("bus", "bus", 30.0, 1.2, colour=MAGENTA)
    assert len(renderer.render(SMALL[0], made.snapshot(ego, (wall,)))) == 96
    picture = renderer.render(SMALL[0], made.snapshot(ego, (bus,)))
    found = magenta(picture)
    assert len(found) > 0.2 * picture.shape[0] * picture.shape[1]


def test_people_are_visible_in_small_pictures(made, renderer) -> None:
    ego = made.ego(20.0)
    for one, ahead_m, least in ((TELE, 35.0, 30), (WIDE, 12.0, 12)):
        person = made.actor("person", "pedestrian", 20.0 + ahead_m, -1.75, 1.57, speed_mps=1.3, colour=MAGENTA)
        empty, shown = (renderer.render(one, made.snapshot(ego, actors)).astype(int) for actors in ((), (person,)))
        assert (np.abs(shown - empty).sum(axis=2) > 60).sum() > least


@pytest.mark.parametrize("one", RING, ids=lambda one: one.id)
def test_every_camera_has_a_picture_of_its_size(made, renderer, one) -> None:
    picture = renderer.render(one, made.snapshot(made.ego(30.0), (made.actor("a", "car", 42.0, -1.75),)))
    assert picture.shape == (96, 160, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 10.0


def busy(made, t_s: float = 0.0):
    actors = tuple(
        made.actor(
            f"actor_{index}", kind, 14.0 + 6.0 * index, -1.75 if index % 2 else 1.75, 3.1 * (index % 2), speed_mps=1.0
        )
        for index, kind in enumerate(KINDS)
    )
    return made.snapshot(made.ego(4.0 + t_s), actors, (made.signal(58.0),), t_s)


def test_the_same_moment_gives_the_same_bytes_from_another_renderer(made, road_map, renderer) -> None:
    other = Renderer(road_map, 3)
    for t_s in (7.0, 0.0, 30.0):
        other.render(WIDE, busy(made, t_s))
    for one in SMALL:
        assert np.array_equal(renderer.render(one, busy(made)), other.render(one, busy(made)))


def test_another_seed_shows_another_street(made, road_map, renderer) -> None:
    assert not np.array_equal(renderer.render(WIDE, busy(made)), Renderer(road_map, 4).render(WIDE, busy(made)))


def test_the_number_of_threads_changes_no_pixel(made, road_map) -> None:
    threads = cv2.getNumThreads()
    pictures = []
    try:
        for count in (1, 4):
            cv2.setNumThreads(count)
            one = Renderer(road_map, 5)
            pictures.append([one.render(camera(WIDE.id, *SHOWN_SIZE), busy(made)), one.render(TELE, busy(made))])
    finally:
        cv2.setNumThreads(threads)
    for first, second in zip(*pictures, strict=True):
        assert np.array_equal(first, second)


def test_oversampling_smooths_and_moves_nothing(made, road_map) -> None:
    pictures = [Renderer(road_map, 3, oversampling=count).render(WIDE, busy(made)).astype(float) for count in (1, 2, 4)]
    assert np.abs(pictures[0] - pictures[2]).mean() < 8.0
    assert np.abs(pictures[1] - pictures[2]).mean() < np.abs(pictures[0] - pictures[2]).mean()


def test_an_empty_world_far_from_the_map_has_ground_and_sky(made, renderer) -> None:
    picture = renderer.render(WIDE, made.snapshot(made.ego(5000.0, 9000.0)))
    assert picture[80].mean(axis=0)[1] > picture[80].mean(axis=0)[0]
    assert picture[5].mean(axis=0)[0] > 120.0


@pytest.mark.parametrize(("changes", "said"), [({"oversampling": 0}, "oversampling 0"), ({"seed": -1}, "seed -1")])
def test_what_cannot_be_rendered_is_refused(road_map, changes, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Renderer(road_map, **{"seed": 0, **changes})


def test_a_map_without_lanes_is_refused(road_map) -> None:
    with pytest.raises(ParameterError, match="road map 'by hand' has no lanes"):
        Renderer(dataclasses.replace(road_map, lanes={}), 0)


@pytest.mark.parametrize("changes", [{"position": (math.nan, 0.0, 0.0)}, {"yaw": math.inf}, {"pitch": math.nan}])
def test_an_ego_vehicle_that_is_nowhere_is_refused(made, renderer, changes) -> None:
    ego = dataclasses.replace(made.ego(10.0), **changes)
    with pytest.raises(ParameterError, match=r"step 0 has the ego vehicle at .* expected: finite numbers"):
        renderer.render(WIDE, made.snapshot(ego))


@pytest.mark.parametrize("t_s", [-0.1, math.nan])
def test_a_moment_before_the_start_is_refused(made, renderer, t_s: float) -> None:
    with pytest.raises(ParameterError, match="no time before the start"):
        renderer.render(WIDE, dataclasses.replace(made.snapshot(made.ego(10.0)), t_s=t_s))
