"""Staying behind things, and keeping speeds."""

import itertools

import pytest

from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.constraint import HELD_MPS2, Barrier, Pace, SlowPlace, drivable_speeds
from alpamayo_ros.world.expert.parameters import USUAL

CAUSE = Cause("lead_vehicle", "a")


def approach(barrier: Barrier, speed: float, seconds: float = 30.0) -> tuple[float, float, float]:
    """Drive against a barrier from place 0; return the last place, the last speed and the hardest braking."""
    place, hardest, time = 0.0, 0.0, 0.0
    while time < seconds:
        allowed = min(barrier.acceleration(place, speed, time), 0.0 if speed > 13.0 else 2.0)
        hardest = min(hardest, allowed)
        next_speed = max(0.0, speed + allowed * 0.1)
        place += (speed + next_speed) / 2.0 * 0.1
        speed, time = next_speed, time + 0.1
    return place, speed, hardest


@pytest.mark.parametrize("distance", [60.0, 90.0, 150.0])
def test_it_stops_before_a_line_with_comfortable_braking(distance: float) -> None:
    place, speed, hardest = approach(Barrier(CAUSE, distance, USUAL, 1.0, 0.5), 13.0)
    assert speed == 0.0
    assert 0.4 < distance - place < 2.5
    assert hardest > -3.2


def test_it_brakes_as_hard_as_it_can_for_what_appears_late() -> None:
    place, speed, hardest = approach(Barrier(CAUSE, 20.0, USUAL, 1.0, 0.5), 13.0)
    assert speed == 0.0
    assert place < 20.0
    assert hardest == -USUAL.hard_braking_mps2


def test_the_desired_gap_is_kept() -> None:
    gap = USUAL.standstill_gap_m + 10.0 * USUAL.headway_s
    barrier = Barrier(CAUSE, gap, USUAL, USUAL.standstill_gap_m, USUAL.headway_s, speed_mps=10.0)
    assert barrier.acceleration(0.0, 10.0, 0.0) == pytest.approx(0.0)


def test_a_small_gap_to_what_is_as_fast_needs_no_hard_braking() -> None:
    barrier = Barrier(CAUSE, 4.0, USUAL, USUAL.standstill_gap_m, USUAL.headway_s, speed_mps=12.0)
    assert -3.0 < barrier.acceleration(0.0, 12.0, 0.0) < -1.0


def test_a_braking_vehicle_stands_in_the_end() -> None:
    braking = Barrier(CAUSE, 20.0, USUAL, 2.5, 1.3, speed_mps=10.0, braking_mps2=4.0)
    standing_at = 20.0 + 10.0**2 / 8.0
    later = Barrier(CAUSE, standing_at, USUAL, 2.5, 1.3)
    assert braking.acceleration(10.0, 8.0, 5.0) < 0.0
    assert braking.acceleration(10.0, 3.0, 5.0) <= later.acceleration(10.0, 3.0, 0.0)


def test_it_holds_where_it_stands_near_enough() -> None:
    assert Barrier(CAUSE, 1.2, USUAL, 1.0, 0.5).acceleration(0.0, 0.0, 0.0) == HELD_MPS2


def test_what_has_left_binds_no_more() -> None:
    barrier = Barrier(CAUSE, 5.0, USUAL, 1.0, 0.5, until_s=2.0)
    assert barrier.acceleration(0.0, 8.0, 1.9) < 0.0
    assert barrier.acceleration(0.0, 8.0, 2.1) == USUAL.acceleration_mps2


def test_a_pace_is_kept_from_both_sides() -> None:
    pace = Pace(None, [10.0, 10.0, 10.0], 1.0, USUAL)
    assert pace.acceleration(0.0, 10.0, 0.0) == pytest.approx(0.0)
    assert pace.acceleration(0.0, 5.0, 0.0) > 1.0
    assert pace.acceleration(99.0, 12.0, 0.0) < -1.0


def test_speeds_are_reached_in_time() -> None:
    speeds = drivable_speeds([14.0] * 100 + [4.0] * 10, 1.0, 1.5)
    assert speeds[-1] == 4.0
    assert speeds[0] == 14.0
    assert all((a * a - b * b) / 2.0 <= 1.5 + 1e-9 for a, b in itertools.pairwise(speeds))


def test_a_slow_place_binds_before_it_and_not_behind_it() -> None:
    place = SlowPlace(CAUSE, 50.0, 60.0, 8.0, USUAL)
    assert place.acceleration(45.0, 13.0, 0.0) < -1.0
    assert place.acceleration(0.0, 8.0, 0.0) > 0.5
    assert place.acceleration(61.0, 13.0, 0.0) == USUAL.acceleration_mps2
