"""Real or simulated: a recording is one of them and says so, and never both."""

from collections.abc import Mapping

from alpamayo_ros.errors import ConfigurationError

PROVENANCE = "provenance"
REAL, SIMULATED = "real", "simulated"
SAID_REAL = frozenset({REAL, "human_demonstration", "fleet"})
SAID_SIMULATED = frozenset({SIMULATED, "simulation", "rendered", "synthetic"})
GENERATOR_TAGS = ("generator", "traffic_policy", "weather_model", "map_asset_pack")
"""Tags that only a generator writes; they are a claim to be simulated."""


def provenance_claims(tags: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return what tags claim: to be real, and to be simulated; honest tags claim one of them at most.

    Args:
        tags: Of a bag or an episode.
    """
    words = {word.strip() for word in tags.get(PROVENANCE, "").lower().replace(";", ",").split(",")}
    real = [f"its provenance is {word!r}" for word in sorted(words & SAID_REAL)]
    simulated = [f"its provenance is {word!r}" for word in sorted(words & SAID_SIMULATED)]
    simulated += [f"it has the tag {key!r}" for key in GENERATOR_TAGS if tags.get(key)]
    return real, simulated


def provenance_of(tags: Mapping[str, str]) -> str:
    """Return whether tags say ``real`` or ``simulated``; empty if they say neither.

    Raises:
        ConfigurationError: They say both.
    """
    real, simulated = provenance_claims(tags)
    if real and simulated:
        raise ConfigurationError(
            f"recording says that it is real ({real[0]}) and that it is simulated ({', '.join(simulated)}); expected "
            "one of them: a recording from the road has no generator, and a simulation is never real"
        )
    return REAL if real else SIMULATED if simulated else ""
