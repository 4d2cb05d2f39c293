"""``alpamayo bag cut|merge|filter|convert``: make one bag from others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from rich.text import Text

from alpamayo_ros.cli.console import OUT, print_aligned, print_json, progress_bar
from alpamayo_ros.storage.copying.bag_time import parse_bag_time, parse_duration, utc_text
from alpamayo_ros.storage.copying.copy import CopySummary, copy_bag
from alpamayo_ros.storage.copying.request import REPLAY_NEEDS, CopyRequest, Operation, parse_split_size
from alpamayo_ros.storage.copying.topic_choice import TopicChoice
from alpamayo_ros.storage.mcap_files.writer import Compression

_NS_PER_S = 1e9
_MAX_CARRIED_SHOWN = 10
_MAX_SHARED_SHOWN = 20
_REPLAYABLE_NS = 8_000_000_000
"""A shorter cut cannot hold an event with all that ``REPLAY_NEEDS`` names."""
_HUMBLE_PACKAGE = "rosbag2_storage_mcap"
_HUMBLE_DEBIAN_PACKAGE = "ros-humble-rosbag2-storage-mcap"


def bag_copy(
    operation: Operation,
    sources: list[Path],
    destination: Path,
    *,
    start: str | None = None,
    end: str | None = None,
    duration: str | None = None,
    topics: list[str] | None = None,
    exclude: list[str] | None = None,
    types: list[str] | None = None,
    allow_different_tags: bool = False,
    for_distro: str | None = None,
    compression: str | None = None,
    split_size: str | None = None,
    as_json: bool = False,
) -> None:
    """Make a bag as asked on the command line and say what was made.

    Args:
        operation: Which verb.
        sources: Bag folders or files.
        destination: Folder to make.
        start: Where a cut begins, as ``parse_bag_time`` reads it.
        end: Where a cut ends.
        duration: How long a cut is, as ``parse_duration`` reads it.
        topics: Patterns of topics to take.
        exclude: Patterns of topics to leave out.
        types: Patterns of types to take.
        allow_different_tags: Whether tags that differ are dropped.
        for_distro: Release that the copy is for, in any case.
        compression: ``zstd``, ``lz4`` or ``none``, in any case.
        split_size: Size of a file, as ``parse_split_size`` reads it.
        as_json: Print the summary as JSON.
    """
    request = CopyRequest(
        operation=operation,
        sources=tuple(sources),
        destination=destination,
        start=None if start is None else parse_bag_time(start),
        end=None if end is None else parse_bag_time(end),
        duration_ns=None if duration is None else parse_duration(duration),
        choice=TopicChoice(tuple(topics or ()), tuple(exclude or ()), tuple(types or ())),
        allow_different_tags=allow_different_tags,
        ros_distro=None if for_distro is None else for_distro.lower(),
        compression=None if compression is None else cast("Compression", compression.lower()),
        max_file_bytes=None if split_size is None else parse_split_size(split_size),
    )
    with progress_bar("copying") as progress:
        summary = copy_bag(request, progress)
    if as_json:
        print_json(summary_document(summary))
    else:
        _print_summary(summary)


def summary_document(summary: CopySummary) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    return {
        "operation": summary.operation,
        "destination": str(summary.destination),
        "sources": [
            {
                "path": str(source.path),
                "message_count": source.message_count,
                "start_ns": source.start_ns,
                "end_ns": source.end_ns,
                "content_digest": source.content_digest or None,
            }
            for source in summary.sources
        ],
        "message_count": summary.message_count,
        "start_ns": summary.start_ns,
        "end_ns": summary.end_ns,
        "topics": dict(summary.topics),
        "ros_distro": summary.ros_distro,
        "compression": summary.compression,
        "state": summary.state,
        "lineage_id": summary.lineage_id,
        "envelope_id": summary.envelope_id,
        "content_digest": summary.content_digest,
        "content": "changed" if summary.changed_by else "unchanged",
        "changed_by": list(summary.changed_by),
        "topics_dropped": list(summary.topics_dropped),
        "tags_dropped": {key: list(values) for key, values in sorted(summary.tags_dropped.items())},
        "carried": [
            {"topic": one.topic, "received_ns": one.received_ns, "placed_ns": one.placed_ns} for one in summary.carried
        ],
        "kept_once": dict(summary.kept_once),
        "warnings": list(summary.warnings),
    }


def _print_summary(summary: CopySummary) -> None:
    rows: list[tuple[str, ...]] = [("messages", "from (UTC)", "to (UTC)", "duration s", "content", "source")]
    for source in summary.sources:
        digest = source.content_digest or "not all of it was read"
        times = (_time(source.start_ns), _time(source.end_ns), _duration(source.start_ns, source.end_ns))
        rows.append((str(source.message_count), *times, digest, str(source.path)))
    print_aligned(OUT, rows, right=(0, 3))
    print_aligned(OUT, _facts(summary))
    for warning in summary.warnings:
        OUT.print(Text("! ", style="bold yellow") + Text(warning))
    for sentence in _kept_once(summary):
        OUT.print(Text(sentence))
    made = f"{summary.message_count} messages, {_duration(summary.start_ns, summary.end_ns)} s"
    OUT.print(Text(f"{summary.destination}: {made}", style="bold"))


def _kept_once(summary: CopySummary) -> Iterator[str]:
    where = "in both bags" if len(summary.sources) == 2 else "in several bags"
    for topic, number in list(summary.kept_once.items())[:_MAX_SHARED_SHOWN]:
        said = f"{number} messages were {where} and are" if number > 1 else f"1 message was {where} and is"
        yield f"{topic}: {said} kept once"
    rest = list(summary.kept_once.values())[_MAX_SHARED_SHOWN:]
    if rest:
        yield f"and {len(rest)} more topics: {sum(rest)} messages"


def _facts(summary: CopySummary) -> list[tuple[str, ...]]:
    change = f"changed ({'; '.join(summary.changed_by)})" if summary.changed_by else "unchanged"
    facts: list[tuple[str, ...]] = [
        ("content", f"{summary.content_digest} {change}"),
        ("for", f"{summary.ros_distro}, compression {summary.compression}, state {summary.state}"),
        ("lineage", summary.lineage_id or "-"),
        ("envelope", summary.envelope_id or "-"),
    ]
    if summary.ros_distro == "humble":
        facts.append(("needs", f"package {_HUMBLE_PACKAGE} where it is read ({_HUMBLE_DEBIAN_PACKAGE})"))
    if summary.operation == "cut" and 0 < (summary.end_ns or 0) - (summary.start_ns or 0) < _REPLAYABLE_NS:
        facts.append(("note", REPLAY_NEEDS))
    if summary.topics_dropped:
        facts.append(("dropped", ", ".join(summary.topics_dropped)))
    facts += [(f"dropped tag {key}", " | ".join(values)) for key, values in sorted(summary.tags_dropped.items())]
    for one in summary.carried[:_MAX_CARRIED_SHOWN]:
        facts.append(("carried", f"{one.topic} from {one.received_ns} to {one.placed_ns} ns"))
    if len(summary.carried) > _MAX_CARRIED_SHOWN:
        facts.append(("carried", f"and {len(summary.carried) - _MAX_CARRIED_SHOWN} more"))
    return facts


def _duration(start_ns: int | None, end_ns: int | None) -> str:
    return "-" if start_ns is None or end_ns is None else f"{(end_ns - start_ns) / _NS_PER_S:.3f}"


def _time(stamp_ns: int | None) -> str:
    return "-" if stamp_ns is None else utc_text(stamp_ns)
