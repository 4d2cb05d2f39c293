"""A run learns, stops by the clock, and goes on where it was broken off."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; run 'make test-torch'")

from alpamayo_ros.errors import ArtifactError, ConfigurationError  # noqa: E402
from alpamayo_ros.inference.networks.anatomy import Anatomy  # noqa: E402
from alpamayo_ros.reasoning.driving_language import vocabulary  # noqa: E402
from alpamayo_ros.training.batches import TRAINING_VARIATION, BatchStream, dense_targets, load_batch  # noqa: E402
from alpamayo_ros.training.shard import BOX_CLASSES, Shard  # noqa: E402
from alpamayo_ros.training.training_run import (  # noqa: E402
    RunOptions,
    TrainingRun,
    hidden_weights,
    learning_rate_at,
)

ANATOMY = Anatomy(len(vocabulary()), stem=16, middle=32, width=32, layers=2, expert_width=32, expert_layers=1)
OPTIONS = RunOptions(minutes=0.5, batch=16, measure_every_s=60.0, measured=16)


def run_in(folder: Path, shard: Shard, options: RunOptions = OPTIONS) -> TrainingRun:
    weights = np.ones(len(shard))
    weights[-16:] = 0.0
    return TrainingRun(folder, ANATOMY, options, shard, weights, np.arange(len(shard) - 16, len(shard)), "toy")


def ignore(*_: object) -> None:
    """Watch nothing."""


def test_a_short_run_learns_and_a_second_goes_on(tmp_path: Path, make_toy_shard: Callable[..., Shard]) -> None:
    shard, losses = make_toy_shard(96), []
    run = run_in(tmp_path, shard)
    run.train(lambda progress, found: losses.append(found["decision"]))
    # The head that learns first: even a quarter of the steps that an idle machine has time for would do.
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["steps"] == run.progress.steps
    assert 0.0 <= lines[-1]["meta"] <= 1.0
    again = run_in(tmp_path, shard)
    assert again.progress.steps == run.progress.steps
    again.train(ignore)
    assert again.progress.steps == run.progress.steps


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path, make_toy_shard: Callable[..., Shard]) -> None:
    shard = make_toy_shard(40)
    run_in(tmp_path, shard).save()
    with pytest.raises(ConfigurationError, match="other options"):
        run_in(tmp_path, shard, replace(OPTIONS, seed=5))


def test_a_run_may_begin_with_other_weights_and_then_is_another_run(
    tmp_path: Path, make_toy_shard: Callable[..., Shard]
) -> None:
    shard = make_toy_shard(40)
    first = run_in(tmp_path / "a", shard)
    begin = {name: value + 1.0 for name, value in first.nano.state_dict().items()}
    options = replace(OPTIONS, begin_with="sha256:0")
    weights, kept = np.ones(40), np.arange(0)
    second = TrainingRun(tmp_path / "b", ANATOMY, options, shard, weights, kept, "toy", begin)
    assert all(torch.equal(value, begin[name]) for name, value in second.average.state_dict().items())
    assert second.identity != first.identity


def test_batches_are_those_of_the_seed_and_the_number(make_toy_shard: Callable[..., Shard]) -> None:
    shard = make_toy_shard(40)
    found = []
    for first in (0, 2):
        stream = BatchStream(shard, np.ones(40), 8, 3, TRAINING_VARIATION, first)
        batches = iter(stream)
        found.append([next(batches).images for _ in range(3)])
        stream.close()
    assert torch.equal(found[0][2], found[1][0])
    assert not torch.equal(found[0][0], found[0][1])


def test_samples_without_weight_are_never_drawn(make_toy_shard: Callable[..., Shard]) -> None:
    shard = make_toy_shard(20)
    weights = np.zeros(20)
    weights[4] = 1.0
    stream = BatchStream(shard, weights, 8, 0, replace(TRAINING_VARIATION, light=0.0, noise=0.0))
    batch = next(iter(stream))
    stream.close()
    expected = load_batch(shard, np.array([4]), np.random.default_rng(0))
    assert torch.equal(batch.images, expected.images.expand_as(batch.images))


def test_an_error_of_the_thread_reaches_the_training(make_toy_shard: Callable[..., Shard]) -> None:
    shard = make_toy_shard(4)
    broken = replace(shard, pictures=np.zeros_like(shard.pictures))
    stream = BatchStream(broken, np.ones(4), 2, 0, TRAINING_VARIATION)
    with pytest.raises(ArtifactError, match="is no JPEG"):
        next(iter(stream))
    stream.close()


def test_dense_targets_mark_the_cells_of_a_box() -> None:
    vehicle, cause = BOX_CLASSES.index("vehicle"), BOX_CLASSES.index("cause")
    boxes = np.array([[1, vehicle, 16, 8, 40, 24, 10.0], [3, cause, 101, 50, 103, 52, 0.0]], np.float32)
    seen = dense_targets(boxes)
    assert seen[1, vehicle].sum() == 6
    assert seen[1, vehicle, 1:3, 2:5].all()
    assert seen[3, cause, 6, 12] == 1.0
    assert seen[3, cause].sum() == 1.0
    assert (seen[1, -1] > 0).sum() == 6
    assert seen[3, -1].sum() == 0.0
    assert dense_targets(np.zeros((0, 7), np.float32)).sum() == 0.0


def test_boxes_at_the_edges_stay_and_tiny_ones_are_left_out() -> None:
    boxes = np.array(
        [[0, 0, 150, 90, 160, 96, 5.0], [0, 0, -3, -3, 1, 1, 5.0], [2, 0, 50, 50, 51, 51, 5.0]], np.float32
    )
    seen = dense_targets(boxes)
    assert seen[0, 0, 11, 19] == 1.0
    assert seen[0, 0, 0, 0] == 1.0
    assert seen[2, 0].sum() == 0.0


def test_the_learning_rate_rises_and_falls() -> None:
    assert learning_rate_at(0.0, 0, 1.0) < 0.01
    assert learning_rate_at(0.01, 1000, 1.0) > 0.95
    assert learning_rate_at(1.0, 1000, 1.0) == pytest.approx(0.02)
    assert learning_rate_at(7.0, 1000, 1.0) == pytest.approx(0.02)


def test_every_weight_has_one_optimiser(tmp_path: Path, make_toy_shard: Callable[..., Shard]) -> None:
    run = run_in(tmp_path, make_toy_shard(20))
    held = [
        id(value) for optimiser, _ in run.optimisers for group in optimiser.param_groups for value in group["params"]
    ]
    every = [id(value) for value in (*run.nano.parameters(), *run.loss.parameters())]
    assert sorted(held) == sorted(every)
    hidden, _ = hidden_weights(run.nano.named_parameters())
    assert run.nano.reasoning.words.weight not in set(hidden)
    assert run.nano.vision.stem.weight in set(hidden)


def test_the_decision_heads_teach_the_first_state(tmp_path: Path, make_toy_shard: Callable[..., Shard]) -> None:
    run = run_in(tmp_path, make_toy_shard(20))
    batch = load_batch(run.shard, np.arange(8), np.random.default_rng(0))
    state = torch.zeros(8, ANATOMY.width, requires_grad=True)
    decision, motion = run.loss.decisions(state, batch)
    (decision + motion).backward()
    assert torch.isfinite(decision + motion)
    assert state.grad is not None
    assert (state.grad.abs().sum(dim=1) > 0).all()
