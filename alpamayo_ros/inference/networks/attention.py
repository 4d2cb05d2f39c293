"""Attention and feed-forward layers that nano's three parts share."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return softmax(query key^T / sqrt(width)) value.

    Args:
        query: (B, heads, S, width).
        key: (B, heads, T, width).
        value: (B, heads, T, width).
        mask: Added to the scores, broadcast to (B, heads, S, T); None where everything may be seen.
    """
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores + mask
    return torch.softmax(scores, dim=-1) @ value


class Attention(nn.Module):
    """Attention of a sequence to itself, or to a context of another width."""

    def __init__(self, width: int, heads: int, context_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(context_width or width, 2 * width)
        self.out = nn.Linear(width, width)

    def split(self, features: Tensor) -> Tensor:
        """Return (B, heads, S, width) of (B, S, heads * width)."""
        return features.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, features: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Return features (B, S, width) that looked at the context (B, T, context width), or at themselves."""
        key, value = self.key_value(features if context is None else context).chunk(2, dim=-1)
        seen = attend(self.split(self.query(features)), self.split(key), self.split(value), mask)
        return self.out(seen.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Normalise, widen, narrow, add."""

    def __init__(self, width: int, factor: int = 4) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, factor * width)
        self.narrow = nn.Linear(factor * width, width)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        inner = functional.gelu(self.widen(self.norm(features)), approximate="tanh")
        return features + self.narrow(inner)
