"""A data set goes on where it was broken off, is split by roads, and is named by its manifest."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alpamayo_ros.errors import ArtifactError, ConfigurationError
from alpamayo_ros.training.generation import EPISODES_OF_A_SHARD, MANIFEST, GenerationOptions, generate
from alpamayo_ros.training.shard import Shard, join_shards, write_shard
from alpamayo_ros.world.dataset import load_manifest
from alpamayo_ros.world.scenarios import SCENARIOS

OPTIONS = GenerationOptions(train=1, held_out=1)


def made_folder(folder: Path, make_shard: Callable[..., Shard]) -> Path:
    """Return a folder in which every shard was made already, two samples an episode."""
    names = OPTIONS.names()
    (folder / "plan.json").write_text(json.dumps({"first_held_out": 10000, "held_out": 1, "seed": 0, "train": 1}))
    for number in range(len(names) // EPISODES_OF_A_SHARD):
        group = names[number * EPISODES_OF_A_SHARD : (number + 1) * EPISODES_OF_A_SHARD]
        parts = [make_shard(2, seed, episodes=np.array([name])) for seed, name in enumerate(group)]
        write_shard(folder / f"shard_{number:05d}.npz", join_shards(parts))
    return folder


def test_every_scenario_is_in_both_splits_and_seeds_of_the_evaluation_are_left_out() -> None:
    names = GenerationOptions(train=2, held_out=1).names()
    assert len(names) == 3 * len(SCENARIOS)
    assert {name.split(":")[0] for name in names[: len(SCENARIOS)]} == set(SCENARIOS)
    held_out = [name for name in names if name.endswith("@held_out")]
    assert min(int(name.split(":")[1].split("@")[0]) for name in held_out) >= 10_000


def test_what_is_made_is_not_made_anew(tmp_path: Path, make_shard: Callable[..., Shard]) -> None:
    seen: list[tuple[int, int]] = []
    data = generate(made_folder(tmp_path, make_shard), OPTIONS, 1, lambda done, every: seen.append((done, every)))
    assert seen == [(4, 4)]
    assert len(data.shard) == 2 * len(OPTIONS.names())
    held_out = {str(data.shard.episodes[data.shard.episode[sample]]) for sample in data.held_out}
    train = {str(data.shard.episodes[data.shard.episode[sample]]) for sample in data.train}
    assert all(name.endswith("@held_out") for name in held_out)
    assert not any(name.endswith("@held_out") for name in train)
    assert len(data.held_out) + len(data.train) == len(data.shard)


def test_the_manifest_names_every_episode_and_changes_with_the_samples(
    tmp_path: Path, make_shard: Callable[..., Shard]
) -> None:
    folder = made_folder(tmp_path, make_shard)
    manifest = generate(folder, OPTIONS, 1, lambda *_: None).manifest
    assert load_manifest(folder / MANIFEST).digest == manifest.digest
    assert sorted(one.id for one in manifest.episodes) == sorted(OPTIONS.names())
    assert {one.kind for one in manifest.episodes} == {"simulation"}
    assert {one.samples for one in manifest.episodes} == {2}
    assert generate(folder, OPTIONS, 1, lambda *_: None).manifest.digest == manifest.digest
    changed = [make_shard(2, seed + 50, episodes=np.array([name])) for seed, name in enumerate(OPTIONS.names()[:5])]
    write_shard(folder / "shard_00000.npz", join_shards(changed))
    assert generate(folder, OPTIONS, 1, lambda *_: None).manifest.digest != manifest.digest


def test_a_folder_of_other_options_is_refused(tmp_path: Path, make_shard: Callable[..., Shard]) -> None:
    folder = made_folder(tmp_path, make_shard)
    with pytest.raises(ConfigurationError, match="other options"):
        generate(folder, GenerationOptions(train=2, held_out=1), 1, lambda *_: None)


def test_a_damaged_shard_is_an_error_that_names_it(tmp_path: Path, make_shard: Callable[..., Shard]) -> None:
    folder = made_folder(tmp_path, make_shard)
    (folder / "shard_00001.npz").write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match="shard_00001"):
        generate(folder, OPTIONS, 1, lambda *_: None)
