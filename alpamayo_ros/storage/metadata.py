"""rosbag2's metadata.yaml, version 9: read strictly, write as real readers want it.

Scalars are read as text, without YAML's implicit types: rosbag2 writes ``custom_data`` values unquoted, so that a
loader with types would turn the tag ``007`` into 7.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from alpamayo_ros.errors import BagCorruptError, BagError
from alpamayo_ros.storage.qos import QosProfile, playable_profiles

ROOT_KEY = "rosbag2_bagfile_information"
FILE_NAME = "metadata.yaml"
VERSION = 9
MAX_METADATA_BYTES = 16 * 1024 * 1024
"""Larger metadata is refused before it is parsed; a thousand topics take about 1 MB."""

EMPTY_START_NS = 9_223_372_036_854_775_807
"""What rosbag2 writes as starting time of a bag without messages."""

_NULLS = ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class TopicMetadata:
    """One entry of ``topics_with_message_count``."""

    name: str
    type_name: str
    message_count: int
    type_hash: str = ""
    serialization_format: str = "cdr"
    offered_qos: tuple[QosProfile, ...] = ()


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """One entry of ``files``: a closed file of the bag."""

    path: str
    start_ns: int
    duration_ns: int
    message_count: int


@dataclass(frozen=True, slots=True)
class BagMetadata:
    """The content of metadata.yaml.

    Attributes:
        storage_id: ``mcap`` or ``sqlite3``.
        files: Closed files in order; ``relative_paths`` when the bag states no details.
        topics: Every topic.
        message_count: Messages in all files.
        start_ns: Receive time of the first message; EMPTY_START_NS without messages.
        duration_ns: Receive time of the last message minus ``start_ns``.
        custom_data: Flat tags.
        ros_distro: Distribution that the recorder ran on.
        warnings: What was odd but readable.
    """

    storage_id: str
    relative_paths: tuple[str, ...]
    topics: tuple[TopicMetadata, ...]
    message_count: int
    start_ns: int
    duration_ns: int
    files: tuple[FileMetadata, ...] = ()
    custom_data: Mapping[str, str] = field(default_factory=dict)
    ros_distro: str = ""
    compression_format: str = ""
    compression_mode: str = ""
    version: int = VERSION
    warnings: tuple[str, ...] = ()


def load_yaml(text: str, what: str) -> Any:
    """Parse YAML 1.2 with every scalar as text; duplicate keys are refused.

    Raises:
        BagCorruptError: The text is not YAML; it names ``what`` and the line.
    """
    if len(text) > MAX_METADATA_BYTES:
        raise BagCorruptError(f"{what} has {len(text)} characters; expected at most {MAX_METADATA_BYTES}")
    try:
        return YAML(typ="base", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise BagCorruptError(
            f"{what} is not YAML{where} ({problem}); expected rosbag2 metadata: run 'ros2 bag reindex' on the bag"
        ) from error


def dump_yaml(value: object) -> str:
    """Return block-style YAML with keys in the order given."""
    stream = io.StringIO()
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.allow_unicode = True
    yaml.width = 1_000_000
    yaml.dump(value, stream)
    return stream.getvalue()


def parse_qos_list(value: object) -> tuple[QosProfile, ...]:
    """Read ``offered_qos_profiles``: a list, or nothing.

    Raises:
        ValueError: It is something else, or an entry lacks a key.
    """
    if isinstance(value, str) and value in _NULLS:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ValueError("offered_qos_profiles is no list of mappings; expected that from metadata version 9 on")
    return tuple(QosProfile.from_metadata_v9(entry) for entry in value)


def parse_metadata(text: str, what: str, *, rooted: bool = True) -> BagMetadata:
    """Read metadata.yaml, or the same document without its root key as MCAP files carry it.

    Args:
        text: The document.
        what: Its path, for error texts.
        rooted: Whether the root key is present.

    Raises:
        BagError: The metadata version is not supported.
        BagCorruptError: The text is not rosbag2 metadata.
    """
    document = load_yaml(text, what)
    if rooted:
        document = document.get(ROOT_KEY) if isinstance(document, dict) else None
    if not isinstance(document, dict):
        raise BagCorruptError(
            f"{what} has no mapping {ROOT_KEY!r}; expected rosbag2 metadata: run 'ros2 bag reindex' on the bag"
        )
    return _MetadataParser(document, what).parse()


class _MetadataParser:
    """Takes the document apart and names the key in every complaint."""

    def __init__(self, document: dict[str, Any], what: str) -> None:
        self._document = document
        self._what = what
        self._warnings: list[str] = []

    def parse(self) -> BagMetadata:
        version = self._unsigned(self._document, "version")
        if version != VERSION:
            raise BagError(
                f"{self._what} has metadata version {version}, which is not supported; expected version {VERSION} "
                "(ROS 2 Jazzy and later): run 'ros2 bag convert' on the bag"
            )
        custom = self._get(self._document, "custom_data")
        starting = self._mapping(self._document, "starting_time")
        return BagMetadata(
            version=version,
            storage_id=self._text(self._document, "storage_identifier"),
            relative_paths=tuple(self._path(entry) for entry in self._list(self._document, "relative_file_paths")),
            topics=self._entries("topics_with_message_count", self._topic),
            message_count=self._unsigned(self._document, "message_count"),
            start_ns=self._unsigned(starting, "nanoseconds_since_epoch"),
            duration_ns=self._unsigned(self._mapping(self._document, "duration"), "nanoseconds"),
            files=self._entries("files", self._file),
            custom_data=self._custom_data(custom),
            ros_distro=self._text(self._document, "ros_distro"),
            compression_format=self._text(self._document, "compression_format").lower(),
            compression_mode=self._text(self._document, "compression_mode").lower(),
            warnings=tuple(self._warnings),
        )

    def _topic(self, entry: dict[str, Any]) -> TopicMetadata:
        topic = self._mapping(entry, "topic_metadata")
        name = self._text(topic, "name")
        offered: tuple[QosProfile, ...] = ()
        try:
            offered = parse_qos_list(self._get(topic, "offered_qos_profiles"))
        except ValueError as error:
            self._warnings.append(f"topic {name}: {error}")
        return TopicMetadata(
            name=name,
            type_name=self._text(topic, "type"),
            message_count=self._unsigned(entry, "message_count"),
            type_hash=self._text(topic, "type_description_hash"),
            serialization_format=self._text(topic, "serialization_format"),
            offered_qos=offered,
        )

    def _file(self, entry: dict[str, Any]) -> FileMetadata:
        return FileMetadata(
            path=self._path(self._get(entry, "path")),
            start_ns=self._unsigned(self._mapping(entry, "starting_time"), "nanoseconds_since_epoch"),
            duration_ns=self._unsigned(self._mapping(entry, "duration"), "nanoseconds"),
            message_count=self._unsigned(entry, "message_count"),
        )

    def _path(self, value: object) -> str:
        """Accept names inside the bag's folder only: a bag from elsewhere must not make us read other files."""
        if not isinstance(value, str) or not value or "\0" in value:
            raise self._corrupt(f"names the file {str(value)[:80]!r}", "a relative path")
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or path.name == "":
            raise self._corrupt(f"names the file {value[:200]!r}", "a path inside the bag's folder")
        return value

    def _custom_data(self, value: object) -> dict[str, str]:
        if isinstance(value, str) and value in _NULLS:
            return {}
        if not isinstance(value, dict):
            raise self._corrupt("has a custom_data that is no mapping", "flat text values")
        flat = {key: item for key, item in value.items() if isinstance(key, str) and isinstance(item, str)}
        if len(flat) != len(value):
            raise self._corrupt("has a custom_data value that is no text", "flat text values")
        return flat

    def _entries(self, key: str, parse: Callable[[dict[str, Any]], Any]) -> tuple[Any, ...]:
        entries = self._list(self._document, key)
        if not all(isinstance(entry, dict) for entry in entries):
            raise self._corrupt(f"has an entry of {key!r} that is no mapping", "mappings")
        return tuple(parse(entry) for entry in entries)

    def _get(self, mapping: Mapping[str, Any], key: str) -> Any:
        if key not in mapping:
            raise self._corrupt(f"has no key {key!r}", f"every key of metadata version {VERSION}")
        return mapping[key]

    def _mapping(self, mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = self._get(mapping, key)
        if not isinstance(value, dict):
            raise self._corrupt(f"has {str(value)[:40]!r} as {key!r}", "a mapping")
        return value

    def _list(self, mapping: Mapping[str, Any], key: str) -> list[Any]:
        value = self._get(mapping, key)
        if isinstance(value, str) and value in _NULLS:
            return []
        if not isinstance(value, list):
            raise self._corrupt(f"has {str(value)[:40]!r} as {key!r}", "a list")
        return value

    def _text(self, mapping: Mapping[str, Any], key: str) -> str:
        value = self._get(mapping, key)
        if not isinstance(value, str):
            raise self._corrupt(f"has a {type(value).__name__} as {key!r}", "a text")
        return value

    def _unsigned(self, mapping: Mapping[str, Any], key: str) -> int:
        value = self._get(mapping, key)
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20):
            raise self._corrupt(f"has {str(value)[:40]!r} as {key!r}", "an unsigned integer")
        return int(value)

    def _corrupt(self, wrong: str, expected: str) -> BagCorruptError:
        return BagCorruptError(f"{self._what} {wrong}; expected {expected}: run 'ros2 bag reindex' on the bag")


