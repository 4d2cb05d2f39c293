"""Let a profile drive an episode: real messages into the real pipeline, its plan into the vehicle."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2

from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.perception.calibration import with_digest
from alpamayo_ros.pipeline.drive import DrivePipeline, TickAnswer
from alpamayo_ros.pipeline.stages import Stages
from alpamayo_ros.structs.camera import CameraCalibration, CameraFrame, RigCalibration
from alpamayo_ros.structs.navigation import Navigation, NavigationCommand
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.world.edits import Edit
from alpamayo_ros.world.ego import advance_ego
from alpamayo_ros.world.episode import ROUTE_END_M, EpisodeRecord, snapshot_at, step_count
from alpamayo_ros.world.expert.expert import Decision, Expert
from alpamayo_ros.world.metrics import DriveMetrics, collided, evaluate_drive
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import TRAINING_SIZE, camera
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.sensor_faults import delivered_frame, dimmed, odometry_arrives
from alpamayo_ros.world.simulation import Simulation
from alpamayo_ros.world.snapshot import STEP_S, EgoState, Snapshot
from alpamayo_ros.world.timing import START_NS
from alpamayo_ros.world.tracking import GIVE_UP_MPS2, NS_PER_S, Plan, plan_in_world

TAKEOVER_S = 2.0
"""The expert drives until then: a model needs a history."""
CONTROL_NS = 10_000_000
ODOMETRY_NS = 20_000_000
JPEG_QUALITY = 92
_STEP_NS = round(STEP_S * NS_PER_S)


@dataclass(frozen=True, slots=True)
class DrivenTick:
    """One tick of the profile.

    Attributes:
        t_s: Its time in the episode.
        usable_s: When its plan reached the vehicle.
        answer: What became of it.
    """

    t_s: float
    usable_s: float
    answer: TickAnswer


@dataclass(frozen=True, slots=True)
class ClosedLoopDrive:
    """An episode that a profile drove.

    Attributes:
        record: What happened; its decisions are what the expert would have done in each moment.
        takeover_s: When the profile began to drive.
        ticks: All ticks of the profile.
    """

    record: EpisodeRecord
    takeover_s: float
    ticks: tuple[DrivenTick, ...]

    def metrics(self, expert: EpisodeRecord | None = None) -> DriveMetrics:
        """Evaluate the part that the profile drove.

        Args:
            expert: The same episode driven by the expert, to compare the way with; in the same time.
        """
        first = min(round(self.takeover_s / STEP_S), len(self.record.snapshots) - 2)
        expected = None
        if expert is not None:
            place = Expert(expert.road_map, expert.route).place
            last = min(len(self.record.snapshots), len(expert.snapshots)) - 1
            expected = place(expert.snapshots[last])[0] - place(expert.snapshots[min(first, last)])[0]
        return evaluate_drive(self.record.snapshots[first:], self.record.road_map, self.record.route, expected)


def world_calibration(profile: Profile) -> RigCalibration:
    """Return the calibration of the world's vehicle for the cameras of a profile, at its picture size.

    Raises:
        ParameterError: The vehicle has no such camera.
    """
    width, height = _picture_size(profile)
    cameras = [camera(spec.id, width, height) for spec in profile.cameras]
    found = {one.id: CameraCalibration(one.id, one.intrinsics, one.pose) for one in cameras}
    return with_digest(RigCalibration(found, source="alpamayo_ros.world"))


def drive_closed_loop(
    spec: EpisodeSpec,
    profile: Profile,
    parameters: NodeParameters,
    stages: Stages,
    *,
    edits: Sequence[Edit] = (),
    progress: Callable[[float], None] | None = None,
) -> ClosedLoopDrive:
    """Let a profile drive an episode, until it ends, the route ends, or the vehicle has collided.

    The expert drives for TAKEOVER_S. Then the newest plan is followed that has been known for the profile's declared
    latency. A tick that is rejected leaves the last plan as it is; when that is used up, the vehicle brakes.

    Args:
        spec: What the episode is made from.
        profile: Drives; its cameras must be of the model family.
        parameters: Of every node.
        stages: Loaded stages of the profile.
        edits: What is changed about the episode.
        progress: Is told the finished share, 0 to 1.

    Raises:
        ParameterError: The specification or an edit does not hold, or the vehicle has not the profile's cameras.
        ConfigurationError: SUMO is not installed, or a simulation already runs in this process.
    """
    pipeline = DrivePipeline(profile, parameters, stages, calibration=world_calibration(profile))
    with Simulation(spec, edits) as simulation:
        expert = Expert(simulation.road_map, simulation.route)
        sensors = _Sensors(spec, profile, simulation, expert, pipeline)
        driver = _Driver(profile.declared_latency_ms * 1_000_000)
        snapshots, decisions = [simulation.snapshot], [expert.decide(simulation.snapshot)]
        count = step_count(spec)
        for step in range(count):
            now = snapshots[-1]
            driver.take(sensors.observe(snapshots), now.ego, step * _STEP_NS)
            if collided(now) is not None or _is_at_end(expert, simulation, now):
                break
            ego = _drive_step(now.ego, decisions[-1], driver, sensors, step * _STEP_NS)
            snapshots.append(simulation.advance(ego))
            decisions.append(expert.decide(snapshots[-1]))
            if progress is not None:
                progress((step + 1) / count)
        record = EpisodeRecord(
            spec, tuple(edits), simulation.road_map, simulation.route, tuple(snapshots), tuple(decisions)
        )
        return ClosedLoopDrive(record, TAKEOVER_S, tuple(driver.ticks))


def _is_at_end(expert: Expert, simulation: Simulation, snapshot: Snapshot) -> bool:
    return simulation.route.path.length_m - expert.place(snapshot)[0] < ROUTE_END_M


def _drive_step(ego: EgoState, decision: Decision, driver: "_Driver", sensors: "_Sensors", start_ns: int) -> EgoState:
    """Drive to the next step, command by command; odometry is measured on the way."""
    for time_ns in range(start_ns, start_ns + _STEP_NS, CONTROL_NS):
        if time_ns > start_ns and time_ns % ODOMETRY_NS == 0:
            driver.take(sensors.measure(ego, time_ns), ego, time_ns)
        dt_s = CONTROL_NS / NS_PER_S
        if time_ns < TAKEOVER_S * NS_PER_S:
            acceleration, curvature = decision.acceleration_mps2, decision.curvature
        else:
            acceleration, curvature = driver.command(ego, time_ns, dt_s)
        ego = advance_ego(ego, acceleration, curvature, dt_s)
    return ego


class _Driver:
    """Keeps the plans and follows the newest that has arrived."""

    def __init__(self, latency_ns: int) -> None:
        self.ticks: list[DrivenTick] = []
        self._latency_ns = latency_ns
        self._arriving: list[tuple[int, Plan]] = []
        self._plan: Plan | None = None
        self._at: dict[int, EgoState] = {}

    def take(self, answers: Sequence[TickAnswer], ego: EgoState, time_ns: int) -> None:
        """Take the answers that came now, and remember where the vehicle is, since later answers are about now."""
        self._at[START_NS + time_ns] = ego
        for answer in answers:
            t0_ns = answer.status.t0_ns
            usable_ns = time_ns + self._latency_ns
            self.ticks.append(DrivenTick((t0_ns - START_NS) / NS_PER_S, usable_ns / NS_PER_S, answer))
            if answer.trajectories is not None:
                there = self._at[min(self._at, key=lambda stamp: abs(stamp - t0_ns))]
                self._arriving.append((usable_ns, plan_in_world(answer.trajectories, there)))

    def command(self, ego: EgoState, time_ns: int, dt_s: float) -> tuple[float, float]:
        """Return acceleration and curvature for the next moment."""
        while self._arriving and self._arriving[0][0] <= time_ns:
            self._plan = self._arriving.pop(0)[1]
        command = None if self._plan is None else self._plan.command(ego, START_NS + time_ns, dt_s)
        return (GIVE_UP_MPS2, ego.curvature) if command is None else command


class _Sensors:
    """What the vehicle's sensors send to the pipeline."""

    def __init__(
        self, spec: EpisodeSpec, profile: Profile, simulation: Simulation, expert: Expert, pipeline: DrivePipeline
    ) -> None:
        width, height = _picture_size(profile)
        self._cameras = [camera(one.id, width, height) for one in profile.cameras]
        self._renderer = Renderer(simulation.road_map, spec.seed, spec.conditions) if self._cameras else None
        self._faults = spec.faults
        self._route = simulation.route
        self._expert = expert
        self._pipeline = pipeline

    def observe(self, snapshots: Sequence[Snapshot]) -> list[TickAnswer]:
        """Send what is measured at the newest step; return the answers of the ticks that it closes."""
        now = snapshots[-1]
        time_ns = now.step * _STEP_NS
        command = self._route.navigation(self._expert.place(now)[0])
        self._pipeline.feed_navigation(NavigationCommand(START_NS + time_ns, Navigation[command.upper()]))
        answers = self.measure(now.ego, time_ns)
        for one in self._cameras:
            delivered = delivered_frame(self._faults, one.id, now.t_s, STEP_S)
            if delivered is None or self._renderer is None:
                continue
            picture = self._renderer.render(one, snapshot_at(snapshots, delivered.shown_s))
            picture = dimmed(picture, delivered.light)
            _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            answers += self._pipeline.feed_frame(CameraFrame(one.id, START_NS + time_ns, "jpeg", data.tobytes()))
        return answers

    def measure(self, ego: EgoState, time_ns: int) -> list[TickAnswer]:
        """Send the odometry of now; return the answers of the ticks that it closes."""
        if not odometry_arrives(self._faults, time_ns / NS_PER_S):
            return []
        return self._pipeline.feed_odometry(OdometrySample(START_NS + time_ns, *ego.position, *ego.quaternion))


def _picture_size(profile: Profile) -> tuple[int, int]:
    """Return width and height of the pictures that the vehicle takes for a profile."""
    if profile.cameras:
        return profile.image_width, profile.image_height
    return TRAINING_SIZE
