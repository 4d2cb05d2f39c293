"""Answers become tokens and come back, and no sequence of tokens is too strange to be read."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.reasoning.driving_language import (
    CAMERA_COUNT,
    COLUMN_BINS,
    LABELS,
    MAX_TOKENS,
    MAX_WORDS,
    ROW_BINS,
    Answer,
    DrivingLanguage,
    read_vocabulary,
    vocabulary,
)
from alpamayo_ros.reasoning.driving_words import WORDS
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction

LANGUAGE = DrivingLanguage()
ANSWER = Answer(
    ("the", "light", "ahead", "is", "red", ",", "so", "i", "stand", "."),
    "red_light",
    1,
    (10, 2, 14, 5),
    LongitudinalAction.DECELERATE,
    LateralAction.STRAIGHT,
    LaneAction.KEEP,
)


def ids(text: str) -> list[int]:
    return [LANGUAGE.tokens.index(token) for token in text.split()]


def edges(most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(0, most - 1).flatmap(lambda low: st.tuples(st.just(low), st.integers(low + 1, most)))


ANSWERS = st.builds(
    lambda words, label, camera, across, down, *actions: Answer(
        tuple(words),
        label,
        camera if label else None,
        (across[0], down[0], across[1], down[1]) if label and camera is not None else None,
        *actions,
    ),
    st.lists(st.sampled_from(WORDS), max_size=MAX_WORDS),
    st.sampled_from(("", *LABELS)),
    st.none() | st.integers(0, CAMERA_COUNT - 1),
    edges(COLUMN_BINS),
    edges(ROW_BINS),
    st.sampled_from([action for action in LongitudinalAction if action]),
    st.sampled_from([action for action in LateralAction if action]),
    st.sampled_from([action for action in LaneAction if action]),
)


@given(ANSWERS)
def test_every_answer_comes_back_and_is_short_enough(answer: Answer) -> None:
    encoded = LANGUAGE.encode(answer)
    assert len(encoded) <= MAX_TOKENS
    assert (encoded[0], encoded[-1]) == (LANGUAGE.begin_id, LANGUAGE.end_id)
    assert LANGUAGE.decode(encoded) == answer
    assert LANGUAGE.decode(encoded[1:-1]) == answer


@given(st.lists(st.integers(0, len(vocabulary()) - 1), max_size=60))
def test_any_sequence_is_read(sequence: list[int]) -> None:
    answer = LANGUAGE.decode(sequence)
    assert set(answer.words) <= set(WORDS)
    assert (answer.camera is None) == (answer.box_bins is None) == (answer.box_px is None)
    assert answer.text == answer.text.strip()


def test_the_text_is_of_sentences() -> None:
    assert ANSWER.text == "The light ahead is red, so I stand."
    assert replace(ANSWER, words=("a", ".", "i", "wait", ".")).text == "A. I wait."
    assert replace(ANSWER, words=()).text == ""


def test_a_box_is_in_px_of_the_models_picture() -> None:
    assert ANSWER.box_px == (40.0, 8.0, 16.0, 12.0)


@pytest.mark.parametrize(
    ("text", "label", "camera"),
    [
        ("a <cause> <red_light> <cam1> <x1> <y2> <x3> <y4> <meta> <stopped>", "red_light", 1),
        ("a <cause> <red_light> <meta> <stopped>", "red_light", None),
        ("a <cause> <red_light> <cam1> <x1> <y2> <x3> <meta> <stopped>", "red_light", None),
        ("a <cause> <red_light> <cam1> <x3> <y2> <x3> <y4> <meta> <stopped>", "red_light", None),
        ("a <cause> <red_light> <cam1> <y2> <x1> <x3> <y4> <meta> <stopped>", "red_light", None),
        ("a <cause> <none> <cam1> <x1> <y2> <x3> <y4> <meta> <stopped>", "", None),
        ("a <cause> ahead <meta> <stopped>", "", None),
        ("a <cause> <left> <meta> <stopped>", "", None),
        ("a <cause> <cam1> <x1> <y2> <x3> <y4> <meta> <stopped>", "", None),
        ("a <cause> <meta> <stopped>", "", None),
        ("a <meta> <stopped>", "", None),
    ],
)
def test_a_cause_that_is_not_well_formed_is_left_out_as_far_as_it_is_not(
    text: str, label: str, camera: int | None
) -> None:
    answer = LANGUAGE.decode(ids(text))
    assert (answer.words, answer.label, answer.camera) == (("a",), label, camera)
    assert answer.longitudinal is LongitudinalAction.STOPPED


def test_a_meta_action_that_is_missing_or_another_kinds_is_unknown() -> None:
    answer = LANGUAGE.decode(ids("<bos> a <cause> <none> <meta> <left> <left> <eos> <keep>"))
    actions = (answer.longitudinal, answer.lateral, answer.lane)
    assert actions == (LongitudinalAction.UNKNOWN, LateralAction.LEFT, LaneAction.UNKNOWN)
    assert LANGUAGE.decode([]) == Answer(())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"words": ("the", "unicorn")}, "unicorn is no token"),
        ({"words": ("The",)}, "The is no token"),
        ({"words": ("a",) * (MAX_WORDS + 1)}, "answer has 25 words; expected at most 24"),
        ({"label": "ufo"}, "<ufo> is no token"),
        ({"camera": CAMERA_COUNT}, "<cam4> is no token"),
        ({"camera": None}, "<camNone> is no token"),
        ({"box_bins": (0, 0, COLUMN_BINS + 1, 1)}, "<x41> is no token"),
        ({"lane": LaneAction.UNKNOWN}, "<unknown> is no token"),
    ],
)
def test_what_has_no_tokens_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LANGUAGE.encode(replace(ANSWER, **changes))  # type: ignore[arg-type]


def test_a_number_that_no_picture_has_makes_no_box() -> None:
    odd = DrivingLanguage((*vocabulary(), f"<x{'9' * 5000}>", "<x\u0664>"))
    for token in odd.tokens[-2:]:
        text = ["<cause>", "<curve>", "<cam1>", "<x1>", "<y2>", token, "<y4>"]
        answer = odd.decode([odd.tokens.index(word) for word in text])
        assert (answer.label, answer.box_px) == ("curve", None)


def test_ids_come_from_the_given_list_of_tokens() -> None:
    backwards = DrivingLanguage(tuple(reversed(vocabulary())))
    encoded = backwards.encode(ANSWER)
    assert encoded == [len(vocabulary()) - 1 - index for index in LANGUAGE.encode(ANSWER)]
    assert backwards.decode(encoded) == ANSWER


def test_tokens_differ_and_words_are_sorted_lower_case() -> None:
    assert len(set(vocabulary())) == len(vocabulary())
    assert list(WORDS) == sorted(set(WORDS))
    assert all(word == word.lower() and not word.startswith("<") for word in WORDS)
    assert read_vocabulary(json.dumps(vocabulary()).encode(), "vocabulary") == vocabulary()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff", "vocabulary is no JSON"),
        (b"[" * 100_000, "vocabulary is no JSON"),
        (b'{"a": 1}', "no list of strings"),
        (b'["a", 1]', "no list of strings"),
        (b'["a", ""]', "no list of strings"),
        (b'["a", "a"]', "names a token twice; expected 1 different ones"),
        (b'["a", "<bos>"]', "lacks <accelerate>, .*<eos>"),
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        read_vocabulary(data, "vocabulary")


@pytest.mark.parametrize("token", ["\ud800", "a\nb", "a b", "\x00"])
def test_a_token_that_no_text_can_hold_is_refused(token: str) -> None:
    with pytest.raises(ArtifactError, match="expected tokens that can be printed, without blanks"):
        read_vocabulary(json.dumps([*vocabulary(), token]).encode(), "vocabulary.json of model m")
