"""``alpamayo world drive``: a profile drives episodes in closed loop."""

import json
from pathlib import Path
from typing import Any

from alpamayo_ros.cli.console import OUT, print_aligned, print_json, progress_bar
from alpamayo_ros.cli.world_episodes import named_episodes
from alpamayo_ros.cli.wrapper import EXIT_PASS
from alpamayo_ros.structs.lineage import NONE
from alpamayo_ros.world.campaign import DriveRequest, campaign_document, drive_all
from alpamayo_ros.world.output import require_absent, reserved_folder, write_file
from alpamayo_ros.world.profile_drive import EXPERT, load_profile_to_drive

RESULT_FILE = "drives.json"


def drive_episodes(
    *,
    episode: str | None,
    scenario: str | None,
    seeds: str | None,
    held_out: bool,
    profile: str,
    backend: str,
    params: Path | None,
    workers: int,
    out: Path | None,
    as_json: bool,
) -> int:
    """Drive episodes, print what came of it, and return the exit code.

    Args:
        episode: One episode, or None for scenarios with seeds.
        scenario: A scenario, or ``all``.
        seeds: A seed, or a range.
        held_out: Whether the episodes are held out.
        profile: That drives, or ``expert``.
        backend: In place of the profile's own.
        params: Parameter file.
        workers: Processes.
        out: Folder for the numbers, None for none.
        as_json: Print the numbers as JSON.
    """
    specs = named_episodes(episode, scenario, seeds, held_out=held_out)
    if out is not None:
        require_absent(out)
    # Before an hour is spent, and in this process, where the error is nearest to who asked.
    lineage = (
        NONE if profile == EXPERT else load_profile_to_drive(profile, backend=backend, parameters=params).lineage_id
    )
    requests = [DriveRequest(spec.id, profile, backend, params) for spec in specs]
    with reserved_folder(out), progress_bar("driving") as progress:
        progress(0, len(requests))
        outcomes = drive_all(requests, workers=workers, progress=progress)
    document = {
        "profile": profile,
        "lineage_id": lineage,
        "held_out": specs[0].split == "held_out",
        **campaign_document(outcomes),
    }
    # First what nobody can refuse: a full disk must not cost the numbers.
    if as_json:
        print_json(document)
    else:
        _print(document)
    if out is not None:
        write_file(out / RESULT_FILE, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())
        if not as_json:
            OUT.print(f"numbers: {(out / RESULT_FILE).resolve()}", markup=False)
    return EXIT_PASS


def _print(document: dict[str, Any]) -> None:
    rows: list[tuple[str, ...]] = [
        ("scenario", "drives", "collision", "95 %", "off road", "95 %", "red light", "progress", "jerk p95", "TTC p5")
    ]
    rows += [_row(name, summary) for name, summary in document["scenarios"].items()]
    if len(document["scenarios"]) > 1:
        rows.append(_row("all", document))
    print_aligned(OUT, rows, right=tuple(range(1, len(rows[0]))))
    hit = [drive for drive in document["drives"] if drive["collision"] is not None]
    for drive in hit[:10]:
        collision = drive["collision"]
        OUT.print(
            f"{drive['episode']}: collision with {collision['kind']} {collision['actor']} at {collision['t_s']:.1f} s, "
            f"{collision['relative_speed_mps']:.1f} m/s",
            markup=False,
        )
    if len(hit) > 10:
        OUT.print(f"and {len(hit) - 10} further collisions", markup=False)
    OUT.print(f"profile {document['profile']}: {document['digest']}", markup=False)


def _row(name: str, summary: dict[str, Any]) -> tuple[str, ...]:
    share = summary["progress_share"]
    nearest = summary["time_to_collision_p5_s"]
    return (
        name,
        str(summary["episodes"]),
        _percent(summary["collision_rate"]),
        _interval(summary["collision_interval"]),
        _percent(summary["off_road_rate"]),
        _interval(summary["off_road_interval"]),
        _percent(summary["red_light_rate"]),
        f"{summary['progress_m']:.0f} m" + ("" if share is None else f" ({_percent(share)})"),
        f"{summary['jerk_p95_mps3']:.1f} m/s3",
        "none" if nearest is None else f"{nearest:.1f} s",
    )


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f} %"


def _interval(interval: list[float]) -> str:
    return f"{100.0 * interval[0]:.1f}-{100.0 * interval[1]:.1f}"
