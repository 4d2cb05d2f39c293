"""A cause is shown by the camera that shows most of it, and a box means the actor that it covers."""

import pytest

from alpamayo_ros.world.causal_box import boxed_actor, causal_box
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, camera
from alpamayo_ros.world.snapshot import Snapshot

CAMERAS = tuple(camera(name, 160, 96) for name in FRONT_FOUR)


@pytest.fixture(scope="module")
def snapshot(braking_record: EpisodeRecord, braking_s: float) -> Snapshot:
    return braking_record.at(braking_s + 2.0)


@pytest.fixture(scope="module")
def drawn(braking_record: EpisodeRecord) -> Renderer:
    return Renderer(braking_record.road_map, braking_record.spec.seed, braking_record.spec.conditions)


def test_the_box_is_that_of_the_camera_that_shows_most(snapshot: Snapshot, drawn: Renderer) -> None:
    box = causal_box(drawn, CAMERAS, snapshot, "pedestrian")
    assert box is not None
    areas = {
        one.id: found.box_px[2] * found.box_px[3] * found.visible_share
        for one in CAMERAS
        for found in drawn.visible_boxes(one, snapshot)
        if found.id == "pedestrian"
    }
    assert box.camera == max(areas, key=lambda name: areas[name])
    left, top, width, height = box.box_px
    assert 0.0 <= left < left + width <= 160.0
    assert 0.0 <= top < top + height <= 96.0


def test_a_rule_and_a_stranger_have_no_box(snapshot: Snapshot, drawn: Renderer) -> None:
    for name in ("", "nobody"):
        assert causal_box(drawn, CAMERAS, snapshot, name) is None
    assert causal_box(drawn, (), snapshot, "pedestrian") is None


def test_a_box_means_the_actor_that_it_covers_most(snapshot: Snapshot, drawn: Renderer) -> None:
    box = causal_box(drawn, CAMERAS, snapshot, "pedestrian")
    assert box is not None
    one = camera(box.camera, 160, 96)
    assert boxed_actor(drawn, one, snapshot, box.box_px) == "pedestrian"
    left, top, width, height = box.box_px
    assert boxed_actor(drawn, one, snapshot, (left + 0.2 * width, top, width, height)) == "pedestrian"
    assert boxed_actor(drawn, one, snapshot, (0.0, 90.0, 3.0, 3.0)) == ""
    assert boxed_actor(drawn, one, snapshot, (0.0, 0.0, 0.0, 0.0)) == ""
    assert boxed_actor(drawn, one, snapshot, (float("nan"), 0.0, 4.0, 4.0)) == ""
