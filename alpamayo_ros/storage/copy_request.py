"""What is asked of a copy: which bags, which part of them, and in which form."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from alpamayo_ros.errors import ConfigurationError, ParameterError, expected_one_of
from alpamayo_ros.storage.distro import METADATA_VERSIONS
from alpamayo_ros.storage.mcap_writer import COMPRESSIONS, Compression
from alpamayo_ros.storage.reader import BagReader
from alpamayo_ros.storage.topic_choice import TopicChoice
from alpamayo_ros.storage.trace import Argument

Operation = Literal["cut", "merge", "filter", "convert"]

_NS_PER_S = 1_000_000_000
_ABSOLUTE = re.compile(r"([0-9]{1,19})ns")
_SIZE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?\s?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)")
_UNITS = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
MIN_SPLIT_BYTES = 1_000_000
_RELATIVE = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,9}))?s?")


@dataclass(frozen=True, slots=True)
class BagTime:
    """A time in a bag: in ns after its first message, or a receive time in ns."""

    ns: int
    absolute: bool = False

    def resolved(self, first_ns: int) -> int:
        """Return it as a receive time of a bag whose first message has ``first_ns``."""
        return self.ns if self.absolute else first_ns + self.ns


def parse_bag_time(text: str) -> BagTime:
    """Read a time: ``12.5`` or ``12.5s`` after the first message, or a receive time such as ``1700000000000000000ns``.

    Raises:
        ParameterError: It is something else.
    """
    if match := _ABSOLUTE.fullmatch(text):
        return BagTime(int(match[1]), absolute=True)
    if match := _RELATIVE.fullmatch(text):
        return BagTime(int(match[1]) * _NS_PER_S + int((match[2] or "").ljust(9, "0")))
    raise ParameterError(
        f"time {text[:40]!r} cannot be read; expected seconds after the bag's first message such as '12.5', "
        "with at most nine decimals, or a receive time such as '1700000000000000000ns'"
    )


def parse_split_size(text: str) -> int:
    """Read a size such as ``2GB``, ``1.5GiB`` or ``500MB`` and return it in bytes.

    Raises:
        ParameterError: It is something else, or less than MIN_SPLIT_BYTES.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ParameterError(f"split size {text[:40]!r} cannot be read; expected a number and a unit such as '2GB'")
    thousandths = int(match[1]) * 1000 + int((match[2] or "").ljust(3, "0"))
    size = thousandths * _UNITS[match[3]] // 1000
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
        if self.operation == "cut" and self.start is None and self.end is None:
            raise ParameterError("cut was given neither a start nor an end; expected --start, --end or both")
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
        start_ns = None if self.start is None else self.start.resolved(reader.start_ns)
        end_ns = None if self.end is None else self.end.resolved(reader.start_ns)
        if start_ns is not None and end_ns is not None and end_ns <= start_ns:
            raise ParameterError(f"the cut begins at {start_ns} ns and ends at {end_ns} ns; expected a later end")
        if (start_ns is not None and start_ns > reader.end_ns) or (end_ns is not None and end_ns <= reader.start_ns):
            duration_s = (reader.end_ns - reader.start_ns) / _NS_PER_S
            raise ParameterError(
                f"the cut from {start_ns if start_ns is not None else 'the start'} to "
                f"{end_ns if end_ns is not None else 'the end'} (ns) holds no message of bag {reader.path}; "
                f"expected times from {reader.start_ns} to {reader.end_ns} ns, which is {duration_s:.3f} s"
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
