"""Import one sequence of PandaSet into a bag.

Everything is taken from the source as it is; what it does not have is absent from the bag, and what had to be
assumed stands in the bag's tags and in ``calibration.yaml`` beside it. LiDAR sweeps are not imported.
"""

import math
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import OutputError
from alpamayo_ros.geometry.transform import compose_poses
from alpamayo_ros.importers import payloads
from alpamayo_ros.importers.pandaset_rig import PandasetRig, derive_rig
from alpamayo_ros.importers.pandaset_source import (
    CAMERAS,
    PandasetSource,
    SourceBox,
    SourceCamera,
    read_picture,
    read_source,
)
from alpamayo_ros.messages.translator import RIG_FRAME
from alpamayo_ros.perception.calibration import calibration_digest, dump_calibration
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS, SENSOR_QOS, QosProfile
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.lineage import NONE
from alpamayo_ros.structs.pose import Pose

ODOMETRY_FRAME = "odom"
"""Holds PandaSet's world coordinates unchanged; they begin near zero."""

GNSS_FRAME = "gnss"
"""Frame of the GNSS antenna, whose place on the vehicle the source does not say."""

ODOMETRY_TOPIC = "/odometry"
FIX_TOPIC = "/gnss/fix"
ACTORS_TOPIC = "/actors"
TRANSFORMS_TOPIC = "/tf_static"

CALIBRATION_FILE = "calibration.yaml"
TOPICS_FILE = "topics.yaml"

ATTRIBUTION = "PandaSet by Hesai and Scale AI, CC BY 4.0, pandaset.org"
LICENCE = (
    "CC BY 4.0 with the Dataset Terms of Scale AI and Hesai; https://creativecommons.org/licenses/by/4.0/, pandaset.org"
)
PRIVACY = "Number plates and faces are not blurred. The terms forbid to identify anyone: do not publish the pictures."

ASSUMPTIONS = (
    "The source has no receive times: every message's receive and publish time is its stamp.",
    "Odometry is the LiDAR's pose file alone, in PandaSet's world coordinates.",
    "Odometry has no twist (covariance -1 on the diagonal) and no pose covariance (all zeros).",
    "GNSS height and velocity are not imported: the source names neither the datum nor the axes.",
    "Labelled boxes stand at the LiDAR frame times, in the odometry frame.",
    "A moving actor that both LiDARs saw has two boxes with different uuids, as in the source.",
    "LiDAR sweeps are not imported.",
)
"""What holds for every sequence, beside what is assumed about its rig."""

_ACTOR_LIFETIME_NS = 200_000_000
"""Two label periods: an actor that is labelled no more vanishes from a display."""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What was imported.

    Attributes:
        destination: The bag's folder.
        topics: Messages by topic.
        start_ns: First stamp.
        end_ns: Last stamp.
        ground_height_m: z of the ground at the origin of the source's body frame, None when no sweep shows it.
        calibration_digest: ``sha256:`` id of the calibration.
        assumptions: What was assumed where the source is silent.
        absent: What the source does not have.
    """

    destination: Path
    topics: Mapping[str, int]
    start_ns: int
    end_ns: int
    ground_height_m: float | None
    calibration_digest: str
    assumptions: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Event:
    """One message that is built when its turn comes, so that one picture at a time is in memory."""

    stamp_ns: int
    topic: str
    build: Callable[[], bytes]


def camera_topic(camera: str) -> str:
    """Return the topic of a camera's pictures."""
    return f"/camera/{camera}/image/compressed"


def camera_info_topic(camera: str) -> str:
    """Return the topic of a camera's intrinsics."""
    return f"/camera/{camera}/camera_info"


def optical_frame(camera: str) -> str:
    """Return the name of a camera's optical frame."""
    return f"camera_{camera}_optical"


def import_pandaset(
    source: Path, destination: Path, *, progress: Callable[[int, int], None] | None = None
) -> ImportSummary:
    """Import one sequence.

    The bag is made beside its destination and gets its name when it is complete, so that an import that was
    interrupted leaves nothing behind that could be taken for a whole bag.

    Args:
        source: Folder with ``camera/`` and ``lidar/`` of one sequence.
        destination: Folder that does not exist yet.
        progress: Called with the messages written so far and in all.

    Raises:
        ConfigurationError: The source is missing or is not a PandaSet sequence.
        ArtifactError: A part of the source is missing, damaged or contradicts another.
        OutputError: The destination exists or cannot be written.
        BagWriteError: The disk is full or refused a write.
    """
    if destination.exists() or destination.is_symlink():
        raise OutputError(f"output {destination} exists already; expected a new folder")
    sequence = read_source(source)
    rig = derive_rig(sequence, f"PandaSet, sequence in {source.resolve().name}")
    assumptions = (*rig.assumptions, *ASSUMPTIONS)
    events = sorted(_events(sequence, rig), key=lambda event: (event.stamp_ns, event.topic))
    with _staged(destination) as folder:
        counts = _write_bag(folder, events, _identity(source, sequence, assumptions), progress)
        dump_calibration(rig.calibration, folder / CALIBRATION_FILE, assumptions=rig.assumptions)
        _write_topics(folder / TOPICS_FILE)
    return ImportSummary(
        destination=destination,
        topics=counts,
        start_ns=events[0].stamp_ns,
        end_ns=events[-1].stamp_ns,
        ground_height_m=rig.ground_height_m,
        calibration_digest=calibration_digest(rig.calibration),
        assumptions=assumptions,
        absent=sequence.absent,
    )


