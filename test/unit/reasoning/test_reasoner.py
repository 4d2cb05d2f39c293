"""The reasoning stage runs its engine with the tick's own seed, and lets nothing infinite through."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError, ProfileError
from alpamayo_ros.inference.backend import TensorSpec, derive_seed
from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.params.reasoning import ReasoningParams
from alpamayo_ros.reasoning.reasoner import Reasoner
from alpamayo_ros.structs.observation import Observation

PROFILE = load_profile("kinematic")


class FakeSession:
    """A session that returns a given motion and remembers its seeds."""

    input_specs = (TensorSpec("window_s", (), "float64"),)
    output_specs = (TensorSpec("motion", (3,), "float64"),)

    def __init__(self, motion: list[float]) -> None:
        self.motion = motion
        self.seeds: list[int] = []

    def warm_up(self) -> None: ...

    def infer(self, inputs: Any, seed: int) -> Any:
        assert set(inputs) == {"window_s"}
        self.seeds.append(seed)
        return {"motion": np.array(self.motion)}

    def close(self) -> None: ...


def test_a_straight_drive_is_measured(straight_observation: Callable[..., Observation]) -> None:
    reasoner = Reasoner(PROFILE, ReasoningParams(), open_session("reference", PROFILE.stages["reason"]))
    reasoned = reasoner.reason(straight_observation(8.0))
    assert reasoned.context.tensors["motion"] == pytest.approx([8.0, 0.0, 0.0], abs=1e-9)
    assert "8.0 m/s" in reasoned.rationale.text
    assert reasoned.rationale.t0_ns == reasoned.context.t0_ns == 1_700_000_000_000_000_000


def test_the_seed_is_that_of_the_tick_and_not_of_the_call(straight_observation: Callable[..., Observation]) -> None:
    session = FakeSession([1.0, 0.0, 0.0])
    reasoner = Reasoner(PROFILE, ReasoningParams(), session)
    for t0_ns in (7, 9, 7):
        reasoner.reason(straight_observation(t0_ns=t0_ns))
    assert session.seeds == [derive_seed(PROFILE.base_seed, t0_ns, "reason", 0) for t0_ns in (7, 9, 7)]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_output_that_is_not_finite_is_an_error(
    straight_observation: Callable[..., Observation], value: float
) -> None:
    reasoner = Reasoner(PROFILE, ReasoningParams(), FakeSession([value, 0.0, 0.0]))
    with pytest.raises(BackendError, match="output 'motion' of the reasoning stage is not finite"):
        reasoner.reason(straight_observation())


def test_an_unknown_prompt_family_is_refused() -> None:
    profile = replace(PROFILE, prompt_family="poetry")
    with pytest.raises(ProfileError, match="prompt_family 'poetry' is not known; expected one of: driving_lan"):
        Reasoner(profile, ReasoningParams(), FakeSession([]))


def test_a_method_that_does_not_go_with_the_prompt_family_is_refused() -> None:
    stages = {**PROFILE.stages, "reason": replace(PROFILE.stages["reason"], method="token_decoder")}
    expected = "stages/reason/method with prompt_family 'none' 'token_decoder' is not known; expected one of: direct"
    with pytest.raises(ProfileError, match=expected):
        Reasoner(replace(PROFILE, stages=stages), ReasoningParams(), FakeSession([]))
