"""Decoder layer with a cache of keys and values: the language model and its action expert are made of it.

Grouped queries, RMS norms (of queries and keys too), a rotary embedding and a gated feed-forward layer, as in Qwen3.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from alpamayo_ros.inference.networks.model_shape import DecoderSizes

EPSILON = 1e-6

Turns = tuple[Tensor, Tensor]
"""Cosines and sines (S, width of a head), by which a rotary embedding turns queries and keys."""


def rotary_turns(places: Tensor, width: int, theta: float) -> Turns:
    """Return the turns of places.

    Args:
        places: (S,), counted along the sequence. Qwen3-VL counts in time, rows and columns; that costs as much.
        width: Of a head.
        theta: Base of the wavelengths.
    """
    rates = theta ** -(torch.arange(0, width, 2, device=places.device, dtype=torch.float32) / width)
    angles = places.float()[:, None] * rates
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def turned(values: Tensor, turns: Turns) -> Tensor:
    """Return queries or keys (..., S, width) turned by their places."""
    first, second = values.chunk(2, dim=-1)
    return values * turns[0] + torch.cat([-second, first], dim=-1) * turns[1]


def attend_grouped(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return softmax(query key^T / sqrt(width)) value (B, heads, S, width), with fewer heads of keys than of queries.

    The queries of a group become rows of one head, so that keys are not repeated and any kernel can do it.

    Args:
        query: (B, heads, S, width).
        key: (B, kv heads, T, width).
        value: (B, kv heads, T, width).
        mask: (group * S, T), added to the scores of each head of keys; None where everything may be seen.
    """
    groups = key.shape[1]
    rows = query.unflatten(1, (groups, -1)).flatten(2, 3)
    seen = functional.scaled_dot_product_attention(rows, key, value, attn_mask=mask)
    return seen.unflatten(2, (-1, query.shape[2])).flatten(1, 2)


@dataclass(slots=True)
class KeyValueCache:
    """Keys and values of all layers, with room for a whole answer, and the turns of its places.

    Attributes:
        entries: (layers, 2, 1, kv heads, room, width of a head), in memory from the beginning.
        turns: Of all places.
        length: Entries that are filled; what lies beyond them is scratch.
    """

    entries: Tensor
    turns: Turns
    length: int = 0

    def turns_at(self, first: int, count: int) -> Turns:
        """Return the turns of places ``first`` to ``first + count``."""
        return self.turns[0][first : first + count], self.turns[1][first : first + count]


def make_cache(
    sizes: DecoderSizes, room: int, theta: float, *, device: torch.device, dtype: torch.dtype
) -> KeyValueCache:
    """Return an empty cache.

    Args:
        sizes: Of the layers that fill it.
        room: Entries.
        theta: Base of the rotary embedding.
        device: Where it is.
        dtype: Of its numbers.
    """
    entries = torch.zeros((sizes.layers, 2, 1, sizes.kv_heads, room, sizes.head_dim), device=device, dtype=dtype)
    cosines, sines = rotary_turns(torch.arange(room, device=device), sizes.head_dim, theta)
    return KeyValueCache(entries, (cosines.to(dtype), sines.to(dtype)))


class GroupedAttention(nn.Module):
    """Attention to a cache, into which the layer first writes its own keys and values."""

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        self.head_dim = sizes.head_dim
        self.query = nn.Linear(sizes.hidden, sizes.heads * sizes.head_dim, bias=False)
        self.key = nn.Linear(sizes.hidden, sizes.kv_heads * sizes.head_dim, bias=False)
        self.value = nn.Linear(sizes.hidden, sizes.kv_heads * sizes.head_dim, bias=False)
        self.out = nn.Linear(sizes.heads * sizes.head_dim, sizes.hidden, bias=False)
        self.query_norm = nn.RMSNorm(sizes.head_dim, eps=EPSILON)
        self.key_norm = nn.RMSNorm(sizes.head_dim, eps=EPSILON)

    def forward(self, features: Tensor, entries: Tensor, first: int, turns: Turns, mask: Tensor | None) -> Tensor:
        """Return features (1, S, hidden) that looked at the cache; see ``DecoderLayer.forward``."""
        query = turned(self.query_norm(self._split(self.query(features))), turns)
        last = first + features.shape[1]
        entries[0, :, :, first:last] = turned(self.key_norm(self._split(self.key(features))), turns)
        entries[1, :, :, first:last] = self._split(self.value(features))
        key, value = entries[0, :, :, :last], entries[1, :, :, :last]
        if first == 0 and last > 1:
            seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
        else:
            seen = attend_grouped(query, key, value, mask)
        return self.out(seen.transpose(1, 2).flatten(2))

    def _split(self, features: Tensor) -> Tensor:
        """Return (1, heads, S, width) of (1, S, heads * width)."""
        return features.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)


class GatedFeedForward(nn.Module):
    """Widen twice, gate one by the other, narrow."""

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        self.gate = nn.Linear(sizes.hidden, sizes.intermediate, bias=False)
        self.widen = nn.Linear(sizes.hidden, sizes.intermediate, bias=False)
        self.narrow = nn.Linear(sizes.intermediate, sizes.hidden, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        return self.narrow(functional.silu(self.gate(features)) * self.widen(features))


class DecoderLayer(nn.Module):
    """Look at the cache, then feed forward."""

    def __init__(self, sizes: DecoderSizes) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(sizes.hidden, eps=EPSILON)
        self.attention = GroupedAttention(sizes)
        self.feed_norm = nn.RMSNorm(sizes.hidden, eps=EPSILON)
        self.feed = GatedFeedForward(sizes)

    def forward(
        self, features: Tensor, entries: Tensor, first: int, turns: Turns, mask: Tensor | None = None
    ) -> Tensor:
        """Return features of the same shape (1, S, hidden).

        Args:
            features: At the beginning of the cache each sees what is before it; later, everything but what is masked.
            entries: (2, 1, kv heads, room, width of a head): this layer's part of the cache, which is written to.
            first: Entry of the cache that the first of the features takes.
            turns: Of the features' places.
            mask: (group * S, first + S), added to the scores.
        """
        features = features + self.attention(self.attention_norm(features), entries, first, turns, mask)
        return features + self.feed(self.feed_norm(features))
