"""How often each sample is drawn: rare causes and decisions more often than their share, contradictions never."""

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.inference.networks.anatomy import STEP_S
from alpamayo_ros.reasoning.driving_language import DrivingLanguage
from alpamayo_ros.training.shard import Shard
from alpamayo_ros.training.statements import contradictions, measure, read_statement

_LANGUAGE = DrivingLanguage()

EVENNESS = 0.25
"""0 draws samples as they come, 1 draws each kind equally often; too much of it and rare causes are seen everywhere."""


def sample_weights(shard: Shard, samples: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a weight for every sample of the shard; 0 for those that are not named or contradict themselves.

    A kind is a cause, its decisiveness, and a meta-action. Where somebody did what could not be foreseen, the expert
    drove on otherwise than it had said; a model would learn from it that words and deeds may differ.

    Args:
        shard: Samples.
        samples: Which of them may be drawn.
    """
    kinds = np.column_stack([shard.label, shard.decisive, shard.meta])[samples]
    _, kind, counts = np.unique(kinds, axis=0, return_inverse=True, return_counts=True)
    weights = np.zeros(len(shard))
    weights[samples] = (counts.astype(np.float64) ** -EVENNESS)[kind.ravel()]
    weights[[sample for sample in samples.tolist() if contradicts_itself(shard, sample)]] = 0.0
    return weights


def contradicts_itself(shard: Shard, sample: int) -> bool:
    """Tell whether the driven future contradicts what the answer says."""
    said = _LANGUAGE.decode(shard.tokens[sample].tolist())
    future = shard.future[sample]
    # The lane is not known here, so no claim about it is judged.
    motion = measure(float(shard.speed_mps[sample]), future[:, 3], future[:, 2], (0.0, 0.0), STEP_S)
    return bool(contradictions(read_statement(said.text), motion))
