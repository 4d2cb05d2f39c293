"""Muon makes updates orthogonal, learns, and goes on from a saved state."""

import copy

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; run 'make test-torch'")

from alpamayo_ros.training.muon import Muon, orthogonal  # noqa: E402


@pytest.mark.parametrize("shape", [(2, 16, 16), (1, 8, 40), (3, 40, 8)])
def test_singular_values_come_near_one(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert values.min() > 0.4
    assert values.max() < 1.3


def test_zero_stays_zero() -> None:
    assert not orthogonal(torch.zeros(2, 4, 6)).any()


def test_the_size_of_an_update_is_that_of_the_rate() -> None:
    torch.manual_seed(0)
    for weight in (torch.nn.Parameter(torch.zeros(32, 64)), torch.nn.Parameter(torch.zeros(16, 8, 3, 3))):
        weight.grad = 1e3 * torch.randn_like(weight)
        Muon([weight], lr=0.01).step()
        assert weight.detach().square().mean().sqrt().item() == pytest.approx(0.2 * 0.01, rel=0.4)


def test_it_learns_where_one_direction_is_steep_and_goes_on_from_its_state() -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(8, 8, bias=False)
    inputs = torch.randn(64, 8) * torch.logspace(0, -2, 8)
    wanted = inputs @ torch.randn(8, 8)

    def losses(model: "torch.nn.Module", optimiser: "Muon", steps: int) -> list[float]:
        found = []
        for _ in range(steps):
            loss = (model(inputs) - wanted).square().mean()
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            found.append(loss.item())
        return found

    optimiser = Muon(model.parameters(), lr=0.05)
    first = losses(model, optimiser, 400)
    assert first[-1] < 0.05 * first[0]
    other = copy.deepcopy(model)
    resumed = Muon(other.parameters(), lr=0.05)
    resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    assert losses(other, resumed, 5) == losses(model, optimiser, 5)


def test_a_vector_is_refused() -> None:
    with pytest.raises(ValueError, match="no matrix"):
        Muon([torch.nn.Parameter(torch.zeros(4))], lr=0.1)
