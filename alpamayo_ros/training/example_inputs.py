"""Inputs of nano's three files that are the same on every machine; without torch, so that CI can make them."""

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.inference.networks.anatomy import CAMERAS, FRAMES, HEIGHT_PX, HISTORY_ROWS, POINTS, WIDTH_PX, Anatomy

Arrays = dict[str, NDArray[np.generic]]

EVERY = {"vision_tokens": 8, "grown_cache": 64}
"""Of large outputs only every so many numbers are kept beside the tests."""


def example_inputs(sizes: Anatomy, seed: int = 0) -> dict[str, Arrays]:
    """Return inputs of each file by name, of sizes that no dimension could be mistaken for a constant.

    Args:
        sizes: Of the model.
        seed: Seed of the numbers.
    """
    random = np.random.default_rng(seed)

    def normal(*shape: int) -> NDArray[np.float32]:
        return random.standard_normal(shape).astype(np.float32)

    cache = normal(sizes.layers, 2, sizes.heads, sizes.prefix + 5, sizes.head_width)
    return {
        "vision": {"images": random.integers(0, 256, (len(CAMERAS), FRAMES, HEIGHT_PX, WIDTH_PX, 3)).astype(np.uint8)},
        "reasoning": {
            "vision_tokens": normal(7, sizes.width),
            "history": normal(2, HISTORY_ROWS, 4),
            "navigation": np.array([1, 3], dtype=np.int64),
            "tokens": random.integers(0, sizes.vocabulary, 3).astype(np.int64),
            "cache": cache,
        },
        "action": {
            "states": normal(11, sizes.width),
            "history": normal(1, HISTORY_ROWS, 4),
            "noise": normal(6, POINTS, 2),
            "time": np.array(0.35, dtype=np.float32),
        },
    }
