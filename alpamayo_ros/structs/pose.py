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


@dataclass(frozen=True, slots=True)
class OdometryFrame:
    """The frame that odometry is about, where that is not the rig.

    Attributes:
        child_frame: ``child_frame_id`` of the odometry messages.
        rig_in_child: Pose of the rig in that frame.
    """

    child_frame: str
    rig_in_child: Pose
