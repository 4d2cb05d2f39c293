"""A model of a shape with random weights: cached and whole passes agree, samples stay apart, a seed fixes all."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; run 'make test-torch'")

from alpamayo_ros.inference.networks.attention import attend  # noqa: E402
from alpamayo_ros.inference.networks.decoder_layer import attend_grouped, make_cache, rotary_turns, turned  # noqa: E402
from alpamayo_ros.inference.networks.model_shape import SHAPES, TINY, ModelShape, parameter_counts  # noqa: E402
from alpamayo_ros.inference.networks.shaped_model import (  # noqa: E402
    ShapedInputs,
    ShapedModel,
    make_inputs,
    make_shaped_model,
)

CPU = torch.device("cpu")
TOKENS, SAMPLES = 5, 3


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Several threads wait for each other on a busy machine, longer than one would take."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model() -> Any:
    return sharpened(make_shaped_model(TINY, 1, device=CPU, dtype=torch.float32))


def sharpened(model: Any) -> Any:
    """Return the model with larger weights, so that every part of it makes a difference that is seen."""
    for value in model.parameters():
        if value.dim() > 1:
            value *= 5.0
    return model


@pytest.fixture
def inputs() -> ShapedInputs:
    return make_inputs(TINY, 2, TOKENS, SAMPLES, device=CPU, dtype=torch.float32)


def prefilled(model: Any, inputs: ShapedInputs, text: Any = None) -> Any:
    pictures, deeper = model.vision(inputs.images)
    return model.language.prefill(pictures, deeper, inputs.text if text is None else text, inputs.cache)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
def test_the_network_has_the_parameters_that_the_sizes_give(shape: ModelShape) -> None:
    """On the device meta, where nothing is allocated."""
    with torch.device("meta"):
        assert ShapedModel(shape).parameter_counts() == parameter_counts(shape)


@torch.inference_mode()
def test_token_by_token_gives_the_states_of_all_tokens_at_once(model: Any, inputs: ShapedInputs) -> None:
    answer = torch.randint(TINY.vocabulary, (1, TOKENS), generator=torch.Generator().manual_seed(3))
    whole = prefilled(model, inputs, torch.cat([inputs.text, answer], dim=1))
    filled = inputs.cache.entries[..., : inputs.cache.length, :].clone()
    inputs.cache.entries.fill_(math.nan)
    first = prefilled(model, inputs)
    assert first.shape == (1, TINY.prompt, TINY.language.hidden)
    torch.testing.assert_close(first, whole[:, : TINY.prompt], rtol=1e-4, atol=1e-5)
    for number in range(TOKENS):
        state = model.language.decode(answer[:, number : number + 1], inputs.cache)
        torch.testing.assert_close(state[:, 0], whole[:, TINY.prompt + number], rtol=1e-4, atol=1e-5)
    assert inputs.cache.length == TINY.prompt + TOKENS
    torch.testing.assert_close(inputs.cache.entries[..., : inputs.cache.length, :], filled, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_a_token_sees_what_is_before_it_and_nothing_after_it(model: Any, inputs: ShapedInputs) -> None:
    before = prefilled(model, inputs)
    changed = inputs.text.clone()
    changed[0, 10] = (changed[0, 10] + 1) % TINY.vocabulary
    after = prefilled(model, inputs, changed)
    place = TINY.prompt - TINY.text + 10
    assert torch.equal(before[:, :place], after[:, :place])
    assert not torch.isclose(before[:, place + 1 :], after[:, place + 1 :]).all(dim=-1).any()


@torch.inference_mode()
def test_pictures_reach_the_language_model_at_the_front_and_deeper(model: Any, inputs: ShapedInputs) -> None:
    before = prefilled(model, inputs)
    pictures, deeper = model.vision(inputs.images)
    assert pictures.shape == (1, TINY.prompt - TINY.text, TINY.language.hidden)
    assert [value.shape for value in deeper] == [pictures.shape] * len(TINY.vision.deepstack)
    without = model.language.prefill(pictures, [], inputs.text, inputs.cache)
    assert not torch.allclose(before, without)
    other = replace(inputs, images=255 - inputs.images)
    assert not torch.allclose(before[:, -1], prefilled(model, other)[:, -1])


@torch.inference_mode()
def test_a_picture_is_looked_at_alone_and_a_patch_where_it_is(model: Any, inputs: ShapedInputs) -> None:
    changed = inputs.images.clone()
    changed[1, 16:32, 16:32] = 255 - changed[1, 16:32, 16:32]
    before, after = (
        model.vision(images)[0][0].unflatten(0, (TINY.pictures, -1)) for images in (inputs.images, changed)
    )
    same = torch.isclose(before, after, atol=1e-6).all(dim=-1)
    assert same[[0, 2, 3]].all()
    assert not same[1].any()
    # Rows 0 and 1 and columns 0 and 1 of the patches become the first token, in which the change is largest.
    assert (before - after)[1].abs().sum(dim=-1).argmax() == 0


@torch.inference_mode()
def test_the_flow_depends_on_the_cache_and_leaves_it_as_it_was(model: Any, inputs: ShapedInputs) -> None:
    prefilled(model, inputs)
    length = inputs.cache.length
    before = inputs.cache.entries[..., :length, :].clone()
    velocity = model.expert(inputs.noise, 0.0, model.expert.begin(inputs.cache, SAMPLES))
    assert velocity.shape == inputs.noise.shape
    assert inputs.cache.length == length
    assert torch.equal(inputs.cache.entries[..., :length, :], before)
    assert torch.equal(velocity, model.expert(inputs.noise, 0.0, model.expert.begin(inputs.cache, SAMPLES)))
    for layer in range(TINY.language.layers):
        inputs.cache.entries[layer, 1, ..., :length, :] += 1.0
        changed = model.expert(inputs.noise, 0.0, model.expert.begin(inputs.cache, SAMPLES))
        inputs.cache.entries[..., :length, :] = before
        assert not torch.allclose(velocity, changed), layer
    assert not torch.allclose(velocity, model.expert(inputs.noise, 0.5, model.expert.begin(inputs.cache, SAMPLES)))


@torch.inference_mode()
def test_samples_do_not_see_each_other(model: Any, inputs: ShapedInputs) -> None:
    prefilled(model, inputs)
    together = model.expert(inputs.noise, 0.3, model.expert.begin(inputs.cache, SAMPLES))
    for number in range(SAMPLES):
        alone = model.expert(inputs.noise[number : number + 1], 0.3, model.expert.begin(inputs.cache, 1))
        torch.testing.assert_close(together[number : number + 1], alone, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[0], together[1])


def answered(seed: int, dtype: Any = torch.float32) -> tuple[Any, Any]:
    """Return the tokens and actions of a whole answer."""
    model = sharpened(make_shaped_model(TINY, seed, device=CPU, dtype=dtype))
    inputs = make_inputs(TINY, seed, TOKENS, SAMPLES, device=CPU, dtype=dtype)
    with torch.inference_mode():
        tokens = [model.language.next_token(prefilled(model, inputs))]
        for _ in range(TOKENS):
            tokens.append(model.language.next_token(model.language.decode(tokens[-1], inputs.cache)))
        context, actions = model.expert.begin(inputs.cache, SAMPLES), inputs.noise
        for number in range(TINY.action.steps):
            actions = model.expert.step(actions, number, context)
    return torch.cat(tokens, dim=1), actions


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_seed_fixes_the_answer(dtype: Any) -> None:
    tokens, actions = answered(4, dtype)
    again = answered(4, dtype)
    assert torch.equal(tokens, again[0])
    assert torch.equal(actions, again[1])
    assert torch.isfinite(actions).all()
    assert not torch.equal(actions, answered(5, dtype)[1])


def test_weights_are_made_in_the_wanted_dtype_and_spread_as_stated() -> None:
    model = make_shaped_model(TINY, 0, device=CPU, dtype=torch.bfloat16)
    assert {value.dtype for value in model.parameters()} == {torch.bfloat16}
    assert not any(value.requires_grad for value in model.parameters())
    assert model.language.words.weight.float().std().item() == pytest.approx(0.02, rel=0.05)
    assert torch.equal(model.language.norm.weight, torch.ones_like(model.language.norm.weight))
    assert not model.vision.enter.bias.any()


def test_grouped_attention_is_attention_with_repeated_keys() -> None:
    dice = torch.Generator().manual_seed(0)
    query = torch.randn((1, 6, 4, 8), generator=dice)
    key, value = (torch.randn((1, 2, 9, 8), generator=dice) for _ in range(2))
    mask = torch.where(torch.rand((4, 9), generator=dice) < 0.3, -math.inf, 0.0)
    mask[:, 0] = 0.0
    repeated = [each.repeat_interleave(3, dim=1) for each in (key, value)]
    torch.testing.assert_close(attend_grouped(query, key, value), attend(query, *repeated))
    torch.testing.assert_close(attend_grouped(query, key, value, mask.repeat(3, 1)), attend(query, *repeated, mask))


def test_a_turn_keeps_the_length_and_its_product_depends_on_the_distance_alone() -> None:
    turns = rotary_turns(torch.arange(20), 16, 1e4)
    query, key = torch.randn((2, 16), generator=torch.Generator().manual_seed(0))
    queries, keys = (turned(each.expand(20, 16), turns) for each in (query, key))
    torch.testing.assert_close(queries.norm(dim=-1), query.norm().expand(20))
    torch.testing.assert_close(queries[7] @ keys[3], queries[17] @ keys[13])
    assert not torch.isclose(queries[7] @ keys[3], queries[7] @ keys[4])


def test_a_cache_has_its_room_from_the_beginning() -> None:
    cache = make_cache(TINY.language, 30, 1e4, device=CPU, dtype=torch.bfloat16)
    assert cache.entries.shape == (4, 2, 1, 2, 30, 16)
    assert cache.entries.dtype == cache.turns[0].dtype == torch.bfloat16
    assert cache.length == 0
    assert cache.turns_at(3, 2)[1].shape == (2, 16)
