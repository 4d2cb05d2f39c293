"""Read one clip of PhysicalAI-Autonomous-Vehicles, strictly; pictures stay encoded until they are asked for."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import AlpamayoError, ArtifactError, ConfigurationError, expected_one_of
from alpamayo_ros.geometry.rotation import invert, rotate
from alpamayo_ros.importers.foreign_error import sentence_of
from alpamayo_ros.importers.jpeg import encode_jpeg
from alpamayo_ros.importers.physical_ai_av_devkit import OpenedDataset
from alpamayo_ros.perception.picture_file import PictureError, PictureSize, validate_size
from alpamayo_ros.structs.pose import Pose

CAMERAS = (
    "camera_cross_left_120fov",
    "camera_front_wide_120fov",
    "camera_cross_right_120fov",
    "camera_rear_left_70fov",
    "camera_rear_tele_30fov",
    "camera_rear_right_70fov",
    "camera_front_tele_30fov",
)
"""Camera ids in the order of the Alpamayo models' camera indices."""

EGOMOTION = "egomotion"
INTRINSICS = "camera_intrinsics"
EXTRINSICS = "sensor_extrinsics"

PICTURES_AT_ONCE = 8
"""Pictures that are decoded in one call: the devkit begins each call at a key frame, and raw pictures are large."""

Parsed = TypeVar("Parsed")

