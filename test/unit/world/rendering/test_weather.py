"""Conditions change pictures the way they are named, the more the stronger, and stay at their place."""

import dataclasses

import numpy as np
import pytest

from alpamayo_ros.world.conditions import CLEAR, Conditions
from alpamayo_ros.world.rendering.lamps import LightMap, beam_on
from alpamayo_ros.world.rendering.light import light_of
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, camera
from alpamayo_ros.world.rendering.view import view_of
from alpamayo_ros.world.rendering.weather import Lens

LEFT, WIDE, RIGHT, TELE = (camera(one) for one in FRONT_FOUR)


@pytest.fixture(scope="module")
def scene(made):
    actors = (
        made.actor("near", "car", 24.0, -1.75, braking=True),
        made.actor("far", "van", 50.0, 1.75, 3.14),
        made.actor("person", "pedestrian", 26.0, -5.0, speed_mps=1.3),
    )
    return made.snapshot(made.ego(10.0), actors, (made.signal(58.0),), 2.0)


@pytest.fixture(scope="module")
def drawn(road_map, scene):
    kept: dict[Conditions, Renderer] = {}

    def draw(conditions: Conditions, one=WIDE, **changes: object) -> np.ndarray:
        renderer = kept.setdefault(conditions, Renderer(road_map, 3, conditions))
        return renderer.render(one, dataclasses.replace(scene, **changes)).astype(float)

    return draw


@pytest.mark.parametrize("name", ["rain", "fog", "night", "dirt"])
def test_a_stronger_condition_changes_more_of_the_picture(drawn, name: str) -> None:
    clear = drawn(CLEAR)
    changes = [np.abs(drawn(Conditions(**{name: strength})) - clear).mean() for strength in (0.2, 0.6, 1.0)]
    assert 0.3 < changes[0] < changes[1] < changes[2]


def test_a_condition_that_hardly_is_changes_hardly_anything(drawn) -> None:
    clear = drawn(CLEAR)
    for name in ("rain", "fog", "night"):
        assert np.abs(drawn(Conditions(**{name: 0.02})) - clear).mean() < 5.0


def test_fog_takes_contrast_with_distance(made, road_map) -> None:
    foggy = Renderer(road_map, 3, Conditions(fog=0.9))
    near, far = (made.actor("one", "van", 2.0 + ahead, -1.75, colour=(20.0, 20.0, 20.0)) for ahead in (10.0, 45.0))
    shades = {}
    for name, van in (("near", near), ("far", far)):
        picture = foggy.render(TELE, made.snapshot(made.ego(0.0), (van,))).astype(float)
        shades[name] = picture[44:52, 78:84].mean()
    assert shades["near"] < 120.0
    assert shades["far"] > 170.0


def test_night_is_dark_but_lamps_are_bright(drawn) -> None:
    night = drawn(Conditions(night=1.0), TELE)
    assert night.mean() < 0.6 * drawn(CLEAR, TELE).mean()
    assert night[:20].mean() < 60.0
    red = night[:, :, 2] - night[:, :, 1]
    assert red.max() > 120.0


def test_headlights_light_the_road_ahead_and_not_the_side(made) -> None:
    ego = made.ego(0.0, 0.0)
    share = beam_on(np.array([(12.0, 12.0, 12.0, 40.0, -5.0), (0.0, 4.0, 12.0, 0.0, 0.0)]), ego)
    assert share[0] > 0.8
    assert share[0] > share[1] > share[2]
    assert share[2] < 0.1
    assert share[3] < 0.5 * share[0]
    assert share[4] == 0.0


def test_street_lamps_light_the_ground_below_them(road_map) -> None:
    lamps = LightMap(np.array([(30.0, 2.0)]), road_map.bounds)
    below, beside, outside = lamps.at(np.array([(30.0, 38.0, 9000.0), (2.0, 2.0, 0.0)])).T
    assert below[2] > 0.5
    assert 0.2 * below[2] < beside[2] < 0.8 * below[2]
    assert outside.max() == 0.0


