"""Verify a bag: everything that it states is compared with what a walk over all of its bytes finds.

The walk is independent of the index that reading uses. What a bag does not carry, such as a checksum or an identity,
is said to be absent and is no failure.
"""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from alpamayo_ros.errors import BagError
from alpamayo_ros.storage.compressed_file import compression_of, plain_name
from alpamayo_ros.storage.digest import NO_HASH, stated_or_computed_hash
from alpamayo_ros.storage.identity import RECOVERED, SIDECAR, IdentityReport, verify_identity
from alpamayo_ros.storage.layout import bag_files
from alpamayo_ros.storage.mcap_files.verify import FileFacts, McapVerification
from alpamayo_ros.storage.message import TopicInfo
from alpamayo_ros.storage.metadata import FILE_NAME, BagMetadata, message_compression, parse_metadata
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.recovery.files import (
    RecoverableFile,
    RecoverableFiles,
    decompress_what_is_left,
    find_recoverable_files,
)
from alpamayo_ros.storage.sqlite_files.verify import SqliteVerification
from alpamayo_ros.storage.verification.checks import Check, Outcome, Verification, duration_text, time_text
from alpamayo_ros.storage.verification.message_tally import MessageTally, TopicTally, note_steps
from alpamayo_ros.storage.writer import MAX_STAMP_NS

MAX_HASHED_TYPES = 2000
"""Types whose definitions are hashed; a bag has some dozens."""

