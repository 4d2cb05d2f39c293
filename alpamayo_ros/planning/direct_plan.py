"""Trajectories by one run of a program."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.inference.backend import Session, TensorSpec, require_output
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.structs.plan import PlanContext
from alpamayo_ros.structs.trajectory import TRAJECTORY_FIELDS


class DirectPlan:
    """Runs a program that gives trajectories."""

    def __init__(
        self,
        profile: Profile,
        session: Session,
        model: ModelFolder | None,  # noqa: ARG002 - the session has read what there is
    ) -> None:
        """Bind a loaded program; see ``Planner``."""
        fields = TensorSpec("trajectories", (-1, len(TRAJECTORY_FIELDS), -1), "float64")
        require_output(session, fields, "program of the plan stage")
        self._session = session
        self._point_count = np.asarray(profile.point_count, dtype=np.int64)
        self._dt_s = np.asarray(profile.dt_ms / 1000.0)

    def trajectories(self, context: PlanContext, seed: int) -> NDArray[np.float64]:
        """Return (K, 7, N) in the order of TRAJECTORY_FIELDS; see ``Planner.plan``."""
        offered = {**context.tensors, "point_count": self._point_count, "dt_s": self._dt_s}
        inputs = {spec.name: offered[spec.name] for spec in self._session.input_specs if spec.name in offered}
        fields: NDArray[Any] = self._session.infer(inputs, seed)["trajectories"]
        return fields
