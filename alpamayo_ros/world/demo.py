"""Write the demonstration bag: what the cameras of the world's vehicle see while it drives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.importers import payloads as common
from alpamayo_ros.importers.payloads import CAMERA_INFO, IMAGE, MARKERS, ODOMETRY, TRANSFORMS, Actor
from alpamayo_ros.lineage.runtime import package_version
from alpamayo_ros.messages.translator import RIG_FRAME
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS, SENSOR_QOS, QosProfile
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.lineage import NONE
from alpamayo_ros.structs.pose import Pose
from alpamayo_ros.world import payloads, timing
from alpamayo_ros.world.renderer import Renderer
from alpamayo_ros.world.rig import CAMERAS, PinholeCamera
from alpamayo_ros.world.scene import Scene, build_scene
from alpamayo_ros.world.shapes import SHAPES

START_NS = 1_700_000_000_000_000_000
"""Stamp of the first moment: a constant, so that the same bag comes out on every day."""
DURATION_S = 15.2
MIN_DURATION_S = 0.5
MAX_DURATION_S = 15.8
"""The script's end: soon after it the ego vehicle would touch the lead vehicle."""
JPEG_QUALITY = 55
ODOMETRY_FRAME = "odom"
ODOMETRY_TOPIC = "/odometry"
ACTORS_TOPIC = "/actors"
TRANSFORMS_TOPIC = "/tf_static"
ACTOR_LIFETIME_NS = 400_000_000

ASSUMPTIONS = (
    "Vehicles are kinematic: they follow their lane's centre line exactly, without tyres, slip or steering limits.",
    "The ego vehicle's body pitches and rolls in proportion to its accelerations.",
    "The ground is a plane without slope, kerbs or bumps.",
    "There is no map: the lane is known to the generator alone.",
    "Traffic is scripted and does not react.",
    "There are no pedestrians and no cyclists, and nothing that has an intent.",
    "Nearer objects hide farther ones in the painter's order; the ego vehicle's own body is not drawn.",
    "The weather is a clear day; shadows fall on the ground only.",
    "Cameras are ideal pinholes without distortion, noise, exposure time, motion blur or rolling shutter.",
    "Odometry is exact, and so are its stamps.",
)


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was written.

    Attributes:
        path: The bag's folder.
        topics: Messages by topic.
        duration_s: Length of the drive.
        size_bytes: Of all files.
    """

    path: Path
    topics: Mapping[str, int]
    duration_s: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Event:
    """One message that the world will send.

    Attributes:
        moment: When, after START_NS.
        topic: Where.
        build: Makes the payload; for pictures this renders.
    """

    moment: timing.Moment
    topic: str
    build: Callable[[], bytes]


def write_demo_bag(
    out: Path,
    *,
    seed: int = 0,
    duration_s: float = DURATION_S,
    progress: Callable[[float], None] | None = None,
) -> DemoSummary:
    """Render the drive and write it as a bag; the same arguments give the same content digest.

    Args:
        out: Folder to make.
        seed: Decides about houses, trees, parked cars, clouds and the jitter of the stamps; the drive and the
            traffic are the same for every seed.
        duration_s: Length of the drive, MIN_DURATION_S to MAX_DURATION_S.
        progress: Is told the finished share, 0 to 1.

    Raises:
        ParameterError: The seed or the duration is out of range.
        OutputError: The folder exists already or cannot be written.
        BagWriteError: The disk is full or faulty.
    """
    if seed < 0:
        raise ParameterError(f"seed {seed} is negative; expected 0 or more")
    if not MIN_DURATION_S <= duration_s <= MAX_DURATION_S:
        raise ParameterError(
            f"duration_s {duration_s} is out of range; expected {MIN_DURATION_S} to {MAX_DURATION_S} s"
        )
    topics = _topics()
    counts = dict.fromkeys(topics, 0)
    with BagWriter(out, identity=_identity(seed, duration_s)) as writer:
        for topic, (type_name, qos) in topics.items():
            writer.add_topic(topic, type_name, qos=qos)
        events = plan_events(demo_scene(seed), duration_s, seed)
        for done, event in enumerate(events, start=1):
            _, publish_ns, receive_ns = event.moment
            writer.write(event.topic, event.build(), receive_ns=START_NS + receive_ns, publish_ns=START_NS + publish_ns)
            counts[event.topic] += 1
            if progress is not None:
                progress(done / len(events))
    size = sum(file.stat().st_size for file in out.iterdir())
    return DemoSummary(out, counts, duration_s, size)


def image_topic(camera: str) -> str:
    """Return the topic of a camera's pictures."""
    return f"/camera/{camera}/image/compressed"


def info_topic(camera: str) -> str:
    """Return the topic of a camera's intrinsics."""
    return f"/camera/{camera}/camera_info"


