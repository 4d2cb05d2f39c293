"""Measure a model on held-out roads through the pipeline's own stages: the figures of ``docs/nano.md``."""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich.console import Console
from rich.progress import Progress, TaskID, track

from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.training.figures import Figure, closed_loop_figures, open_loop_figures, table
from alpamayo_ros.training.open_loop import MomentResult, OpenLoop
from alpamayo_ros.training.progress_lines import tenths
from alpamayo_ros.training.saved_drives import saved_drives
from alpamayo_ros.world.campaign import DriveRequest
from alpamayo_ros.world.episode import drive_expert
from alpamayo_ros.world.metrics import summarise
from alpamayo_ros.world.profile_drive import EXPERT, load_profile_to_drive
from alpamayo_ros.world.scenarios.registry import SCENARIOS, episode

_loop: list[OpenLoop] = []
"""Engines of a worker process, loaded once."""


def evaluate(
    profile: Annotated[str, typer.Option(help="Profile by name, or a profile file.")] = "nano",
    out: Annotated[Path, typer.Option(help="Folder for nano.json and nano.md.")] = Path("out/nano_figures"),
    episodes: Annotated[int, typer.Option(help="Held-out episodes of each scenario.")] = 20,
    first: Annotated[int, typer.Option(help="Seed of the first one.")] = 0,
    processes: Annotated[int, typer.Option(help="Worker processes; 0 takes every core.")] = 0,
    drive: Annotated[bool, typer.Option(help="Drive the same episodes in closed loop too.")] = True,
) -> None:
    """Measure a model on held-out episodes in open and closed loop, and write JSON and a table.

    Drives are kept in the folder as they are made: the same command goes on where it was broken off.
    """
    names = [f"{scenario}:{first + seed}@held_out" for seed in range(episodes) for scenario in SCENARIOS]
    console = Console(stderr=True)
    results: list[MomentResult] = []
    processes = processes or len(os.sched_getaffinity(0))
    found = _results(names, profile, processes)
    say = tenths(console, "episodes")
    for done, rows in enumerate(track(found, "episodes", total=len(names), console=console), start=1):
        results += rows
        say(done, len(names))
    figures = open_loop_figures(results, OpenLoop(load_profile(profile)).swapped)
    write_figures(out, figures, results)
    if drive:
        figures |= _driven(names, profile, processes, out, console)
        write_figures(out, figures, results)
    Console().print(table(figures), markup=False)


def write_figures(out: Path, figures: dict[str, Figure], results: Sequence[MomentResult]) -> None:
    """Write ``nano.json`` with figures and moments, and ``nano.md`` with the table."""
    out.mkdir(parents=True, exist_ok=True)
    rows = [{name: getattr(one, name) for name in MomentResult.__slots__ if name != "context"} for one in results]
    document = {"figures": {name: {**asdict(one), "met": one.met} for name, one in figures.items()}, "moments": rows}
    (out / "nano.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (out / "nano.md").write_text(table(figures), encoding="utf-8")


def main() -> None:
    """Run ``evaluate`` with the options of the command line."""
    typer.run(evaluate)


def _driven(names: list[str], profile: str, processes: int, out: Path, console: Console) -> dict[str, Figure]:
    identities = {"profile": load_profile_to_drive(profile).lineage_id, "expert": EXPERT}
    summaries = []
    for (role, identity), driver in zip(identities.items(), (profile, EXPERT), strict=True):
        requests = [DriveRequest(name, driver) for name in names]
        with Progress(console=console) as bar:
            task = bar.add_task(f"closed loop: {driver}", total=len(names))
            show = partial(_shown, bar, task, tenths(console, f"closed loop: {driver}"))
            metrics = saved_drives(out / f"drives_{role}.jsonl", identity, requests, processes, show)
        summaries.append(summarise(metrics))
    return closed_loop_figures(*summaries)


def _shown(bar: Progress, task: TaskID, say: Callable[[int, int], None], done: int, total: int) -> None:
    bar.update(task, completed=done)
    say(done, total)


def _results(names: list[str], profile: str, processes: int) -> Iterator[list[MomentResult]]:
    # SUMO is one per process, and threads of OpenCV do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(processes, _load, (profile,)) as pool:
        yield from pool.imap(_episode, names)


def _load(profile: str) -> None:
    cv2.setNumThreads(1)
    _loop.append(OpenLoop(load_profile(profile)))


def _episode(name: str) -> list[MomentResult]:
    return _loop[0].episode(drive_expert(episode(name)))
