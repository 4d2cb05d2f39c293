"""Camera pictures as they arrive, and what is known about each camera."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from alpamayo_ros.structs.pose import OdometryFrame, Pose


@dataclass(frozen=True, slots=True)
class CameraFrame:
    """One picture as it arrived, not decoded.

    Attributes:
        camera: Camera id.
        stamp_ns: Header stamp in ns.
        encoding: ``jpeg`` or ``png`` for compressed pictures (whatever the header claims is in
            ``declared_format``), else the encoding of a raw picture such as ``rgb8``.
        data: The picture's bytes as recorded.
        height: Rows in px of a raw picture, 0 for compressed ones.
        width: Columns in px of a raw picture, 0 for compressed ones.
        step: Bytes per row of a raw picture, 0 for compressed ones.
        big_endian: Byte order of a raw picture with more than 8 bits per channel.
    """

    camera: str
    stamp_ns: int
    encoding: str
    data: bytes
    height: int = 0
    width: int = 0
    step: int = 0
    big_endian: bool = False

    @property
    def compressed(self) -> bool:
        """Whether the picture is a compressed file rather than raw rows."""
        return self.step == 0 and self.height == 0


@dataclass(frozen=True, slots=True)
class CameraIntrinsics:
    """Pinhole intrinsics of one camera, as in sensor_msgs/CameraInfo.

    Attributes:
        width: px.
        height: px.
        k: Row-major 3x3 camera matrix, px.
        distortion_model: ``plumb_bob``, ``rational_polynomial``, ``equidistant`` or empty for none.
        d: Distortion coefficients in the order of that model.
    """

    width: int
    height: int
    k: tuple[float, float, float, float, float, float, float, float, float]
    distortion_model: str = ""
    d: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraCalibration:
    """One calibrated camera of a rig.

    Attributes:
        camera: Camera id.
        intrinsics: Pinhole intrinsics, or None where only the pose is known.
        rig_from_optical: Pose of the optical frame (x right, y down, z forward) in the rig frame.
    """

    camera: str
    intrinsics: CameraIntrinsics | None
    rig_from_optical: Pose | None


@dataclass(frozen=True, slots=True)
class RigCalibration:
    """Everything that is calibrated on one rig.

    Attributes:
        cameras: By camera id.
        digest: ``sha256:`` id of the canonical document, ``none`` when there is no calibration.
        source: Where it came from, for people.
        odometry: The frame that odometry is about, None if that is the rig itself.
    """

    cameras: Mapping[str, CameraCalibration] = field(default_factory=dict)
    digest: str = "none"
    source: str = "none"
    odometry: OdometryFrame | None = None
