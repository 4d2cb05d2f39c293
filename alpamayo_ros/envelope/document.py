"""Envelope documents: the operating conditions that a model was validated for, by id."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alpamayo_ros.errors import EnvelopeError
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.params.documents import load_yaml, validate_document
from alpamayo_ros.structs.lineage import NONE


@dataclass(frozen=True, slots=True)
class Envelope:
    """One envelope.

    Attributes:
        envelope_id: ``sha256:`` and the digest of the canonical document, ``none`` without a document.
        name: Name for people.
        version: Version for people.
        trajectory_limits: Limit by name, units in the names; empty without a document.
    """

    envelope_id: str = NONE
    name: str = "none"
    version: str = ""
    trajectory_limits: Mapping[str, float] = field(default_factory=dict)


def load_envelope(path: Path | None) -> Envelope:
    """Read and validate an envelope document; None is the absent envelope, whose id is ``none``.

    Raises:
        EnvelopeError: The document cannot be read or is not valid.
    """
    if path is None:
        return Envelope()
    document = load_yaml(path, "envelope", EnvelopeError)
    validate_document(document, "envelope", f"envelope {path}", EnvelopeError)
    return Envelope(document_id(document), document["name"], document["version"], document["trajectory_limits"])
