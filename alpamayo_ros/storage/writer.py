"""Write a bag that rosbag2 plays and that names its lineage: MCAP, with the metadata of the release it is for."""

import errno
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import final

from alpamayo_ros.errors import BagWriteError, ConfigurationError, OutputError, TopicError, expected_one_of
from alpamayo_ros.messages.typestore import message_class, message_definition
from alpamayo_ros.messages.typestore import type_hash as known_type_hash
from alpamayo_ros.storage.distro import metadata_version
from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, FileSystem, WritableFile, sha256_of, write_atomically
from alpamayo_ros.storage.identity import (
    CLOSED,
    RECORDING,
    RECOVERED,
    SIDECAR,
    BagIdentity,
    validate_identity,
)
from alpamayo_ros.storage.mcap_files.writer import COMPRESSIONS, Compression, McapFileWriter, McapStatistics
from alpamayo_ros.storage.message import TopicInfo
from alpamayo_ros.storage.metadata import (
    EMPTY_START_NS,
    FILE_NAME,
    ROOT_KEY,
    BagMetadata,
    FileMetadata,
    TopicMetadata,
    dump_yaml,
    metadata_document,
    qos_text,
)
from alpamayo_ros.storage.qos import OUTPUT_QOS, QosProfile
from alpamayo_ros.storage.source import Attachment

CHUNK_BYTES = 1024 * 1024
MAX_STAMP_NS = 2**63 - 1
"""Largest time that rosbag2 can hold."""

MAX_TOPICS = 20_000
"""More would make a metadata.yaml that no reader of this package takes."""

ROSBAG2_RECORD = "rosbag2"
"""MCAP Metadata record that holds what metadata.yaml says."""

OWN_RECORDS = "alpamayo_ros."
"""How the names of this package's own records begin."""

_DEVICE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_MAX_DROPPED_CHUNKS = 64


@dataclass(frozen=True, slots=True)
class _ClosedFile:
    metadata: FileMetadata
    counts: Mapping[str, int]
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """The file in progress and those before it; replaced as a whole, so that an interrupt finds one or the other."""

    file: McapFileWriter
    name: str
    channels: dict[str, int]
    schemas: dict[tuple[str, str, str], int]
    closed: tuple[_ClosedFile, ...]


