"""Nano as its three stages take it: one sample without a batch dimension, tensors by the names of the ONNX files."""

from torch import Tensor, nn

from alpamayo_ros.inference.networks.nano import Nano

OUTPUTS = {
    "vision": ["vision_tokens"],
    "reasoning": ["logits", "states", "grown_cache"],
    "action": ["velocity"],
}


class _Vision(nn.Module):
    def __init__(self, nano: Nano) -> None:
        super().__init__()
        self.nano = nano

    def forward(self, images: Tensor) -> Tensor:
        return self.nano.vision(images[None])[0]


class _Reasoning(nn.Module):
    def __init__(self, nano: Nano) -> None:
        super().__init__()
        self.nano = nano

    def forward(
        self, vision_tokens: Tensor, history: Tensor, navigation: Tensor, tokens: Tensor, cache: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        prefix = self.nano.reasoning.prefix(vision_tokens[None], history[None], navigation[None])
        logits, states, grown = self.nano.reasoning(prefix, tokens[None], cache[None])
        return logits[0], states[0], grown[0]


class _Action(nn.Module):
    def __init__(self, nano: Nano) -> None:
        super().__init__()
        self.nano = nano

    def forward(self, states: Tensor, history: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        count = noise.shape[0]
        return self.nano.action(
            states[None].expand(count, -1, -1), history.expand(count, -1, -1), noise, time.expand(count)
        )


def torch_parts(nano: Nano) -> dict[str, nn.Module]:
    """Return the modules that the files are made from, by name."""
    nano = nano.eval()
    return {"vision": _Vision(nano), "reasoning": _Reasoning(nano), "action": _Action(nano)}
