"""People who cross."""

import math
from collections.abc import Callable

import pytest

from alpamayo_ros.world.expert.constraint import Barrier
from alpamayo_ros.world.expert.offsets import ON_THE_PATH
from alpamayo_ros.world.expert.parameters import USUAL
from alpamayo_ros.world.expert.pedestrians import crossings_on, pedestrian_barriers
from alpamayo_ros.world.expert.situation import PathFrame, along_path
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.route import Route
from alpamayo_ros.world.snapshot import Actor
from alpamayo_ros.world.vehicle import REAR_AXLE_TO_FRONT_M

MakeActor = Callable[..., Actor]
DOWN, UP = -math.pi / 2, math.pi / 2


@pytest.fixture(scope="module")
def barriers(road_map: RoadMap, route: Route) -> Callable[..., list[Barrier]]:
    frame = PathFrame(route.path)
    crossings = crossings_on(road_map, frame)

    def find(*people: Actor, s: float = 50.0, speed: float = 10.0) -> list[Barrier]:
        items = along_path(frame, s, people)
        return list(pedestrian_barriers(items, crossings, ON_THE_PATH, s, speed, USUAL))

    return find


@pytest.fixture(scope="module")
def person(actor: MakeActor) -> MakeActor:
    return lambda **changes: actor(kind="pedestrian", length=0.5, width=0.6, **changes)


def test_the_crossing_is_found_on_the_path(road_map: RoadMap, route: Route) -> None:
    (crossing,) = crossings_on(road_map, PathFrame(route.path))
    assert (crossing.start_m, crossing.end_m) == pytest.approx((78.0, 82.0), abs=0.3)
    assert not crossing.ruled


@pytest.mark.parametrize(
    ("y", "heading", "walking", "waits_for"),
    [
        (0.5, DOWN, 1.4, True),
        (4.0, DOWN, 1.4, True),
        (-2.5, UP, 1.4, True),
        (-2.5, DOWN, 1.4, False),
        (-3.0, UP, 0.0, True),
        (-3.0, 0.0, 0.0, False),
        (-3.0, 0.0, 1.4, False),
        (-9.0, UP, 1.4, False),
    ],
    ids=["in the lane", "coming", "stepping out", "gone", "waiting", "looking along", "walking along", "far"],
)
def test_whoever_crosses_or_wants_to_is_waited_for(
    barriers: Callable[..., list[Barrier]], person: MakeActor, y: float, heading: float, walking: float, waits_for: bool
) -> None:
    found = barriers(person(x=80.0, y=y, heading=heading, speed_mps=walking))
    assert bool(found) == waits_for
    assert all(one.cause.label == "crossing_pedestrian" for one in found)


def test_it_stops_before_the_crossing(barriers: Callable[..., list[Barrier]], person: MakeActor) -> None:
    (barrier,) = barriers(person(x=81.0, y=0.0, heading=DOWN, speed_mps=1.4))
    stands_at = barrier.s_m - barrier.gap_m + REAR_AXLE_TO_FRONT_M
    assert 75.5 < stands_at < 78.0


def test_it_goes_first_when_it_is_past_in_time(barriers: Callable[..., list[Barrier]], person: MakeActor) -> None:
    coming = person(x=80.0, y=6.5, heading=DOWN, speed_mps=1.2)
    assert barriers(coming, s=68.0, speed=12.0) == []
    assert len(barriers(coming, s=60.0, speed=6.0)) == 1


def test_beside_a_crossing_only_those_who_walk_out_count(
    barriers: Callable[..., list[Barrier]], person: MakeActor
) -> None:
    assert barriers(person(x=110.0, y=-3.0, heading=UP), s=80.0) == []
    assert len(barriers(person(x=110.0, y=-3.0, heading=UP, speed_mps=1.4), s=80.0)) == 1
