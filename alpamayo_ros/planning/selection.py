"""Which of the sampled trajectories is the plan."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Selection = Callable[[NDArray[np.float32], NDArray[np.float32]], int]
"""Takes x and y in m, each (K, N); returns the index of a sample."""


def first_sample(x: NDArray[np.float32], y: NDArray[np.float32]) -> int:  # noqa: ARG001 - whatever the samples are
    """Return the first one: samples have no order, so this is a fair draw."""
    return 0


def medoid(x: NDArray[np.float32], y: NDArray[np.float32]) -> int:
    """Return the sample with the smallest summed mean distance to the others, the first of equal ones."""
    with np.errstate(over="ignore"):
        distances = np.hypot(x[:, np.newaxis] - x, y[:, np.newaxis] - y, dtype=np.float64).mean(axis=2)
    return int(np.argmin(distances.sum(axis=1)))


SELECTIONS: Mapping[str, tuple[str, Selection]] = {
    "first_sample": ("first sample", first_sample),
    "medoid": ("medoid", medoid),
}
"""By the name in a profile: what the message says, and the rule."""