def metadata_document(metadata: BagMetadata) -> dict[str, object]:
    """Return the document below the root key, in rosbag2's order of keys."""
    return {
        "version": metadata.version,
        "storage_identifier": metadata.storage_id,
        "duration": {"nanoseconds": metadata.duration_ns},
        "starting_time": {"nanoseconds_since_epoch": metadata.start_ns},
        "message_count": metadata.message_count,
        "topics_with_message_count": [
            {
                "topic_metadata": {
                    "name": topic.name,
                    "type": topic.type_name,
                    "serialization_format": topic.serialization_format,
                    "offered_qos_profiles": [
                        profile.to_metadata_v9() for profile in playable_profiles(topic.offered_qos)
                    ],
                    "type_description_hash": topic.type_hash,
                },
                "message_count": topic.message_count,
            }
            for topic in metadata.topics
        ],
        "compression_format": metadata.compression_format,
        "compression_mode": metadata.compression_mode,
        "relative_file_paths": list(metadata.relative_paths),
        "files": [
            {
                "path": file.path,
                "starting_time": {"nanoseconds_since_epoch": file.start_ns},
                "duration": {"nanoseconds": file.duration_ns},
                "message_count": file.message_count,
            }
            for file in metadata.files
        ],
        "custom_data": dict(metadata.custom_data),
        "ros_distro": metadata.ros_distro,
    }
