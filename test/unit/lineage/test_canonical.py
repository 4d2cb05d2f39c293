"""An id is the digest of the RFC 8785 form."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.lineage.canonical import bytes_id, canonical_json, document_id


def test_keys_are_sorted_and_nothing_is_spaced() -> None:
    assert canonical_json({"b": [1, 2.5, True, None], "a": "é"}) == '{"a":"é","b":[1,2.5,true,null]}'.encode()


def test_the_id_of_an_empty_document_is_a_known_digest() -> None:
    assert document_id({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert document_id({}) == bytes_id(b"{}")


def test_integers_beyond_exact_floats_become_texts() -> None:
    assert canonical_json([2**53 - 1, 2**53, -(2**53)]) == b'[9007199254740991,"9007199254740992","-9007199254740992"]'


@pytest.mark.parametrize("value", [math.nan, math.inf, {1: 2}, {"a": object()}, b"bytes"])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="canonical"):
        canonical_json(value)


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans()))
def test_the_order_of_insertion_changes_nothing(document: dict[str, Any]) -> None:
    assert document_id(document) == document_id(dict(reversed(list(document.items()))))
