"""One time-aligned model input."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.structs.camera_health import CameraHealth
from alpamayo_ros.structs.detection import DetectedActor
from alpamayo_ros.structs.navigation import Navigation


@dataclass(frozen=True, slots=True)
class EgoHistory:
    """Past poses of the rig, in the rig frame at t0, oldest first.

    Attributes:
        offsets_ns: int64 (H,), time of each row relative to t0; the last is 0.
        position_m: float64 (H, 3); the last row is exactly zero.
        rotation: float64 (H, 3, 3) rotation matrices; the last is exactly the identity.
        odom_from_rig_position_m: float64 (3,), position of the rig at t0 in the odometry frame.
        odom_from_rig_quaternion: float64 (4,), xyzw, orientation of the rig at t0 in the odometry frame.
    """

    offsets_ns: NDArray[np.int64]
    position_m: NDArray[np.float64]
    rotation: NDArray[np.float64]
    odom_from_rig_position_m: NDArray[np.float64]
    odom_from_rig_quaternion: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FrameReference:
    """Which recorded picture an observation used.

    Attributes:
        camera: Camera id.
        stamp_ns: Header stamp of the picture in ns.
        payload_sha256: Hexadecimal sha256 of the picture's bytes as received.
        width: Columns of the picture as received, px; 0 if unknown.
        height: Rows of the picture as received, px; 0 if unknown.
    """

    camera: str
    stamp_ns: int
    payload_sha256: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """One time-aligned model input at t0.

    Attributes:
        t0_ns: Model time in ns.
        epoch: Counts steps back of the trigger's clock.
        history: Ego history at t0 - i * period.
        frames: Used frames, camera-major in profile order, oldest first; empty without cameras.
        images: uint8 RGB (C, F, height, width, 3) at the profile's model size, None without cameras and once a
            perceive stage has turned them into tensors.
        worst_skew_ns: Largest distance of a camera's frame at t0 from t0, 0 without cameras.
        navigation: Command that holds at t0; NONE without one, and for profiles that take none.
        tensors: Outputs of the perceive stage by name; empty without one.
        camera_health: How well each camera sees, in profile order; empty without cameras.
        views: Newest picture of each camera at the detector's size, uint8 RGB (height, width, 3); it stays within
            perception and is no part of the message.
        actors: What the detector found in the newest frames, camera by camera; empty without a detector.
    """

    t0_ns: int
    epoch: int
    history: EgoHistory
    frames: tuple[FrameReference, ...] = ()
    images: NDArray[np.uint8] | None = None
    worst_skew_ns: int = 0
    navigation: Navigation = Navigation.NONE
    tensors: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    camera_health: tuple[CameraHealth, ...] = ()
    views: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    actors: tuple[DetectedActor, ...] = ()
