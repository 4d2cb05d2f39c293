"""What became of the files of a damaged bag, and how that is said."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.storage.recovery.salvage import Gap, LostRange

_NAMED_RANGES = 10
_NAMED_TOPICS = 10
_NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class FileRecovery:
    """What became of one file.

    Attributes:
        name: As it is called in the folder, or as the bag names it where it is missing.
        size_bytes: Of the file, decompressed if it was compressed as a whole; 0 for a missing one.
        message_count: Messages that were recovered.
        unverified_count: Those of them that no checksum covers.
        expected_count: Messages that were in it once, None if nothing says.
        topics: Messages that were recovered, by topic.
        expected_topics: Messages that were in it once, by topic; empty if nothing says.
        gaps: Where in time messages are missing, in ns after the first message of the bag.
        lost: Bytes that could not be read, the first thousand ranges.
        lost_bytes: How many in all.
        lost_ranges: How many ranges in all.
        stray: Readable messages that are of no use, by reason.
        end_missing: Whether the end of the file is missing.
        notes: What else was odd, one sentence each.
    """

    name: str
    size_bytes: int
    message_count: int
    unverified_count: int
    expected_count: int | None
    topics: Mapping[str, int]
    expected_topics: Mapping[str, int]
    gaps: tuple[Gap, ...]
    lost: tuple[LostRange, ...]
    lost_bytes: int
    lost_ranges: int
    stray: Mapping[str, int]
    end_missing: bool
    notes: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the file is known to be missing."""
        missing = self.expected_count is not None and self.expected_count > self.message_count
        return not (self.lost_ranges or self.stray or self.end_missing or missing)

    @property
    def lost_topics(self) -> dict[str, int]:
        """Messages that are missing by topic, most first; empty if nothing says how many there were."""
        return _missing(self.expected_topics, self.topics)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was made of a damaged bag.

    Attributes:
        source: The damaged bag.
        destination: The recovered bag.
        files: What became of each file.
        message_count: Messages in the recovered bag.
        expected_topics: Messages that were in the bag once, by topic; empty if nothing says.
        companions: Names of the settings beside the bag that went along.
        notes: What was odd about the bag as a whole, one sentence each.
    """

    source: Path
    destination: Path
    files: tuple[FileRecovery, ...]
    message_count: int
    expected_topics: Mapping[str, int]
    companions: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every message is there as far as anybody can tell."""
        return all(file.is_whole for file in self.files)

    @property
    def topics(self) -> dict[str, int]:
        """Messages that were recovered, by topic."""
        topics: dict[str, int] = {}
        for file in self.files:
            for name, count in file.topics.items():
                topics[name] = topics.get(name, 0) + count
        return dict(sorted(topics.items()))

    @property
    def lost_topics(self) -> dict[str, int]:
        """Messages that are missing by topic, most first; empty if nothing says how many there were."""
        return _missing(self.expected_topics, self.topics)


def losses_sentence(file: FileRecovery) -> str:
    """Say in one sentence what was recovered of a file and what not."""
    return f"{file.name}: {'; '.join(losses_parts(file))}"


def losses_parts(file: FileRecovery) -> list[str]:
    """Say what was recovered of a file and what not: how much, of which topics, from when, and why."""
    expected = f" of {file.expected_count}" if file.expected_count is not None else ""
    parts = [f"{file.message_count}{expected} messages recovered"]
    if file.expected_count is not None and file.expected_count > file.message_count:
        named = _topics_text(file.lost_topics)
        parts.append(f"{file.expected_count - file.message_count} lost" + (f", of them {named}" if named else ""))
    if file.gaps:
        more = f" and in {len(file.gaps) - _NAMED_RANGES} more places" if len(file.gaps) > _NAMED_RANGES else ""
        texts = ", ".join(_gap_text(gap) for gap in file.gaps[:_NAMED_RANGES])
        parts.append(f"messages are missing {texts}{more} (seconds after the start of the bag)")
    if file.unverified_count:
        parts.append(f"{file.unverified_count} of the recovered ones are covered by no checksum")
    if file.lost_ranges:
        places = ", ".join(f"{lost.length} at byte {lost.offset}" for lost in file.lost[:_NAMED_RANGES])
        more = f" and {file.lost_ranges - _NAMED_RANGES} more" if file.lost_ranges > _NAMED_RANGES else ""
        parts.append(f"{file.lost_bytes} bytes not readable ({places}{more})")
    parts += [f"{count} messages {reason}" for reason, count in sorted(file.stray.items())[:_NAMED_RANGES]]
    if file.end_missing:
        parts.append("the end is missing")
    return parts


def _missing(expected: Mapping[str, int], found: Mapping[str, int]) -> dict[str, int]:
    missing = {name: count - found.get(name, 0) for name, count in expected.items() if count > found.get(name, 0)}
    return dict(sorted(missing.items(), key=lambda item: (-item[1], item[0])))


def _topics_text(topics: Mapping[str, int]) -> str:
    named = [f"{count} on {name}" for name, count in list(topics.items())[:_NAMED_TOPICS]]
    more = f" and others on {len(topics) - _NAMED_TOPICS} more topics" if len(topics) > _NAMED_TOPICS else ""
    return ", ".join(named) + more


def _gap_text(gap: Gap) -> str:
    if gap.last_ns is None and gap.next_ns is None:
        return "at unknown times"
    if gap.last_ns is None:
        return f"before {_seconds(gap.next_ns)}"
    if gap.next_ns is None:
        return f"from {_seconds(gap.last_ns)} on"
    return f"between {_seconds(gap.last_ns)} and {_seconds(gap.next_ns)}"


def _seconds(stamp_ns: int | None) -> str:
    return f"{(stamp_ns or 0) / _NS_PER_S:.3f} s"
