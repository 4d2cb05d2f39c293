"""Two minutes from nothing to a model that the pipeline runs."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; run 'make test-torch'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]

from alpamayo_ros.inference.model_folder import open_model_folder  # noqa: E402
from alpamayo_ros.training.train_nano import train  # noqa: E402
from alpamayo_ros.world.dataset import load_manifest  # noqa: E402


def test_the_smoke_training_makes_data_weights_and_their_description(tmp_path: Path) -> None:
    train(out=tmp_path, smoke=True)
    manifest = load_manifest(tmp_path / "data" / "manifest.json")
    model = open_model_folder(tmp_path / "model")
    model.verify()
    assert model.dataset == manifest.digest
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    losses = lines[-1]["losses"]
    assert all(np.isfinite(value) for value in losses.values())
    assert lines[-1]["steps"] > 5
    assert (tmp_path / "nano_torch_outputs.npz").stat().st_size < 120_000
