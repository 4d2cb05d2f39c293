"""The training data of nano: episodes of the driving world, driven by the expert, made in worker processes.

One shard holds the samples of a few episodes. A shard that exists is not made anew, so a run that was broken off goes
on; what was made by other options is refused by its plan file.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.training.shard import Shard, join_shards, read_shard, write_shard
from alpamayo_ros.world.dataset import DatasetManifest, write_manifest
from alpamayo_ros.world.dataset_sources import spec_episode
from alpamayo_ros.world.scenarios.registry import SCENARIOS, episode

EPISODES_OF_A_SHARD = 5
MANIFEST = "manifest.json"
PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """What data to make.

    Attributes:
        train: Episodes of each scenario to train on: seeds 0 to train - 1.
        held_out: Episodes of each scenario on the held-out roads, to watch the training by.
        first_held_out: Seed of the first of these; lower ones are left to the published evaluation.
        seed: Of displacements.
    """

    train: int
    held_out: int
    first_held_out: int = 10_000
    seed: int = 0

    def names(self) -> list[str]:
        """Return the names of all episodes, scenarios in turn, so that any part of them is mixed."""
        train = [f"{scenario}:{seed}" for seed in range(self.train) for scenario in SCENARIOS]
        first = self.first_held_out
        held_out = [f"{scenario}:{first + seed}@held_out" for seed in range(self.held_out) for scenario in SCENARIOS]
        return train + held_out


@dataclass(frozen=True, slots=True)
class TrainingData:
    """A finished data set.

    Attributes:
        shard: All samples.
        train: Which of them are trained on.
        held_out: Which of them are on held-out roads, and never trained on.
        manifest: What it holds; its digest names it.
    """

    shard: Shard
    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    manifest: DatasetManifest


def generate(
    folder: Path,
    options: GenerationOptions,
    processes: int,
    watch: Callable[[int, int], None],
) -> TrainingData:
    """Make a data set, or what of it is missing, and read it.

    Args:
        folder: Where its files stand; made if missing.
        options: What to make.
        processes: Worker processes.
        watch: Called with the number of finished shards and of all.

    Raises:
        ConfigurationError: The folder holds the data of other options, or SUMO is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _require_plan(folder / PLAN, options)
    names = options.names()
    groups = [names[start : start + EPISODES_OF_A_SHARD] for start in range(0, len(names), EPISODES_OF_A_SHARD)]
    paths = [folder / f"shard_{number:05d}.npz" for number in range(len(groups))]
    missing = [(path, group) for path, group in zip(paths, groups, strict=True) if not path.exists()]
    done = len(paths) - len(missing)
    watch(done, len(paths))
    for _ in _made(missing, options.seed, processes):
        done += 1
        watch(done, len(paths))
    return _read(folder, paths, options)


def _made(missing: list[tuple[Path, list[str]]], seed: int, processes: int) -> Iterator[Path]:
    make = partial(_make_shard, seed=seed)
    if processes <= 1:
        yield from map(make, missing)
        return
    # SUMO is one per process, and threads of OpenCV do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(processes, cv2.setNumThreads, (1,)) as pool:
        yield from pool.imap_unordered(make, missing)


def _make_shard(job: tuple[Path, list[str]], seed: int) -> Path:
    from alpamayo_ros.training.episode_samples import episode_shard
    from alpamayo_ros.world.episode import drive_expert

    path, names = job
    found = []
    for name in names:
        sample_seed = int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:4], "big")
        shard = episode_shard(drive_expert(episode(name)), sample_seed)
        if shard is not None:
            found.append(shard)
    if not found:
        raise ConfigurationError(f"episodes {', '.join(names)} give no sample; expected longer ones")
    write_shard(path, join_shards(found))
    return path


def _require_plan(path: Path, options: GenerationOptions) -> None:
    text = json.dumps(asdict(options), sort_keys=True)
    if not path.exists():
        path.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        raise ConfigurationError(
            f"data folder {path.parent} was made by other options ({path.read_text(encoding='utf-8')}); expected "
            f"{text}: name another folder, or remove it"
        )


def _read(folder: Path, paths: list[Path], options: GenerationOptions) -> TrainingData:
    shard = join_shards([read_shard(path) for path in paths])
    names = [str(name) for name in shard.episodes]
    counts = [int(count) for count in np.bincount(shard.episode, minlength=len(names))]
    files = "".join(f"{path.name}\t{hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in paths)
    manifest = DatasetManifest(
        name="nano",
        episodes=tuple(spec_episode(episode(name), samples=count) for name, count in zip(names, counts, strict=True)),
        tags={
            "shards": f"sha256:{hashlib.sha256(files.encode()).hexdigest()}",
            "generation": json.dumps(asdict(options), sort_keys=True),
        },
    )
    write_manifest(folder / MANIFEST, manifest, force=True)
    held_out = np.array([name.endswith("@held_out") for name in names])[shard.episode]
    return TrainingData(shard, np.flatnonzero(~held_out), np.flatnonzero(held_out), manifest)
