"""``alpamayo bag info``: what a bag holds and what it says about itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from alpamayo_ros.cli.console import OUT, print_aligned, print_json, progress_bar
from alpamayo_ros.storage.copying.bag_time import utc_text
from alpamayo_ros.storage.digest import ContentDigest
from alpamayo_ros.storage.identity import RECOVERED, IdentityReport, read_identity
from alpamayo_ros.storage.reader import BagReader, open_bag
from alpamayo_ros.storage.trace import trace_document

_PROGRESS_EVERY = 4096
_TAG_CHARACTERS = 160
_NS_PER_S = 1e9
_NS_PER_MS = 1e6


def bag_info(bag: Path, *, as_json: bool) -> None:
    """Read a bag once and print what it holds: tables for people on the terminal, or JSON for scripts.

    Args:
        bag: Bag folder or bag file.
        as_json: Whether to print JSON, the same keys as ``summarize``.

    Raises:
        BagError: The bag is missing, damaged or not supported.
    """
    with progress_bar("reading") as progress:
        summary = summarize(bag, progress)
    if as_json:
        print_json(summary)
    else:
        print_summary(summary, OUT)


def summarize(path: Path, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Read a bag once, in order, and return what it holds as values that JSON can carry.

    Args:
        path: Bag folder or bag file.
        progress: Called now and then with the messages read and the messages to read.

    Raises:
        BagError: The bag is missing, damaged or not supported.
    """
    with open_bag(path) as reader:
        identity = read_identity(path, reader)
        topics, digest = _read_messages(reader, progress)
        start_ns, end_ns = reader.start_ns, reader.end_ns
        duration_ns = 0 if start_ns is None or end_ns is None else end_ns - start_ns
        return {
            "path": str(path),
            "storage": reader.storage_id,
            "compression": ", ".join(reader.compressions) or "none",
            "metadata_version": reader.metadata_version,
            "ros_distro": reader.ros_distro,
            "files": list(reader.files),
            "size_bytes": reader.size_bytes,
            "message_count": reader.message_count,
            "start_ns": start_ns,
            "end_ns": end_ns,
            "duration_s": duration_ns / _NS_PER_S,
            "content_digest": digest,
            **_identity_keys(identity),
            "topics": topics,
            "warnings": list(reader.warnings),
        }


def _identity_keys(identity: IdentityReport) -> dict[str, Any]:
    return {
        "lineage_id": identity.lineage_id,
        "envelope_id": identity.envelope_id,
        "state": identity.state,
        "tags": dict(identity.tags),
        "trace": trace_document(identity.trace)["steps"],
        "identity_disagreements": list(identity.disagreements),
    }


def _read_messages(reader: BagReader, progress: Callable[[int, int], None] | None) -> tuple[list[dict[str, Any]], str]:
    """Pass over every message once; return the rows by topic and the content digest."""
    digest = ContentDigest(reader.topics)
    # By topic: count, first and last receive time, largest gap, payload bytes.
    seen: dict[str, list[int]] = {name: [0, 0, 0, 0, 0] for name in reader.topics}
    total = reader.message_count
    for number, message in enumerate(reader.messages()):
        digest.update(message)
        row = seen[message.topic]
        receive_ns = message.receive_ns
        if row[0]:
            row[3] = max(row[3], receive_ns - row[2])
        else:
            row[1] = receive_ns
        row[0] += 1
        row[2] = receive_ns
        row[4] += len(message.payload)
        if progress is not None and not number % _PROGRESS_EVERY:
            progress(number, total)
    if progress is not None:
        progress(total, total)
    rows = []
    for name, (count, first_ns, last_ns, gap_ns, size) in sorted(seen.items()):
        topic = reader.topics[name]
        span_ns = last_ns - first_ns
        rows.append(
            {
                "name": name,
                "type": topic.type_name,
                "type_hash": topic.type_hash,
                "count": count,
                "rate_hz": round((count - 1) * _NS_PER_S / span_ns, 3) if span_ns else None,
                "largest_gap_ms": round(gap_ns / _NS_PER_MS, 3) if count > 1 else None,
                "first_ns": first_ns if count else None,
                "last_ns": last_ns if count else None,
                "payload_bytes": size,
            }
        )
    return rows, digest.hexdigest()


