"""Baselines: the approved outputs that a replay is compared with.

A baseline is keyed by what must be equal: the content digest of the input bag, the hashes of the compared message
types, the requested ticks and the comparison policy. Lineage, parameters, host and versions are the subject under
test: they may differ, and a difference is shown beside the verdict.
"""

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import (
    BagCorruptError,
    ConfigurationError,
    InconclusiveError,
    NotComparableError,
    OutputError,
)
from alpamayo_ros.messages.topics import OUTPUT_TOPICS
from alpamayo_ros.messages.typestore import type_hash
from alpamayo_ros.params.documents import read_text, require_mapping, validate_document
from alpamayo_ros.replay.outputs import digest_of_outputs, foreign_to_outputs, read_outputs
from alpamayo_ros.replay.swap import put_in_place
from alpamayo_ros.storage.filesystem import sha256_of
from alpamayo_ros.storage.identity import read_identity, verify_identity
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import BaselineInfo

BASELINE_FILE = "baseline.json"
OUTPUTS_FOLDER = "outputs"
RESULT_FILE = "result.json"
BASELINE_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class BaselineKey:
    """What must be equal for a comparison to mean something."""

    content_digest: str
    type_hashes: Mapping[str, str]
    ticks_requested: str
    policy_id: str

    def differences(self, candidate: "BaselineKey") -> tuple[str, ...]:
        """Return what differs, one sentence each."""
        reasons = []
        if self.content_digest != candidate.content_digest:
            reasons.append(
                f"the input is another bag than the baseline's, or a part of it: its content is "
                f"{candidate.content_digest}, the baseline's {self.content_digest}; approve a baseline for this input"
            )
        for interface in sorted(set(self.type_hashes) | set(candidate.type_hashes)):
            ours, theirs = candidate.type_hashes.get(interface, "none"), self.type_hashes.get(interface, "none")
            if ours != theirs:
                reasons.append(f"the message type of {interface} changed: {ours}, the baseline has {theirs}")
        if self.ticks_requested != candidate.ticks_requested:
            reasons.append(
                f"other ticks were requested: {candidate.ticks_requested}, the baseline has {self.ticks_requested}"
            )
        if self.policy_id != candidate.policy_id:
            reasons.append(
                f"the comparison policy is another one: {candidate.policy_id}, the baseline has {self.policy_id}"
            )
        return tuple(reasons)


@dataclass(frozen=True, slots=True)
class Baseline:
    """One approved replay.

    Attributes:
        path: Its folder.
        key: What a replay must share with it.
        components: Lineage digest by component kind.
        lineage_id: Lineage of the approved outputs.
        output_digest: Digest of the approved outputs.
        author: Who approved it.
        reason: Why.
    """

    path: Path
    key: BaselineKey
    components: Mapping[str, str]
    lineage_id: str
    output_digest: str
    author: str
    reason: str

    @property
    def info(self) -> BaselineInfo:
        """What a report says of it."""
        return BaselineInfo(
            path=str(self.path),
            author=self.author,
            reason=self.reason,
            lineage_id=self.lineage_id,
            output_digest=self.output_digest,
            content_digest=self.key.content_digest,
        )

    @property
    def outputs(self) -> Path:
        """Bag of the approved outputs."""
        return self.path / OUTPUTS_FOLDER


def compared_type_hashes() -> dict[str, str]:
    """Return the RIHS01 hash of each compared output by interface."""
    return {row.interface: type_hash(row.type_name) for row in OUTPUT_TOPICS if row.compared}


def load_baseline(path: Path) -> Baseline:
    """Read a baseline and verify that its outputs are the ones that were approved.

    Raises:
        ConfigurationError: The folder is not a baseline.
        NotComparableError: Its outputs are not the approved ones, or another version made it.
    """
    file = path / BASELINE_FILE
    if not file.is_file():
        raise ConfigurationError(
            f"baseline {path} has no {BASELINE_FILE}; expected a folder made by 'alpamayo replay approve'"
        )
    document = _load_json(file, "baseline")
    validate_document(document, "baseline", f"baseline {file}")
    baseline = Baseline(
        path=path,
        key=BaselineKey(**document["key"]),
        components=document["lineage"]["components"],
        lineage_id=document["lineage"]["lineage_id"],
        output_digest=document["output_digest"],
        author=document["author"],
        reason=document["reason"],
    )
    _verify_files(baseline, document["files"])
    return baseline


def _verify_files(baseline: Baseline, files: Mapping[str, str]) -> None:
    found = {file.name for file in baseline.outputs.iterdir()} if baseline.outputs.is_dir() else set()
    if found != set(files):
        names = ", ".join(sorted(found ^ set(files)))
        raise NotComparableError(f"baseline {baseline.path} does not hold the files that were approved; see: {names}")
    for name, digest in files.items():
        if f"sha256:{sha256_of(baseline.outputs / name)}" != digest:
            raise NotComparableError(
                f"baseline {baseline.path}: {OUTPUTS_FOLDER}/{name} is not the file that was approved"
            )
    with open_bag(baseline.outputs) as reader:
        if digest_of_outputs(reader) != baseline.output_digest:
            raise NotComparableError(f"baseline {baseline.path}: its outputs are not those of its output digest")
    if read_identity(baseline.outputs).lineage_id != baseline.lineage_id:
        raise NotComparableError(f"baseline {baseline.path}: its outputs name another lineage than {BASELINE_FILE}")


