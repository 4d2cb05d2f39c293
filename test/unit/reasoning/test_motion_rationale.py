"""The words follow the measured motion and claim nothing else."""

import numpy as np
import pytest

from alpamayo_ros.params.reasoning import ReasoningParams
from alpamayo_ros.reasoning.motion_rationale import motion_rationale
from alpamayo_ros.structs.rationale import ConfidenceKind, LaneAction, LateralAction, LongitudinalAction

PARAMS = ReasoningParams()


@pytest.mark.parametrize(
    ("speed", "acceleration", "expected"),
    [
        (0.0, 0.0, LongitudinalAction.STOPPED),
        (0.1, 0.9, LongitudinalAction.ACCELERATE),
        (8.0, 0.0, LongitudinalAction.KEEP_SPEED),
        (8.0, 0.31, LongitudinalAction.ACCELERATE),
        (8.0, -0.31, LongitudinalAction.DECELERATE),
        (0.1, -2.0, LongitudinalAction.STOPPED),
        (-1.0, 0.0, LongitudinalAction.REVERSE),
    ],
)
def test_the_longitudinal_word_follows_speed_and_acceleration(
    speed: float, acceleration: float, expected: LongitudinalAction
) -> None:
    rationale = motion_rationale(0, {"motion": np.array([speed, acceleration, 0.0])}, PARAMS)
    assert rationale.longitudinal is expected


@pytest.mark.parametrize(
    ("turn_rate", "expected"),
    [(0.0, LateralAction.STRAIGHT), (0.03, LateralAction.LEFT), (-0.03, LateralAction.RIGHT)],
)
def test_the_lateral_word_follows_the_turn_rate(turn_rate: float, expected: LateralAction) -> None:
    assert motion_rationale(0, {"motion": np.array([8.0, 0.0, turn_rate])}, PARAMS).lateral is expected


def test_it_states_the_motion_and_that_nothing_was_learned_or_seen() -> None:
    rationale = motion_rationale(5, {"motion": np.array([8.04, -0.5, 0.03])}, PARAMS)
    assert "8.0 m/s" in rationale.text
    assert "-0.5 m/s^2" in rationale.text
    assert "No learned part was used" in rationale.text
    assert rationale.confidence_kind is ConfidenceKind.NONE
    assert rationale.lane is LaneAction.UNKNOWN
    assert rationale.causal_factors == ()
