"""rosbag2's metadata.yaml: read versions 4 to 9 strictly, write 5, 8 and 9 as real readers want them.

Scalars are read as text, without YAML's implicit types: rosbag2 writes ``custom_data`` values unquoted, so that a
loader with types would turn the tag ``007`` into 7.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from alpamayo_ros.errors import BagCorruptError, BagError
from alpamayo_ros.storage.qos import QosProfile, playable_profiles
from alpamayo_ros.storage.yaml_text import YamlTextError, parse_yaml_text, yaml_text

ROOT_KEY = "rosbag2_bagfile_information"
FILE_NAME = "metadata.yaml"
VERSION = 9
"""The newest version: ROS 2 Jazzy and later."""

VERSIONS = (4, 5, 6, 7, 8, 9)
"""What is read: ROS 2 Foxy and later."""

_FIRST_WITH_FILES = 5
_FIRST_WITH_CUSTOM_DATA = 6
_FIRST_WITH_TYPE_HASH = 7
_FIRST_WITH_DISTRO = 8
_FIRST_WITH_QOS_LIST = 9
MAX_METADATA_BYTES = 64 * 1024 * 1024
"""Larger metadata is refused before it is parsed; a thousand topics take about 1 MB."""

UNSTATED = ""
"""Compression of messages where the bag does not state any: each payload shows its own."""

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
    """Parse YAML with every scalar as text; duplicate keys, deep nesting and aliases that multiply are refused.

    Raises:
        BagCorruptError: The text is not such YAML; it names ``what`` and the line.
    """
    if len(text) > MAX_METADATA_BYTES:
        raise BagCorruptError(f"{what} has {len(text)} characters; expected at most {MAX_METADATA_BYTES}")
    try:
        return parse_yaml_text(text)
    except YamlTextError as error:
        where = f" in line {error.line}" if error.line else ""
        raise BagCorruptError(
            f"{what} is not YAML{where} ({error.problem}); expected rosbag2 metadata: "
            "run 'alpamayo bag recover' on the bag"
        ) from error


def dump_yaml(value: object) -> str:
    """Return block-style YAML with keys in the order given."""
    return yaml_text(value)


def parse_qos(value: object) -> tuple[QosProfile, ...]:
    """Read ``offered_qos_profiles``: a list (version 9), a text that holds such a list (versions 4 to 8), or nothing.

    Raises:
        ValueError: It is something else, or an entry lacks a key.
    """
    if isinstance(value, str):
        return () if value.strip() in _NULLS else _parsed_qos_text(value)
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ValueError("offered_qos_profiles is no list of mappings")
    return tuple(QosProfile.from_metadata(entry) for entry in value)


@lru_cache(maxsize=256)
def _parsed_qos_text(text: str) -> tuple[QosProfile, ...]:
    """Parse once what hundreds of topics repeat."""
    try:
        value = load_yaml(text, "offered_qos_profiles")
    except BagError as error:
        raise ValueError(str(error)) from error
    if isinstance(value, str) and value.strip() not in _NULLS:
        raise ValueError(f"offered_qos_profiles is {value[:40]!r}; expected a list of mappings")
    return parse_qos(value)


def qos_document(profiles: tuple[QosProfile, ...], version: int) -> object:
    """Return ``offered_qos_profiles`` as metadata of a version holds them, unplayable profiles left out.

    Args:
        profiles: What the publishers offered.
        version: 9 gives a list, lower ones the text of a list, empty without profiles.
    """
    playable = playable_profiles(profiles, version)
    if version >= _FIRST_WITH_QOS_LIST:
        return [profile.to_metadata_v9() for profile in playable]
    return _qos_text(playable)


@lru_cache(maxsize=256)
def qos_text(profiles: tuple[QosProfile, ...], version: int) -> str:
    """Return the same as the text that a channel of an MCAP file carries, empty without profiles."""
    if version < _FIRST_WITH_QOS_LIST:
        return str(qos_document(profiles, version))
    document = qos_document(profiles, version)
    return dump_yaml(document) if document else ""


@lru_cache(maxsize=256)
def _qos_text(playable: tuple[QosProfile, ...]) -> str:
    return dump_yaml([profile.to_metadata_v8() for profile in playable]) if playable else ""


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
            f"{what} has no mapping {ROOT_KEY!r}; expected rosbag2 metadata: run 'alpamayo bag recover' on the bag"
        )
    return _MetadataParser(document, what).parse()


class _MetadataParser:
    """Takes the document apart and names the key in every complaint."""

    def __init__(self, document: dict[str, Any], what: str) -> None:
        self._document = document
        self._what = what
        self._version = VERSION
        self._qos_characters = 0
        self._warnings: list[str] = []

    def parse(self) -> BagMetadata:
        version = self._version = self._unsigned(self._document, "version")
        if version not in VERSIONS:
            raise BagError(
                f"{self._what} has metadata version {version}, which is not supported; expected {VERSIONS[0]} to "
                f"{VERSIONS[-1]} (ROS 2 Foxy and later): run 'ros2 bag convert' of the release that wrote it"
            )
        starting = self._mapping(self._document, "starting_time")
        return BagMetadata(
            version=version,
            storage_id=self._text(self._document, "storage_identifier"),
            relative_paths=tuple(self._path(entry) for entry in self._list(self._document, "relative_file_paths")),
            topics=self._entries("topics_with_message_count", self._topic),
            message_count=self._unsigned(self._document, "message_count"),
            start_ns=self._unsigned(starting, "nanoseconds_since_epoch"),
            duration_ns=self._unsigned(self._mapping(self._document, "duration"), "nanoseconds"),
            files=self._entries("files", self._file) if self._holds("files", _FIRST_WITH_FILES) else (),
            custom_data=(
                self._custom_data(self._get(self._document, "custom_data"))
                if self._holds("custom_data", _FIRST_WITH_CUSTOM_DATA)
                else {}
            ),
            ros_distro=(
                self._text(self._document, "ros_distro") if self._holds("ros_distro", _FIRST_WITH_DISTRO) else ""
            ),
            compression_format=self._text(self._document, "compression_format").lower(),
            compression_mode=self._text(self._document, "compression_mode").lower(),
            warnings=tuple(self._warnings),
        )

    def _holds(self, key: str, first_version: int) -> bool:
        """Say whether a key is to be read: newer versions must have it, older ones may, as this writer's do."""
        return self._version >= first_version or key in self._document

    def _topic(self, entry: dict[str, Any]) -> TopicMetadata:
        topic = self._mapping(entry, "topic_metadata")
        name = self._text(topic, "name")
        offered: tuple[QosProfile, ...] = ()
        stated = self._get(topic, "offered_qos_profiles")
        if isinstance(stated, str):
            self._qos_characters += len(stated)
        if self._qos_characters > MAX_METADATA_BYTES:
            # An alias lets a small document repeat a long text for every topic.
            raise self._corrupt(f"has more than {MAX_METADATA_BYTES} characters of QoS", "less")
        try:
            offered = parse_qos(stated)
            if isinstance(stated, list) != (self._version >= _FIRST_WITH_QOS_LIST) and offered:
                self._warnings.append(
                    f"topic {name}: offered_qos_profiles is a {'list' if isinstance(stated, list) else 'text'}, which "
                    f"'ros2 bag' does not read in metadata version {self._version}"
                )
        except ValueError as error:
            self._warnings.append(f"topic {name}: {error}")
        hashed = self._version >= _FIRST_WITH_TYPE_HASH or "type_description_hash" in topic
        return TopicMetadata(
            name=name,
            type_name=self._text(topic, "type"),
            message_count=self._unsigned(entry, "message_count"),
            type_hash=self._text(topic, "type_description_hash") if hashed else "",
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
            raise self._corrupt(f"has no key {key!r}", f"every key of metadata version {self._version}")
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
        return BagCorruptError(f"{self._what} {wrong}; expected {expected}: run 'alpamayo bag recover' on the bag")


def metadata_document(metadata: BagMetadata) -> dict[str, object]:
    """Return the document below the root key, in rosbag2's order of keys.

    Versions differ in their QoS only: keys that a version does not have yet are not looked at by its readers, and
    with them a bag for an old release still names its lineage in all places.
    """
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
                    "offered_qos_profiles": qos_document(topic.offered_qos, metadata.version),
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


def message_compression(metadata: BagMetadata | None) -> str | None:
    """Return how each payload is compressed: None for not at all, UNSTATED where only the payload can say."""
    if metadata is None:
        return UNSTATED
    return metadata.compression_format if metadata.compression_mode == "message" else None
