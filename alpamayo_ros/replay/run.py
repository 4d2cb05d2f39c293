"""Run the stack on a bag again: inputs in the total order in, outputs and facts out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from alpamayo_ros.envelope.document import load_envelope
from alpamayo_ros.errors import BagCorruptError, ConfigurationError, TopicError, expected_one_of
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.messages.translator import camera_intrinsics, navigation_struct, tick_struct
from alpamayo_ros.params.node_parameters import load_parameters
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.perception.calibration import with_digest
from alpamayo_ros.pipeline.drive import TickAnswer
from alpamayo_ros.pipeline.observer import latest_stamp_ns
from alpamayo_ros.pipeline.setup import StackSetup, choose_profile, set_up_stack
from alpamayo_ros.replay.drive import IN_PROCESS, Drive
from alpamayo_ros.replay.driven_path import DrivenPathEvaluator
from alpamayo_ros.replay.inputs import OdometryReader, Rig, decode, frame_readers, odometry_frame, read_rig
from alpamayo_ros.replay.outputs import PRODUCED_BY, OutputRecorder
from alpamayo_ros.replay.samples import AnswerSamples
from alpamayo_ros.replay.statements import Statements
from alpamayo_ros.replay.topic_map import TopicMap, resolve_topics
from alpamayo_ros.storage.digest import ContentDigest, InputOrderDigest, payload_sha256
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.reader import BagReader
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.camera import CameraFrame, RigCalibration
from alpamayo_ros.structs.lineage import NONE, Lineage
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import TickMark

TICK_TYPE = "alpamayo_ros/msg/TickStatus"

TICKS = ("all", "recorded")
"""Which ticks can be asked for."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ReplaySetup:
    """What is replayed, read and verified before the first message is fed.

    Attributes:
        stack: What runs.
        topics: Which topic of the bag carries which input.
        rig: What the bag and a calibration file say about the rig.
        requested: (epoch, t0 in ns) of the ticks to run, None for all.
        profile_name: Name or path that the profile was asked for by.
        parameters_path: Parameter file that ``stack`` was read from, None for the defaults.
        envelope_path: Envelope document that ``stack`` was read from, None without one.
    """

    stack: StackSetup
    topics: TopicMap
    rig: Rig
    requested: tuple[tuple[int, int], ...] | None
    profile_name: str = ""
    parameters_path: Path | None = None
    envelope_path: Path | None = None

    @property
    def profile(self) -> Profile:
        """The profile of the stack."""
        return self.stack.profile

    @property
    def lineage(self) -> Lineage:
        """The lineage of the stack."""
        return self.stack.lineage

    @property
    def ticks_requested(self) -> str:
        """What a baseline must share: ``all``, or ``recorded:`` and the digest of the recorded ticks."""
        return "all" if self.requested is None else f"recorded:{document_id([list(tick) for tick in self.requested])}"


@dataclass(slots=True)
class ReplayFacts:
    """What a replay found, before it is judged."""

    marks: list[TickMark] = field(default_factory=list)
    samples: AnswerSamples = field(default_factory=AnswerSamples)
    statements: Statements = field(default_factory=Statements)
    driven: DrivenPathEvaluator = field(default_factory=DrivenPathEvaluator)
    open_at_end: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    not_opened: dict[str, int] = field(default_factory=dict)
    content_digest: str = ""
    input_order_digest: str = ""
    output_digest: str = ""
    executed: str = IN_PROCESS


def set_up_replay(
    reader: BagReader,
    *,
    profile_name: str,
    backend: str = "",
    topics_path: Path | None = None,
    calibration_path: Path | None = None,
    parameters_path: Path | None = None,
    envelope_path: Path | None = None,
    ticks: str = "all",
) -> ReplaySetup:
    """Load and verify everything that a replay of one bag needs.

    Raises:
        AlpamayoError: Of the class that fits what is wrong.
    """
    if ticks not in TICKS:
        raise ConfigurationError(expected_one_of("ticks", ticks, TICKS))
    profile = choose_profile(profile_name, backend)
    parameters = load_parameters(parameters_path)
    topics = resolve_topics(profile, reader.topics, topics_path)
    rig = read_rig(reader, topics, profile, calibration_path)
    return ReplaySetup(
        stack=set_up_stack(profile, parameters, _calibration(reader, topics, rig), load_envelope(envelope_path)),
        topics=topics,
        rig=rig,
        requested=recorded_ticks(reader) if ticks == "recorded" else None,
        profile_name=profile_name,
        parameters_path=parameters_path,
        envelope_path=envelope_path,
    )


def _calibration(reader: BagReader, topics: TopicMap, rig: Rig) -> RigCalibration:
    """Return everything calibrated that the outputs depend on: cameras, and the frame that odometry is about."""
    first = next(iter(reader.messages(topics=[topics.odometry])), None)
    given = rig.used.odometry
    frame = given if first is None else odometry_frame(first, given, rig.transforms)
    if frame is given:
        return rig.used
    sources = [rig.used.source] if rig.used.digest != NONE else []
    source = " and ".join([*sources, "odometry's frame by /tf_static"])
    return with_digest(replace(rig.used, odometry=frame, source=source))


