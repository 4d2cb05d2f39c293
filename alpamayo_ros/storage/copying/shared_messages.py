"""Messages that several bags hold: merged, each is kept once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from alpamayo_ros.storage.copying.streams import Digested, numbered_in_total_order


class SharedMessages:
    """Merges streams in the total order and leaves out what an earlier one has brought already.

    Equal are messages of one topic, receive time, publish time and payload. What is in one bag twice stays twice: of
    equal messages the result has as many as the bag that has most of them. Only messages of one receive time are
    compared, so no more than those are remembered.

    Attributes:
        kept_once: Messages that were left out, by topic.
        publish_differs: Messages by topic that another bag has too, but for their publish time; they are kept.
    """

    def __init__(self) -> None:
        """Begin with nothing left out."""
        self.kept_once: Counter[str] = Counter()
        self.publish_differs: Counter[str] = Counter()

    def merged(self, streams: Sequence[tuple[int, Iterator[Digested]]], ranks: Mapping[str, int]) -> Iterator[Digested]:
        """Iterate over what the streams hold together; may be done once.

        Args:
            streams: Lower bound of the receive times in ns, and the messages.
            ranks: Rank by topic.
        """
        now_ns = None
        seen: dict[tuple[int, str, int, str], int] = {}
        kept: dict[tuple[str, int, str], int] = {}
        first: dict[tuple[str, str], int] = {}
        for index, item in numbered_in_total_order(streams, ranks):
            (topic, _, receive_ns, publish_ns, _), digest = item
            if receive_ns != now_ns:
                now_ns = receive_ns
                seen.clear()
                kept.clear()
                first.clear()
            number = seen[index, topic, publish_ns, digest] = seen.get((index, topic, publish_ns, digest), 0) + 1
            known = kept.get((topic, publish_ns, digest), 0)
            if number <= known:
                self.kept_once[topic] += 1
                continue
            kept[topic, publish_ns, digest] = number
            if not known and first.setdefault((topic, digest), index) != index:
                self.publish_differs[topic] += 1
            yield item
