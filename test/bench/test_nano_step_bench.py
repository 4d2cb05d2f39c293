"""One step of nano through the stack, beside its bare ONNX Runtime sessions with decode and resize."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import pytest

from alpamayo_ros.inference.backend import Session, Tensors
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.pipeline.drive import DrivePipeline
from alpamayo_ros.pipeline.stages import load_stages
from alpamayo_ros.replay.drive import Drive, in_process, start_in_process
from alpamayo_ros.replay.inputs import frame_readers
from alpamayo_ros.replay.run import replay_bag, set_up_replay
from alpamayo_ros.storage.reader import open_bag

pytestmark = pytest.mark.bench

DEMO = Path(__file__).resolve().parents[2] / "bags" / "demo"
LIMIT = 1.15
ROUNDS = 3


class Keeping:
    """Keeps what a session is given."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.given: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def infer(self, inputs: Tensors, seed: int) -> Tensors:
        self.given.append({name: value.copy() for name, value in inputs.items()})
        return self._session.infer(inputs, seed)


def steps(out: Path) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """Return what each program was given on the demo drive, and the number of ticks that were answered."""
    kept: dict[str, Keeping] = {}

    def keep(stage: str, session: Session) -> Session:
        kept[stage] = Keeping(session)
        return kept[stage]

    with open_bag(DEMO) as reader:
        setup = set_up_replay(reader, profile_name="nano")
        stack = setup.stack
        stages = load_stages(stack.profile, stack.parameters, stack.model, keep)
        pipeline = DrivePipeline(stack.profile, stack.parameters, stages, calibration=stack.calibration)
        replay_bag(reader, setup, in_process(pipeline), out)
    given = {stack.profile.stages[stage].program: one.given for stage, one in kept.items()}
    return given, len(kept["perceive"].given)


def bare_ms(given: dict[str, list[dict[str, Any]]], ticks: int) -> float:
    """Return ms a tick of ONNX Runtime alone on the same inputs, and of decoding and resizing every picture once."""
    folder = load_profile("nano").model_folder
    assert folder is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    pictures = []
    with open_bag(DEMO) as reader:
        setup = set_up_replay(reader, profile_name="nano")
        readers = frame_readers(setup.topics, reader, [camera.id for camera in setup.profile.cameras])
        pictures = [readers[message.topic](message).data for message in reader.messages(list(readers))]
    spent = 0.0
    for program, rows in given.items():
        session = onnxruntime.InferenceSession(str(folder / program), options, providers=["CPUExecutionProvider"])
        session.run(None, rows[0])
        begin = time.perf_counter()
        for row in rows:
            session.run(None, row)
        spent += time.perf_counter() - begin
    begin = time.perf_counter()
    for data in pictures:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        cv2.cvtColor(cv2.resize(picture, (160, 96), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    spent += time.perf_counter() - begin
    return 1000.0 * spent / ticks


def stepped_ms(out: Path, start: Callable[..., AbstractContextManager[Drive]]) -> float:
    """Return ms of an answered tick, on average, from the message that closes it to its trajectory set."""
    spent: list[float] = []

    def timed(take: Callable[..., Any]) -> Callable[..., Any]:
        def taken(*arguments: Any) -> Any:
            begin = time.perf_counter()
            answers = take(*arguments)
            if any(answer.trajectories is not None for answer in answers):
                spent.append(time.perf_counter() - begin)
            return answers

        return taken

    with open_bag(DEMO) as reader:
        setup = set_up_replay(reader, profile_name="nano")
        with start(setup, reader) as drive:
            drive.take_odometry = timed(drive.take_odometry)  # type: ignore[method-assign]
            drive.take_frame = timed(drive.take_frame)  # type: ignore[method-assign]
            replay_bag(reader, setup, drive, out)
    return 1000.0 * float(np.mean(spent))


def test_a_step_through_the_stack_against_its_bare_sessions(tmp_path: Path) -> None:
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    from alpamayo_ros.ros.lockstep import start_graph

    given, ticks = steps(tmp_path / "kept")
    runs = sum(len(rows) for rows in given.values())
    print(f"\n{ticks} ticks, {runs} runs of programs; limit {LIMIT}")
    for number in range(ROUNDS):
        bare = bare_ms(given, ticks)
        inside = stepped_ms(tmp_path / f"inside{number}", start_in_process)
        graph = stepped_ms(tmp_path / f"graph{number}", partial(start_graph, composed=True))
        print(
            f"bare {bare:.1f} ms; in process {inside:.1f} ms, {inside / bare:.2f} times; "
            f"stack {graph:.1f} ms, {graph / bare:.2f} times"
        )
