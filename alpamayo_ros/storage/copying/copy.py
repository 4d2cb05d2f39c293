"""Make one bag from others: cut by time, merge, filter by topic, convert. One operation does all four.

Messages are copied byte for byte, in the total order of inputs and with memory bounded as in the reader. The copy
names the lineage and envelope of what it was made from in all four places, and has a trace of what was done.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.lineage.runtime import package_version
from alpamayo_ros.storage.companions import Companion, joined_companions, write_companions
from alpamayo_ros.storage.copying.request import CopyRequest, Window
from alpamayo_ros.storage.copying.shared_messages import SharedMessages
from alpamayo_ros.storage.copying.source import (
    CopySource,
    compression_like,
    distro_like,
    joined_identity,
    joined_topics,
    opened_sources,
)
from alpamayo_ros.storage.copying.source_gaps import gap_warnings
from alpamayo_ros.storage.copying.streams import (
    Digested,
    SourceStream,
    carried_to_start,
    in_total_order,
    ranks_of,
    repeated_copies,
    still_carried,
)
from alpamayo_ros.storage.copying.topic_choice import TopicChoice
from alpamayo_ros.storage.digest import ContentDigest, is_content
from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, FileSystem
from alpamayo_ros.storage.identity import (
    CLOSED,
    ENVELOPE_RECORD,
    LINEAGE_RECORD,
    RECOVERED,
    TAGS_RECORD,
    TRACE_RECORD,
    BagIdentity,
)
from alpamayo_ros.storage.mcap_files.writer import Compression
from alpamayo_ros.storage.message import TopicInfo
from alpamayo_ros.storage.staging import staged_bag, validate_destination
from alpamayo_ros.storage.trace import CarriedMessage, Trace, TraceSource, TraceStep
from alpamayo_ros.storage.writer import MAX_STAMP_NS, OWN_RECORDS, ROSBAG2_RECORD, BagWriter

Progress = Callable[[int, int], None]

_PROGRESS_EVERY = 1024
_NS_PER_MS = 1_000_000
_REWRITTEN = (LINEAGE_RECORD, ENVELOPE_RECORD, TAGS_RECORD, TRACE_RECORD, ROSBAG2_RECORD)


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """What was read of one source; ``content_digest`` is empty if not all of its content was read."""

    path: Path
    message_count: int
    start_ns: int | None
    end_ns: int | None
    content_digest: str


@dataclass(frozen=True, slots=True)
class CopySummary:
    """What was made.

    Attributes:
        operation: ``cut``, ``merge``, ``filter`` or ``convert``.
        destination: The new bag.
        sources: What it was made from.
        topics: Messages by topic.
        start_ns: First receive time, None without messages.
        end_ns: Last receive time, None without messages.
        ros_distro: Release that it is for.
        compression: Of its chunks.
        state: ``closed``, or ``recovered`` where a source is known to be a part.
        lineage_id: What it names, empty if nothing.
        envelope_id: Likewise.
        content_digest: Its content digest.
        changed_by: Why its content is not that of a source, one phrase each; empty if it is.
        topics_dropped: Topics of the sources that it lacks.
        tags_dropped: Values of tags that it lacks, by name.
        carried: Its messages that stand at another time than they were received.
        kept_once: Messages by topic that were in several of the bags and are in it once.
        warnings: What a user should know, one sentence each.
    """

    operation: str
    destination: Path
    sources: tuple[SourceSummary, ...]
    topics: Mapping[str, int]
    start_ns: int | None
    end_ns: int | None
    ros_distro: str
    compression: str
    state: str
    lineage_id: str
    envelope_id: str
    content_digest: str
    changed_by: tuple[str, ...]
    topics_dropped: tuple[str, ...]
    tags_dropped: Mapping[str, tuple[str, ...]]
    carried: tuple[CarriedMessage, ...]
    kept_once: Mapping[str, int]
    warnings: tuple[str, ...]

    @property
    def message_count(self) -> int:
        """Messages in it."""
        return sum(self.topics.values())


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that is known before the first message is copied."""

    request: CopyRequest
    sources: tuple[CopySource, ...]
    topics: Mapping[str, TopicInfo]
    window: Window
    identity: BagIdentity
    step: TraceStep
    at_start: tuple[Digested, ...]
    streams: tuple[SourceStream, ...]
    companions: tuple[Companion, ...]
    ros_distro: str
    compression: Compression
    state: str
    warnings: tuple[str, ...]

    def trace(self, digests: Sequence[str], kept_once: Mapping[str, int]) -> Trace:
        """Return the trace of the copy with the content digests of what was read, and what was kept once."""
        sources = tuple(
            replace(source, content_digest=digest) for source, digest in zip(self.step.sources, digests, strict=True)
        )
        earlier = self.sources[0].trace if len(self.sources) == 1 else ()
        return (*earlier, replace(self.step, sources=sources, kept_once=dict(sorted(kept_once.items()))))

    def messages(self, shared: SharedMessages) -> Iterator[Digested]:
        """Iterate over the messages of the copy in the total order; may be done once."""
        streams = [(stream.start_ns, stream.messages()) for stream in self.streams if stream.start_ns is not None]
        if not self.at_start and len(streams) == 1:
            return streams[0][1]
        if len(self.sources) > 1:
            return shared.merged(streams, ranks_of(self.topics))
        if self.window.start_ns is not None:
            streams = [(self.window.start_ns, iter(self.at_start)), *streams]
        return in_total_order(streams, ranks_of(self.topics))


