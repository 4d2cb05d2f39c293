"""What recovery asks of one damaged file, whatever its storage: look at all of it once, then read what was found."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from alpamayo_ros.storage.message import TopicInfo
from alpamayo_ros.storage.source import Attachment, Entry, MetadataRecord

MAX_NAMED_LOSSES = 1000
"""Losses of one file that are named; further ones are only counted."""

Progress = Callable[[int], None]
"""Called now and then with the bytes of the file that were looked at."""


class LostRange(NamedTuple):
    """Bytes of a file that could not be read, and why."""

    offset: int
    length: int
    reason: str


class Gap(NamedTuple):
    """A time in which messages were lost: after one that is there and before the next that is there, in ns.

    Attributes:
        last_ns: Receive time before it, None at the beginning of a file.
        next_ns: Receive time behind it, None at the end of a file.
    """

    last_ns: int | None
    next_ns: int | None


class Times:
    """Gathers the receive times of what is readable, and the gaps, while a file is looked at in its order."""

    def __init__(self) -> None:
        """Begin without any."""
        self.gaps: list[Gap] = []
        self.first_ns: int | None = None
        self.last_ns: int | None = None
        self._is_open = False

    def add_messages(self, first_ns: int, last_ns: int) -> None:
        """Take readable messages; a gap before them ends here."""
        in_order = self.last_ns is None or self.last_ns <= first_ns
        if self._is_open and in_order and len(self.gaps) < MAX_NAMED_LOSSES:
            self.gaps.append(Gap(self.last_ns, first_ns))
        self._is_open = False
        self.first_ns = first_ns if self.first_ns is None else min(self.first_ns, first_ns)
        self.last_ns = last_ns if self.last_ns is None else max(self.last_ns, last_ns)

    def add_loss(self) -> None:
        """Note that messages may be missing from here on."""
        self._is_open = True

    def close(self, *, end_missing: bool) -> None:
        """Note the end of the file, and whether messages may be missing there."""
        if self._is_open or end_missing:
            self.gaps.append(Gap(self.last_ns, None))
        self._is_open = False


class Losses:
    """Gathers what could not be read of one file, in bounded memory."""

    def __init__(self) -> None:
        """Begin without any."""
        self.ranges: list[LostRange] = []
        self.count = 0
        self.size = 0

    def add(self, offset: int, length: int, reason: str) -> None:
        """Note a range of bytes."""
        self.count += 1
        self.size += length
        if len(self.ranges) < MAX_NAMED_LOSSES:
            self.ranges.append(LostRange(offset, length, reason))


@dataclass(slots=True)
class Findings:
    """What a look at all of one file brought up.

    Attributes:
        topics: Declared topics by name; counts are of readable messages.
        message_count: Readable messages on declared topics.
        unverified: Those of them that no checksum covers.
        stray: Readable messages that cannot be used, by reason.
        expected: Messages that the file itself says it has, None if it does not say.
        expected_topics: Messages by topic that the file itself says it has, empty if it does not say.
        losses: What could not be read.
        times: Receive times of what is readable, and where in time something is missing.
        end_missing: Whether the file ends before it was closed.
        bag_metadata: Last text of rosbag2's metadata in it.
        records: Other Metadata records, each once.
        lineage_payloads: Messages on topics of the type Lineage, the first few.
        compressions: Chunks by compression method.
        notes: What else was odd, one sentence each.
    """

    topics: dict[str, TopicInfo] = field(default_factory=dict)
    message_count: int = 0
    unverified: int = 0
    stray: dict[str, int] = field(default_factory=dict)
    expected: int | None = None
    expected_topics: dict[str, int] = field(default_factory=dict)
    losses: Losses = field(default_factory=Losses)
    times: Times = field(default_factory=Times)
    end_missing: bool = False
    bag_metadata: str = ""
    records: list[MetadataRecord] = field(default_factory=list)
    lineage_payloads: list[bytes] = field(default_factory=list)
    compressions: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add_stray(self, reason: str, count: int = 1) -> None:
        """Count messages that are readable but of no use."""
        self.stray[reason] = self.stray.get(reason, 0) + count


class Salvage(Protocol):
    """One damaged file."""

    def survey(self, progress: Progress) -> Findings:
        """Look at the whole file.

        Raises:
            BagCorruptError: It cannot be read at all.
        """

    def starts(self) -> Sequence[int]:
        """Return the first receive time of each readable block, in ns; ``survey`` comes first."""

    def read(self, block: int, ranks: Mapping[str, int], file_index: int) -> list[Entry]:
        """Return the messages of one block on the topics that have a rank.

        Raises:
            BagCorruptError: The file was changed since the survey.
        """

    def attachments(self) -> Iterator[Attachment]:
        """Return the readable attachments; notes on the others are added to the findings."""


def joined_topics(one: TopicInfo, other: TopicInfo) -> TopicInfo:
    """Return what two places say about one topic, the first where both say something; the counts are added."""
    return replace(
        one,
        type_name=one.type_name or other.type_name,
        message_count=one.message_count + other.message_count,
        type_hash=one.type_hash or other.type_hash,
        definition=one.definition or other.definition,
        definition_encoding=one.definition_encoding if one.definition else other.definition_encoding,
        offered_qos=one.offered_qos or other.offered_qos,
    )
