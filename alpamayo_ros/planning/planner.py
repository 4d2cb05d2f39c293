"""The planning stage: run its engine, require a plausible result, select one sample."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import BackendError, ProfileError, TensorSpecError, expected_one_of
from alpamayo_ros.inference.backend import Session, derive_seed
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.inference.worker.model_worker import worker_state
from alpamayo_ros.params.planner import PlannerParams
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.planning.direct_plan import DirectPlan
from alpamayo_ros.planning.flow_matching import FlowMatching
from alpamayo_ros.planning.selection import SELECTIONS
from alpamayo_ros.structs.observation import EgoHistory
from alpamayo_ros.structs.plan import PlanContext
from alpamayo_ros.structs.trajectory import TRAJECTORY_FIELDS, TrajectorySet
from alpamayo_ros.structs.worker_state import WorkerState


class _Method(Protocol):
    def trajectories(self, context: PlanContext, seed: int) -> NDArray[np.float64]: ...


_METHODS: Mapping[str, Callable[[Profile, Session, ModelFolder | None], _Method]] = {
    "direct": DirectPlan,
    "flow_matching": FlowMatching,
}


class Planner:
    """From the context of a plan to a trajectory set."""

    def __init__(
        self, profile: Profile, params: PlannerParams, session: Session, model: ModelFolder | None = None
    ) -> None:
        """Bind a loaded engine.

        Args:
            profile: Names method, options and selection.
            params: Parameters of planning.
            session: The engine.
            model: Where the files beside the engine are.

        Raises:
            ProfileError: The profile's method, options or selection are not known.
            TensorSpecError: The engine takes or gives other tensors than its method needs.
        """
        method = profile.stages["plan"].method
        if method not in _METHODS:
            raise ProfileError(expected_one_of(f"profile {profile.name}: stages/plan/method", method, list(_METHODS)))
        if profile.selection not in SELECTIONS:
            raise ProfileError(
                expected_one_of(f"profile {profile.name}: selection", profile.selection, list(SELECTIONS))
            )
        self._profile = profile
        self._params = params
        self._session = session
        self._method = _METHODS[method](profile, session, model)
        self._rule, self._select = SELECTIONS[profile.selection]

    def plan(self, context: PlanContext) -> TrajectorySet:
        """Run the stage for one tick.

        Raises:
            TensorSpecError: The engine gave another number of samples or points than the profile states.
            BackendError: The engine failed, or gave a trajectory that is not finite or not plausible.
        """
        seed = derive_seed(self._profile.base_seed, context.t0_ns, "plan", 0)
        fields = self._method.trajectories(context, seed)
        expected = (self._profile.sample_count, len(TRAJECTORY_FIELDS), self._profile.point_count)
        if fields.shape != expected:
            raise TensorSpecError(f"trajectories have shape {fields.shape}; expected {expected}")
        # Quantised once, field by field contiguous, so that the struct takes each as it is.
        with np.errstate(over="ignore"):
            quantised = np.ascontiguousarray(fields.transpose(1, 0, 2), dtype=np.float32)
        self._validate_finite(quantised)
        quantised.flags.writeable = False
        x, y, z, yaw, speed, acceleration, curvature = quantised
        trajectories = TrajectorySet(
            t0_ns=context.t0_ns,
            dt_s=self._profile.dt_ms / 1000.0,
            x=x,
            y=y,
            z=z,
            yaw=yaw,
            speed=speed,
            acceleration=acceleration,
            curvature=curvature,
            selected_index=self._select(x, y),
            selection_rule="only sample" if self._profile.sample_count == 1 else self._rule,
        )
        self._validate_plausible(trajectories, context.history)
        return trajectories

    def worker_state(self) -> WorkerState | None:
        """Return how the engine's own process is, None if it runs in this one."""
        return worker_state(self._session)

    def close(self) -> None:
        """Release the engine."""
        self._session.close()

    def _validate_finite(self, fields: NDArray[np.float32]) -> None:
        finite = np.isfinite(fields)
        if not finite.all():
            name = TRAJECTORY_FIELDS[int(np.argmin(finite.all(axis=(1, 2))))]
            raise BackendError(f"trajectory field {name!r} is not finite")

    def _validate_plausible(self, trajectories: TrajectorySet, history: EgoHistory) -> None:
        speed = float(np.abs(trajectories.speed).max())
        if speed > self._params.max_speed_mps:
            raise BackendError(f"trajectory speed {speed:.1f} m/s; expected at most {self._params.max_speed_mps} m/s")
        # The last measured displacement, continued for dt, is where the rig is about to be.
        elapsed_ns = -int(history.offsets_ns[-2])
        ahead = -history.position_m[-2, :2] * (self._profile.dt_ms * 1_000_000 / elapsed_ns)
        error = float(np.hypot(trajectories.x[:, 0] - ahead[0], trajectories.y[:, 0] - ahead[1]).max())
        if error > self._params.max_start_error_m:
            raise BackendError(
                f"trajectory starts {error:.2f} m from where the rig is heading; "
                f"expected at most {self._params.max_start_error_m} m"
            )
