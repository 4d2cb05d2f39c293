"""The ``reference`` backend: small deterministic NumPy programs, so that every layer runs without a GPU."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import BackendError, expected_one_of
from alpamayo_ros.geometry.kinematics import PlanarMotion, limit_turn_rate, measure_motion, roll_out
from alpamayo_ros.inference.backend import ONE_CPU_THREAD, SessionOptions, Tensors, TensorSpec, validate_tensors
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.params.profile import StageSpec

Function = Callable[[Tensors, int], dict[str, NDArray[Any]]]
"""Takes the inputs and the seed of this inference."""


@dataclass(frozen=True, slots=True)
class Program:
    """One NumPy program with the specification of its tensors."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    function: Function


class ReferenceSession:
    """A loaded reference program."""

    def __init__(self, name: str, program: Program) -> None:
        self._name = name
        self._program = program

    @property
    def input_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` takes."""
        return self._program.inputs

    @property
    def output_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` returns."""
        return self._program.outputs

    def warm_up(self) -> None:
        """Do nothing: NumPy has nothing to warm up."""

    def infer(self, inputs: Tensors, seed: int) -> Tensors:
        """Run the program once; see ``Session.infer``."""
        validate_tensors(self._program.inputs, inputs, f"input of {self._name}")
        outputs = self._program.function(inputs, seed)
        validate_tensors(self._program.outputs, outputs, f"output of {self._name}")
        return outputs

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def library_versions() -> dict[str, str]:
    """Return nothing: NumPy's version is named for every stage."""
    return {}


def open_session(
    stage: StageSpec,
    model: ModelFolder | None = None,  # noqa: ARG001 - these programs are code, not files
    options: SessionOptions = ONE_CPU_THREAD,  # noqa: ARG001 - they run in the caller's thread
) -> ReferenceSession:
    """Load a reference program by name.

    Raises:
        BackendError: The program is not known, or takes no such option.
    """
    if stage.program not in PROGRAMS:
        raise BackendError(expected_one_of("reference program", stage.program, list(PROGRAMS)))
    if stage.options:
        raise BackendError(f"reference program {stage.program!r} takes no options; got {sorted(stage.options)}")
    return ReferenceSession(stage.program, PROGRAMS[stage.program])


def _measure(inputs: Tensors, _seed: int) -> dict[str, NDArray[Any]]:
    # Positions at the edge of what a float holds overflow; whoever reads the output sees that it is not finite.
    with np.errstate(over="ignore", invalid="ignore"):
        motion = measure_motion(
            inputs["history_position_m"],
            inputs["history_rotation"],
            inputs["history_offset_s"],
            float(inputs["window_s"]),
        )
    return {"motion": np.array([motion.speed_mps, motion.acceleration_mps2, motion.turn_rate_radps])}


def _constant_turn_rate_velocity(inputs: Tensors, _seed: int) -> dict[str, NDArray[Any]]:
    speed, _acceleration, turn_rate = (float(value) for value in inputs["motion"])
    motion = limit_turn_rate(PlanarMotion(speed, 0.0, turn_rate))
    count, dt_s = int(inputs["point_count"]), float(inputs["dt_s"])
    path = roll_out(motion, count, dt_s)
    zeros = np.zeros(count)
    curvature = motion.turn_rate_radps / speed if speed else 0.0
    rows = [path[:, 0], path[:, 1], zeros, path[:, 2], zeros + speed, zeros, zeros + curvature]
    return {"trajectories": np.stack(rows)[np.newaxis]}


PROGRAMS: Mapping[str, Program] = {
    "kinematic_motion": Program(
        inputs=(
            TensorSpec("history_position_m", (-1, 3), "float64"),
            TensorSpec("history_rotation", (-1, 3, 3), "float64"),
            TensorSpec("history_offset_s", (-1,), "float64"),
            TensorSpec("window_s", (), "float64"),
        ),
        outputs=(TensorSpec("motion", (3,), "float64"),),
        function=_measure,
    ),
    "constant_turn_rate_velocity": Program(
        inputs=(
            TensorSpec("motion", (3,), "float64"),
            TensorSpec("point_count", (), "int64"),
            TensorSpec("dt_s", (), "float64"),
        ),
        outputs=(TensorSpec("trajectories", (-1, 7, -1), "float64"),),
        function=_constant_turn_rate_velocity,
    ),
}
"""Programs by name. ``motion`` is speed m/s, acceleration m/s^2, turn rate rad/s; ``trajectories`` is (K, 7, N) in
the order of structs.trajectory.TRAJECTORY_FIELDS."""
