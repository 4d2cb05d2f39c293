"""Decode an answer token by token with a key-value cache: greedy by default, or sampled by seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import BackendError, TensorSpecError
from alpamayo_ros.inference.backend import Session, TensorSpec, require_specs, validate_tensors
from alpamayo_ros.params.profile import StageOption

OPTIONS: Mapping[str, StageOption] = {
    "max_tokens": StageOption(40, 2, 4096, whole=True),
    "temperature": StageOption(0.0, 0.0, 10.0),
    "top_p": StageOption(1.0, 1e-6, 1.0),
}
"""``max_tokens`` counts the tokens at both ends. ``temperature`` 0 takes the most probable token; else probabilities
are raised to its inverse, and the least probable tokens are left out as long as the others hold ``top_p``."""

_CACHE, _GROWN = "cache", "grown_cache"
_OUTPUT = "output of the decoder"


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded answer.

    Attributes:
        ids: Token ids, the first token of the answer included.
        probabilities: Probability of each chosen token before temperature and top_p; one less than there are ids.
        states: float32 (T, D), state of every token.
        stopped: Whether the last token is the stop token.
    """

    ids: tuple[int, ...]
    probabilities: tuple[float, ...]
    states: NDArray[np.float32]
    stopped: bool

    @property
    def confidence(self) -> float:
        """Mean probability of the chosen tokens."""
        return float(np.mean(self.probabilities))


class TokenDecoder:
    """Runs a decoder: first on the context and the first token, then on each token that it chose."""

    def __init__(
        self,
        session: Session,
        context: tuple[TensorSpec, ...],
        vocabulary_size: int,
        end_id: int,
        options: Mapping[str, float],
    ) -> None:
        """Bind a loaded decoder.

        Args:
            session: Takes the context, ``tokens`` int64 (S,) and ``cache``; gives ``logits`` float32 (S, V), ``states``
                float32 (S, D) and ``grown_cache``.
            context: Tensors that only the first run gets; later ones get them with a first dimension of 0.
            vocabulary_size: V.
            end_id: Id of the stop token.
            options: Values of OPTIONS.

        Raises:
            TensorSpecError: The decoder takes or gives other tensors.
        """
        self._session = session
        self._cache_spec = _cache_spec(session)
        cache = TensorSpec(_CACHE, self._cache_spec.shape, "float32")
        require_specs(
            session.input_specs, (*context, TensorSpec("tokens", (-1,), "int64"), cache), "input of the decoder"
        )
        self._outputs = (
            TensorSpec("logits", (1, vocabulary_size), "float32"),
            TensorSpec("states", (1, -1), "float32"),
            TensorSpec(_GROWN, self._cache_spec.shape, "float32"),
        )
        require_specs(session.output_specs, self._outputs, _OUTPUT)
        self._end_id = end_id
        self._max_tokens = int(options["max_tokens"])
        self._temperature = options["temperature"]
        self._top_p = options["top_p"]

    def decode(self, context: Mapping[str, NDArray[Any]], begin_id: int, seed: int) -> Decoded:
        """Decode one answer.

        Args:
            context: Tensors of the first run.
            begin_id: Id of the first token.
            seed: Of the choice among tokens; greedy decoding does not use it.

        Raises:
            TensorSpecError: The decoder gives other tensors than it states.
            BackendError: The decoder failed, or gave something that is not finite.
        """
        generator = np.random.Generator(np.random.PCG64(seed))
        after = {name: tensor[:0] for name, tensor in context.items()}
        cache = np.zeros([max(length, 0) for length in self._cache_spec.shape], np.float32)
        ids, probabilities, states = [begin_id], list[float](), list[NDArray[np.float32]]()
        given: Mapping[str, NDArray[Any]] = context
        while True:
            outputs = self._session.infer({**given, "tokens": np.array(ids[-1:], np.int64), _CACHE: cache}, seed)
            # A file with open lengths may give more logits than there are tokens in the vocabulary, or none.
            validate_tensors(self._outputs, outputs, _OUTPUT)
            logits, state, cache = outputs["logits"], outputs["states"], outputs[_GROWN]
            if not (np.isfinite(logits).all() and np.isfinite(state).all()):
                raise BackendError(f"logits or states of token {len(ids)} of the reasoning stage are not finite")
            states.append(state)
            stopped = ids[-1] == self._end_id
            if stopped or len(ids) >= self._max_tokens:
                return Decoded(tuple(ids), tuple(probabilities), np.concatenate(states), stopped)
            chosen, probability = self._choose(logits[-1], generator)
            ids.append(chosen)
            probabilities.append(probability)
            given = after

    def _choose(self, logits: NDArray[np.float32], generator: np.random.Generator) -> tuple[int, float]:
        """Return a token and its probability; of equally probable ones the lowest id."""
        probabilities = _softmax(logits.astype(np.float64))
        if not self._temperature:
            chosen = int(np.argmax(logits))
            return chosen, float(probabilities[chosen])
        tempered = _softmax(logits.astype(np.float64), self._temperature)
        order = np.argsort(-tempered, kind="stable")
        total = np.cumsum(tempered[order])
        kept = order[: int(np.searchsorted(total, self._top_p * total[-1])) + 1]
        share = np.cumsum(tempered[kept])
        place = int(np.searchsorted(share, generator.random() * share[-1], side="right"))
        chosen = int(kept[min(place, len(kept) - 1)])
        return chosen, float(probabilities[chosen])


def _softmax(logits: NDArray[np.float64], temperature: float = 1.0) -> NDArray[np.float64]:
    with np.errstate(over="ignore", under="ignore"):  # near temperature 0 all but the largest have no weight
        weights = np.exp((logits - logits.max()) / temperature)
    return np.asarray(weights / weights.sum())


def _cache_spec(session: Session) -> TensorSpec:
    """Return the specification of the cache, which grows in its last dimension of open length.

    Raises:
        TensorSpecError: The decoder has none, or it could not start empty.
    """
    for spec in session.input_specs:
        if spec.name == _CACHE:
            if -1 not in spec.shape:
                break
            return spec
    raise TensorSpecError(
        f"input of the decoder has no tensor {_CACHE!r} with a dimension of any length; expected one that can be empty"
    )
