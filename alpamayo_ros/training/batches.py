"""Batches for training: samples drawn by weight, pictures decoded and varied, in a thread beside the training."""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpamayo_ros.errors import ArtifactError
from alpamayo_ros.inference.networks.anatomy import CAMERAS, FRAMES, HEIGHT_PX, STEP_S, WIDTH_PX
from alpamayo_ros.training.motion_targets import ACTIONS
from alpamayo_ros.training.shard import BOX_CLASSES, PICTURES, Shard

CELL_PX = 8
"""Edge of a cell of the dense heads."""
FARTHEST_M = 120.0
LEAST_AREA_PX2 = 3.0
"""What is smaller in the picture is asked of nobody."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of one training step; see Shard for the meaning of the rows."""

    images: Tensor
    history: Tensor
    navigation: Tensor
    speed_mps: Tensor
    actions: Tensor
    future: Tensor
    tokens: Tensor
    label: Tensor
    meta: Tensor
    decisive: Tensor
    seen: Tensor
    """Dense targets (B, C, classes + 1, 12, 20): presence by class, then distance as log share, 0 where nothing is."""

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on another device."""
        return Batch(**{name: getattr(self, name).to(device, non_blocking=True) for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class Variation:
    """How samples are varied while training; the default leaves them as they are.

    Attributes:
        light: Spread of brightness, contrast and colour.
        noise: Largest standard deviation of pixel noise, 0..255.
        history_dropout: Share of samples whose history keeps only the present speed.
        history_noise_m: Standard deviation of history positions.
    """

    light: float = 0.0
    noise: float = 0.0
    history_dropout: float = 0.0
    history_noise_m: float = 0.0


TRAINING_VARIATION = Variation(light=0.2, noise=6.0, history_dropout=0.3, history_noise_m=0.01)


def load_batch(
    shard: Shard, samples: NDArray[np.int64], random: np.random.Generator, variation: Variation = Variation()
) -> Batch:
    """Return the named samples of a shard as tensors."""
    images = np.stack([decode_pictures(shard, int(sample)) for sample in samples])
    if variation.light or variation.noise:
        images = _varied(images, random, variation)
    history = _varied_history(shard.history[samples], shard.speed_mps[samples], random, variation)
    seen = np.stack([dense_targets(shard.boxes_of(int(sample))) for sample in samples])
    actions = ACTIONS.normalised(shard.actions[samples]).astype(np.float32)
    tokens = shard.tokens[samples].astype(np.int64)
    longest = max(int((tokens > 0).sum(axis=1).max(initial=2)), 2)
    return Batch(
        images=torch.from_numpy(images),
        history=torch.from_numpy(history),
        navigation=torch.from_numpy(shard.navigation[samples].astype(np.int64)),
        speed_mps=torch.from_numpy(shard.speed_mps[samples]),
        actions=torch.from_numpy(actions),
        future=torch.from_numpy(shard.future[samples]),
        tokens=torch.from_numpy(tokens[:, :longest]),
        label=torch.from_numpy(shard.label[samples].astype(np.int64)),
        meta=torch.from_numpy(shard.meta[samples].astype(np.int64)),
        decisive=torch.from_numpy(shard.decisive[samples]),
        seen=torch.from_numpy(seen),
    )


def decode_pictures(shard: Shard, sample: int) -> NDArray[np.uint8]:
    """Return the pictures (C, F, H, W, 3) of one sample, red green blue.

    Raises:
        ArtifactError: A picture cannot be decoded or has another size.
    """
    pictures = np.empty((PICTURES, HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    for number, jpeg in enumerate(shard.jpegs(sample)):
        picture = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
        if picture is None or picture.shape != pictures.shape[1:]:
            raise ArtifactError(f"sample {sample}: picture {number} is no JPEG of {WIDTH_PX} x {HEIGHT_PX} px")
        cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=pictures[number])
    return pictures.reshape(len(CAMERAS), FRAMES, HEIGHT_PX, WIDTH_PX, 3)


def dense_targets(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return presence by class and distance (C, classes + 1, rows, columns) of boxes (m, 7).

    A cell belongs to a box that covers its middle; a box that covers no middle gets the cell of its own middle.
    """
    rows, columns = HEIGHT_PX // CELL_PX, WIDTH_PX // CELL_PX
    seen = np.zeros((len(CAMERAS), len(BOX_CLASSES) + 1, rows, columns), dtype=np.float32)
    for camera, kind, left, top, right, bottom, distance in sorted(boxes.tolist(), key=lambda box: -box[6]):
        if (right - left) * (bottom - top) < LEAST_AREA_PX2:
            continue
        first_column, last_column = _cells(left, right, columns)
        first_row, last_row = _cells(top, bottom, rows)
        patch = (slice(first_row, last_row), slice(first_column, last_column))
        seen[int(camera), int(kind)][patch] = 1.0
        if kind < len(BOX_CLASSES) - 1:
            seen[int(camera), -1][patch] = 1.0 - np.log1p(min(distance, FARTHEST_M)) / np.log1p(FARTHEST_M)
    return seen


