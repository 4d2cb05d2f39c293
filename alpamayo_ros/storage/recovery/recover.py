"""Make a valid bag of what is left of a damaged one, and say what is missing.

Each file is looked at twice: first all of it, to know what there is, then block by block in the order of time, so
that memory stays bounded whatever the length of the bag. The damaged bag is never changed.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import cast

from alpamayo_ros.errors import BagCorruptError, BagError, OutputError
from alpamayo_ros.lineage.runtime import package_version
from alpamayo_ros.storage.companions import joined_companions, write_companions
from alpamayo_ros.storage.compressed_file import compression_of, decompress_message, looks_compressed
from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, FileSystem
from alpamayo_ros.storage.identity import RECOVERED
from alpamayo_ros.storage.mcap_files.salvage import McapSalvage
from alpamayo_ros.storage.mcap_files.writer import COMPRESSIONS, Compression
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.metadata import BagMetadata, message_compression, parse_metadata
from alpamayo_ros.storage.reader import MAX_SORT_BYTES, topic_class
from alpamayo_ros.storage.recovery.file_recovery import FileRecovery, Recovery, losses_sentence
from alpamayo_ros.storage.recovery.files import (
    RecoverableFile,
    RecoverableFiles,
    decompress_what_is_left,
    find_recoverable_files,
)
from alpamayo_ros.storage.recovery.identity import carried_identity
from alpamayo_ros.storage.recovery.renamed_files import KnownBag, missing_number, reason_against
from alpamayo_ros.storage.recovery.salvage import Findings, Gap, Salvage, joined_topics
from alpamayo_ros.storage.source import Entry
from alpamayo_ros.storage.sqlite_files.salvage import SqliteSalvage
from alpamayo_ros.storage.staging import real_path
from alpamayo_ros.storage.trace import Argument, TraceSource, TraceStep
from alpamayo_ros.storage.writer import MAX_STAMP_NS, OWN_RECORDS, ROSBAG2_RECORD, BagWriter

DEFAULT_DISTRO = "kilted"
_TRACE_FILES = 1000

Progress = Callable[[int, int], None]
"""Called now and then with the bytes that were looked at and the bytes to look at."""


def default_destination(path: Path) -> Path:
    """Return ``<name>_recovered`` beside a bag."""
    resolved = real_path(path)
    name = resolved.name if resolved.is_dir() else resolved.name.split(".")[0] or resolved.name
    return resolved.with_name(f"{name}_recovered")


def recover_bag(
    path: Path,
    destination: Path,
    *,
    progress: Progress | None = None,
    filesystem: FileSystem = LOCAL_FILE_SYSTEM,
) -> Recovery:
    """Write everything that is readable of a bag into a new one, in the order of receive times.

    Args:
        path: Folder or file of a bag in any state; it is not changed.
        destination: Folder to make.
        progress: Told the bytes that were looked at and the bytes to look at.
        filesystem: Where to write.

    Raises:
        BagNotFoundError: The path is missing or was never a bag.
        BagCorruptError: Nothing can be recovered; nothing was written.
        OutputError: The destination exists or cannot be written.
        BagWriteError: The disk is full or faulty; what was written before stays readable.
    """
    files = find_recoverable_files(path)
    if destination.exists() or destination.is_symlink():
        raise OutputError(f"output {destination} exists already; expected a new path")
    if path.is_dir() and real_path(path) in real_path(destination).parents:
        raise OutputError(f"output {destination} is inside of the damaged bag; expected a path beside it")
    with ExitStack() as stack:
        return _Recovery(files, destination, progress, filesystem, stack).run()


class _Recovery:
    """One recovery; its parts share what was found out about each file."""

    def __init__(
        self,
        files: RecoverableFiles,
        destination: Path,
        progress: Progress | None,
        filesystem: FileSystem,
        stack: ExitStack,
    ) -> None:
        self._files = files
        self._destination = destination
        self._progress = progress
        self._filesystem = filesystem
        self._stack = stack
        self._notes = list(files.notes)
        self._passed_over: list[str] = []
        self._known: list[RecoverableFile] = []
        self._salvages: list[Salvage | None] = []
        self._findings: list[Findings] = []
        self._sizes: list[int] = []
        self._topics: dict[str, TopicInfo] = {}
        self._done = 0
        looked_at = (*files.files, *files.candidates)
        self._total = sum(2 * file.path.stat().st_size for file in looked_at if file.path is not None)

    def run(self) -> Recovery:
        for file in self._files.files:
            self._survey(file)
        described = self._described()
        self._take_renamed_files()
        self._join_topics(described)
        if not sum(self._usable_count(number) for number in range(len(self._findings))):
            reasons = self._passed_over + [lost.reason for found in self._findings for lost in found.losses.ranges]
            reasons += [
                f"{count} messages {reason}" for found in self._findings for reason, count in found.stray.items()
            ]
            reasons += [note for found in self._findings for note in found.notes]
            raise BagCorruptError(
                f"bag {self._files.path}: no message can be recovered"
                + (f" ({reasons[0]})" if reasons else "")
                + "; expected at least one complete message"
            )
        outcomes = self._write(described)
        companions, left_behind = joined_companions([self._files.path])
        write_companions(self._destination, companions, self._filesystem)
        return Recovery(
            source=self._files.path,
            destination=self._destination,
            files=outcomes,
            message_count=sum(outcome.message_count for outcome in outcomes),
            expected_topics=_counts_by_topic(described, len(self._known)),
            companions=tuple(companion.name for companion in companions),
            notes=(*self._notes, *left_behind),
        )

    def _take_renamed_files(self) -> None:
        """Take files that have the name of another bag, where their content says that they are missing in this one.

        They are compared in the order of time; one that is not taken is named.
        """
        number = len(self._known)
        for candidate in self._files.candidates:
            self._survey(candidate)
        rows = list(
            zip(
                self._known[number:],
                self._findings[number:],
                self._salvages[number:],
                self._sizes[number:],
                strict=True,
            )
        )
        del self._known[number:], self._findings[number:], self._salvages[number:], self._sizes[number:]
        tags = [self._files.metadata.custom_data] if self._files.metadata is not None else []
        lineage_id = carried_identity(self._files.path, tags, self._findings).identity().lineage_id if rows else ""
        for file, found, salvage, size in sorted(rows, key=lambda row: row[1].times.first_ns or 0):
            bag = KnownBag(lineage_id, self._files.metadata, self._known, self._findings)
            reason = reason_against(file, found, bag)
            if reason:
                sentence = f"file {file.name} is passed over: its name is that of another bag, and {reason}"
                self._passed_over.append(sentence)
                self._notes.append(f"{sentence}; to recover it too, run 'alpamayo bag recover {file.path}'")
                continue
            self._notes.append(f"file {file.name} is not listed, but is taken: by its content it is of this bag")
            self._known.append(file)
            self._findings.append(found)
            self._salvages.append(salvage)
            self._sizes.append(size)
        self._fill_missing_files()

    def _fill_missing_files(self) -> None:
        """Say of files that are not listed which of the listed ones they are, as far as their times show it."""
        for file in [known for known in self._known if not known.is_listed]:
            number = self._known.index(file)
            missing = missing_number(self._findings[number], self._known)
            if missing is None:
                continue
            listed = self._known[missing]
            self._notes.append(f"file {listed.name} is missing; {file.name} is taken for it by its content")
            self._known[number] = replace(
                file, is_listed=True, stated_count=listed.stated_count, stated_range=listed.stated_range
            )
            self._findings[number].expected = listed.stated_count or self._findings[number].expected
            self._known[missing] = self._known.pop(number)
            self._findings[missing] = self._findings.pop(number)
            self._salvages[missing] = self._salvages.pop(number)
            self._sizes[missing] = self._sizes.pop(number)

    def _survey(self, file: RecoverableFile) -> None:
        findings, size, salvage = Findings(), 0, None
        self._known.append(file)
        self._findings.append(findings)
        if file.path is None:
            findings.notes.append("the file is missing")
            findings.end_missing = True
            findings.times.close(end_missing=True)
        else:
            path, before = file.path, self._done
            try:
                if compression_of(path.name):
                    folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="alpamayo_bag_"))
                    path, wrong = decompress_what_is_left(path, Path(folder))
                    if wrong:
                        findings.notes.append(wrong)
                size = path.stat().st_size
                salvage = self._salvage(file.storage_id, path)
                scale = file.path.stat().st_size / max(size, 1)
                found = salvage.survey(lambda done: self._report(before + int(scale * done)))
                found.notes[:0] = findings.notes
                self._findings[-1] = found
            except (BagCorruptError, OSError) as error:
                salvage = None
                findings.notes.append(str(error))
                findings.losses.add(0, size, "cannot be read")
                findings.times.close(end_missing=True)
            self._done = before + file.path.stat().st_size
        if file.stated_count is not None:
            self._findings[-1].expected = file.stated_count
        self._salvages.append(salvage)
        self._sizes.append(size)

    def _salvage(self, storage_id: str, path: Path) -> Salvage:
        if storage_id == "sqlite3":
            return self._stack.enter_context(SqliteSalvage(path))
        return McapSalvage(path)

    def _described(self) -> BagMetadata | None:
        """Return metadata.yaml, or the newest copy of it in the files."""
        if self._files.metadata is not None:
            return self._files.metadata
        for found in reversed(self._findings):
            if found.bag_metadata:
                with suppress(BagError):
                    return parse_metadata(found.bag_metadata, "metadata in a file", rooted=False)
        return None

    def _join_topics(self, described: BagMetadata | None) -> None:
        joined: dict[str, TopicInfo] = {}
        for found in self._findings:
            for name, topic in found.topics.items():
                earlier = joined.get(name)
                if not _is_usable(name):
                    found.add_stray(f"on a topic without usable name, {name[:80]!r}", topic.message_count)
                elif earlier is not None and "" != earlier.type_name != topic.type_name != "":
                    found.add_stray(f"on {name} with the further type {topic.type_name!r}", topic.message_count)
                else:
                    joined[name] = topic if earlier is None else joined_topics(earlier, topic)
        for listed in described.topics if described is not None else ():
            stated = TopicInfo(
                name=listed.name,
                type_name=listed.type_name,
                type_hash=listed.type_hash,
                serialization_format=listed.serialization_format,
                offered_qos=listed.offered_qos,
            )
            known = joined.get(listed.name)
            if known is not None:
                joined[listed.name] = joined_topics(known, stated)
            elif _is_usable(listed.name):
                joined[listed.name] = stated
        self._topics = joined

    def _ranks(self, number: int) -> dict[str, int]:
        """Return the rank in the total order of inputs of every topic that is taken from one file."""
        ranking = sorted(self._topics.values(), key=lambda item: (topic_class(item.name, item.type_name), item.name))
        own = self._findings[number].topics
        return {
            topic.name: rank
            for rank, topic in enumerate(ranking)
            if topic.name in own and own[topic.name].type_name in ("", topic.type_name)
        }

    def _usable_count(self, number: int) -> int:
        own = self._findings[number].topics
        return sum(own[name].message_count for name in self._ranks(number))

    def _write(self, described: BagMetadata | None) -> tuple[FileRecovery, ...]:
        """Write the bag; return what became of each file."""
        distro = described.ros_distro if described is not None else ""
        written: Counter[tuple[int, str]] = Counter()
        sources = [described.custom_data] if described is not None else []
        carried = carried_identity(self._files.path, sources, self._findings)
        identity = carried.identity()
        self._notes += carried.notes
        with BagWriter(
            self._destination,
            identity=identity,
            compression=self._compression(),
            ros_distro=distro if distro.isascii() and distro.isalnum() else DEFAULT_DISTRO,
            max_file_bytes=max(self._sizes) if len(self._sizes) > 1 and max(self._sizes) else None,
            end_state=RECOVERED,
            filesystem=self._filesystem,
        ) as writer:
            # Whatever ends the recovery before it is complete leaves a bag that says so.
            writer.complete_identity(replace(identity, trace=(*identity.trace, _INTERRUPTED)))
            for topic in self._topics.values():
                writer.add_topic(
                    topic.name,
                    topic.type_name,
                    qos=topic.offered_qos,
                    definition=topic.definition,
                    type_hash=topic.type_hash,
                    definition_encoding=topic.definition_encoding,
                    serialization_format=topic.serialization_format,
                )
            self._write_further_records(writer)
            decompressed = _Decompression(described)
            first_ns, last_ns = MAX_STAMP_NS, 0
            for entry in self._merged():
                message = self._usable_message(entry, decompressed)
                if message is not None:
                    writer.write(
                        message.topic, message.payload, receive_ns=message.receive_ns, publish_ns=message.publish_ns
                    )
                    written[entry[2], message.topic] += 1
                    first_ns, last_ns = min(first_ns, message.receive_ns), max(last_ns, message.receive_ns)
            outcomes = self._outcomes(written, described)
            step = _step(self._files.path, outcomes, first_ns, last_ns, identity.lineage_id)
            writer.complete_identity(replace(identity, trace=(*identity.trace, step)))
        return outcomes

    def _write_further_records(self, writer: BagWriter) -> None:
        """Carry on records of others and attachments, those that every split repeats once."""
        seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        for found, salvage in zip(self._findings, self._salvages, strict=True):
            for record in found.records:
                key = (record.name, tuple(sorted(record.values.items())))
                if record.name != ROSBAG2_RECORD and not record.name.startswith(OWN_RECORDS) and key not in seen:
                    seen.add(key)
                    writer.add_metadata_record(record.name, record.values)
            for attachment in salvage.attachments() if salvage is not None else ():
                writer.add_attachment(attachment)

    def _usable_message(self, entry: Entry, decompressed: "_Decompression") -> BagMessage | None:
        found = self._findings[entry[2]]
        message = entry[4]
        if message.receive_ns > MAX_STAMP_NS or message.publish_ns > MAX_STAMP_NS:
            found.add_stray(f"on {message.topic} with a time that no bag can hold")
            return None
        try:
            return decompressed.message(message, self._topics[message.topic].serialization_format)
        except ValueError:
            found.add_stray(f"on {message.topic} that cannot be decompressed")
            return None

    def _merged(self) -> Iterator[Entry]:
        """Yield all messages by receive time; memory is bounded by the blocks that overlap in time.

        Where those are too many the earliest are given before all of them are known.
        """
        ranks = [self._ranks(number) for number in range(len(self._findings))]
        starts = [salvage.starts() if salvage is not None else () for salvage in self._salvages]
        turns = sorted(
            (first_ns, number, block) for number, firsts in enumerate(starts) for block, first_ns in enumerate(firsts)
        )
        pending: list[Entry] = []
        for turn, (_, number, block) in enumerate(turns):
            salvage = self._salvages[number]
            if salvage is not None:
                try:
                    pending += salvage.read(block, ranks[number], number)
                except BagCorruptError as error:
                    self._findings[number].losses.add(0, 0, str(error))
            pending.sort()
            bound = turns[turn + 1][0] if turn + 1 < len(turns) else None
            ready = len(pending) if bound is None else _count_before(pending, bound)
            if ready < len(pending) and sum(len(entry[4].payload) for entry in pending) > MAX_SORT_BYTES:
                ready = max(ready, (len(pending) + 1) // 2)
                self._note_once("the messages are so far out of order that their order is kept in part only")
            yield from pending[:ready]
            del pending[:ready]
            self._report(self._done + (self._total - self._done) * turn // len(turns))

    def _outcomes(
        self, written: Mapping[tuple[int, str], int], described: BagMetadata | None
    ) -> tuple[FileRecovery, ...]:
        firsts = [found.times.first_ns for found in self._findings if found.times.first_ns is not None]
        start_ns = min(firsts, default=0)
        if described is not None and described.message_count and described.start_ns < start_ns:
            start_ns = described.start_ns
        stated = _counts_by_topic(described, len(self._known)) if len(self._known) == 1 else {}
        counts: list[dict[str, int]] = [{} for _ in self._known]
        for (number, topic), count in sorted(written.items()):
            counts[number][topic] = count
        return tuple(self._outcome(number, topics, stated, start_ns) for number, topics in enumerate(counts))

    def _outcome(self, number: int, topics: dict[str, int], stated: Mapping[str, int], start_ns: int) -> FileRecovery:
        file, found = self._known[number], self._findings[number]
        message_count = sum(topics.values())
        return FileRecovery(
            name=file.name,
            size_bytes=self._sizes[number],
            message_count=message_count,
            unverified_count=min(found.unverified, message_count),
            expected_count=found.expected,
            topics=topics,
            expected_topics=dict(found.expected_topics or stated),
            gaps=() if found.expected == message_count else tuple(_gaps(file, found, start_ns)),
            lost=tuple(found.losses.ranges),
            lost_bytes=found.losses.size,
            lost_ranges=found.losses.count,
            stray=dict(found.stray),
            end_missing=found.end_missing,
            notes=tuple(dict.fromkeys(found.notes)),
        )

    def _compression(self) -> Compression:
        counts: Counter[str] = Counter()
        for found in self._findings:
            counts.update({name: count for name, count in found.compressions.items() if name in COMPRESSIONS})
        return cast("Compression", counts.most_common(1)[0][0]) if counts else "zstd"

    def _note_once(self, sentence: str) -> None:
        if sentence not in self._notes:
            self._notes.append(sentence)

    def _report(self, done: int) -> None:
        if self._progress is not None:
            self._progress(min(done, self._total), self._total)


class _Decompression:
    """Decompresses payloads of rosbag2's compression mode ``message``; without metadata a payload shows it itself."""

    def __init__(self, described: BagMetadata | None) -> None:
        self._method = message_compression(described)

    def message(self, message: BagMessage, serialization_format: str) -> BagMessage:
        """Return the message as it was before compression.

        Raises:
            ValueError: It is damaged.
        """
        if self._method is None:
            return message
        if not self._method and (not looks_compressed(message.payload) or serialization_format != "cdr"):
            return message
        return message._replace(payload=decompress_message(message.payload, self._method or "zstd"))


