"""Pick the camera and the pictures that a report shows."""

import math
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

PICTURE_COUNT = 6
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
    """Return up to PICTURE_COUNT pictures, evenly spread over the given ticks, and a note about what is missing."""
    camera, note = view_camera(rig, topics)
    if camera is None or camera.intrinsics is None or not paths:
        return (), " ".join(text for text in (note, *rig.notes) if text)
    size = PictureSize(camera.intrinsics.width, camera.intrinsics.height)
    pictures: list[ReportPicture] = []
    missing = damaged = 0
    try:
        delay_ns = _usual_delay_ns(reader, topics, camera.camera)
    except BagCorruptError:
        delay_ns = 0
    for path in _spread(paths):
        try:
            frame = _nearest_frame(reader, topics, camera.camera, path.t0_ns, delay_ns)
            if frame is None:
                missing += 1
                continue
            rgb = read_picture(frame, size, [("its calibration", size)])
        except (PictureError, BagCorruptError):
            damaged += 1
            continue
        bgr = np.ascontiguousarray(rgb[:, :, ::-1])
        pictures.append(ReportPicture(path.t0_ns, frame.stamp_ns, camera, bgr, path))
    notes = [note, *rig.notes]
    if missing:
        notes.append(f"Shown ticks without a picture of camera {camera.camera} within 0.1 s: {missing}.")
    if damaged:
        notes.append(f"Pictures of camera {camera.camera} that are damaged or of another size: {damaged}.")
    return tuple(pictures), " ".join(text for text in notes if text)


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
