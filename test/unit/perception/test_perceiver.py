"""A vision encoder turns pictures into tensors, and is refused where it does not fit the profile."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError, ProfileError, TensorSpecError
from alpamayo_ros.inference.backend import TensorSpec, derive_seed
from alpamayo_ros.params.profile import Profile, StageSpec, load_profile
from alpamayo_ros.perception.perceiver import Perceiver
from alpamayo_ros.structs.observation import Observation

NANO = load_profile("nano")


class FakeEncoder:
    """An encoder that gives the mean of every picture and remembers its seeds."""

    output_specs = (TensorSpec("vision_tokens", (8, 1), "float32"),)

    def __init__(self, shape: tuple[int, ...] = (4, 2, 96, 160, 3), name: str = "images") -> None:
        self.input_specs = (TensorSpec(name, shape, "uint8"),)
        self.seeds: list[int] = []
        self.factor = 1.0

    def warm_up(self) -> None: ...

    def close(self) -> None: ...

    def infer(self, inputs: Mapping[str, Any], seed: int) -> Mapping[str, Any]:
        self.seeds.append(seed)
        means = inputs["images"].reshape(8, -1).mean(axis=1, keepdims=True) * self.factor
        return {"vision_tokens": means.astype(np.float32)}


def seen(observation: Observation) -> Observation:
    images = np.arange(8, dtype=np.uint8).reshape(4, 2, 1, 1, 1) * np.ones((1, 1, 96, 160, 3), np.uint8)
    return replace(observation, images=images)


def test_tensors_take_the_place_of_pictures(straight_observation: Callable[..., Observation]) -> None:
    encoder = FakeEncoder()
    observation = seen(straight_observation(t0_ns=7))
    perceived = Perceiver(NANO, encoder).perceive(observation)
    assert perceived.tensors["vision_tokens"].ravel().tolist() == list(range(8))
    assert not perceived.tensors["vision_tokens"].flags.writeable
    assert perceived.images is None
    assert replace(perceived, images=observation.images, tensors={}) == observation
    assert encoder.seeds == [derive_seed(0, 7, "perceive", 0)]


def test_an_output_that_is_not_finite_is_an_error(straight_observation: Callable[..., Observation]) -> None:
    encoder = FakeEncoder()
    encoder.factor = np.nan
    with pytest.raises(BackendError, match="output 'vision_tokens' of the perceive stage is not finite"):
        Perceiver(NANO, encoder).perceive(seen(straight_observation()))


def test_an_observation_without_pictures_is_refused(straight_observation: Callable[..., Observation]) -> None:
    with pytest.raises(TensorSpecError, match="observation has no pictures"):
        Perceiver(NANO, FakeEncoder()).perceive(straight_observation())


@pytest.mark.parametrize("encoder", [FakeEncoder((3, 2, 96, 160, 3)), FakeEncoder(name="pixels")])
def test_an_encoder_of_other_pictures_is_refused(encoder: FakeEncoder) -> None:
    with pytest.raises(TensorSpecError, match="input of the vision encoder"):
        Perceiver(NANO, encoder)
    assert Perceiver(NANO, FakeEncoder((-1, -1, -1, -1, 3)))


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (replace(NANO, cameras=()), "has a perceive stage but no cameras"),
        (
            replace(NANO, stages={"perceive": StageSpec("x", method="token_decoder")}),
            "method is 'token_decoder'; expect",
        ),
        (
            replace(NANO, stages={"perceive": StageSpec("x", {"zoom": 2.0})}),
            "stages/perceive/options has zoom; expected none",
        ),
    ],
)
def test_a_stage_that_cannot_be_is_refused(profile: Profile, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        Perceiver(profile, FakeEncoder())
