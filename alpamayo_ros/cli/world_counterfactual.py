"""``alpamayo world counterfactual``: the same episode with and without one thing, on one page."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from alpamayo_ros.cli.console import OUT, print_aligned, print_json, progress_bar
from alpamayo_ros.cli.world_arguments import parse_place, parse_recolour, parse_times
from alpamayo_ros.cli.wrapper import EXIT_INCONCLUSIVE, EXIT_PASS
from alpamayo_ros.world.changes import ChangeRequest, plan_changes
from alpamayo_ros.world.counterfactual import compare_drives
from alpamayo_ros.world.counterfactual_files import counterfactual_document, write_counterfactual
from alpamayo_ros.world.driven import DrivenEpisode, expert_drive
from alpamayo_ros.world.edits import Edit
from alpamayo_ros.world.episode import drive_expert
from alpamayo_ros.world.output import require_absent
from alpamayo_ros.world.profile_drive import EXPERT, LoadedProfile, load_profile_to_drive, profile_drive
from alpamayo_ros.world.scenarios import EpisodeSpec
from alpamayo_ros.world.scenarios import episode as episode_named

MIN_ANSWERED = 10
"""Fewer decisions than this show nothing."""


def show_counterfactual(
    episode: str,
    *,
    remove: Sequence[str],
    move: Sequence[str],
    recolour: Sequence[str],
    add: Sequence[str],
    profile: str,
    backend: str,
    at: Sequence[float],
    out: Path,
    as_json: bool,
) -> int:
    """Drive an episode with and without a change, write the page, and return the exit code.

    Args:
        episode: Its name.
        remove: Actors, or kinds.
        move: ``ACTOR:AHEAD,LEFT``.
        recolour: ``ACTOR:#rrggbb``.
        add: ``KIND:AHEAD,LEFT``.
        profile: Profile, or ``expert``.
        backend: In place of the profile's own.
        at: Moments to show, s.
        out: Folder to make.
        as_json: Print the numbers as JSON.
    """
    request = ChangeRequest(
        remove=tuple(remove),
        move=tuple(parse_place("--move", text) for text in move),
        recolour=tuple(parse_recolour(text) for text in recolour),
        add=tuple(parse_place("--add", text) for text in add),
    )
    times = parse_times(at)
    require_absent(out)
    spec = episode_named(episode)
    changes = plan_changes(spec, request)
    loaded = None if profile == EXPERT else load_profile_to_drive(profile, backend=backend)
    original = _driven(loaded, spec, (), "driving as it is")
    edited = _driven(loaded, spec, changes.edits, "driving with the change")
    with progress_bar("taking pictures") as progress:
        found = compare_drives(
            original, edited, changes, at_s=times, command=shlex.join(["alpamayo", *sys.argv[1:]]), progress=progress
        )
    page = write_counterfactual(out, found)
    if as_json:
        print_json(counterfactual_document(found))
    else:
        print_aligned(OUT, [("episode", spec.id), ("change", changes.words), *found.findings.rows])
        OUT.print("DIFFERS" if found.findings.differs else "THE SAME", style="bold blue", end=": ")
        OUT.print(found.findings.headline, markup=False)
        OUT.print(f"page: {page.resolve()}", markup=False)
    return EXIT_PASS if min(original.answered, edited.answered) >= MIN_ANSWERED else EXIT_INCONCLUSIVE


def _driven(loaded: LoadedProfile | None, spec: EpisodeSpec, edits: Sequence[Edit], label: str) -> DrivenEpisode:
    with progress_bar(label) as progress:
        if loaded is None:
            return expert_drive(drive_expert(spec, edits))
        return profile_drive(loaded, spec, edits, progress)
