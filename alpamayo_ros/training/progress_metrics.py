"""Metrics of a training run on samples that are not trained on; the published ones come from the exported files."""

import numpy as np
import torch
from numpy.typing import NDArray

from alpamayo_ros.inference.networks.anatomy import POINTS, STEP_S
from alpamayo_ros.inference.networks.nano import Nano
from alpamayo_ros.reasoning.driving_language import LABELS, Answer, DrivingLanguage
from alpamayo_ros.training.batches import load_batch
from alpamayo_ros.training.sampling import answer, trajectories
from alpamayo_ros.training.shard import Shard

CHUNK = 64


def average_displacement(paths: NDArray[np.float32], driven: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean distance in m over all points of each path (..., N, 2) from the driven one (..., N, 2)."""
    return np.asarray(
        np.hypot(paths[..., 0] - driven[..., 0], paths[..., 1] - driven[..., 1]).mean(axis=-1), np.float64
    )


def constant_motion(history: NDArray[np.float32], speed_mps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return paths (S, 64, 2) at constant speed and turn rate, of history (S, 16, 4).

    The turn rate is that of the last half second.
    """
    rate = -np.arctan2(history[:, -6, 3], history[:, -6, 2]) / (5 * STEP_S)
    rate = np.clip(rate, -0.33 * speed_mps, 0.33 * speed_mps)
    time = STEP_S * np.arange(1, POINTS + 1, dtype=np.float32)
    half = 0.5 * rate[:, None] * time
    chord = speed_mps[:, None] * time * np.sinc(half / np.pi)
    return np.stack([chord * np.cos(half), chord * np.sin(half)], axis=-1).astype(np.float32)


def measure_progress(nano: Nano, shard: Shard, samples: NDArray[np.int64], seed: int = 0) -> dict[str, float]:
    """Return the metrics of some samples: answers are decoded greedily, trajectories sampled six times.

    Args:
        nano: The model, on any device.
        shard: Samples.
        samples: Which of them.
        seed: Of the noise.
    """
    device = next(nano.parameters()).device
    generator = torch.Generator(device=device).manual_seed(seed)
    language = DrivingLanguage()
    answers: list[Answer] = []
    paths = []
    nano.eval()
    with torch.no_grad():
        for start in range(0, len(samples), CHUNK):
            chunk = samples[start : start + CHUNK]
            batch = load_batch(shard, chunk, np.random.default_rng(0)).to(device)
            tokens, states = answer(nano, batch)
            answers += [language.decode(row) for row in tokens.tolist()]
            paths.append(trajectories(nano, batch, tokens, states, 6, 10, generator).cpu().numpy())
    nano.train()
    return _metrics(shard, samples, answers, np.concatenate(paths))


def _metrics(
    shard: Shard, samples: NDArray[np.int64], answers: list[Answer], paths: NDArray[np.float32]
) -> dict[str, float]:
    future = shard.future[samples]
    apart = average_displacement(paths[..., :2], future[:, None, :, :2])
    baseline = average_displacement(constant_motion(shard.history[samples], shard.speed_mps[samples]), future[..., :2])
    label = np.array([LABELS.index(one.label) if one.label else -1 for one in answers])
    meta = np.array([(one.longitudinal, one.lateral, one.lane) for one in answers])
    right = meta == shard.meta[samples]
    truth = shard.label[samples]
    same, caused = label == truth, truth >= 0
    metrics = {
        "min_ade_6_m": float(apart.min(axis=1).mean()),
        "ade_1_m": float(apart[:, 0].mean()),
        "kinematic_ade_m": float(baseline.mean()),
        "longitudinal": float(right[:, 0].mean()),
        "lateral": float(right[:, 1].mean()),
        "lane": float(right[:, 2].mean()),
        "meta": float(right.all(axis=1).mean()),
        "cause_right": float(same[caused].mean()) if caused.any() else float("nan"),
        "absence_right": float(same[~caused].mean()) if (~caused).any() else float("nan"),
    }
    for number, name in enumerate(LABELS):
        if (truth == number).sum() >= 4:
            metrics[f"cause_{name}"] = float(same[truth == number].mean())
    return metrics
