"""Read a bag onwards from any position, with the latched messages that held before it."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import final

from alpamayo_ros.errors import BagError, TopicError, expected_one_of
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.reader import STATIC, BagReader, topic_class

REPEATED_TRANSFORMS = 100
"""Messages of a tf_static topic that are given again: several publishers share it, each with transforms of its own."""

_AHEAD_MESSAGES = 100
_AHEAD_BYTES = 32 * 1024 * 1024
_FIRST_WINDOW_NS = 1_000_000_000


@final
class BagFeed:
    """The messages of chosen topics in the total order, from a position that can be moved.

    Memory is bounded by the read-ahead (100 messages or 32 MiB), the repeats and what the reader needs for its order.

    Attributes:
        topics: Chosen topics by the name that they are published under.
        latched: How many messages before a position are given again, by the published name of each latched topic;
            the depth that a publisher needs so that a late subscriber gets all of them.
        damage: What ended the reading before the end of the bag, None if nothing did.
    """

    def __init__(
        self, reader: BagReader, topics: Collection[str] | None = None, remaps: Mapping[str, str] | None = None
    ) -> None:
        """Stand before the first message.

        Args:
            reader: The open bag.
            topics: Topics of the bag to give; None for all.
            remaps: Name to publish under by topic of the bag.

        Raises:
            TopicError: A topic is not in the bag, or two of them would be published under one name.
        """
        self._reader = reader
        self._chosen = frozenset(reader.topics if topics is None else topics)
        self._rest: Iterator[BagMessage] = reader.messages(self._chosen)
        self._names = _published_names(sorted(self._chosen), remaps or {})
        self.topics = {self._names[name]: replace(reader.topics[name], name=self._names[name]) for name in self._names}
        self._latched = {name: _repeats(reader.topics[name]) for name in self._names if _is_latched(reader, name)}
        self.latched = {self._names[name]: count for name, count in self._latched.items()}
        self.damage: BagError | None = None
        self._ahead: deque[BagMessage] = deque()
        self._ahead_bytes = 0
        self._repeated: deque[BagMessage] = deque()

    @property
    def repeating(self) -> bool:
        """Whether latched messages are still to be given again."""
        return bool(self._repeated)

    @property
    def at_end(self) -> bool:
        """Whether every message was given; a bag that is damaged on the way has no end."""
        return not self._repeated and self.peek() is None and self.damage is None

    def seek(self, bag_ns: int) -> None:
        """Stand before the first message received at or after a time; latched topics will be given again.

        Raises:
            BagCorruptError: The bag is damaged before the position.
        """
        self._repeated = deque(self._published(message) for message in self._last_before(bag_ns))
        # The iterator before this one closes its files when it is let go of.
        whole = self._reader.start_ns is None or bag_ns <= self._reader.start_ns
        # Of the whole bag the reader also compares how many messages it counts and holds.
        self._rest = self._reader.messages(self._chosen, start_ns=None if whole else bag_ns)
        self._ahead.clear()
        self._ahead_bytes = 0
        self.damage = None

    def peek(self) -> BagMessage | None:
        """Return the next message and leave it there; None at the end and where the bag is damaged."""
        if not self._ahead:
            self._read()
        return self._ahead[0] if self._ahead else None

    def take(self) -> BagMessage:
        """Return the next message and go on; IndexError if there is none."""
        message = self._ahead.popleft()
        self._ahead_bytes -= len(message.payload)
        return message

    def take_repeated(self, limit: int) -> list[BagMessage]:
        """Return up to ``limit`` of the latched messages that are to be given again, oldest first."""
        return [self._repeated.popleft() for _ in range(min(limit, len(self._repeated)))]

    def read_ahead(self) -> bool:
        """Read one message into memory; return False without reading when there is no room for it, or none is left."""
        return len(self._ahead) < _AHEAD_MESSAGES and self._ahead_bytes < _AHEAD_BYTES and self._read()

    def raise_damage(self) -> None:
        """Raise what ended the reading, once every message before it was given.

        Raises:
            BagCorruptError: The bag is damaged at the position.
        """
        if self.damage is not None and not self._ahead:
            raise self.damage

    def _read(self) -> bool:
        try:
            message = self._published(next(self._rest))
        except StopIteration:
            return False
        except BagError as error:
            # Kept until the sound messages before it were given.
            self.damage = error
            return False
        self._ahead.append(message)
        self._ahead_bytes += len(message.payload)
        return True

    def _published(self, message: BagMessage) -> BagMessage:
        name = self._names[message.topic]
        return message if name == message.topic else message._replace(topic=name)

    def _last_before(self, bag_ns: int) -> list[BagMessage]:
        """Return the last messages of each latched topic before a time, in the total order.

        It looks back in windows that double, and only for topics of which some are missing, so that a topic that
        is repeated every second does not make it read all pictures from the bag's start on.
        """
        found: dict[str, list[BagMessage]] = {name: [] for name in self._latched}
        missing = set(found)
        first_ns, end_ns, width_ns = self._reader.start_ns, bag_ns, _FIRST_WINDOW_NS
        while missing and first_ns is not None and end_ns > first_ns:
            begin_ns = max(first_ns, end_ns - width_ns)
            window = {name: deque[BagMessage](maxlen=self._latched[name] - len(found[name])) for name in missing}
            for message in self._reader.messages(missing, begin_ns, end_ns):
                window[message.topic].append(message)
            for name, messages in window.items():
                found[name] += messages
            missing = {name for name in missing if len(found[name]) < self._latched[name]}
            end_ns, width_ns = begin_ns, 2 * width_ns
        flat = [message for messages in found.values() for message in messages]
        return sorted(flat, key=lambda item: (item.receive_ns, topic_class(item.topic, item.type_name), item.topic))


def _is_latched(reader: BagReader, name: str) -> bool:
    topic = reader.topics[name]
    offered = any(profile.durability == "transient_local" for profile in topic.offered_qos)
    return offered or topic_class(name, topic.type_name) == STATIC


def _repeats(topic: TopicInfo) -> int:
    return REPEATED_TRANSFORMS if topic.name.rsplit("/", 1)[-1] == "tf_static" else 1


def _published_names(chosen: list[str], remaps: Mapping[str, str]) -> dict[str, str]:
    """Return the name that each topic is published under."""
    for name in remaps:
        if name not in chosen:
            raise TopicError(expected_one_of("remapped topic", name, chosen))
    names = {name: remaps.get(name, name) for name in chosen}
    taken: dict[str, str] = {}
    for name, published in names.items():
        if published in taken:
            raise TopicError(
                f"topics {taken[published]} and {name} would both be published as {published!r}; "
                "expected a name for each: change the remaps, or leave one of them out"
            )
        taken[published] = name
    return names
