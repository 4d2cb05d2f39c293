"""``alpamayo bag import KIND SRC DST``: make a bag from a foreign data set."""

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from alpamayo_ros.cli.console import OUT, print_json, progress_bar
from alpamayo_ros.cli.quiet_video import quiet_video
from alpamayo_ros.importers.comma2k19 import import_comma2k19
from alpamayo_ros.importers.imported_bag import ImportSummary
from alpamayo_ros.importers.pandaset import import_pandaset
from alpamayo_ros.importers.physical_ai_av import import_physical_ai_av
from alpamayo_ros.importers.physical_ai_av_devkit import open_dataset
from alpamayo_ros.importers.video import import_video
from alpamayo_ros.storage.staging import validate_destination


def bag_import_pandaset(source: Path, destination: Path, *, as_json: bool = False) -> None:
    """Import one PandaSet sequence into a new bag and say what was imported and assumed.

    Args:
        source: Folder of one sequence, with ``camera/`` and ``lidar/``.
        destination: Folder of the bag, which must not exist yet.
        as_json: Print the summary as JSON.
    """
    with progress_bar("importing") as progress:
        summary = import_pandaset(source, destination, progress=progress)
    _report(summary, as_json=as_json)


def bag_import_comma2k19(source: Path, destination: Path, *, as_json: bool = False) -> None:
    """Import one comma2k19 segment into a new bag and say what was imported and assumed.

    Args:
        source: Folder of one segment, with ``global_pose/`` and ``processed_log/``.
        destination: Folder of the bag, which must not exist yet.
        as_json: Print the summary as JSON.
    """
    with progress_bar("importing") as progress:
        summary = import_comma2k19(source, destination, progress=progress)
    _report(summary, as_json=as_json)


def bag_import_video(
    source: Path,
    destination: Path,
    *,
    camera: str,
    start_ns: int,
    fps: float | None,
    quality: int,
    as_json: bool = False,
) -> None:
    """Import one video file as the pictures of one camera and say what was imported and assumed.

    Args:
        source: Video file.
        destination: Folder of the bag, which must not exist yet.
        camera: Camera id.
        start_ns: Stamp of the container's time 0.
        fps: Frames per second, only for a video without usable times.
        quality: Of the JPEG files, 1 to 100.
        as_json: Print the summary as JSON.
    """
    quiet_video()
    with progress_bar("importing") as progress:
        summary = import_video(
            source, destination, camera=camera, start_ns=start_ns, fps=fps, quality=quality, progress=progress
        )
    _report(summary, as_json=as_json)


def bag_import_physical_ai_av(
    clip_id: str,
    destination: Path,
    *,
    root: Path | None,
    revision: str | None,
    cameras: Sequence[str],
    start_ns: int | None,
    quality: int,
    as_json: bool = False,
) -> None:
    """Import one clip of PhysicalAI-Autonomous-Vehicles and say what was imported and assumed.

    Args:
        clip_id: UUID of the clip.
        destination: Folder of the bag, which must not exist yet.
        root: Local copy of the data set, None for the devkit's own cache and the network.
        revision: Commit of the data set, None for the newest that is known.
        cameras: Cameras that have to be there, none for all that are.
        start_ns: Stamp of the clip's time 0, None for the first whole second that leaves no stamp below 0.
        quality: Of the JPEG files, 1 to 100.
        as_json: Print the summary as JSON.
    """
    # Before anything comes over the network.
    validate_destination(destination)
    with open_dataset(root, revision) as dataset, progress_bar("importing") as progress:
        summary = import_physical_ai_av(
            dataset,
            clip_id,
            destination,
            cameras=cameras,
            start_ns=start_ns,
            quality=quality,
            progress=progress,
        )
    _report(summary, as_json=as_json)


def _report(summary: ImportSummary, *, as_json: bool) -> None:
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
        "warnings": list(summary.warnings),
    }


def _print_summary(summary: ImportSummary) -> None:
    table = Table("topic", "messages")
    table.columns[1].justify = "right"
    for topic, count in summary.topics.items():
        table.add_row(topic, str(count))
    OUT.print(table)
    duration_s = (summary.end_ns - summary.start_ns) / 1e9
    OUT.print(f"bag {escape(str(summary.destination))}: {sum(summary.topics.values())} messages, {duration_s:.2f} s")
    said = {"warning": summary.warnings, "assumed": summary.assumptions, "absent": summary.absent}
    for title, sentences in said.items():
        for sentence in sentences:
            OUT.print(f"{title}: {escape(sentence)}")
