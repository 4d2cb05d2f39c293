"""Scenery stands beside the road, never on it, and is the same for the same seed."""

import cv2
import numpy as np
import pytest

from alpamayo_ros.world.conditions import CLEAR, Conditions
from alpamayo_ros.world.rendering.faces import stack
from alpamayo_ros.world.rendering.land import Land
from alpamayo_ros.world.rendering.light import light_of
from alpamayo_ros.world.rendering.scenery import plant


def planted(road_map, seed: int, conditions: Conditions = CLEAR):
    return plant(road_map, Land(road_map), seed, light_of(conditions, seed))


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_nothing_stands_on_a_road_or_path_or_in_another_thing(road_map, seed: int) -> None:
    scenery = planted(road_map, seed)
    assert len(scenery.things) > 20
    footprints = stack(scenery.things, light_of(CLEAR, seed)).footprints
    assert not Land(road_map).is_driven(20.0, -9.0)
    for one in footprints:
        inside_x = (one[:, 0].max() > 0.0) & (one[:, 0].min() < 120.0)
        assert not (inside_x and one[:, 1].min() < 6.6 and one[:, 1].max() > -6.6)
    for first in range(len(footprints)):
        for second in range(first):
            area, _ = cv2.intersectConvexConvex(
                footprints[first].astype(np.float32), footprints[second].astype(np.float32)
            )
            assert area < 0.2


def test_the_approach_to_a_signal_is_kept_free(road_map) -> None:
    for seed in range(4):
        for thing in planted(road_map, seed).things:
            assert not (0.0 < thing.x < 80.0 and abs(thing.y + 1.75) < 3.7)


def test_the_same_seed_plants_the_same(road_map) -> None:
    one, same, other = planted(road_map, 5), planted(road_map, 5), planted(road_map, 6)
    places = [[(thing.x, thing.y, thing.heading) for thing in scenery.things] for scenery in (one, same, other)]
    assert places[0] == places[1]
    assert places[0] != places[2]


def test_street_lamps_shine_over_the_road(road_map) -> None:
    lamps = planted(road_map, 0, Conditions(night=1.0)).lamps
    assert len(lamps) >= 4
    assert (np.abs(lamps[:, 1]) < 7.0).all()
