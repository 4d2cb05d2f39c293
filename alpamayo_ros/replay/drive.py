"""What a replay feeds: the stages in process, or a graph of nodes behind the same protocol."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

from alpamayo_ros.pipeline.drive import DrivePipeline, TickAnswer
from alpamayo_ros.pipeline.stages import load_stages
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.reader import BagReader
from alpamayo_ros.structs.camera import CameraFrame, CameraIntrinsics
from alpamayo_ros.structs.navigation import NavigationCommand
from alpamayo_ros.structs.pose import OdometrySample

if TYPE_CHECKING:
    from alpamayo_ros.replay.run import ReplaySetup


IN_PROCESS = "in process"


class Drive(Protocol):
    """Takes the inputs of a drive in the total order; gives the answers of the ticks that each of them closes.

    Every message comes as it stands in the bag and decoded: a graph sends the first, the pipeline uses the second.
    """

    @property
    def executed(self) -> str:
        """How the stages run; see ``ReplayResult``."""

    @property
    def open_at_end(self) -> int:
        """Ticks that are still open; at the end of the input they are no ticks."""

    @property
    def not_opened(self) -> int:
        """Requested ticks that never opened; 0 when none were requested."""

    @property
    def dropped(self) -> dict[str, int]:
        """Dropped messages by input."""

    def take_odometry(self, message: BagMessage, sample: OdometrySample) -> Sequence[TickAnswer]:
        """Take one pose of the rig."""

    def take_frame(self, message: BagMessage, frame: CameraFrame) -> Sequence[TickAnswer]:
        """Take one picture."""

    def take_navigation(self, message: BagMessage, command: NavigationCommand) -> None:
        """Take a navigation command."""

    def take_camera_info(self, message: BagMessage, camera: str, intrinsics: CameraIntrinsics) -> None:
        """Take the intrinsics of a camera."""


DriveStarter = Callable[["ReplaySetup", BagReader], AbstractContextManager[Drive]]
"""Loads and starts what is replayed, and ends it."""


class _InProcess:
    """The pipeline, fed with what was decoded."""

    executed = IN_PROCESS

    def __init__(self, pipeline: DrivePipeline) -> None:
        self._pipeline = pipeline

    @property
    def open_at_end(self) -> int:
        return self._pipeline.open_at_end

    @property
    def not_opened(self) -> int:
        return self._pipeline.not_opened

    @property
    def dropped(self) -> dict[str, int]:
        return self._pipeline.dropped

    def take_odometry(self, message: BagMessage, sample: OdometrySample) -> Sequence[TickAnswer]:  # noqa: ARG002
        return self._pipeline.feed_odometry(sample)

    def take_frame(self, message: BagMessage, frame: CameraFrame) -> Sequence[TickAnswer]:  # noqa: ARG002
        return self._pipeline.feed_frame(frame)

    def take_navigation(self, message: BagMessage, command: NavigationCommand) -> None:  # noqa: ARG002
        self._pipeline.feed_navigation(command)

    def take_camera_info(self, message: BagMessage, camera: str, intrinsics: CameraIntrinsics) -> None:  # noqa: ARG002
        self._pipeline.feed_camera_info(camera, intrinsics)


def in_process(pipeline: DrivePipeline) -> Drive:
    """Return a drive that is fed with what was decoded."""
    return _InProcess(pipeline)


@contextmanager
def start_in_process(setup: "ReplaySetup", reader: BagReader) -> Iterator[Drive]:  # noqa: ARG001
    """Load the stages into this process."""
    stack = setup.stack
    stages = load_stages(stack.profile, stack.parameters, stack.model)
    try:
        yield _InProcess(
            DrivePipeline(
                stack.profile,
                stack.parameters,
                stages,
                calibration=stack.calibration,
                requested=setup.requested,
            )
        )
    finally:
        stages.close()
