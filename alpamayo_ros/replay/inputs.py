"""Turn the messages of a bag into the inputs of the pipeline."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import AlpamayoError, BagCorruptError, CalibrationError, TopicError
from alpamayo_ros.messages.topics import COMPRESSED_TYPE
from alpamayo_ros.messages.translator import (
    RIG_FRAME,
    camera_intrinsics,
    compressed_frame,
    odometry_struct,
    raw_frame,
    static_transforms,
)
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.perception.calibration import (
    calibration_digest,
    calibration_from_transforms,
    load_calibration,
    static_transform,
)
from alpamayo_ros.perception.rig_odometry import RigOdometry, unconnected
from alpamayo_ros.replay.topic_map import TopicMap
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.reader import BagReader
from alpamayo_ros.structs.camera import CameraCalibration, CameraFrame, RigCalibration
from alpamayo_ros.structs.pose import OdometryFrame, OdometrySample, Pose

TF_STATIC = "/tf_static"
TF_TYPE = "tf2_msgs/msg/TFMessage"

Transforms = list[tuple[str, str, Pose]]


def decode(message: BagMessage) -> Any:
    """Return the decoded message.

    Raises:
        BagCorruptError: The payload is not what its type says.
    """
    try:
        return deserialize(message.payload, message.type_name)
    except ValueError as error:
        raise BagCorruptError(
            f"message on {message.topic} received at {message.receive_ns} ns cannot be read: {error}"
        ) from error


@dataclass(frozen=True, slots=True)
class Rig:
    """What a bag and a calibration file say about the rig.

    Attributes:
        calibration: Every camera of the topic map, as far as it is known; for the report.
        used: The part of it that the profile's outputs can depend on, named in the lineage.
        transforms: Static transforms of the bag.
        notes: What is wrong with cameras that the profile does not need, one sentence each.
    """

    calibration: RigCalibration
    used: RigCalibration
    transforms: Transforms
    notes: tuple[str, ...] = ()


def read_rig(reader: BagReader, topics: TopicMap, profile: Profile, path: Path | None) -> Rig:
    """Read the calibration from a file, else from the bag's static transforms and CameraInfo.

    Raises:
        CalibrationError: The file is not valid or is for other cameras.
    """
    transforms = _read_transforms(reader)
    if path is not None:
        calibration = load_calibration(path)
        _validate_cameras(calibration, topics, profile, path)
        return Rig(calibration, calibration, transforms)
    needed = {camera.id for camera in profile.cameras}
    cameras: dict[str, CameraCalibration] = {}
    notes = []
    for camera in sorted(topics.cameras):
        found = _recorded_camera(reader, topics, camera, transforms)
        if isinstance(found, AlpamayoError):
            if camera in needed:
                raise found
            notes.append(f"Camera {camera} is not shown: {found}.")
        else:
            cameras.update(found)
    used = {name: camera for name, camera in cameras.items() if name in needed}
    digest = calibration_digest(RigCalibration(used, source=TF_STATIC))
    return Rig(
        RigCalibration(cameras, source=TF_STATIC),
        RigCalibration(used, digest, TF_STATIC if used else "none"),
        transforms,
        tuple(notes),
    )


def _read_transforms(reader: BagReader) -> Transforms:
    transforms: Transforms = []
    if TF_STATIC in reader.topics and reader.topics[TF_STATIC].type_name == TF_TYPE:
        for message in reader.messages(topics=[TF_STATIC]):
            transforms += static_transforms(decode(message))
    return transforms


def _recorded_camera(
    reader: BagReader, topics: TopicMap, camera: str, transforms: Transforms
) -> Mapping[str, CameraCalibration] | CalibrationError | BagCorruptError:
    """Calibrate one camera from the first CameraInfo on its topic and the static transforms, or say why not."""
    topic = topics.camera_info.get(camera)
    first = None if topic is None else next(iter(reader.messages(topics=[topic])), None)
    if first is None:
        return {}
    try:
        decoded = decode(first)
        lens = camera_intrinsics(decoded)
        # A zero focal length or size is how CameraInfo says that a camera is not calibrated.
        known = {camera: lens} if lens.k[0] != 0.0 and lens.width and lens.height else {}
        return calibration_from_transforms({camera: decoded.header.frame_id}, transforms, intrinsics=known).cameras
    except (CalibrationError, BagCorruptError) as error:
        return error


def _validate_cameras(calibration: RigCalibration, topics: TopicMap, profile: Profile, path: Path) -> None:
    known = sorted(calibration.cameras)
    missing = [camera.id for camera in profile.cameras if camera.id not in calibration.cameras]
    if missing:
        raise CalibrationError(
            f"calibration {path} is for the cameras {', '.join(known) or 'none'}; "
            f"profile {profile.name!r} also needs: {', '.join(missing)}"
        )
    if known and topics.cameras and not set(known) & set(topics.cameras):
        raise CalibrationError(
            f"calibration {path} is for the cameras {', '.join(known)}; "
            f"the bag has: {', '.join(sorted(topics.cameras))}"
        )


def odometry_frame(message: BagMessage, given: OdometryFrame | None, transforms: Transforms) -> OdometryFrame | None:
    """Return the frame that odometry is about, None if that is the rig.

    Args:
        message: The first odometry message.
        given: What the calibration says.
        transforms: Static transforms of the bag.

    Raises:
        TopicError: Neither of them connects the frame with the rig.
    """
    child_frame = decode(message).child_frame_id
    if child_frame == RIG_FRAME or (given is not None and given.child_frame == child_frame):
        return given
    pose = static_transform(transforms, child_frame, RIG_FRAME)
    if pose is None:
        raise TopicError(unconnected(message.topic, child_frame))
    return OdometryFrame(child_frame, pose)


class OdometryReader:
    """Decodes odometry and moves it to the rig when it is about another frame."""

    def __init__(self, frame: OdometryFrame | None) -> None:
        self._odometry = RigOdometry(frame)

    def read(self, message: BagMessage) -> OdometrySample:
        """Return the pose of the rig.

        Raises:
            TopicError: The odometry is about a frame that nothing connects with the rig, or about another frame
                than before.
        """
        decoded = decode(message)
        return self._odometry.to_rig(odometry_struct(decoded), decoded.child_frame_id, message.topic)


def frame_readers(
    topics: TopicMap, reader: BagReader, cameras: Iterable[str]
) -> dict[str, Callable[[BagMessage], CameraFrame]]:
    """Return topic -> function that reads a picture from a message, for some cameras."""
    return {
        topics.cameras[camera]: partial(
            _read_frame, camera, reader.topics[topics.cameras[camera]].type_name == COMPRESSED_TYPE
        )
        for camera in cameras
    }


def _read_frame(camera: str, compressed: bool, message: BagMessage) -> CameraFrame:
    decoded = decode(message)
    return compressed_frame(decoded, camera) if compressed else raw_frame(decoded, camera)
