"""Errors of other libraries in one sentence."""

import pytest

from alpamayo_ros.importers.foreign_error import LONGEST, sentence_of


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("first\nsecond"), "ValueError: first"),
        (OSError("\n\n lead\n"), "OSError: lead"),
        (KeyError("name"), "KeyError: 'name'"),
        (RuntimeError(), "RuntimeError"),
        (ValueError("x" * 1000), "ValueError: " + "x" * LONGEST),
    ],
)
def test_kind_and_first_line_are_kept(error, said):
    assert sentence_of(error) == said
