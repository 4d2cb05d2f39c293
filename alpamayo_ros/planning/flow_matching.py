"""Trajectories by flow matching: noise becomes actions step by step, actions become a path of a unicycle."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import BackendError, ProfileError, TensorSpecError
from alpamayo_ros.geometry.kinematics import limit_actions, measure_motion, roll_out_actions
from alpamayo_ros.inference.backend import Session, TensorSpec, derive_seed, require_specs, validate_tensors
from alpamayo_ros.inference.history_tensor import history_tensor
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.params.profile import Profile, StageOption, stage_options
from alpamayo_ros.structs.observation import EgoHistory
from alpamayo_ros.structs.plan import PlanContext

OPTIONS: Mapping[str, StageOption] = {
    "flow_steps": StageOption(10, 1, 1000, whole=True),
    "speed_window_ms": StageOption(500, 100, 6300, whole=True),
}
"""``flow_steps``: Euler steps from noise to actions. ``speed_window_ms``: part of the ego history, up to t0, over which
``measure_motion`` fits a line through the speeds between neighbouring poses; its value at t0 is the path's first."""

STATES = "states"

_OUTPUT = "output of the action expert"


class FlowMatching:
    """Draws K samples of actions at once, conditioned on the states of the answer, and rolls them out."""

    def __init__(self, profile: Profile, session: Session, model: ModelFolder | None) -> None:
        """Bind a loaded action expert; see ``Planner``."""
        if model is None:
            raise ProfileError(
                f"profile {profile.name}: method 'flow_matching' needs the normalisation of its actions, and the "
                "profile names no model folder; expected 'model' in the profile"
            )
        options = stage_options(profile, "plan", OPTIONS)
        samples, points = profile.sample_count, profile.point_count
        require_specs(
            session.input_specs,
            (
                TensorSpec(STATES, (-1, -1), "float32"),
                TensorSpec("history", (1, profile.history_length, 4), "float32"),
                TensorSpec("noise", (samples, points, 2), "float32"),
                TensorSpec("time", (), "float32"),
            ),
            "input of the action expert",
        )
        self._outputs = (TensorSpec("velocity", (samples, points, 2), "float32"),)
        require_specs(session.output_specs, self._outputs, _OUTPUT)
        self._session = session
        self._base_seed = profile.base_seed
        self._shape = (samples, points, 2)
        self._dt_s = profile.dt_ms / 1000.0
        self._steps = int(options["flow_steps"])
        self._window_s = options["speed_window_ms"] / 1000.0
        self._scale = model.actions

    def trajectories(self, context: PlanContext, seed: int) -> NDArray[np.float64]:
        """Return (K, 7, N) in the order of TRAJECTORY_FIELDS; see ``Planner.plan``.

        Raises:
            TensorSpecError: The context has no states, or the engine gives other tensors than it states.
            BackendError: The engine failed, or its actions are not finite.
        """
        if STATES not in context.tensors:
            raise TensorSpecError(
                f"plan context has the tensors {sorted(context.tensors)}; expected {STATES!r} of the answer's tokens"
            )
        conditions = {STATES: context.tensors[STATES], "history": history_tensor(context.history)}
        sample: NDArray[Any] = self._noise(context.t0_ns)
        for step in range(self._steps):
            time = np.asarray(step / self._steps, dtype=np.float32)
            outputs = self._session.infer({**conditions, "noise": sample, "time": time}, seed)
            # A file with open lengths may give fewer samples, which NumPy would spread over all of them.
            validate_tensors(self._outputs, outputs, _OUTPUT)
            with np.errstate(over="ignore", invalid="ignore"):
                sample = sample + outputs["velocity"] / np.float32(self._steps)
        actions = self._scale.physical(sample)
        if not np.isfinite(actions).all():
            raise BackendError("actions of the planning stage are not finite")
        with np.errstate(over="ignore", invalid="ignore"):
            return roll_out_actions(limit_actions(actions), self._speed_mps(context.history), self._dt_s)

    def _noise(self, t0_ns: int) -> NDArray[np.float32]:
        """Return standard normal noise of a seed of its own for each sample: any of them can be drawn again alone."""
        noise: NDArray[Any] = np.empty(self._shape, np.float32)
        for index in range(self._shape[0]):
            bits = np.random.PCG64(derive_seed(self._base_seed, t0_ns, "plan", index))
            noise[index] = np.random.Generator(bits).standard_normal(self._shape[1:])
        return noise

    def _speed_mps(self, history: EgoHistory) -> float:
        offset_s = np.asarray(history.offsets_ns, dtype=np.float64) * 1e-9
        motion = measure_motion(history.position_m, history.rotation, offset_s, self._window_s)
        if not np.isfinite(motion.speed_mps):
            raise BackendError(f"speed at t0 is {motion.speed_mps} m/s by the ego history; expected a finite one")
        return motion.speed_mps
