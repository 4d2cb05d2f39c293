"""The ego history as learned stages take it."""

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.structs.observation import EgoHistory


def history_tensor(history: EgoHistory) -> NDArray[np.float32]:
    """Return float32 (1, H, 4): x and y in m, cosine and sine of the yaw, in the rig frame at t0, oldest first."""
    yaw = np.arctan2(history.rotation[:, 1, 0], history.rotation[:, 0, 0])
    rows = np.column_stack([history.position_m[:, :2], np.cos(yaw), np.sin(yaw)])
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and whoever reads the output sees that
        return rows.astype(np.float32)[np.newaxis]
