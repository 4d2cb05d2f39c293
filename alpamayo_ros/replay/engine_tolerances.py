"""How far two ways of running one model may be apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.params.documents import load_yaml, packaged, parse_yaml, validate_document


@dataclass(frozen=True, slots=True)
class EngineTolerances:
    """Tolerances of a comparison.

    Attributes:
        name: Name and digest, for people.
        outputs: Largest absolute difference by stage, on equal inputs.
        shares: Least share of ticks by what has to be the same: ``text``, ``decision``, ``sample``.
        ade_m: Largest mean distance between the selected trajectories of a tick.
    """

    name: str
    outputs: Mapping[str, float]
    shares: Mapping[str, float]
    ade_m: float


def load_engine_tolerances(path: Path | None = None) -> EngineTolerances:
    """Read a tolerances file, or the packaged one.

    Raises:
        ConfigurationError: It cannot be read, or is not well formed.
    """
    if path is None:
        what = "engine tolerances"
        document = parse_yaml(packaged("config", "policies", "engine.yaml").read_text(encoding="utf-8"), what)
    else:
        what, document = f"engine tolerances {path}", load_yaml(path, "engine tolerances", ConfigurationError)
    validate_document(document, "engine_tolerances", what)
    return _tolerances(document)


def _tolerances(document: Mapping[str, Any]) -> EngineTolerances:
    return EngineTolerances(
        name=f"{document['name']} {document_id(document)}",
        outputs={stage: float(value) for stage, value in document["outputs"].items()},
        shares={name: float(document[name]) for name in ("text", "decision", "sample")},
        ade_m=float(document["ade_m"]),
    )
