"""Action expert that looks at the language model's cache layer by layer, and denoises actions by flow matching.

The actions of all samples are one sequence, and a mask keeps the samples apart: so all look at the one cache, which is
neither copied nor repeated.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from alpamayo_ros.inference.networks.decoder_layer import EPSILON, DecoderLayer, KeyValueCache, Turns
from alpamayo_ros.inference.networks.model_shape import ModelShape

HIGHEST_FREQUENCY = 100.0


@dataclass(frozen=True, slots=True)
class FlowContext:
    """What stays the same over all steps of one answer.

    Attributes:
        cache: Filled by the language model; behind what it holds the expert has its scratch.
        turns: Of the actions' places, those of all samples being the same.
        mask: (group * K * points, T + K * points), None for one sample, which sees everything.
    """

    cache: KeyValueCache
    turns: Turns
    mask: Tensor | None


class FlowExpert(nn.Module):
    """Velocity field of the flow from noise to actions."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        sizes, action = shape.expert, shape.action
        self.action, self.group = action, sizes.heads // sizes.kv_heads
        self.enter = nn.Sequential(
            nn.Linear(action.features * (action.numbers + 1), action.hidden),
            nn.SiLU(),
            nn.RMSNorm(action.hidden, eps=1e-5),
            nn.Linear(action.hidden, action.hidden),
            nn.SiLU(),
            nn.RMSNorm(action.hidden, eps=1e-5),
            nn.Linear(action.hidden, sizes.hidden),
            nn.LayerNorm(sizes.hidden),
        )
        self.layers = nn.ModuleList(DecoderLayer(sizes) for _ in range(sizes.layers))
        self.norm = nn.RMSNorm(sizes.hidden, eps=EPSILON)
        self.leave = nn.Linear(sizes.hidden, action.numbers)

    def begin(self, cache: KeyValueCache, samples: int) -> FlowContext:
        """Return what the steps of one answer share.

        Args:
            cache: Filled, with room for the actions of all samples.
            samples: Trajectories.
        """
        cosines, sines = cache.turns_at(cache.length, self.action.points)
        turns = cosines.repeat(samples, 1), sines.repeat(samples, 1)
        if samples == 1:
            return FlowContext(cache, turns, None)
        sample = torch.arange(samples, device=cosines.device).repeat_interleave(self.action.points)
        others = torch.zeros((len(sample), len(sample)), device=cosines.device, dtype=cosines.dtype)
        others.masked_fill_(sample[:, None] != sample, -math.inf)
        mask = nn.functional.pad(others, (cache.length, 0)).repeat(self.group, 1)
        return FlowContext(cache, turns, mask)

    def forward(self, actions: Tensor, time: float, context: FlowContext) -> Tensor:
        """Return the velocity (K, points, numbers) of the normalised actions.

        Args:
            actions: Current samples (K, points, numbers), float32 whatever the weights are.
            time: 0 is noise and 1 is data.
            context: Of this answer.
        """
        rates = torch.logspace(0.0, math.log10(HIGHEST_FREQUENCY), self.action.features // 2, device=actions.device)
        numbers = torch.cat([actions, torch.full_like(actions[..., :1], time)], dim=-1)
        angles = (2.0 * math.pi * numbers[..., None] * rates).flatten(2)
        features = self.enter(torch.cat([angles.sin(), angles.cos()], dim=-1).to(self.leave.weight.dtype))
        features = features.flatten(0, 1)[None]
        cache = context.cache
        for number, layer in enumerate(self.layers):
            features = layer(features, cache.entries[number], cache.length, context.turns, context.mask)
        return self.leave(self.norm(features))[0].float().unflatten(0, (len(actions), -1))

    def step(self, actions: Tensor, number: int, context: FlowContext) -> Tensor:
        """Return the samples after a step of Euler, the first of which has number 0."""
        steps = self.action.steps
        return actions + self(actions, number / steps, context) / steps
