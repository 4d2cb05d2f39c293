"""Say which messages of a bag are due, for whoever publishes it again."""

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import final

from alpamayo_ros.errors import ConfigurationError, ParameterError
from alpamayo_ros.replay.bag_feed import BagFeed
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.reader import BagReader

MAX_RATE = 100
MAX_STEP = 1000
"""Messages of one step, which are held in memory at once."""

CATCH_UP_NS = 100_000_000
"""Lateness that is caught up; a longer one moves the schedule, because a burst overflows queues of subscribers."""

LOOP_GAP_NS = 100_000_000
"""Steady time between the last message of a round and the first of the next."""

_RATE_STEPS = 1_000_000
"""Rates are multiples of a millionth, so that bag times stay exact fractions of bounded size."""

_NS_PER_S = 1_000_000_000


class PlaybackState(Enum):
    """What a playback is doing."""

    WAITING = "waiting"
    PLAYING = "playing"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Step:
    """What a step gave.

    Attributes:
        messages: To publish in this order.
        published: How many of them are messages of the step; the others are latched ones, given again.
        reached_ns: Bag time: receive time of the last message of the step.
    """

    messages: list[BagMessage]
    published: int
    reached_ns: int


@final
class Playback:
    """The schedule of a bag that is published again; it is told the time and never waits.

    Steady time is that of whoever calls; bag time is the receive time of messages. They meet in an anchor, moved by
    start, resume, seek and rate only, and between anchors the due time of a message is exact: no error adds up.
    The first message is due at the start, the others relative to it, as after a seek.

    Latched topics (``tf_static``, lineage and what was offered as transient local) are state: after a seek, a start
    with an offset and a new round their last messages before the position are given again, first and even while
    paused.

    Pause, resume, seek and rate may be called in every state: before the start they say how it starts, and a seek
    from the end goes on as before, playing or paused.
    """

    def __init__(
        self,
        reader: BagReader,
        *,
        topics: Collection[str] | None = None,
        remaps: Mapping[str, str] | None = None,
        rate: float | Fraction = 1,
        start_offset_s: float = 0.0,
        start_paused: bool = False,
        loop: bool = False,
        catch_up_ns: int = CATCH_UP_NS,
    ) -> None:
        """Wait for the start.

        Args:
            reader: The open bag; the caller closes it.
            topics: Topics of the bag to play; None for all.
            remaps: Name to publish under by topic of the bag.
            rate: Bag seconds per second, 0 < rate <= 100.
            start_offset_s: Where to start, in s after the bag's first message; also where each round begins.
            start_paused: Whether to be paused after the start.
            loop: Whether to begin again at the end.
            catch_up_ns: Lateness in ns that is caught up; a longer one moves the schedule, see ``slipped_ns``.

        Raises:
            ParameterError: The rate or the offset is out of range.
            TopicError: A topic is not in the bag, or two of them would be published under one name.
            BagCorruptError: The bag is damaged before the offset.
        """
        self._rate = _exact_rate(rate)
        self._bounds = None if reader.start_ns is None or reader.end_ns is None else (reader.start_ns, reader.end_ns)
        self._begin_ns = self._offset_position(start_offset_s)
        self._feed = BagFeed(reader, topics, remaps)
        self._feed.seek(self._begin_ns)
        self._started = False
        self._paused = start_paused
        self._loop = loop
        self._catch_up_ns = catch_up_ns
        self._counts: Counter[str] = Counter()
        self._repeat_count = 0
        self._lateness_ns = 0
        self._slipped_ns = 0
        self._reached_ns = self._begin_ns
        self._anchor_ns = 0
        self._anchor_bag = Fraction(0)
        self._anchor_at_next(0)

    @property
    def state(self) -> PlaybackState:
        """What it is doing."""
        if not self._started:
            return PlaybackState.WAITING
        if self._feed.at_end:
            return PlaybackState.ENDED
        return PlaybackState.PAUSED if self._paused else PlaybackState.PLAYING

    @property
    def topics(self) -> Mapping[str, TopicInfo]:
        """Topics that are played, by the name that they are published under."""
        return self._feed.topics

    @property
    def latched(self) -> Mapping[str, int]:
        """How many messages of each latched topic are given again; what the depth of its publisher should be."""
        return self._feed.latched

    @property
    def position_ns(self) -> int:
        """Bag time of the next message; at the end that of the last one, 0 in an empty bag."""
        following = self._feed.peek()
        return self._reached_ns if following is None else following.receive_ns

    @property
    def duration_ns(self) -> int:
        """Bag time in ns from the bag's first message to its last, whichever topics are played."""
        return 0 if self._bounds is None else self._bounds[1] - self._bounds[0]

    @property
    def rate(self) -> Fraction:
        """Bag seconds per second."""
        return self._rate

    @property
    def counts(self) -> Mapping[str, int]:
        """Messages given so far by published topic, without those that were given again."""
        return self._counts

    @property
    def repeat_count(self) -> int:
        """Latched messages that were given again."""
        return self._repeat_count

    @property
    def lateness_ns(self) -> int:
        """Return how late, in ns of steady time, the first message was at the last ``due``; 0 if none was due."""
        return self._lateness_ns

    @property
    def slipped_ns(self) -> int:
        """Return by how much, in ns of steady time, lateness above ``catch_up_ns`` has moved the schedule so far."""
        return self._slipped_ns

    def bag_time_ns(self, now_ns: int) -> int:
        """Return the bag time at a steady time.

        It runs on between messages, at the rate, and never passes a message that was not given. It stands still while
        paused, and goes back with a seek and a new round only.
        """
        return math.floor(self._bag_time(now_ns))

    def start(self, now_ns: int) -> None:
        """Start at the position, playing or paused; the next message is due now.

        Raises:
            ConfigurationError: It was started before.
        """
        if self._started:
            raise ConfigurationError(f"playback is {self.state.value}; expected waiting: it can be started once")
        self._started = True
        self._anchor_at_next(now_ns)

    def due(self, now_ns: int, limit: int) -> list[BagMessage]:
        """Return the messages that are due, in the total order, and go on past them.

        Args:
            now_ns: Steady time in ns.
            limit: Most messages to return; the others stay due.

        Raises:
            BagCorruptError: The bag is damaged here; every message before was given.
        """
        self._lateness_ns = 0
        if not self._started:
            return []
        self._feed.raise_damage()
        given = self._repeated(limit)
        if self.state is not PlaybackState.PLAYING:
            return given
        self._judge_lateness(now_ns)
        while len(given) < limit and (due_ns := self._due_ns()) is not None and due_ns <= now_ns:
            given.append(self._take(due_ns))
        return given

    def next_due_ns(self) -> int | None:
        """Return the steady time at which ``due`` is to be called next; None while nothing will be due.

        That is before the start, while paused and at the end, unless latched messages are to be given again.
        """
        if not self._started:
            return None
        if self._feed.repeating:
            return self._repeats_ns
        if self.state is not PlaybackState.PLAYING:
            return None
        due_ns = self._due_ns()
        # Without a next message the bag is damaged: due is to be called to say so.
        return self._anchor_ns if due_ns is None else due_ns

    def read_ahead(self) -> bool:
        """Read one message into memory; return False without reading when there is no room for it, or none is left.

        Call it while nothing is due: a chunk takes milliseconds to read and unpack, which would make messages late.
        """
        return self._feed.read_ahead()

    def pause(self, now_ns: int) -> None:
        """Stand still at the bag time of now."""
        if not self._paused:
            self._move_anchor(now_ns)
            self._paused = True

    def resume(self, now_ns: int) -> None:
        """Go on from where it stands."""
        if self._paused:
            self._anchor_ns = now_ns
            self._paused = False

    def set_rate(self, rate: float | Fraction, now_ns: int) -> None:
        """Play on at another rate from the bag time of now.

        Args:
            rate: Bag seconds per second, 0 < rate <= 100; rounded to a millionth.
            now_ns: Steady time in ns.

        Raises:
            ParameterError: The rate is out of range.
        """
        exact = _exact_rate(rate)
        self._move_anchor(now_ns)
        self._rate = exact

    def step(self, count: int = 1) -> Step:
        """Return the next messages at once, and go on past them.

        Args:
            count: Messages, 1 to 1000; fewer are returned at the end.

        Raises:
            ConfigurationError: It is not paused.
            ParameterError: The count is out of range.
            BagCorruptError: The bag is damaged here; every message before was given.
        """
        if self.state is not PlaybackState.PAUSED:
            raise ConfigurationError(f"step: playback is {self.state.value}; expected paused")
        if not 1 <= count <= MAX_STEP:
            raise ParameterError(f"step: count {count} is out of range; expected 1 to {MAX_STEP}")
        self._feed.raise_damage()
        given: list[BagMessage] = []
        published = 0
        while published < count:
            given += self._repeated(MAX_STEP)
            if self._feed.peek() is None:
                break
            given.append(self._take(self._anchor_ns))
            published += 1
        return Step(given, published, self._reached_ns)

    def seek(self, bag_ns: int, now_ns: int) -> None:
        """Stand before the first message that was received at or after a time; it is due now.

        Args:
            bag_ns: Bag time, from the bag's first message to its last.
            now_ns: Steady time in ns.

        Raises:
            ParameterError: The time is out of range, or the bag is empty; the position stays.
            BagCorruptError: The bag is damaged before the position.
        """
        if self._bounds is None:
            raise ParameterError(f"seek: time {bag_ns} ns is out of range; the bag has no messages")
        first_ns, last_ns = self._bounds
        if not first_ns <= bag_ns <= last_ns:
            raise ParameterError(f"seek: time {bag_ns} ns is out of range; expected {first_ns} to {last_ns} ns")
        self._feed.seek(bag_ns)
        self._reached_ns = bag_ns
        self._anchor_at_next(now_ns)

    def _offset_position(self, start_offset_s: float) -> int:
        duration_s = self.duration_ns / _NS_PER_S
        if not 0.0 <= start_offset_s <= duration_s:
            raise ParameterError(f"start offset {start_offset_s} s is out of range; expected 0 to {duration_s} s")
        begin_ns = 0 if self._bounds is None else self._bounds[0]
        return begin_ns + min(round(start_offset_s * _NS_PER_S), self.duration_ns)

    def _repeated(self, limit: int) -> list[BagMessage]:
        messages = self._feed.take_repeated(limit)
        self._repeat_count += len(messages)
        return messages

    def _take(self, due_ns: int) -> BagMessage:
        message = self._feed.take()
        self._counts[message.topic] += 1
        self._reached_ns = message.receive_ns
        if self._paused:
            self._anchor_bag = Fraction(message.receive_ns)
        if self._loop and self._feed.at_end:
            self._feed.seek(self._begin_ns)
            self._anchor_at_next(due_ns + LOOP_GAP_NS)
        return message

    def _due_ns(self) -> int | None:
        following = self._feed.peek()
        if following is None:
            return None
        return self._anchor_ns + math.ceil((following.receive_ns - self._anchor_bag) / self._rate)

    def _judge_lateness(self, now_ns: int) -> None:
        due_ns = self._due_ns()
        if due_ns is None:
            return
        self._lateness_ns = max(0, now_ns - due_ns)
        if self._lateness_ns > self._catch_up_ns:
            self._anchor_ns += self._lateness_ns
            self._slipped_ns += self._lateness_ns

    def _bag_time(self, now_ns: int) -> Fraction:
        moved = self._anchor_bag
        if self._started and not self._paused:
            moved += max(0, now_ns - self._anchor_ns) * self._rate
        return min(moved, Fraction(self.position_ns))

    def _move_anchor(self, now_ns: int) -> None:
        self._anchor_bag = self._bag_time(now_ns)
        # Between two rounds of a loop the anchor is still to come.
        self._anchor_ns = max(now_ns, self._anchor_ns)

    def _anchor_at_next(self, now_ns: int) -> None:
        """Make the next message due at a time."""
        self._anchor_bag = Fraction(self.position_ns)
        self._anchor_ns = now_ns
        self._repeats_ns = now_ns


def _exact_rate(rate: float | Fraction) -> Fraction:
    exact = Fraction(round(Fraction(rate) * _RATE_STEPS), _RATE_STEPS) if 0 < rate <= MAX_RATE else None
    if not exact:
        raise ParameterError(
            f"rate {rate} is out of range; expected more than 0 and at most {MAX_RATE} (at least {1 / _RATE_STEPS:f})"
        )
    return exact
