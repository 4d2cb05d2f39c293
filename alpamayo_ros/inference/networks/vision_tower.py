"""Vision tower as in Qwen3-VL: patches that look at their own picture, merged to tokens of the language model."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from alpamayo_ros.inference.networks.decoder_layer import EPSILON, Turns, rotary_turns, turned
from alpamayo_ros.inference.networks.model_shape import ModelShape, VisionSizes

THETA = 1e4
"""Base of the rotary embedding of rows and columns."""


class VisionLayer(nn.Module):
    """Look at all patches of the picture, then feed forward."""

    def __init__(self, sizes: VisionSizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.attention_norm = nn.LayerNorm(sizes.hidden, eps=EPSILON)
        self.query_key_value = nn.Linear(sizes.hidden, 3 * sizes.hidden)
        self.out = nn.Linear(sizes.hidden, sizes.hidden)
        self.feed_norm = nn.LayerNorm(sizes.hidden, eps=EPSILON)
        self.widen = nn.Linear(sizes.hidden, sizes.intermediate)
        self.narrow = nn.Linear(sizes.intermediate, sizes.hidden)

    def forward(self, features: Tensor, turns: Turns) -> Tensor:
        """Return features of the same shape (pictures, patches, hidden)."""
        split = self.query_key_value(self.attention_norm(features)).unflatten(-1, (3, self.heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(turned(query, turns), turned(key, turns), value)
        features = features + self.out(seen.transpose(1, 2).flatten(2))
        inner = functional.gelu(self.widen(self.feed_norm(features)), approximate="tanh")
        return features + self.narrow(inner)


class PatchMerger(nn.Module):
    """Make one token of neighbouring patches."""

    def __init__(self, sizes: VisionSizes, out: int, *, norm_merged: bool) -> None:
        """Make the layers.

        Args:
            sizes: Of the tower.
            out: Width of a token.
            norm_merged: Whether the norm goes over merged patches, and not over each.
        """
        super().__init__()
        self.together = sizes.merge**2
        self.norm_merged = norm_merged
        merged = sizes.hidden * self.together
        self.norm = nn.LayerNorm(merged if norm_merged else sizes.hidden, eps=EPSILON)
        self.first = nn.Linear(merged, merged)
        self.second = nn.Linear(merged, out)

    def forward(self, features: Tensor) -> Tensor:
        """Return tokens (1, all tokens, out) of patches (pictures, patches, hidden)."""
        merged = self.norm(self._merge(features)) if self.norm_merged else self._merge(self.norm(features))
        return self.second(functional.gelu(self.first(merged)))[None]

    def _merge(self, features: Tensor) -> Tensor:
        """Return (all tokens, merged patches * hidden); neighbours follow each other."""
        return features.reshape(-1, self.together * features.shape[-1])


class VisionTower(nn.Module):
    """Pictures to tokens."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        sizes, out = shape.vision, shape.language.hidden
        self.shape = shape
        self.enter = nn.Linear(3 * sizes.patch_frames * sizes.patch_px**2, sizes.hidden)
        self.places = nn.Parameter(torch.zeros(sizes.places, sizes.hidden))
        self.layers = nn.ModuleList(VisionLayer(sizes) for _ in range(sizes.depth))
        self.merger = PatchMerger(sizes, out, norm_merged=False)
        self.deepstack = nn.ModuleList(PatchMerger(sizes, out, norm_merged=True) for _ in sizes.deepstack)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return tokens (1, P, out), and as many from each of the layers that reach deeper into the language model.

        Args:
            images: uint8 (pictures, height, width, 3).
        """
        sizes = self.shape.vision
        features = self.enter(self._patches(images)) + self._learned_places()
        turns = self._turns()
        deeper: list[Tensor] = []
        for number, layer in enumerate(self.layers):
            features = layer(features, turns)
            if number in sizes.deepstack:
                deeper.append(self.deepstack[len(deeper)](features))
        return self.merger(features), deeper

    def _patches(self, images: Tensor) -> Tensor:
        """Return (pictures, patches, numbers of a patch), -1 to 1, a single picture repeated in time."""
        sizes = self.shape.vision
        edge = sizes.patch_px
        scaled = (images.to(self.places.dtype) / 127.5 - 1.0).unflatten(2, (-1, edge)).unflatten(1, (-1, edge))
        # (pictures, rows, edge, columns, edge, 3) to (pictures, rows, columns, 3, edge, edge)
        patches = self._neighbours(scaled.permute(0, 1, 3, 5, 2, 4).flatten(3))
        patches = patches.unflatten(-1, (3, 1, -1)).expand(-1, -1, -1, sizes.patch_frames, -1)
        return patches.flatten(2)

    def _neighbours(self, grid: Tensor) -> Tensor:
        """Return (pictures, patches, ...) of (pictures, rows, columns, ...); merged patches follow each other."""
        merge = self.shape.vision.merge
        blocks = grid.unflatten(2, (-1, merge)).unflatten(1, (-1, merge))
        return blocks.transpose(2, 3).flatten(1, 4)

    def _learned_places(self) -> Tensor:
        """Return (1, patches, hidden): the square of learned places, stretched to the picture's."""
        edge = round(self.shape.vision.places**0.5)
        square = self.places.T.unflatten(1, (edge, edge))[None]
        stretched = functional.interpolate(square, size=self.shape.patches, mode="bilinear", align_corners=True)
        return self._neighbours(stretched.permute(0, 2, 3, 1))

    def _turns(self) -> Turns:
        """Return turns (patches, width of a head), half of a head by rows, half by columns."""
        sizes, (rows, columns) = self.shape.vision, self.shape.patches
        device, half = self.places.device, sizes.hidden // sizes.heads // 2
        grid = torch.stack(
            torch.meshgrid(torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij"), -1
        )
        places = self._neighbours(grid[None])[0]
        by_row, by_column = (rotary_turns(places[:, axis], half, THETA) for axis in (0, 1))
        quarter = half // 2
        both = (
            torch.cat([row[:, :quarter], column[:, :quarter]] * 2, dim=-1)
            for row, column in zip(by_row, by_column, strict=True)
        )
        cosines, sines = (value.to(self.places.dtype) for value in both)
        return cosines, sines
