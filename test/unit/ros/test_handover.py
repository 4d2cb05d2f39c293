"""Structs go to everybody in the process who takes them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alpamayo_ros.ros.handover import Handover


@pytest.fixture
def handover() -> Iterator[Handover]:
    """Give a handover, and end its thread after the test."""
    made = Handover(in_memory=True)
    yield made
    assert made.worker.close(30.0)


def test_every_receiver_gets_the_very_struct_in_the_order_of_asking(handover: Handover) -> None:
    got: list[tuple[str, Any]] = []
    for name in ("a", "b"):
        handover.receive("tick", lambda struct, name=name: got.append((name, struct)))  # type: ignore[misc]
    struct = object()
    handover.give("tick", struct)
    assert got == [("a", struct), ("b", struct)]


def test_interfaces_do_not_mix_and_nobody_is_no_error(handover: Handover) -> None:
    got: list[Any] = []
    handover.receive("tick", got.append)
    handover.give("rationale", 1)
    assert got == []
    assert (handover.has_receiver("tick"), handover.has_receiver("rationale")) == (True, False)


def test_who_is_forgotten_gets_nothing_more(handover: Handover) -> None:
    got: list[Any] = []
    handover.receive("tick", got.append)
    handover.forget("tick", got.append)
    handover.forget("tick", got.append)
    handover.forget("rationale", got.append)
    handover.give("tick", 1)
    assert got == []
    assert not handover.has_receiver("tick")


def test_a_method_of_a_node_is_forgotten_by_the_method_that_was_given(handover: Handover) -> None:
    class Node:
        def __init__(self) -> None:
            self.got: list[Any] = []

        def take(self, struct: Any) -> None:
            self.got.append(struct)

    one, other = Node(), Node()
    for node in (one, other):
        handover.receive("tick", node.take)
    handover.forget("tick", one.take)
    handover.give("tick", 1)
    assert (one.got, other.got) == ([], [1])


def test_a_receiver_may_leave_while_structs_are_given(handover: Handover) -> None:
    got: list[str] = []

    def leaves(_: Any) -> None:
        got.append("leaves")
        handover.forget("tick", leaves)

    handover.receive("tick", leaves)
    handover.receive("tick", lambda _: got.append("stays"))
    for _ in range(2):
        handover.give("tick", 1)
    assert got == ["leaves", "stays", "stays"]


def test_a_receiver_that_comes_while_structs_are_given_gets_the_next(handover: Handover) -> None:
    got: list[int] = []
    came: list[Callable[[Any], None]] = []

    def brings(_: Any) -> None:
        if not came:
            came.append(got.append)
            handover.receive("tick", got.append)

    handover.receive("tick", brings)
    handover.give("tick", 1)
    handover.give("tick", 2)
    assert got == [2]
