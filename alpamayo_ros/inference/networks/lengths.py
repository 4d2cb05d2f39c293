"""How long the open dimensions of a network's tensors get: what a GPU engine has to be built for."""

from collections.abc import Mapping
from typing import NamedTuple

from alpamayo_ros.errors import ArtifactError, expected_one_of
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.inference.networks.anatomy import LONGEST_ANSWER, Anatomy

USUAL_ANSWER = 20
"""Tokens of most answers, about."""
USUAL_SAMPLES, MOST_SAMPLES = 6, 64
"""Of trajectories; the most that a profile may ask for."""


class Length(NamedTuple):
    """Least, usual and largest length of the open dimension of a tensor; each tensor has at most one."""

    least: int
    usual: int
    largest: int


Lengths = Mapping[str, Length]
"""By tensor."""


def lengths_of(model: ModelFolder) -> Lengths:
    """Return the lengths by tensor, over all files of a model.

    Raises:
        ArtifactError: The model does not say which network it is, or it is one of unknown lengths.
    """
    network = model.document.get("network")
    if network is None:
        raise ArtifactError(
            f"model {model.name} names no network, so the lengths of its tensors are not known; expected 'network' in "
            "model.yaml"
        )
    if network["architecture"] not in _LENGTHS:
        raise ArtifactError(expected_one_of("network", network["architecture"], list(_LENGTHS)))
    try:
        sizes = Anatomy(**network["sizes"])
    except TypeError as error:
        raise ArtifactError(f"model {model.name}: sizes of its network: {error}; expected those of nano") from error
    return _LENGTHS[network["architecture"]](sizes)


def _nano(sizes: Anatomy) -> Lengths:
    return {
        # The first run takes the scene and leaves no cache; every later one takes a token and the cache, and no scene.
        "vision_tokens": Length(0, sizes.vision_tokens, sizes.vision_tokens),
        "history": Length(0, 1, 1),
        "navigation": Length(0, 1, 1),
        "tokens": Length(1, 1, LONGEST_ANSWER),
        "cache": Length(0, sizes.prefix + USUAL_ANSWER, sizes.prefix + LONGEST_ANSWER),
        "states": Length(1, USUAL_ANSWER, LONGEST_ANSWER),
        "noise": Length(1, USUAL_SAMPLES, MOST_SAMPLES),
    }


_LENGTHS = {"nano": _nano}
