"""Every kind of actor has its size, and shows what it does."""

import dataclasses
import math

import numpy as np
import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.world.conditions import CLEAR
from alpamayo_ros.world.rendering.actors import placed_actor, placed_pole, placed_signal
from alpamayo_ros.world.rendering.faces import stack
from alpamayo_ros.world.rendering.light import light_of
from alpamayo_ros.world.rendering.mesh import BRAKE, HEAD, LEFT, RIGHT
from alpamayo_ros.world.snapshot import KINDS

LIGHT = light_of(CLEAR, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_an_actor_fills_its_length_width_and_height(made, kind: str) -> None:
    actor = made.actor("one", kind, 10.0, 5.0, 0.6)
    built = placed_actor(actor, 0.0, night=False).model
    begin, end = built.face_ranges[0]
    corners = built.corners[:, :, begin:end].reshape(3, -1)
    low, high = corners.min(axis=1), corners.max(axis=1)
    assert built.height == pytest.approx(actor.height, abs=0.1)
    assert low[2] == pytest.approx(0.0, abs=0.26)
    # People swing arms and legs beyond the footprint that SUMO gives them.
    slack = 0.45 if kind == "pedestrian" else 0.12
    assert high[0] - low[0] == pytest.approx(actor.length, abs=slack)
    assert high[1] - low[1] == pytest.approx(actor.width, abs=slack)
    assert np.abs(built.footprint).max(axis=0) == pytest.approx((actor.length / 2.0, actor.width / 2.0), abs=0.01)


@pytest.mark.parametrize("kind", ["car", "van", "truck", "bus"])
def test_brake_lamps_are_at_the_rear_and_lit_when_braking(made, kind: str) -> None:
    faces = {
        braking: stack([placed_actor(made.actor("one", kind, 0.0, 0.0, braking=braking), 0.0, night=False)], LIGHT)
        for braking in (False, True)
    }
    assert faces[False].lamps.shape[1] == 0
    assert faces[True].lamps.shape[1] == 2
    assert (faces[True].lamps[0] < 0.0).all()
    assert (faces[True].lamp_normals[0] < -0.9).all()
    changed = (faces[True].colours != faces[False].colours).any(axis=0)
    lit = faces[True].colours[:, changed]
    assert faces[True].shining[changed].all()
    assert lit[2].min() > 240.0
    assert lit[:2].max() < 60.0


def test_indicators_blink_on_their_side(made) -> None:
    def lit(indicator: str, t_s: float) -> frozenset[int]:
        return placed_actor(made.actor("one", "car", 0.0, 0.0, indicator=indicator), t_s, night=False).lit

    assert lit("left", 0.1) == {LEFT}
    assert lit("right", 0.1) == {RIGHT}
    assert lit("hazard", 0.1) == {LEFT, RIGHT}
    assert lit("left", 0.5) == frozenset()
    assert lit("none", 0.1) == frozenset()


def test_vehicles_have_their_headlamps_lit_at_night(made) -> None:
    night = placed_actor(made.actor("one", "car", 0.0, 0.0), 0.0, night=True)
    assert HEAD in night.lit
    assert BRAKE not in night.lit
    faces = stack([night], LIGHT)
    tail = faces.shining & (faces.colours[2] > 100.0) & (faces.colours[0] < 100.0)
    assert tail.any()


def test_legs_move_with_the_way_and_not_with_time(made) -> None:
    def corners(x: float, t_s: float, speed: float = 1.4) -> np.ndarray:
        actor = made.actor("one", "pedestrian", x, 0.0, speed_mps=speed)
        return placed_actor(actor, t_s, night=False).model.corners

    assert np.array_equal(corners(0.0, 0.0), corners(0.0, 5.0))
    assert not np.array_equal(corners(0.0, 0.0), corners(0.35, 0.0))
    assert np.array_equal(corners(0.0, 0.0, speed=0.0), corners(0.35, 0.0, speed=0.0))


def test_paint_is_the_actors_colour(made) -> None:
    faces = stack(
        [placed_actor(made.actor("one", "car", 0.0, 0.0, colour=(10.0, 200.0, 30.0)), 0.0, night=False)], LIGHT
    )
    assert (np.abs(faces.albedo - np.array([[10.0], [200.0], [30.0]])).max(axis=0) < 1.0).sum() > 10


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "tram"}, "kind of actor 'tram' is not known"),
        ({"indicator": "both"}, "indicator 'both' is not known; expected one of: hazard, left, none, right"),
        ({"x": math.nan}, "actor 'one' has x, y, heading"),
        ({"heading": math.inf}, "expected: finite numbers"),
        ({"width": 0.0}, "a size above 0"),
    ],
)
def test_an_actor_that_cannot_be_drawn_is_refused(made, changes, said: str) -> None:
    actor = dataclasses.replace(made.actor("one", "car", 0.0, 0.0), **changes)
    with pytest.raises(ParameterError, match=said):
        placed_actor(actor, 0.0, night=False)


@pytest.mark.parametrize(
    ("changes", "said"), [({"state": "blue"}, "state of a signal 'blue'"), ({"z": math.nan}, "signal")]
)
def test_a_signal_that_cannot_be_drawn_is_refused(made, changes, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        placed_signal(dataclasses.replace(made.signal(50.0), **changes))


@pytest.mark.parametrize(("state", "channel"), [("red", 2), ("green", 1)])
def test_one_lamp_of_a_signal_is_lit(made, state: str, channel: int) -> None:
    faces = stack([placed_signal(made.signal(50.0, state))], LIGHT)
    assert faces.lamps.shape[1] == 1
    assert faces.lamp_colours[:, 0].argmax() == channel
    assert faces.lamp_normals[:, 0] == pytest.approx((-1.0, 0.0, 0.0))
    assert faces.lamps[2, 0] == pytest.approx(3.3 if state == "red" else 2.7)


def test_a_signal_that_is_off_shows_no_light(made) -> None:
    faces = stack([placed_signal(made.signal(50.0, "off"))], LIGHT)
    assert faces.lamps.shape[1] == 0
    assert not faces.shining.any()


def test_the_pole_stands_below_a_signal_beside_the_road_and_beside_the_road_for_one_above_it(made) -> None:
    def pole(y: float) -> tuple[float, float]:
        placed = placed_pole(made.signal(50.0, y=y, z=5.0), lambda _x, at: abs(at) < 4.0)
        return placed.y, placed.model.height

    assert pole(-4.5) == (pytest.approx(-4.5), pytest.approx(5.5))
    assert pole(-2.0)[0] < -4.0
    assert math.isclose(pole(-2.0)[1], 5.5)
