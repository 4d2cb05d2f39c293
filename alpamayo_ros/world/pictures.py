"""Episodes as pictures in a folder and as a video for people."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import BagWriteError, ConfigurationError, OutputError
from alpamayo_ros.storage.filesystem import temporary_name
from alpamayo_ros.world.bag import BagPlan, encode_jpeg, window
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.output import make_folder, require_absent, worded_errors, write_file
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import PinholeCamera
from alpamayo_ros.world.sensor_faults import delivered_frame, dimmed
from alpamayo_ros.world.snapshot import STEP_S
from alpamayo_ros.world.truth import truth_at

FRAMES_PER_S = round(1.0 / STEP_S)
PICTURE_QUALITY = 92
VIDEO_SUFFIX = ".mp4"
_CAPTION_PX = 44
_GREY = 40
_GAP_PX = 4

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class RenderSummary:
    """What was written.

    Attributes:
        pictures: By camera.
        folder: Of the pictures, None without any.
        video: None without one.
        video_frames: Frames of the video.
    """

    pictures: Mapping[str, int]
    folder: Path | None
    video: Path | None
    video_frames: int


def render_episode(
    record: EpisodeRecord,
    plan: BagPlan,
    *,
    folder: Path | None = None,
    video: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RenderSummary:
    """Render every step of a part of an episode.

    Pictures are ``<folder>/<camera>/<step>.jpg``; a picture that a faulty camera does not deliver is left out. The
    video shows all cameras beside each other, with what the expert does and why below them.

    Args:
        record: The episode, driven.
        plan: Cameras, size and part.
        folder: To make, None for no pictures.
        video: File to make, None for no video.
        progress: Called with the steps rendered and their total.

    Raises:
        ConfigurationError: Neither is asked for, or the video is no .mp4.
        ParameterError: The plan does not fit the episode.
        OutputError: An output exists already or cannot be written.
        BagWriteError: The disk is full or faulty.
    """
    if folder is None and video is None:
        raise ConfigurationError("nothing to render into; expected a folder, a video, or both: --out DIR, --video FILE")
    if video is not None and video.suffix.lower() != VIDEO_SUFFIX:
        raise OutputError(f"video {video} has the suffix {video.suffix!r}; expected {VIDEO_SUFFIX}")
    start_s, end_s = window(record, plan.from_s, plan.to_s)
    steps = [step for step, one in enumerate(record.snapshots) if start_s - 1e-9 <= one.t_s <= end_s + 1e-9]
    cameras = plan.placed()
    for path in (folder, video):
        if path is not None:
            require_absent(path)
    album = None if folder is None else _Album(folder, cameras)
    film = None if video is None else _Film(video, _layout(cameras))
    renderer = Renderer(record.road_map, record.spec.seed, record.spec.conditions)
    try:
        for done, step in enumerate(steps, start=1):
            shown = {one.id: _picture(record, renderer, one, step) for one in cameras}
            if album is not None:
                album.add(step, shown)
            if film is not None:
                film.add(_composed(record, step, cameras, shown))
            if progress is not None:
                progress(done, len(steps))
        if film is not None:
            film.finish()
    finally:
        if film is not None:
            film.drop()
    counts = {} if album is None else album.counts
    return RenderSummary(counts, folder, video, 0 if film is None else film.frames)


def _picture(record: EpisodeRecord, renderer: Renderer, camera: PinholeCamera, step: int) -> Bytes | None:
    delivered = delivered_frame(record.spec.faults, camera.id, record.snapshots[step].t_s, STEP_S)
    if delivered is None:
        return None
    return dimmed(renderer.render(camera, record.at(delivered.shown_s)), delivered.light)


def _layout(cameras: tuple[PinholeCamera, ...]) -> tuple[int, int]:
    """Return width and height in px of a frame: even, because the codec halves the colours."""
    columns = _columns(len(cameras))
    rows = math.ceil(len(cameras) / columns)
    width = columns * cameras[0].width + (columns - 1) * _GAP_PX
    height = rows * cameras[0].height + (rows - 1) * _GAP_PX + _CAPTION_PX
    return width + width % 2, height + height % 2


def _columns(count: int) -> int:
    return math.ceil(math.sqrt(count))


def _composed(
    record: EpisodeRecord, step: int, cameras: tuple[PinholeCamera, ...], shown: Mapping[str, Bytes | None]
) -> Bytes:
    width, height = _layout(cameras)
    frame: Bytes = np.full((height, width, 3), 18, dtype=np.uint8)
    columns = _columns(len(cameras))
    for index, one in enumerate(cameras):
        left = (index % columns) * (one.width + _GAP_PX)
        top = (index // columns) * (one.height + _GAP_PX)
        picture = shown[one.id]
        tile = np.full((one.height, one.width, 3), _GREY, dtype=np.uint8) if picture is None else picture.copy()
        _write(tile, one.id + (" (no picture)" if picture is None else ""), (6, 14), 0.38)
        frame[top : top + one.height, left : left + one.width] = tile
    truth = truth_at(record, step)
    ego = record.snapshots[step].ego
    _write(frame, f"{record.snapshots[step].t_s:5.1f} s  {3.6 * ego.speed_mps:3.0f} km/h", (8, height - 26), 0.45)
    _write(frame, truth.text, (8, height - 8), 0.45)
    return frame


def _write(picture: Bytes, text: str, place: tuple[int, int], scale: float) -> None:
    """Write onto a darkened strip: letters are seen on any ground."""
    left, base = place
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    strip = picture[max(0, base - height - 4) : base + 5, max(0, left - 4) : left + width + 4]
    strip[:] = strip // 3
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 1, cv2.LINE_AA)


class _Album:
    """A folder of pictures, one folder for each camera in it."""

    def __init__(self, folder: Path, cameras: tuple[PinholeCamera, ...]) -> None:
        self._folder = folder
        self.counts = {one.id: 0 for one in cameras}
        for one in cameras:
            make_folder(folder / one.id)

    def add(self, step: int, shown: Mapping[str, Bytes | None]) -> None:
        for name, picture in shown.items():
            if picture is not None:
                write_file(self._folder / name / f"{step:05d}.jpg", encode_jpeg(picture, PICTURE_QUALITY))
                self.counts[name] += 1


class _Film:
    """A video that has its name only when it is whole."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self._path = path
        self._temporary = path.with_name(temporary_name(path.name) + VIDEO_SUFFIX)
        with worded_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._temporary.touch()  # what the folder refuses has a reason; OpenCV gives none
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(str(self._temporary), codec, float(FRAMES_PER_S), size)
        self.frames = 0
        if not self._writer.isOpened():
            self.drop()
            raise OutputError(f"video {path} of {size[0]} x {size[1]} px cannot be begun; expected a smaller picture")

    def add(self, frame: Bytes) -> None:
        self._writer.write(frame)
        self.frames += 1

    def finish(self) -> None:
        """Close the file, see that it holds what was given, and put it in place."""
        self._writer.release()
        # OpenCV says nothing of a full disk.
        reader = cv2.VideoCapture(str(self._temporary))
        whole = reader.isOpened() and int(reader.get(cv2.CAP_PROP_FRAME_COUNT)) == self.frames
        reader.release()
        if not whole:
            raise BagWriteError(f"video {self._path} is not whole; expected a sound disk with room")
        with worded_errors(self._path):
            self._temporary.replace(self._path)

    def drop(self) -> None:
        """Remove what is left of a video that was not finished."""
        self._writer.release()
        self._temporary.unlink(missing_ok=True)
