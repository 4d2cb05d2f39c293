"""One training run: it ends by the clock, goes on where it was broken off, and writes down what it measures."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.inference.networks.anatomy import Anatomy
from alpamayo_ros.inference.networks.nano import Nano
from alpamayo_ros.training.batches import TRAINING_VARIATION, BatchStream
from alpamayo_ros.training.losses import LossWeights, NanoLoss
from alpamayo_ros.training.muon import Muon
from alpamayo_ros.training.precision import faster_precision
from alpamayo_ros.training.progress_metrics import measure_progress
from alpamayo_ros.training.shard import Shard

AVERAGE_DECAY = 0.999
"""Decay of the running average of the weights; the average is what is measured and exported."""

NOT_HIDDEN = ("reasoning.words", "reasoning.navigation", "action.leave", "heads.", "decisions.")
"""Names of what begins with these has no matrix between hidden layers."""

NOTHING = "nothing"

SAVE_EVERY_S = 120.0
"""Time between two checkpoints: the most that a run loses that is broken off."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run is configured by; a checkpoint of other options is refused.

    Attributes:
        minutes: Time of training, without the making of data and the export.
        seed: Of weights, draws and noise.
        batch: Samples of one step.
        learning_rate: Its peak.
        matrix_rate: Peak of the rate of hidden layers' matrices and convolutions.
        weight_decay: Of matrices.
        measure_every_s: Time between two measurements.
        measured: Samples of a measurement.
        begin_with: Digest of the model that the run begins with, or ``NOTHING``.
    """

    minutes: float
    seed: int = 0
    batch: int = 16
    learning_rate: float = 1.5e-3
    matrix_rate: float = 3e-3
    weight_decay: float = 0.05
    measure_every_s: float = 300.0
    measured: int = 512
    begin_with: str = NOTHING

    def identity(self, anatomy: Anatomy, dataset: str) -> str:
        """Return what names a run of this kind, so that no other checkpoint is taken up."""
        options = asdict(self)
        if self.begin_with == NOTHING:
            del options["begin_with"]
        document = {
            "options": options,
            "losses": asdict(LossWeights()),
            "anatomy": anatomy.document(),
            "dataset": dataset,
        }
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


@dataclass(slots=True)
class Progress:
    """How far a run has come.

    Attributes:
        steps: Steps done.
        seconds: Time of training so far, over all parts of a broken run.
        metrics: The newest measurement.
    """

    steps: int = 0
    seconds: float = 0.0
    metrics: dict[str, float] | None = None


def learning_rate_at(share: float, steps: int, peak: float) -> float:
    """Return the learning rate at a share of the time: a short rise by steps, then half a cosine down to a fiftieth."""
    rise = min(1.0, (steps + 1) / 200.0)
    return peak * rise * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(max(share, 0.0), 1.0))))


def hidden_weights(named: Iterable[tuple[str, nn.Parameter]]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the weights between hidden layers, and all others: embeddings, places, biases, norms and last layers."""
    hidden: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, value in named:
        is_hidden = value.ndim >= 2 and name.endswith(".weight") and not name.startswith(NOT_HIDDEN)
        (hidden if is_hidden else others).append(value)
    return hidden, others


