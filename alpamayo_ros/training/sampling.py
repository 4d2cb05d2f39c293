"""Answers and trajectories of nano in torch, for whole batches: what the metrics of a training run are made of."""

import torch
from torch import Tensor

from alpamayo_ros.inference.networks.anatomy import POINTS
from alpamayo_ros.inference.networks.nano import Nano
from alpamayo_ros.inference.networks.reasoning_decoder import HIDDEN
from alpamayo_ros.reasoning.driving_language import MAX_TOKENS
from alpamayo_ros.training.batches import Batch
from alpamayo_ros.training.losses import roll_out

BEGIN_ID, END_ID = 1, 2


def answer(nano: Nano, batch: Batch) -> tuple[Tensor, Tensor]:
    """Decode greedily; return tokens (B, S), 0 behind the end, and their states (B, S, D)."""
    vision_tokens = nano.vision(batch.images)
    prefix = nano.reasoning.prefix(vision_tokens, batch.history[:, None], batch.navigation[:, None])
    count = len(batch.history)
    tokens = torch.full((count, 1), BEGIN_ID, device=prefix.device)
    logits, states, cache = nano.reasoning(prefix, tokens, nano.reasoning.empty_cache(count))
    said, thought = [tokens], [states]
    ended = torch.zeros(count, dtype=torch.bool, device=prefix.device)
    while len(said) < MAX_TOKENS and not bool(ended.all()):
        tokens = logits[:, -1:].argmax(dim=-1).masked_fill(ended[:, None], 0)
        ended = ended | (tokens[:, 0] == END_ID)
        logits, states, cache = nano.reasoning(prefix[:, :0], tokens, cache)
        said.append(tokens)
        thought.append(states)
    return torch.cat(said, dim=1), torch.cat(thought, dim=1)


def trajectories(
    nano: Nano, batch: Batch, tokens: Tensor, states: Tensor, samples: int, steps: int, generator: torch.Generator
) -> Tensor:
    """Return x, y, yaw, speed (B, K, 64, 4) of K samples each.

    Args:
        nano: The model.
        batch: History and speed of it are used.
        tokens: (B, S), 0 where a state does not count.
        states: (B, S, D).
        samples: K.
        steps: Euler steps.
        generator: Source of the noise.
    """
    count = len(tokens)
    sample = torch.randn((count * samples, POINTS, 2), generator=generator, device=states.device)
    mask = ((tokens == 0).float() * HIDDEN)[:, None, None].repeat_interleave(samples, dim=0)
    states = states.repeat_interleave(samples, dim=0)
    history = batch.history.repeat_interleave(samples, dim=0)
    for step in range(steps):
        time = torch.full((count * samples,), step / steps, device=states.device)
        sample = sample + nano.action(states, history, sample, time, mask) / steps
    speed = batch.speed_mps.repeat_interleave(samples)
    return roll_out(sample, speed).unflatten(0, (count, samples))
