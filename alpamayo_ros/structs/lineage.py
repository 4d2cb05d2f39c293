"""What produced an output."""

from dataclasses import dataclass

COMPONENT_KINDS = (
    "model",
    "engine",
    "dataset",
    "scenarios",
    "map",
    "policy",
    "calibration",
    "config",
    "runtime",
)
"""Every component kind; a lineage always names them all."""

NONE = "none"
"""Digest of a component that does not exist."""

UNKNOWN = "unknown"
"""Digest of a component that may exist but was not identified."""


@dataclass(frozen=True, slots=True)
class LineageComponent:
    """One component: its kind, its digest (``sha256:...``, ``none`` or ``unknown``) and a name for people."""

    kind: str
    digest: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """The set of components that produced an output.

    Attributes:
        lineage_id: ``sha256:`` and the digest of ``manifest``.
        envelope_id: ``sha256:`` id of the envelope document, or ``none``.
        components: One for each of COMPONENT_KINDS, in that order.
        manifest: Canonical (RFC 8785) JSON text that the id is the digest of.
        details: What each digest covers (library versions, parameters, ...), for people and diffs.
        provenance: Host, CPU, Python: stated, but no part of the id.
    """

    lineage_id: str
    envelope_id: str
    components: tuple[LineageComponent, ...]
    manifest: str
    details: dict[str, dict[str, str]]
    provenance: dict[str, str]
