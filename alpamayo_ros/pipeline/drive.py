"""The whole data flow of one drive, without ROS: inputs in, one answer per tick out."""

from collections.abc import Sequence
from dataclasses import dataclass

from alpamayo_ros.errors import AlpamayoError
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.pipeline.observer import Observer, Seen
from alpamayo_ros.pipeline.stages import Stages
from alpamayo_ros.pipeline.tick_status import answered, rejected, stage_failed
from alpamayo_ros.structs.camera import CameraFrame, CameraIntrinsics, RigCalibration
from alpamayo_ros.structs.navigation import NavigationCommand
from alpamayo_ros.structs.observation import EgoHistory, Observation
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.rationale import Rationale
from alpamayo_ros.structs.tick import Rejection, TickStatus
from alpamayo_ros.structs.trajectory import TrajectorySet


@dataclass(frozen=True, slots=True)
class TickAnswer:
    """What became of one tick, with its outputs if it was answered."""

    status: TickStatus
    rationale: Rationale | None = None
    trajectories: TrajectorySet | None = None
    history: EgoHistory | None = None


class DrivePipeline:
    """Perception, reasoning and planning of one profile.

    Messages go in one at a time; the answers of the ticks that each of them closes come out. A subclass may run the
    stages in another way in ``answer_observation``.
    """

    def __init__(
        self,
        profile: Profile,
        parameters: NodeParameters,
        stages: Stages,
        *,
        calibration: RigCalibration | None = None,
        requested: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        """Compose the stages.

        Args:
            profile: Inputs and outputs of the model.
            parameters: Parameters of every node.
            stages: Loaded stages of the same profile.
            calibration: The rig's calibration, for cameras.
            requested: (epoch, t0 in ns) of the ticks to run, instead of those that the trigger gives.
        """
        self.trigger = profile.trigger
        self.stages = stages
        self._observer = Observer(
            profile, parameters.perception, calibration=calibration, requested=requested, detector=stages.detector
        )

    @property
    def open_at_end(self) -> int:
        """Ticks that are still open; at the end of the input they are no ticks."""
        return self._observer.open_at_end

    @property
    def not_opened(self) -> int:
        """Requested ticks that never opened; 0 when none were requested."""
        return self._observer.not_opened

    @property
    def dropped(self) -> dict[str, int]:
        """Dropped messages by input; see ``Observer.dropped``."""
        return self._observer.dropped

    def feed_odometry(self, sample: OdometrySample) -> list[TickAnswer]:
        """Take one pose of the rig; return the answers of the ticks that it closes."""
        return [self._answer(seen) for seen in self._observer.feed_odometry(sample)]

    def feed_frame(self, frame: CameraFrame) -> list[TickAnswer]:
        """Take one picture; return the answers of the ticks that it closes."""
        return [self._answer(seen) for seen in self._observer.feed_frame(frame)]

    def feed_camera_info(self, camera: str, intrinsics: CameraIntrinsics) -> None:
        """Take the intrinsics of a camera."""
        self._observer.feed_camera_info(camera, intrinsics)

    def feed_navigation(self, command: NavigationCommand) -> None:
        """Take a navigation command; see ``Observer.feed_navigation``."""
        self._observer.feed_navigation(command)

    def answer_observation(self, observation: Observation) -> TickAnswer:
        """Run the stages on the observation of a tick; an error of one becomes the tick's status."""
        t0_ns, epoch = observation.t0_ns, observation.epoch
        try:
            reasoned = self.stages.reasoner.reason(self.stages.perceive(observation))
            trajectories = self.stages.planner.plan(reasoned.context)
        except AlpamayoError as error:
            return TickAnswer(stage_failed(t0_ns, epoch, self.trigger, error))
        return TickAnswer(answered(t0_ns, epoch, self.trigger), reasoned.rationale, trajectories, observation.history)

    def _answer(self, seen: Seen) -> TickAnswer:
        if isinstance(seen.result, Rejection):
            return TickAnswer(rejected(seen.tick, self.trigger, seen.result))
        return self.answer_observation(seen.result)
