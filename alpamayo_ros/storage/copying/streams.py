"""The messages of a copy in the total order: those of each source, and latched ones at the start of a cut."""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from alpamayo_ros.storage.copying.latched import latched_before
from alpamayo_ros.storage.copying.request import Window
from alpamayo_ros.storage.copying.source import CopySource
from alpamayo_ros.storage.digest import ContentDigest, is_content, payload_sha256
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.reader import topic_class
from alpamayo_ros.storage.trace import CarriedMessage

Digested = tuple[BagMessage, str]
"""A message and the hexadecimal sha256 of its payload."""

_Copy = tuple[str, int, str]
"""Topic, receive time in the bag and sha256 of the payload of a message that was carried there."""


class SourceStream:
    """The wanted messages of one source; it knows in the end whether it read all of its content."""

    def __init__(self, source: CopySource, topics: frozenset[str], window: Window, repeated: "Counter[_Copy]") -> None:
        """Prepare to read.

        Args:
            source: The bag.
            topics: Topics to take.
            window: Receive times to take.
            repeated: Carried messages to leave out, because another source holds the message itself.
        """
        self.source = source
        self._topics = topics
        self._window = window
        self._repeated = repeated
        self._digest = ContentDigest(source.reader.topics)

    @property
    def start_ns(self) -> int | None:
        """Lower bound of its receive times, None without messages."""
        return self.source.reader.start_ns

    def messages(self) -> Iterator[Digested]:
        """Iterate in the total order; may be done once.

        Raises:
            BagCorruptError: The bag is damaged.
        """
        window, repeated, update = self._window, self._repeated, self._digest.update
        for message in self.source.reader.messages(self._topics, window.start_ns, window.end_ns):
            digest = payload_sha256(message)
            update(message, digest)
            if repeated and repeated[copy := (message.topic, message.receive_ns, digest)] > 0:
                repeated[copy] -= 1
                continue
            yield message, digest

    def content_digest(self) -> str:
        """Return the content digest of the source if all of its content was read, else an empty text."""
        held = sum(
            topic.message_count
            for topic in self.source.reader.topics.values()
            if is_content(topic.name, topic.type_name)
        )
        return self._digest.hexdigest() if self._digest.message_count == held else ""


def ranks_of(topics: Mapping[str, TopicInfo]) -> dict[str, int]:
    """Return the rank of each topic in the total order of messages with one receive time."""
    ordered = sorted(topics.values(), key=lambda topic: (topic_class(topic.name, topic.type_name), topic.name))
    return {topic.name: rank for rank, topic in enumerate(ordered)}


def in_total_order(streams: Sequence[tuple[int, Iterator[Digested]]], ranks: Mapping[str, int]) -> Iterator[Digested]:
    """Merge ordered streams; of messages that are equal in time and topic the earlier stream's come first.

    A stream is begun when its turn comes, so that bags one after the other are open one after the other.

    Args:
        streams: Lower bound of the receive times in ns, and the messages.
        ranks: Rank by topic.
    """
    return (item for _, item in numbered_in_total_order(streams, ranks))


def numbered_in_total_order(
    streams: Sequence[tuple[int, Iterator[Digested]]], ranks: Mapping[str, int]
) -> Iterator[tuple[int, Digested]]:
    """Merge ordered streams as ``in_total_order`` does, and say of each message which stream it is from."""
    coming: list[tuple[int, int, int, Digested | None]] = [
        (bound_ns, -1, index, None) for index, (bound_ns, _) in enumerate(streams)
    ]
    heapq.heapify(coming)
    while coming:
        _, _, index, item = coming[0]
        if item is not None:
            yield index, item
        following = next(streams[index][1], None)
        if following is None:
            heapq.heappop(coming)
        else:
            message = following[0]
            heapq.heapreplace(coming, (message.receive_ns, ranks[message.topic], index, following))