def _count_before(pending: Sequence[Entry], bound: int) -> int:
    low, high = 0, len(pending)
    while low < high:
        middle = (low + high) // 2
        if pending[middle][0] < bound:
            low = middle + 1
        else:
            high = middle
    return low


def _gaps(file: RecoverableFile, found: Findings, start_ns: int) -> Iterator[Gap]:
    """Yield where messages of a file are missing, relative to the start of the bag; its ends as far as stated."""
    begin, end = file.stated_range if file.stated_range is not None else (None, None)
    for gap in found.times.gaps:
        last = begin if gap.last_ns is None else gap.last_ns
        following = end if gap.next_ns is None else gap.next_ns
        if last is not None and following is not None and following <= last:
            # A statement that the messages contradict, or messages that are missing at the last time itself.
            following = None
        yield Gap(*(None if stamp is None else max(stamp - start_ns, 0) for stamp in (last, following)))


def _counts_by_topic(described: BagMetadata | None, file_count: int) -> dict[str, int]:
    """Return the messages by topic that metadata states, empty where it does not speak of the whole bag."""
    if described is None or len(described.relative_paths) != file_count:
        return {}
    counts = {topic.name: topic.message_count for topic in described.topics if topic.message_count}
    return counts if sum(counts.values()) == described.message_count else {}


def _is_usable(name: str) -> bool:
    return name.startswith("/") and name.isprintable() and " " not in name


_INTERRUPTED = TraceStep(
    "recover", {"losses": ["the recovery was interrupted before its end: recover again"]}, package_version(), ()
)


def _step(path: Path, files: Sequence[FileRecovery], first_ns: int, last_ns: int, lineage_id: str) -> TraceStep:
    """Return the step of the trace in which a recovered bag explains itself."""
    partial = [file for file in files if not file.is_whole]
    arguments: dict[str, Argument] = {"files": len(files), "whole_files": len(files) - len(partial)}
    if partial:
        arguments["losses"] = [losses_sentence(file) for file in partial[:_TRACE_FILES]]
    source = TraceSource(
        name=real_path(path).name.encode(errors="backslashreplace").decode(),
        message_count=sum(file.message_count for file in files),
        start_ns=first_ns,
        end_ns=last_ns,
        lineage_id=lineage_id,
    )
    return TraceStep("recover", arguments, package_version(), (source,))