@final
class BagWriter:
    """Writes one bag folder; use it in a ``with`` block, which closes it whatever happens.

    Not safe for use from several threads at once. Complete chunks are in the kernel as soon as they are written,
    so that a killed process loses at most the chunk in progress.
    """

    def __init__(
        self,
        path: Path,
        *,
        identity: BagIdentity | None,
        compression: Compression = "zstd",
        ros_distro: str = "kilted",
        chunk_size: int = CHUNK_BYTES,
        max_file_bytes: int | None = None,
        end_state: str = CLOSED,
        filesystem: FileSystem = LOCAL_FILE_SYSTEM,
    ) -> None:
        """Make the folder, the sidecar and the first file.

        Args:
            path: Folder to make; its missing parents are made too.
            identity: What the bag is written as; None writes a bag without identity.
            compression: Of chunks: ``zstd``, ``lz4`` or ``none``.
            ros_distro: Distribution that the bag is for; it chooses the metadata version, see ``storage.distro``.
            chunk_size: Serialized bytes of one chunk.
            max_file_bytes: Size after which the next file is begun; None for one file.
            end_state: What the bag says of itself when it was closed well: ``closed``, or ``recovered`` for one that
                is known to be a part.
            filesystem: Where to write.

        Raises:
            OutputError: The path exists already or cannot be written.
            BagWriteError: The disk is full or faulty.
            ConfigurationError: The identity or an option is not usable.
        """
        if compression not in COMPRESSIONS:
            raise ConfigurationError(expected_one_of("bag compression", compression, COMPRESSIONS))
        if identity is not None:
            validate_identity(identity)
        self.path = Path(path)
        self._name = self.path.resolve().name
        if not self._name.isprintable():
            raise OutputError(f"output {str(self.path)!r} has no usable name; expected printable Unicode")
        self._identity = identity
        self._compression: Compression = compression
        self._ros_distro = ros_distro
        self._version = metadata_version(ros_distro)
        self._chunk_size = chunk_size
        self._max_file_bytes = max_file_bytes
        self._filesystem = filesystem
        self._topics: dict[str, TopicInfo] = {}
        self._message_count = 0
        self._error: BagWriteError | None = None
        self._end_state = end_state
        self._part: _Part | None = None
        self._open()

    @property
    def message_count(self) -> int:
        """Messages accepted so far."""
        return self._message_count

    @property
    def topics(self) -> Mapping[str, TopicInfo]:
        """Topics added so far; their message counts are not kept."""
        return self._topics

    def add_topic(
        self,
        name: str,
        type_name: str,
        *,
        qos: QosProfile | tuple[QosProfile, ...] = OUTPUT_QOS,
        definition: str | None = None,
        type_hash: str | None = None,
        definition_encoding: str = "ros2msg",
        serialization_format: str = "cdr",
        copied: bool = False,
    ) -> None:
        """Declare a topic before its first message.

        Args:
            name: Full topic name.
            type_name: Type such as ``nav_msgs/msg/Odometry``.
            qos: What its publishers offer.
            definition: Definition of the type and of all types in it; by default that of the type store.
            type_hash: RIHS01 hash; by default that of the type store.
            definition_encoding: ``ros2msg`` or ``ros2idl``.
            serialization_format: Of the payloads.
            copied: Whether it is the topic of another bag, whose name is kept although it is no name of ROS.

        Raises:
            TopicError: The name is not usable, was added already with other properties, or its type is not known.
            BagWriteError: The disk is full or faulty.
        """
        _validate_topic_name(name, copied=copied)
        if definition is None or type_hash is None:
            try:
                message_class(type_name)
                definition = message_definition(type_name) if definition is None else definition
                type_hash = known_type_hash(type_name) if type_hash is None else type_hash
            except KeyError as error:
                raise TopicError(
                    f"topic {name} has the type {type_name!r}, which is not known; "
                    "expected a known type, or its definition and type hash"
                ) from error
        topic = TopicInfo(
            name=name,
            type_name=type_name,
            type_hash=type_hash,
            definition=definition,
            definition_encoding=definition_encoding,
            serialization_format=serialization_format,
            offered_qos=qos if isinstance(qos, tuple) else (qos,),
        )
        if len(self._topics) >= MAX_TOPICS and name not in self._topics:
            raise TopicError(f"bag {self.path} has {MAX_TOPICS} topics; expected no more in one bag")
        if name in self._topics:
            if self._topics[name] != topic:
                raise TopicError(f"topic {name} was added with other properties before; expected one declaration")
            return
        part = self._writable()
        part.channels[name] = _add_channel(part.file, topic, part.schemas, self._version)
        self._topics[name] = topic

    def write(self, topic: str, payload: bytes, *, receive_ns: int, publish_ns: int) -> None:
        """Append one message.

        Args:
            topic: Name of an added topic.
            payload: Serialized message.
            receive_ns: Bag time in ns.
            publish_ns: When it was sent, in ns.

        Raises:
            TopicError: The topic was not added.
            ConfigurationError: A time is out of range.
            BagWriteError: The disk is full or faulty; what was written before stays readable after ``close``.
        """
        part = self._part
        if part is None or self._error is not None:
            part = self._writable()
        if self._max_file_bytes is not None and part.file.size - part.file.declared_bytes >= self._max_file_bytes:
            part = self._split(part)
        try:
            channel_id = part.channels[topic]
        except KeyError:
            raise TopicError(f"topic {topic!r} was not added to bag {self.path}; expected add_topic first") from None
        if not (0 <= receive_ns <= MAX_STAMP_NS and 0 <= publish_ns <= MAX_STAMP_NS):
            raise ConfigurationError(
                f"message on {topic} has receive time {receive_ns} ns and publish time {publish_ns} ns; "
                f"expected 0 to {MAX_STAMP_NS}"
            )
        try:
            part.file.write(channel_id, receive_ns, publish_ns, payload)
            self._message_count += 1
        except OSError as error:
            raise self._failed(error) from error

    def add_metadata_record(self, name: str, values: Mapping[str, str]) -> None:
        """Put a foreign MCAP Metadata record into the file in progress.

        Args:
            name: Its name; those of rosbag2 and of this package are written by the writer itself.
            values: Flat texts.

        Raises:
            ConfigurationError: The name is reserved.
            BagWriteError: The disk is full or faulty.
        """
        if name == ROSBAG2_RECORD or name.startswith(OWN_RECORDS):
            raise ConfigurationError(f"metadata record {name!r} has a reserved name; expected a foreign one")
        part = self._writable()
        try:
            part.file.flush()
            part.file.add_metadata(name, values)
        except OSError as error:
            raise self._failed(error) from error

    def add_attachment(self, attachment: Attachment) -> None:
        """Put an attachment into the file in progress.

        Raises:
            BagWriteError: The disk is full or faulty.
        """
        part = self._writable()
        try:
            part.file.flush()
            part.file.add_attachment(attachment)
        except OSError as error:
            raise self._failed(error) from error

    def complete_identity(self, identity: BagIdentity) -> None:
        """Say more about the bag before it is closed, such as a trace with digests of what was read for it.

        Args:
            identity: As it was given at first, but for its trace.

        Raises:
            ConfigurationError: It is not usable.
        """
        validate_identity(identity)
        self._identity = identity

    def _split(self, part: _Part) -> _Part:
        """Begin the next file before the message that goes into it.

        A file that is begun after a message may stay empty, and its statistics then say time 0, which
        ``ros2 bag reindex`` takes for the start of the bag.
        """
        try:
            self._next_file(part)
        except OSError as error:
            raise self._failed(error) from error
        return self._writable()

    def close(self) -> None:
        """Write what is buffered, the index and metadata.yaml; closing twice does nothing.

        After a write error it makes what is on the disk readable, dropping the last chunks if the disk has
        no room for the index.

        Raises:
            BagWriteError: The disk is full or faulty. What could be saved was saved.
        """
        try:
            self._close()
        except Exception:
            raise
        except BaseException:
            # Interrupted: the file in progress is still whole, and closing it takes a moment.
            self._close()
            raise

    def _close(self) -> None:
        part = self._part
        if part is None:
            return
        if self._error is not None:
            self._salvage(part)
            return
        try:
            self._finish(part, self._end_state)
        except OSError as error:
            failure = self._failed(error)
            self._salvage(part)
            raise failure from error

    def __enter__(self) -> "BagWriter":
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; an error of the block stays the one that is raised, and the bag says that it is a part."""
        if kind is None:
            self.close()
            return
        self._end_state = RECOVERED
        try:
            self.close()
        except BagWriteError as close_error:
            if error is not None and error.__context__ is None:
                error.__context__ = close_error

    def _open(self) -> None:
        try:
            self._filesystem.make_folder(self.path)
        except OSError as error:
            raise self._refused(error) from error
        try:
            self._write_sidecar(RECORDING, {})
            self._part = self._begun(())
        except OSError as error:
            with suppress(OSError):
                self._filesystem.remove(self.path / SIDECAR)
                self._filesystem.remove(self.path / f"{self._name}_0.mcap")
                self._filesystem.remove_folder(self.path)
            raise self._refused(error) from error

    def _begun(self, closed: tuple[_ClosedFile, ...]) -> _Part:
        """Begin the next file: identity and all topics so far are repeated in it."""
        name = f"{self._name}_{len(closed)}.mcap"
        raw: WritableFile = self._filesystem.create(self.path / name)
        try:
            file = McapFileWriter(raw, self._compression, self._chunk_size)
            file.add_metadata(ROSBAG2_RECORD, _serialized(self._bag_metadata(RECORDING, ())))
            for record, values in (self._identity.records() if self._identity else {}).items():
                file.add_metadata(record, values)
            schemas: dict[tuple[str, str, str], int] = {}
            channels = {
                topic.name: _add_channel(file, topic, schemas, self._version) for topic in self._topics.values()
            }
        except BaseException:
            raw.close()
            raise
        return _Part(file=file, name=name, channels=channels, schemas=schemas, closed=closed)

    def _next_file(self, part: _Part) -> None:
        closed = self._closed(part, RECORDING)
        self._write_metadata(RECORDING, closed)
        self._write_sidecar(RECORDING, {item.metadata.path: item.sha256 for item in closed})
        self._part = self._begun(closed)
        part.file.close()

    def _finish(self, part: _Part, state: str) -> None:
        closed = self._closed(part, state)
        metadata = self._write_metadata(state, closed)
        digests = {item.metadata.path: item.sha256 for item in closed}
        self._write_sidecar(state, {**digests, FILE_NAME: hashlib.sha256(metadata).hexdigest()})
        self._part = None
        part.file.close()

    def _closed(self, part: _Part, state: str) -> tuple[_ClosedFile, ...]:
        """Complete the file in progress and return it with those before it."""
        file = part.file
        file.flush()
        statistics = file.statistics()
        counts = {topic: statistics.counts.get(channel_id, 0) for topic, channel_id in part.channels.items()}
        described = _ClosedFile(_file_metadata(part.name, statistics), counts)
        # A split speaks for itself, the last file for all: a list of all before it in each would grow quadratically.
        listed = (described,) if state == RECORDING else (*part.closed, described)
        file.add_metadata(ROSBAG2_RECORD, _serialized(self._bag_metadata(state, listed)))
        if self._identity is not None and state != RECORDING:
            for record, values in self._identity.closing_records().items():
                file.add_metadata(record, values)
        file.finish()
        digest = file.sha256 or sha256_of(self.path / part.name)
        return (*part.closed, replace(described, sha256=digest))

    def _salvage(self, part: _Part) -> None:
        """Close what is on the disk; on a full disk drop last chunks, because the index needs room too."""
        try:
            for _ in range(_MAX_DROPPED_CHUNKS):
                if not part.file.salvage() or self._finished_recovered(part):
                    break
        except OSError:
            pass  # The device refuses everything, and the first error has been raised.
        self._part = None
        part.file.close()

    def _finished_recovered(self, part: _Part) -> bool:
        """Try to finish; False asks for more room. Another error ends the attempts and drops no data."""
        try:
            self._finish(part, RECOVERED)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            return False
        return True

    def _bag_metadata(self, state: str, closed: tuple[_ClosedFile, ...]) -> BagMetadata:
        filled = [item.metadata for item in closed if item.metadata.message_count]
        start_ns = min((item.start_ns for item in filled), default=EMPTY_START_NS)
        end_ns = max((item.start_ns + item.duration_ns for item in filled), default=EMPTY_START_NS)
        return BagMetadata(
            storage_id="mcap",
            relative_paths=tuple(item.metadata.path for item in closed),
            topics=tuple(
                TopicMetadata(
                    name=topic.name,
                    type_name=topic.type_name,
                    message_count=sum(item.counts.get(topic.name, 0) for item in closed),
                    type_hash=topic.type_hash,
                    serialization_format=topic.serialization_format,
                    offered_qos=topic.offered_qos,
                )
                for topic in self._topics.values()
            ),
            message_count=sum(item.message_count for item in filled),
            start_ns=start_ns,
            duration_ns=end_ns - start_ns,
            files=tuple(item.metadata for item in closed),
            custom_data=self._identity.custom_data(state) if self._identity else {"state": state},
            ros_distro=self._ros_distro,
            version=self._version,
        )

    def _write_metadata(self, state: str, closed: tuple[_ClosedFile, ...]) -> bytes:
        data = dump_yaml({ROOT_KEY: metadata_document(self._bag_metadata(state, closed))}).encode()
        write_atomically(self._filesystem, self.path / FILE_NAME, data)
        return data

    def _write_sidecar(self, state: str, files: Mapping[str, str]) -> None:
        if self._identity is not None:
            write_atomically(self._filesystem, self.path / SIDECAR, self._identity.sidecar(state, files))

    def _writable(self) -> _Part:
        if self._error is not None:
            raise BagWriteError(str(self._error)) from self._error
        if self._part is None:
            raise OutputError(f"bag {self.path} is closed; expected no more topics and messages")
        return self._part

    def _failed(self, error: OSError) -> BagWriteError:
        self._error = BagWriteError(
            f"bag {self.path} could not be written ({error.strerror or error}); "
            "expected free space on a sound disk: what was written before is kept"
        )
        return self._error

    def _refused(self, error: OSError) -> OutputError | BagWriteError:
        if isinstance(error, FileExistsError):
            return OutputError(f"output {self.path} exists already; expected a new path")
        if error.errno in _DEVICE_ERRORS:
            return BagWriteError(f"bag {self.path} cannot be made ({error.strerror}); expected a sound disk with room")
        return OutputError(f"output {self.path} cannot be made ({error.strerror or error}); expected a writable folder")


def _file_metadata(name: str, statistics: McapStatistics) -> FileMetadata:
    return FileMetadata(
        path=name,
        start_ns=statistics.start_ns if statistics.message_count else EMPTY_START_NS,
        duration_ns=statistics.end_ns - statistics.start_ns,
        message_count=statistics.message_count,
    )


def _serialized(metadata: BagMetadata) -> dict[str, str]:
    """Return the record that makes a single file readable without metadata.yaml."""
    return {"serialized_metadata": dump_yaml(metadata_document(metadata))}


def _add_channel(
    file: McapFileWriter, topic: TopicInfo, schema_ids: dict[tuple[str, str, str], int], version: int
) -> int:
    """Add a topic to one file, with its schema if no earlier topic brought it."""
    key = (topic.type_name, topic.definition_encoding, topic.definition)
    if key not in schema_ids:
        schema_ids[key] = file.add_schema(*key)
    return file.add_channel(
        topic.name,
        topic.serialization_format,
        schema_ids[key],
        {"offered_qos_profiles": qos_text(topic.offered_qos, version), "topic_type_hash": topic.type_hash},
    )


def _validate_topic_name(name: str, *, copied: bool) -> None:
    if not name or not name.isprintable() or not (copied or (name.startswith("/") and " " not in name)):
        raise TopicError(f"topic {name!r} has no usable name; expected a full name such as '/odometry'")
