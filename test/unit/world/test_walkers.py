"""People wait, look, and cross; traffic has to keep clear of them."""

import dataclasses
import math

import pytest

from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.scenarios.staging import Body, Stretch, Trigger, Walker
from alpamayo_ros.world.snapshot import STEP_S, Actor
from alpamayo_ros.world.walkers import WalkerState

ROAD_MAP = load_map("zebra/train/0").road_map
CROSSING = next(lane for lane in ROAD_MAP.lanes.values() if lane.kind == "crossing")
START, END = CROSSING.centre[0], CROSSING.centre[-1]
LENGTH = math.hypot(*(END - START))
UNIT = (END - START) / LENGTH
WALKER = Walker(
    id="person",
    body=Body("pedestrian", 0.5, 0.6, 1.75, (1.0, 2.0, 3.0)),
    way=(tuple(START - 3.0 * UNIT), tuple(START), tuple(END), tuple(END + 2.0 * UNIT)),
    stretches=(Stretch(3.0, "", False), Stretch(3.0 + LENGTH, CROSSING.id, True), Stretch(math.inf, "", False)),
    start_m=0.0,
    speed_mps=1.5,
    hold_m=2.3,
)


def car(distance_m: float, speed_mps: float) -> Actor:
    """Return a car that comes along the road towards the crossing's middle."""
    middle = (START + END) / 2.0
    heading = math.atan2(UNIT[1], UNIT[0]) + math.pi / 2.0
    x, y = middle[0] - distance_m * math.cos(heading), middle[1] - distance_m * math.sin(heading)
    return Actor("car", "car", x, y, heading, 4.4, 1.8, 1.5, speed_mps, 0.0, False, "none", (0.0, 0.0, 0.0), "", 0.0)


def walk(state: WalkerState, seconds: float, *, fires: bool, traffic: tuple[Actor, ...] = ()) -> list[Actor]:
    seen = []
    for _ in range(round(seconds / STEP_S)):
        state.advance(lambda _: fires, traffic)
        seen.append(state.actor)
    return seen


def test_somebody_waits_at_the_kerb_until_the_trigger() -> None:
    state = WalkerState(WALKER, ROAD_MAP)
    waiting = walk(state, 6.0, fires=False)[-1]
    assert waiting.speed_mps == 0.0
    assert math.hypot(waiting.x - START[0], waiting.y - START[1]) == pytest.approx(0.7, abs=0.05)
    assert waiting.lane == ""
    assert state.claims() == []


def test_then_crosses_and_is_on_the_crossing_meanwhile() -> None:
    seen = walk(WalkerState(WALKER, ROAD_MAP), 12.0, fires=True)
    lanes = [actor.lane for actor in seen]
    assert CROSSING.id in lanes
    assert (lanes[0], lanes[-1]) == ("", "")
    assert seen[-1].speed_mps == 0.0
    assert max(abs(actor.speed_mps) for actor in seen) == pytest.approx(1.5)
    assert all(abs(actor.acceleration_mps2) < 16.0 for actor in seen)


def test_both_lanes_of_the_road_are_claimed_before_they_are_reached_and_freed_behind() -> None:
    state = WalkerState(WALKER, ROAD_MAP)
    claimed = []
    for _ in range(120):
        state.advance(lambda _: True, ())
        claimed.append({lane for lane, _ in state.claims()})
    crossed = {connection.via_lane for connection in ROAD_MAP.connections}
    assert set().union(*claimed) >= crossed
    assert claimed[-1] == set()
    first = next(lanes for lanes in claimed if lanes & crossed) & crossed
    last = [lanes for lanes in claimed if lanes & crossed][-1] & crossed
    assert first != last


@pytest.mark.parametrize(("distance_m", "speed_mps", "waits"), [(15.0, 13.0, True), (60.0, 13.0, False),
                                                                (15.0, 0.0, False), (-20.0, 13.0, False)])  # fmt: skip
def test_nobody_steps_before_a_vehicle_that_cannot_stop(distance_m: float, speed_mps: float, waits: bool) -> None:
    state = WalkerState(dataclasses.replace(WALKER, start_m=2.3), ROAD_MAP)
    last = walk(state, 2.0, fires=True, traffic=(car(distance_m, speed_mps),))[-1]
    assert (last.speed_mps == 0.0) is waits


def test_the_careless_step_out_all_the_same() -> None:
    state = WalkerState(dataclasses.replace(WALKER, start_m=2.3, careful=False), ROAD_MAP)
    assert walk(state, 1.0, fires=True, traffic=(car(15.0, 13.0),))[-1].speed_mps > 0.0


def test_who_only_walks_along_claims_no_lane() -> None:
    sidewalk = ROAD_MAP.sidewalk("west_middle")
    assert sidewalk is not None
    walker = dataclasses.replace(
        WALKER,
        way=tuple(tuple(point) for point in sidewalk.centre),
        stretches=(Stretch(math.inf, sidewalk.id, False),),
        hold_m=math.inf,
        trigger=Trigger(after_s=math.inf),
    )
    state = WalkerState(walker, ROAD_MAP)
    seen = walk(state, 5.0, fires=False)
    assert seen[-1].speed_mps == pytest.approx(1.5)
    assert {actor.lane for actor in seen} == {sidewalk.id}
    assert state.claims() == []
