"""Real and simulated exclude each other."""

import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.storage.provenance import GENERATOR_TAGS, provenance_claims, provenance_of


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({}, ""),
        ({"provenance": "real"}, "real"),
        ({"provenance": " Real "}, "real"),
        ({"provenance": "simulated"}, "simulated"),
        ({"provenance": "rendered"}, "simulated"),
        ({"generator": "x"}, "simulated"),
        ({"generator": ""}, ""),
        ({"provenance": "unknown"}, ""),
    ],
)
def test_tags_say_one_thing_or_nothing(tags: dict[str, str], said: str) -> None:
    assert provenance_of(tags) == said


@pytest.mark.parametrize("tag", GENERATOR_TAGS)
def test_what_a_generator_wrote_cannot_be_real(tag: str) -> None:
    with pytest.raises(ConfigurationError, match="expected one of them"):
        provenance_of({"provenance": "real", tag: "x"})


@pytest.mark.parametrize("text", ["real, simulated", "real; simulation", "fleet,rendered", "REAL,SYNTHETIC"])
def test_both_words_at_once_are_refused(text: str) -> None:
    real, simulated = provenance_claims({"provenance": text})
    assert real
    assert simulated
    with pytest.raises(ConfigurationError, match="real"):
        provenance_of({"provenance": text})
