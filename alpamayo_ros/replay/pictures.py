"""Pick the camera and the pictures that a report shows."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.geometry.camera import horizontal_fov_rad
from alpamayo_ros.geometry.transform import pose_matrix
from alpamayo_ros.perception.images import read_picture
from alpamayo_ros.perception.picture_file import PictureError, PictureSize
from alpamayo_ros.replay.inputs import Rig, frame_readers
from alpamayo_ros.replay.topic_map import TopicMap
from alpamayo_ros.storage.reader import BagReader
from alpamayo_ros.structs.camera import CameraCalibration, CameraFrame
from alpamayo_ros.structs.verdict import PredictedPath, ReportPicture

PICTURE_COUNT = 10
_SEARCH_NS = 400_000_000
_NEAR_NS = 100_000_000


def view_camera(rig: Rig, topics: TopicMap) -> tuple[CameraCalibration | None, str]:
    """Return the camera that shows the road ahead best, and, if there is none, why.

    Of the calibrated cameras that look ahead (within 45 degrees) it is the one with the widest field of view up
    to 130 degrees.
    """
    if not topics.cameras:
        return None, "The bag has no camera topics."
    best: tuple[float, CameraCalibration] | None = None
    for name in sorted(topics.cameras):
        camera = rig.calibration.cameras.get(name)
        if camera is None or camera.intrinsics is None or camera.rig_from_optical is None:
            continue
        axis = pose_matrix(camera.rig_from_optical)[:3, 2]
        fov = horizontal_fov_rad(camera.intrinsics)
        ahead = abs(math.atan2(axis[1], axis[0])) <= math.radians(45.0)
        score = fov if ahead and fov <= math.radians(130.0) else -abs(math.atan2(axis[1], axis[0]))
        if best is None or score > best[0]:
            best = (score, camera)
    if best is None:
        names = ", ".join(sorted(topics.cameras))
        return None, (
            f"No camera of the bag ({names}) has both intrinsics and a pose on the rig; "
            "give a calibration file to see the trajectory in the picture."
        )
    return best[1], ""


def read_pictures(
    reader: BagReader, topics: TopicMap, rig: Rig, paths: Sequence[PredictedPath]
) -> tuple[tuple[ReportPicture, ...], str]:
    """Return pictures of up to PICTURE_COUNT of the given ticks, evenly spread, and a note about what is missing.

    Each tick is shown by the camera that sees the road ahead best and, where its rationale boxes a cause in another
    camera, by that one too.
    """
    ahead, note = view_camera(rig, topics)
    if ahead is None or not paths:
        return (), " ".join(text for text in (note, *rig.notes) if text)
    pictures: list[ReportPicture] = []
    missing: Counter[str] = Counter()
    damaged: Counter[str] = Counter()
    delays_ns: dict[str, int] = {}
    for path in _spread(paths):
        for camera in _cameras(path, ahead, rig, topics):
            if camera.camera not in delays_ns:
                delays_ns[camera.camera] = _delay_or_none(reader, topics, camera.camera)
            try:
                picture = _picture(reader, topics, camera, path, delays_ns[camera.camera])
            except (PictureError, BagCorruptError):
                damaged[camera.camera] += 1
                continue
            if picture is None:
                missing[camera.camera] += 1
            else:
                pictures.append(picture)
    notes = [note, *rig.notes]
    notes += [
        f"Shown ticks without a picture of camera {name} within 0.1 s: {missing[name]}." for name in sorted(missing)
    ]
    notes += [
        f"Pictures of camera {name} that are damaged or of another size: {damaged[name]}." for name in sorted(damaged)
    ]
    return tuple(pictures), " ".join(text for text in notes if text)


def _cameras(path: PredictedPath, ahead: CameraCalibration, rig: Rig, topics: TopicMap) -> list[CameraCalibration]:
    """Return the camera ahead, and the one that shows the first boxed cause if it is another."""
    boxed = next((cause.camera for cause in path.causes if cause.camera), "")
    camera = rig.calibration.cameras.get(boxed) if boxed in topics.cameras else None
    if camera is None or camera.intrinsics is None or camera.camera == ahead.camera:
        return [ahead]
    return [ahead, camera]


def _picture(
    reader: BagReader, topics: TopicMap, camera: CameraCalibration, path: PredictedPath, delay_ns: int
) -> ReportPicture | None:
    """Return the picture nearest to a tick, None if there is none near.

    Raises:
        PictureError: It cannot be decoded, or has another size than its calibration.
        BagCorruptError: The bag cannot be read there.
    """
    frame = _nearest_frame(reader, topics, camera.camera, path.t0_ns, delay_ns)
    if frame is None or camera.intrinsics is None:
        return None
    size = PictureSize(camera.intrinsics.width, camera.intrinsics.height)
    rgb = read_picture(frame, size, [("its calibration", size)])
    return ReportPicture(path.t0_ns, frame.stamp_ns, camera, np.ascontiguousarray(rgb[:, :, ::-1]), path)


def _delay_or_none(reader: BagReader, topics: TopicMap, camera: str) -> int:
    try:
        return _usual_delay_ns(reader, topics, camera)
    except BagCorruptError:
        return 0


def _spread(paths: Sequence[PredictedPath]) -> list[PredictedPath]:
    count = min(PICTURE_COUNT, len(paths))
    if count == 1:
        return [paths[0]]
    return [paths[round(index * (len(paths) - 1) / (count - 1))] for index in range(count)]


def _nearest_frame(reader: BagReader, topics: TopicMap, camera: str, t0_ns: int, delay_ns: int) -> CameraFrame | None:
    """Return the frame nearest to t0 by its own stamp, among those received around t0 and the usual delay."""
    topic = topics.cameras[camera]
    read = frame_readers(topics, reader, [camera])[topic]
    best: CameraFrame | None = None
    around_ns = t0_ns + delay_ns
    for message in reader.messages(topics=[topic], start_ns=around_ns - _SEARCH_NS, end_ns=around_ns + _SEARCH_NS):
        frame = read(message)
        if best is None or abs(frame.stamp_ns - t0_ns) < abs(best.stamp_ns - t0_ns):
            best = frame
    return best if best is not None and abs(best.stamp_ns - t0_ns) <= _NEAR_NS else None


def _usual_delay_ns(reader: BagReader, topics: TopicMap, camera: str) -> int:
    """Return how much later than its stamp the camera's first picture was received; clocks may be far apart."""
    topic = topics.cameras[camera]
    first = next(iter(reader.messages(topics=[topic])), None)
    return 0 if first is None else first.receive_ns - frame_readers(topics, reader, [camera])[topic](first).stamp_ns
