"""Write what an importer has found: a bag of built messages, its identity, its topics file, and a summary."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import OutputError
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.mcap_files.writer import Compression
from alpamayo_ros.storage.qos import QosProfile
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.lineage import NONE

CALIBRATION_FILE = "calibration.yaml"
TOPICS_FILE = "topics.yaml"

Progress = Callable[[int, int], None]
"""Called with the messages written so far and in all."""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What was imported.

    Attributes:
        destination: The bag's folder.
        topics: Messages by topic.
        start_ns: First stamp.
        end_ns: Last stamp.
        assumptions: What was assumed where the source is silent.
        absent: What the source does not have.
        calibration_digest: ``sha256:`` id of the calibration, None when there is none.
        ground_height_m: z of the ground at the origin of the source's body frame, None when it is not known.
        warnings: What is wrong with the source though it could be imported, one sentence each.
    """

    destination: Path
    topics: Mapping[str, int]
    start_ns: int
    end_ns: int
    assumptions: tuple[str, ...]
    absent: tuple[str, ...]
    calibration_digest: str | None = None
    ground_height_m: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """One message that is built when its turn comes, so that one picture at a time is in memory."""

    stamp_ns: int
    topic: str
    build: Callable[[], bytes]


def event(stamp_ns: int, topic: str, build: Callable[..., bytes], *values: Any) -> Event:
    """Return the message that ``build(stamp_ns, *values)`` makes."""
    return Event(stamp_ns, topic, lambda: build(stamp_ns, *values))


def camera_topic(camera: str) -> str:
    """Return the topic of a camera's pictures."""
    return f"/camera/{camera}/image/compressed"


def camera_info_topic(camera: str) -> str:
    """Return the topic of a camera's intrinsics."""
    return f"/camera/{camera}/camera_info"


def optical_frame(camera: str) -> str:
    """Return the name of a camera's optical frame."""
    return f"camera_{camera}_optical"


def imported_identity(tags: Mapping[str, str], assumptions: Sequence[str], absent: Sequence[str]) -> BagIdentity:
    """Return the identity of a bag that no lineage of this package produced.

    Args:
        tags: Further tags, such as ``provenance``, ``source`` and ``licence``.
        assumptions: What was assumed, one sentence each.
        absent: What the source does not have, one phrase each.
    """
    said = dict(tags)
    if assumptions:
        said["assumptions"] = " ".join(assumptions)
    if absent:
        said["absent"] = "; ".join(absent)
    return BagIdentity(lineage_id=NONE, envelope_id=NONE, manifest="", tags=said)


def write_bag(
    folder: Path,
    events: Sequence[Event],
    topics: Mapping[str, tuple[str, QosProfile]],
    identity: BagIdentity,
    *,
    compression: Compression = "none",
    progress: Progress | None = None,
) -> dict[str, int]:
    """Write a bag whose receive and publish times are the stamps.

    Args:
        folder: To make; see ``storage.staging.staged_bag``.
        events: In the order of their stamps.
        topics: Type name and offered QoS of every topic that an importer knows; those without a message are left out.
        identity: What the bag says of itself.
        compression: Of chunks. None by default: compressing pictures again costs time and saves nothing.
        progress: Called after every message.

    Returns:
        Messages by topic, sorted.

    Raises:
        OutputError: The folder exists or cannot be made.
        BagWriteError: The disk is full or refused a write.
    """
    counts: Counter[str] = Counter()
    used = {one.topic for one in events}
    with BagWriter(folder, identity=identity, compression=compression) as writer:
        for topic, (type_name, qos) in topics.items():
            if topic in used:
                writer.add_topic(topic, type_name, qos=qos)
        for done, one in enumerate(events, start=1):
            writer.write(one.topic, one.build(), receive_ns=one.stamp_ns, publish_ns=one.stamp_ns)
            counts[one.topic] += 1
            if progress is not None:
                progress(done, len(events))
    return dict(sorted(counts.items()))


def write_topics_file(path: Path, *, odometry: str | None = None, cameras: Mapping[str, str] | None = None) -> None:
    """Write which topic carries which input of a replay.

    Args:
        path: File to make.
        odometry: Its topic, None when there is none.
        cameras: Topic by camera id.

    Raises:
        OutputError: The file cannot be written.
    """
    text = "" if odometry is None else f"odometry: {odometry}\n"
    if cameras:
        text += "cameras:\n" + "".join(f"  {camera}: {topic}\n" for camera, topic in cameras.items())
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"file {path} cannot be written: {error.strerror}") from error