class TrainingRun:
    """Model, optimisers and data of one run in one folder."""

    def __init__(
        self,
        folder: Path,
        anatomy: Anatomy,
        options: RunOptions,
        shard: Shard,
        weights: NDArray[np.float64],
        kept_back: NDArray[np.int64],
        dataset: str,
        begin: Mapping[str, Tensor] | None = None,
    ) -> None:
        """Set up, and take up the folder's checkpoint if there is one.

        Args:
            folder: Where checkpoint and log stand.
            anatomy: Sizes of the model.
            options: How to train.
            shard: All samples.
            weights: How often each sample is drawn; 0 for those kept back.
            kept_back: Samples that are measured on.
            dataset: Digest of the data set.
            begin: Weights to begin with; random ones by default.

        Raises:
            ConfigurationError: The checkpoint is of another run.
        """
        self.folder, self.options, self.shard = folder, options, shard
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.identity = options.identity(anatomy, dataset)
        torch.manual_seed(options.seed)
        self.nano = Nano(anatomy).to(self.device, memory_format=torch.channels_last)
        if begin is not None:
            self.nano.load_state_dict(begin)
        self.average = Nano(anatomy).to(self.device, memory_format=torch.channels_last)
        self.average.load_state_dict(self.nano.state_dict())
        self.loss = NanoLoss(anatomy, LossWeights()).to(self.device)
        self.precision = faster_precision(self.device)
        hidden, others = hidden_weights([*self.nano.named_parameters(), *self.loss.named_parameters()])
        self.optimisers: tuple[tuple[torch.optim.Optimizer, float], ...] = (
            (Muon(hidden, options.matrix_rate, options.weight_decay), options.matrix_rate),
            (torch.optim.AdamW(others, options.learning_rate, (0.9, 0.98), weight_decay=0.0), options.learning_rate),
        )
        self.progress = Progress()
        self._weights = weights
        self._kept_back = np.random.default_rng(options.seed).permutation(kept_back)[: options.measured]
        if self.checkpoint.exists():
            self._take_up()

    @property
    def checkpoint(self) -> Path:
        """File of the newest checkpoint."""
        return self.folder / "checkpoint.pt"

    def train(self, watch: Callable[[Progress, dict[str, float]], None]) -> None:
        """Train until the time is used up; measure at intervals and at the end.

        Args:
            watch: Called after each step with the losses of the last one.
        """
        limit = 60.0 * self.options.minutes
        stream = BatchStream(
            self.shard, self._weights, self.options.batch, self.options.seed, TRAINING_VARIATION, self.progress.steps
        )
        generator = torch.Generator(device=self.device).manual_seed(self.options.seed + 1 + self.progress.steps)
        begun, before = time.monotonic(), self.progress.seconds
        measured = saved = before
        losses: dict[str, float] = {}
        self.nano.train()
        try:
            for batch in stream:
                self.progress.seconds = before + time.monotonic() - begun
                if self.progress.seconds >= limit:
                    break
                losses = self._step(batch, generator, self.progress.seconds / limit)
                watch(self.progress, losses)
                if self.progress.seconds - measured >= self.options.measure_every_s:
                    self.measure(losses)
                    measured = self.progress.seconds
                if self.progress.seconds - saved >= SAVE_EVERY_S:
                    self.save()
                    saved = self.progress.seconds
        finally:
            stream.close()
        self.measure(losses)
        self.save()

    def measure(self, losses: dict[str, float]) -> dict[str, float]:
        """Measure the averaged weights, and add a line to the log."""
        metrics = measure_progress(self.average, self.shard, self._kept_back) if len(self._kept_back) else {}
        self.progress.metrics = metrics
        line = {"steps": self.progress.steps, "seconds": round(self.progress.seconds, 1)}
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({**line, "losses": losses, **metrics}) + "\n")
        return metrics

    def save(self) -> None:
        """Write the checkpoint; a broken write leaves the one before."""
        state: dict[str, Any] = {
            "identity": self.identity,
            "steps": self.progress.steps,
            "seconds": self.progress.seconds,
            "nano": self.nano.state_dict(),
            "average": self.average.state_dict(),
            "loss": self.loss.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser, _ in self.optimisers],
        }
        part = self.checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.checkpoint)

    def _take_up(self) -> None:
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        if state["identity"] != self.identity:
            raise ConfigurationError(
                f"checkpoint {self.checkpoint} is of a run with other options, sizes or data; expected the same: "
                "name another folder, or remove it"
            )
        self.nano.load_state_dict(state["nano"])
        self.average.load_state_dict(state["average"])
        self.loss.load_state_dict(state["loss"])
        for (optimiser, _), saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.progress = Progress(state["steps"], state["seconds"])

    def _step(self, batch: Any, generator: torch.Generator, share: float) -> dict[str, float]:
        for optimiser, peak in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = learning_rate_at(share, self.progress.steps, peak)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision is torch.bfloat16):
            losses = self.loss(self.nano, batch.to(self.device), generator)
        losses["all"].backward()
        torch.nn.utils.clip_grad_norm_([*self.nano.parameters(), *self.loss.parameters()], 1.0)
        for optimiser, _ in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        decay = min(AVERAGE_DECAY, (1 + self.progress.steps) / (10 + self.progress.steps))
        with torch.no_grad():
            for kept, value in zip(self.average.parameters(), self.nano.parameters(), strict=True):
                kept.lerp_(value, 1.0 - decay)
        self.progress.steps += 1
        return {name: float(value.detach()) for name, value in losses.items()}
