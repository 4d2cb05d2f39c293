"""Draw parameters: training inside their ranges, held out in bands just outside of them."""

from collections.abc import Sequence

import numpy as np

from alpamayo_ros.errors import ParameterError, expected_one_of

TRAIN, HELD_OUT = "train", "held_out"
SPLITS = (TRAIN, HELD_OUT)
HELD_OUT_BAND = 0.15
"""Width of each band outside a range, as a share of the range."""


class Draw:
    """A stream of parameters of one split; the same numbers come out on every machine."""

    def __init__(self, split: str, seed: Sequence[int]) -> None:
        """Start a stream.

        Raises:
            ParameterError: The split is unknown.
        """
        if split not in SPLITS:
            raise ParameterError(expected_one_of("split", split, SPLITS))
        self.split = split
        self.rng = np.random.default_rng([*seed, SPLITS.index(split)])

    def within(self, low: float, high: float) -> float:
        """Return a number of the range in training, and of one of the bands outside of it when held out."""
        share = float(self.rng.random())
        if self.split == HELD_OUT:
            share = share * 2.0 * HELD_OUT_BAND
            share = share - HELD_OUT_BAND if share < HELD_OUT_BAND else 1.0 + share - HELD_OUT_BAND
        return round(low + share * (high - low), 4)

    def uniform(self, low: float, high: float) -> float:
        """Return a number of the range in both splits: for what bounds must hold and what is no parameter."""
        return round(low + float(self.rng.random()) * (high - low), 4)

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from low to high, both included, in both splits."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return bool(self.rng.random() < probability)

    def choice(self, options: Sequence[str], weights: Sequence[float] | None = None) -> str:
        """Return one of several names."""
        shares = None if weights is None else np.asarray(weights, dtype=np.float64) / sum(weights)
        return options[int(self.rng.choice(len(options), p=shares))]
