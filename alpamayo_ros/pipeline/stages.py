"""The stages of one profile, loaded."""

from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.inference.backend import Session
from alpamayo_ros.inference.registry import open_onnx, open_session
from alpamayo_ros.inference.verified_file import read_verified
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.perception.detector import ActorDetector
from alpamayo_ros.perception.perceiver import STAGE, Perceiver
from alpamayo_ros.pipeline.setup import profile_model
from alpamayo_ros.planning.planner import Planner
from alpamayo_ros.reasoning.reasoner import Reasoner
from alpamayo_ros.structs.observation import Observation


@dataclass(frozen=True, slots=True)
class Perceiving:
    """What is done with an observation before reasoning takes it; each part may be absent."""

    detector: ActorDetector | None = None
    perceiver: Perceiver | None = None

    @property
    def absent(self) -> bool:
        """Whether there is nothing to do."""
        return self.detector is None and self.perceiver is None

    def perceive(self, observation: Observation) -> Observation:
        """Find actors, then run the perceive stage.

        Raises:
            BackendError: One of them did not succeed.
        """
        if self.detector is not None:
            observation = self.detector.add_actors(observation)
        return observation if self.perceiver is None else self.perceiver.perceive(observation)


@dataclass(frozen=True, slots=True)
class Stages:
    """Reasoning and planning with their engines loaded and warm, and perceiving where the profile has it."""

    reasoner: Reasoner
    planner: Planner
    perceiver: Perceiver | None = None
    detector: ActorDetector | None = None

    def perceive(self, observation: Observation) -> Observation:
        """Return what reasoning takes: the observation itself without a perceive stage and a detector."""
        return Perceiving(self.detector, self.perceiver).perceive(observation)


def load_stages(profile: Profile, parameters: NodeParameters) -> Stages:
    """Load every engine of a profile.

    Raises:
        ArtifactError: A file of the model is missing or is not the one that the model names.
        BackendError: A backend or program is not known, not available, or takes or gives other tensors than its stage.
        ProfileError: The profile asks for a stage that cannot be composed.
    """
    return Stages(
        load_reasoner(profile, parameters),
        load_planner(profile, parameters),
        load_perceiver(profile),
        load_detector(profile, parameters.perception),
    )


def load_perceiver(profile: Profile) -> Perceiver | None:
    """Load the perceive stage, None for a profile without one; see ``load_stages``."""
    return Perceiver(profile, _session(profile, STAGE)) if STAGE in profile.stages else None


def load_detector(profile: Profile, parameters: PerceptionParams) -> ActorDetector | None:
    """Load the detector that the parameters name, None if they name none.

    Raises:
        ArtifactError: The file cannot be read, or is not the one that its digest names.
        BackendError: The file is refused, or takes or gives other tensors than its form.
        ParameterError: The file is named without its digest or the other way round, the profile has no cameras, or not
            those that it shall look at.
    """
    model, digest = parameters.detector_model, parameters.detector_sha256
    if not model and not digest:
        return None
    if not model or not digest:
        raise ParameterError(
            f"parameters perception.detector_model {model!r} and perception.detector_sha256 {digest!r} do not go "
            "together; expected both or none"
        )
    if not profile.cameras:
        raise ParameterError(
            f"parameter perception.detector_model is {model!r}, and profile {profile.name} has no cameras; expected no "
            "detector"
        )
    data = read_verified(Path(model), digest, "detector")
    session = open_onnx(f"detector {model}", data, session_threads=parameters.detector_threads)
    return ActorDetector(session, parameters, tuple(camera.id for camera in profile.cameras))


def load_reasoner(profile: Profile, parameters: NodeParameters) -> Reasoner:
    """Load the reasoning stage; see ``load_stages``."""
    return Reasoner(profile, parameters.reasoning, _session(profile, "reason"), profile_model(profile))


def load_planner(profile: Profile, parameters: NodeParameters) -> Planner:
    """Load the planning stage; see ``load_stages``."""
    return Planner(profile, parameters.planner, _session(profile, "plan"), profile_model(profile))


def _session(profile: Profile, stage: str) -> Session:
    session = open_session(
        profile.backend, profile.stages[stage], profile_model(profile), session_threads=profile.session_threads
    )
    session.warm_up()
    return session