_NAMED_TYPES = 5
_CHAR_FIELD = re.compile(r"^(\s*)char(?=[\s\[<])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was verified about a bag.

    Attributes:
        path: The bag.
        state: ``recording``, ``closed``, ``recovered``, or empty where it does not say.
        message_count: Messages that were met.
        unfinished: Whether a place says that the bag is still being recorded.
        duration_ns: From the first to the last receive time that was met.
        losses: What the bag says it has lost: one sentence for each file that was recovered in part.
        checks: In the order of the report.
    """

    path: Path
    state: str
    message_count: int
    unfinished: bool
    duration_ns: int
    losses: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome is Outcome.FAILED)

    @property
    def is_recoverable(self) -> bool:
        """Whether something failed that a recovered bag would not have."""
        return self.unfinished or any(check.is_recoverable for check in self.failed)

    @property
    def is_part(self) -> bool:
        """Whether the bag says that it is what was left of another."""
        return bool(self.losses)


def verify_bag(path: Path, *, decode: bool = False, progress: Callable[[int, int], None] | None = None) -> VerifyReport:
    """Verify a bag in one walk over all of its files.

    Args:
        path: Folder or file of a bag.
        decode: Whether to decode every message whose type is known, which takes most of the time.
        progress: Told the bytes that were looked at and the bytes to look at.

    Raises:
        BagNotFoundError: The path is missing or is not a bag.
        BagWriteError: There is no room for the copy of a file that was compressed as a whole.
    """
    return _Verifier(find_recoverable_files(path), decode, progress).run()


class _Verifier:
    def __init__(self, files: RecoverableFiles, decode: bool, progress: Callable[[int, int], None] | None) -> None:
        self._files = files
        self._metadata = files.metadata
        self._results = Verification()
        self._decode = decode
        self._tally = MessageTally(decode=decode, method=message_compression(files.metadata))
        self._progress = progress
        self._facts: dict[str, FileFacts] = {}
        self._total = sum(file.path.stat().st_size for file in files.files if file.path is not None)
        self._done = 0

    def run(self) -> VerifyReport:
        self._compare_folder()
        for file in self._files.files:
            self._verify_file(file)
        self._open()
        if self._metadata is None:
            self._metadata = self._described()
        elif self._files.path.is_dir():
            self._compare_metadata(self._metadata)
        self._report_times()
        self._report_payloads()
        self._compare_type_hashes()
        identity = self._verify_identity()
        state = identity.state if identity is not None else ""
        filled = [facts for facts in self._facts.values() if facts.message_count]
        return VerifyReport(
            path=self._files.path,
            state=state,
            message_count=sum(facts.message_count for facts in filled),
            unfinished=identity is not None and identity.partial and state != RECOVERED,
            duration_ns=max(item.last_ns for item in filled) - min(item.first_ns for item in filled) if filled else 0,
            losses=losses_of(identity) if identity is not None else (),
            checks=self._results.checks(),
        )

    def _compare_folder(self) -> None:
        path, results = self._files.path, self._results
        if not path.is_dir():
            results.add_passed("files")
            results.add_absent("metadata", f"a single file has no {FILE_NAME}")
            return
        if self._metadata is None:
            for note in self._files.notes:
                results.add_failed("metadata", note)
            for file in self._files.candidates:
                results.add_note("files", f"{file.name} is in the folder too, with the name of another bag")
        listed = self._metadata.relative_paths if self._metadata is not None else ()
        for file in self._files.files:
            if file.path is None or (listed and file.name in listed and file.path != path / file.name):
                results.add_failed("files", f"{file.name} is listed in {FILE_NAME}, but missing")
            else:
                results.add_passed("files")
        if self._metadata is not None:
            plain = {plain_name(name) for name in listed}
            taken = {file.name for file in (*self._files.files, *self._files.candidates)}
            for name in bag_files(path):
                if name not in listed and name in plain:
                    results.add_note("files", f"{name} stands beside its compressed form, as 'ros2 bag play' leaves it")
                elif name not in listed:
                    results.add_failed(
                        "files",
                        f"{name} is in the folder, but {FILE_NAME} does not list it",
                        is_recoverable=name in taken,
                    )
            if len(set(listed)) != len(listed):
                results.add_failed("files", f"{FILE_NAME} lists a file twice")

    def _verify_file(self, file: RecoverableFile) -> None:
        if file.path is None:
            return
        before = self._done
        size = file.path.stat().st_size
        self._done = before + size
        try:
            if not compression_of(file.path.name):
                self._walk(file, file.path, lambda done: self._report(before + done))
                return
            with tempfile.TemporaryDirectory(prefix="alpamayo_bag_") as folder:
                copy, wrong = decompress_what_is_left(file.path, Path(folder))
                if wrong:
                    self._results.add_failed("structure", f"{file.name} {wrong}")
                scale = size / max(copy.stat().st_size, 1)
                self._walk(file, copy, lambda done: self._report(before + int(scale * done)))
        except (BagError, OSError) as error:
            self._results.add_failed("structure", str(error))

    def _walk(self, file: RecoverableFile, path: Path, progress: Callable[[int], None]) -> None:
        for tally in self._tally.topics.values():
            # Splits may overlap in time: order is a matter of one file.
            tally.receive.last_ns = tally.publish.last_ns = -(2**63)
        walk = SqliteVerification if file.storage_id == "sqlite3" else McapVerification
        self._facts[file.name] = walk(path, self._results, self._tally).run(progress)

    def _open(self) -> None:
        """Say whether the reader takes the bag: what it refuses nobody can use."""
        try:
            with open_bag(self._files.path) as reader:
                for warning in reader.warnings:
                    self._results.add_note("index", warning)
        except BagError as error:
            if not any(self._results.has_failed(name) for name in ("structure", "files", "metadata", "index")):
                self._results.add_failed("index", str(error))

    def _described(self) -> BagMetadata | None:
        for facts in reversed(self._facts.values()):
            if facts.bag_metadata:
                try:
                    return parse_metadata(facts.bag_metadata, "metadata in a file", rooted=False)
                except BagError as error:
                    self._results.add_note("metadata", str(error))
        return None

    def _compare_metadata(self, metadata: BagMetadata) -> None:
        filled = [facts for facts in self._facts.values() if facts.message_count]
        is_complete = all(file.path is not None for file in self._files.files)
        if not is_complete:
            self._results.add_note("metadata", "a file is missing: the counts of the whole bag are not compared")
        else:
            self._compare_range(
                "the bag",
                (metadata.message_count, metadata.start_ns, metadata.duration_ns),
                FileFacts(
                    sum(facts.message_count for facts in filled),
                    min((item.first_ns for item in filled), default=0),
                    max((item.last_ns for item in filled), default=0),
                ),
            )
        # rosbag2 names compressed files without the suffix of their compression here.
        listed = {plain_name(file.path) for file in metadata.files}
        if listed and listed != {plain_name(name) for name in metadata.relative_paths}:
            self._results.add_failed("metadata", "files and relative_file_paths name different files")
        by_name = {plain_name(name): facts for name, facts in self._facts.items()}
        for file in metadata.files:
            facts = by_name.get(plain_name(file.path))
            if facts is not None:
                self._compare_range(file.path, (file.message_count, file.start_ns, file.duration_ns), facts)
        if is_complete:
            self._compare_topics(metadata)

    def _compare_range(self, what: str, stated: tuple[int, int, int], facts: FileFacts) -> None:
        """Compare count, start and duration; a wrong duration alone is what rosbag2's reindex leaves."""
        results, found_ns = self._results, facts.last_ns - facts.first_ns
        count, start_ns, duration_ns = stated
        results.add_compared("metadata", f"messages in {what}: {FILE_NAME} says", count, facts.message_count)
        if not facts.message_count:
            return
        results.add_compared("metadata", f"start of {what}: {FILE_NAME} says", start_ns, facts.first_ns, time_text)
        if duration_ns != found_ns and (count, start_ns) == (facts.message_count, facts.first_ns):
            results.add_note(
                "metadata",
                f"duration of {what}: {FILE_NAME} says {duration_text(duration_ns)}, but it is "
                f"{duration_text(found_ns)}; harmless, 'ros2 bag reindex' writes it so",
            )
        else:
            results.add_compared(
                "metadata", f"duration of {what}: {FILE_NAME} says", duration_ns, found_ns, duration_text
            )

    def _compare_topics(self, metadata: BagMetadata) -> None:
        found: dict[str, int] = {}
        types: dict[str, set[str]] = {}
        for (name, type_name), tally in self._tally.topics.items():
            found[name] = found.get(name, 0) + tally.message_count
            types.setdefault(name, set()).add(type_name)
        listed = {topic.name for topic in metadata.topics}
        for topic in metadata.topics:
            self._results.add_compared(
                "metadata",
                f"messages on {topic.name}: {FILE_NAME} says",
                topic.message_count,
                found.get(topic.name, 0),
            )
            if topic.name in types:
                stated = {topic.type_name}
                what = f"type of {topic.name}: {FILE_NAME} says"
                self._results.add_compared("metadata", what, stated, types[topic.name], _names_text)
        for name, count in found.items():
            if name not in listed and count:
                self._results.add_failed("metadata", f"{name} has {count} messages, but {FILE_NAME} does not list it")

    def _report_times(self) -> None:
        results = self._results
        for tally in self._tally.topics.values():
            if not tally.message_count:
                continue
            name = tally.topic.name
            if tally.last_ns > MAX_STAMP_NS:
                problem = f"{name}: a receive time of {tally.last_ns} ns is beyond what a bag can hold"
                results.add_failed("receive times", f"{problem}, {MAX_STAMP_NS} ns")
            results.add_passed("receive times", tally.message_count)
            results.add_passed("publish times", tally.message_count)
            note_steps(results, "receive times", f"{name}: receive times", tally.receive)
            note_steps(results, "publish times", f"{name}: publish times", tally.publish)
            if tally.has_header:
                results.add_passed("header stamps")
                note_steps(results, "header stamps", f"{name}: header stamps", tally.stamps)
        if not any(tally.has_header for tally in self._tally.topics.values()):
            results.add_absent("header stamps", "no topic has a type that is known to begin with a header")

    def _report_payloads(self) -> None:
        results = self._results
        for tally in self._tally.topics.values():
            cdr = tally.topic.serialization_format == "cdr"
            sound = tally.message_count - tally.problem_count if cdr else 0
            if sound:
                results.add_passed("payloads", sound)
            if tally.decoded_count:
                results.add_passed("decoding", tally.decoded_count)
            if tally.problem_count:
                name = "decoding" if tally.is_decoded and not tally.implausible_count else "payloads"
                results.add_failed(name, tally.first_problem, tally.problem_count)
        if not self._decode:
            results.add_absent("decoding", "not asked for: --decode")
            return
        left = [tally for tally in self._tally.topics.values() if tally.message_count and not tally.is_decoded]
        if left:
            count = sum(tally.message_count for tally in left)
            names = sorted({tally.topic.type_name or "no type" for tally in left})
            more = " and more" if len(names) > _NAMED_TYPES else ""
            results.add_absent(
                "decoding",
                f"{count} {'message was' if count == 1 else 'messages were'} not decoded, of types that are not known "
                f"here: {', '.join(names[:_NAMED_TYPES])}{more}",
            )

    def _compare_type_hashes(self) -> None:
        results = self._results
        topics: dict[tuple[str, str, str], TopicTally] = {}
        for tally in self._tally.topics.values():
            topic = tally.topic
            topics.setdefault((topic.type_name, topic.type_hash, topic.definition), tally)
        for tally in list(topics.values())[:MAX_HASHED_TYPES]:
            topic = tally.topic
            if not topic.type_hash:
                results.add_absent("type hashes", "types without a stated hash")
                continue
            computed = hash_of_definition(topic)
            if not computed:
                results.add_absent("type hashes", "types without a definition that can be hashed")
            elif topic.type_hash in computed:
                results.add_passed("type hashes")
                if topic.type_hash != computed[0]:
                    results.add_note("type hashes", f"{topic.type_name} has a hash that takes char for another type")
            else:
                results.add_failed(
                    "type hashes",
                    f"{topic.type_name} on {topic.name} states {topic.type_hash[:80]}, "
                    f"but its definition gives {computed[0]}",
                )

    def _verify_identity(self) -> IdentityReport | None:
        """Return what the bag says about itself, None if it cannot be asked."""
        results = self._results
        try:
            report = verify_identity(self._files.path)
        except BagError as error:
            results.add_absent("identity", f"the bag cannot be opened, and has no {SIDECAR} ({error})")
            return None
        for sentence in report.disagreements:
            results.add_failed("identity", sentence)
        named = sum(1 for place in report.places.values() if place)
        if named:
            results.add_passed("identity", named)
        else:
            results.add_absent("identity", "the bag names no lineage and no envelope")
        if report.state == RECOVERED:
            results.add_note("identity", "the bag says that it was recovered")
        return report

    def _report(self, done: int) -> None:
        if self._progress is not None:
            self._progress(min(done, self._total), self._total)


def losses_of(identity: IdentityReport) -> tuple[str, ...]:
    """Return what a bag says it has lost, whenever that was; a bag that was recovered whole has lost nothing."""
    if identity.state != RECOVERED:
        return ()
    found: list[str] = []
    recovered = False
    steps = list(identity.trace)
    while steps:
        step = steps.pop(0)
        recovered = recovered or step.operation == "recover"
        losses = step.arguments.get("losses", []) if step.operation == "recover" else []
        found += losses if isinstance(losses, list) else []
        steps += [inner for source in step.sources for inner in source.trace]
    return tuple(found) if recovered else ("the bag says that it was recovered, but not what was lost",)


def _names_text(names: set[str]) -> str:
    return " and ".join(sorted(name or "none" for name in names))


def hash_of_definition(topic: TopicInfo) -> tuple[str, ...]:
    """Return the RIHS01 hashes that a topic's definition may have, the right one first; empty if it has none.

    The type ``char`` is an unsigned byte in ROS 2 (``rosidl_parser``); rosbags hashes and writes it as a type of its
    own, and a bag is not damaged by that.
    """
    computed = stated_or_computed_hash(replace(topic, type_hash=""))
    if computed == NO_HASH:
        return ()
    if topic.definition_encoding != "ros2msg" or not _CHAR_FIELD.search(topic.definition):
        return (computed,)
    corrected = replace(topic, type_hash="", definition=_CHAR_FIELD.sub(r"\1uint8", topic.definition))
    return (stated_or_computed_hash(corrected), computed)
