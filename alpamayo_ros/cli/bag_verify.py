"""``alpamayo bag verify``: compare everything that a bag states with what is in it."""

from pathlib import Path
from typing import Any

from rich.text import Text

from alpamayo_ros.cli.console import OUT, print_json, progress_bar
from alpamayo_ros.cli.wrapper import EXIT_NOT_COMPARABLE, EXIT_PASS
from alpamayo_ros.storage.verification import Check, Outcome
from alpamayo_ros.storage.verify import VerifyReport, verify_bag

_STYLES = {Outcome.OK: "green", Outcome.FAILED: "bold red", Outcome.ABSENT: "dim"}


def bag_verify(bag: Path, *, decode: bool, as_json: bool) -> int:
    """Verify a bag and print what was found.

    Args:
        bag: Bag folder or bag file.
        decode: Whether to decode every message whose type is known.
        as_json: Whether to print JSON.

    Returns:
        0 when nothing failed, else 4.

    Raises:
        BagNotFoundError: The path is missing or is not a bag.
    """
    with progress_bar("verifying") as progress:
        report = verify_bag(bag, decode=decode, progress=progress)
    if as_json:
        print_json(report_document(report))
    else:
        _print_report(report)
    return EXIT_NOT_COMPARABLE if report.failed else EXIT_PASS


def report_document(report: VerifyReport) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    return {
        "path": str(report.path),
        "passed": not report.failed,
        "state": report.state,
        "message_count": report.message_count,
        "checks": [
            {
                "name": check.name,
                "outcome": check.outcome.value,
                "sentence": check.sentence,
                "problems": list(check.problems),
                "notes": list(check.notes),
            }
            for check in report.checks
        ],
    }


def _print_report(report: VerifyReport) -> None:
    width = max(len(check.name) for check in report.checks)
    for check in report.checks:
        _print_check(check, width)
    failed = len(report.failed)
    if not failed:
        OUT.print(Text(f"{report.path}: nothing is wrong, {report.message_count} messages", style="bold green"))
        return
    verdict = f"{report.path}: {failed} of {len(report.checks)} checks failed"
    advice = "; run 'alpamayo bag recover' on it" if report.is_recoverable else ""
    OUT.print(Text(verdict + advice, style="bold red"))


def _print_check(check: Check, width: int) -> None:
    head = Text(f"{check.outcome.value:<6}", style=_STYLES[check.outcome])
    lines = check.problems or (check.sentence,)
    OUT.print(head + Text(f"  {check.name:<{width}}  {lines[0]}", style=""))
    for line in (*lines[1:], *check.notes):
        OUT.print(Text(f"{'':<8}{'':<{width}}  {line}", style="" if line in check.problems else "dim"))
    if check.outcome is Outcome.FAILED and not check.sentence.endswith(check.problems[-1]) and len(lines) > 1:
        more = check.sentence.removeprefix(check.problems[0]).strip(" ()")
        OUT.print(Text(f"{'':<8}{'':<{width}}  {more}", style="dim"))
