"""Observations for the tests of the stages."""

from collections.abc import Callable

import numpy as np
import pytest

from alpamayo_ros.structs.observation import EgoHistory, Observation


@pytest.fixture
def straight_observation() -> Callable[..., Observation]:
    """Return a function that builds the observation of a straight drive at constant speed."""

    def build(speed_mps: float = 8.0, t0_ns: int = 1_700_000_000_000_000_000) -> Observation:
        offsets_ns = np.arange(-15, 1, dtype=np.int64) * 100_000_000
        position = np.zeros((16, 3))
        position[:, 0] = speed_mps * offsets_ns * 1e-9
        history = EgoHistory(
            offsets_ns, position, np.stack([np.eye(3)] * 16), np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0])
        )
        return Observation(t0_ns, 0, history)

    return build
