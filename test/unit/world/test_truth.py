"""The ground truth of single steps."""

import dataclasses

import pytest

from alpamayo_ros.reasoning.driving_language import Answer, DrivingLanguage
from alpamayo_ros.structs.rationale import CausalFactor, LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.world.episode import drive_expert
from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.expert import Decision
from alpamayo_ros.world.scenarios.registry import episode
from alpamayo_ros.world.truth import truth_at, truth_of

WAITING = Decision(
    -1.0, 0.0, Cause("red_light", "signal:a", decisive=True),
    LongitudinalAction.STOPPED, LateralAction.STRAIGHT, LaneAction.KEEP, 0.0,
)  # fmt: skip


def test_it_says_what_was_decided_and_why() -> None:
    truth = truth_of(WAITING, (0, 0))
    assert (truth.label, truth.actor_id, truth.decisive) == ("red_light", "signal:a", True)
    assert truth.longitudinal is LongitudinalAction.STOPPED
    assert "red" in truth.words
    assert truth.text.endswith(".")
    assert truth.text[0].isupper()


def test_the_same_seed_says_the_same() -> None:
    assert truth_of(WAITING, (4, 2)) == truth_of(WAITING, (4, 2))
    assert len({truth_of(WAITING, (4, step)).words for step in range(20)}) > 1


def test_without_a_cause_there_is_none() -> None:
    truth = truth_of(dataclasses.replace(WAITING, cause=None, longitudinal=LongitudinalAction.KEEP_SPEED), (0, 0))
    assert (truth.label, truth.actor_id, truth.decisive) == ("", "", False)
    assert truth.rationale(5).causal_factors == ()


def test_it_is_a_rationale_too() -> None:
    rationale = truth_of(WAITING, (0, 0)).rationale(5)
    assert rationale.t0_ns == 5
    assert rationale.causal_factors == (CausalFactor("red light", "signal:a"),)
    assert rationale.longitudinal is LongitudinalAction.STOPPED


def test_every_step_of_an_episode_can_be_said_in_the_driving_language() -> None:
    record = drive_expert(episode("construction:1"))
    language = DrivingLanguage()
    for step in range(0, len(record.snapshots), 5):
        truth = truth_at(record, step)
        answer = Answer(truth.words, truth.label, None, None, truth.longitudinal, truth.lateral, truth.lane)
        assert language.decode(language.encode(answer)) == answer
    with pytest.raises(IndexError):
        truth_at(record, len(record.snapshots))