def recorded_ticks(reader: BagReader) -> tuple[tuple[int, int], ...]:
    """Return (epoch, t0 in ns) of every recorded tick that was not skipped because the model was busy.

    Raises:
        ConfigurationError: The bag has no TickStatus.
    """
    topics = [name for name, info in reader.topics.items() if info.type_name == TICK_TYPE]
    if not topics:
        raise ConfigurationError(
            f"bag {reader.path} has no topic of type {TICK_TYPE}; expected a bag that was recorded with its ticks, "
            "or --ticks all"
        )
    found = set()
    for message in reader.messages(topics=topics):
        try:
            status = tick_struct(decode(message))
        except ValueError as error:
            raise BagCorruptError(f"bag {reader.path}: a tick on {message.topic} cannot be read: {error}") from error
        if status.outcome is not TickOutcome.SKIPPED_BUSY:
            found.add((status.epoch, status.t0_ns))
    return tuple(sorted(found))


def replay_bag(
    reader: BagReader, setup: ReplaySetup, drive: Drive, out: Path, progress: Progress | None = None
) -> ReplayFacts:
    """Feed a bag to the stack and write the answers to the bag ``out``.

    Args:
        reader: The open input bag.
        setup: What to run.
        drive: The stack, started.
        out: Folder of the output bag to make.
        progress: Called with the number of messages read and their total.

    Raises:
        BagCorruptError: The input bag turned out to be damaged.
        BagWriteError: The output could not be written.
    """
    facts = ReplayFacts(executed=drive.executed)
    identity = BagIdentity(
        setup.lineage.lineage_id,
        setup.lineage.envelope_id,
        setup.lineage.manifest,
        {"profile": setup.profile.name, "produced_by": PRODUCED_BY},
    )
    with BagWriter(out, identity=identity) as writer:
        recorder = OutputRecorder(writer, setup.lineage, setup.profile.declared_latency_ms * 1_000_000)
        _Feed(reader, setup, facts, recorder, drive).run(progress)
        facts.output_digest = recorder.digest()
    return facts


class _Feed:
    """Feeds the messages of one bag and collects what comes out."""

    def __init__(
        self, reader: BagReader, setup: ReplaySetup, facts: ReplayFacts, recorder: OutputRecorder, drive: Drive
    ) -> None:
        self._reader = reader
        self._facts = facts
        self._recorder = recorder
        self._drive = drive
        self._odometry = OdometryReader(setup.stack.calibration.odometry)
        self._latest_ns = latest_stamp_ns(setup.profile)
        self._feeders: dict[str, Callable[[BagMessage], Sequence[TickAnswer]]] = {
            setup.topics.odometry: self._feed_odometry
        }
        needed = [camera.id for camera in setup.profile.cameras]
        for topic, read in frame_readers(setup.topics, reader, needed).items():
            self._feeders[topic] = partial(self._feed_frame, read)
        for camera in needed:
            if camera in setup.topics.camera_info:
                self._feeders[setup.topics.camera_info[camera]] = partial(self._feed_info, camera)

        if setup.profile.navigation and setup.topics.navigation:
            self._feeders[setup.topics.navigation] = self._feed_navigation

    def run(self, progress: Progress | None) -> None:
        """Feed everything."""
        content = ContentDigest(self._reader.topics)
        order = InputOrderDigest(self._reader.topics)
        total = self._reader.message_count
        for number, message in enumerate(self._reader.messages()):
            digest = payload_sha256(message)
            content.update(message, digest)
            feed = self._feeders.get(message.topic)
            if feed is not None:
                order.update(message, digest)
                for answer in feed(message):
                    self._record(answer)
            if progress is not None and not number % 256:
                progress(number, total)
        self._finish()
        self._facts.content_digest = content.hexdigest()
        self._facts.input_order_digest = order.hexdigest()
        if progress is not None:
            progress(total, total)

    def _feed_odometry(self, message: BagMessage) -> Sequence[TickAnswer]:
        sample = self._odometry.read(message)
        if 0 <= sample.stamp_ns <= self._latest_ns:
            for path in self._facts.driven.add_odometry(sample):
                self._facts.samples.add_driven(path)
        return self._drive.take_odometry(message, sample)

    def _feed_frame(self, read: Callable[[BagMessage], CameraFrame], message: BagMessage) -> Sequence[TickAnswer]:
        return self._drive.take_frame(message, read(message))

    def _feed_info(self, camera: str, message: BagMessage) -> Sequence[TickAnswer]:
        self._drive.take_camera_info(message, camera, camera_intrinsics(decode(message)))
        return ()

    def _feed_navigation(self, message: BagMessage) -> Sequence[TickAnswer]:
        try:
            command = navigation_struct(decode(message))
        except ValueError as error:
            raise TopicError(
                f"navigation command on {message.topic} received at {message.receive_ns} ns cannot be used: {error}; "
                "expected a constant of NavigationCommand"
            ) from error
        self._drive.take_navigation(message, command)
        return ()

    def _record(self, answer: TickAnswer) -> None:
        self._recorder.record(answer)
        self._facts.marks.append(TickMark(answer.status.t0_ns, answer.status.outcome))
        if answer.rationale is not None:
            self._facts.statements.add(answer.rationale)
        if answer.trajectories is not None and answer.history is not None:
            self._facts.samples.add(answer)
            for path in self._facts.driven.add_trajectories(answer.trajectories, answer.history):
                self._facts.samples.add_driven(path)

    def _finish(self) -> None:
        self._facts.open_at_end = self._drive.open_at_end
        # Nothing came out: the bag names its lineage all the same.
        self._recorder.record_lineage(min(self._reader.start_ns or 0, self._latest_ns))
        self._facts.dropped = self._drive.dropped
        if self._drive.not_opened:
            self._facts.not_opened = {"not_opened": self._drive.not_opened}
        for path in self._facts.driven.finish():
            self._facts.samples.add_driven(path)
