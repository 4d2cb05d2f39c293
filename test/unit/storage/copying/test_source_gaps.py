"""Bags that lie apart are named, and refused where they cannot be one drive."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.storage.copying.source import CopySource, opened_sources
from alpamayo_ros.storage.copying.source_gaps import MAX_GAP_NS, WARNED_GAP_NS, gap_warnings

Opened = Callable[..., tuple[CopySource, ...]]


@pytest.fixture
def opened(make_bag: Callable[..., Path]) -> Iterator[Opened]:
    """Return a function that opens bags of one topic with messages at given times."""
    names = map(str, count())
    with ExitStack() as stack:

        def open_them(*spans: tuple[int, ...]) -> tuple[CopySource, ...]:
            folder = next(names)
            bags = [
                make_bag(f"{folder}_{number}", [("/odom", time_ns, b"x") for time_ns in span])
                for number, span in enumerate(spans)
            ]
            return stack.enter_context(opened_sources(bags, take_ros1=False))

        yield open_them


def test_the_bounds_belong_to_what_is_allowed(opened: Opened) -> None:
    assert gap_warnings(opened((1,), (1 + WARNED_GAP_NS,)), allow_any=False) == ()
    assert len(gap_warnings(opened((1,), (2 + WARNED_GAP_NS,)), allow_any=False)) == 1
    assert len(gap_warnings(opened((1,), (1 + MAX_GAP_NS,)), allow_any=False)) == 1
    with pytest.raises(ConfigurationError, match="at most a day apart"):
        gap_warnings(opened((1,), (2 + MAX_GAP_NS,)), allow_any=False)


def test_a_bag_that_reaches_over_others_closes_their_gaps(opened: Opened) -> None:
    sources = opened((1, 10 * MAX_GAP_NS), (5, 6), (9 * MAX_GAP_NS,))
    assert gap_warnings(sources, allow_any=False) == ()


def test_a_bag_without_messages_lies_nowhere(opened: Opened) -> None:
    assert gap_warnings(opened((), (1,), ()), allow_any=False) == ()
