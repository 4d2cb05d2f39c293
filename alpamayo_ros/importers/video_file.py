"""Read a video file with OpenCV: first the times of its frames, then one picture at a time."""

import math
from array import array
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ArtifactError, ConfigurationError
from alpamayo_ros.importers.foreign_error import sentence_of
from alpamayo_ros.perception.picture_file import PictureError, PictureSize, validate_size

MAX_FPS = 1000.0

_MAX_TIME_MS = 2.0**31 * 1000.0
"""Seconds of a ROS stamp are 32-bit signed."""

_SHORTEST_MS = 1e-3
"""Frames that are closer than 1 us have the same time: containers count no finer."""

_NS_PER_MS = 1e6
_NS_PER_S = 1e9

_BARE_STREAMS = (b"\x00\x00\x00\x01", b"\x00\x00\x01", b"\xff\xd8\xff", b"\x89PNG")
"""First bytes of streams and pictures without a container; their decoder makes up times at 25 Hz."""

_PLAYLISTS = (b"ffconcat", b"#EXTM3U")
"""First bytes of texts that name other files, which FFmpeg would open."""

_PROGRAM_STREAM = b"\x00\x00\x01\xba"
"""An MPEG program stream begins like a bare one, but is a container."""


@dataclass(frozen=True, slots=True)
class VideoSurvey:
    """What one pass over a video showed.

    Attributes:
        path: The file.
        size: Of its first picture, px.
        times_ns: Of every frame that can be decoded, strictly increasing.
        declared_frames: How many frames the container says that it has, None when it does not say.
        rotation_deg: By how much the pictures are turned, because the container asks for it.
        fps: Frames per second that the times were made from, None when they are the container's own.
    """

    path: Path
    size: PictureSize
    times_ns: Sequence[int]
    declared_frames: int | None
    rotation_deg: int
    fps: float | None

    @property
    def missing_frames(self) -> int:
        """How many frames the container declares beyond those that can be decoded."""
        return max(0, (self.declared_frames or 0) - len(self.times_ns))


def survey_video(path: Path, *, fps: float | None = None) -> VideoSurvey:
    """Pass over a video once and note the time of every frame.

    Args:
        path: Video file in any container and codec that OpenCV's FFmpeg reads.
        fps: Frames per second, only for a video without usable times of its own.

    Raises:
        ConfigurationError: The path is not a video file, or ``fps`` is not usable or not wanted.
        ArtifactError: No frame can be decoded, a picture is too large, or there are no usable times.
    """
    if fps is not None and not 0.0 < fps <= MAX_FPS:
        raise ConfigurationError(f"frames per second are {fps:g}; expected more than 0, at most {MAX_FPS:g}")
    times_ms = array("d")
    first_bytes = _first_bytes(path)
    with _opened(path) as capture:
        size = _size(path, capture)
        declared = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        rotation = capture.get(cv2.CAP_PROP_ORIENTATION_META)
        while capture.grab():
            times_ms.append(capture.get(cv2.CAP_PROP_POS_MSEC))
    if not times_ms:
        raise ArtifactError(f"video {path} has no frame that can be decoded; expected at least 1")
    return VideoSurvey(
        path=path,
        size=size,
        times_ns=_times_ns(path, first_bytes, times_ms, fps),
        # Streams without a count come with huge negative numbers.
        declared_frames=int(declared) if declared >= 1.0 else None,
        rotation_deg=int(rotation) if math.isfinite(rotation) else 0,
        fps=fps,
    )


def read_pictures(survey: VideoSurvey) -> Generator[NDArray[np.uint8], None, None]:
    """Decode the pictures of a surveyed video in order, one at a time.

    Yields:
        uint8 (height, width, 3), BGR.

    Raises:
        ConfigurationError: The file cannot be opened any more.
        ArtifactError: It gives fewer pictures than before, or one of another size.
    """
    with _opened(survey.path) as capture:
        for index in range(len(survey.times_ns)):
            decoded, picture = capture.read()
            if not decoded:
                raise ArtifactError(
                    f"video {survey.path} gave {index} pictures after {len(survey.times_ns)} before; "
                    "expected a file that nobody writes to"
                )
            size = PictureSize(picture.shape[1], picture.shape[0])
            if size != survey.size:
                raise ArtifactError(
                    f"video {survey.path}: picture {index} has {size}; expected {survey.size} as in the first"
                )
            yield np.asarray(picture, dtype=np.uint8)


def _first_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise ConfigurationError(f"source {path} is not a file; expected a video file")
    try:
        with path.open("rb") as file:
            first_bytes = file.read(8)
    except OSError as error:
        raise ConfigurationError(f"source {path} cannot be read: {error.strerror}; expected a video file") from error
    if first_bytes.startswith(_PLAYLISTS):
        raise ConfigurationError(f"source {path} is a list of other files; expected a video file")
    return first_bytes


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    # The whole path, so that no name is taken for an address; FFmpeg alone, because others guess by the name.
    name = str(path.resolve())
    try:
        name.encode()
    except UnicodeEncodeError as error:
        # OpenCV does not survive such a name.
        raise ConfigurationError(
            f"source {name!r} has a name that is not UTF-8; expected a video file with one"
        ) from error
    capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise ConfigurationError(
                f"source {path} is not a video that OpenCV can open; expected a video file "
                "(one that was cut before its index was written cannot be opened either)"
            )
        yield capture
    except cv2.error as error:
        raise ArtifactError(f"video {path} cannot be decoded: {sentence_of(error)}") from error
    finally:
        capture.release()


def _size(path: Path, capture: cv2.VideoCapture) -> PictureSize:
    size = PictureSize(int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    try:
        # Before the first frame: a decoder makes room for whatever is declared.
        validate_size(size)
    except PictureError as error:
        raise ArtifactError(f"video {path}: {error}") from error
    return size


def _times_ns(path: Path, first_bytes: bytes, times_ms: Sequence[float], fps: float | None) -> Sequence[int]:
    problem = _time_problem(first_bytes, times_ms)
    if fps is None:
        if problem:
            raise ArtifactError(
                f"video {path} has no usable frame times: {problem}; expected finite and increasing times, "
                "or frames per second (--fps) to space the pictures evenly"
            )
        return array("q", (round(time_ms * _NS_PER_MS) for time_ms in times_ms))
    if not problem:
        raise ConfigurationError(
            f"video {path} has times of its own, and {fps:g} frames per second were given; "
            "expected frames per second only for a video without usable times"
        )
    return array("q", (round(index * _NS_PER_S / fps) for index in range(len(times_ms))))


def _time_problem(first_bytes: bytes, times_ms: Sequence[float]) -> str:
    """Say why the frames' times cannot be used, empty when they can."""
    if _is_bare(first_bytes):
        return "it is a bare stream without a container"
    last_ms = -math.inf
    for index, time_ms in enumerate(times_ms):
        if not abs(time_ms) <= _MAX_TIME_MS:
            return f"frame {index} has time {time_ms:g} ms"
        if time_ms - last_ms < _SHORTEST_MS:
            return f"frame {index} has time {time_ms:.3f} ms after {last_ms:.3f} ms"
        last_ms = time_ms
    return ""


def _is_bare(first: bytes) -> bool:
    if first.startswith(_PROGRAM_STREAM):
        return False
    # An MP4 file may begin with a box of long size, whose name follows.
    long_box = first.startswith(b"\x00\x00\x00\x01") and first[4:8].isalpha()
    return first.startswith(_BARE_STREAMS) and not long_box
