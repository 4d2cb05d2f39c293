"""Import one clip of NVIDIA's PhysicalAI-Autonomous-Vehicles data set into a bag.

The data set is gated; whoever has access reads it through NVIDIA's own devkit. Everything is taken from the clip as
it is; what it does not have is absent from the bag, and what had to be assumed stands in the bag's tags.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from alpamayo_ros.errors import ConfigurationError, OutputError
from alpamayo_ros.importers import payloads
from alpamayo_ros.importers.imported_bag import (
    CALIBRATION_FILE,
    TOPICS_FILE,
    Event,
    ImportSummary,
    Progress,
    camera_topic,
    event,
    imported_identity,
    optical_frame,
    write_bag,
    write_topics_file,
)
from alpamayo_ros.importers.jpeg import QUALITY, encoding_sentence, validate_quality
from alpamayo_ros.importers.physical_ai_av_devkit import OpenedDataset
from alpamayo_ros.importers.physical_ai_av_source import CAMERAS, Clip, ClipCamera, FThetaLens, read_clip
from alpamayo_ros.messages.translator import RIG_FRAME
from alpamayo_ros.perception.calibration import calibration_digest, dump_calibration
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS, SENSOR_QOS, QosProfile
from alpamayo_ros.storage.staging import staged_bag, validate_destination
from alpamayo_ros.structs.camera import CameraCalibration, RigCalibration

ODOMETRY_FRAME = "odom"
"""The clip's anchor frame: the rig at the clip's start, its yaw taken as 0."""

ODOMETRY_TOPIC = "/odometry"
TRANSFORMS_TOPIC = "/tf_static"

LENSES_FILE = "lenses.json"

ATTRIBUTION = "NVIDIA PhysicalAI-Autonomous-Vehicles"
LICENCE = (
    "NVIDIA Autonomous Vehicle Dataset License Agreement: for internal development of autonomous vehicles and "
    "automated driving assistance with NVIDIA technology, by those who accepted it; not to be passed on. The text "
    "stands on the data set's card."
)
PRIVACY = "The data set blurs faces and number plates. Do not publish the pictures: the licence does not allow it."

EXTRINSICS_SENTENCE = (
    "Camera poses are those of sensor_extrinsics; their frames are taken as optical (x right, y down, z forward)."
)
TWIST_SENTENCE = (
    "The twist is the clip's velocity turned into the rig's axes; the clip has no turn rate (covariance -1) and no "
    "covariances (zeros)."
)
LENSES_SENTENCE = (
    "Lenses are f-theta, which neither sensor_msgs/CameraInfo nor calibration.yaml can say: there are no intrinsics in "
    f"them; the clip's own polynomials stand in {LENSES_FILE}."
)
ASSUMPTIONS = (
    "The clip has no receive times: every message's receive and publish time is its stamp.",
    "Odometry is the clip's ego motion at its own times: the rig in the clip's anchor frame.",
    TWIST_SENTENCE,
    EXTRINSICS_SENTENCE,
    "Acceleration, curvature, vehicle dimensions, LiDAR, radar and labels are not imported.",
)
"""What holds for every clip, beside its start, its lenses and its pictures."""

_NS_PER_US = 1_000
_NS_PER_S = 1_000_000_000
_MAX_STAMP_NS = (2**31 - 1) * _NS_PER_S
"""Seconds of a ROS stamp are 32-bit signed."""


def import_physical_ai_av(
    dataset: OpenedDataset,
    clip_id: str,
    destination: Path,
    *,
    cameras: Sequence[str] = (),
    start_ns: int | None = None,
    quality: int = QUALITY,
    progress: Progress | None = None,
) -> ImportSummary:
    """Import one clip.

    Args:
        dataset: Where the clip is read from; see ``open_dataset``.
        clip_id: UUID of the clip.
        destination: Folder that does not exist yet.
        cameras: Cameras that have to be there; by default all that are.
        start_ns: Stamp of the clip's time 0; by default the first whole second that leaves no stamp below 0, because
            ego motion begins before the clip.
        quality: Of the JPEG files, 1 to 100.
        progress: Called with the messages written so far and in all.

    Raises:
        ConfigurationError: The clip or a camera is not known or absent, or an option is not usable.
        ArtifactError: A part of the clip is damaged.
        OutputError: The destination exists or cannot be written.
        BagWriteError: The disk is full or refused a write.
    """
    validate_destination(destination)
    validate_quality(quality)
    clip = read_clip(dataset, clip_id, cameras, quality)
    with ExitStack() as stack:
        for camera in clip.cameras.values():
            stack.callback(camera.close)
        start_ns = _start_ns(clip, start_ns)
        events = sorted(_events(clip, start_ns), key=lambda one: (one.stamp_ns, one.topic))
        assumptions = _assumptions(clip, start_ns, quality, cameras)
        absent = (*clip.absent, "GNSS: the data set has none")
        identity = imported_identity(_tags(dataset, clip, start_ns, quality), assumptions, absent)
        calibration = RigCalibration(
            {name: CameraCalibration(name, None, pose) for name, pose in clip.rig_from_optical.items()},
            source=f"PhysicalAI-Autonomous-Vehicles, clip {clip_id}",
        )
        folder = stack.enter_context(staged_bag(destination))
        counts = write_bag(folder, events, _topics(clip), identity, progress=progress)
        if calibration.cameras:
            dump_calibration(calibration, folder / CALIBRATION_FILE, assumptions=(EXTRINSICS_SENTENCE, LENSES_SENTENCE))
        if clip.lenses:
            _write_lenses(folder / LENSES_FILE, clip.lenses)
        write_topics_file(
            folder / TOPICS_FILE,
            odometry=None if clip.ego_motion is None else ODOMETRY_TOPIC,
            cameras={camera: camera_topic(camera) for camera in clip.cameras},
        )
    return ImportSummary(
        destination=destination,
        topics=counts,
        start_ns=events[0].stamp_ns,
        end_ns=events[-1].stamp_ns,
        assumptions=assumptions,
        absent=absent,
        calibration_digest=calibration_digest(calibration) if calibration.cameras else None,
        warnings=_warnings(clip),
    )


def _start_ns(clip: Clip, wanted_ns: int | None) -> int:
    """Return the stamp of the clip's time 0 after judging what it makes of the first and last time."""
    times = [camera.times_us for camera in clip.cameras.values()]
    if clip.ego_motion is not None:
        times.append(clip.ego_motion.times_us)
    first_ns = min(int(values[0]) for values in times) * _NS_PER_US
    last_ns = max(int(values[-1]) for values in times) * _NS_PER_US
    start_ns = wanted_ns if wanted_ns is not None else -min(0, first_ns // _NS_PER_S) * _NS_PER_S
    if not 0 <= start_ns + first_ns <= start_ns + last_ns <= _MAX_STAMP_NS:
        raise ConfigurationError(
            f"start {start_ns} ns gives clip {clip.clip_id} stamps from {start_ns + first_ns} to {start_ns + last_ns} "
            f"ns; expected 0 to {_MAX_STAMP_NS}"
        )
    return start_ns


def _topics(clip: Clip) -> dict[str, tuple[str, QosProfile]]:
    table = {
        TRANSFORMS_TOPIC: (payloads.TRANSFORMS, LATCHED_QOS),
        ODOMETRY_TOPIC: (payloads.ODOMETRY, OUTPUT_QOS),
    }
    return table | {camera_topic(camera): (payloads.IMAGE, SENSOR_QOS) for camera in clip.cameras}


def _events(clip: Clip, start_ns: int) -> Iterator[Event]:
    firsts_ns: list[int] = []
    for camera in clip.cameras.values():
        stamps_ns = _stamps_ns(camera.times_us.tolist(), start_ns)
        firsts_ns.append(stamps_ns[0])
        for index, stamp_ns in enumerate(stamps_ns):
            yield event(stamp_ns, camera_topic(camera.camera), _image, camera, index)
    if clip.ego_motion is not None:
        motion = clip.ego_motion
        stamps_ns = _stamps_ns(motion.times_us.tolist(), start_ns)
        firsts_ns.append(stamps_ns[0])
        for stamp_ns, pose, velocity_mps in zip(stamps_ns, motion.poses, motion.velocities_mps, strict=True):
            yield event(stamp_ns, ODOMETRY_TOPIC, payloads.odometry, ODOMETRY_FRAME, pose, velocity_mps)
    if clip.rig_from_optical:
        poses = {optical_frame(camera): pose for camera, pose in clip.rig_from_optical.items()}
        yield event(min(firsts_ns), TRANSFORMS_TOPIC, payloads.static_transforms, RIG_FRAME, poses)


def _stamps_ns(times_us: Sequence[int], start_ns: int) -> list[int]:
    return [start_ns + time_us * _NS_PER_US for time_us in times_us]


def _image(stamp_ns: int, camera: ClipCamera, index: int) -> bytes:
    return payloads.compressed_image(stamp_ns, optical_frame(camera.camera), camera.jpeg(index))


def _assumptions(clip: Clip, start_ns: int, quality: int, asked: Sequence[str]) -> tuple[str, ...]:
    return (
        f"The clip's time 0 stands at {start_ns} ns: clip times are not those of a clock.",
        *ASSUMPTIONS,
        *(
            (f"Of the cameras only those that were asked for are imported: {', '.join(clip.cameras)}.",)
            if asked
            else ()
        ),
        *((LENSES_SENTENCE,) if clip.lenses else ()),
        *((encoding_sentence(quality),) if clip.cameras else ()),
    )


def _warnings(clip: Clip) -> tuple[str, ...]:
    return ("The data set marks the clip as not valid.",) if clip.marked_invalid else ()


def _tags(dataset: OpenedDataset, clip: Clip, start_ns: int, quality: int) -> dict[str, str]:
    warnings = _warnings(clip)
    return {
        "provenance": "real",
        "source": f"PhysicalAI-Autonomous-Vehicles, clip {clip.clip_id}",
        "source_revision": dataset.revision,
        "devkit": f"physical_ai_av {dataset.devkit_version}",
        "licence": LICENCE,
        "attribution": ATTRIBUTION,
        "privacy": PRIVACY,
        "start_ns": str(start_ns),
        **({"encoding": f"JPEG of quality {quality}, encoded again after decoding"} if clip.cameras else {}),
        **({"warnings": " ".join(warnings)} if warnings else {}),
    }


def _write_lenses(path: Path, lenses: Mapping[str, FThetaLens]) -> None:
    """Write the clip's lenses as they are, for whoever can use them."""
    document = {
        "model": "f-theta",
        "meaning": "radius in px = sum of fw_poly[i] * angle^i, angle in rad = sum of bw_poly[i] * radius^i; "
        "angle to the optical axis, radius around (cx, cy)",
        "cameras": {camera: asdict(lenses[camera]) for camera in CAMERAS if camera in lenses},
    }
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
    except OSError as error:
        raise OutputError(f"file {path} cannot be written: {error.strerror}") from error
