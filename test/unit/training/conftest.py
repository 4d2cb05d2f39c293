"""Small shards for tests."""

from collections.abc import Callable

import numpy as np
import pytest

from alpamayo_ros.training.shard import PICTURES, Shard


def small_shard(count: int, seed: int = 0, **changed: object) -> Shard:
    """Return samples of random numbers; pictures are a few bytes that are no JPEG."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 9, count * PICTURES)
    boxes = random.integers(0, 4, count)
    arrays = {
        "pictures": random.integers(0, 256, int(lengths.sum())).astype(np.uint8),
        "picture_ends": np.cumsum(lengths).astype(np.int64),
        "history": random.standard_normal((count, 16, 4)).astype(np.float32),
        "navigation": random.integers(0, 4, count).astype(np.int8),
        "speed_mps": random.uniform(0.0, 20.0, count).astype(np.float32),
        "actions": random.standard_normal((count, 64, 2)).astype(np.float32),
        "future": random.standard_normal((count, 64, 4)).astype(np.float32),
        "tokens": random.integers(0, 100, (count, 40)).astype(np.int16),
        "label": random.integers(-1, 11, count).astype(np.int8),
        "decisive": random.integers(0, 2, count).astype(np.bool_),
        "meta": random.integers(1, 3, (count, 3)).astype(np.int8),
        "boxes": random.uniform(0.0, 90.0, (int(boxes.sum()), 7)).astype(np.float32),
        "box_ends": np.cumsum(boxes).astype(np.int64),
        "episode": np.zeros(count, np.int32),
        "step": np.arange(count, dtype=np.int32),
        "edited": np.zeros(count, np.bool_),
        "displaced": np.zeros((count, 2), np.float32),
        "episodes": np.array([f"curve:{seed}"]),
    }
    return Shard(**{**arrays, **changed})  # type: ignore[arg-type]


@pytest.fixture
def make_shard() -> Callable[..., Shard]:
    """Return what makes small shards."""
    return small_shard
