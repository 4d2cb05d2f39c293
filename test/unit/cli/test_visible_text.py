"""A stranger's text is shown, never obeyed; a text of any language stays as it is."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.cli.visible_text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\tb\r\nc\x00\x08\x7f", r"a\tb\r\nc\x00\x08\x7f"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("a\u2028b\u2029c\x85", r"a\u2028b\u2029c\x85"),
        ("\udcff\ud800", r"\udcff\ud800"),
        ("a\u200bb\ufeff\U000e0041", r"a\u200bb\ufeff\U000e0041"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/camera/front",
        "ä é ß",
        "道路 走行　記録",
        "\u0645\u06cc\u200c\u062e\u0648",
        "क\u094d\u200dष",
        "🚗",
        "a\u00a0b",
        r"C:\x1b",
        "[red]",
    ],
)
def test_a_text_of_any_language_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.text())
def test_what_is_shown_has_neither_controls_nor_line_ends_nor_half_characters(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]", shown)
    assert visible(shown) == shown
