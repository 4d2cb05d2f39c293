"""Held out parameters lie outside of the ranges of training, near them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.world.maps.draw import HELD_OUT_BAND, Draw


@given(st.integers(0, 2**40))
def test_training_stays_inside_and_held_out_outside(seed: int) -> None:
    train, held_out = Draw("train", [seed]), Draw("held_out", [seed])
    for _ in range(20):
        assert 2.0 <= train.within(2.0, 4.0) <= 4.0
        value = held_out.within(2.0, 4.0)
        assert 2.0 - 2.0 * HELD_OUT_BAND <= value <= 2.0001 or 3.9999 <= value <= 4.0 + 2.0 * HELD_OUT_BAND


def test_the_same_seed_draws_the_same_numbers() -> None:
    first, again = Draw("train", [3, 1]), Draw("train", [3, 1])
    assert [first.within(0, 1), first.whole(0, 9), first.choice(("a", "b"))] == [
        again.within(0, 1), again.whole(0, 9), again.choice(("a", "b")),
    ]  # fmt: skip


def test_the_splits_are_different_streams() -> None:
    assert Draw("train", [3]).uniform(0, 1) != Draw("held_out", [3]).uniform(0, 1)


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ParameterError, match="expected one of: held_out, train"):
        Draw("test", [0])
