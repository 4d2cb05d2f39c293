"""What a text claims is read by rules, and compared with a trajectory in numbers."""

import numpy as np
import pytest

from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.training.statements import Motion, Statement, contradictions, measure, read_statement
from alpamayo_ros.world import wording
from alpamayo_ros.world.wording import Said, sentence

STEADY = Motion(8.0, 8.0, 8.0, 24.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "longitudinal", [action for action in LongitudinalAction if action in wording.ACTIONS], ids=lambda one: one.name
)
@pytest.mark.parametrize("lateral", [LateralAction.STRAIGHT, LateralAction.LEFT, LateralAction.RIGHT])
@pytest.mark.parametrize("lane", [LaneAction.KEEP, LaneAction.CHANGE_LEFT, LaneAction.CHANGE_RIGHT])
@pytest.mark.parametrize("label", ["", "lead_vehicle", "stopped_vehicle", "construction", "red_light", "lane_end"])
def test_every_sentence_of_the_ground_truth_is_read_as_it_was_meant(
    longitudinal: LongitudinalAction, lateral: LateralAction, lane: LaneAction, label: str
) -> None:
    for seed in range(6):
        words = sentence(Said(label, "", longitudinal, lateral, lane), np.random.default_rng(seed))
        found = read_statement(words)
        assert found.longitudinal is longitudinal, words
        assert found.lateral in (lateral, LateralAction.UNKNOWN), words
        assert found.lane in (lane, LaneAction.UNKNOWN), words


def test_a_text_that_claims_nothing_is_unknown() -> None:
    assert read_statement("") == Statement()
    assert read_statement("The road is clear.") == Statement()


def test_reasons_are_no_deeds() -> None:
    said = read_statement("The vehicle ahead is braking, so I keep my speed.")
    assert said.longitudinal is LongitudinalAction.KEEP_SPEED


@pytest.mark.parametrize(
    ("action", "motion"),
    [
        (LongitudinalAction.DECELERATE, Motion(8.0, 8.0, 9.6, 26.0, 0.0, 0.0)),
        (LongitudinalAction.ACCELERATE, Motion(8.0, 6.4, 8.0, 21.0, 0.0, 0.0)),
        (LongitudinalAction.KEEP_SPEED, Motion(8.0, 4.9, 8.0, 20.0, 0.0, 0.0)),
        (LongitudinalAction.STOPPED, Motion(0.0, 0.0, 3.0, 4.0, 0.0, 0.0)),
    ],
)
def test_the_opposite_motion_contradicts(action: LongitudinalAction, motion: Motion) -> None:
    assert contradictions(Statement(action), motion) == ("longitudinal",)


@pytest.mark.parametrize("action", [LongitudinalAction.DECELERATE, LongitudinalAction.ACCELERATE])
def test_a_steady_speed_contradicts_nothing(action: LongitudinalAction) -> None:
    assert contradictions(Statement(action), STEADY) == ()


def test_turning_and_shifting_to_the_other_side_contradict() -> None:
    said = Statement(LongitudinalAction.KEEP_SPEED, LateralAction.LEFT, LaneAction.CHANGE_RIGHT)
    assert contradictions(said, Motion(8.0, 8.0, 8.0, 24.0, -0.3, 1.0)) == ("lateral", "lane")
    assert contradictions(said, Motion(8.0, 8.0, 8.0, 24.0, 0.3, -1.0)) == ()
    assert contradictions(said, STEADY) == ()


def test_a_trajectory_is_measured_over_three_seconds() -> None:
    speed = np.linspace(9.9, 3.6, 64).astype(np.float32)
    yaw = np.linspace(0.0, 0.5, 64).astype(np.float32)
    motion = measure(10.0, speed, yaw, (0.2, -0.3), 0.1)
    assert motion.lowest_mps == pytest.approx(7.0, abs=0.11)
    assert motion.path_m == pytest.approx(25.4, abs=0.5)
    assert motion.turn_rad == pytest.approx(0.5)
    assert motion.shift_m == pytest.approx(-0.5)
