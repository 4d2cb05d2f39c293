"""Train nano from nothing: make the data, train, export; each part goes on where it was broken off."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from alpamayo_ros.inference.model_folder import open_model_folder
from alpamayo_ros.inference.networks.anatomy import Anatomy
from alpamayo_ros.reasoning.driving_language import vocabulary
from alpamayo_ros.training.balance import sample_weights
from alpamayo_ros.training.generation import GenerationOptions, TrainingData, generate
from alpamayo_ros.training.model_files import read_weights, write_model
from alpamayo_ros.training.progress_lines import tenths
from alpamayo_ros.training.reference_outputs import write_reference_outputs
from alpamayo_ros.training.training_run import NOTHING, RunOptions, TrainingRun
from alpamayo_ros.training.training_run import Progress as RunProgress

TRAIN_EPISODES = 100
"""Of each scenario; with ten scenarios about 30 minutes on two cores."""
HELD_OUT_EPISODES = 3
TRAIN_MINUTES = 80.0
SHOWN_METRICS = ("meta", "cause_right", "absence_right", "min_ade_6_m")


def train(
    out: Annotated[Path, typer.Option(help="Folder for data, checkpoints and the model.")] = Path("out/nano"),
    minutes: Annotated[float, typer.Option(help="Time of training; data and export come on top.")] = TRAIN_MINUTES,
    episodes: Annotated[int, typer.Option(help="Training episodes of each scenario.")] = TRAIN_EPISODES,
    held_out: Annotated[
        int, typer.Option(help="Held-out episodes of each scenario, only measured on.")
    ] = HELD_OUT_EPISODES,
    seed: Annotated[int, typer.Option(help="Seed of weights, draws and displacements.")] = 0,
    batch: Annotated[int, typer.Option(help="Samples of one step.")] = 16,
    begin: Annotated[
        Path | None, typer.Option(help="Model folder whose weights to begin with, to fine-tune; none begins anew.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Processes and threads; 0 takes every core.")] = 0,
    smoke: Annotated[bool, typer.Option(help="Two minutes that show that every part works.")] = False,
) -> None:
    """Train nano, from nothing or from another model's weights, and write its model folder."""
    if smoke:
        minutes, episodes, held_out = min(minutes, 0.7), 1, 1
    cores = threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    console = Console(stderr=True)
    generation = GenerationOptions(episodes, held_out, seed=seed)
    data = _data(out / "data", generation, cores, console)
    (out / "run").mkdir(parents=True, exist_ok=True)
    anatomy = Anatomy(len(vocabulary()))
    run = TrainingRun(
        out / "run",
        anatomy,
        RunOptions(
            minutes,
            seed=seed,
            batch=batch,
            measure_every_s=60.0 if smoke else 600.0,
            measured=32 if smoke else 384,
            begin_with=NOTHING if begin is None else open_model_folder(begin).digest,
        ),
        data.shard,
        sample_weights(data.shard, data.train),
        data.held_out,
        data.manifest.digest,
        None if begin is None else read_weights(begin, anatomy.document()),
    )
    commit = _first_commit(out / "run")
    _train(run, console)
    provenance = {
        "command": _command(sys.argv[1:]),
        "commit": commit,
        "seed": seed,
        "begun_with": run.options.begin_with,
        "minutes": minutes,
        "steps": run.progress.steps,
        "batch": batch,
        "torch": str(torch.__version__),
        "device": run.device.type,
        "precision": str(run.precision).removeprefix("torch."),
        **{f"generation_{name}": value for name, value in asdict(generation).items()},
    }
    nano = run.average.to("cpu")
    write_model(nano, out / "model", data.manifest.digest, provenance)
    write_reference_outputs(nano, out / "nano_torch_outputs.npz")
    console.print(f"model: {out / 'model'}")


def _data(folder: Path, options: GenerationOptions, processes: int, console: Console) -> TrainingData:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task, say = bar.add_task("episodes"), tenths(console, "parts of the data")

        def watch(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            say(done, total)

        return generate(folder, options, processes, watch)


def _train(run: TrainingRun, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[now]}"))
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("training", total=60.0 * run.options.minutes, now="")

        reported: dict[str, float] | None = None

        def watch(progress: RunProgress, losses: dict[str, float]) -> None:
            nonlocal reported
            shown = {name: losses[name] for name in ("answer", "decision", "flow", "seen")}
            if progress.metrics:
                shown |= {name: progress.metrics[name] for name in SHOWN_METRICS}
            words = "  ".join(f"{name} {value:.3f}" for name, value in shown.items())
            bar.update(task, completed=progress.seconds, now=f"step {progress.steps}  {words}")
            if progress.metrics is not reported:
                # A log that is no terminal shows no bar, so each measurement is a line of its own.
                reported = progress.metrics
                bar.console.print(f"{progress.seconds / 60.0:.0f} min  step {progress.steps}  {words}")

        run.train(watch)


def _command(arguments: Sequence[str]) -> str:
    """Return the command without the folder that it wrote into: that is of one machine, and changes nothing."""
    kept, left = [], list(arguments)
    while left:
        argument = left.pop(0)
        if argument == "--out":
            left = left[1:]
        elif not argument.startswith("--out="):
            kept.append(argument)
    return "make train-nano" + (f" TRAIN_OPTIONS='{' '.join(kept)}'" if kept else "")


def _first_commit(folder: Path) -> str:
    """Return the commit that the run was begun with, whatever was committed until it was taken up again."""
    kept = folder / "commit"
    if not kept.exists():
        kept.write_text(_commit() + "\n", encoding="utf-8")
    return kept.read_text(encoding="utf-8").strip()


def _commit() -> str:
    """Return the commit of the working tree, with a mark if it was changed; ``unknown`` without one."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def main() -> None:
    """Run ``train`` with the options of the command line."""
    typer.run(train)
