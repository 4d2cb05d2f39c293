"""Reasoning by a decoder: what it says token by token becomes the rationale, its states the context of the plan."""

from collections.abc import Sequence

import numpy as np

from alpamayo_ros.errors import ProfileError, TensorSpecError
from alpamayo_ros.inference.backend import Session, TensorSpec
from alpamayo_ros.inference.history_tensor import history_tensor
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.params.profile import Profile, stage_options
from alpamayo_ros.params.reasoning import ReasoningParams
from alpamayo_ros.reasoning.driving_language import Answer, DrivingLanguage, read_vocabulary
from alpamayo_ros.reasoning.reasoned import Reasoned
from alpamayo_ros.reasoning.token_decoder import OPTIONS, Decoded, TokenDecoder
from alpamayo_ros.structs.observation import FrameReference, Observation
from alpamayo_ros.structs.plan import PlanContext
from alpamayo_ros.structs.rationale import CausalFactor, ConfidenceKind, Rationale

VOCABULARY_FILE = "vocabulary.json"
VISION_TOKENS = "vision_tokens"


class LanguageReasoning:
    """Decodes an answer in the driving language."""

    def __init__(
        self,
        profile: Profile,
        params: ReasoningParams,  # noqa: ARG002 - they are about measured motion
        session: Session,
        model: ModelFolder | None,
    ) -> None:
        """Bind a loaded decoder and read its vocabulary; see ``Reasoner``."""
        if model is None:
            raise ProfileError(
                f"profile {profile.name}: prompt_family {profile.prompt_family!r} needs a vocabulary, and the profile "
                "names no model folder; expected 'model' in the profile"
            )
        vocabulary = read_vocabulary(model.read(VOCABULARY_FILE), f"{VOCABULARY_FILE} of model {model.name}")
        self._language = DrivingLanguage(vocabulary)
        self._cameras = tuple(camera.id for camera in profile.cameras)
        self._size = (profile.image_width, profile.image_height)
        self._vision_tokens = _vision_tokens(session)
        context = (
            self._vision_tokens,
            TensorSpec("history", (-1, profile.history_length, 4), "float32"),
            TensorSpec("navigation", (-1,), "int64"),
        )
        options = stage_options(profile, "reason", OPTIONS)
        self._decoder = TokenDecoder(session, context, len(vocabulary), self._language.end_id, options)

    def reason(self, observation: Observation, seed: int) -> Reasoned:
        """Decode one answer; see ``Reasoner.reason``.

        Raises:
            TensorSpecError: The observation has no vision tokens.
        """
        if VISION_TOKENS not in observation.tensors:
            raise TensorSpecError(
                f"observation has the tensors {sorted(observation.tensors)}; expected {VISION_TOKENS!r} of a perceive "
                "stage"
            )
        context = {
            VISION_TOKENS: observation.tensors[VISION_TOKENS],
            "history": history_tensor(observation.history),
            "navigation": np.array([observation.navigation], np.int64),
        }
        decoded = self._decoder.decode(context, self._language.begin_id, seed)
        rationale = self._rationale(observation, decoded)
        plan = PlanContext(observation.t0_ns, observation.epoch, observation.history, {"states": decoded.states})
        return Reasoned(rationale, plan)

    def _rationale(self, observation: Observation, decoded: Decoded) -> Rationale:
        answer = self._language.decode(decoded.ids)
        return Rationale(
            t0_ns=observation.t0_ns,
            text=answer.text,
            longitudinal=answer.longitudinal,
            lateral=answer.lateral,
            lane=answer.lane,
            causal_factors=self._causal_factors(answer, observation.frames),
            truncated=not decoded.stopped,
            stop_token_missing=not decoded.stopped,
            confidence_kind=ConfidenceKind.TOKEN_PROBABILITY,
            confidence=decoded.confidence,
        )

    def _causal_factors(self, answer: Answer, frames: Sequence[FrameReference]) -> tuple[CausalFactor, ...]:
        if not answer.label:
            return ()
        label = answer.label.replace("_", " ")
        box = answer.box_px
        if box is None or answer.camera is None or answer.camera >= len(self._cameras):
            return (CausalFactor(label),)
        camera = self._cameras[answer.camera]
        columns, rows = self._scale(camera, frames)
        left, top, width, height = box
        return (CausalFactor(label, "", camera, (left * columns, top * rows, width * columns, height * rows)),)

    def _scale(self, camera: str, frames: Sequence[FrameReference]) -> tuple[float, float]:
        """Return px of the camera's picture at t0 per px of the model's picture, across and down."""
        newest = [frame for frame in frames if frame.camera == camera and frame.width and frame.height][-1:]
        return next(((frame.width / self._size[0], frame.height / self._size[1]) for frame in newest), (1.0, 1.0))


def _vision_tokens(session: Session) -> TensorSpec:
    """Return the vision tokens that a decoder takes, any number of its own width; its contract is looked at later."""
    widths = [spec.shape[-1] for spec in session.input_specs if spec.name == VISION_TOKENS and spec.shape]
    return TensorSpec(VISION_TOKENS, (-1, *widths) if widths else (-1, -1), "float32")
