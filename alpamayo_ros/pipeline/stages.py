"""The stages of one profile, loaded."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.errors import ParameterError, ProfileError
from alpamayo_ros.inference.backend import Session, SessionOptions, require_fit
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.inference.registry import open_onnx, open_session
from alpamayo_ros.inference.verified_file import read_verified
from alpamayo_ros.inference.worker.model_worker import ModelWorker, WorkerOptions
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import Profile, StageSpec
from alpamayo_ros.params.stack import ModelParams
from alpamayo_ros.perception.detector import ActorDetector
from alpamayo_ros.perception.perceiver import STAGE, Perceiver
from alpamayo_ros.pipeline.setup import profile_model
from alpamayo_ros.planning.flow_matching import STATES
from alpamayo_ros.planning.planner import Planner
from alpamayo_ros.reasoning.language_reasoning import VISION_TOKENS
from alpamayo_ros.reasoning.reasoner import Reasoner
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.worker_state import WorkerState

SessionOpener = Callable[[str, StageSpec, ModelFolder | None, SessionOptions], Session]

_NEEDED: Mapping[str, str] = {"token_decoder": VISION_TOKENS, "flow_matching": STATES}
"""What a method takes from the stage before it."""


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

    def worker_state(self) -> WorkerState | None:
        """Return how the perceive stage's own process is, None if there is none."""
        return None if self.perceiver is None else self.perceiver.worker_state()

    def close(self) -> None:
        """Release the engines."""
        for part in (self.detector, self.perceiver):
            if part is not None:
                part.close()


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

    def close(self) -> None:
        """Release the engines."""
        Perceiving(self.detector, self.perceiver).close()
        self.reasoner.close()
        self.planner.close()


def load_stages(
    profile: Profile,
    parameters: NodeParameters,
    model: ModelFolder | None = None,
    wrap: Callable[[str, Session], Session] | None = None,
) -> Stages:
    """Load every engine of a profile.

    Args:
        profile: Names stages, methods and files.
        parameters: Parameters of every node.
        model: The profile's model folder as ``set_up_stack`` has verified it; None opens it now.
        wrap: Gets each stage's name and session, and returns the session that the stage uses.

    Raises:
        ArtifactError: A file of the model is missing or is not the one that the model names.
        BackendError: A backend or program is not known, not available, or takes or gives other tensors than its stage.
        TensorSpecError: A stage does not give what the next one takes.
        ProfileError: The profile asks for a stage that cannot be composed.
    """
    model = model or profile_model(profile)
    with _opened(profile, tuple(profile.stages), model, parameters.perception) as sessions:
        if wrap is not None:
            sessions.update({stage: wrap(stage, session) for stage, session in sessions.items()})
        stages = Stages(
            Reasoner(profile, parameters.reasoning, sessions["reason"], model),
            Planner(profile, parameters.planner, sessions["plan"], model),
            Perceiver(profile, sessions[STAGE]) if STAGE in sessions else None,
            load_detector(profile, parameters.perception),
        )
        _require_fit(profile, sessions)
        for session in sessions.values():
            session.warm_up()
    return stages


def load_perceiver(profile: Profile, parameters: NodeParameters, model: ModelFolder | None = None) -> Perceiver | None:
    """Load the perceive stage, None for a profile without one; see ``load_stages``."""
    if STAGE not in profile.stages:
        return None
    with _opened(profile, (STAGE,), model or profile_model(profile), parameters.perception) as sessions:
        perceiver = Perceiver(profile, sessions[STAGE])
        sessions[STAGE].warm_up()
    return perceiver


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
    session = open_onnx(f"detector {model}", data, SessionOptions(parameters.detector_threads))
    return ActorDetector(session, parameters, tuple(camera.id for camera in profile.cameras))


def load_reasoner(profile: Profile, parameters: NodeParameters, model: ModelFolder | None = None) -> Reasoner:
    """Load the reasoning stage; see ``load_stages``.

    It stands between the other two, so the files of these are opened for a moment to see whether all of them fit.
    """
    model = model or profile_model(profile)
    with _opened(profile, tuple(profile.stages), model, parameters.reasoning) as sessions:
        reasoner = Reasoner(profile, parameters.reasoning, sessions["reason"], model)
        _require_fit(profile, sessions)
        for stage, session in sessions.items():
            if stage != "reason":
                session.close()
        sessions["reason"].warm_up()
    return reasoner


def load_planner(profile: Profile, parameters: NodeParameters, model: ModelFolder | None = None) -> Planner:
    """Load the planning stage; see ``load_stages``."""
    model = model or profile_model(profile)
    with _opened(profile, ("plan",), model, parameters.planner) as sessions:
        planner = Planner(profile, parameters.planner, sessions["plan"], model)
        sessions["plan"].warm_up()
    return planner


def _opener(parameters: ModelParams) -> SessionOpener:
    """Return what opens the sessions of one node: in this process, or all of them in one worker."""
    if not parameters.worker:
        return open_session
    return ModelWorker(WorkerOptions(answer_s=parameters.worker_answer_ms / 1000.0)).open_session


@contextmanager
def _opened(
    profile: Profile, stages: Sequence[str], model: ModelFolder | None, parameters: ModelParams
) -> Iterator[dict[str, Session]]:
    """Open the sessions of some stages; where what is done with them fails, they are closed again."""
    options = SessionOptions(profile.session_threads, profile.device, profile.outside_tensorrt)
    open_one = _opener(parameters)
    sessions: dict[str, Session] = {}
    try:
        for stage in stages:
            sessions[stage] = open_one(profile.backend, profile.stages[stage], model, options)
        yield sessions
    except BaseException:
        for session in sessions.values():
            session.close()
        raise


def _require_fit(profile: Profile, sessions: Mapping[str, Session]) -> None:
    for giver, taker in ((STAGE, "reason"), ("reason", "plan")):
        needed = _NEEDED.get(profile.stages[taker].method, "")
        if giver in sessions:
            require_fit(sessions[giver], sessions[taker], needed, f"{giver} and {taker}")
        elif needed:
            raise ProfileError(
                f"profile {profile.name}: stages/{taker} takes {needed!r} of a {giver} stage, and there is none; "
                f"expected stages/{giver}"
            )
