"""``alpamayo bag import pandaset SRC DST``: make a bag from a foreign data set."""

from pathlib import Path

from rich.markup import escape
from rich.table import Table

from alpamayo_ros.cli.console import OUT, print_json, progress_bar
from alpamayo_ros.importers.pandaset import ImportSummary, import_pandaset


def bag_import_pandaset(source: Path, destination: Path, *, as_json: bool = False) -> None:
    """Import one PandaSet sequence into a new bag and say what was imported and assumed.

    Args:
        source: Folder of one sequence, with ``camera/`` and ``lidar/``.
        destination: Folder of the bag, which must not exist yet.
        as_json: Print the summary as JSON.
    """
    with progress_bar("importing") as progress:
        summary = import_pandaset(source, destination, progress=progress)
    if as_json:
        print_json(summary_document(summary))
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
    table = Table("topic", "messages")
    table.columns[1].justify = "right"
    for topic, count in summary.topics.items():
        table.add_row(topic, str(count))
    OUT.print(table)
    duration_s = (summary.end_ns - summary.start_ns) / 1e9
    OUT.print(f"bag {escape(str(summary.destination))}: {sum(summary.topics.values())} messages, {duration_s:.2f} s")
    for title, sentences in (("assumed", summary.assumptions), ("absent", summary.absent)):
        for sentence in sentences:
            OUT.print(f"{title}: {escape(sentence)}")
