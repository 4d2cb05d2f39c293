"""Reasoning by one run of a program that measures: no text of a model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.inference.backend import Session, Tensors, TensorSpec, require_finite, require_output
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.params.reasoning import ReasoningParams
from alpamayo_ros.reasoning.motion_rationale import motion_rationale
from alpamayo_ros.reasoning.reasoned import Reasoned
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.plan import PlanContext


class MeasuredReasoning:
    """Runs a program on the observation and words the motion that it measured."""

    def __init__(
        self,
        profile: Profile,  # noqa: ARG002 - everything that it needs is in the observation
        params: ReasoningParams,
        session: Session,
        model: ModelFolder | None,  # noqa: ARG002 - the session has read what there is
    ) -> None:
        """Bind a loaded program; see ``Reasoner``."""
        require_output(session, TensorSpec("motion", (3,), "float64"), "program of the reason stage")
        self._params = params
        self._session = session
        self._window_s = np.float64(params.motion_window_ms / 1000.0)

    def reason(self, observation: Observation, seed: int) -> Reasoned:
        """Run the program for one tick.

        Raises:
            BackendError: The engine failed, or gave something that is not finite.
        """
        outputs = self._session.infer(self._inputs(observation), seed)
        require_finite(outputs, "reasoning")
        context = PlanContext(observation.t0_ns, observation.epoch, observation.history, outputs)
        return Reasoned(motion_rationale(observation.t0_ns, outputs, self._params), context)

    def _inputs(self, observation: Observation) -> Tensors:
        history = observation.history
        offered: dict[str, NDArray[Any]] = {
            **observation.tensors,
            "history_position_m": history.position_m,
            "history_rotation": history.rotation,
            "history_offset_s": history.offsets_ns * 1e-9,
            "window_s": np.asarray(self._window_s),
        }
        if observation.images is not None:
            offered["images"] = observation.images
        return {spec.name: offered[spec.name] for spec in self._session.input_specs if spec.name in offered}
