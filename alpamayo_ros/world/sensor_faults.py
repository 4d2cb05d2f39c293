"""Sensors that fail for a while: which frames and odometry samples still arrive, and what they show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ParameterError, expected_one_of

FAULT_KINDS = ("dropped", "frozen", "dark", "odometry_gap")
ODOMETRY = "odometry"
DARK_LIGHT = 0.02
"""Share of the light that a dark camera still shows: a covered lens, not a cut cable."""
ROUNDING = 1e-9
"""Times that differ by less are the same."""


@dataclass(frozen=True, slots=True)
class SensorFault:
    """One fault of one sensor from ``start_s`` until before ``end_s``.

    Attributes:
        kind: ``dropped`` (no frames), ``frozen`` (the last frame before the fault again and again, with fresh
            stamps), ``dark`` (almost no light) or ``odometry_gap`` (no odometry).
        sensor: Camera id, or ``odometry``.
        start_s: After the start of the episode.
        end_s: After the start of the episode.
    """

    kind: str
    sensor: str
    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        """Validate the fault.

        Raises:
            ParameterError: The kind is unknown, does not fit the sensor, or the times are not in order.
        """
        if self.kind not in FAULT_KINDS:
            raise ParameterError(expected_one_of("sensor fault", self.kind, FAULT_KINDS))
        if not self.sensor:
            raise ParameterError(f"sensor {self.sensor!r} of a fault is no name; expected: a camera id or {ODOMETRY}")
        if (self.kind == "odometry_gap") != (self.sensor == ODOMETRY):
            raise ParameterError(
                f"sensor fault {self.kind!r} of {self.sensor!r} cannot be; expected: odometry_gap of {ODOMETRY}, "
                f"or another fault of a camera"
            )
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s) and self.start_s < self.end_s):
            raise ParameterError(
                f"sensor fault {self.kind!r} lasts from {self.start_s!r} to {self.end_s!r}; "
                f"expected: finite times in s, the first below the second"
            )

    def holds(self, t_s: float) -> bool:
        """Tell whether the fault acts at a time."""
        return self.start_s <= t_s < self.end_s


@dataclass(frozen=True, slots=True)
class DeliveredFrame:
    """A frame that arrives.

    Attributes:
        shown_s: Time of the world that the frame shows.
        light: Share of the light that is left, 1 for a healthy camera.
        faults: Kinds of the faults that act on it.
    """

    shown_s: float
    light: float
    faults: tuple[str, ...]


def delivered_frame(faults: Sequence[SensorFault], camera: str, t_s: float, period_s: float) -> DeliveredFrame | None:
    """Say what a camera delivers at a time at which it takes a frame.

    A frame is dropped whatever else is wrong. A frozen camera shows its last frame before the fault; if that
    one was frozen as well, the frame before that; a camera that is frozen from the start shows its first frame.

    Args:
        faults: Of the episode, in any order.
        camera: Camera id.
        t_s: When the frame is taken, after the start of the episode.
        period_s: Time between two frames of this camera, above 0.

    Returns:
        None when nothing arrives.

    Raises:
        ParameterError: The period is not above 0.
    """
    if not period_s > 0.0:
        raise ParameterError(f"frame period {period_s!r} s is not possible; expected: above 0")
    own = [fault for fault in faults if fault.sensor == camera]
    acting = sorted({fault.kind for fault in own if fault.holds(t_s)})
    if "dropped" in acting:
        return None
    shown_s = t_s
    while starts := [fault.start_s for fault in own if fault.kind == "frozen" and fault.holds(shown_s)]:
        earlier_s = shown_s - (math.floor((shown_s - min(starts)) / period_s + ROUNDING) + 1) * period_s
        if earlier_s < -ROUNDING:
            shown_s -= math.floor(shown_s / period_s + ROUNDING) * period_s
            break
        shown_s = earlier_s
    return DeliveredFrame(shown_s, DARK_LIGHT if "dark" in acting else 1.0, tuple(acting))


def odometry_arrives(faults: Sequence[SensorFault], t_s: float) -> bool:
    """Tell whether an odometry sample of a time arrives."""
    return not any(fault.kind == "odometry_gap" and fault.holds(t_s) for fault in faults)


def dimmed(picture: NDArray[np.uint8], light: float) -> NDArray[np.uint8]:
    """Return a picture with a share of its light; the same picture when all of it is left."""
    if light >= 1.0:
        return picture
    return np.asarray(np.round(picture.astype(np.float32) * np.float32(light)), dtype=np.uint8)
