"""Write an episode as a bag: what the cameras of its vehicle see, where it drives, and why the expert drives so."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ParameterError, expected_one_of
from alpamayo_ros.importers import payloads as common
from alpamayo_ros.importers.payloads import CAMERA_INFO, IMAGE, MARKERS, ODOMETRY, TRANSFORMS
from alpamayo_ros.messages.translator import RIG_FRAME
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.provenance import PROVENANCE, SIMULATED
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS, SENSOR_QOS, QosProfile
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.lineage import NONE
from alpamayo_ros.structs.navigation import Navigation
from alpamayo_ros.world import payloads, timing
from alpamayo_ros.world.actor_markers import ActorMarkers
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.rendering.renderer import RENDERER, RENDERER_VERSION, Renderer
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, RING, SHOWN_SIZE, PinholeCamera, camera
from alpamayo_ros.world.sensor_faults import delivered_frame, dimmed, odometry_arrives
from alpamayo_ros.world.timing import START_NS
from alpamayo_ros.world.truth_messages import TruthRationales, navigation_at_steps

ODOMETRY_FRAME = "odom"
ODOMETRY_TOPIC = "/odometry"
ACTORS_TOPIC = "/actors"
TRANSFORMS_TOPIC = "/tf_static"
NAVIGATION_TOPIC = "/navigation"
RATIONALE_TOPIC = "/ground_truth/rationale"
PATH_TOPIC = "/ground_truth/path"
ACTOR_LIFETIME_NS = 400_000_000
JPEG_QUALITY = 60
INFO_EVERY = 10
"""Pictures of a camera for one message with its intrinsics."""
MIN_DURATION_S = 0.5
LICENCE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class BagPlan:
    """What of an episode goes into a bag.

    Attributes:
        cameras: Camera ids, in the order of a profile.
        size: Width and height of the pictures in px.
        quality: Of the JPEG files, 1 to 100.
        from_s: Where the bag begins, after the start of the episode.
        to_s: Where it ends; None for the end of the episode.
    """

    cameras: tuple[str, ...] = FRONT_FOUR
    size: tuple[int, int] = SHOWN_SIZE
    quality: int = JPEG_QUALITY
    from_s: float = 0.0
    to_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no bag can be made of.

        Raises:
            ParameterError: A camera is unknown or named twice, or a number is out of range.
        """
        validate_cameras(self.cameras)
        if not 1 <= self.quality <= 100:
            raise ParameterError(f"JPEG quality {self.quality} is out of range; expected 1 to 100")

    def placed(self) -> tuple[PinholeCamera, ...]:
        """Return the cameras with this size of picture."""
        return tuple(camera(name, *self.size) for name in self.cameras)


@dataclass(frozen=True, slots=True)
class BagSummary:
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


def validate_cameras(cameras: tuple[str, ...]) -> None:
    """Require one or more different cameras of the vehicle.

    Raises:
        ParameterError: There is none, or one is unknown or named twice.
    """
    known = [one.id for one in RING]
    for name in cameras:
        if name not in known:
            raise ParameterError(expected_one_of("camera", name, known))
        if cameras.count(name) > 1:
            raise ParameterError(f"camera {name!r} is named twice; expected every camera once")
    if not cameras:
        raise ParameterError("no camera is named; expected one or more of: " + ", ".join(known))


def window(record: EpisodeRecord, from_s: float, to_s: float | None) -> tuple[float, float]:
    """Return where a part of an episode begins and ends, in s after its start.

    Raises:
        ParameterError: It is no part of the episode, or shorter than MIN_DURATION_S.
    """
    last_s = record.snapshots[-1].t_s
    end_s = last_s if to_s is None else to_s
    if not (from_s >= 0.0 and end_s <= last_s + 1e-9 and end_s - from_s >= MIN_DURATION_S - 1e-9):
        raise ParameterError(
            f"part from {from_s:g} s to {end_s:g} s of an episode of {last_s:.1f} s cannot be taken; expected times "
            f"from 0 to {last_s:.1f} s, the first at least {MIN_DURATION_S:g} s before the second"
        )
    return from_s, end_s


