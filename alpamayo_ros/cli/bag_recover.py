"""``alpamayo bag recover``: make a valid bag of what is left of a damaged one."""

from pathlib import Path
from typing import Any

from rich.text import Text

from alpamayo_ros.cli.console import OUT, print_aligned, print_json, progress_bar
from alpamayo_ros.errors import OutputError
from alpamayo_ros.storage.recovery.file_recovery import Recovery, losses_parts
from alpamayo_ros.storage.recovery.recover import default_destination, recover_bag
from alpamayo_ros.storage.recovery.salvage import Gap
from alpamayo_ros.storage.verification.verify import VerifyReport, verify_bag


def bag_recover(bag: Path, *, destination: Path | None, as_json: bool) -> None:
    """Recover a bag into a new one, or say that it is sound.

    Args:
        bag: Folder or file of a bag in any state.
        destination: Folder to make; by default ``<name>_recovered`` beside the bag.
        as_json: Whether to print JSON.

    Raises:
        BagNotFoundError: The path is missing or was never a bag.
        BagCorruptError: Nothing can be recovered.
        OutputError: The destination exists or cannot be written.
        BagWriteError: The disk is full or faulty.
    """
    target = default_destination(bag) if destination is None else destination
    if destination is not None and target.exists():
        raise OutputError(f"output {target} exists already; expected a new path")
    with progress_bar("verifying") as progress:
        report = verify_bag(bag, progress=progress)
    if not report.is_recoverable:
        _say_sound(report, as_json=as_json)
        return
    with progress_bar("recovering") as progress:
        recovery = recover_bag(bag, target, progress=progress)
    if as_json:
        print_json(recovery_document(recovery))
    else:
        _print_recovery(recovery)


def recovery_document(recovery: Recovery) -> dict[str, Any]:
    """Return what ``--json`` prints of a recovery."""
    return {
        "source": str(recovery.source),
        "sound": False,
        "destination": str(recovery.destination),
        "message_count": recovery.message_count,
        "whole": recovery.is_whole,
        "topics": recovery.topics,
        "lost_topics": recovery.lost_topics,
        "files": [
            {
                "name": file.name,
                "whole": file.is_whole,
                "size_bytes": file.size_bytes,
                "message_count": file.message_count,
                "unverified_count": file.unverified_count,
                "expected_count": file.expected_count,
                "topics": dict(file.topics),
                "lost_topics": file.lost_topics,
                "gaps": [_gap_document(gap) for gap in file.gaps],
                "lost_bytes": file.lost_bytes,
                "lost_ranges": file.lost_ranges,
                "lost": [{"offset": lost.offset, "length": lost.length, "reason": lost.reason} for lost in file.lost],
                "stray": dict(file.stray),
                "end_missing": file.end_missing,
                "notes": list(file.notes),
            }
            for file in recovery.files
        ],
        "companions": list(recovery.companions),
        "notes": list(recovery.notes),
    }


def _gap_document(gap: Gap) -> dict[str, int | None]:
    """Return from when to when messages are missing, in ns after the first message of the bag."""
    return {"last_before_ns": gap.last_ns, "first_after_ns": gap.next_ns}


def _say_sound(report: VerifyReport, *, as_json: bool) -> None:
    others = [check.sentence for check in report.failed]
    if as_json:
        print_json(
            {
                "source": str(report.path),
                "sound": True,
                "destination": None,
                "message_count": report.message_count,
                "whole": not report.is_part,
                "losses": list(report.losses),
                "topics": {},
                "lost_topics": {},
                "files": [],
                "companions": [],
                "notes": others,
            }
        )
        return
    OUT.print(
        Text(f"{report.path}: the bag is sound, {report.message_count} messages; nothing was written", style="green")
    )
    for loss in report.losses:
        OUT.print(Text("! ", style="bold yellow") + Text(f"the bag is a part, recovered before: {loss}"))
    for sentence in others:
        OUT.print(Text("! ", style="bold yellow") + Text(f"{sentence} (a recovery would not change that)"))


def _print_recovery(recovery: Recovery) -> None:
    for file in recovery.files:
        style = "green" if file.is_whole else "bold yellow"
        first, *others = losses_parts(file)
        OUT.print(Text("whole  " if file.is_whole else "part   ", style=style) + Text(f"{file.name}: {first}"))
        for other in others:
            OUT.print(Text(f"       {other}"))
        for lost in file.lost:
            OUT.print(Text(f"       {lost.reason}", style="dim"))
        for note in file.notes:
            OUT.print(Text(f"       {note}", style="dim"))
    for note in recovery.notes:
        OUT.print(Text("! ", style="bold yellow") + Text(note))
    if recovery.companions:
        OUT.print(Text(f"copied along: {', '.join(recovery.companions)}", style="dim"))
    if not recovery.is_whole:
        _print_topics(recovery)
    verdict = "nothing is known to be missing" if recovery.is_whole else "it says of itself that it is a part"
    OUT.print(Text(f"{recovery.destination}: {recovery.message_count} messages recovered; {verdict}", style="bold"))


def _print_topics(recovery: Recovery) -> None:
    """Print what was saved of every topic, and what is known to be lost."""
    topics, lost = recovery.topics, recovery.lost_topics
    known = bool(recovery.expected_topics)
    rows = [("saved", "lost", "topic")]
    rows += [
        (str(topics.get(name, 0)), str(lost.get(name, 0)) if known else "?", name) for name in sorted({*topics, *lost})
    ]
    print_aligned(OUT, rows, right=(0, 1))
