"""The reasoning stage: run its engine on an observation, and word what came out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import BackendError, ProfileError, expected_one_of
from alpamayo_ros.inference.backend import Session, Tensors, derive_seed
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.params.reasoning import ReasoningParams
from alpamayo_ros.reasoning.motion_rationale import motion_rationale
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.plan import PlanContext
from alpamayo_ros.structs.rationale import Rationale

_WORDINGS = {"none": motion_rationale}


@dataclass(frozen=True, slots=True)
class Reasoned:
    """Outcome of the reasoning stage."""

    rationale: Rationale
    context: PlanContext


class Reasoner:
    """From an observation to a rationale and the context of the plan."""

    def __init__(self, profile: Profile, params: ReasoningParams, session: Session) -> None:
        """Bind a loaded engine.

        Raises:
            ProfileError: The profile's prompt family is not known.
        """
        if profile.prompt_family not in _WORDINGS:
            raise ProfileError(
                expected_one_of(f"profile {profile.name}: prompt_family", profile.prompt_family, list(_WORDINGS))
            )
        self._profile = profile
        self._params = params
        self._session = session
        self._word = _WORDINGS[profile.prompt_family]
        self._window_s = np.float64(params.motion_window_ms / 1000.0)

    def reason(self, observation: Observation) -> Reasoned:
        """Run the stage for one tick.

        Raises:
            BackendError: The engine failed, or gave something that is not finite.
        """
        seed = derive_seed(self._profile.base_seed, observation.t0_ns, "reason", 0)
        outputs = self._session.infer(self._inputs(observation), seed)
        for name, tensor in outputs.items():
            if not np.isfinite(tensor).all():
                raise BackendError(f"output {name!r} of the reasoning stage is not finite")
        context = PlanContext(observation.t0_ns, observation.epoch, observation.history, outputs)
        return Reasoned(self._word(observation.t0_ns, outputs, self._params), context)

    def _inputs(self, observation: Observation) -> Tensors:
        history = observation.history
        offered: dict[str, NDArray[Any]] = {
            "history_position_m": history.position_m,
            "history_rotation": history.rotation,
            "history_offset_s": history.offsets_ns * 1e-9,
            "window_s": np.asarray(self._window_s),
        }
        if observation.images is not None:
            offered["images"] = observation.images
        return {spec.name: offered[spec.name] for spec in self._session.input_specs if spec.name in offered}
