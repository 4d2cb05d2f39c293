"""Nano in torch: its size, its cache, and what its expert can know."""

from collections.abc import Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; run 'make test-torch'")

from alpamayo_ros.inference.networks.anatomy import Anatomy  # noqa: E402
from alpamayo_ros.inference.networks.nano import Nano  # noqa: E402
from alpamayo_ros.inference.networks.reasoning_decoder import HIDDEN  # noqa: E402
from alpamayo_ros.reasoning.driving_language import vocabulary  # noqa: E402
from alpamayo_ros.training.losses import roll_out  # noqa: E402
from alpamayo_ros.training.motion_targets import ACTIONS  # noqa: E402


@pytest.fixture
def nano() -> Iterator["Nano"]:
    torch.manual_seed(0)
    model = Nano(Anatomy(len(vocabulary()))).eval()
    for value in model.parameters():
        if not value.abs().max():
            torch.nn.init.normal_(value, std=0.02)
    with torch.no_grad():
        yield model


def test_it_has_at_most_three_million_parameters(nano: "Nano") -> None:
    assert sum(nano.parameter_counts().values()) <= 3_000_000


def test_decoding_with_the_cache_equals_one_pass(nano: "Nano") -> None:
    vision, history = torch.randn(2, nano.anatomy.vision_tokens, nano.anatomy.width), torch.randn(2, 16, 4)
    navigation, tokens = torch.tensor([0, 3]), torch.randint(0, 100, (2, 12))
    whole, states = nano.reason(vision, history, navigation, tokens)
    prefix = nano.reasoning.prefix(vision, history[:, None], navigation[:, None])
    cache = nano.reasoning.empty_cache(2)
    for place in range(12):
        logits, state, cache = nano.reasoning(prefix, tokens[:, place : place + 1], cache)
        prefix = prefix[:, :0]
        assert torch.allclose(logits[:, 0], whole[:, place], atol=1e-4)
        assert torch.allclose(state[:, 0], states[:, place], atol=1e-4)


def test_a_token_never_sees_a_later_one(nano: "Nano") -> None:
    vision, history, navigation = torch.randn(1, 240, nano.anatomy.width), torch.randn(1, 16, 4), torch.tensor([1])
    tokens = torch.randint(3, 100, (1, 10))
    changed = tokens.clone()
    changed[0, 6:] = 1
    before, _ = nano.reason(vision, history, navigation, tokens)
    after, _ = nano.reason(vision, history, navigation, changed)
    assert torch.allclose(before[:, :6], after[:, :6], atol=1e-6)
    assert not torch.allclose(before[:, 6:], after[:, 6:], atol=1e-3)


def test_states_that_are_masked_do_not_count(nano: "Nano") -> None:
    states, history, noise = torch.randn(1, 9, nano.anatomy.width), torch.randn(1, 16, 4), torch.randn(1, 64, 2)
    mask = torch.zeros(1, 1, 1, 9)
    mask[..., 5:] = HIDDEN
    masked = nano.action(states, history, noise, torch.tensor([0.3]), mask)
    assert torch.allclose(masked, nano.action(states[:, :5], history, noise, torch.tensor([0.3])), atol=1e-5)


def test_other_states_give_another_velocity(nano: "Nano") -> None:
    history, noise, time = torch.randn(1, 16, 4), torch.randn(1, 64, 2), torch.tensor([0.3])
    one, other = (nano.action(torch.randn(1, 9, nano.anatomy.width), history, noise, time) for _ in range(2))
    assert not torch.allclose(one, other, atol=1e-3)


def test_the_roll_out_is_the_pipelines() -> None:
    from alpamayo_ros.geometry.kinematics import limit_actions, roll_out_actions

    actions = torch.randn(5, 64, 2)
    speed = torch.tensor([0.0, 1.0, 5.0, 10.0, 20.0])
    found = roll_out(actions, speed).numpy()
    for number in range(5):
        physical = limit_actions(ACTIONS.physical(actions[number].numpy()))
        expected = roll_out_actions(physical[None], float(speed[number]), 0.1)[0]
        assert np.allclose(found[number, :, 0], expected[0], atol=2e-2)
        assert np.allclose(found[number, :, 1], expected[1], atol=2e-2)
        assert np.allclose(found[number, :, 3], expected[4], atol=1e-3)