def _cells(low: float, high: float, count: int) -> tuple[int, int]:
    first, last = round(low / CELL_PX), round(high / CELL_PX)
    if last <= first:
        first = int((low + high) / 2 / CELL_PX)
        last = first + 1
    first = min(max(first, 0), count - 1)
    return first, min(max(last, first + 1), count)


def _varied(images: NDArray[np.uint8], random: np.random.Generator, variation: Variation) -> NDArray[np.uint8]:
    """Vary light for a whole sample and add pixel noise; one table lookup per channel keeps it cheap."""
    varied = np.empty_like(images)
    steps = np.arange(256, dtype=np.float32)
    for number, sample in enumerate(images):
        contrast, bright = np.exp(random.normal(0.0, variation.light)), random.normal(0.0, 40.0 * variation.light)
        tint = random.normal(0.0, 0.25 * variation.light, 3)
        table = (steps[:, None] - 110.0) * contrast + 110.0 + bright
        table = np.clip(table * (1.0 + tint), 0.0, 255.0).astype(np.uint8)
        flat = sample.reshape(-1, WIDTH_PX, 3)
        changed = np.asarray(cv2.LUT(flat, np.ascontiguousarray(table[None])), np.uint8)
        deviation = random.uniform(0.0, variation.noise)
        if deviation > 1.0:
            field = random.integers(0, 1 << 16)
            changed = _with_noise(changed, deviation, int(field))
        varied[number] = changed.reshape(sample.shape)
    return varied


_NOISE = np.random.default_rng(7).standard_normal(1 << 20).astype(np.float32)
"""Drawn once: cutting a piece of it at a random place costs a tenth of drawing anew."""


def _with_noise(images: NDArray[np.uint8], deviation: float, place: int) -> NDArray[np.uint8]:
    noise = np.rint(_NOISE * deviation).astype(np.int16)
    added = np.resize(np.roll(noise, place), images.size).reshape(images.shape)
    return np.clip(images.astype(np.int16) + added, 0, 255).astype(np.uint8)


def _varied_history(
    history: NDArray[np.float32], speed_mps: NDArray[np.float32], random: np.random.Generator, variation: Variation
) -> NDArray[np.float32]:
    varied = history.copy()
    if variation.history_noise_m:
        noise = random.normal(0.0, variation.history_noise_m, (*history.shape[:2], 2))
        noise[:, -1] = 0.0
        varied[..., :2] += noise.astype(np.float32)
    dropped = random.random(len(history)) < variation.history_dropout
    offsets = STEP_S * np.arange(1 - history.shape[1], 1, dtype=np.float32)
    straight = np.zeros_like(history)
    straight[..., 0] = speed_mps[:, None] * offsets
    straight[..., 2] = 1.0
    varied[dropped] = straight[dropped]
    return varied


class BatchStream:
    """Endless batches, made by one thread ahead of their use.

    The order of samples is that of the seed and of the first batch's number, so a resumed run draws what an unbroken
    one would have drawn.
    """

    def __init__(
        self, shard: Shard, weights: NDArray[np.float64], size: int, seed: int, variation: Variation, first: int = 0
    ) -> None:
        """Start the thread.

        Args:
            shard: The samples.
            weights: How often each is drawn, relative to the others.
            size: Samples of one batch.
            seed: Seed of the draw.
            variation: How samples are varied.
            first: Number of the first batch.
        """
        self._shard, self._size, self._seed, self._variation = shard, size, seed, variation
        self._sums = np.cumsum(weights / weights.sum())
        self._ready: queue.Queue[Batch | BaseException] = queue.Queue(maxsize=4)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._fill, args=(first,), daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Batch]:
        while True:
            batch = self._ready.get()
            if isinstance(batch, BaseException):
                raise batch
            yield batch

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        while self._thread.is_alive():
            # The thread may wait for room in the queue.
            with suppress(queue.Empty):
                self._ready.get(timeout=0.05)
        self._thread.join()

    def _fill(self, number: int) -> None:
        try:
            while not self._stop.is_set():
                random = np.random.default_rng([self._seed, number])
                # Evenly spaced marks on the sums of weights: each batch holds each kind of sample in its share.
                marks = (np.arange(self._size) + random.random(self._size)) / self._size
                samples = np.minimum(np.searchsorted(self._sums, marks), len(self._sums) - 1)
                self._ready.put(load_batch(self._shard, samples, random, self._variation))
                number += 1
        except Exception as error:  # noqa: BLE001 it is raised again in the thread that trains
            self._ready.put(error)
