"""The numbers of messages tell which are missing, and which come twice."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.recording.sequence import MAX_GAPS, SequenceLedger

A, B = b"a", b"b"


def test_an_unbroken_sequence_misses_nothing_wherever_it_begins() -> None:
    ledger = SequenceLedger()
    assert all(ledger.is_new(A, number) for number in range(700, 800))
    assert ledger.missed == 0


def test_a_gap_is_missed_and_publishers_are_counted_apart() -> None:
    ledger = SequenceLedger()
    for publisher, number in ((A, 1), (B, 50), (A, 2), (A, 6), (B, 51)):
        assert ledger.is_new(publisher, number)
    assert ledger.missed == 3


def test_what_fills_a_gap_is_new_and_no_longer_missed() -> None:
    ledger = SequenceLedger()
    assert [ledger.is_new(A, number) for number in (1, 4, 2, 2, 3, 4)] == [True, True, True, False, True, False]
    assert ledger.missed == 0


def test_what_is_older_than_the_first_is_new() -> None:
    ledger = SequenceLedger()
    assert ledger.is_new(A, 5)
    assert ledger.is_new(A, 4)
    assert ledger.missed == 0


def test_without_numbers_everything_is_new() -> None:
    ledger = SequenceLedger()
    assert all(ledger.is_new(A, None) for _ in range(3))
    assert ledger.missed == 0


def test_a_huge_gap_costs_no_memory() -> None:
    ledger = SequenceLedger()
    ledger.is_new(A, 1)
    for number in range(1, 50):
        assert ledger.is_new(A, number * 10**12)
    assert ledger.missed == 49 * 10**12 - 50
    assert len(ledger._publishers[A].gaps) == MAX_GAPS
    assert ledger.is_new(A, 49 * 10**12 - 1)
    assert not ledger.is_new(A, 10**12 + 1)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_two_subscriptions_together_give_each_message_once(both: list[bool], order: Any) -> None:
    old = list(range(1, len(both) + 1))
    new = [number for number, in_both in zip(old, both, strict=True) if in_both]
    # Each subscription keeps the order of the publisher; how they interleave is open.
    sources = (iter(old), iter(new))
    turns = [0] * len(old) + [1] * len(new)
    order.shuffle(turns)
    ledger = SequenceLedger()
    ledger.is_new(A, 0)
    merged = [next(sources[turn]) for turn in turns]
    assert sorted(number for number in merged if ledger.is_new(A, number)) == old
    assert ledger.missed == 0


@pytest.mark.parametrize("count", [1, 3])
def test_missed_counts_add_up(count: int) -> None:
    ledger = SequenceLedger()
    for number in range(0, 10 * (count + 1), count + 1):
        ledger.is_new(A, number)
    assert ledger.missed == 9 * count
