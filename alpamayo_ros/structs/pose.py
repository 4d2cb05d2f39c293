"""Rigid poses as plain values."""

from dataclasses import dataclass
from typing import NamedTuple


class OdometrySample(NamedTuple):
    """One pose of the rig in the odometry frame.

    A NamedTuple of floats rather than arrays: thousands arrive per second and most are only stored.
    """

    stamp_ns: int
    x: float
    y: float
    z: float
    qx: float
    qy: float
    qz: float
    qw: float


@dataclass(frozen=True, slots=True)
class Pose:
    """A frame's pose in another frame: position in m and unit quaternion in xyzw order."""

    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quaternion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