def approve_result(result: Path, destination: Path, *, author: str, reason: str, force: bool = False) -> Baseline:
    """Make a baseline of a replay result.

    Args:
        result: Folder that ``replay run`` wrote.
        destination: Folder to make.
        author: Who approves.
        reason: Why.
        force: Replace an existing baseline.

    Raises:
        ConfigurationError: The folder is not a finished result, or author or reason are empty.
        InconclusiveError: The result shows too little to be a baseline.
        NotComparableError: The result cannot be trusted.
        OutputError: The destination exists or cannot be written.
    """
    for name, value in (("author", author), ("reason", reason)):
        if not value.strip():
            raise ConfigurationError(f"--{name} is empty; expected who approves and why")
    document = load_result(result)
    _require_trustworthy(document, result)
    _verify_outputs(document, result)
    outputs = sorted((result / OUTPUTS_FOLDER).iterdir())
    baseline = {
        "schema": BASELINE_SCHEMA,
        "author": author,
        "reason": reason,
        "key": {
            "content_digest": document["content_digest"],
            "type_hashes": compared_type_hashes(),
            "ticks_requested": document["ticks_requested"],
            "policy_id": document["policy"]["policy_id"],
        },
        "profile": document["profile"],
        "output_digest": document["output_digest"],
        "envelope_id": document["envelope_id"],
        "ticks": document["ticks"],
        "lineage": {
            "lineage_id": document["lineage_id"],
            "components": {item["kind"]: item["digest"] for item in document["lineage"]["components"]},
        },
        "files": {item.name: f"sha256:{sha256_of(item)}" for item in outputs},
    }
    _write_folder(result, destination, baseline, force=force)
    return load_baseline(destination)


def load_result(result: Path) -> Mapping[str, Any]:
    """Return the document of a finished replay.

    Raises:
        ConfigurationError: The folder is not a finished result.
        BagCorruptError: The document is damaged.
    """
    file = result / RESULT_FILE
    if not file.is_file():
        raise ConfigurationError(f"result {result} has no {RESULT_FILE}; expected a folder that 'replay run' finished")
    document = _load_json(file, "result")
    validate_document(document, "result", f"result {file}")
    return document


def _require_trustworthy(document: Mapping[str, Any], result: Path) -> None:
    if document["too_little"]:
        raise InconclusiveError(f"result {result} cannot become a baseline: {'; '.join(document['too_little'])}")
    if document["verdict"] == "not_comparable":
        raise NotComparableError(
            f"result {result} cannot become a baseline: {'; '.join(document['reasons'])}; "
            "run the replay without --baseline first"
        )


def _verify_outputs(document: Mapping[str, Any], result: Path) -> None:
    """Require that the outputs are whole and are those that the result speaks of."""
    report = verify_identity(result / OUTPUTS_FOLDER)
    if report.disagreements:
        raise NotComparableError(f"result {result} cannot become a baseline: {report.disagreements[0]}")
    with open_bag(result / OUTPUTS_FOLDER) as reader:
        digest = digest_of_outputs(reader)
        counts = Counter(tick.status.outcome.name for tick in read_outputs(reader))
    if digest != document["output_digest"]:
        raise NotComparableError(
            f"result {result} cannot become a baseline: its outputs have digest {digest}, "
            f"but {RESULT_FILE} says {document['output_digest']}"
        )
    said = {name: count for name, count in document["ticks"].items() if name in TickOutcome.__members__ and count}
    for what, found, stated in (
        ("lineage", report.lineage_id, document["lineage_id"]),
        ("envelope", report.envelope_id, document["envelope_id"]),
        ("ticks", dict(counts), said),
    ):
        if found != stated:
            raise NotComparableError(
                f"result {result} cannot become a baseline: its outputs have the {what} {found}, "
                f"but {RESULT_FILE} says {stated}"
            )


def _write_folder(result: Path, destination: Path, baseline: Mapping[str, Any], *, force: bool) -> None:
    if destination.exists() and not force:
        raise OutputError(f"baseline {destination} exists already; expected a new path, or --force to replace it")
    if destination.exists():
        _require_baseline(destination)
    if result.resolve() in (destination.resolve(), *destination.resolve().parents):
        raise OutputError(f"baseline {destination} lies in the result {result}; expected a folder outside of it")
    part = destination.with_name(f".{destination.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        shutil.copytree(result / OUTPUTS_FOLDER, part / OUTPUTS_FOLDER)
        (part / BASELINE_FILE).write_text(json.dumps(baseline, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        put_in_place(part, destination)
    except OSError as error:
        raise OutputError(f"baseline {destination} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _require_baseline(folder: Path) -> None:
    """Require that a folder holds nothing but a baseline."""
    foreign = ["no folder"]
    if folder.is_dir() and not folder.is_symlink():
        foreign = sorted(entry.name for entry in folder.iterdir() if entry.name not in (BASELINE_FILE, OUTPUTS_FOLDER))
        foreign += [] if (folder / BASELINE_FILE).is_file() else [f"no {BASELINE_FILE}"]
        foreign += foreign_to_outputs(folder / OUTPUTS_FOLDER)
    if foreign:
        raise OutputError(
            f"{folder} exists and is not a baseline alone ({', '.join(foreign[:5])}); --force replaces baselines only"
        )


def _load_json(file: Path, what: str) -> Mapping[str, Any]:
    try:
        document = json.loads(read_text(file, what))
    except (ValueError, RecursionError) as error:
        raise BagCorruptError(f"{what} {file} is not valid JSON: {error}") from error
    return require_mapping(document, f"{what} {file}")
