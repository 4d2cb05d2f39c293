"""What was done to a bag since it was recorded: cut, merged, filtered, converted.

A trace is a list of steps, oldest first. It is JSON in one line of printable ASCII, so that rosbag2's flat text map
holds it too, and it holds no clock reading: the same inputs give the same bytes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

VERSION = 1
_VERSION_KEY = "alpamayo_ros_trace"
_PREFIX = f'{{"{_VERSION_KEY}":'

MAX_TRACE_CHARACTERS = 4 * 1024 * 1024
"""A longer trace is refused: it stands in metadata.yaml, of which readers take 16 MiB."""

_MAX_DEPTH = 64
_ALWAYS = ("operation", "name", "topic")
"""Texts that whoever shows a trace relies on, empty or not."""

Argument = str | int | bool | list[str]
"""One argument of an operation, as JSON holds it."""


@dataclass(frozen=True, slots=True)
class CarriedMessage:
    """A message that stands at another time than it was received: a latched one, at the start of what was cut.

    Attributes:
        topic: Its topic.
        received_ns: When it was received.
        placed_ns: The receive time that it has in the bag.
        payload_sha256: Hexadecimal sha256 of its payload.
    """

    topic: str
    received_ns: int
    placed_ns: int
    payload_sha256: str


@dataclass(frozen=True, slots=True)
class TraceSource:
    """A bag that an operation read.

    Attributes:
        name: Name of its folder or file.
        message_count: Messages in it.
        start_ns: Receive time of its first message, None without messages.
        end_ns: Receive time of its last message, None without messages.
        lineage_id: What it named, empty if it named none.
        identity_sha256: ``sha256:`` digest of its identity.json, empty if it had none.
        content_digest: Its content digest, empty if it was not read whole.
        trace: What had been done to it before, where several sources were merged.
    """

    name: str
    message_count: int
    start_ns: int | None
    end_ns: int | None
    lineage_id: str = ""
    identity_sha256: str = ""
    content_digest: str = ""
    trace: "tuple[TraceStep, ...]" = ()


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One operation.

    Attributes:
        operation: ``cut``, ``merge``, ``filter`` or ``convert``.
        arguments: What it was asked for, by name.
        version: Version of this package.
        sources: The bags it read.
        topics_dropped: Topics of the sources that the result lacks.
        tags_dropped: Values of the tags that were dropped, by name.
        carried: Every message of the result that stands at another time than it was received.
        kept_once: Messages by topic that were in several of the bags and are in the result once.
    """

    operation: str
    arguments: Mapping[str, Argument]
    version: str
    sources: tuple[TraceSource, ...]
    topics_dropped: tuple[str, ...] = ()
    tags_dropped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    carried: tuple[CarriedMessage, ...] = ()
    kept_once: Mapping[str, int] = field(default_factory=dict)


Trace = tuple[TraceStep, ...]


def trace_document(trace: Trace) -> dict[str, Any]:
    """Return a trace as values that JSON can carry."""
    return {_VERSION_KEY: VERSION, "steps": [_plain(asdict(step)) for step in trace]}


def trace_text(trace: Trace) -> str:
    """Return a trace as one line of printable ASCII."""
    return json.dumps(trace_document(trace), separators=(",", ":"))


def is_trace(text: str) -> bool:
    """Say whether a text claims to be a trace of this package; any other is a tag of somebody else."""
    return text.startswith(_PREFIX)


def parse_trace(value: object) -> Trace:
    """Read a trace, as text or as the document itself.

    Raises:
        ValueError: It is none, or of another version; the text says what is wrong.
    """
    if isinstance(value, str):
        if len(value) > MAX_TRACE_CHARACTERS:
            raise ValueError(f"has {len(value)} characters; expected at most {MAX_TRACE_CHARACTERS}")
        try:
            value = json.loads(value)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError("is not JSON") from error
    if not isinstance(value, dict) or value.get(_VERSION_KEY) != VERSION:
        raise ValueError(f"is not a trace of version {VERSION}")
    return tuple(_step(entry, _MAX_DEPTH) for entry in _entries(value, "steps"))


def _plain(value: Any) -> Any:
    """Turn tuples into lists and leave out what is empty, so that a trace is as short as it can be."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key in _ALWAYS or item not in ("", (), {}, None)}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _step(entry: Mapping[str, Any], depth: int) -> TraceStep:
    if depth == 0:
        raise ValueError(f"has merges within merges, {_MAX_DEPTH} deep")
    arguments = _mapping(entry, "arguments")
    for key, value in arguments.items():
        if not isinstance(value, (str, int)) and not _are_texts(value):
            raise ValueError(f"has an argument {key!r} that is neither a text, a number nor a list of texts")
    tags_dropped = _mapping(entry, "tags_dropped")
    if not all(_are_texts(values) for values in tags_dropped.values()):
        raise ValueError("has a dropped tag without a list of values")
    kept_once = _mapping(entry, "kept_once")
    return TraceStep(
        operation=_text(entry, "operation"),
        arguments=cast("dict[str, Argument]", arguments),
        version=_text(entry, "version"),
        sources=tuple(_source(source, depth) for source in _entries(entry, "sources")),
        topics_dropped=_texts(entry, "topics_dropped"),
        tags_dropped={key: tuple(values) for key, values in tags_dropped.items()},
        carried=tuple(_carried(carried) for carried in _entries(entry, "carried")),
        kept_once={key: _number(kept_once, key) for key in kept_once},
    )


def _source(entry: Mapping[str, Any], depth: int) -> TraceSource:
    return TraceSource(
        name=_text(entry, "name"),
        message_count=_number(entry, "message_count"),
        start_ns=_number(entry, "start_ns") if "start_ns" in entry else None,
        end_ns=_number(entry, "end_ns") if "end_ns" in entry else None,
        lineage_id=_text(entry, "lineage_id"),
        identity_sha256=_text(entry, "identity_sha256"),
        content_digest=_text(entry, "content_digest"),
        trace=tuple(_step(step, depth - 1) for step in _entries(entry, "trace")),
    )


def _carried(entry: Mapping[str, Any]) -> CarriedMessage:
    return CarriedMessage(
        topic=_text(entry, "topic"),
        received_ns=_number(entry, "received_ns"),
        placed_ns=_number(entry, "placed_ns"),
        payload_sha256=_text(entry, "payload_sha256"),
    )


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"has a {key!r} that is no text")  # noqa: TRY004 - bad data, not a bad argument
    return value


def _number(entry: Mapping[str, Any], key: str) -> int:
    value = entry.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"has a {key!r} that is no integer")  # noqa: TRY004 - bad data, not a bad argument
    return value


def _texts(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = entry.get(key, [])
    if not _are_texts(value):
        raise ValueError(f"has a {key!r} that is no list of texts")
    return tuple(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _mapping(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = entry.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"has a {key!r} that is no mapping")  # noqa: TRY004 - bad data, not a bad argument
    return value


def _entries(entry: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"has {key!r} that are no list of mappings")
    return value
