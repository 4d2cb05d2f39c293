"""Reasoning decoder: text tokens that look at what the cameras see, at the ego history and at the navigation.

The prefix (vision tokens, history, navigation) is only looked at: each layer projects it to keys and values, but does
not rewrite it. That costs a sixth of a decoder that does, and the text tokens still see all of it in each layer.
"""

import torch
from torch import Tensor, nn

from alpamayo_ros.inference.networks.anatomy import HISTORY_ROWS, LONGEST_ANSWER, NAVIGATION, STEP_S, Anatomy
from alpamayo_ros.inference.networks.attention import FeedForward, attend

HIDDEN = -1e4
"""Added to the score of a token that may not be seen yet; finite, so that fp16 engines can hold it."""


class HistoryEncoder(nn.Module):
    """Turn ego history into one vector."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(HISTORY_ROWS * 4 + (HISTORY_ROWS - 1) * 2, width),
            nn.GELU(approximate="tanh"),
            nn.Linear(width, width),
        )

    def forward(self, history: Tensor) -> Tensor:
        """Return (B, width) of history rows x, y, cos yaw, sin yaw (B, 16, 4) in the rig frame at t0."""
        speeds = (history[:, 1:, :2] - history[:, :-1, :2]) / (10.0 * STEP_S)
        scale = history.new_tensor([0.05, 0.5, 1.0, 4.0])
        return self.layers(torch.cat([(history * scale).flatten(1), speeds.flatten(1)], dim=1))


class DecoderLayer(nn.Module):
    """One layer: text looks at prefix and earlier text, then feeds forward."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.prefix_norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.feed = FeedForward(width)

    def split(self, features: Tensor) -> Tensor:
        """Return (B, heads, S, width of a head) of (B, S, width)."""
        return features.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, text: Tensor, prefix: Tensor, cache: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the text's features (B, S, D) and this layer's cache with prefix and text added.

        Args:
            text: (B, S, D).
            prefix: (B, P, D), P = 0 once it stands in the cache.
            cache: (B, 2, heads, T, width of a head).
            mask: (S, T + P + S), added to the scores.
        """
        normed = self.norm(text)
        key, value = self.key_value(torch.cat([self.prefix_norm(prefix), normed], dim=1)).chunk(2, dim=-1)
        grown = torch.cat([cache, torch.stack([self.split(key), self.split(value)], dim=1)], dim=3)
        seen = attend(self.split(self.query(normed)), grown[:, 0], grown[:, 1], mask)
        return self.feed(text + self.out(seen.transpose(1, 2).flatten(2))), grown


class ReasoningDecoder(nn.Module):
    """Decoder-only transformer over the answer's tokens."""

    def __init__(self, anatomy: Anatomy) -> None:
        super().__init__()
        self.anatomy = anatomy
        self.words = nn.Embedding(anatomy.vocabulary, anatomy.width)
        self.places = nn.Parameter(0.02 * torch.randn(LONGEST_ANSWER + 8, anatomy.width))
        self.history = HistoryEncoder(anatomy.width)
        self.navigation = nn.Embedding(len(NAVIGATION), anatomy.width)
        self.layers = nn.ModuleList(DecoderLayer(anatomy.width, anatomy.heads) for _ in range(anatomy.layers))
        self.norm = nn.LayerNorm(anatomy.width)
        nn.init.normal_(self.words.weight, std=0.05)

    def prefix(self, vision_tokens: Tensor, history: Tensor, navigation: Tensor) -> Tensor:
        """Return what the text looks at (B, P + 2 h, D).

        Args:
            vision_tokens: (B, P, D).
            history: (B, h, 16, 4), h 1 or 0.
            navigation: (B, h), indices into NAVIGATION.
        """
        driven = self.history(history.flatten(0, 1)).unflatten(0, (history.shape[0], -1))
        return torch.cat([vision_tokens, driven, self.navigation(navigation)], dim=1)

    def empty_cache(self, batch: int) -> Tensor:
        """Return a cache without entries (B, layers, 2, heads, 0, width of a head)."""
        sizes = (batch, self.anatomy.layers, 2, self.anatomy.heads, 0, self.anatomy.head_width)
        return self.places.new_zeros(sizes)

    def forward(self, prefix: Tensor, tokens: Tensor, cache: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (B, S, V), states (B, S, D) of the tokens and the grown cache.

        Args:
            prefix: (B, P, D), P = 0 once it stands in the cache.
            tokens: (B, S) int64.
            cache: (B, layers, 2, heads, T, width of a head).
        """
        count, behind = tokens.shape[1], cache.shape[4]
        numbers = torch.arange(count, device=tokens.device)
        first = torch.sym_max(behind - self.anatomy.prefix, 0)
        text = self.words(tokens) + self.places[first + numbers]
        later = (numbers[None, :] > numbers[:, None]).to(text.dtype) * HIDDEN
        mask = torch.cat([later.new_zeros(count, behind + prefix.shape[1]), later], dim=1)
        grown = []
        for number, layer in enumerate(self.layers):
            text, layer_cache = layer(text, prefix, cache[:, number], mask)
            grown.append(layer_cache)
        states = self.norm(text)
        return states @ self.words.weight.T, states, torch.stack(grown, dim=1)
