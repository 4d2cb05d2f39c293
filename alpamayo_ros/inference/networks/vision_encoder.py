"""Vision encoder: two frames of each camera to a grid of tokens."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from alpamayo_ros.inference.networks.anatomy import CAMERAS, FRAMES, Anatomy
from alpamayo_ros.inference.networks.attention import Attention, FeedForward


class Residual(nn.Module):
    """Two 3 x 3 convolutions around which the input goes unchanged."""

    def __init__(self, channels: int, *, normed: bool = True) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels) if normed else nn.Identity()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (B, C, H, W)."""
        inner = self.second(functional.relu(self.first(self.norm(features))))
        return features + inner


class VisionEncoder(nn.Module):
    """Encode each camera alone by convolutions, then let one attention layer mix all cameras.

    The frames of a camera are stacked as channels, so that motion is seen by the first layer.
    """

    def __init__(self, anatomy: Anatomy) -> None:
        super().__init__()
        self.anatomy = anatomy
        self.stem = nn.Conv2d(3 * FRAMES, anatomy.stem, 6, stride=4, padding=1)
        self.quarter = Residual(anatomy.stem, normed=False)
        self.to_eighth = nn.Conv2d(anatomy.stem, anatomy.middle, 3, stride=2, padding=1)
        self.eighth = Residual(anatomy.middle)
        self.to_sixteenth = nn.Conv2d(anatomy.middle, anatomy.width, 3, stride=2, padding=1)
        self.sixteenth = Residual(anatomy.width)
        rows, columns = anatomy.cells
        self.camera = nn.Parameter(0.02 * torch.randn(len(CAMERAS), 1, anatomy.width))
        self.place = nn.Parameter(0.02 * torch.randn(1, rows * columns, anatomy.width))
        self.mix_norm = nn.LayerNorm(anatomy.width)
        self.mix = Attention(anatomy.width, anatomy.heads)
        self.feed = FeedForward(anatomy.width, 3)
        self.norm = nn.LayerNorm(anatomy.width)

    def features(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return features at an eighth (B * C, middle, 12, 20), at a sixteenth (B * C, D, 6, 10), tokens (B, N, D).

        Args:
            images: uint8 or float (B, C, F, H, W, 3), red green blue, 0..255.
        """
        batch, cameras, frames, height, width, _ = images.shape
        stacked = images.permute(0, 1, 2, 5, 3, 4).reshape(batch * cameras, 3 * frames, height, width)
        picture = (stacked.float() - 110.0) / 60.0
        picture = picture.contiguous(memory_format=torch.channels_last) if self.training else picture
        quarter = self.quarter(functional.relu(self.stem(picture)))
        eighth = self.eighth(functional.relu(self.to_eighth(quarter)))
        sixteenth = self.sixteenth(functional.relu(self.to_sixteenth(eighth)))
        grid = sixteenth.flatten(2).transpose(1, 2).reshape(batch, cameras, -1, self.anatomy.width)
        tokens = (grid + self.camera + self.place).reshape(batch, -1, self.anatomy.width)
        tokens = tokens + self.mix(self.mix_norm(tokens))
        return eighth, sixteenth, self.norm(self.feed(tokens))

    def forward(self, images: Tensor) -> Tensor:
        """Return vision tokens (B, N, D)."""
        return self.features(images)[2]
