"""Texts and numbers in front of people."""

import math

import pytest

from alpamayo_ros.report.words import (
    OUTCOME_SENTENCES,
    TEXT_LIMIT,
    VERDICT_SENTENCES,
    VERDICT_SYMBOLS,
    VERDICT_TITLES,
    allowance,
    counted,
    horizon_label,
    measure,
    number,
    ordered_ticks,
    outcome_title,
    plain,
    provenance_sentence,
    seconds_after,
)
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import Verdict


def test_every_verdict_and_every_outcome_has_its_words():
    assert set(VERDICT_TITLES) == set(VERDICT_SENTENCES) == set(VERDICT_SYMBOLS) == set(Verdict)
    assert set(OUTCOME_SENTENCES) == set(TickOutcome)
    assert len(set(VERDICT_TITLES.values())) == len(Verdict)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x1b[31m", "a<U+0000>b<U+001B>[31m"),
        ("pass\u202erof", "pass<U+202E>rof"),
        ("zero\u200bwidth", "zero<U+200B>width"),
        ("half \ud800", "half <U+D800>"),
        ("\ufffe", "<U+FFFE>"),
        ("lines\nand\ttabs, Grüße, 左折", "lines\nand\ttabs, Grüße, 左折"),
    ],
)
def test_what_has_no_picture_of_its_own_is_shown_as_its_code_point(text, shown):
    assert plain(text) == shown


def test_a_long_text_is_cut_and_says_by_how_much():
    shown = plain("x" * (TEXT_LIMIT + 7))
    assert shown.startswith("x" * TEXT_LIMIT)
    assert shown.endswith("(7 more characters)")


@pytest.mark.parametrize(
    ("t0_ns", "text"),
    [
        (1_700_000_001_234_567_890, "1.235"),
        (1_700_000_000_000_000_000, "0.000"),
        (1_699_999_999_900_000_000, "-0.100"),
        (1_700_086_400_000_400_000, "86400.000"),
    ],
)
def test_times_are_written_in_milliseconds_without_losing_digits(t0_ns, text):
    assert seconds_after(t0_ns, 1_700_000_000_000_000_000) == text


@pytest.mark.parametrize(("horizon_s", "label"), [(1.0, "1.0"), (6.3, "6.3"), (6.4000000953674316, "6.4"), (3, "3.0")])
def test_horizons_have_one_spelling(horizon_s, label):
    assert horizon_label(horizon_s) == label


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "\N{EN DASH}"), (0.0, "0"), (0.0123449, "0.01234"), (math.nan, "not finite"), (math.inf, "not finite")],
)
def test_numbers_say_when_there_is_none(value, text):
    assert number(value) == text


def test_outcomes_come_in_their_own_order_then_the_open_ones_then_the_rest():
    counts = {"dropped_b": 1, "open_at_end": 1, "SKIPPED_BUSY": 4, "dropped_a": 1, "ANSWERED": 3, "NO_ODOMETRY": 2}
    assert list(ordered_ticks(counts)) == [
        "ANSWERED", "NO_ODOMETRY", "SKIPPED_BUSY", "open_at_end", "dropped_a", "dropped_b",
    ]  # fmt: skip
    assert outcome_title("HISTORY_TOO_SHORT") == "history too short"


def test_real_simulated_and_unknown_input_are_told_apart():
    sentences = [provenance_sentence(tags) for tags in ({"provenance": "real"}, {"provenance": "Simulated"}, {})]
    assert [sentence.split()[0] for sentence in sentences] == ["Real", "Simulated", "The"]
    assert provenance_sentence({"provenance": "imagined"}) == sentences[2]


@pytest.mark.parametrize(
    ("tolerance", "unit", "text"),
    [
        (0.11, "as written", "numbers in the text may differ by 0.11"),
        (0.01, "m", "0.01 m"),
        (0.001, "1", "0.001"),
        (0.5, "", "0.5"),
        (None, "", "must be equal"),
        (0.5, "m\u202e", "0.5 m<U+202E>"),
    ],
)
def test_what_is_allowed_is_said_in_words(tolerance, unit, text):
    assert allowance(tolerance, unit) == text


def test_a_difference_has_its_unit_where_it_has_one():
    assert [measure(0.3, unit) for unit in ("m", "1", "", "as written")] == ["0.3 m", "0.3", "0.3", "0.3 in the text"]
    assert measure(None, "m") == "\N{EN DASH}"


def test_one_is_not_many():
    assert [counted(count, "tick") for count in (0, 1, 2)] == ["0 ticks", "1 tick", "2 ticks"]
