"""Boxes are where projection says, and know what hides them."""

import numpy as np
import pytest

from alpamayo_ros.geometry.camera import project_points
from alpamayo_ros.geometry.rotation import to_matrix
from alpamayo_ros.structs.camera import CameraCalibration
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, camera

WIDE, TELE = camera(FRONT_FOUR[1]), camera(FRONT_FOUR[3])


def pixels(one, ego, points) -> np.ndarray:
    rig = (np.array(points) - np.array(ego.position)) @ to_matrix(np.array(ego.quaternion))
    return project_points(rig, CameraCalibration(one.id, one.intrinsics, one.pose))[0]


def box_corners(actor) -> np.ndarray:
    c, s = np.cos(actor.heading), np.sin(actor.heading)
    return np.array(
        [
            (actor.x + c * x - s * y, actor.y + s * x + c * y, z)
            for x in (-actor.length / 2.0, actor.length / 2.0)
            for y in (-actor.width / 2.0, actor.width / 2.0)
            for z in (0.0, actor.height)
        ]
    )


@pytest.mark.parametrize("one", [WIDE, TELE], ids=lambda one: one.id)
@pytest.mark.parametrize("kind", ["bus", "truck", "barrier"])
def test_a_box_spans_what_its_corners_project_to(made, plaza, one, kind: str) -> None:
    ego = made.ego(2.0)
    actor = made.actor("other", kind, 30.0, -1.75, 0.2)
    (found,) = plaza.visible_boxes(one, made.snapshot(ego, (actor,)))
    expected = pixels(one, ego, box_corners(actor)) + 0.5
    left, top, width, height = found.box_px
    low, high = expected.min(axis=0), expected.max(axis=0)
    slack = 0.12 * max(high - low) + 0.6
    assert (left, top) == pytest.approx(tuple(low), abs=slack)
    assert (left + width, top + height) == pytest.approx(tuple(high), abs=slack)
    assert found.kind == kind
    assert found.visible_share > 0.97
    assert found.distance_m == pytest.approx(26.2, abs=1.0)


def test_what_stands_behind_a_truck_is_hidden(made, renderer) -> None:
    ego = made.ego(2.0)
    truck = made.actor("truck", "truck", 20.0, -1.75)
    person = made.actor("person", "pedestrian", 28.0, -1.75)
    found = renderer.visible_boxes(WIDE, made.snapshot(ego, (person, truck)))
    assert [one.id for one in found] == ["truck"]
    beside = made.actor("person", "pedestrian", 28.0, 1.5)
    shown = {one.id: one for one in renderer.visible_boxes(WIDE, made.snapshot(ego, (beside, truck)))}
    assert shown["person"].visible_share > 0.9


def test_half_hidden_is_half_visible(made, renderer) -> None:
    ego = made.ego(2.0, -1.75)
    near = made.actor("near", "truck", 20.0, -1.75 - 1.2)
    far = made.actor("far", "van", 40.0, -1.75)
    shown = {one.id: one for one in renderer.visible_boxes(TELE, made.snapshot(ego, (far, near)))}
    assert 0.25 < shown["far"].visible_share < 0.75


def test_a_box_ends_with_the_picture_and_the_share_says_so(made, renderer) -> None:
    ego = made.ego(2.0)
    beside = made.actor("beside", "bus", 8.0, 2.5)
    (found,) = renderer.visible_boxes(WIDE, made.snapshot(ego, (beside,)))
    left, top, width, height = found.box_px
    assert (left, top) == (0.0, pytest.approx(0.0, abs=30.0))
    assert top + height <= 96.0
    assert width < 100.0
    assert 0.02 < found.visible_share < 0.9


def test_what_is_behind_the_camera_has_no_box(made, renderer) -> None:
    behind = made.actor("behind", "car", 20.0, -1.75)
    assert renderer.visible_boxes(WIDE, made.snapshot(made.ego(40.0), (behind,))) == ()
    assert len(renderer.visible_boxes(camera("camera_rear_tele_30fov"), made.snapshot(made.ego(40.0), (behind,)))) == 1


def test_signals_have_boxes_of_their_housing_without_the_pole(made, renderer) -> None:
    ego, signal = made.ego(20.0), made.signal(58.0)
    (found,) = renderer.visible_boxes(TELE, made.snapshot(ego, (), (signal,)))
    middle = pixels(TELE, ego, [(signal.x, signal.y, signal.z)])[0] + 0.5
    left, top, width, height = found.box_px
    assert (found.id, found.kind) == ("signal:west_1", "signal")
    assert (left + width / 2.0, top + height / 2.0) == pytest.approx(tuple(middle), abs=0.7)
    assert height == pytest.approx(1.2 * TELE.focal_px / 36.2, rel=0.15)
    assert found.visible_share > 0.95


def test_boxes_are_the_same_before_and_after_the_picture(made, renderer) -> None:
    one = made.snapshot(made.ego(2.0), (made.actor("a", "car", 20.0, -1.75),), (made.signal(58.0),))
    before = renderer.visible_boxes(TELE, one)
    renderer.render(TELE, one)
    assert renderer.visible_boxes(TELE, one) == before
    again = made.snapshot(made.ego(2.0), (made.actor("a", "car", 20.0, -1.75),), (made.signal(58.0),))
    assert renderer.visible_boxes(TELE, again) == before