@dataclass(slots=True)
class _Tally:
    """What has been copied so far."""

    digest: ContentDigest
    counts: Counter[str] = field(default_factory=Counter)
    shared: SharedMessages = field(default_factory=SharedMessages)
    start_ns: int | None = None
    end_ns: int | None = None
    read: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def copy_bag(
    request: CopyRequest, progress: Progress | None = None, *, filesystem: FileSystem = LOCAL_FILE_SYSTEM
) -> CopySummary:
    """Make a bag as requested.

    It is made beside its destination and gets its name when it is complete: a copy that was interrupted, or met a
    full disk, leaves nothing.

    Args:
        request: What to make.
        progress: Called now and then with what is done and what there is to do: messages, or ms of a cut.
        filesystem: Where to write.

    Raises:
        ConfigurationError: What was asked for cannot be done with these bags.
        OutputError: The destination exists, is inside of a source or cannot be made.
        BagError: A source is missing, damaged, not supported, or contradicts itself about what produced it.
        BagWriteError: The disk is full or faulty.
    """
    validate_destination(request.destination, request.sources)
    with opened_sources(request.sources, take_ros1=request.operation == "convert") as sources:
        plan = _plan(request, sources)
        with staged_bag(request.destination, filesystem) as folder:
            tally = _write(plan, folder, progress, filesystem)
        return _summary(plan, tally)


def _plan(request: CopyRequest, sources: tuple[CopySource, ...]) -> _Plan:
    window = request.window(sources[0].reader)
    _validate_stamps(sources, window)
    chosen = [_chosen(request.choice, source.reader.topics) for source in sources]
    topics = joined_topics(sources, chosen)
    joined = joined_identity(sources, allow_different_tags=request.allow_different_tags)
    gaps = gap_warnings(sources, allow_any=request.allow_different_tags)
    at_start: list[Digested] = []
    carried: list[CarriedMessage] = []
    if window.start_ns is not None:
        at_start, carried = carried_to_start(sources[0], chosen[0], window.start_ns, ranks_of(topics))
    repeated = repeated_copies(sources)
    for source, names, left_out in zip(sources, chosen, repeated, strict=True):
        carried += still_carried(source, names, window, left_out)
    step = TraceStep(
        operation=request.operation,
        arguments=request.arguments(window),
        version=package_version(),
        sources=tuple(_trace_source(source, merged=len(sources) > 1) for source in sources),
        topics_dropped=tuple(sorted({name for source in sources for name in source.reader.topics} - topics.keys())),
        tags_dropped=dict(joined.tags_dropped),
        carried=tuple(carried),
    )
    companions, left_behind = joined_companions([source.path for source in sources], step.topics_dropped)
    return _Plan(
        request=request,
        sources=sources,
        topics=topics,
        window=window,
        identity=joined.identity,
        step=step,
        at_start=tuple(at_start),
        streams=tuple(map(SourceStream, sources, chosen, [window] * len(sources), repeated)),
        companions=companions,
        ros_distro=request.ros_distro or distro_like(sources),
        compression=request.compression or compression_like(sources),
        state=RECOVERED if any(source.identity.partial for source in sources) else CLOSED,
        warnings=(*_source_warnings(sources), *gaps, *joined.warnings, *left_behind),
    )


