"""``alpamayo bag cut|merge|filter|convert``: make one bag from others."""

from pathlib import Path
from typing import Any, cast

from rich.text import Text

from alpamayo_ros.cli.console import OUT, print_aligned, print_json, progress_bar
from alpamayo_ros.storage.copy_request import CopyRequest, Operation, parse_bag_time, parse_split_size
from alpamayo_ros.storage.copying import CopySummary, copy_bag
from alpamayo_ros.storage.mcap_writer import Compression
from alpamayo_ros.storage.topic_choice import TopicChoice

_NS_PER_S = 1e9
_MAX_CARRIED_SHOWN = 10


def bag_copy(
    operation: Operation,
    sources: list[Path],
    destination: Path,
    *,
    start: str | None = None,
    end: str | None = None,
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
        topics: Patterns of topics to take.
        exclude: Patterns of topics to leave out.
        types: Patterns of types to take.
        allow_different_tags: Whether tags that differ are dropped.
        for_distro: Release that the copy is for.
        compression: ``zstd``, ``lz4`` or ``none``.
        split_size: Size of a file, as ``parse_split_size`` reads it.
        as_json: Print the summary as JSON.
    """
    request = CopyRequest(
        operation=operation,
        sources=tuple(sources),
        destination=destination,
        start=None if start is None else parse_bag_time(start),
        end=None if end is None else parse_bag_time(end),
        choice=TopicChoice(tuple(topics or ()), tuple(exclude or ()), tuple(types or ())),
        allow_different_tags=allow_different_tags,
        ros_distro=for_distro,
        compression=cast("Compression | None", compression),
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
        "warnings": list(summary.warnings),
    }


def _print_summary(summary: CopySummary) -> None:
    rows: list[tuple[str, ...]] = [("messages", "duration s", "content", "bag")]
    for source in summary.sources:
        digest = source.content_digest or "not read whole"
        rows.append((str(source.message_count), _duration(source.start_ns, source.end_ns), digest, str(source.path)))
    made = (str(summary.message_count), _duration(summary.start_ns, summary.end_ns), summary.content_digest)
    print_aligned(OUT, [*rows, (*made, str(summary.destination))], right=(0, 1))
    print_aligned(OUT, _facts(summary))
    for warning in summary.warnings:
        OUT.print(Text("! ", style="bold yellow") + Text(warning))


def _facts(summary: CopySummary) -> list[tuple[str, ...]]:
    change = f"changed ({'; '.join(summary.changed_by)})" if summary.changed_by else "unchanged"
    facts: list[tuple[str, ...]] = [
        ("content", change),
        ("for", f"{summary.ros_distro}, compression {summary.compression}, state {summary.state}"),
        ("lineage", summary.lineage_id or "-"),
        ("envelope", summary.envelope_id or "-"),
    ]
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
