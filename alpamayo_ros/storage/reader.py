"""Read a bag in one fixed order, whatever its storage, chunking, split and compression."""

import heapq
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import final

from alpamayo_ros.errors import BagCorruptError, BagError, TopicError, expected_one_of
from alpamayo_ros.storage.compressed_file import (
    CompressedFile,
    DecompressedFiles,
    ExpansionBudget,
    compression_of,
    decompress_message,
    looks_compressed,
)
from alpamayo_ros.storage.layout import BagLayout, find_layout
from alpamayo_ros.storage.mcap_files.file import McapFile
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.metadata import (
    FILE_NAME,
    UNSTATED,
    BagMetadata,
    message_compression,
    parse_metadata,
    parse_qos,
)
from alpamayo_ros.storage.qos import QosProfile
from alpamayo_ros.storage.source import Attachment, BagFile, Cursor, Entry, FileContents, MetadataRecord, Selection
from alpamayo_ros.storage.sqlite_files.file import SqliteFile

__all__ = ["Attachment", "BagMessage", "BagReader", "MetadataRecord", "TopicInfo", "open_bag", "topic_class"]

MAX_SORT_BYTES = 256 * 1024 * 1024
"""Payload that may have to be held in memory to bring messages into order."""

_ENTRY_BYTES = 400
"""What a message takes beside its payload while it waits for its turn."""

_KEPT_INDEXES = 8
"""Files whose index is kept in memory; of a bag with more files each index is read when its turn comes."""

STATIC, CLOCK, DATA = 0, 1, 2
_LINEAGE_TYPE = "alpamayo_ros/msg/Lineage"


def topic_class(name: str, type_name: str) -> int:
    """Return the class of a topic in the total order of inputs: 0 static, 1 clock, 2 data.

    Static are transforms that hold for good, the robot's description and our lineage. It depends on name and
    type only, never on the offered QoS: tools that copy bags lose that, and the order must not change with it.
    """
    if name.rsplit("/", 1)[-1] in ("tf_static", "robot_description") or type_name == _LINEAGE_TYPE:
        return STATIC
    return CLOCK if name == "/clock" else DATA


def open_bag(path: Path) -> "BagReader":
    """Open a bag folder, or a bare ``.mcap`` or ``.db3`` file, compressed as a whole or not.

    Args:
        path: Folder with metadata.yaml (versions 4 to 9) or with the files of one bag, or one bag file.

    Raises:
        BagNotFoundError: The path is missing or is not a bag of ROS 2.
        BagCorruptError: The bag is truncated, damaged, incomplete or without an index.
        BagError: The bag is sound, but of a kind that is not supported.
    """
    return BagReader(find_layout(Path(path)))


