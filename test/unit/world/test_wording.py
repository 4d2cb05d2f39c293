"""Sentences say what the decision is, and nothing else."""

import itertools

import numpy as np
import pytest

from alpamayo_ros.reasoning.driving_language import LABELS, MAX_WORDS
from alpamayo_ros.reasoning.driving_words import WORDS as LANGUAGE_WORDS
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.world.wording import ACTIONS, CAUSES, FOLLOWING, WORDS, Said, sentence

SLOWING = ("slow down", "brake ", "brake.", "brake,", "reduce my speed")
GOING = ("speed up", "accelerate")
WAITING = ("wait", "stay stopped")
KEEPING = ("keep my speed", "hold my speed")


def all_said() -> list[Said]:
    keys = [key for key in CAUSES if key != "limit"]
    combined = itertools.product(keys, ACTIONS, list(LateralAction)[1:], list(LaneAction)[1:])
    return [Said(*_split(key), *actions) for key, *actions in combined]


def _split(key: str) -> tuple[str, str]:
    label, _, state = key.partition(" ")
    return label, state


def sentences(said: Said) -> set[str]:
    return {sentence(said, np.random.default_rng(seed)) for seed in range(8)}


def test_every_label_has_sentences() -> None:
    assert set(LABELS) <= set(CAUSES)
    assert {_split(key)[0] for key in CAUSES} - {"", "limit"} == set(LABELS)


def test_the_words_are_those_of_the_driving_language() -> None:
    assert set(WORDS) <= set(LANGUAGE_WORDS)
    assert len(WORDS) < 160


def test_every_sentence_is_short_and_made_of_the_words() -> None:
    for said in all_said():
        for text in sentences(said):
            words = text.split()
            assert set(words) <= set(WORDS), text
            assert len(words) <= MAX_WORDS, text
            assert words[-1] == "."
            assert words.count(".") == 1


@pytest.mark.parametrize(
    ("longitudinal", "fitting", "others"),
    [
        (LongitudinalAction.STOPPED, WAITING, SLOWING + GOING + KEEPING),
        (LongitudinalAction.KEEP_SPEED, KEEPING, SLOWING + GOING + WAITING),
        (LongitudinalAction.ACCELERATE, GOING, SLOWING + KEEPING + WAITING),
        (LongitudinalAction.DECELERATE, SLOWING, GOING + KEEPING + WAITING),
    ],
)
def test_no_sentence_contradicts_its_action(
    longitudinal: LongitudinalAction, fitting: tuple[str, ...], others: tuple[str, ...]
) -> None:
    for said in all_said():
        if said.longitudinal is longitudinal:
            for text in sentences(said):
                deed = text.split(", so i ")[1]
                assert any(word in deed for word in fitting), text
                assert not any(word in deed for word in others), text


def test_turns_and_changes_of_lanes_are_told() -> None:
    drive = LongitudinalAction.KEEP_SPEED
    assert all("turn left" in text for text in sentences(Said("", "", drive, LateralAction.LEFT)))
    assert all("turn" not in text for text in sentences(Said("", "", drive)))
    passing = Said("construction", "", drive, LateralAction.STRAIGHT, LaneAction.CHANGE_LEFT)
    assert all("pass on the left" in text for text in sentences(passing))
    back = Said("", "", drive, LateralAction.STRAIGHT, LaneAction.CHANGE_RIGHT)
    assert all(
        ("move to the right" in text and "clear again" in text) or "free again" in text for text in sentences(back)
    )


def test_there_is_more_than_one_way_to_say_it() -> None:
    assert len(sentences(Said("red_light", "", LongitudinalAction.DECELERATE))) > 1
    assert len(FOLLOWING) == len(ACTIONS)


def test_the_same_seed_says_the_same() -> None:
    said = Said("red_light", "", LongitudinalAction.STOPPED)
    assert sentence(said, np.random.default_rng(3)) == sentence(said, np.random.default_rng(3))
