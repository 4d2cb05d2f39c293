"""Import one video file as the pictures of one camera: no odometry, no calibration, nothing that it does not hold."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.importers import payloads
from alpamayo_ros.importers.imported_bag import (
    TOPICS_FILE,
    ImportSummary,
    Progress,
    camera_topic,
    event,
    imported_identity,
    optical_frame,
    write_bag,
    write_topics_file,
)
from alpamayo_ros.importers.jpeg import QUALITY, encode_jpeg, encoding_sentence, validate_quality
from alpamayo_ros.importers.video_file import VideoSurvey, read_pictures, survey_video
from alpamayo_ros.storage.filesystem import sha256_of
from alpamayo_ros.storage.qos import SENSOR_QOS
from alpamayo_ros.storage.staging import staged_bag, validate_destination

CAMERA = "front"
"""Camera id unless another one is given."""

MAX_STAMP_NS = (2**31 - 1) * 1_000_000_000
"""Seconds of a ROS stamp are 32-bit signed."""

ABSENT = (
    "odometry: a video has none",
    "calibration: a video has none",
    "absolute time: a video has only the times of its frames",
)
"""What no video has."""

_CAMERA_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def import_video(
    source: Path,
    destination: Path,
    *,
    camera: str = CAMERA,
    start_ns: int = 0,
    fps: float | None = None,
    quality: int = QUALITY,
    progress: Progress | None = None,
) -> ImportSummary:
    """Import one video.

    The file is read twice: once for the times of its frames, once for the pictures, one of which is in memory.

    Args:
        source: Video file in any container and codec that OpenCV's FFmpeg reads.
        destination: Folder that does not exist yet.
        camera: Camera id, which names the topic.
        start_ns: Stamp of the container's time 0.
        fps: Frames per second, only for a video without usable times of its own.
        quality: Of the JPEG files, 1 to 100.
        progress: Called with the pictures written so far and in all.

    Raises:
        ConfigurationError: The source is not a video file, or an option is not usable.
        ArtifactError: The video has no picture or no usable times, or cannot be decoded.
        OutputError: The destination exists or cannot be written.
        BagWriteError: The disk is full or refused a write.
    """
    validate_destination(destination)
    validate_quality(quality)
    if not _CAMERA_ID.fullmatch(camera):
        raise ConfigurationError(
            f"camera {camera!r} cannot name a topic; expected letters, digits and underscores, a letter first"
        )
    survey = survey_video(source, fps=fps)
    stamps_ns = [start_ns + time_ns for time_ns in survey.times_ns]
    if not 0 <= stamps_ns[0] <= stamps_ns[-1] <= MAX_STAMP_NS:
        raise ConfigurationError(
            f"start {start_ns} ns gives the pictures stamps from {stamps_ns[0]} to {stamps_ns[-1]} ns; "
            f"expected 0 to {MAX_STAMP_NS}"
        )
    assumptions, warnings = _assumptions(survey, start_ns, quality), _warnings(survey)
    identity = imported_identity(_tags(survey, start_ns, quality), assumptions, ABSENT)
    topic = camera_topic(camera)
    with closing(read_pictures(survey)) as pictures, staged_bag(destination) as folder:
        events = [event(stamp_ns, topic, _image, optical_frame(camera), pictures, quality) for stamp_ns in stamps_ns]
        counts = write_bag(folder, events, {topic: (payloads.IMAGE, SENSOR_QOS)}, identity, progress=progress)
        write_topics_file(folder / TOPICS_FILE, cameras={camera: topic})
    return ImportSummary(
        destination=destination,
        topics=counts,
        start_ns=stamps_ns[0],
        end_ns=stamps_ns[-1],
        assumptions=assumptions,
        absent=ABSENT,
        warnings=warnings,
    )


def _image(stamp_ns: int, frame: str, pictures: Iterator[NDArray[np.uint8]], quality: int) -> bytes:
    """Take the next picture: messages are built in the order of their stamps, which is that of the video."""
    return payloads.compressed_image(stamp_ns, frame, encode_jpeg(next(pictures), quality))


def _assumptions(survey: VideoSurvey, start_ns: int, quality: int) -> tuple[str, ...]:
    times = "the container's frame times"
    if survey.fps is not None:
        times = f"even steps of {survey.fps:g} frames per second, because the video has no usable times"
    sentences = [
        f"Stamps are {times}, counted from {start_ns} ns; receive and publish times are the stamps.",
        encoding_sentence(quality),
        "A picture that the decoder patched up is not told from a whole one.",
    ]
    if survey.rotation_deg:
        sentences.append(f"Pictures are turned by {survey.rotation_deg} degrees, as the container asks for.")
    return tuple(sentences)


def _warnings(survey: VideoSurvey) -> tuple[str, ...]:
    if not survey.missing_frames:
        return ()
    decoded, declared = len(survey.times_ns), survey.declared_frames
    return (f"{decoded} of the container's {declared} frames could be decoded: the video is cut or damaged.",)


def _tags(survey: VideoSurvey, start_ns: int, quality: int) -> dict[str, str]:
    declared = survey.declared_frames
    return {
        "source": f"video file {survey.path.resolve().name}",
        "source_sha256": _sha256(survey.path),
        "licence": "not stated by the video",
        "start_ns": str(start_ns),
        "stamps": "container frame times" if survey.fps is None else f"{survey.fps:g} frames per second, given",
        "encoding": f"JPEG of quality {quality}, encoded again after decoding",
        "frames": f"{len(survey.times_ns)} decoded, {'unknown' if declared is None else declared} declared",
        **({"warnings": " ".join(_warnings(survey))} if survey.missing_frames else {}),
    }


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise ConfigurationError(f"source {path} cannot be read: {error.strerror}; expected a video file") from error
