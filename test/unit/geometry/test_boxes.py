"""Two boxes overlap by what they share over what they cover."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.geometry.boxes import Box, overlap

SIDES = st.tuples(st.floats(-100, 100), st.floats(-100, 100), st.floats(0, 100), st.floats(0, 100))


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 10, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (20, 20, 1, 1), 0.0),
        ((0, 0, 10, 10), (2, 2, 5, 5), 0.25),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
    ],
)
def test_the_overlap_of_known_boxes(one: Box, other: Box, share: float) -> None:
    assert overlap(one, other) == pytest.approx(share)


@given(SIDES, SIDES)
def test_the_overlap_is_symmetric_and_a_share(one: Box, other: Box) -> None:
    assert 0.0 <= overlap(one, other) <= 1.0 + 1e-9
    assert overlap(one, other) == pytest.approx(overlap(other, one))
