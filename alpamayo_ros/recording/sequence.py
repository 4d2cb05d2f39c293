"""Tell from the numbers that publishers give their messages which are missing, and which come twice."""

from dataclasses import dataclass, field
from typing import final

MAX_GAPS = 1000
"""Missing numbers that are remembered of one publisher, the newest; older ones count as missed for good."""


@dataclass(slots=True)
class _Publisher:
    first: int
    newest: int
    gaps: set[int] = field(default_factory=set)


@final
class SequenceLedger:
    """The messages of one topic, by publisher.

    Two subscriptions may feed it, as while one takes the place of another: a message that both bring is new once.
    """

    def __init__(self) -> None:
        self._publishers: dict[bytes, _Publisher] = {}
        self._missed = 0

    @property
    def missed(self) -> int:
        """Messages that were sent after the first one that came, and have not come."""
        return self._missed

    def is_new(self, publisher: bytes, sequence: int | None) -> bool:
        """Note a message and say whether it comes for the first time.

        Args:
            publisher: Id of the publisher.
            sequence: Number of the message, one more for each; None where the middleware gives none: then every
                message is new and none is missed.
        """
        if sequence is None:
            return True
        known = self._publishers.get(publisher)
        if known is None:
            self._publishers[publisher] = _Publisher(sequence, sequence)
            return True
        if sequence > known.newest:
            self._missed += sequence - known.newest - 1
            known.gaps.update(range(max(known.newest + 1, sequence - MAX_GAPS), sequence))
            known.newest = sequence
            while len(known.gaps) > MAX_GAPS:
                known.gaps.remove(min(known.gaps))
            return True
        if sequence in known.gaps:
            known.gaps.remove(sequence)
            self._missed -= 1
            return True
        return sequence < known.first