@contextmanager
def _staged(destination: Path) -> Iterator[Path]:
    """Give a folder that becomes the destination when the block ends well, and is deleted when it does not."""
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{destination.name}.importing-", dir=destination.parent))
    except OSError as error:
        raise OutputError(f"output {destination} cannot be made: {error.strerror}") from error
    try:
        # The same name as in the end: the bag's files are named after their folder.
        yield staging / destination.name
        try:
            (staging / destination.name).rename(destination)
        except OSError as error:
            raise OutputError(f"output {destination} cannot be made: {error.strerror}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_bag(
    folder: Path, events: list[_Event], identity: BagIdentity, progress: Callable[[int, int], None] | None
) -> dict[str, int]:
    counts: Counter[str] = Counter()
    # Pictures are compressed already; compressing them again costs time and saves nothing.
    with BagWriter(folder, identity=identity, compression="none") as writer:
        for topic, (type_name, qos) in _topics({event.topic for event in events}).items():
            writer.add_topic(topic, type_name, qos=qos)
        for done, event in enumerate(events, start=1):
            writer.write(event.topic, event.build(), receive_ns=event.stamp_ns, publish_ns=event.stamp_ns)
            counts[event.topic] += 1
            if progress is not None:
                progress(done, len(events))
    return dict(sorted(counts.items()))


def _topics(used: set[str]) -> dict[str, tuple[str, QosProfile]]:
    table = {
        TRANSFORMS_TOPIC: (payloads.TRANSFORMS, LATCHED_QOS),
        ODOMETRY_TOPIC: (payloads.ODOMETRY, OUTPUT_QOS),
        FIX_TOPIC: (payloads.FIX, SENSOR_QOS),
        ACTORS_TOPIC: (payloads.MARKERS, OUTPUT_QOS),
    }
    for camera in CAMERAS:
        table[camera_topic(camera)] = (payloads.IMAGE, SENSOR_QOS)
        table[camera_info_topic(camera)] = (payloads.CAMERA_INFO, SENSOR_QOS)
    return {topic: row for topic, row in table.items() if topic in used}


def _events(sequence: PandasetSource, rig: PandasetRig) -> Iterator[_Event]:
    yield from _camera_events(sequence, rig)
    for stamp_ns, pose in zip(sequence.stamps_ns, sequence.world_from_body, strict=True):
        yield _event(
            stamp_ns, ODOMETRY_TOPIC, payloads.odometry, ODOMETRY_FRAME, compose_poses(pose, rig.body_from_rig)
        )
    for fix in sequence.fixes:
        yield _event(fix.stamp_ns, FIX_TOPIC, payloads.nav_sat_fix, GNSS_FRAME, fix.latitude_deg, fix.longitude_deg)
    uuids = sorted({box.uuid for frame in sequence.boxes for box in frame})
    ids = {uuid: index for index, uuid in enumerate(uuids)}
    for stamp_ns, frame in zip(sequence.stamps_ns, sequence.boxes, strict=False):
        actors = [_actor(ids[box.uuid], box) for box in sorted(frame, key=lambda box: box.uuid)]
        yield _event(stamp_ns, ACTORS_TOPIC, payloads.marker_array, ODOMETRY_FRAME, actors, _ACTOR_LIFETIME_NS)


def _camera_events(sequence: PandasetSource, rig: PandasetRig) -> Iterator[_Event]:
    first_ns = min(sequence.stamps_ns[0], *(camera.stamps_ns[0] for camera in sequence.cameras))
    poses: dict[str, Pose] = {}
    for camera in sequence.cameras:
        calibration = rig.calibration.cameras[camera.camera]
        frame = optical_frame(camera.camera)
        if calibration.rig_from_optical is not None:
            poses[frame] = calibration.rig_from_optical
        for index, stamp_ns in enumerate(camera.stamps_ns):
            yield _event(
                stamp_ns, camera_info_topic(camera.camera), payloads.camera_info, frame, calibration.intrinsics
            )
            yield _event(stamp_ns, camera_topic(camera.camera), _image, frame, camera, index)
    yield _event(first_ns, TRANSFORMS_TOPIC, payloads.static_transforms, RIG_FRAME, poses)


def _event(stamp_ns: int, topic: str, build: Callable[..., bytes], *values: Any) -> _Event:
    return _Event(stamp_ns, topic, lambda: build(stamp_ns, *values))


def _image(stamp_ns: int, frame: str, camera: SourceCamera, index: int) -> bytes:
    return payloads.compressed_image(stamp_ns, frame, read_picture(camera, index))


def _actor(number: int, box: SourceBox) -> payloads.Actor:
    """Turn a box whose yaw counts from the world's y axis, and whose length is its y, into REP 103's axes."""
    half = 0.5 * (box.yaw_rad + 0.5 * math.pi)
    pose = Pose(box.position_m, (0.0, 0.0, math.sin(half), math.cos(half)))
    return payloads.Actor(number, box.uuid, box.label, pose, (box.length_m, box.width_m, box.height_m))


def _identity(source: Path, sequence: PandasetSource, assumptions: tuple[str, ...]) -> BagIdentity:
    tags = {
        "provenance": "real",
        "source": f"PandaSet, sequence in {source.resolve().name}",
        "licence": LICENCE,
        "attribution": ATTRIBUTION,
        "privacy": PRIVACY,
        "assumptions": " ".join(assumptions),
    }
    if sequence.absent:
        tags["absent"] = "; ".join(sequence.absent)
    return BagIdentity(lineage_id=NONE, envelope_id=NONE, manifest="", tags=tags)


def _write_topics(path: Path) -> None:
    rows = "".join(f"  {camera}: {camera_topic(camera)}\n" for camera in CAMERAS)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(f"odometry: {ODOMETRY_TOPIC}\ncameras:\n{rows}")
    except OSError as error:
        raise OutputError(f"file {path} cannot be written: {error.strerror}") from error