def _validate_stamps(sources: Sequence[CopySource], window: Window) -> None:
    """Refuse before anything is copied what no bag of ROS 2 can hold."""
    for source in sources:
        start_ns, end_ns = source.reader.start_ns, source.reader.end_ns
        if start_ns is not None and end_ns is not None and end_ns > MAX_STAMP_NS and window.end_ns is None:
            others = f": take the others by 'alpamayo bag cut' with --end {MAX_STAMP_NS}ns"
            raise BagCorruptError(
                f"bag {source.path} has a message at {end_ns} ns; expected receive times up to {MAX_STAMP_NS} ns"
                f"{others if start_ns < MAX_STAMP_NS else ', which it has none of'}"
            )


def _chosen(choice: TopicChoice, topics: Mapping[str, TopicInfo]) -> frozenset[str]:
    return frozenset(topics) if choice == TopicChoice() else choice.chosen(topics)


def _trace_source(source: CopySource, *, merged: bool) -> TraceSource:
    return TraceSource(
        name=source.name,
        message_count=source.reader.message_count,
        start_ns=source.reader.start_ns,
        end_ns=source.reader.end_ns,
        lineage_id=source.identity.lineage_id,
        identity_sha256=source.identity_sha256,
        trace=source.trace if merged else (),
    )


def _source_warnings(sources: Sequence[CopySource]) -> Iterator[str]:
    for source in sources:
        for sentence in (*source.reader.warnings, *source.identity.disagreements):
            yield f"{source.path}: {sentence}"
        if source.identity.partial:
            yield f"{source.path}: the bag is a part of what was recorded, and so is the copy"


def _write(plan: _Plan, folder: Path, progress: Progress | None, filesystem: FileSystem) -> _Tally:
    tally = _Tally(ContentDigest(plan.topics))
    with BagWriter(
        folder,
        identity=replace(plan.identity, trace=plan.trace([""] * len(plan.sources), {})),
        compression=plan.compression,
        ros_distro=plan.ros_distro,
        max_file_bytes=plan.request.max_file_bytes,
        end_state=plan.state,
        filesystem=filesystem,
    ) as writer:
        for topic in plan.topics.values():
            _add_topic(writer, topic)
        tally.warnings = tuple(_carry_records(plan.sources, writer))
        _write_messages(plan, writer, tally, progress)
        tally.warnings += tuple(_publish_warnings(tally.shared))
        write_companions(folder, plan.companions, filesystem)
        tally.read = tuple(stream.content_digest() for stream in plan.streams)
        writer.complete_identity(replace(plan.identity, trace=plan.trace(tally.read, tally.shared.kept_once)))
    return tally


def _write_messages(plan: _Plan, writer: BagWriter, tally: _Tally, progress: Progress | None) -> None:
    write, update, counts = writer.write, tally.digest.update, tally.counts
    receive_ns = None
    for number, (message, digest) in enumerate(plan.messages(tally.shared)):
        topic, _, receive_ns, publish_ns, payload = message
        write(topic, payload, receive_ns=receive_ns, publish_ns=publish_ns)
        update(message, digest)
        counts[topic] += 1
        if not number:
            tally.start_ns = receive_ns
        if progress is not None and not number % _PROGRESS_EVERY:
            progress(*_done(plan, number, receive_ns))
    tally.end_ns = receive_ns
    if progress is not None:
        total = _done(plan, 0, 0)[1]
        progress(total, total)


def _publish_warnings(shared: SharedMessages) -> Iterator[str]:
    for topic, number in sorted(shared.publish_differs.items()):
        yield (
            f"{topic}: {number} messages are in several bags with other publish times, and are kept more than once; "
            "a copy of a bag in sqlite3 has lost them"
        )


