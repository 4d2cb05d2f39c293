"""Muon: momentum whose matrix is made orthogonal before it is applied, so that all directions of it count alike.

After K. Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024), with the scale of J. Liu et al.,
"Muon is scalable for LLM training" (2025): the root mean square of an update is 0.2 of the rate, about that of AdamW.
torch has one, but it iterates in bfloat16, which most CPUs only emulate, and takes no convolutions.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of x, x^3 and x^5 in one iteration; singular values end between about 0.7 and 1.2, which is near enough to 1."""
UPDATE_RMS = 0.2


def orthogonal(matrices: Tensor) -> Tensor:
    """Return the nearest orthogonal matrices (B, m, n), about, of matrices (B, m, n); zero stays zero."""
    turned = matrices.shape[1] > matrices.shape[2]
    found = matrices.mT if turned else matrices
    found = found / found.norm(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    first, third, fifth = COEFFICIENTS
    for _ in range(ITERATIONS):
        square = found @ found.mT
        found = first * found + torch.baddbmm(square, square, square, beta=third, alpha=fifth) @ found
    return found.mT if turned else found


class Muon(torch.optim.Optimizer):
    """Optimiser of weights of hidden layers: matrices, and convolutions as matrices of one row for each channel."""

    def __init__(self, params: Iterable[Tensor], lr: float, weight_decay: float = 0.0, momentum: float = 0.95) -> None:
        """Set up.

        Args:
            params: Weights with two or more dimensions; the first is that of outputs.
            lr: Rate, on the scale of AdamW's.
            weight_decay: Share of the rate by which weights shrink in each step.
            momentum: Decay of the running sum of gradients.

        Raises:
            ValueError: A weight has fewer than two dimensions.
        """
        weights = list(params)
        flat = [tuple(weight.shape) for weight in weights if weight.ndim < 2]
        if flat:
            raise ValueError(f"weight of shape {flat[0]} is no matrix; expected two or more dimensions")
        super().__init__(weights, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    def step(self, closure: Callable[[], float] | None = None) -> None:  # noqa: ARG002
        """Do one step with the gradients that stand in the weights."""
        with torch.no_grad():
            self._step()

    def _step(self) -> None:
        for group in self.param_groups:
            alike: defaultdict[tuple[int, int], list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    update = self._with_momentum(weight, group["momentum"])
                    alike[(len(update), update[0].numel())].append((weight, update))
            for shape, pairs in alike.items():
                updates = orthogonal(torch.stack([update.reshape(shape) for _, update in pairs]))
                rate = group["lr"] * UPDATE_RMS * max(shape) ** 0.5
                for (weight, _), update in zip(pairs, updates, strict=True):
                    weight.mul_(1.0 - group["lr"] * group["weight_decay"])
                    weight.add_(update.reshape(weight.shape), alpha=-rate)

    def _with_momentum(self, weight: Tensor, momentum: float) -> Tensor:
        """Return the gradient and what comes after it by momentum (Nesterov's)."""
        state: dict[str, Any] = self.state[weight]
        if "sum" not in state:
            state["sum"] = torch.zeros_like(weight.grad)
        total = state["sum"].mul_(momentum).add_(weight.grad)
        return weight.grad + momentum * total