_CLIP_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class EgoMotion:
    """Motion of the rig in the clip's anchor frame.

    Attributes:
        times_us: int64 (N,), clip time.
        poses: Of the rig.
        velocities_mps: Of the rig's origin, in the rig frame.
    """

    times_us: NDArray[np.int64]
    poses: Sequence[Pose]
    velocities_mps: Sequence[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class FThetaLens:
    """A lens whose image radius is a polynomial of the angle to its axis.

    Attributes:
        width: px.
        height: px.
        cx: Principal point, px.
        cy: Principal point, px.
        fw_poly: Radius in px from the angle in rad, lowest power first.
        bw_poly: The angle from the radius.
    """

    width: int
    height: int
    cx: float
    cy: float
    fw_poly: tuple[float, ...]
    bw_poly: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip.

    Attributes:
        clip_id: UUID.
        cameras: By camera id.
        ego_motion: None when it is absent.
        rig_from_optical: Camera poses in the rig frame, by camera id.
        lenses: By camera id.
        absent: What the clip, or the local copy, does not have, one sentence each.
        marked_invalid: Whether the data set marks the clip as not valid.
    """

    clip_id: str
    cameras: Mapping[str, "ClipCamera"]
    ego_motion: EgoMotion | None
    rig_from_optical: Mapping[str, Pose]
    lenses: Mapping[str, FThetaLens]
    absent: tuple[str, ...]
    marked_invalid: bool


class ClipCamera:
    """The pictures of one camera; a block of them is decoded at a time and kept as JPEG files."""

    def __init__(self, clip_id: str, camera: str, quality: int, reader: Any) -> None:
        """Take the devkit's reader of the camera's video.

        Raises:
            ArtifactError: Its time stamps are not usable.
        """
        self.camera = camera
        self.times_us = _times(f"clip {clip_id}: {camera}", reader.timestamps)
        self._what = f"clip {clip_id}: {camera}"
        self._reader = reader
        self._quality = quality
        self._size: PictureSize | None = None
        self._first = 0
        self._block: list[bytes] = []

    def jpeg(self, index: int) -> bytes:
        """Return one picture as a JPEG file; asking in rising order decodes each block once.

        Raises:
            ArtifactError: It cannot be decoded, or has another size than the first one.
        """
        if not self._first <= index < self._first + len(self._block):
            self._block = []
            self._block = self._decoded(index, min(index + PICTURES_AT_ONCE, len(self.times_us)))
            self._first = index
        return self._block[index - self._first]

    def close(self) -> None:
        """Free the video."""
        self._block = []
        self._reader.close()

    def _decoded(self, first: int, end: int) -> list[bytes]:
        wanted = f"{self._what}: pictures {first} to {end - 1}"
        try:
            pictures = np.asarray(self._reader.decode_images_from_frame_indices(np.arange(first, end, dtype=np.int64)))
        except Exception as error:
            # Whatever PyAV meets first.
            raise ArtifactError(f"{wanted} cannot be decoded: {sentence_of(error)}") from error
        if pictures.dtype != np.uint8 or pictures.ndim != 4 or len(pictures) != end - first or pictures.shape[3] != 3:
            raise ArtifactError(
                f"{wanted} have shape {pictures.shape} and type {pictures.dtype}; "
                f"expected ({end - first}, height, width, 3) and uint8"
            )
        size = PictureSize(pictures.shape[2], pictures.shape[1])
        try:
            validate_size(size)
        except PictureError as error:
            raise ArtifactError(f"{wanted}: {error}") from error
        if self._size not in (None, size):
            raise ArtifactError(f"{wanted} have {size}; expected {self._size} as before")
        self._size = size
        return [encode_jpeg(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), self._quality) for picture in pictures]


def read_clip(dataset: OpenedDataset, clip_id: str, cameras: Sequence[str], quality: int) -> Clip:
    """Read everything of a clip but its pictures.

    Args:
        dataset: Where from.
        clip_id: UUID of the clip.
        cameras: Cameras that have to be there; empty for all that are.
        quality: Of the JPEG files, 1 to 100.

    Raises:
        ConfigurationError: The clip or a camera is not known, or a wanted camera or everything is absent.
        ArtifactError: A part is damaged.
    """
    if not _CLIP_ID.fullmatch(clip_id):
        raise ConfigurationError(f"clip {clip_id!r} is not a clip id; expected a UUID in lower case")
    for camera in cameras:
        if camera not in CAMERAS:
            raise ConfigurationError(expected_one_of("camera", camera, CAMERAS))
    if clip_id not in dataset.devkit.clip_index.index:
        raise ConfigurationError(f"clip {clip_id} is not in the index of the data set; expected one of its clips")
    features = _Features(dataset, clip_id)
    found: dict[str, ClipCamera] = {}
    for camera in CAMERAS:
        if not cameras or camera in cameras:
            reader = features.read(camera, partial(ClipCamera, clip_id, camera, quality))
            if reader is not None:
                found[camera] = reader
    if set(cameras) - set(found):
        raise ConfigurationError(f"clip {clip_id} lacks what was asked for: {'; '.join(features.absent)}")
    ego_motion = features.read(EGOMOTION, partial(_ego_motion, clip_id))
    if not found and ego_motion is None:
        raise ConfigurationError(f"clip {clip_id} has neither pictures nor ego motion: {'; '.join(features.absent)}")
    return Clip(
        clip_id=clip_id,
        cameras=found,
        ego_motion=ego_motion,
        rig_from_optical=features.read(EXTRINSICS, partial(_camera_poses, clip_id, found)) or {},
        lenses=features.read(INTRINSICS, partial(_lenses, clip_id, found)) or {},
        absent=tuple(features.absent),
        marked_invalid=not features.cell(dataset.devkit.clip_index, "clip_is_valid"),
    )


class _Features:
    """Reads the features of one clip and notes which are absent."""

    def __init__(self, dataset: OpenedDataset, clip_id: str) -> None:
        self._dataset = dataset
        self._clip_id = clip_id
        self.absent: list[str] = []

    def read(self, feature: str, parse: Callable[[Any], Parsed]) -> Parsed | None:
        """Return a feature as ``parse`` makes it, None when the clip or the local copy does not have it."""
        devkit = self._dataset.devkit
        if feature not in devkit.features.ALL or not self.cell(devkit.feature_presence, feature):
            self.absent.append(f"{feature}: the data set does not have it for this clip")
            return None
        try:
            return parse(devkit.get_clip_feature(self._clip_id, feature, maybe_stream=self._dataset.streaming))
        except AlpamayoError:
            raise
        except FileNotFoundError:
            self.absent.append(f"{feature}: it is not in the copy of the data set that was read")
            return None
        except Exception as error:
            # The devkit raises whatever zipfile, pandas, pyarrow and PyAV meet first.
            raise ArtifactError(f"clip {self._clip_id}: {feature} cannot be read: {sentence_of(error)}") from error

    def cell(self, table: Any, column: str) -> bool:
        """Return what a table says about the clip, True when it says nothing."""
        if column not in table.columns or self._clip_id not in table.index:
            return True
        try:
            return bool(table.at[self._clip_id, column])
        except (TypeError, ValueError) as error:
            # A clip that has two rows gives two values.
            raise ArtifactError(
                f"clip {self._clip_id}: {column} cannot be read: {sentence_of(error)}; expected yes or no"
            ) from error


def _times(what: str, values: Any) -> NDArray[np.int64]:
    times_us = np.asarray(values)
    if times_us.ndim != 1 or not len(times_us) or not np.issubdtype(times_us.dtype, np.integer):
        raise ArtifactError(
            f"{what} has time stamps of shape {times_us.shape} and type {times_us.dtype}; expected whole microseconds"
        )
    times_us = times_us.astype(np.int64)
    steps = np.flatnonzero(np.diff(times_us) <= 0)
    if len(steps):
        index = int(steps[0])
        raise ArtifactError(
            f"{what} has time stamp {times_us[index + 1]} us after {times_us[index]} us; expected increasing ones"
        )
    return times_us


def _ego_motion(clip_id: str, interpolator: Any) -> EgoMotion:
    what = f"clip {clip_id}: {EGOMOTION}"
    times_us = _times(what, interpolator.timestamps)
    state = interpolator.values
    positions = _table(f"{what}: position", state.pose.translation, len(times_us), 3)
    quaternions = _table(f"{what}: rotation", state.pose.rotation.as_quat(), len(times_us), 4)
    # The data set gives velocities in the anchor frame, ROS wants them in the moving one.
    velocities = rotate(invert(quaternions), _table(f"{what}: velocity", state.velocity, len(times_us), 3))
    poses = [_pose(position, quaternion) for position, quaternion in zip(positions, quaternions, strict=True)]
    return EgoMotion(times_us, poses, [(float(x), float(y), float(z)) for x, y, z in velocities])


def _table(what: str, values: Any, rows: int, columns: int) -> NDArray[np.float64]:
    table = np.asarray(values, dtype=np.float64)
    if table.shape != (rows, columns):
        raise ArtifactError(f"{what} has shape {table.shape}; expected {(rows, columns)}")
    if not np.isfinite(table).all():
        row = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])
        raise ArtifactError(f"{what} {row} is {table[row].tolist()}; expected finite numbers")
    return table


def _pose(position: NDArray[np.float64], quaternion: NDArray[np.float64]) -> Pose:
    x, y, z = (float(value) for value in position)
    qx, qy, qz, qw = (float(value) for value in quaternion)
    return Pose((x, y, z), (qx, qy, qz, qw))


def _camera_poses(clip_id: str, wanted: Mapping[str, ClipCamera], extrinsics: Any) -> dict[str, Pose]:
    poses: dict[str, Pose] = {}
    for camera in sorted(set(wanted) & set(extrinsics.sensor_poses)):
        transform = extrinsics.sensor_poses[camera]
        what = f"clip {clip_id}: {EXTRINSICS} of {camera}"
        position = _table(f"{what}: position", np.reshape(transform.translation, (1, -1)), 1, 3)
        quaternion = _table(f"{what}: rotation", np.reshape(transform.rotation.as_quat(), (1, -1)), 1, 4)
        poses[camera] = _pose(position[0], quaternion[0])
    return poses


def _lenses(clip_id: str, wanted: Mapping[str, ClipCamera], intrinsics: Any) -> dict[str, FThetaLens]:
    lenses: dict[str, FThetaLens] = {}
    for camera in sorted(set(wanted) & set(intrinsics.camera_models)):
        model = intrinsics.camera_models[camera]
        cx, cy = (float(value) for value in model.principal_point)
        lens = FThetaLens(
            width=int(model.width),
            height=int(model.height),
            cx=cx,
            cy=cy,
            fw_poly=tuple(float(value) for value in model.th2r.coef),
            bw_poly=tuple(float(value) for value in model.r2th.coef),
        )
        if not all(map(math.isfinite, (lens.cx, lens.cy, *lens.fw_poly, *lens.bw_poly))):
            raise ArtifactError(f"clip {clip_id}: {INTRINSICS} of {camera} are {lens}; expected finite numbers")
        lenses[camera] = lens
    return lenses
