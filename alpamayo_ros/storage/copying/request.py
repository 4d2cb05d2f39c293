"""What is asked of a copy: which bags, which part of them, and in which form."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from alpamayo_ros.errors import ConfigurationError, ParameterError, expected_one_of
from alpamayo_ros.storage.copying.bag_time import BagTime, utc_text
from alpamayo_ros.storage.copying.topic_choice import TopicChoice
from alpamayo_ros.storage.distro import METADATA_VERSIONS
from alpamayo_ros.storage.mcap_files.writer import COMPRESSIONS, Compression
from alpamayo_ros.storage.reader import BagReader
from alpamayo_ros.storage.trace import Argument
from alpamayo_ros.storage.writer import MAX_STAMP_NS

Operation = Literal["cut", "merge", "filter", "convert"]

_NS_PER_S = 1_000_000_000
_SIZE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?\s?(b|[kmgt]i?b?)", re.ASCII)
_UNITS = {
    "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12,
    "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40,
}  # fmt: skip
MIN_SPLIT_BYTES = 1_000_000
REPLAY_NEEDS = "to replay an event, take about 1.6 s of history before it and 6.4 s after it"
"""History that a model looks back on and horizon that it plans for: 16 and 64 steps of 100 ms."""


def parse_split_size(text: str) -> int:
    """Read a size such as ``2GB``, ``2G``, ``1.5GiB`` or ``500MB`` and return it in bytes.

    Raises:
        ParameterError: It is something else, or less than MIN_SPLIT_BYTES.
    """
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None:
        raise ParameterError(f"split size {text[:40]!r} cannot be read; expected a number and a unit such as '2GB'")
    thousandths = int(match[1]) * 1000 + int((match[2] or "").ljust(3, "0"))
    size = thousandths * _UNITS[match[3] if match[3] == "b" else match[3].removesuffix("b")] // 1000
    if size < MIN_SPLIT_BYTES:
        raise ParameterError(f"split size {text!r} is {size} bytes; expected at least {MIN_SPLIT_BYTES // 1_000_000}MB")
    return size


@dataclass(frozen=True, slots=True)
class CopyRequest:
    """One copy.

    Attributes:
        operation: Name of what is done, for the trace.
        sources: Bag folders or files; only a merge has several.
        destination: Folder to make.
        start: First receive time to take, None for the first message.
        end: Receive time that is no longer taken, None for all to the last message.
        duration_ns: How much to take from ``start`` on, instead of an end.
        choice: Which topics to take.
        allow_different_tags: Whether a merge drops tags that differ rather than being refused.
        ros_distro: Release that the copy is for; None for that of the sources.
        compression: Of the copy's chunks; None for that of the sources.
        max_file_bytes: Size after which the next file is begun; None for one file.
    """

    operation: Operation
    sources: tuple[Path, ...]
    destination: Path
    start: BagTime | None = None
    end: BagTime | None = None
    duration_ns: int | None = None
    choice: TopicChoice = field(default_factory=TopicChoice)
    allow_different_tags: bool = False
    ros_distro: str | None = None
    compression: Compression | None = None
    max_file_bytes: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            ConfigurationError: The operation has not what it needs, or an option is not known.
        """
        if self.operation == "merge" and len(self.sources) < 2:
            raise ConfigurationError(f"merge was given {len(self.sources)} bags; expected two or more")
        if self.operation != "merge" and len(self.sources) != 1:
            raise ConfigurationError(f"{self.operation} was given {len(self.sources)} bags; expected one")
        if self.operation == "cut" and self.start is None and self.end is None and self.duration_ns is None:
            raise ParameterError(
                f"cut was given neither a start nor an end; expected --start, --end or both: {REPLAY_NEEDS}"
            )
        if self.duration_ns is not None and (self.start is None or self.end is not None):
            raise ParameterError(
                f"cut was given a duration {'without a start' if self.start is None else 'and an end'}; "
                "expected --start with --duration, or --start with --end"
            )
        if self.duration_ns is not None and self.duration_ns <= 0:
            raise ParameterError(f"duration of the cut is {self.duration_ns} ns; expected more than none")
        if self.operation == "filter" and self.choice == TopicChoice():
            raise ParameterError("filter was given no patterns; expected --topic, --type or --exclude")
        if self.ros_distro is not None and self.ros_distro not in METADATA_VERSIONS:
            raise ConfigurationError(expected_one_of("ROS release", self.ros_distro, tuple(METADATA_VERSIONS)))
        if self.compression is not None and self.compression not in COMPRESSIONS:
            raise ConfigurationError(expected_one_of("bag compression", self.compression, COMPRESSIONS))
        if self.max_file_bytes is not None and self.max_file_bytes <= 0:
            raise ParameterError(f"split size is {self.max_file_bytes} bytes; expected more than none")

    def window(self, reader: BagReader) -> "Window":
        """Return the receive times to take from a bag.

        Raises:
            ParameterError: No message of the bag can lie in it.
        """
        if self.start is None and self.end is None:
            return Window(None, None)
        if reader.start_ns is None or reader.end_ns is None:
            raise ParameterError(f"bag {reader.path} has no messages; expected some to cut")
        for what, time in (("start", self.start), ("end", self.end)):
            _validate_offset(what, time, reader, reader.end_ns - reader.start_ns)
        start_ns = None if self.start is None else self.start.resolved(reader.start_ns)
        end_ns = None if self.end is None else self.end.resolved(reader.start_ns)
        if start_ns is not None and self.duration_ns is not None:
            end_ns = start_ns + self.duration_ns
        if end_ns is not None and end_ns > MAX_STAMP_NS:
            end_ns = MAX_STAMP_NS if reader.end_ns < MAX_STAMP_NS else None
        if start_ns is not None and end_ns is not None and end_ns <= start_ns:
            raise ParameterError(f"the cut begins at {start_ns} ns and ends at {end_ns} ns; expected a later end")
        if (start_ns is not None and start_ns > reader.end_ns) or (end_ns is not None and end_ns <= reader.start_ns):
            duration_s = (reader.end_ns - reader.start_ns) / _NS_PER_S
            raise ParameterError(
                f"the cut from {start_ns if start_ns is not None else 'the start'} to "
                f"{end_ns if end_ns is not None else 'the end'} (ns) holds no message of bag {reader.path}; "
                f"expected times from {reader.start_ns} to {reader.end_ns} ns "
                f"({utc_text(reader.start_ns)} to {utc_text(reader.end_ns)} UTC), which is {duration_s:.3f} s: "
                f"{REPLAY_NEEDS}"
            )
        return Window(start_ns, end_ns)

    def arguments(self, window: "Window") -> dict[str, Argument]:
        """Return what was asked for as the trace holds it: only what was given, times resolved."""
        given: dict[str, Argument | None] = {
            "start_ns": window.start_ns,
            "end_ns": window.end_ns,
            "topics": list(self.choice.topics) or None,
            "exclude": list(self.choice.exclude) or None,
            "types": list(self.choice.types) or None,
            "allow_different_tags": self.allow_different_tags or None,
            "for_distro": self.ros_distro,
            "compression": self.compression,
            "split_bytes": self.max_file_bytes,
        }
        return {key: value for key, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Window:
    """Receive times in ns: from ``start_ns`` on and before ``end_ns``; None where there is no limit."""

    start_ns: int | None
    end_ns: int | None


def _validate_offset(what: str, time: BagTime | None, reader: BagReader, duration_ns: int) -> None:
    if time is not None and time.looks_absolute(duration_ns):
        seconds = f"{time.ns // _NS_PER_S}.{time.ns % _NS_PER_S:09d}".rstrip("0").rstrip(".")
        raise ParameterError(
            f"{what} {seconds} s after the first message is beyond bag {reader.path}, which is "
            f"{duration_ns / _NS_PER_S:.3f} s long; expected an offset in it: for a time since 1970 write "
            f"{time.ns}ns or '{utc_text(time.ns)}' (UTC), or append 'ns' if it is in nanoseconds"
        )
