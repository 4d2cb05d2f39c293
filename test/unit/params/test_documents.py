"""Documents are YAML 1.2, and a hostile one is refused with a sentence."""

from pathlib import Path

import pytest

from alpamayo_ros.errors import ConfigurationError, EnvelopeError
from alpamayo_ros.params.documents import MAX_DOCUMENT_BYTES, load_yaml, parse_yaml, validate_document


def test_words_and_times_stay_texts() -> None:
    assert parse_yaml("{a: no, b: 22:30, c: 010, d: on}", "document") == {"a": "no", "b": "22:30", "c": 10, "d": "on"}


@pytest.mark.parametrize(
    "text", ["{a: 1, a: 2}", "a: [", "!!python/object/apply:os.system [id]", "a: *unknown", "\t- x", "[" * 5000]
)
def test_what_is_not_plain_yaml_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="document is not well-formed YAML"):
        parse_yaml(text, "document")


def test_an_oversized_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(b"#" * (MAX_DOCUMENT_BYTES + 1))
    with pytest.raises(ConfigurationError, match="larger than"):
        load_yaml(path, "document")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_yaml(path, "document")


def test_a_violation_is_named_with_its_place_and_the_given_class() -> None:
    document = {"name": "a", "version": "1", "trajectory_limits": {"max_speed_mps": -1}}
    with pytest.raises(EnvelopeError, match="envelope x is not valid at trajectory_limits/max_speed_mps"):
        validate_document(document, "envelope", "envelope x", EnvelopeError)
