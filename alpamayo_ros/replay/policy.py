"""How a replay is compared with its baseline: one rule per field, with units."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.params.documents import load_yaml, packaged, parse_yaml, validate_document
from alpamayo_ros.structs.trajectory import TRAJECTORY_FIELDS

COMPARED_FIELDS: Mapping[str, tuple[str, ...]] = {
    "tick": ("epoch", "trigger", "outcome", "error_code", "text"),
    "rationale": (
        "text",
        "longitudinal",
        "lateral",
        "lane",
        "causal_factors",
        "truncated",
        "stop_token_missing",
        "confidence_kind",
        "confidence",
    ),
    "trajectory_set": ("dt_s", *TRAJECTORY_FIELDS, "selected_index", "selection_rule"),
}
"""Every field that a policy must name, by interface."""

_NUMERIC = frozenset({"epoch", "error_code", "confidence", "dt_s", "selected_index", *TRAJECTORY_FIELDS})
_TEXTS = frozenset({"trigger", "text", "selection_rule"})


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field is compared.

    Attributes:
        rule: ``exact``, ``abs``, ``angle``, ``words`` or ``ignore``.
        tolerance: Largest allowed absolute difference; None for exact and ignored fields.
        unit: Its unit.
        reason: Why the field is ignored.
    """

    rule: str
    tolerance: float | None = None
    unit: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules by interface and field; the id is the digest of the document."""

    policy_id: str
    name: str
    rules: Mapping[str, Mapping[str, FieldRule]]
    document: Mapping[str, Any]


def load_policy(path: Path | None = None) -> Policy:
    """Read a policy file, or the packaged default.

    Raises:
        ConfigurationError: It is not valid, leaves a field out, names one that is not known, or gives a field a
            rule that does not fit its type.
    """
    if path is None:
        text = packaged("config", "policies", "default.yaml").read_text(encoding="utf-8")
        return parse_policy(parse_yaml(text, "policy default"), "policy default")
    return parse_policy(load_yaml(path, "policy"), f"policy {path}")


def parse_policy(document: Any, what: str) -> Policy:
    """Build a policy from its parsed document; errors as in ``load_policy``."""
    validate_document(document, "policy", what)
    rules: dict[str, dict[str, FieldRule]] = {}
    for interface, fields in COMPARED_FIELDS.items():
        given = document["interfaces"][interface]
        missing, unknown = sorted(set(fields) - set(given)), sorted(set(given) - set(fields))
        if missing or unknown:
            problem = f"leaves out {', '.join(missing)}" if missing else f"names the unknown {', '.join(unknown)}"
            raise ConfigurationError(f"{what}: {interface} {problem}; expected exactly: {', '.join(fields)}")
        rules[interface] = {name: _rule(given[name], f"{what}: {interface}.{name}", name) for name in fields}
    return Policy(document_id(document), document["name"], rules, document)


def _rule(given: Mapping[str, Any], what: str, name: str) -> FieldRule:
    rule = given["rule"]
    fits = rule in ("exact", "ignore") or (name in _NUMERIC if rule in ("abs", "angle") else name in _TEXTS)
    if not fits:
        raise ConfigurationError(f"{what} has the rule {rule!r}, which does not fit its type; expected exact or ignore")
    return FieldRule(rule, given.get("abs"), given.get("unit", ""), given.get("reason", ""))
