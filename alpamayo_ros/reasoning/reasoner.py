"""The reasoning stage: run its engine on an observation, and word what came out."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from alpamayo_ros.errors import ProfileError, expected_one_of
from alpamayo_ros.inference.backend import Session, derive_seed
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.inference.worker.model_worker import worker_state
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.params.reasoning import ReasoningParams
from alpamayo_ros.reasoning.actor_match import name_actors
from alpamayo_ros.reasoning.language_reasoning import LanguageReasoning
from alpamayo_ros.reasoning.measured_reasoning import MeasuredReasoning
from alpamayo_ros.reasoning.reasoned import Reasoned
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.worker_state import WorkerState


class _Method(Protocol):
    def reason(self, observation: Observation, seed: int) -> Reasoned: ...


_METHODS: Mapping[tuple[str, str], Callable[[Profile, ReasoningParams, Session, ModelFolder | None], _Method]] = {
    ("none", "direct"): MeasuredReasoning,
    ("driving_language", "token_decoder"): LanguageReasoning,
}
"""By prompt family and method of the stage."""


class Reasoner:
    """From an observation to a rationale and the context of the plan."""

    def __init__(
        self, profile: Profile, params: ReasoningParams, session: Session, model: ModelFolder | None = None
    ) -> None:
        """Bind a loaded engine.

        Args:
            profile: Names prompt family, method and options.
            params: Parameters of reasoning.
            session: The engine.
            model: Where the files beside the engine are.

        Raises:
            ProfileError: The profile's prompt family, method or options are not known.
            ArtifactError: A file beside the engine is missing or not what it should be.
            TensorSpecError: The engine takes or gives other tensors than its method needs.
        """
        families = [family for family, _ in _METHODS]
        if profile.prompt_family not in families:
            raise ProfileError(
                expected_one_of(f"profile {profile.name}: prompt_family", profile.prompt_family, families)
            )
        method = profile.stages["reason"].method
        if (profile.prompt_family, method) not in _METHODS:
            allowed = [name for family, name in _METHODS if family == profile.prompt_family]
            raise ProfileError(
                expected_one_of(
                    f"profile {profile.name}: stages/reason/method with prompt_family {profile.prompt_family!r}",
                    method,
                    allowed,
                )
            )
        self._base_seed = profile.base_seed
        self._session = session
        self._method = _METHODS[profile.prompt_family, method](profile, params, session, model)

    def reason(self, observation: Observation) -> Reasoned:
        """Run the stage for one tick; cited causes with a box get the ids of the actors that a detector found.

        Raises:
            BackendError: The engine failed, or gave something that is not finite.
        """
        reasoned = self._method.reason(observation, derive_seed(self._base_seed, observation.t0_ns, "reason", 0))
        if not observation.actors:
            return reasoned
        factors = name_actors(reasoned.rationale.causal_factors, observation.actors)
        return replace(reasoned, rationale=replace(reasoned.rationale, causal_factors=factors))

    def worker_state(self) -> WorkerState | None:
        """Return how the engine's own process is, None if it runs in this one."""
        return worker_state(self._session)

    def close(self) -> None:
        """Release the engine."""
        self._session.close()
