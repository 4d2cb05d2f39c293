"""The stages behind the protocol of a replay, in this process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import BackendError, BackendUnavailableError
from alpamayo_ros.replay.drive import IN_PROCESS, Drive, start_in_process
from alpamayo_ros.replay.inputs import OdometryReader
from alpamayo_ros.replay.run import ReplaySetup, set_up_replay
from alpamayo_ros.storage.message import BagMessage
from alpamayo_ros.storage.reader import BagReader, open_bag
from alpamayo_ros.structs.camera import CameraFrame, CameraIntrinsics
from alpamayo_ros.structs.navigation import Navigation, NavigationCommand
from alpamayo_ros.structs.tick import TickOutcome

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000
PICTURE = BagMessage("/front", "sensor_msgs/msg/CompressedImage", 0, 0, b"")


@pytest.fixture
def reader(make_odometry_bag: Callable[..., Path]) -> Iterator[BagReader]:
    """Give an open bag of 3 s of odometry."""
    with open_bag(make_odometry_bag(duration_s=3.0)) as opened:
        yield opened


@pytest.fixture
def start(reader: BagReader) -> Iterator[Callable[..., Drive]]:
    """Return a function that starts the stages and ends them after the test."""
    with ExitStack() as running:

        def begin(**options: Any) -> Drive:
            setup = set_up_replay(reader, **{"profile_name": "kinematic", **options})
            return running.enter_context(start_in_process(setup, reader))

        yield begin


def feed(drive: Drive, reader: BagReader) -> list[Any]:
    odometry = OdometryReader(None)
    return [answer for message in reader.messages() for answer in drive.take_odometry(message, odometry.read(message))]


def test_answers_come_with_the_message_that_closes_their_tick(start: Callable[..., Drive], reader: BagReader) -> None:
    drive = start()
    answers = feed(drive, reader)
    assert [(answer.status.t0_ns - START_NS) // MS for answer in answers] == list(range(0, 3001, 100))
    assert {answer.status.outcome for answer in answers[15:]} == {TickOutcome.ANSWERED}
    assert (drive.executed, drive.open_at_end, drive.not_opened, drive.dropped) == (IN_PROCESS, 0, 0, {})


def test_what_was_dropped_is_counted(start: Callable[..., Drive], reader: BagReader) -> None:
    drive = start()
    message = next(iter(reader.messages()))
    sample = OdometryReader(None).read(message)
    drive.take_odometry(message, sample)
    assert drive.take_odometry(message, sample) == []
    assert drive.dropped == {"odometry": 1}


def test_requested_ticks_that_never_open_are_counted(reader: BagReader) -> None:
    setup = set_up_replay(reader, profile_name="kinematic")
    requested = ((0, START_NS + 2000 * MS), (4, START_NS))
    setup = ReplaySetup(setup.stack, setup.topics, setup.rig, requested)
    with start_in_process(setup, reader) as drive:
        assert [answer.status.t0_ns for answer in feed(drive, reader)] == [START_NS + 2000 * MS]
        assert drive.not_opened == 1


def test_pictures_and_camera_infos_reach_the_pipeline(start: Callable[..., Drive]) -> None:
    drive = start()
    with pytest.raises(ValueError, match="input 'front' is not known; expected one of: odometry"):
        drive.take_frame(PICTURE, CameraFrame("front", 0, "jpeg", b""))
    with pytest.raises(ValueError, match="camera 'front' is not known"):
        drive.take_camera_info(PICTURE, "front", CameraIntrinsics(1, 1, (1, 0, 0, 0, 1, 0, 0, 0, 1)))


def test_navigation_commands_reach_the_pipeline_of_a_profile_that_takes_them(
    start: Callable[..., Drive], tmp_path: Path
) -> None:
    late = NavigationCommand(-1, Navigation.LEFT)
    drive = start()
    drive.take_navigation(PICTURE, late)
    assert drive.dropped == {}
    text = (Path(__file__).parents[3] / "config" / "profiles" / "kinematic.yaml").read_text(encoding="utf-8")
    (tmp_path / "navigated.yaml").write_text(f"{text}navigation: true\n", encoding="utf-8")
    navigated = start(profile_name=str(tmp_path / "navigated.yaml"))
    navigated.take_navigation(PICTURE, late)
    assert navigated.dropped == {"navigation": 1}


@pytest.mark.parametrize(
    ("backend", "error", "said"),
    [
        ("warp", BackendError, "backend 'warp' is not known; expected one of: nim, ort_cpu"),
        ("nim", BackendUnavailableError, "backend 'nim' is not part of this version"),
    ],
)
def test_a_backend_that_cannot_be_had_is_refused_when_the_stages_are_loaded(
    start: Callable[..., Drive], backend: str, error: type[BackendError], said: str
) -> None:
    with pytest.raises(error, match=said):
        start(backend=backend)
