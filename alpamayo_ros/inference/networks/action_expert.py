"""Action expert: flow matching over (acceleration, curvature), conditioned on reasoning states and ego history only.

It sees no picture: what it knows of the scene comes through the states of the answer's tokens.
"""

import math

import torch
from torch import Tensor, nn

from alpamayo_ros.inference.networks.anatomy import POINTS, Anatomy
from alpamayo_ros.inference.networks.attention import Attention, FeedForward
from alpamayo_ros.inference.networks.reasoning_decoder import HistoryEncoder

FREQUENCIES = 16


class ExpertLayer(nn.Module):
    """One layer: actions look at each other, at the answer's states, then feed forward."""

    def __init__(self, width: int, heads: int, context_width: int) -> None:
        super().__init__()
        self.own_norm = nn.LayerNorm(width, elementwise_affine=False)
        self.own = Attention(width, heads)
        self.cross_norm = nn.LayerNorm(width, elementwise_affine=False)
        self.cross = Attention(width, heads, context_width)
        self.feed = FeedForward(width, 2)
        self.modulation = nn.Linear(width, 4 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, actions: Tensor, condition: Tensor, states: Tensor, mask: Tensor | None) -> Tensor:
        """Return features (B, tokens, width) of the same shape.

        Args:
            actions: (B, tokens, width).
            condition: (B, 1, width): flow time and history.
            states: (B, T, D) of the answer.
            mask: Added to the scores of states, None where every state counts.
        """
        scale, shift, cross_scale, cross_shift = self.modulation(condition).chunk(4, dim=-1)
        actions = actions + self.own(self.own_norm(actions) * (1.0 + scale) + shift)
        asked = self.cross_norm(actions) * (1.0 + cross_scale) + cross_shift
        return self.feed(actions + self.cross(asked, states, mask))


class ActionExpert(nn.Module):
    """Velocity field of the flow from noise to actions."""

    def __init__(self, anatomy: Anatomy) -> None:
        super().__init__()
        self.anatomy = anatomy
        width = anatomy.expert_width
        self.enter = nn.Linear(2 * anatomy.patch, width)
        self.places = nn.Parameter(0.02 * torch.randn(POINTS // anatomy.patch, width))
        self.time = nn.Sequential(
            nn.Linear(2 * FREQUENCIES, width), nn.GELU(approximate="tanh"), nn.Linear(width, width)
        )
        self.history = HistoryEncoder(width)
        self.layers = nn.ModuleList(
            ExpertLayer(width, anatomy.heads, anatomy.width) for _ in range(anatomy.expert_layers)
        )
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, 2 * anatomy.patch)
        nn.init.zeros_(self.leave.weight)

    def forward(
        self, states: Tensor, history: Tensor, noise: Tensor, time: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """Return the velocity (B, 64, 2) of the normalised actions.

        Args:
            states: (B, T, D) of the answer's tokens.
            history: (B, 16, 4).
            noise: Current sample (B, 64, 2).
            time: (B,), 0 is noise and 1 is data.
            mask: (B, 1, 1, T), added to the scores of states; None where every state counts.
        """
        rates = torch.exp(torch.arange(FREQUENCIES, device=noise.device) * (math.log(100.0) / (FREQUENCIES - 1)))
        angles = time[:, None] * rates
        condition = self.time(torch.cat([angles.sin(), angles.cos()], dim=1)) + self.history(history)
        actions = self.enter(noise.reshape(-1, POINTS // self.anatomy.patch, 2 * self.anatomy.patch))
        actions = actions + self.places + condition[:, None]
        for layer in self.layers:
            actions = layer(actions, condition[:, None], states, mask)
        return self.leave(self.norm(actions)).reshape(-1, POINTS, 2)
