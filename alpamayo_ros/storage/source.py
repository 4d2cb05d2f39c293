"""What the reader asks of one file of a bag, whatever its storage."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from alpamayo_ros.storage.message import BagMessage, TopicInfo

Entry = tuple[int, int, int, int, BagMessage]
"""Receive time, rank of the topic, file index and position in the file: the total order as a sort key; the message."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages of one file are wanted.

    Attributes:
        ranks: Rank in the total order by topic name; topics that are not in it are skipped.
        type_names: Message type by topic name.
        file_index: Index of the file in the bag.
        start_ns: First receive time, None for no limit.
        end_ns: Receive time that is no longer wanted, None for no limit.
    """

    ranks: dict[str, int]
    type_names: dict[str, str]
    file_index: int
    start_ns: int | None = None
    end_ns: int | None = None


class Cursor(Protocol):
    """Reads the wanted messages of one file block by block."""

    @property
    def next_start_ns(self) -> int | None:
        """Lower bound of the receive times of every entry that is still to come; None at the end."""

    def read_block(self) -> list[Entry]:
        """Return the next entries, in any order.

        Raises:
            BagCorruptError: The file is damaged here.
        """

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True, slots=True)
class MetadataRecord:
    """One MCAP Metadata record."""

    name: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Attachment:
    """One MCAP attachment: a whole file that travels with a bag.

    Attributes:
        name: File name.
        media_type: MIME type, may be empty.
        log_ns: When it was recorded, ns since the epoch.
        create_ns: When it was made, 0 if that is not known.
        data: Content.
    """

    name: str
    media_type: str
    log_ns: int
    create_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FileContents:
    """What one file says about itself.

    Attributes:
        topics: By name, with message counts; offered QoS as YAML text stands in ``qos_texts``.
        qos_texts: ``offered_qos_profiles`` by topic name.
        message_count: Messages in the file.
        start_ns: Receive time of the first message, 0 without messages.
        end_ns: Receive time of the last message, 0 without messages.
        bag_metadata: rosbag2's metadata as text, empty if the file holds none.
        compressions: Compression methods of its chunks; empty where nothing is compressed.
        counted: Whether the counts by topic are known; sqlite3 would have to scan the file for them.
        warnings: What was odd but readable.
    """

    topics: dict[str, TopicInfo]
    message_count: int
    start_ns: int
    end_ns: int
    qos_texts: dict[str, str] = field(default_factory=dict)
    bag_metadata: str = ""
    compressions: tuple[str, ...] = ()
    counted: bool = True
    warnings: tuple[str, ...] = ()


class BagFile(Protocol):
    """One file of a bag; it is open only while something is read."""

    def contents(self) -> FileContents:
        """Read the file's own index.

        Raises:
            BagCorruptError: The file is damaged, truncated or without an index.
        """

    def cursor(self, selection: Selection) -> Cursor:
        """Open the file for reading messages.

        Raises:
            BagCorruptError: The file is damaged, truncated or without an index.
        """

    def metadata_records(self) -> Iterator[MetadataRecord]:
        """Return the MCAP Metadata records; none in other storages.

        Raises:
            BagCorruptError: The file is damaged.
        """

    def attachments(self) -> Iterator[Attachment]:
        """Return the MCAP attachments; none in other storages.

        Raises:
            BagCorruptError: The file is damaged.
        """