def carried_to_start(
    source: CopySource, topics: frozenset[str], start_ns: int, ranks: Mapping[str, int]
) -> tuple[list[Digested], list[CarriedMessage]]:
    """Return the latched messages from before a cut as they stand at its start, in order, and what they were.

    Args:
        source: The bag.
        topics: Topics to take.
        start_ns: Where the cut begins.
        ranks: Rank by topic.

    Raises:
        BagCorruptError: The bag is damaged.
    """
    # A message that a former cut carried keeps the time at which it was received in the end.
    known = {(one.topic, one.placed_ns, one.payload_sha256): one.received_ns for one in source.carried}
    moved, carried = [], []
    latched = [message for message in latched_before(source.reader, start_ns) if message.topic in topics]
    for message in sorted(latched, key=lambda one: ranks[one.topic]):
        digest = payload_sha256(message)
        received_ns = known.get((message.topic, message.receive_ns, digest), message.receive_ns)
        moved.append((message._replace(receive_ns=start_ns), digest))
        carried.append(CarriedMessage(message.topic, received_ns, start_ns, digest))
    return moved, carried


def still_carried(
    source: CopySource, topics: frozenset[str], window: Window, repeated: "Counter[_Copy]"
) -> list[CarriedMessage]:
    """Return those of a source's carried messages that a copy takes as they are.

    Args:
        source: The bag.
        topics: Topics that are taken.
        window: Receive times that are taken.
        repeated: Carried messages that are left out.
    """
    return [
        one
        for one in source.carried
        if one.topic in topics
        and not repeated[(one.topic, one.placed_ns, one.payload_sha256)]
        and (window.start_ns is None or one.placed_ns >= window.start_ns)
        and (window.end_ns is None or one.placed_ns < window.end_ns)
    ]


def repeated_copies(sources: Sequence[CopySource]) -> list["Counter[_Copy]"]:
    """Return for each source which of its carried messages another source holds, or carries to an earlier time.

    So that the parts of a bag, merged again, are the bag.

    Raises:
        BagCorruptError: A bag is damaged.
    """
    finder = _Finder(sources)
    repeated: list[Counter[_Copy]] = []
    for index, source in enumerate(sources):
        copies = [
            (one.topic, one.placed_ns, one.payload_sha256)
            for one in source.carried
            if finder.is_held_elsewhere(one, index)
        ]
        repeated.append(Counter(copies))
    return repeated


class _Finder:
    """Looks for messages in the other sources, each place once."""

    def __init__(self, sources: Sequence[CopySource]) -> None:
        self._sources = sources
        self._seen: dict[tuple[int, str, int], frozenset[str]] = {}
        # The first place that each carried message was carried to.
        self._first: dict[tuple[str, int, str], tuple[int, int]] = {}
        for index, source in enumerate(sources):
            for one in source.carried:
                key = (one.topic, one.received_ns, one.payload_sha256)
                place = (one.placed_ns, index)
                self._first[key] = min(self._first.get(key, place), place)

    def is_held_elsewhere(self, one: CarriedMessage, index: int) -> bool:
        key = (one.topic, one.received_ns, one.payload_sha256)
        if self._first[key] < (one.placed_ns, index):
            return True
        return any(
            one.payload_sha256 in self._at(other, one.topic, one.received_ns)
            for other in range(len(self._sources))
            if other != index
        )

    def _at(self, index: int, topic: str, receive_ns: int) -> frozenset[str]:
        """Return the digests of the payloads on a topic at a receive time."""
        reader = self._sources[index].reader
        if topic not in reader.topics or reader.start_ns is None or reader.end_ns is None:
            return frozenset()
        if not reader.start_ns <= receive_ns <= reader.end_ns:
            return frozenset()
        key = (index, topic, receive_ns)
        if key not in self._seen:
            self._seen[key] = frozenset(map(payload_sha256, reader.messages([topic], receive_ns, receive_ns + 1)))
        return self._seen[key]
