"""What the next three seconds are called, and whose constraint makes them so."""

import pytest

from alpamayo_ros.structs.rationale import LongitudinalAction
from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.constraint import Barrier, Pace
from alpamayo_ros.world.expert.parameters import USUAL
from alpamayo_ros.world.expert.roll_out import limit_jerk, longitudinal_action, roll_out

FREE = Pace(None, [14.0], 1.0, USUAL)
WALL = Barrier(Cause("lead_vehicle", "wall"), 40.0, USUAL, 2.5, 1.3)


@pytest.mark.parametrize(
    ("speeds", "action"),
    [
        ([0.0, 0.0, 0.2], LongitudinalAction.STOPPED),
        ([0.0, 0.2, 0.6], LongitudinalAction.ACCELERATE),
        ([10.0, 10.5, 10.9], LongitudinalAction.KEEP_SPEED),
        ([10.0, 10.5, 11.1], LongitudinalAction.ACCELERATE),
        ([10.0, 9.5, 8.9], LongitudinalAction.DECELERATE),
        ([10.0, 8.0, 10.0], LongitudinalAction.DECELERATE),
        ([0.9, 0.6, 0.4], LongitudinalAction.DECELERATE),
        ([5.0], LongitudinalAction.KEEP_SPEED),
    ],
)
def test_the_first_change_that_counts_names_the_action(speeds: list[float], action: LongitudinalAction) -> None:
    assert longitudinal_action(speeds) is action


def test_the_outlook_stops_behind_a_wall() -> None:
    outlook = roll_out([FREE, WALL], 0.0, 12.0, 0.0, USUAL)
    assert outlook.speeds_mps[-1] < 8.0
    assert outlook.s_m[-1] < 37.5
    assert outlook.s_m == sorted(outlook.s_m)
    assert outlook.main_cause(1.0) == WALL.cause


def test_a_free_road_has_no_cause() -> None:
    assert roll_out([FREE], 0.0, 12.0, 0.0, USUAL).main_cause(0.0) is None


def test_a_place_within_the_horizon_is_found() -> None:
    outlook = roll_out([FREE], 5.0, 14.0, 0.0, USUAL)
    assert outlook.at(0.0) == 5.0
    assert outlook.at(2.5) == pytest.approx(5.0 + 2.5 * 14.0, abs=0.1)
    assert outlook.at(99.0) == outlook.s_m[-1]


def test_hard_braking_begins_at_once_and_soft_braking_softly() -> None:
    assert limit_jerk(-6.0, 0.0, 0.1, USUAL) == pytest.approx(-2.0)
    assert limit_jerk(-2.0, 0.0, 0.1, USUAL) == pytest.approx(-0.6)
    assert limit_jerk(2.0, 0.0, 0.1, USUAL) == pytest.approx(0.4)
