"""Decoder-only language model with a cache of keys and values: a prompt at once, then token by token."""

from torch import Tensor, nn

from alpamayo_ros.inference.networks.decoder_layer import EPSILON, DecoderLayer, KeyValueCache
from alpamayo_ros.inference.networks.model_shape import ModelShape


class LanguageModel(nn.Module):
    """Tokens to states, and states to the next token."""

    def __init__(self, shape: ModelShape) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, shape.language.hidden)
        self.layers = nn.ModuleList(DecoderLayer(shape.language) for _ in range(shape.language.layers))
        self.norm = nn.RMSNorm(shape.language.hidden, eps=EPSILON)
        self.head = nn.Linear(shape.language.hidden, shape.vocabulary, bias=False)

    def prefill(self, pictures: Tensor, deeper: list[Tensor], text: Tensor, cache: KeyValueCache) -> Tensor:
        """Fill a cache anew with a prompt, and return its states (1, P + S, hidden).

        Args:
            pictures: Vision tokens (1, P, hidden); they come before the text. Upstream they stand among it, at the same
                cost.
            deeper: Added to the vision tokens after the first layers, one a layer (1, P, hidden).
            text: int64 (1, S).
            cache: What it held is forgotten.
        """
        count = pictures.shape[1]
        features = nn.functional.pad(pictures, (0, 0, 0, text.shape[1]))
        features[:, count:] = self.words(text)
        cache.length = 0
        turns = cache.turns_at(0, features.shape[1])
        for number, layer in enumerate(self.layers):
            features = layer(features, cache.entries[number], 0, turns)
            if number < len(deeper):
                features[:, :count] += deeper[number]
        cache.length = features.shape[1]
        return self.norm(features)

    def decode(self, token: Tensor, cache: KeyValueCache) -> Tensor:
        """Append one token to the cache, and return its state (1, 1, hidden).

        Args:
            token: int64 (1, 1).
            cache: With room for one more.
        """
        features = self.words(token)
        turns = cache.turns_at(cache.length, 1)
        for number, layer in enumerate(self.layers):
            features = layer(features, cache.entries[number], cache.length, turns)
        cache.length += 1
        return self.norm(features)

    def next_token(self, states: Tensor) -> Tensor:
        """Return the likeliest token (1, 1) after the last of the states (1, S, hidden)."""
        return self.head(states[:, -1:]).argmax(dim=-1)