@final
class BagReader:
    """An open bag; use it in a ``with`` block.

    Attributes:
        path: Folder or file.
        storage_id: ``mcap`` or ``sqlite3``.
        files: Names of its files below ``path``, in order.
        topics: Every topic by name.
        message_count: Messages in the bag.
        start_ns: Receive time of the first message, None without messages.
        end_ns: Receive time of the last message, None without messages.
        custom_data: rosbag2's flat tags.
        metadata_version: Version of metadata.yaml, None for a file that carries none.
        compressions: Compression methods of chunks, ``zstd by file`` and ``zstd by message`` for rosbag2's own
            modes; empty where nothing is compressed.
        size_bytes: Size of its files.
        ros_distro: Distribution that recorded it, empty if not known.
        warnings: What was odd but readable, one sentence each.
    """

    def __init__(self, layout: BagLayout) -> None:
        """Read each file's index; ``open_bag`` is the public way in."""
        self._layout = layout
        self._copies = DecompressedFiles()
        self.path = layout.path
        self.storage_id = layout.storage_id
        self.files = layout.names
        self._cursors: set[Cursor] = set()
        self._files = [self._bag_file(name) for name in layout.names]
        try:
            self._read_contents(layout.metadata)
        except BaseException:
            self._copies.close()
            raise

    def _read_contents(self, metadata: BagMetadata | None) -> None:
        contents = [file.contents() for file in self._files]
        self._spans = [(item.start_ns, item.end_ns, item.message_count) for item in contents]
        self.size_bytes = sum(self._layout.path_of(name).stat().st_size for name in self.files)
        filled = [span for span in self._spans if span[2]]
        self.message_count = sum(span[2] for span in self._spans)
        self.start_ns = min((span[0] for span in filled), default=None)
        self.end_ns = max((span[1] for span in filled), default=None)
        self._warnings = [*self._layout.warnings, *(text for item in contents for text in item.warnings)]
        described = metadata or self._described_by(contents)
        self._message_compression = message_compression(described)
        self.compressions = self._found_compressions(contents)
        self.custom_data: Mapping[str, str] = described.custom_data if described else {}
        self.metadata_version = described.version if described else None
        self.ros_distro = described.ros_distro if described else ""
        self._warnings += described.warnings if described else ()
        self._counted = all(item.counted for item in contents)
        self.topics: Mapping[str, TopicInfo] = self._joined_topics(contents, described)
        if metadata is not None:
            self._validate_counts(metadata, contents)
            self._compare_times(metadata)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd but readable, one sentence each."""
        return tuple(dict.fromkeys(self._warnings))

    def __enter__(self) -> "BagReader":
        """Return the reader."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the reader."""
        self.close()

    def close(self) -> None:
        """Close the files of iterations that were not finished, and delete decompressed copies."""
        while self._cursors:
            self._cursors.pop().close()
        self._copies.close()

    def messages(
        self, topics: Collection[str] | None = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> Iterator[BagMessage]:
        """Iterate in the total order (receive time, class, topic name, file index, position in the file).

        The class is static before clock before data, see ``topic_class``. Memory is bounded by the chunks
        that overlap in time; chunks and files outside of the times or without the topics are not read.

        Args:
            topics: Only these; None for all.
            start_ns: First receive time.
            end_ns: Receive time that is no longer wanted: the end is exclusive.

        Raises:
            TopicError: A topic is not in the bag.
            BagCorruptError: While iterating: the bag is damaged, or its messages are so far out of order
                that sorting them does not fit into MAX_SORT_BYTES.
        """
        wanted = set(self.topics) if topics is None else {topics} if isinstance(topics, str) else set(topics)
        missing = sorted(wanted - set(self.topics))
        if missing:
            raise TopicError(expected_one_of(f"bag {self.path}: topic", missing[0], tuple(self.topics)))
        expected = None
        if start_ns is None and end_ns is None and (self._counted or len(wanted) == len(self.topics)):
            expected = sum(self.topics[name].message_count for name in wanted)
        return self._ordered(wanted, start_ns, end_ns, expected)

    def metadata_records(self) -> Iterator[MetadataRecord]:
        """Iterate over the MCAP Metadata records of all files; none in a sqlite3 bag.

        Raises:
            BagCorruptError: While iterating: a record is damaged.
        """
        for file in self._files:
            yield from file.metadata_records()

    def attachments(self) -> Iterator[Attachment]:
        """Iterate over the MCAP attachments of all files; none in a sqlite3 bag.

        Raises:
            BagCorruptError: While iterating: an attachment is damaged.
        """
        for file in self._files:
            yield from file.attachments()

    def _ordered(
        self, wanted: set[str], start_ns: int | None, end_ns: int | None, expected: int | None
    ) -> Iterator[BagMessage]:
        ranking = sorted(self.topics.values(), key=lambda topic: (topic_class(topic.name, topic.type_name), topic.name))
        ranks = {topic.name: rank for rank, topic in enumerate(ranking) if topic.name in wanted}
        types = {topic.name: topic.type_name for topic in ranking}
        cursors: dict[int, Cursor] = {}
        # Lower bound of what is still to come, and the index of its file; files are opened when their turn comes.
        coming = [
            (first, index)
            for index, (first, last, count) in enumerate(self._spans)
            if count and (end_ns is None or first < end_ns) and (start_ns is None or last >= start_ns)
        ]
        heapq.heapify(coming)
        pending: list[Entry] = []
        yielded = 0
        compression = self._message_compression
        budget = ExpansionBudget()
        try:
            while coming:
                index = coming[0][1]
                if index not in cursors:
                    selection = Selection(ranks, types, index, start_ns, end_ns)
                    cursors[index] = self._files[index].cursor(selection)
                    self._cursors.add(cursors[index])
                else:
                    pending += cursors[index].read_block()
                bound = cursors[index].next_start_ns
                if bound is None:
                    heapq.heappop(coming)
                    self._close(cursors[index])
                else:
                    heapq.heapreplace(coming, (bound, index))
                pending.sort()
                ready = bisect_left(pending, (coming[0][0],)) if coming else len(pending)
                if not yielded and compression is None and self._begins_compressed(pending[:ready]):
                    compression = UNSTATED
                if compression is None:
                    for entry in pending[:ready]:
                        yield entry[4]
                else:
                    for entry in pending[:ready]:
                        yield self._decompressed(entry[4], compression, budget)
                yielded += ready
                del pending[:ready]
                if pending:
                    self._validate_pending(pending)
        finally:
            for cursor in cursors.values():
                self._close(cursor)
        if expected is not None and yielded != expected:
            raise BagCorruptError(
                f"bag {self.path} holds {yielded} messages where it counts {expected}; "
                "expected equal numbers: run 'alpamayo bag recover' on the bag"
            )

    def _close(self, cursor: Cursor) -> None:
        cursor.close()
        self._cursors.discard(cursor)

    def _validate_pending(self, pending: list[Entry]) -> None:
        size = len(pending) * _ENTRY_BYTES + sum(len(entry[4].payload) for entry in pending)
        if size <= MAX_SORT_BYTES:
            return
        first_ns, last_ns = pending[0][0], pending[-1][0]
        if first_ns == last_ns:
            raise BagCorruptError(
                f"bag {self.path} has more than {MAX_SORT_BYTES >> 20} MiB at the one receive time {first_ns} ns; "
                "expected receive times of a recorder: record the bag again"
            )
        raise BagCorruptError(
            f"bag {self.path} needs more than {MAX_SORT_BYTES >> 20} MiB to bring its messages between {first_ns} "
            f"and {last_ns} ns into order; expected nearly ordered files: run 'mcap sort' on them"
        )

    def _bag_file(self, name: str) -> BagFile:
        path = self._layout.path_of(name)
        if compression_of(name):
            return CompressedFile(path, self._copies, self._plain_file)
        return self._plain_file(path)

    def _plain_file(self, path: Path) -> BagFile:
        if self.storage_id == "mcap":
            return McapFile(path, keep_index=len(self.files) <= _KEPT_INDEXES)
        return SqliteFile(path, count_topics=self._layout.metadata is None)

    def _found_compressions(self, contents: list[FileContents]) -> tuple[str, ...]:
        found = {method for item in contents for method in item.compressions}
        found |= {f"{compression_of(name)} by file" for name in self.files if compression_of(name)}
        if self._message_compression:
            found.add(f"{self._message_compression} by message")
        return tuple(sorted(found))

    def _begins_compressed(self, entries: list[Entry]) -> bool:
        """Look at the first messages: ``ros2 bag reindex`` forgets that they were compressed one by one."""
        cdr = [entry[4] for entry in entries if self.topics[entry[4].topic].serialization_format == "cdr"]
        if not cdr or not looks_compressed(cdr[0].payload):
            return False
        self._warnings.append("the bag does not say that its messages are compressed one by one, but they are")
        return True

    def _decompressed(self, message: BagMessage, method: str, budget: ExpansionBudget) -> BagMessage:
        """Decompress a payload of the compression mode ``message``; without metadata it shows itself."""
        if not method and (
            not looks_compressed(message.payload) or self.topics[message.topic].serialization_format != "cdr"
        ):
            return message
        try:
            payload = decompress_message(message.payload, method or "zstd")
            budget.spend(len(message.payload), len(payload))
            return message._replace(payload=payload)
        except ValueError as error:
            raise BagCorruptError(
                f"bag {self.path}: the message on {message.topic} at {message.receive_ns} ns {error}; "
                "expected one that is compressed as the bag says"
            ) from error

    def _described_by(self, contents: list[FileContents]) -> BagMetadata | None:
        """Return what a bare file says about the bag it was."""
        # The last file was written last: it knows all topics, and how the bag ended.
        for item in reversed(contents):
            if item.bag_metadata:
                try:
                    return parse_metadata(item.bag_metadata, f"metadata in {self.path}", rooted=False)
                except BagError as error:
                    self._warnings.append(str(error))
        return None

    def _joined_topics(self, contents: list[FileContents], described: BagMetadata | None) -> dict[str, TopicInfo]:
        """Join what metadata.yaml and each file say about a topic; files know definitions, metadata knows QoS."""
        joined: dict[str, TopicInfo] = {}
        for listed in described.topics if described else ():
            joined[listed.name] = TopicInfo(
                name=listed.name,
                type_name=listed.type_name,
                type_hash=listed.type_hash,
                serialization_format=listed.serialization_format,
                offered_qos=listed.offered_qos,
            )
        for item in contents:
            for topic in item.topics.values():
                earlier = joined.get(topic.name)
                if earlier is None:
                    joined[topic.name] = replace(topic, offered_qos=self._parsed_qos(topic, item))
                else:
                    joined[topic.name] = self._joined(earlier, topic)
        if not self._counted and described is not None:
            counts = {listed.name: listed.message_count for listed in described.topics}
            joined = {name: replace(topic, message_count=counts.get(name, 0)) for name, topic in joined.items()}
        for name in joined:
            if not name or not name.isprintable():
                raise BagCorruptError(f"bag {self.path} has the topic name {name[:80]!r}; expected printable names")
        return joined

    def _joined(self, one: TopicInfo, other: TopicInfo) -> TopicInfo:
        if one.type_name and other.type_name and one.type_name != other.type_name:
            raise BagCorruptError(
                f"bag {self.path} has topic {one.name} with the types {one.type_name!r} and {other.type_name!r}; "
                "expected one type for a topic: run 'alpamayo bag recover' on the bag"
            )
        if one.type_hash and other.type_hash and one.type_hash != other.type_hash:
            self._warnings.append(f"topic {one.name}: its type hashes differ: {one.type_hash} and {other.type_hash}")
        return replace(
            one,
            type_name=one.type_name or other.type_name,
            message_count=one.message_count + other.message_count,
            type_hash=one.type_hash or other.type_hash,
            definition=one.definition or other.definition,
            definition_encoding=one.definition_encoding or other.definition_encoding,
        )

    def _parsed_qos(self, topic: TopicInfo, contents: FileContents) -> tuple[QosProfile, ...]:
        text = contents.qos_texts.get(topic.name, "")
        try:
            return parse_qos(text)
        except ValueError as error:
            self._warnings.append(f"topic {topic.name}: {error}")
            return ()

    def _validate_counts(self, metadata: BagMetadata, contents: list[FileContents]) -> None:
        stated: list[tuple[str, int, int]] = [("in all", metadata.message_count, self.message_count)]
        stated.append(("by topic", sum(topic.message_count for topic in metadata.topics), metadata.message_count))
        held_by_file = {name: item.message_count for name, item in zip(self.files, contents, strict=True)}
        stated += [
            (f"in {file.path}", file.message_count, held_by_file[file.path])
            for file in metadata.files
            if file.path in held_by_file
        ]
        if self._counted:
            by_topic = {topic.name: topic.message_count for topic in metadata.topics}
            stated += [
                (f"on {topic.name}", by_topic.get(topic.name, 0), topic.message_count) for topic in self.topics.values()
            ]
        for where, counted, held in stated:
            if counted != held:
                raise BagCorruptError(
                    f"bag {self.path} holds {held} messages {where} where {FILE_NAME} counts {counted}; "
                    "expected equal numbers: run 'alpamayo bag recover' on the bag"
                )

    def _compare_times(self, metadata: BagMetadata) -> None:
        if self.start_ns is None or self.end_ns is None:
            return
        if metadata.start_ns != self.start_ns or metadata.start_ns + metadata.duration_ns != self.end_ns:
            self._warnings.append(
                f"{FILE_NAME} says {metadata.start_ns} ns for {metadata.duration_ns} ns, but the messages are from "
                f"{self.start_ns} to {self.end_ns} ns"
            )
