"""Messages in, one answer per tick out, whatever the order of arrival."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import Profile, load_profile
from alpamayo_ros.pipeline.drive import DrivePipeline, TickAnswer
from alpamayo_ros.pipeline.stages import load_stages
from alpamayo_ros.structs.camera import CameraFrame
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.tick import TickOutcome

MS = 1_000_000
ONE_CAMERA = load_profile(str(Path(__file__).parents[2] / "profiles" / "one_camera.yaml"))
KINEMATIC = load_profile("kinematic")
JPEG = cv2.imencode(".jpg", np.full((36, 64, 3), 99, dtype=np.uint8))[1].tobytes()


def pipeline(profile: Profile) -> DrivePipeline:
    parameters = NodeParameters()
    return DrivePipeline(profile, parameters, load_stages(profile, parameters))


def sample(stamp_ms: int, speed_mps: float = 8.0) -> OdometrySample:
    return OdometrySample(stamp_ms * MS, speed_mps * stamp_ms / 1000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def feed(drive: DrivePipeline, messages: list[Any]) -> list[TickAnswer]:
    answers = []
    for message in messages:
        answers += drive.feed_odometry(message) if isinstance(message, OdometrySample) else drive.feed_frame(message)
    return answers


def test_every_closed_tick_gets_one_answer_with_all_its_outputs() -> None:
    answers = feed(pipeline(KINEMATIC), [sample(stamp) for stamp in range(0, 3001, 20)])
    assert [answer.status.t0_ns for answer in answers] == [stamp * MS for stamp in range(0, 3001, 100)]
    assert [answer.status.outcome for answer in answers[:15]] == [TickOutcome.HISTORY_TOO_SHORT] * 15
    for answer in answers[15:]:
        assert answer.status.outcome is TickOutcome.ANSWERED
        assert answer.rationale is not None
        assert answer.trajectories is not None
        assert answer.rationale.t0_ns == answer.trajectories.t0_ns == answer.status.t0_ns
        assert answer.trajectories.x[0, 9] == pytest.approx(8.0, abs=1e-5)


def test_a_rejected_tick_has_no_outputs() -> None:
    answer = feed(pipeline(KINEMATIC), [sample(0)])[0]
    assert (answer.rationale, answer.trajectories, answer.history) == (None, None, None)


def test_a_step_back_of_the_trigger_starts_the_next_epoch() -> None:
    drive = pipeline(ONE_CAMERA)
    stamps = [*range(5000, 5301, 20)]
    answers = feed(drive, [sample(stamp) for stamp in stamps] + [sample(0)])
    backwards = [answer.status for answer in answers if answer.status.outcome is TickOutcome.TIME_BACKWARDS]
    assert [status.t0_ns // MS for status in backwards] == [5000, 5100, 5200, 5300][-len(backwards) :]
    assert "stepped back by 5300.0 ms" in backwards[0].text
    later = feed(drive, [sample(stamp) for stamp in range(20, 800, 20)])
    assert {answer.status.epoch for answer in later} == {1}


def test_the_order_of_arrival_changes_no_answer(make_stream: Callable[[], list[Any]]) -> None:
    messages = make_stream()
    expected = [describe(answer) for answer in feed(pipeline(ONE_CAMERA), messages)]
    assert "ANSWERED" in {row[1] for row in expected}
    for seed in range(5):
        assert [describe(a) for a in feed(pipeline(ONE_CAMERA), shuffled(messages, seed))] == expected


def shuffled(messages: list[Any], seed: int) -> list[Any]:
    """Delay messages by up to 140 ms, keeping the order within each topic."""
    generator = random.Random(seed)
    newest: dict[bool, int] = {}
    keyed = []
    for index, message in enumerate(messages):
        topic = isinstance(message, OdometrySample)
        arrival = max(message.stamp_ns + generator.randrange(140 * MS), newest.get(topic, 0))
        newest[topic] = arrival
        keyed.append((arrival, index, message))
    return [message for _, _, message in sorted(keyed, key=lambda row: row[:2])]


def describe(answer: TickAnswer) -> tuple[int, str, str, bytes]:
    path = b"" if answer.trajectories is None else answer.trajectories.x.tobytes()
    return answer.status.t0_ns, answer.status.outcome.name, answer.status.text, path


@pytest.fixture
def make_stream() -> Callable[[], list[Any]]:
    """Return a function that makes 4 s of odometry at 50 Hz and frames at 20 Hz, in the order of their stamps."""

    def make() -> list[Any]:
        odometry: list[Any] = [sample(stamp) for stamp in range(0, 4000, 20)]
        frames = [CameraFrame("front", stamp * MS, "jpeg", JPEG) for stamp in range(7, 4000, 50)]
        return sorted(odometry + frames, key=lambda message: message.stamp_ns)

    return make


def test_ticks_that_are_open_at_the_end_are_counted_and_not_answered() -> None:
    drive = pipeline(ONE_CAMERA)
    answers = feed(drive, [sample(stamp) for stamp in range(0, 301, 20)])
    assert answers == []
    assert drive.open_at_end == 4


def test_dropped_messages_are_counted_by_input() -> None:
    drive = pipeline(KINEMATIC)
    feed(drive, [sample(0), sample(20), sample(20), sample(10)])
    assert drive.dropped == {"odometry": 2}


def test_a_silent_trigger_does_not_let_frames_pile_up() -> None:
    drive = pipeline(ONE_CAMERA)
    feed(drive, [CameraFrame("front", index * 50 * MS, "jpeg", JPEG) for index in range(2000)])
    assert len(drive._observer._assembler._cameras["front"]._frames) < 200


def test_a_stage_that_raises_fails_its_tick_alone() -> None:
    parameters = NodeParameters(planner=replace(NodeParameters().planner, max_speed_mps=10.0))
    drive = DrivePipeline(KINEMATIC, parameters, load_stages(KINEMATIC, parameters))
    answers = feed(drive, [sample(stamp, 12.0) for stamp in range(0, 2001, 20)])
    failed = [answer.status for answer in answers if answer.status.outcome is TickOutcome.STAGE_FAILED]
    assert len(failed) == 6
    assert failed[0].error_code == 300
    assert "trajectory speed 12.0 m/s; expected at most 10.0 m/s" in failed[0].text
