"""Which lineage and envelope a bag belongs to, stated in four places so that no single tool can lose it.

1. rosbag2's ``custom_data`` in metadata.yaml (``ros2 bag reindex`` drops it where the file holds no rosbag2 record, as
   in sqlite3 and in bags of others; ``ros2 bag convert`` drops it),
2. MCAP Metadata records of our own, repeated in each file (``ros2 bag convert`` drops them),
3. the latched Lineage message inside the bag (topic filters drop it),
4. the sidecar ``identity.json``, which also lists the sha256 of each file (copying single files drops it).

A bag that was made from others has a trace of that (``storage.trace``) in 1, 2 and 4, whether it names a lineage or
not.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import BagCorruptError, BagNotFoundError, ConfigurationError
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.storage.filesystem import sha256_of
from alpamayo_ros.storage.reader import BagReader, open_bag
from alpamayo_ros.storage.source import MetadataRecord
from alpamayo_ros.storage.trace import MAX_TRACE_CHARACTERS, Trace, is_trace, parse_trace, trace_document, trace_text
from alpamayo_ros.structs.lineage import NONE

SIDECAR = "identity.json"
LINEAGE_RECORD = "alpamayo_ros.lineage"
ENVELOPE_RECORD = "alpamayo_ros.envelope"
TAGS_RECORD = "alpamayo_ros.tags"
TRACE_RECORD = "alpamayo_ros.trace"

CUSTOM_DATA_PLACE = "custom_data"
RECORDS_PLACE = "MCAP records"
TOPIC_PLACE = "lineage topic"

RECORDING, CLOSED, RECOVERED = "recording", "closed", "recovered"
TRACE_KEY = "trace"
RESERVED_KEYS = ("lineage_id", "envelope_id", "state", TRACE_KEY)

MAX_SIDECAR_BYTES = 16 * 1024 * 1024

_MAX_LINEAGE_BYTES = 1024 * 1024
"""A larger message on the lineage topic is not read; one of ours has some kilobytes."""

_MAX_LINEAGES = 16
"""After so many different ones no more are read: a sound bag holds one."""

_REFUSED = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters
    "\u2028\u2029"  # line and paragraph separators, which YAML readers may take for line ends
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # the direction of writing: a text shown as another
    "\ud800-\udfff"  # half of a surrogate pair, which no file can hold
)
_REFUSED_IN_VALUE = re.compile(f"[{_REFUSED}]")
_REFUSED_IN_KEY = re.compile(f"[\t\n{_REFUSED}]")


@dataclass(frozen=True, slots=True)
class BagIdentity:
    """What a bag is written as.

    Attributes:
        lineage_id: Id of the lineage that produced it; empty, as the envelope id, in a copy of a bag without one.
        envelope_id: Id of the envelope that it was produced in, or ``none``.
        manifest: Canonical text that ``lineage_id`` is the digest of, empty if it is not at hand.
        tags: Further flat texts for people and searches.
        trace: What was done to make it from other bags. It is complete when the bag is, and is written then.
    """

    lineage_id: str
    envelope_id: str
    manifest: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    trace: Trace = ()

    def custom_data(self, state: str) -> dict[str, str]:
        """Return the flat form for metadata.yaml."""
        ids = {"lineage_id": self.lineage_id, "envelope_id": self.envelope_id}
        trace = {TRACE_KEY: trace_text(self.trace)} if self.trace and state != RECORDING else {}
        return {**{key: value for key, value in ids.items() if value}, "state": state, **self.tags, **trace}

    def records(self) -> dict[str, dict[str, str]]:
        """Return our MCAP Metadata records by name, as each file has them from its beginning."""
        records: dict[str, dict[str, str]] = {}
        if self.lineage_id:
            records[LINEAGE_RECORD] = {"lineage_id": self.lineage_id, "manifest": self.manifest}
        if self.envelope_id:
            records[ENVELOPE_RECORD] = {"envelope_id": self.envelope_id}
        if self.tags:
            records[TAGS_RECORD] = dict(self.tags)
        return records

    def closing_records(self) -> dict[str, dict[str, str]]:
        """Return the records that the last file of a bag gets when the bag is complete."""
        return {TRACE_RECORD: {TRACE_KEY: trace_text(self.trace)}} if self.trace else {}

    def sidecar(self, state: str, files: Mapping[str, str]) -> bytes:
        """Return identity.json.

        Args:
            state: ``recording``, ``closed`` or ``recovered``.
            files: Hexadecimal sha256 by file name.
        """
        document: dict[str, Any] = {
            "lineage_id": self.lineage_id,
            "envelope_id": self.envelope_id,
            "state": state,
            "tags": dict(self.tags),
            "files": {name: f"sha256:{digest}" for name, digest in sorted(files.items())},
            "manifest": self.manifest,
        }
        if self.trace and state != RECORDING:
            document[TRACE_KEY] = trace_document(self.trace)
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def validate_identity(identity: BagIdentity) -> None:
    """Refuse what rosbag2's flat text map cannot hold.

    Raises:
        ConfigurationError: A tag has a reserved name, or a value is no text or holds control characters other than
            tab and line feed, separators that YAML readers change, or marks of the direction of writing; or the trace
            is too long.
    """
    if identity.trace and (length := len(trace_text(identity.trace))) > MAX_TRACE_CHARACTERS:
        raise ConfigurationError(
            f"the trace of what was done to a bag has {length} characters; expected at most {MAX_TRACE_CHARACTERS}: "
            "merge fewer bags at once"
        )
    texts = {"lineage id": identity.lineage_id, "envelope id": identity.envelope_id}
    for key, value in identity.tags.items():
        if key in RESERVED_KEYS:
            raise ConfigurationError(f"tag {key!r} has a reserved name; expected none of: {', '.join(RESERVED_KEYS)}")
        if not key or _REFUSED_IN_KEY.search(key):
            raise ConfigurationError(f"tag {key!r} has no usable name; expected printable text")
        texts[f"tag {key!r}"] = value
    for name, text in texts.items():
        if not isinstance(text, str):
            raise ConfigurationError(f"{name} of a bag is a {type(text).__name__}; expected a text")
        if _REFUSED_IN_VALUE.search(text):
            raise ConfigurationError(f"{name} of a bag is {text[:80]!r}; expected printable text")


@dataclass(frozen=True, slots=True)
class PlaceIdentity:
    """What one place says; empty where it says nothing."""

    lineage_id: str = ""
    envelope_id: str = ""

    def __bool__(self) -> bool:
        """Say whether the place names anything."""
        return bool(self.lineage_id or self.envelope_id)


@dataclass(frozen=True, slots=True)
class IdentityReport:
    """What a bag says about itself.

    Attributes:
        lineage_id: The id if all places that name one agree, else empty.
        envelope_id: Likewise.
        state: ``recording``, ``closed``, ``recovered`` or empty.
        manifest: Canonical lineage manifest, empty if the bag holds none.
        tags: Flat tags.
        places: What each place says, by its name.
        disagreements: One sentence for each contradiction or gap; empty for a sound bag and for a bag
            that never had an identity.
        trace: What was done to make it from other bags; empty where the places disagree.
        partial: Whether a place says that the bag is a part: still being recorded, or recovered.
    """

    lineage_id: str
    envelope_id: str
    state: str
    manifest: str
    tags: Mapping[str, str]
    places: Mapping[str, PlaceIdentity]
    disagreements: tuple[str, ...]
    trace: Trace = ()
    partial: bool = False


def read_identity(path: Path, reader: BagReader | None = None) -> IdentityReport:
    """Collect what the four places of a bag say, without reading its other messages.

    Args:
        path: Bag folder or bare bag file. A bag that was not closed is answered from its sidecar.
        reader: The same bag, where it is open already.

    Raises:
        BagNotFoundError: The path is missing or is not a bag.
        BagCorruptError: The bag cannot be read and has no sidecar.
    """
    return _Collector(Path(path), reader).report()


def verify_identity(path: Path) -> IdentityReport:
    """Do what ``read_identity`` does, and recompute the sha256 of every file that the sidecar lists.

    Raises:
        BagNotFoundError: The path is missing or is not a bag.
        BagCorruptError: The bag cannot be read and has no sidecar.
    """
    collector = _Collector(Path(path))
    collector.verify_files()
    return collector.report()


class _Collector:
    """Asks each place in turn and words the contradictions."""

    def __init__(self, path: Path, reader: BagReader | None = None) -> None:
        self._path = path
        self._places: dict[str, PlaceIdentity] = {}
        self._disagreements: list[str] = []
        self._states: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._manifests: dict[str, str] = {}
        self._traces: dict[str, Trace] = {}
        self._files: dict[str, str] = {}
        self._bag_files: tuple[str, ...] = ()
        sidecar_found = path.is_dir() and self._read_sidecar(path / SIDECAR)
        try:
            if reader is not None:
                self._read_bag(reader)
            else:
                with open_bag(path) as opened:
                    self._read_bag(opened)
        except (BagNotFoundError, BagCorruptError) as error:
            if not sidecar_found:
                raise
            self._disagreements.append(str(error))

    def verify_files(self) -> None:
        """Compare the files with the digests in the sidecar."""
        for name, stated in sorted(self._files.items()):
            file = self._path / name
            if "/" in name or "\0" in name or name in ("", ".", "..") or not file.is_file():
                self._disagreements.append(f"{SIDECAR} lists the file {name!r}, which is missing")
                continue
            try:
                digest = sha256_of(file)
            except OSError as error:
                self._disagreements.append(f"file {name} cannot be read ({error.strerror})")
                continue
            if f"sha256:{digest}" != stated:
                self._disagreements.append(f"file {name} differs from its sha256 in {SIDECAR}; it was changed since")
        if self._files:
            for name in self._bag_files:
                if name not in self._files:
                    self._disagreements.append(f"file {name} belongs to the bag, but {SIDECAR} does not list it")

    def report(self) -> IdentityReport:
        """Compare the places and return the report."""
        named = {name: place for name, place in self._places.items() if place}
        if named:
            # An imported or simulated drive was produced by no model: it says 'none', and latches no lineage.
            made_by_none = all(place.lineage_id == NONE for place in named.values())
            for name, place in self._places.items():
                if not place and not (name == TOPIC_PLACE and made_by_none):
                    others = ", ".join(sorted(named))
                    self._disagreements.append(f"{name} names no lineage and no envelope; expected those of: {others}")
        lineage_id = self._agreed("lineage", {name: place.lineage_id for name, place in named.items()})
        envelope_id = self._agreed("envelope", {name: place.envelope_id for name, place in named.items()})
        self._agreed("state", self._states)
        manifest = self._agreed("manifest", self._manifests)
        trace = self._agreed_trace()
        if manifest and lineage_id and lineage_id != f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}":
            self._disagreements.append(f"lineage {lineage_id} is not the digest of the manifest that the bag holds")
        return IdentityReport(
            lineage_id=lineage_id,
            envelope_id=envelope_id,
            state=self._states.get(CUSTOM_DATA_PLACE, self._states.get(SIDECAR, "")),
            manifest=manifest,
            tags=dict(self._tags),
            places=dict(self._places),
            disagreements=tuple(dict.fromkeys(self._disagreements)),
            trace=trace,
            partial=any(state in (RECORDING, RECOVERED) for state in self._states.values()),
        )

    def _agreed(self, what: str, said: Mapping[str, str]) -> str:
        values = {value for value in said.values() if value}
        if len(values) == 1:
            return values.pop()
        if values:
            shown = "; ".join(f"{name} says {value[:80]}" for name, value in sorted(said.items()) if value)
            self._disagreements.append(f"the places name different {what}s: {shown}")
        return ""

    def _agreed_trace(self) -> Trace:
        found = {name: trace for name, trace in self._traces.items() if trace}
        if not found:
            return ()
        if len(set(map(trace_text, found.values()))) > 1:
            self._disagreements.append(
                f"the places hold different traces of what was done to the bag: {', '.join(sorted(found))}"
            )
            return ()
        for name in sorted(self._traces.keys() - found.keys()):
            self._disagreements.append(
                f"{name} holds no trace of what was done to the bag; expected that of: {', '.join(sorted(found))}"
            )
        return next(iter(found.values()))

    def _parsed_trace(self, place: str, value: object) -> Trace:
        try:
            trace = parse_trace(value)
            _require_unicode(trace_document(trace), "holds text that is no Unicode")
        except ValueError as error:
            self._disagreements.append(f"{place}: the trace of what was done to the bag {error}; it was damaged")
            return ()
        return trace

    def _read_sidecar(self, path: Path) -> bool:
        if not path.is_file():
            self._places[SIDECAR] = PlaceIdentity()
            return False
        try:
            document = _parse_sidecar(path)
        except ValueError as error:
            self._disagreements.append(f"{SIDECAR} {error}")
            self._places[SIDECAR] = PlaceIdentity()
            return True
        self._places[SIDECAR] = PlaceIdentity(_text(document, "lineage_id"), _text(document, "envelope_id"))
        self._states[SIDECAR] = _text(document, "state")
        self._manifests[SIDECAR] = _text(document, "manifest")
        self._tags |= _texts(document.get("tags"))
        self._files = _texts(document.get("files"))
        stated = document.get(TRACE_KEY)
        self._traces[SIDECAR] = () if stated is None else self._parsed_trace(SIDECAR, stated)
        if self._states[SIDECAR] == RECORDING:
            self._disagreements.append(f"{SIDECAR} says that the bag is still being recorded; it was not closed")
        return True

    def _read_bag(self, reader: BagReader) -> None:
        custom = reader.custom_data
        self._bag_files = tuple(reader.files)
        self._places[CUSTOM_DATA_PLACE] = PlaceIdentity(custom.get("lineage_id", ""), custom.get("envelope_id", ""))
        self._states[CUSTOM_DATA_PLACE] = custom.get("state", "")
        trace = custom.get(TRACE_KEY, "")
        foreign = trace and not is_trace(trace)
        self._traces[CUSTOM_DATA_PLACE] = self._parsed_trace(CUSTOM_DATA_PLACE, trace) if is_trace(trace) else ()
        tags = {
            key: value for key, value in custom.items() if key not in RESERVED_KEYS or (key == TRACE_KEY and foreign)
        }
        if reader.storage_id == "mcap":
            records = list(reader.metadata_records())
            self._read_trace_record(records)
            ids = [
                (record.values.get("lineage_id", ""), record.values.get("envelope_id", ""))
                for record in records
                if record.name in (LINEAGE_RECORD, ENVELOPE_RECORD)
            ]
            self._places[RECORDS_PLACE] = self._single(RECORDS_PLACE, ids)
            self._manifests[RECORDS_PLACE] = self._only(
                "manifest", (record.values.get("manifest", "") for record in records if record.name == LINEAGE_RECORD)
            )
            for record in records:
                if record.name == TAGS_RECORD:
                    tags |= record.values
        self._read_topic(reader)
        for key, value in tags.items():
            if self._tags.setdefault(key, value) != value:
                self._disagreements.append(f"tag {key!r} has different values: {self._tags[key]!r} and {value!r}")

    def _read_trace_record(self, records: Iterable[MetadataRecord]) -> None:
        self._traces[RECORDS_PLACE] = ()
        for record in records:
            # A bag on a full disk may have been completed twice; the later record is the one that holds.
            if record.name == TRACE_RECORD:
                self._traces[RECORDS_PLACE] = self._parsed_trace(RECORDS_PLACE, record.values.get(TRACE_KEY, ""))

    def _read_topic(self, reader: BagReader) -> None:
        type_name = output_topic("lineage").type_name
        topics = [topic.name for topic in reader.topics.values() if topic.type_name == type_name]
        # Each kept once: a stranger's bag may hold the same megabyte a million times.
        said: set[tuple[str, str, str]] = set()
        problems: dict[str, None] = {}
        payload: bytes | None = None
        for message in reader.messages(topics) if topics else ():
            if message.payload == payload:
                continue
            if len(message.payload) > _MAX_LINEAGE_BYTES:
                problems[
                    f"a message on {message.topic} has more than {_MAX_LINEAGE_BYTES} bytes and was not read; "
                    "it was not written by this package"
                ] = None
                continue
            payload = message.payload
            try:
                content = deserialize(payload, type_name)
            except Exception as error:  # noqa: BLE001 - a damaged payload raises whatever the decoder meets first
                problems[f"a message on {message.topic} is no Lineage of this version ({type(error).__name__})"] = None
                continue
            said.add((str(content.lineage_id), str(content.envelope_id), str(content.manifest)))
            if len(said) > _MAX_LINEAGES:
                problems[
                    f"{TOPIC_PLACE} holds more than {_MAX_LINEAGES} different messages; those after them were not read"
                ] = None
                break
        self._disagreements += problems
        self._places[TOPIC_PLACE] = self._single(TOPIC_PLACE, (row[:2] for row in said))
        self._manifests[TOPIC_PLACE] = self._only("manifest", (row[2] for row in said))

    def _single(self, place: str, ids: Iterable[tuple[str, str]]) -> PlaceIdentity:
        rows = list(ids)
        return PlaceIdentity(
            self._only(f"{place}: lineage", (row[0] for row in rows)),
            self._only(f"{place}: envelope", (row[1] for row in rows)),
        )

    def _only(self, what: str, values: Iterable[str]) -> str:
        distinct = sorted({value for value in values if value})
        if len(distinct) > 1:
            self._disagreements.append(f"{what} has {len(distinct)} different values; expected one: {distinct[0][:80]}")
        return distinct[0] if distinct else ""


def sidecar_tags(folder: Path) -> dict[str, str]:
    """Return the tags in a bag folder's sidecar, empty where there is no readable one; the bag is not opened."""
    try:
        return _texts(_parse_sidecar(folder / SIDECAR).get("tags"))
    except ValueError:
        return {}


def _parse_sidecar(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_SIDECAR_BYTES:
            raise ValueError(f"has more than {MAX_SIDECAR_BYTES} bytes; it was not written by this package")
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from error
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError("is not JSON; it was damaged") from error
    if not isinstance(document, dict):
        raise ValueError("is no JSON object; it was damaged")  # noqa: TRY004 - bad data, not a bad argument
    _require_unicode(document, "holds text that is no Unicode; it was damaged")
    return document


def _require_unicode(document: object, problem: str) -> None:
    """Refuse half of a surrogate pair, which JSON can hold and no other place can: no copy could be written."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise ValueError(problem) from error


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(key, str) and isinstance(item, str)}