def encode_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture (blue, green, red) as JPEG."""
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    encoded, data = cv2.imencode(".jpg", picture, options)
    if not encoded:
        raise ValueError("picture cannot be encoded as JPEG; expected uint8 (height, width, 3)")
    return data.tobytes()


def _identity(seed: int, duration_s: float) -> BagIdentity:
    """Return an input's identity: no model had a part in it."""
    tags = {
        "provenance": "simulated",
        "generator": "alpamayo_ros.world",
        "generator_version": package_version(),
        "seed": str(seed),
        "duration_s": str(duration_s),
        "camera_model": "pinhole without distortion",
        "map": NONE,
        "assumptions": " ".join(ASSUMPTIONS),
        "licence": "Apache-2.0",
    }
    return BagIdentity(lineage_id=NONE, envelope_id=NONE, manifest="", tags=tags)


def _topics() -> dict[str, tuple[str, QosProfile]]:
    topics = {TRANSFORMS_TOPIC: (TRANSFORMS, LATCHED_QOS), ODOMETRY_TOPIC: (ODOMETRY, OUTPUT_QOS)}
    for camera in CAMERAS:
        topics[image_topic(camera.id)] = (IMAGE, SENSOR_QOS)
        topics[info_topic(camera.id)] = (CAMERA_INFO, SENSOR_QOS)
    topics[ACTORS_TOPIC] = (MARKERS, OUTPUT_QOS)
    return topics


def demo_scene(seed: int) -> Scene:
    """Return the world of a seed."""
    return build_scene(np.random.default_rng([seed, 0]))


def plan_events(scene: Scene, duration_s: float, seed: int) -> list[Event]:
    """Return everything that is to be written, in the order of its reception."""
    rng = np.random.default_rng([seed, 1])
    renderer = Renderer(scene)
    frames = {camera.frame_id: camera.pose for camera in CAMERAS}
    start = timing.Moment(0, 0, 0)
    events = [Event(start, TRANSFORMS_TOPIC, lambda: common.static_transforms(START_NS, RIG_FRAME, frames))]
    events += [
        Event(moment, ODOMETRY_TOPIC, _odometry_builder(scene, moment.stamp_ns))
        for moment in timing.ODOMETRY.moments(duration_s, rng)
    ]
    events += [
        Event(moment, ACTORS_TOPIC, _actors_builder(scene, moment.stamp_ns))
        for moment in timing.ACTORS.moments(duration_s, rng)
    ]
    for camera in CAMERAS:
        moments = timing.CAMERAS[camera.id].moments(duration_s - timing.CAMERA_TAIL_S, rng)
        for index, moment in enumerate(moments):
            if index % 10 == 0:
                events.append(Event(moment, info_topic(camera.id), _info_builder(camera, moment.stamp_ns)))
            events.append(Event(moment, image_topic(camera.id), _image_builder(renderer, scene, camera, moment)))
    events.sort(key=lambda event: (event.moment.receive_ns, event.topic))
    return events


def _odometry_builder(scene: Scene, stamp_ns: int) -> Callable[[], bytes]:
    return lambda: payloads.odometry(START_NS + stamp_ns, ODOMETRY_FRAME, scene.ego.state(stamp_ns * 1e-9))


def _info_builder(camera: PinholeCamera, stamp_ns: int) -> Callable[[], bytes]:
    return lambda: common.camera_info(START_NS + stamp_ns, camera.frame_id, camera.intrinsics)


def _image_builder(
    renderer: Renderer, scene: Scene, camera: PinholeCamera, moment: timing.Moment
) -> Callable[[], bytes]:
    def build() -> bytes:
        t_s = moment.stamp_ns * 1e-9
        picture = renderer.render(camera, scene.ego.state(t_s), t_s)
        return common.compressed_image(START_NS + moment.stamp_ns, camera.frame_id, encode_jpeg(picture))

    return build


def _actors_builder(scene: Scene, stamp_ns: int) -> Callable[[], bytes]:
    return lambda: common.marker_array(
        START_NS + stamp_ns, ODOMETRY_FRAME, _actors(scene, stamp_ns * 1e-9), ACTOR_LIFETIME_NS
    )


def _actors(scene: Scene, t_s: float) -> list[Actor]:
    """Return every vehicle in the world, whether the cameras see it or not."""
    actors: list[Actor] = []
    for number, vehicle in enumerate(scene.vehicles):
        place = vehicle.placement(scene.lane, t_s)
        if place is None:
            continue
        shape = SHAPES[vehicle.shape]
        cosine, sine = np.cos(place.heading), np.sin(place.heading)
        middle = (place.x + shape.centre_x * float(cosine), place.y + shape.centre_x * float(sine), shape.height / 2.0)
        quaternion = (0.0, 0.0, float(np.sin(place.heading / 2.0)), float(np.cos(place.heading / 2.0)))
        label = "parked_vehicle" if vehicle.parked else "vehicle"
        size = (shape.length, shape.width, shape.height)
        actors.append(Actor(number, vehicle.id, label, Pose(middle, quaternion), size))
    return actors
