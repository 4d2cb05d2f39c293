"""Sampled trajectories in the rig frame at t0."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

TRAJECTORY_FIELDS = ("x", "y", "z", "yaw", "speed", "acceleration", "curvature")
"""Per-point fields of a trajectory set, in the order of msg/TrajectorySet.msg."""


@dataclass(frozen=True, slots=True)
class TrajectorySet:
    """K sampled trajectories of N points in the rig frame at t0; point k lies at t0 + (k + 1) * dt.

    Every array is float32 (K, N), the dtype of the message, so that values that crossed DDS equal
    values that did not.

    Attributes:
        t0_ns: Model time in ns.
        dt_s: Time between points in s (float32 value).
        x: Forward, m.
        y: Left, m.
        z: Up, m.
        yaw: Left positive, rad.
        speed: m/s, negative when reversing.
        acceleration: Along the path, m/s^2.
        curvature: Left positive, 1/m.
        selected_index: Which sample is the plan.
        selection_rule: Why that one.
        lineage_id: ``sha256:`` id of the lineage.
        envelope_id: ``sha256:`` id of the envelope, or ``none``.
    """

    t0_ns: int
    dt_s: float
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    z: NDArray[np.float32]
    yaw: NDArray[np.float32]
    speed: NDArray[np.float32]
    acceleration: NDArray[np.float32]
    curvature: NDArray[np.float32]
    selected_index: int = 0
    selection_rule: str = "only sample"
    lineage_id: str = ""
    envelope_id: str = ""

    def __post_init__(self) -> None:
        """Quantise to the message's dtypes and require one shape (K, N) with K, N >= 1."""
        object.__setattr__(self, "dt_s", float(np.float32(self.dt_s)))
        shape = np.shape(self.x)
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"trajectory field x has shape {shape}; expected (samples, points), both at least 1")
        for name in TRAJECTORY_FIELDS:
            array = _as_float32(getattr(self, name))
            if array.shape != shape:
                raise ValueError(f"trajectory field {name} has shape {array.shape}; expected {shape}")
            object.__setattr__(self, name, array)
        if not 0 <= self.selected_index < shape[0]:
            raise ValueError(f"selected_index {self.selected_index} is out of range; expected 0 to {shape[0] - 1}")

    @property
    def sample_count(self) -> int:
        """K, the number of sampled trajectories."""
        return int(self.x.shape[0])

    @property
    def point_count(self) -> int:
        """N, the number of points per trajectory."""
        return int(self.x.shape[1])


def _as_float32(values: ArrayLike) -> NDArray[np.float32]:
    if isinstance(values, np.ndarray) and values.dtype == np.float32:
        flags = values.flags
        if flags.c_contiguous and not flags.writeable:
            return values
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and whoever reads it sees that
        array = np.ascontiguousarray(values, dtype=np.float32)
    if array.flags.writeable:
        if array is values:
            array = array.copy()
        array.flags.writeable = False
    return array
