"""``alpamayo bag import pandaset SRC DST``: make a bag from a foreign data set."""

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from alpamayo_ros.importers.pandaset import ImportSummary, import_pandaset


def bag_import_pandaset(source: Path, destination: Path, *, as_json: bool = False) -> None:
    """Import one PandaSet sequence into a new bag and say what was imported and assumed.

    Progress goes to standard error, the summary to standard output.

    Args:
        source: Folder of one sequence, with ``camera/`` and ``lidar/``.
        destination: Folder of the bag, which must not exist yet.
        as_json: Print the summary as JSON.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("importing messages", total=None)
        summary = import_pandaset(
            source, destination, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    if as_json:
        sys.stdout.write(json.dumps(summary_document(summary), indent=2) + "\n")
    else:
        _print_summary(summary)


def summary_document(summary: ImportSummary) -> dict[str, object]:
    """Return what ``--json`` prints."""
    return {
        "destination": str(summary.destination),
        "topics": dict(summary.topics),
        "start_ns": summary.start_ns,
        "end_ns": summary.end_ns,
        "ground_height_m": summary.ground_height_m,
        "calibration_digest": summary.calibration_digest,
        "assumptions": list(summary.assumptions),
        "absent": list(summary.absent),
    }


def _print_summary(summary: ImportSummary) -> None:
    console = Console(highlight=False)
    table = Table("topic", "messages")
    table.columns[1].justify = "right"
    for topic, count in summary.topics.items():
        table.add_row(topic, str(count))
    console.print(table)
    duration_s = (summary.end_ns - summary.start_ns) / 1e9
    console.print(f"bag {summary.destination}, {duration_s:.2f} s", markup=False, soft_wrap=True)
    for title, sentences in (("assumed", summary.assumptions), ("absent", summary.absent)):
        for sentence in sentences:
            console.print(f"{title}: {sentence}", markup=False, soft_wrap=True)