def test_glare_blinds_the_camera_that_looks_to_the_sun(made) -> None:
    grey = np.full((96, 160, 3), 80, dtype=np.uint8)
    for azimuth, blinded, spared in ((0.0, WIDE, RIGHT), (0.9, LEFT, RIGHT), (0.0, TELE, LEFT)):
        conditions = Conditions(glare=1.0, sun_azimuth_rad=azimuth)
        light = light_of(conditions, 0)
        seen = {}
        for one in (blinded, spared):
            lens = Lens(conditions, light, 0, one.id, (160, 96))
            for share in (0.0, 1.0):
                seen[one.id, share] = lens.look_through(grey, view_of(one, made.ego(0.0)), share, 0.0).astype(float)
        assert seen[blinded.id, 1.0].mean() > seen[spared.id, 1.0].mean() + 20.0
        assert (seen[blinded.id, 1.0] > 250.0).any()
        assert seen[blinded.id, 0.0].mean() < seen[blinded.id, 1.0].mean() - 10.0
        assert seen[spared.id, 1.0].mean() < 125.0


def test_the_sun_stands_where_it_projects(made) -> None:
    light = light_of(Conditions(glare=1.0, sun_azimuth_rad=0.3), 3)
    view = view_of(WIDE, made.ego(0.0, pitch=0.01))
    lens = Lens(Conditions(glare=1.0, sun_azimuth_rad=0.3), light, 3, WIDE.id, (160, 96))
    picture = lens.look_through(np.zeros((96, 160, 3), dtype=np.uint8), view, 1.0, 0.0)[:, :, 0].astype(float)
    rows, columns = np.nonzero(picture == picture.max())
    right, down, ahead = light.sun @ view.world_from_optical
    assert columns.mean() == pytest.approx(right / ahead * view.focal + view.centre[0], abs=1.0)
    assert rows.mean() == pytest.approx(down / ahead * view.focal + view.centre[1], abs=1.0)


def test_dirt_stays_in_place_while_the_world_moves(drawn, made) -> None:
    conditions = Conditions(dirt=0.8)
    pictures = [
        drawn(conditions, ego=made.ego(float(x)), step=index, t_s=float(index))
        for index, x in enumerate((10, 20, 35, 44))
    ]
    clear = [
        drawn(CLEAR, ego=made.ego(float(x)), step=index, t_s=float(index)) for index, x in enumerate((10, 20, 35, 44))
    ]
    still = np.std(pictures, axis=0).mean(axis=2) < 4.0
    moved = np.std(clear, axis=0).mean(axis=2) > 12.0
    assert (still & moved).mean() > 0.05
    other = drawn(conditions, LEFT)
    assert not np.array_equal(other, drawn(conditions, RIGHT))


def test_rain_falls_anew_in_each_frame_and_the_same_in_the_same_frame(drawn) -> None:
    rain = Conditions(rain=1.0)
    first, again, later = drawn(rain, t_s=2.0), drawn(rain, t_s=2.0), drawn(rain, t_s=2.1)
    assert np.array_equal(first, again)
    assert np.abs(first[:30] - later[:30]).max() > 20.0


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(rain=0.7, night=0.9, dirt=0.4, fog=0.2),
        Conditions(glare=0.8, sun_azimuth_rad=0.1, rain=0.1),
        Conditions(1.0, 1.0, 1.0, 1.0, 1.0),
    ],
    ids=["rainy night", "low sun", "everything"],
)
def test_the_same_conditions_give_the_same_bytes_whatever_was_drawn_before(road_map, scene, conditions) -> None:
    one, other = Renderer(road_map, 9, conditions), Renderer(road_map, 9, conditions)
    for t_s in (9.0, 0.1):
        other.render(WIDE, dataclasses.replace(scene, t_s=t_s))
    for camera_ in (WIDE, TELE):
        assert np.array_equal(one.render(camera_, scene), other.render(camera_, scene))
