"""Read YAML 1.2 documents strictly: duplicate keys refused, ``no`` is a text, validated by JSON Schema."""

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from alpamayo_ros.errors import AlpamayoError, ConfigurationError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

MAX_NODES = 100_000
"""Documents with more values are refused."""

MAX_DOCUMENT_BYTES = 4_000_000
"""Larger documents are refused before they are parsed."""


def packaged(*parts: str) -> "Traversable":
    """Return a file or folder of ``msg/`` or ``config/`` as installed with the package."""
    return resources.files("alpamayo_ros").joinpath("_data", *parts)


def parse_yaml(text: str, what: str, error: type[AlpamayoError] = ConfigurationError) -> Any:
    """Parse one YAML 1.2 document.

    Args:
        text: The document.
        what: What it is, for error texts, e.g. ``profile kinematic``.
        error: Class of the error to raise.
    """
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as problem:
        place = getattr(problem, "problem_mark", None)
        where = f" at line {place.line + 1}" if place is not None else ""
        reason = getattr(problem, "problem", None) or str(problem).splitlines()[0]
        raise error(f"{what} is not well-formed YAML{where}: {reason}") from problem
    if not _is_small(document):
        raise error(f"{what} has more than {MAX_NODES} values or refers to itself; expected a small document")
    return document


def _is_small(document: Any) -> bool:
    """Whether a document has few enough values; aliases count each time, so that they cannot multiply."""
    waiting, count = [document], 0
    while waiting:
        count += 1
        if count > MAX_NODES:
            return False
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return True


def read_text(path: Path, what: str, error: type[AlpamayoError] = ConfigurationError) -> str:
    """Read a document's text, with one sentence for everything that can be wrong with a file."""
    try:
        if path.stat().st_size > MAX_DOCUMENT_BYTES:
            raise error(f"{what} {path} is larger than {MAX_DOCUMENT_BYTES} bytes; expected a small document")
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        raise error(f"{what} {path} cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise error(f"{what} {path} is not UTF-8 text") from problem


def load_yaml(path: Path, what: str, error: type[AlpamayoError] = ConfigurationError) -> Any:
    """Read and parse one YAML 1.2 file."""
    return parse_yaml(read_text(path, what, error), f"{what} {path}", error)


def require_mapping(value: Any, what: str, error: type[AlpamayoError] = ConfigurationError) -> Mapping[str, Any]:
    """Return the value as a mapping with text keys, or raise."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise error(f"{what} is a {type(value).__name__}; expected a mapping with text keys")
    return value


@lru_cache(maxsize=16)
def packaged_schema(name: str) -> Any:
    """Return the packaged JSON schema ``config/schema/<name>.schema.json``."""
    return json.loads(packaged("config", "schema", f"{name}.schema.json").read_text(encoding="utf-8"))


def validate_document(
    document: Any, schema_name: str, what: str, error: type[AlpamayoError] = ConfigurationError
) -> None:
    """Validate a parsed document against a packaged schema; the first violation is named with its place.

    Raises:
        AlpamayoError: Of the given class.
    """
    fault = _not_json(document)
    if fault is not None:
        raise error(f"{what} is not valid at {fault[0]}: expected {fault[1]}")
    validator = jsonschema.Draft202012Validator(packaged_schema(schema_name))
    violation = jsonschema.exceptions.best_match(validator.iter_errors(document))
    if violation is not None:
        place = "/".join(str(part) for part in violation.absolute_path) or "top level"
        raise error(f"{what} is not valid at {place}: {violation.message}")


def _not_json(value: Any, place: str = "") -> tuple[str, str] | None:
    """Return where a document holds what JSON cannot say and JSON Schema lets pass, and what is expected there."""
    here = place.lstrip("/") or "top level"
    if isinstance(value, (int, float)) and not _is_finite(value):
        return here, "a finite number"
    if isinstance(value, str) and not _is_unicode(value):
        return here, "Unicode text"
    if isinstance(value, dict) and not all(isinstance(key, str) and _is_unicode(key) for key in value):
        return here, "names that are texts"
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found = _not_json(item, f"{place}/{key}")
        if found is not None:
            return found
    return None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond what a float holds
        return False


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
