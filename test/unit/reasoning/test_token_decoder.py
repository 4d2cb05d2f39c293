"""One token at a time with a growing cache; greedy without a seed, sampled with one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError, TensorSpecError
from alpamayo_ros.inference.backend import TensorSpec, validate_tensors
from alpamayo_ros.reasoning.token_decoder import OPTIONS, Decoded, TokenDecoder

DEFAULTS = {name: option.default for name, option in OPTIONS.items()}
BEGIN, END, SIZE, WIDTH = 0, 1, 5, 3
CONTEXT = (TensorSpec("seen", (-1, WIDTH), "float32"),)


class ScriptedDecoder:
    """A decoder that gives the logits of a script, and remembers what it was given."""

    input_specs: tuple[TensorSpec, ...] = (
        *CONTEXT,
        TensorSpec("tokens", (-1,), "int64"),
        TensorSpec("cache", (1, 2, 1, -1, WIDTH), "float32"),
    )
    output_specs: tuple[TensorSpec, ...] = (
        TensorSpec("logits", (-1, SIZE), "float32"),
        TensorSpec("states", (-1, WIDTH), "float32"),
        TensorSpec("grown_cache", (1, 2, 1, -1, WIDTH), "float32"),
    )

    def __init__(self, script: Sequence[Sequence[float]]) -> None:
        self.script = np.array(script, np.float32)
        self.tokens: list[int] = []
        self.seen: list[int] = []
        self.lengths: list[int] = []
        self.seeds: set[int] = set()

    def warm_up(self) -> None: ...

    def close(self) -> None: ...

    def infer(self, inputs: Mapping[str, Any], seed: int) -> Mapping[str, Any]:
        validate_tensors(self.input_specs, inputs, "input")
        self.tokens += inputs["tokens"].tolist()
        self.seen.append(len(inputs["seen"]))
        self.lengths.append(inputs["cache"].shape[3])
        self.seeds.add(seed)
        row = self.script[min(len(self.tokens), len(self.script)) - 1]
        new = np.zeros((1, 2, 1, len(inputs["seen"]) + 1, WIDTH), np.float32)
        return {
            "logits": row[np.newaxis],
            "states": np.full((1, WIDTH), len(self.tokens), np.float32),
            "grown_cache": np.concatenate([inputs["cache"], new], axis=3),
        }


def loud(token: int) -> list[float]:
    return [9.0 if index == token else 0.0 for index in range(SIZE)]


def decode(session: ScriptedDecoder, seed: int = 7, **options: float) -> Decoded:
    decoder = TokenDecoder(session, CONTEXT, SIZE, END, DEFAULTS | options)
    return decoder.decode({"seen": np.zeros((4, WIDTH), np.float32)}, BEGIN, seed)


def test_the_context_is_given_once_and_each_token_on_its_own() -> None:
    session = ScriptedDecoder([loud(2), loud(3), loud(END)])
    decoded = decode(session)
    assert decoded.ids == (BEGIN, 2, 3, END)
    assert decoded.stopped
    assert session.tokens == [BEGIN, 2, 3, END]
    assert session.seen == [4, 0, 0, 0]
    assert session.lengths == [0, 5, 6, 7]
    assert session.seeds == {7}


def test_every_token_has_its_state_the_stop_token_too() -> None:
    decoded = decode(ScriptedDecoder([loud(2), loud(END)]))
    assert decoded.states[:, 0].tolist() == [1.0, 2.0, 3.0]
    assert decoded.states.dtype == np.float32


def test_the_confidence_is_the_mean_probability_of_the_chosen_tokens() -> None:
    decoded = decode(ScriptedDecoder([[0.0, 0.0, np.log(4.0), -100.0, -100.0], loud(END)]))
    expected = [4.0 / 6.0, np.exp(9.0) / (np.exp(9.0) + 4.0)]
    assert decoded.probabilities == pytest.approx(expected)
    assert decoded.confidence == pytest.approx(sum(expected) / 2.0)


@pytest.mark.parametrize("longest", [2, 3, 9])
def test_without_a_stop_token_it_ends_at_the_maximum_length(longest: int) -> None:
    decoded = decode(ScriptedDecoder([loud(2)]), max_tokens=longest)
    assert not decoded.stopped
    assert len(decoded.ids) == longest == len(decoded.states)


def test_a_stop_token_at_the_maximum_length_counts() -> None:
    assert decode(ScriptedDecoder([loud(2), loud(END)]), max_tokens=3).stopped


def test_of_equal_logits_the_lowest_id_is_taken() -> None:
    assert decode(ScriptedDecoder([[0.0, -1.0, 0.5, 0.5, 0.5], loud(END)])).ids[1] == 2


def test_sampling_is_the_same_for_one_seed_and_follows_the_probabilities() -> None:
    script = [[-100.0, -100.0, np.log(3.0), 0.0, -100.0], loud(END)]
    chosen = [decode(ScriptedDecoder(script), seed, temperature=1.0).ids[1] for seed in range(200)]
    assert chosen == [decode(ScriptedDecoder(script), seed, temperature=1.0).ids[1] for seed in range(200)]
    assert set(chosen) == {2, 3}
    assert 120 <= chosen.count(2) <= 180


def test_a_low_temperature_and_a_small_top_p_keep_to_the_most_probable() -> None:
    script = [[-100.0, -100.0, np.log(3.0), 0.0, -100.0], loud(END)]
    for options in ({"temperature": 0.01}, {"temperature": 1.0, "top_p": 0.7}, {"temperature": 10.0, "top_p": 1e-6}):
        assert {decode(ScriptedDecoder(script), seed, **options).ids[1] for seed in range(30)} == {2}


def test_top_p_keeps_the_token_that_reaches_it() -> None:
    script = [[-100.0, -100.0, np.log(3.0), 0.0, -100.0], loud(END)]
    chosen = {decode(ScriptedDecoder(script), seed, temperature=1.0, top_p=0.76).ids[1] for seed in range(60)}
    assert chosen == {2, 3}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite_are_an_error(value: float) -> None:
    with pytest.raises(BackendError, match="logits or states of token 2 of the reasoning stage are not finite"):
        decode(ScriptedDecoder([loud(2), [value, 0.0, 0.0, 0.0, 0.0]]))


def without(specs: tuple[TensorSpec, ...], name: str) -> tuple[TensorSpec, ...]:
    return tuple(spec for spec in specs if spec.name != name)


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        (without(ScriptedDecoder.input_specs, "cache"), None, "no tensor 'cache' with a dimension of any length"),
        (without(ScriptedDecoder.input_specs, "tokens"), None, r"has the tensors \['cache', 'seen'\]; expected"),
        (None, without(ScriptedDecoder.output_specs, "states"), r"output of the decoder has the tensors"),
        (
            None,
            (TensorSpec("logits", (-1, 9), "float32"), *ScriptedDecoder.output_specs[1:]),
            r"'logits' is float32 \(-1, 9\); expected float32 \(1, 5\)",
        ),
        (
            tuple(replace(spec, dtype="float64") for spec in ScriptedDecoder.input_specs),
            None,
            "'seen' is float64",
        ),
        (
            (*ScriptedDecoder.input_specs[:2], TensorSpec("cache", (1, 2, 1, 5, WIDTH), "float32")),
            None,
            "no tensor 'cache' with a dimension of any length; expected one that can be empty",
        ),
    ],
)
def test_a_decoder_with_another_interface_is_refused_before_it_runs(
    inputs: tuple[TensorSpec, ...] | None, outputs: tuple[TensorSpec, ...] | None, message: str
) -> None:
    session = ScriptedDecoder([])
    session.input_specs = inputs or session.input_specs
    session.output_specs = outputs or session.output_specs
    with pytest.raises(TensorSpecError, match=message):
        decode(session)


class OpenDecoder(ScriptedDecoder):
    """A decoder whose file leaves the number of logits open, and gives what it likes."""

    output_specs = (TensorSpec("logits", (-1, -1), "float32"), *ScriptedDecoder.output_specs[1:])

    def __init__(self, given: np.ndarray) -> None:
        super().__init__([loud(2)])
        self.given = given

    def infer(self, inputs: Mapping[str, Any], seed: int) -> Mapping[str, Any]:
        return {**super().infer(inputs, seed), "logits": self.given}


@pytest.mark.parametrize("shape", [(1, SIZE + 4), (1, SIZE - 1), (0, SIZE), (2, SIZE)])
def test_logits_that_do_not_fit_the_vocabulary_are_refused_when_they_come(shape: tuple[int, int]) -> None:
    with pytest.raises(
        TensorSpecError, match=r"output of the decoder 'logits' is float32 .* expected float32 \(1, 5\)"
    ):
        decode(OpenDecoder(np.ones(shape, np.float32)))


@pytest.mark.parametrize("temperature", [1e-320, 1e-300, 1e-10])
@pytest.mark.parametrize("top_p", [1e-6, 0.5, 1.0])
def test_next_to_temperature_0_the_most_probable_token_is_taken(temperature: float, top_p: float) -> None:
    decoded = decode(
        ScriptedDecoder([[3e38, -3e38, 0.0, 1.0, 2.0], loud(3), loud(END)]), temperature=temperature, top_p=top_p
    )
    assert decoded.ids == (BEGIN, 0, 3, END)


def test_among_equal_logits_greedy_takes_the_lowest_id_and_a_temperature_any_of_them() -> None:
    flat = [[0.0] * SIZE]
    assert decode(ScriptedDecoder(flat), max_tokens=4).ids == (BEGIN, 0, 0, 0)
    chosen = {decode(ScriptedDecoder(flat), seed, max_tokens=2, temperature=1.0).ids[1] for seed in range(60)}
    assert chosen == set(range(SIZE))
