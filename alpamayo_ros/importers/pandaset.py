"""Import one sequence of PandaSet into a bag.

Everything is taken from the source as it is; what it does not have is absent from the bag, and what had to be
assumed stands in the bag's tags and in ``calibration.yaml`` beside it. LiDAR sweeps are not imported.
"""

import math
from collections.abc import Iterator
from pathlib import Path

from alpamayo_ros.geometry.transform import compose_poses
from alpamayo_ros.importers import payloads
from alpamayo_ros.importers.imported_bag import (
    CALIBRATION_FILE,
    TOPICS_FILE,
    Event,
    ImportSummary,
    Progress,
    camera_info_topic,
    camera_topic,
    event,
    imported_identity,
    optical_frame,
    write_bag,
    write_topics_file,
)
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
from alpamayo_ros.storage.staging import staged_bag, validate_destination
from alpamayo_ros.structs.pose import Pose

ODOMETRY_FRAME = "odom"
"""Holds PandaSet's world coordinates unchanged; they begin near zero."""

GNSS_FRAME = "gnss"
"""Frame of the GNSS antenna, whose place on the vehicle the source does not say."""

ODOMETRY_TOPIC = "/odometry"
FIX_TOPIC = "/gnss/fix"
ACTORS_TOPIC = "/actors"
TRANSFORMS_TOPIC = "/tf_static"

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


def import_pandaset(source: Path, destination: Path, *, progress: Progress | None = None) -> ImportSummary:
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
    validate_destination(destination)
    sequence = read_source(source)
    rig = derive_rig(sequence, f"PandaSet, sequence in {source.resolve().name}")
    assumptions = (*rig.assumptions, *ASSUMPTIONS)
    events = sorted(_events(sequence, rig), key=lambda one: (one.stamp_ns, one.topic))
    with staged_bag(destination) as folder:
        counts = write_bag(folder, events, _topics(), _identity(source, sequence, assumptions), progress=progress)
        dump_calibration(rig.calibration, folder / CALIBRATION_FILE, assumptions=rig.assumptions)
        write_topics_file(
            folder / TOPICS_FILE,
            odometry=ODOMETRY_TOPIC,
            cameras={camera: camera_topic(camera) for camera in CAMERAS},
        )
    return ImportSummary(
        destination=destination,
        topics=counts,
        start_ns=events[0].stamp_ns,
        end_ns=events[-1].stamp_ns,
        assumptions=assumptions,
        absent=sequence.absent,
        calibration_digest=calibration_digest(rig.calibration),
        ground_height_m=rig.ground_height_m,
    )


def _topics() -> dict[str, tuple[str, QosProfile]]:
    table = {
        TRANSFORMS_TOPIC: (payloads.TRANSFORMS, LATCHED_QOS),
        ODOMETRY_TOPIC: (payloads.ODOMETRY, OUTPUT_QOS),
        FIX_TOPIC: (payloads.FIX, SENSOR_QOS),
        ACTORS_TOPIC: (payloads.MARKERS, OUTPUT_QOS),
    }
    for camera in CAMERAS:
        table[camera_topic(camera)] = (payloads.IMAGE, SENSOR_QOS)
        table[camera_info_topic(camera)] = (payloads.CAMERA_INFO, SENSOR_QOS)
    return table


def _events(sequence: PandasetSource, rig: PandasetRig) -> Iterator[Event]:
    yield from _camera_events(sequence, rig)
    for stamp_ns, pose in zip(sequence.stamps_ns, sequence.world_from_body, strict=True):
        yield event(stamp_ns, ODOMETRY_TOPIC, payloads.odometry, ODOMETRY_FRAME, compose_poses(pose, rig.body_from_rig))
    for fix in sequence.fixes:
        yield event(fix.stamp_ns, FIX_TOPIC, payloads.nav_sat_fix, GNSS_FRAME, fix.latitude_deg, fix.longitude_deg)
    uuids = sorted({box.uuid for frame in sequence.boxes for box in frame})
    ids = {uuid: index for index, uuid in enumerate(uuids)}
    for stamp_ns, frame in zip(sequence.stamps_ns, sequence.boxes, strict=False):
        actors = [_actor(ids[box.uuid], box) for box in sorted(frame, key=lambda box: box.uuid)]
        yield event(stamp_ns, ACTORS_TOPIC, payloads.marker_array, ODOMETRY_FRAME, actors, _ACTOR_LIFETIME_NS)


def _camera_events(sequence: PandasetSource, rig: PandasetRig) -> Iterator[Event]:
    first_ns = min(sequence.stamps_ns[0], *(camera.stamps_ns[0] for camera in sequence.cameras))
    poses: dict[str, Pose] = {}
    for camera in sequence.cameras:
        calibration = rig.calibration.cameras[camera.camera]
        frame = optical_frame(camera.camera)
        if calibration.rig_from_optical is not None:
            poses[frame] = calibration.rig_from_optical
        for index, stamp_ns in enumerate(camera.stamps_ns):
            yield event(stamp_ns, camera_info_topic(camera.camera), payloads.camera_info, frame, calibration.intrinsics)
            yield event(stamp_ns, camera_topic(camera.camera), _image, frame, camera, index)
    yield event(first_ns, TRANSFORMS_TOPIC, payloads.static_transforms, RIG_FRAME, poses)


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
    }
    return imported_identity(tags, assumptions, sequence.absent)
