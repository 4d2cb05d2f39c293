"""A model of a given shape with random weights: what it says means nothing, what it costs is that of a trained one."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from alpamayo_ros.inference.networks.decoder_layer import KeyValueCache, make_cache
from alpamayo_ros.inference.networks.flow_expert import FlowExpert
from alpamayo_ros.inference.networks.language_model import LanguageModel
from alpamayo_ros.inference.networks.model_shape import ModelShape
from alpamayo_ros.inference.networks.vision_tower import VisionTower

SPREAD = 0.02
"""Standard deviation of the weights, with which every layer gives values of about the size that it takes."""


class ShapedModel(nn.Module):
    """Vision tower, language model and action expert."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.shape = shape
        self.vision = VisionTower(shape)
        self.language = LanguageModel(shape)
        self.expert = FlowExpert(shape)

    def parameter_counts(self) -> dict[str, int]:
        """Return the number of parameters by part."""
        parts: dict[str, nn.Module] = {"vision": self.vision, "language": self.language, "expert": self.expert}
        return {name: sum(value.numel() for value in part.parameters()) for name, part in parts.items()}


@dataclass(frozen=True, slots=True)
class ShapedInputs:
    """What one answer begins with.

    Attributes:
        images: uint8 (pictures, height, width, 3).
        text: int64 (1, S).
        noise: float32 (K, points, numbers).
        cache: Empty.
    """

    images: Tensor
    text: Tensor
    noise: Tensor
    cache: KeyValueCache


def make_shaped_model(shape: ModelShape, seed: int, *, device: torch.device, dtype: torch.dtype) -> ShapedModel:
    """Make a model on its device at once, never anywhere else and never in another dtype.

    Args:
        shape: Of the model.
        seed: Of the weights; another kind of device makes others of it.
        device: Where it is.
        dtype: Of its weights.
    """
    with torch.device("meta"):
        model = ShapedModel(shape).to(dtype)
    model = model.to_empty(device=device).eval().requires_grad_(False)  # noqa: FBT003 - torch's own signature
    dice = torch.Generator(device).manual_seed(seed)
    for module in model.modules():
        norm = isinstance(module, (nn.RMSNorm, nn.LayerNorm))
        for name, value in module.named_parameters(recurse=False):
            if name == "bias":
                value.zero_()
            elif norm:
                value.fill_(1.0)
            else:
                value.normal_(std=SPREAD, generator=dice)
    return model


def make_inputs(
    shape: ModelShape, seed: int, tokens: int, samples: int, *, device: torch.device, dtype: torch.dtype
) -> ShapedInputs:
    """Make random inputs, and a cache with room for the answer.

    Args:
        shape: Of the model.
        seed: Of the inputs.
        tokens: Tokens that will be answered.
        samples: Trajectories K.
        device: Where they are.
        dtype: Of the cache.
    """
    dice = torch.Generator(device).manual_seed(seed)
    pixels = (shape.pictures, shape.height_px, shape.width_px, 3)
    return ShapedInputs(
        images=torch.randint(256, pixels, generator=dice, device=device, dtype=torch.uint8),
        text=torch.randint(shape.vocabulary, (1, shape.text), generator=dice, device=device),
        noise=torch.randn((samples, shape.action.points, shape.action.numbers), generator=dice, device=device),
        cache=make_cache(shape.language, shape.room(tokens, samples), shape.rope_theta, device=device, dtype=dtype),
    )