def _done(plan: _Plan, number: int, receive_ns: int) -> tuple[int, int]:
    """Return what is done and what there is to do: messages, or ms of a cut, whose messages nobody has counted."""
    first_ns, last_ns = plan.sources[0].reader.start_ns, plan.sources[0].reader.end_ns
    if plan.window == Window(None, None) or first_ns is None or last_ns is None:
        return number, sum(topic.message_count for topic in plan.topics.values())
    start_ns = max(first_ns, plan.window.start_ns or 0)
    end_ns = last_ns if plan.window.end_ns is None else min(last_ns, plan.window.end_ns)
    return max(0, receive_ns - start_ns) // _NS_PER_MS, (end_ns - start_ns) // _NS_PER_MS


def _add_topic(writer: BagWriter, topic: TopicInfo) -> None:
    """Declare a topic as the source has it: nothing that is missing there is made up, so the content stays equal."""
    writer.add_topic(
        topic.name,
        topic.type_name,
        qos=topic.offered_qos,
        definition=topic.definition,
        type_hash=topic.type_hash,
        definition_encoding=topic.definition_encoding,
        serialization_format=topic.serialization_format,
        copied=True,
    )


def _carry_records(sources: Sequence[CopySource], writer: BagWriter) -> Iterator[str]:
    """Copy foreign metadata records and attachments, each once; yield a sentence for what cannot be copied."""
    seen: set[object] = set()
    for source in sources:
        for record in source.reader.metadata_records():
            key = (record.name, tuple(sorted(record.values.items())))
            if record.name in _REWRITTEN or key in seen:
                continue
            seen.add(key)
            if record.name.startswith(OWN_RECORDS):
                yield f"{source.path}: metadata record {record.name[:80]!r} is left out; it is of another version"
                continue
            writer.add_metadata_record(record.name, record.values)
        for attachment in source.reader.attachments():
            digest = hashlib.sha256(attachment.data).hexdigest()
            identity = (attachment.name, attachment.media_type, attachment.log_ns, attachment.create_ns, digest)
            if identity not in seen:
                seen.add(identity)
                writer.add_attachment(attachment)


def _summary(plan: _Plan, tally: _Tally) -> CopySummary:
    digest = tally.digest.hexdigest()
    empty = () if tally.counts else ("the copy holds no messages",)
    return CopySummary(
        operation=plan.request.operation,
        destination=plan.request.destination,
        sources=tuple(
            SourceSummary(
                source.path, source.reader.message_count, source.reader.start_ns, source.reader.end_ns, content_digest
            )
            for source, content_digest in zip(plan.sources, tally.read, strict=True)
        ),
        topics={name: tally.counts[name] for name in sorted(plan.topics)},
        start_ns=tally.start_ns,
        end_ns=tally.end_ns,
        ros_distro=plan.ros_distro,
        compression=plan.compression,
        state=plan.state,
        lineage_id=plan.identity.lineage_id,
        envelope_id=plan.identity.envelope_id,
        content_digest=digest,
        changed_by=_reasons(plan) if digest not in tally.read or plan.sources[0].from_ros1 else (),
        topics_dropped=plan.step.topics_dropped,
        tags_dropped=plan.step.tags_dropped,
        carried=plan.step.carried,
        kept_once=dict(sorted(tally.shared.kept_once.items())),
        warnings=tuple(dict.fromkeys((*plan.warnings, *tally.warnings, *empty))),
    )


def _reasons(plan: _Plan) -> tuple[str, ...]:
    reasons = []
    if plan.sources[0].from_ros1:
        reasons.append("converted from ROS 1")
    if len(plan.sources) > 1:
        reasons.append(f"{len(plan.sources)} bags merged")
    if plan.window != Window(None, None):
        reasons.append("time cut")
    dropped = [
        name
        for name in plan.step.topics_dropped
        if any(name in source.reader.topics and _says(source.reader.topics[name]) for source in plan.sources)
    ]
    if dropped:
        reasons.append(f"topics dropped: {len(dropped)}")
    if plan.at_start:
        reasons.append(f"latched messages carried to the start: {len(plan.at_start)}")
    return tuple(reasons)


def _says(topic: TopicInfo) -> bool:
    return bool(topic.message_count) and is_content(topic.name, topic.type_name)
