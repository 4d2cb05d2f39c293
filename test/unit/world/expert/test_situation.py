"""Actors along a path."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.expert.situation import PathFrame, along_path
from alpamayo_ros.world.path import Path
from alpamayo_ros.world.snapshot import Actor
from alpamayo_ros.world.vehicle import REAR_AXLE_TO_FRONT_M, footprint

BEND = Path(np.array([(30.0 * math.sin(a), 30.0 * (1.0 - math.cos(a))) for a in np.linspace(0.0, 2.5, 80)]))
STRAIGHT = Path(np.array([[0.0, 0.0], [200.0, 0.0]]))


def test_many_points_are_projected_as_single_ones() -> None:
    frame = PathFrame(BEND)
    rng = np.random.default_rng(2)
    places = rng.uniform(2.0, 70.0, 50), rng.uniform(-4.0, 4.0, 50)
    points = np.array([BEND.point(s, d)[:2] for s, d in zip(*places, strict=True)])
    s, d, _ = frame.project(points)
    assert np.abs(s - places[0]).max() < 0.2
    assert np.abs(d - places[1]).max() < 0.05


def test_the_ego_vehicle_s_place_follows_its_heading_where_a_path_meets_itself() -> None:
    there_and_back = Path(
        np.concatenate([[(x, 0.0) for x in range(101)], [(x, 1.0) for x in range(100, -1, -1)]]), smoothing_m=0.0
    )
    frame = PathFrame(there_and_back)
    assert frame.place(ego_state(30.0, 0.5, 0.0, 5.0, 0.0, 0.0))[0] == pytest.approx(30.0, abs=0.5)
    assert frame.place(ego_state(30.0, 0.5, math.pi, 5.0, 0.0, 0.0))[0] == pytest.approx(171.0, abs=0.5)


def test_footprints_along_the_path_are_those_of_the_vehicle() -> None:
    frame = PathFrame(STRAIGHT)
    box = frame.footprints(np.array([50.0]), np.array([1.0]))[0]
    corners = footprint(ego_state(50.0, 1.0, 0.0, 0.0, 0.0, 0.0))
    assert box[:2] == pytest.approx(corners.mean(axis=0))


def test_an_actor_is_seen_along_the_path(actor: Callable[..., Actor]) -> None:
    crossing = actor(id="b", x=60.0, y=-2.0, heading=math.pi / 2, speed_mps=3.0)
    far_aside = actor(id="c", x=60.0, y=90.0)
    found = along_path(PathFrame(STRAIGHT), 20.0, [far_aside, crossing, actor(id="a", x=30.0, speed_mps=8.0)])
    assert [item.actor.id for item in found] == ["a", "b"]
    first, second = found
    assert (first.s_m, first.d_m) == pytest.approx((30.0, 0.0))
    assert first.touched_at_m == pytest.approx(30.0 - 2.2 - REAR_AXLE_TO_FRONT_M)
    assert (second.half_along_m, second.half_across_m) == pytest.approx((0.9, 2.2))
    assert (second.speed_along_mps, second.speed_across_mps) == pytest.approx((0.0, 3.0), abs=1e-9)
    assert along_path(PathFrame(STRAIGHT), 20.0, []) == ()
