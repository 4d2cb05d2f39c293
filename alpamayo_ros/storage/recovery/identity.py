"""What a damaged bag still says about its lineage, from whatever place still says it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from alpamayo_ros.errors import BagError, ConfigurationError
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.storage.identity import (
    ENVELOPE_RECORD,
    LINEAGE_RECORD,
    RESERVED_KEYS,
    TAGS_RECORD,
    TRACE_KEY,
    TRACE_RECORD,
    BagIdentity,
    read_identity,
    validate_identity,
)
from alpamayo_ros.storage.recovery.salvage import Findings
from alpamayo_ros.storage.trace import Trace, is_trace, parse_trace, trace_document


class CarriedIdentity:
    """Gathers ids, manifest and tags; what was said first stays."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._ids: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._trace: Trace = ()
        self.notes: list[str] = []

    def identity(self) -> BagIdentity:
        """Return what was gathered."""
        ids = self._ids
        lineage_id, manifest = ids.get("lineage_id", ""), ids.get("manifest", "")
        if manifest and lineage_id != f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}":
            self.notes.append("the lineage manifest that is left is not that of the lineage id and is left out")
            manifest = ""
        return BagIdentity(lineage_id, ids.get("envelope_id", ""), manifest, self._tags, self._trace)

    def take(self, values: Mapping[str, str], place: str) -> None:
        """Take ids from one place."""
        for key in ("lineage_id", "envelope_id", "manifest"):
            value = values.get(key, "")
            if not value:
                continue
            try:
                if key != "manifest":
                    validate_identity(BagIdentity(value, "", "", {}))
            except ConfigurationError as error:
                self.notes.append(f"{place}: {error}")
                continue
            known = self._ids.setdefault(key, value)
            if known != value and key != "manifest":
                self.notes.append(f"{place} names another {key}, {value[:80]}; kept is {known[:80]}")

    def take_tags(self, values: Mapping[str, str], place: str) -> None:
        """Take tags from one place."""
        for key, value in values.items():
            if key in RESERVED_KEYS or key in self._tags:
                continue
            try:
                validate_identity(BagIdentity("", "", "", {key: value}))
            except ConfigurationError as error:
                self.notes.append(f"{place}: {error}")
                continue
            self._tags[key] = value

    def take_trace(self, value: object, place: str) -> None:
        """Take what had been done to the bag before."""
        if self._trace or not value:
            return
        if isinstance(value, str) and not is_trace(value):
            self.notes.append(f"{place}: the tag {TRACE_KEY!r} of somebody else is left out")
            return
        try:
            self._trace = parse_trace(value)
        except ValueError as error:
            self.notes.append(f"{place}: the trace of what was done to the bag {error} and is left out")


def carried_identity(
    path: Path, metadata_tags: Sequence[Mapping[str, str]], findings: Iterable[Findings]
) -> CarriedIdentity:
    """Ask every place that is left: sidecar, MCAP records, custom_data, the lineage topic.

    Args:
        path: Of the bag.
        metadata_tags: ``custom_data`` of metadata.yaml and of the copies of it in the files.
        findings: What is left of each file.
    """
    carried = CarriedIdentity()
    with suppress(BagError):
        report = read_identity(path)
        known = {"lineage_id": report.lineage_id, "envelope_id": report.envelope_id, "manifest": report.manifest}
        carried.take(known, "the bag")
        carried.take_tags(report.tags, "the bag")
        if report.trace:
            carried.take_trace(trace_document(report.trace), "the bag")
    kept = list(findings)
    for found in kept:
        for record in found.records:
            if record.name in (LINEAGE_RECORD, ENVELOPE_RECORD):
                carried.take(record.values, f"MCAP record {record.name}")
            elif record.name == TAGS_RECORD:
                carried.take_tags(record.values, f"MCAP record {record.name}")
            elif record.name == TRACE_RECORD:
                carried.take_trace(record.values.get(TRACE_KEY, ""), f"MCAP record {record.name}")
    for tags in metadata_tags:
        carried.take(tags, "custom_data")
        carried.take_tags(tags, "custom_data")
        carried.take_trace(tags.get(TRACE_KEY, ""), "custom_data")
    type_name = output_topic("lineage").type_name
    for payload in (payload for found in kept for payload in found.lineage_payloads):
        try:
            message = deserialize(payload, type_name)
            values = {key: str(getattr(message, key)) for key in ("lineage_id", "envelope_id", "manifest")}
        except Exception:  # noqa: BLE001, S112 - a damaged payload raises whatever the decoder meets first
            continue
        carried.take(values, "lineage topic")
    return carried
