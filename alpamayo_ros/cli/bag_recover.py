"""``alpamayo bag recover``: make a valid bag of what is left of a damaged one."""

from pathlib import Path
from typing import Any

from rich.text import Text

from alpamayo_ros.cli.console import OUT, print_json, progress_bar
from alpamayo_ros.errors import OutputError
from alpamayo_ros.storage.recover import Recovery, default_destination, losses_sentence, recover_bag
from alpamayo_ros.storage.verify import VerifyReport, verify_bag


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
        "files": [
            {
                "name": file.name,
                "whole": file.is_whole,
                "size_bytes": file.size_bytes,
                "message_count": file.message_count,
                "unverified_count": file.unverified_count,
                "expected_count": file.expected_count,
                "lost_bytes": file.lost_bytes,
                "lost_ranges": file.lost_ranges,
                "lost": [{"offset": lost.offset, "length": lost.length, "reason": lost.reason} for lost in file.lost],
                "stray": dict(file.stray),
                "end_missing": file.end_missing,
                "notes": list(file.notes),
            }
            for file in recovery.files
        ],
        "notes": list(recovery.notes),
    }


def _say_sound(report: VerifyReport, *, as_json: bool) -> None:
    others = [check.sentence for check in report.failed]
    if as_json:
        print_json(
            {
                "source": str(report.path),
                "sound": True,
                "destination": None,
                "message_count": report.message_count,
                "whole": True,
                "files": [],
                "notes": others,
            }
        )
        return
    OUT.print(
        Text(f"{report.path}: the bag is sound, {report.message_count} messages; nothing was written", style="green")
    )
    for sentence in others:
        OUT.print(Text("! ", style="bold yellow") + Text(f"{sentence} (a recovery would not change that)"))


def _print_recovery(recovery: Recovery) -> None:
    for file in recovery.files:
        style = "green" if file.is_whole else "bold yellow"
        OUT.print(Text("whole  " if file.is_whole else "part   ", style=style) + Text(losses_sentence(file)))
        for lost in file.lost:
            OUT.print(Text(f"       {lost.reason}", style="dim"))
        for note in file.notes:
            OUT.print(Text(f"       {note}", style="dim"))
    for note in recovery.notes:
        OUT.print(Text("! ", style="bold yellow") + Text(note))
    verdict = "nothing is known to be missing" if recovery.is_whole else "it says of itself that it is a part"
    OUT.print(Text(f"{recovery.destination}: {recovery.message_count} messages recovered; {verdict}", style="bold"))
