"""Whatever is done to a playback, in any order, agrees with a playback over a list."""

import math
from bisect import bisect_left
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.replay import bag_feed
from alpamayo_ros.replay.playback import Playback, PlaybackState
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS
from alpamayo_ros.storage.reader import BagReader, open_bag
from alpamayo_ros.storage.writer import BagWriter

S = 1_000_000_000
T0 = 1_700_000_000 * S
"""Bag time of the bags whose times are in seconds."""
NOW = 5_000 * S
"""Steady time of every start."""
NEVER = 10**30
"""Lateness that never moves the schedule."""

TOPICS = {
    "/lineage": ("alpamayo_ros/msg/Lineage", OUTPUT_QOS),
    "/tf_static": ("tf2_msgs/msg/TFMessage", OUTPUT_QOS),
    "/a": ("std_msgs/msg/String", OUTPUT_QOS),
    "/b": ("std_msgs/msg/String", OUTPUT_QOS),
    "/map": ("std_msgs/msg/String", LATCHED_QOS),
}
"""In the total order."""

Row = tuple[str, int, bytes]


def opened(stack: ExitStack, rows: list[Row], chunk_size: int) -> BagReader:
    path = Path(stack.enter_context(TemporaryDirectory())) / "bag"
    with BagWriter(path, identity=None, chunk_size=chunk_size) as writer:
        for name, (type_name, qos) in TOPICS.items():
            writer.add_topic(name, type_name, qos=qos)
        for topic, receive_ns, payload in rows:
            writer.write(topic, payload, receive_ns=receive_ns, publish_ns=receive_ns)
    return stack.enter_context(open_bag(path))


def ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row[1], list(TOPICS).index(row[0])))


def given_rows(messages: list[BagMessage]) -> list[Row]:
    return [(message.topic, message.receive_ns, message.payload) for message in messages]


ROWS = st.lists(st.tuples(st.sampled_from(["/a", "/b"]), st.integers(0, 5000)), min_size=1, max_size=40)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("due"), st.integers(1, 8)),
        st.tuples(st.just("wait"), st.integers(0, 900)),
        st.tuples(st.just("pause"), st.none()),
        st.tuples(st.just("resume"), st.none()),
        st.tuples(st.just("rate"), st.sampled_from([0.1, 1 / 3, 1, 2.5, 100])),
        st.tuples(st.just("step"), st.integers(1, 4)),
        st.tuples(st.just("seek"), st.integers(0, 5000)),
        st.tuples(st.just("ahead"), st.none()),
    ),
    max_size=60,
)


class Model:
    """A playback over a list, in fractions: what should be given, and when."""

    def __init__(self, times: list[int]) -> None:
        self.times, self.next = times, 0
        self.bag, self.rate, self.paused = Fraction(times[0]), Fraction(1), False

    @property
    def limit(self) -> Fraction:
        return Fraction(self.times[min(self.next, len(self.times) - 1)])

    def wait(self, duration: int) -> None:
        self.bag += 0 if self.paused else duration * self.rate

    def settle(self) -> None:
        self.bag = min(self.bag, self.limit)

    def due(self, limit: int) -> range:
        first = self.next
        while not self.paused and self.next < min(len(self.times), first + limit) and self.times[self.next] <= self.bag:
            self.next += 1
        return range(first, self.next)

    def step(self, count: int) -> range:
        first = self.next
        self.next = min(len(self.times), first + count)
        self.bag = Fraction(self.times[self.next - 1])
        return range(first, self.next)

    def seek(self, bag_ns: int) -> None:
        self.next = bisect_left(self.times, bag_ns)
        self.bag = self.limit


def apply(playback: Playback, model: Model, now: int, name: str, value: Any) -> tuple[list[BagMessage], range]:
    if name == "due":
        return playback.due(now, value), model.due(value)
    if name == "step" and playback.state is PlaybackState.PAUSED:
        return playback.step(value).messages, model.step(value)
    if name == "seek":
        bag_ns = min(max(value, model.times[0]), model.times[-1])
        playback.seek(bag_ns, now)
        model.seek(bag_ns)
    elif name in ("pause", "resume"):
        getattr(playback, name)(now)
        if not model.paused and name == "pause":
            model.settle()
        model.paused = name == "pause"
    elif name == "rate":
        playback.set_rate(value, now)
        model.settle()
        model.rate = playback.rate
    elif name == "ahead":
        playback.read_ahead()
    return [], range(0)


@given(rows=ROWS, operations=OPERATIONS, chunk_size=st.sampled_from([1, 200, 1 << 20]))
@settings(deadline=None, max_examples=80)
def test_nothing_is_lost_doubled_swapped_or_early_whatever_is_done(
    rows: list[tuple[str, int]], operations: list[tuple[str, Any]], chunk_size: int
) -> None:
    numbered = [(topic, time, f"{number}".encode()) for number, (topic, time) in enumerate(rows)]
    whole = ordered(numbered)
    with ExitStack() as stack:
        reader = opened(stack, numbered, chunk_size)
        playback, model, now, clock = Playback(reader, catch_up_ns=NEVER), Model([row[1] for row in whole]), NOW, 0
        playback.start(now)
        for name, value in operations:
            if name == "wait":
                now += value
                model.wait(value)
            messages, expected = apply(playback, model, now, name, value)
            assert given_rows(messages) == whole[expected.start : expected.stop]
            assert playback.position_ns == model.limit
            assert playback.bag_time_ns(now) == math.floor(min(model.bag, model.limit))
            assert name == "seek" or playback.position_ns >= clock
            clock = playback.position_ns
        # What is left comes on its own.
        playback.resume(now)
        rest: list[BagMessage] = []
        while (due_ns := playback.next_due_ns()) is not None:
            now = max(now, due_ns)
            rest += playback.due(now, 3)
        assert given_rows(rest) == whole[model.next :]
        assert playback.state is PlaybackState.ENDED


LATCHED_ROWS = st.lists(st.tuples(st.sampled_from(sorted(TOPICS)), st.integers(0, 10_000)), min_size=1, max_size=40)


@given(rows=LATCHED_ROWS, position=st.integers(0, 10_000), repeats=st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_a_seek_gives_the_state_that_held_there(rows: list[tuple[str, int]], position: int, repeats: int) -> None:
    # Times in seconds, so that the search looks back through several windows.
    numbered = [(topic, T0 + time * S, f"{number}".encode()) for number, (topic, time) in enumerate(rows)]
    whole = ordered(numbered)
    position_ns = min(max(T0 + position * S, whole[0][1]), whole[-1][1])
    before = [row for row in whole if row[1] < position_ns]
    kept = {"/tf_static": repeats, "/lineage": 1, "/map": 1}
    last = {row for name, count in kept.items() for row in [row for row in before if row[0] == name][-count:]}
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(bag_feed, "REPEATED_TRANSFORMS", repeats)
        playback = Playback(opened(stack, numbered, chunk_size=1), start_paused=True)
        playback.start(NOW)
        playback.seek(position_ns, NOW)
        assert given_rows(playback.due(NOW, 1000)) == [row for row in before if row in last]
        assert given_rows(playback.step().messages) == [whole[len(before)]]
