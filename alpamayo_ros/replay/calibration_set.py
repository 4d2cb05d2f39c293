"""Inputs of a model's programs as they occur on a bag: what a quantisation is set by."""

import tempfile
from pathlib import Path

import numpy as np

from alpamayo_ros.inference.backend import Session, Tensors, TensorSpec
from alpamayo_ros.inference.engine_build import Calibration
from alpamayo_ros.pipeline.drive import DrivePipeline
from alpamayo_ros.pipeline.stages import load_stages
from alpamayo_ros.replay.drive import in_process
from alpamayo_ros.replay.run import Progress, replay_bag, set_up_replay
from alpamayo_ros.storage.reader import open_bag

ROWS = 96
"""Inputs kept of each program, evenly spread over the bag; more change the extremes that count by little."""


class Listening:
    """A session that keeps some of its inputs, in bounded memory."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._calls, self._stride = 0, 1
        self.rows: list[Tensors] = []

    @property
    def input_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that the session takes."""
        return self._session.input_specs

    @property
    def output_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that the session gives."""
        return self._session.output_specs

    def warm_up(self) -> None:
        """Warm up the session; zeros are no inputs that occur."""
        self._session.warm_up()

    def infer(self, inputs: Tensors, seed: int) -> Tensors:
        """Run the session, and keep every n-th input; n doubles whenever there are too many."""
        if self._calls % self._stride == 0:
            self.rows.append({name: np.array(value) for name, value in inputs.items()})
            if len(self.rows) > ROWS:
                self._stride *= 2
                self.rows = self.rows[::2]
        self._calls += 1
        return self._session.infer(inputs, seed)

    def close(self) -> None:
        """Close the session."""
        self._session.close()


def collect_calibration(
    profile: str,
    bag: Path,
    *,
    topics: Path | None = None,
    calibration: Path | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Return inputs of each program of a profile on a bag, by file name.

    Args:
        profile: Profile name, or path of a profile file.
        bag: Input bag.
        topics: Topics file.
        calibration: Calibration file of the cameras.
        progress: Called with the number of messages read and their total.

    Raises:
        AlpamayoError: Of the class that fits what is wrong.
    """
    heard: dict[str, Listening] = {}

    def listen(stage: str, session: Session) -> Session:
        heard[stage] = Listening(session)
        return heard[stage]

    with open_bag(bag) as reader, tempfile.TemporaryDirectory() as folder:
        setup = set_up_replay(reader, profile_name=profile, topics_path=topics, calibration_path=calibration)
        stack = setup.stack
        stages = load_stages(stack.profile, stack.parameters, stack.model, listen)
        pipeline = DrivePipeline(stack.profile, stack.parameters, stages, calibration=stack.calibration)
        replay_bag(reader, setup, in_process(pipeline), Path(folder) / "outputs", progress)
        return {stack.profile.stages[stage].program: tuple(one.rows) for stage, one in heard.items()}