def write_episode_bag(
    out: Path,
    record: EpisodeRecord,
    tags: Mapping[str, str],
    plan: BagPlan | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> BagSummary:
    """Write an episode as a bag; the same record and plan give the same content digest.

    Args:
        out: Folder to make.
        record: The episode, driven.
        tags: What the bag says of itself; it is always simulated.
        plan: What of it to write.
        progress: Called with the messages written and their total.

    Raises:
        ParameterError: The plan does not fit the episode.
        OutputError: The folder exists already or cannot be written.
        BagWriteError: The disk is full or faulty.
    """
    plan = plan or BagPlan()
    start_s, end_s = window(record, plan.from_s, plan.to_s)
    said = {**tags, **_own_tags(plan), "from_s": f"{start_s:g}", "to_s": f"{end_s:g}"}
    topics = _topics(plan)
    counts = dict.fromkeys(topics, 0)
    with BagWriter(out, identity=BagIdentity(lineage_id=NONE, envelope_id=NONE, manifest="", tags=said)) as writer:
        for topic, (type_name, qos) in topics.items():
            writer.add_topic(topic, type_name, qos=qos)
        events = plan_events(record, plan)
        for done, event in enumerate(events, start=1):
            _, publish_ns, receive_ns = event.moment
            writer.write(event.topic, event.build(), receive_ns=START_NS + receive_ns, publish_ns=START_NS + publish_ns)
            counts[event.topic] += 1
            if progress is not None:
                progress(done, len(events))
    size = sum(file.stat().st_size for file in out.iterdir())
    return BagSummary(out, counts, end_s - start_s, size)


def image_topic(camera_id: str) -> str:
    """Return the topic of a camera's pictures."""
    return f"/camera/{camera_id}/image/compressed"


def info_topic(camera_id: str) -> str:
    """Return the topic of a camera's intrinsics."""
    return f"/camera/{camera_id}/camera_info"


def encode_jpeg(picture: NDArray[np.uint8], quality: int = JPEG_QUALITY) -> bytes:
    """Return a picture (blue, green, red) as JPEG."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    encoded, data = cv2.imencode(".jpg", picture, options)
    if not encoded:
        raise ValueError("picture cannot be encoded as JPEG; expected uint8 (height, width, 3)")
    return data.tobytes()


def _own_tags(plan: BagPlan) -> dict[str, str]:
    return {
        PROVENANCE: SIMULATED,
        "renderer": f"{RENDERER} {RENDERER_VERSION}",
        "camera_model": "pinhole without distortion",
        "picture_size": f"{plan.size[0]}x{plan.size[1]}",
        "jpeg_quality": str(plan.quality),
        "licence": LICENCE,
    }


def _topics(plan: BagPlan) -> dict[str, tuple[str, QosProfile]]:
    topics = {
        TRANSFORMS_TOPIC: (TRANSFORMS, LATCHED_QOS),
        ODOMETRY_TOPIC: (ODOMETRY, OUTPUT_QOS),
        NAVIGATION_TOPIC: (payloads.NAVIGATION, OUTPUT_QOS),
    }
    for name in plan.cameras:
        topics[image_topic(name)] = (IMAGE, SENSOR_QOS)
        topics[info_topic(name)] = (CAMERA_INFO, SENSOR_QOS)
    topics[ACTORS_TOPIC] = (MARKERS, OUTPUT_QOS)
    topics[RATIONALE_TOPIC] = (payloads.RATIONALE, OUTPUT_QOS)
    topics[PATH_TOPIC] = (payloads.PATH, LATCHED_QOS)
    return topics


def plan_events(record: EpisodeRecord, plan: BagPlan) -> list[Event]:
    """Return everything that is to be written, in the order of its reception.

    Raises:
        ParameterError: The plan does not fit the episode.
    """
    return _Planner(record, plan).events()


class _Planner:
    """Plans the messages of one bag."""

    def __init__(self, record: EpisodeRecord, plan: BagPlan) -> None:
        self._record = record
        self._plan = plan
        self._start_s, self._end_s = window(record, plan.from_s, plan.to_s)
        self._cameras = plan.placed()
        self._renderer = Renderer(record.road_map, record.spec.seed, record.spec.conditions)

    def events(self) -> list[Event]:
        """Return every message, sorted by reception and topic."""
        start_ns = round(self._start_s * 1e9)
        first = timing.Moment(start_ns, start_ns, start_ns)
        frames = {one.frame_id: one.pose for one in self._cameras}
        build_frames = lambda: common.static_transforms(START_NS + start_ns, RIG_FRAME, frames)  # noqa: E731
        events = [Event(first, TRANSFORMS_TOPIC, build_frames), Event(first, PATH_TOPIC, self._path)]
        events += [
            Event(moment, ODOMETRY_TOPIC, self._odometry(moment.stamp_ns))
            for moment in self._within(ODOMETRY_TOPIC, timing.ODOMETRY)
            if odometry_arrives(self._record.spec.faults, moment.stamp_ns * 1e-9)
        ]
        markers = ActorMarkers(self._record)
        events += [
            Event(moment, ACTORS_TOPIC, self._actors(markers, moment.stamp_ns))
            for moment in self._within(ACTORS_TOPIC, timing.ACTORS)
        ]
        events += self._truth()
        for one in self._cameras:
            events += self._pictures(one)
        events.sort(key=lambda event: (event.moment.receive_ns, event.topic))
        return events

    def _moments(self, topic: str, schedule: timing.Schedule) -> list[timing.Moment]:
        """Return the moments of the whole episode.

        Jitter is a property of episode and topic: another part, or other cameras beside it, do not change it.
        """
        spec = self._record.spec
        keys = [zlib.crc32(text.encode()) for text in (spec.scenario, spec.split, topic)]
        return list(schedule.moments(self._record.snapshots[-1].t_s, np.random.default_rng([spec.seed, *keys])))

    def _holds(self, moment: timing.Moment, tail_s: float = 0.0) -> bool:
        """Whether a moment lies in the part that is written."""
        return round(self._start_s * 1e9) <= moment.stamp_ns <= round((self._end_s - tail_s) * 1e9)

    def _within(self, topic: str, schedule: timing.Schedule) -> list[timing.Moment]:
        return [moment for moment in self._moments(topic, schedule) if self._holds(moment)]

    def _odometry(self, stamp_ns: int) -> Callable[[], bytes]:
        return lambda: payloads.odometry(START_NS + stamp_ns, ODOMETRY_FRAME, self._record.at(stamp_ns * 1e-9).ego)

    def _actors(self, markers: ActorMarkers, stamp_ns: int) -> Callable[[], bytes]:
        return lambda: common.marker_array(
            START_NS + stamp_ns, ODOMETRY_FRAME, markers.at(stamp_ns * 1e-9), ACTOR_LIFETIME_NS
        )

    def _path(self) -> bytes:
        driven = [one for one in self._record.snapshots if self._start_s - 1e-9 <= one.t_s <= self._end_s + 1e-9]
        return payloads.path(ODOMETRY_FRAME, [(START_NS + round(one.t_s * 1e9), one.ego) for one in driven])

    def _truth(self) -> list[Event]:
        rationales = TruthRationales(self._record, self._renderer, self._cameras)
        commands = navigation_at_steps(self._record)
        events = []
        # A command holds from its step on; it is sent every step, because a driver forgets an old one.
        for moment in self._within(NAVIGATION_TOPIC, timing.NAVIGATION):
            step = round(moment.stamp_ns * 1e-8)
            if step < len(commands):
                events.append(Event(moment, NAVIGATION_TOPIC, self._navigation(moment.stamp_ns, commands[step])))
            if step < len(self._record.decisions):
                events.append(Event(moment, RATIONALE_TOPIC, self._rationale(rationales, moment.stamp_ns, step)))
        return events

    def _navigation(self, stamp_ns: int, command: Navigation) -> Callable[[], bytes]:
        return lambda: payloads.navigation_command(START_NS + stamp_ns, command)

    def _rationale(self, rationales: TruthRationales, stamp_ns: int, step: int) -> Callable[[], bytes]:
        return lambda: payloads.rationale(rationales.at_step(step, START_NS + stamp_ns))

    def _pictures(self, one: PinholeCamera) -> list[Event]:
        schedule = timing.CAMERAS[one.id]
        phase_s, period_s = schedule.phase_ms * 1e-3, schedule.period_ms * 1e-3
        moments = self._moments(image_topic(one.id), schedule)
        events: list[Event] = []
        count = 0
        for index, moment in enumerate(moments):
            if not self._holds(moment, timing.CAMERA_TAIL_S):
                continue
            if count % INFO_EVERY == 0:
                events.append(Event(moment, info_topic(one.id), self._info(one, moment.stamp_ns)))
            count += 1
            # A frozen camera shows a frame that it took, so that faults count in frames rather than in jittered times.
            taken_s = phase_s + index * period_s
            delivered = delivered_frame(self._record.spec.faults, one.id, taken_s, period_s)
            if delivered is None:
                continue
            shown = moments[max(0, round((delivered.shown_s - phase_s) / period_s))]
            build = self._image(one, moment.stamp_ns, shown.stamp_ns * 1e-9, delivered.light)
            events.append(Event(moment, image_topic(one.id), build))
        return events

    def _info(self, one: PinholeCamera, stamp_ns: int) -> Callable[[], bytes]:
        return lambda: common.camera_info(START_NS + stamp_ns, one.frame_id, one.intrinsics)

    def _image(self, one: PinholeCamera, stamp_ns: int, shown_s: float, light: float) -> Callable[[], bytes]:
        def build() -> bytes:
            picture = dimmed(self._renderer.render(one, self._record.at(shown_s)), light)
            return common.compressed_image(START_NS + stamp_ns, one.frame_id, encode_jpeg(picture, self._plan.quality))

        return build