def print_summary(summary: dict[str, Any], console: Console) -> None:
    """Print a summary for a person: what it is, what is odd about it, what is in it.

    Args:
        summary: What ``summarize`` returned.
        console: Where to print.
    """
    print_aligned(console, _facts(summary))
    for problem in _problems(summary):
        console.print(Text("! ", style="bold yellow") + Text(problem))
    if not summary["lineage_id"]:
        console.print(
            Text("The bag names no lineage: nothing in it says which model or stack produced it.", style="dim")
        )
    console.print()
    print_aligned(console, _topic_rows(summary), right=(0, 1, 2))


def _problems(summary: dict[str, Any]) -> list[str]:
    problems = [*summary["identity_disagreements"], *summary["warnings"]]
    if summary["state"] == RECOVERED:
        problems.insert(0, "the bag is a part of what was recorded")
    return problems


def _facts(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    version = summary["metadata_version"]
    files = summary["files"]
    storage = f"{summary['storage']}, compression {summary['compression']}, " + (
        f"metadata version {version}" if version else "no metadata"
    )
    facts: list[tuple[str, ...]] = [
        ("bag", summary["path"]),
        ("storage", storage + (f", {summary['ros_distro']}" if summary["ros_distro"] else "")),
        ("size", f"{_size_text(summary['size_bytes'])} in {len(files)} file{'s' if len(files) != 1 else ''}"),
        ("duration", f"{summary['duration_s']:.3f} s, {summary['message_count']} messages"),
        ("content", summary["content_digest"]),
        ("lineage", summary["lineage_id"] or "-"),
        ("envelope", summary["envelope_id"] or "-"),
    ]
    if summary["start_ns"] is not None:
        facts[4:4] = [("from", _time_text(summary["start_ns"])), ("to", _time_text(summary["end_ns"]))]
    if summary["state"]:
        facts.append(("state", summary["state"]))
    facts += [(f"tag {key}", _shortened(value)) for key, value in sorted(summary["tags"].items())]
    return facts + _trace_facts(summary["trace"], "")


def _shortened(text: str) -> str:
    """Keep a tag to about a line, so that it does not drown the rest; ``--json`` has all of it."""
    text = " ".join(text.split())
    return text if len(text) <= _TAG_CHARACTERS else f"{text[:_TAG_CHARACTERS]} ... (--json shows all)"


def _trace_facts(steps: list[dict[str, Any]], prefix: str) -> list[tuple[str, ...]]:
    """Return one line for each thing that was done, oldest first; those of a merged bag before it was merged below."""
    facts: list[tuple[str, ...]] = []
    for number, step in enumerate(steps, start=1):
        name = f"{prefix}{number}"
        facts.append((f"done {name}", _step_text(step)))
        for index, source in enumerate(step.get("sources", []), start=1):
            facts += _trace_facts(source.get("trace", []), f"{name}.{index}.")
    return facts


def _step_text(step: dict[str, Any]) -> str:
    sources = "; ".join(
        f"{source.get('name') or '?'} ({source.get('message_count', 0)} messages, "
        f"{source.get('content_digest', 'not read whole')})"
        for source in step.get("sources", [])
    )
    arguments = ", ".join(
        f"{key}={' '.join(value) if isinstance(value, list) else value}"
        for key, value in step.get("arguments", {}).items()
    )
    parts = [f"{step.get('operation') or '?'} of {sources or '?'}", f"with {arguments}" if arguments else ""]
    if step.get("topics_dropped"):
        parts.append(f"without {', '.join(step['topics_dropped'])}")
    if step.get("tags_dropped"):
        parts.append(f"without the tags {', '.join(sorted(step['tags_dropped']))}")
    if step.get("carried"):
        parts.append(f"{len(step['carried'])} latched messages carried to another time")
    if step.get("kept_once"):
        parts.append(f"{sum(step['kept_once'].values())} messages that several had kept once")
    return ", ".join(part for part in parts if part) + f" (version {step.get('version', '-')})"


def _topic_rows(summary: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("count", "rate Hz", "max gap ms", "topic", "type")]
    for row in summary["topics"]:
        rate = "-" if row["rate_hz"] is None else f"{row['rate_hz']:.2f}"
        gap = "-" if row["largest_gap_ms"] is None else f"{row['largest_gap_ms']:.1f}"
        rows.append((str(row["count"]), rate, gap, row["name"], row["type"] or "?"))
    return rows


def _time_text(stamp_ns: int) -> str:
    moment = utc_text(stamp_ns)
    return moment if moment.endswith(" ns") else f"{stamp_ns} ns ({moment} UTC)"


def _size_text(size: int) -> str:
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
