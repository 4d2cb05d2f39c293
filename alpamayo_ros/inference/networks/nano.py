"""Nano: the three parts together, as they are trained."""

from torch import Tensor, nn

from alpamayo_ros.inference.networks.action_expert import ActionExpert
from alpamayo_ros.inference.networks.anatomy import Anatomy
from alpamayo_ros.inference.networks.reasoning_decoder import ReasoningDecoder
from alpamayo_ros.inference.networks.vision_encoder import VisionEncoder


class Nano(nn.Module):
    """Vision encoder, reasoning decoder and action expert."""

    def __init__(self, anatomy: Anatomy) -> None:
        super().__init__()
        self.anatomy = anatomy
        self.vision = VisionEncoder(anatomy)
        self.reasoning = ReasoningDecoder(anatomy)
        self.action = ActionExpert(anatomy)

    def reason(
        self, vision_tokens: Tensor, history: Tensor, navigation: Tensor, tokens: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, S, V) and states (B, S, D) of whole answers (B, S).

        Args:
            vision_tokens: (B, N, D).
            history: (B, 16, 4).
            navigation: (B,) indices.
            tokens: (B, S) int64, padded at the end.
        """
        prefix = self.reasoning.prefix(vision_tokens, history[:, None], navigation[:, None])
        logits, states, _ = self.reasoning(prefix, tokens, self.reasoning.empty_cache(len(tokens)))
        return logits, states

    def parameter_counts(self) -> dict[str, int]:
        """Return the number of parameters by part."""
        parts: dict[str, nn.Module] = {"vision": self.vision, "reasoning": self.reasoning, "action": self.action}
        return {name: sum(value.numel() for value in part.parameters()) for name, part in parts.items()}
