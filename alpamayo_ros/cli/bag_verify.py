"""``alpamayo bag verify``: compare everything that bags state with what is in them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from alpamayo_ros.cli.console import OUT, print_json, progress_bar
from alpamayo_ros.cli.wrapper import EXIT_NOT_COMPARABLE, EXIT_PASS, EXIT_USAGE
from alpamayo_ros.errors import BagError
from alpamayo_ros.storage.verification.checks import Check, Outcome, duration_text
from alpamayo_ros.storage.verification.verify import VerifyReport, verify_bag

_STYLES = {Outcome.OK: "green", Outcome.FAILED: "bold red", Outcome.ABSENT: "dim"}
_WORDS = {"ok": "green", "part": "bold yellow", "failed": "bold red", "no bag": "bold red"}
_MAX_SHOWN_LOSSES = 20


def bag_verify(bags: Sequence[Path], *, decode: bool, as_json: bool) -> int:
    """Verify bags and print what was found: all of it for one, a line for each of several.

    Args:
        bags: Bag folders or bag files.
        decode: Whether to decode every message whose type is known.
        as_json: Whether to print JSON: an object for one bag, a list for several.

    Returns:
        4 when something is wrong with a bag, else 2 when one of several is no bag, else 0.

    Raises:
        BagNotFoundError: The only path is missing or is not a bag.
    """
    if len(bags) == 1:
        report = _verified(bags[0], decode=decode)
        if as_json:
            print_json(report_document(report))
        else:
            _print_report(report)
        return EXIT_NOT_COMPARABLE if report.failed else EXIT_PASS
    return _verify_several(bags, decode=decode, as_json=as_json)


def report_document(report: VerifyReport) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    return {
        "path": str(report.path),
        "passed": not report.failed,
        "state": report.state,
        "message_count": report.message_count,
        "duration_ns": report.duration_ns,
        "part": report.is_part,
        "losses": list(report.losses),
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


def _verified(bag: Path, *, decode: bool) -> VerifyReport:
    with progress_bar("verifying") as progress:
        return verify_bag(bag, decode=decode, progress=progress)


def _verify_several(bags: Sequence[Path], *, decode: bool, as_json: bool) -> int:
    words: dict[str, int] = dict.fromkeys(_WORDS, 0)
    documents: list[dict[str, Any]] = []
    for bag in bags:
        report, error = None, None
        try:
            report = _verified(bag, decode=decode)
        except BagError as caught:
            if caught.exit_code not in (EXIT_USAGE, EXIT_NOT_COMPARABLE):
                raise
            error = caught
        word = _word(report, error)
        words[word] += 1
        if as_json and report is not None:
            documents.append(report_document(report))
        elif as_json:
            documents.append({"path": str(bag), "passed": False, "error": str(error)})
        else:
            _print_line(word, bag, report, error)
    if as_json:
        print_json(documents)
    else:
        counts = ", ".join(f"{count} {word}" for word, count in words.items() if count)
        style = "bold red" if words["failed"] or words["no bag"] else "bold yellow" if words["part"] else "bold green"
        OUT.print(Text(f"{len(bags)} bags: {counts}", style=style))
    if words["failed"]:
        return EXIT_NOT_COMPARABLE
    return EXIT_USAGE if words["no bag"] else EXIT_PASS


def _word(report: VerifyReport | None, error: BagError | None) -> str:
    if report is None:
        return "no bag" if error is not None and error.exit_code == EXIT_USAGE else "failed"
    if report.failed:
        return "failed"
    return "part" if report.is_part else "ok"


def _print_line(word: str, bag: Path, report: VerifyReport | None, error: BagError | None) -> None:
    """Print one bag of several: one line, and below it what is wrong with it."""
    head = Text(f"{word:<6}  ", style=_WORDS[word])
    if report is None:
        OUT.print(head + Text(str(error), style=""))
        return
    OUT.print(head + Text(f"{bag}  {_contents_text(report)}{_advice(report)}", style=""))
    for check in report.failed:
        for problem in check.problems:
            OUT.print(Text(f"        {check.name}: {problem}"))
    for loss in report.losses[:_MAX_SHOWN_LOSSES]:
        OUT.print(Text(f"        {loss}"))


def _print_report(report: VerifyReport) -> None:
    width = max(len(check.name) for check in report.checks)
    for check in report.checks:
        _print_check(check, width)
    for loss in report.losses[:_MAX_SHOWN_LOSSES]:
        OUT.print(Text("! ", style="bold yellow") + Text(f"the bag is a part: {loss}", style=""))
    failed = len(report.failed)
    also = ", and the bag is a part of what was recorded" if report.is_part else ""
    if failed:
        verdict = f"{report.path}: {failed} of {len(report.checks)} checks failed{also}{_advice(report)}"
        OUT.print(Text(verdict, style="bold red"))
    elif report.is_part:
        verdict = (
            f"{report.path}: a part of what was recorded, {_contents_text(report)}; nothing is wrong with the part"
        )
        OUT.print(Text(verdict, style="bold yellow"))
    else:
        OUT.print(Text(f"{report.path}: nothing is wrong, {_contents_text(report)}", style="bold green"))


def _contents_text(report: VerifyReport) -> str:
    messages = f"{report.message_count} message{'' if report.message_count == 1 else 's'}"
    return f"{messages} in {duration_text(report.duration_ns)}" if report.message_count else messages


def _advice(report: VerifyReport) -> str:
    if not (report.failed and report.is_recoverable):
        return ""
    return f"; run 'alpamayo bag recover {report.path}'"


def _print_check(check: Check, width: int) -> None:
    head = Text(f"{check.outcome.value:<6}", style=_STYLES[check.outcome])
    lines = check.problems or (check.sentence,)
    OUT.print(head + Text(f"  {check.name:<{width}}  {lines[0]}", style=""))
    for line in (*lines[1:], *check.notes):
        OUT.print(Text(f"{'':<8}{'':<{width}}  {line}", style="" if line in check.problems else "dim"))
    if check.outcome is Outcome.FAILED and not check.sentence.endswith(check.problems[-1]) and len(lines) > 1:
        more = check.sentence.removeprefix(check.problems[0]).strip(" ()")
        OUT.print(Text(f"{'':<8}{'':<{width}}  {more}", style="dim"))
