"""What a decoder says becomes a rationale with its cause in the picture, and states for the plan."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.errors import ArtifactError, ProfileError, TensorSpecError
from alpamayo_ros.inference.model_folder import open_model_folder
from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.params.profile import Profile, StageSpec, load_profile
from alpamayo_ros.params.reasoning import ReasoningParams
from alpamayo_ros.reasoning.driving_language import Answer, DrivingLanguage
from alpamayo_ros.reasoning.reasoner import Reasoner
from alpamayo_ros.structs.navigation import Navigation
from alpamayo_ros.structs.observation import FrameReference, Observation
from alpamayo_ros.structs.rationale import (
    CausalFactor,
    ConfidenceKind,
    LaneAction,
    LateralAction,
    LongitudinalAction,
)

ANSWER = Answer(
    ("the", "light", "is", "red", "."),
    "red_light",
    1,
    (10, 2, 14, 5),
    LongitudinalAction.DECELERATE,
    LateralAction.STRAIGHT,
    LaneAction.KEEP,
)


@pytest.fixture
def make_profile(tmp_path: Path, tiny_model: Any) -> Callable[..., Profile]:
    """Return a function that loads the profile of a tiny model that says a script."""

    def make(answer: Answer | None = ANSWER, script: Sequence[int] | None = None) -> Profile:
        said = DrivingLanguage().encode(answer)[1:] if answer is not None and script is None else script
        return load_profile(str(tiny_model.write_tiny_model(tmp_path / "model", said)))

    return make


def load(profile: Profile, **options: float) -> Reasoner:
    stage = StageSpec("reasoning.onnx", options or {"max_tokens": 40}, "token_decoder")
    profile = replace(profile, stages={**profile.stages, "reason": stage})
    assert profile.model_folder is not None
    model = open_model_folder(profile.model_folder)
    return Reasoner(profile, ReasoningParams(), open_session("ort_cpu", stage, model), model)


def seen(observation: Observation, **changes: Any) -> Observation:
    tokens = np.linspace(-1.0, 1.0, 64, dtype=np.float32).reshape(8, 8)
    frames = tuple(
        FrameReference(camera, observation.t0_ns, "", 320, 288)
        for camera in ("camera_cross_left_120fov", "camera_front_wide_120fov")
    )
    return replace(observation, frames=frames, tensors={"vision_tokens": tokens}, **changes)


def test_an_answer_becomes_a_rationale(
    make_profile: Callable[..., Profile], straight_observation: Callable[..., Observation]
) -> None:
    observation = seen(straight_observation())
    reasoned = load(make_profile()).reason(observation)
    rationale = reasoned.rationale
    assert (rationale.t0_ns, rationale.text) == (observation.t0_ns, "The light is red.")
    assert (rationale.longitudinal, rationale.lateral, rationale.lane) == (4, 1, 1)
    assert not rationale.truncated
    assert not rationale.stop_token_missing
    assert rationale.confidence_kind is ConfidenceKind.TOKEN_PROBABILITY
    assert 0.99 < rationale.confidence <= 1.0


def test_the_box_is_in_px_of_the_cameras_picture_as_received(
    make_profile: Callable[..., Profile], straight_observation: Callable[..., Observation]
) -> None:
    observation = seen(straight_observation())
    reasoner = load(make_profile())
    # The model looks at 160 x 96 px; the picture has twice the columns and three times the rows.
    expected = CausalFactor("red light", "", "camera_front_wide_120fov", (80.0, 24.0, 32.0, 36.0))
    assert reasoner.reason(observation).rationale.causal_factors == (expected,)
    unknown = replace(observation, frames=())
    (factor,) = reasoner.reason(unknown).rationale.causal_factors
    assert factor.box_px == (40.0, 8.0, 16.0, 12.0)


@pytest.mark.parametrize(
    ("changes", "factors"),
    [({"label": "", "camera": None, "box_bins": None}, ()), ({"camera": None, "box_bins": None}, ("red light",))],
)
def test_a_cause_without_a_box_and_no_cause(
    make_profile: Callable[..., Profile],
    straight_observation: Callable[..., Observation],
    changes: dict[str, Any],
    factors: tuple[str, ...],
) -> None:
    reasoned = load(make_profile(replace(ANSWER, **changes))).reason(seen(straight_observation()))
    assert reasoned.rationale.causal_factors == tuple(CausalFactor(label) for label in factors)


def test_the_states_of_every_token_are_the_context_of_the_plan(
    make_profile: Callable[..., Profile], straight_observation: Callable[..., Observation]
) -> None:
    context = load(make_profile()).reason(seen(straight_observation())).context
    assert list(context.tensors) == ["states"]
    assert context.tensors["states"].shape == (len(DrivingLanguage().encode(ANSWER)), 8)


def test_an_answer_that_does_not_end_is_flagged_and_read_as_far_as_it_goes(
    make_profile: Callable[..., Profile], straight_observation: Callable[..., Observation]
) -> None:
    rationale = load(make_profile(), max_tokens=4).reason(seen(straight_observation())).rationale
    assert rationale.truncated
    assert rationale.stop_token_missing
    assert rationale.text == "The light is"
    assert rationale.longitudinal is LongitudinalAction.UNKNOWN


def test_states_depend_on_pictures_history_and_navigation(
    make_profile: Callable[..., Profile], straight_observation: Callable[..., Observation]
) -> None:
    reasoner = load(make_profile())

    def states(observation: Observation) -> bytes:
        return reasoner.reason(observation).context.tensors["states"].tobytes()

    observation = seen(straight_observation())
    others = [
        replace(observation, tensors={"vision_tokens": observation.tensors["vision_tokens"] * 0.5}),
        seen(straight_observation(4.0)),
        *(replace(observation, navigation=way) for way in Navigation if way),
    ]
    assert states(observation) == states(observation)
    assert len({states(observation), *map(states, others)}) == 6


def test_sampling_follows_the_seed_of_the_tick(
    make_profile: Callable[..., Profile], straight_observation: Callable[..., Observation]
) -> None:
    reasoner = load(make_profile(None), temperature=2.0)
    texts = [reasoner.reason(seen(straight_observation(t0_ns=t0_ns))).rationale.text for t0_ns in (1, 2, 1)]
    assert texts[0] == texts[2] != texts[1]


def test_an_observation_without_vision_tokens_is_refused(
    make_profile: Callable[..., Profile], straight_observation: Callable[..., Observation]
) -> None:
    with pytest.raises(TensorSpecError, match=r"observation has the tensors \[\]; expected 'vision_tokens' of a perc"):
        load(make_profile()).reason(straight_observation())


def test_a_profile_without_a_model_folder_is_refused(make_profile: Callable[..., Profile]) -> None:
    profile = make_profile()
    assert profile.model_folder is not None
    session = open_session("ort_cpu", profile.stages["reason"], open_model_folder(profile.model_folder))
    with pytest.raises(ProfileError, match="needs a vocabulary, and the profile names no model folder"):
        Reasoner(profile, ReasoningParams(), session)


def test_a_vocabulary_of_another_size_or_form_is_refused(make_profile: Callable[..., Profile], tiny_model: Any) -> None:
    profile = make_profile()
    assert profile.model_folder is not None
    path = profile.model_folder / "vocabulary.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"<pad>", ', ""), encoding="utf-8")
    tiny_model.write_model_document(profile.model_folder)
    with pytest.raises(TensorSpecError, match=r"'logits' is float32 \(-1, \d+\); expected float32"):
        load(profile)
    path.write_text("[]", encoding="utf-8")
    tiny_model.write_model_document(profile.model_folder)
    with pytest.raises(ArtifactError, match=r"vocabulary.json of model tiny lacks"):
        load(profile)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tokens": 1.0}, "max_tokens is 1.0, out of range; expected from 2 to 4096"),
        ({"max_tokens": 2.5}, "max_tokens is 2.5; expected a whole number"),
        ({"temperature": -1.0}, "temperature is -1.0, out of range"),
        ({"top_p": 0.0}, "top_p is 0.0, out of range"),
        ({"beams": 4.0}, "option 'beams' is not known; expected one of: max_tokens, temperature, top_p"),
    ],
)
def test_an_option_that_cannot_be_is_refused(
    make_profile: Callable[..., Profile], options: dict[str, float], message: str
) -> None:
    with pytest.raises(ProfileError, match=message):
        load(make_profile(), **options)
