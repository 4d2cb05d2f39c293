"""Build lineages and say how two of them differ."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from alpamayo_ros.lineage.canonical import bytes_id, canonical_json, document_id
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.structs.lineage import COMPONENT_KINDS, NONE, UNKNOWN, Lineage, LineageComponent

MANIFEST_SCHEMA = 1


def build_lineage(
    *,
    profile: Profile,
    parameters: Mapping[str, Mapping[str, object]],
    runtime: Mapping[str, str],
    provenance: Mapping[str, str],
    calibration: tuple[str, str] = (NONE, "none"),
    envelope_id: str = NONE,
    artifacts: Mapping[str, tuple[str, str]] | None = None,
    model: Mapping[str, Any] | None = None,
) -> Lineage:
    """Name everything that produces an output.

    Args:
        profile: The profile; part of the ``config`` component.
        parameters: Behavioural parameters by node; the other part of ``config``.
        runtime: Library versions and source digest; the ``runtime`` component.
        provenance: Host and Python; stated, but no part of the id.
        calibration: Digest and name of the calibration.
        envelope_id: Id of the envelope document, or ``none``.
        artifacts: Digest and name of further component kinds (model, engine, dataset, ...). Kinds that are
            not given are ``none`` for a profile without a learned part, else ``unknown``.
        model: What the model says about itself; stated, because the id holds its digest only.
    """
    given = dict(artifacts or {})
    config = {"profile": _behavioural_profile(profile), "parameters": parameters}
    given["config"] = (document_id(config), f"profile {profile.name}")
    given["runtime"] = (document_id(dict(runtime)), f"alpamayo_ros {runtime.get('alpamayo_ros', UNKNOWN)}")
    given["calibration"] = calibration
    absent = UNKNOWN if profile.learned else NONE
    components = tuple(LineageComponent(kind, *given.get(kind, (absent, absent))) for kind in COMPONENT_KINDS)
    text = canonical_json(manifest_document(components))
    return Lineage(
        lineage_id=bytes_id(text),
        envelope_id=envelope_id,
        components=components,
        manifest=text.decode(),
        details={"config": _flatten(config), "runtime": dict(runtime)} | ({"model": _flatten(model)} if model else {}),
        provenance=dict(provenance),
    )


def _behavioural_profile(profile: Profile) -> dict[str, Any]:
    """Return what a profile means, with its defaults; neither its wording nor what it leaves out moves the id."""
    values = asdict(profile)
    # Where the model lies is no part of what it is: that is the model component.
    for name in ("description", "document", "model", "model_folder"):
        del values[name]
    return values


def manifest_document(components: tuple[LineageComponent, ...]) -> dict[str, Any]:
    """Return the document that a lineage id is the digest of: digests by kind, no names."""
    return {
        "schema": MANIFEST_SCHEMA,
        "components": {component.kind: component.digest for component in components},
    }


def compare_components(baseline: Mapping[str, str], candidate: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    """Return (kind, digest in the baseline, digest now) of every component that differs.

    Args:
        baseline: Digest by kind.
        candidate: Digest by kind.
    """
    return tuple(
        (kind, baseline.get(kind, UNKNOWN), candidate.get(kind, UNKNOWN))
        for kind in COMPONENT_KINDS
        if baseline.get(kind, UNKNOWN) != candidate.get(kind, UNKNOWN)
    )


def digests_by_kind(lineage: Lineage) -> dict[str, str]:
    """Return digest by component kind."""
    return {component.kind: component.digest for component in lineage.components}


def _flatten(document: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return one text for each leaf; the items of a list of documents are numbered, other lists are one text."""
    flat: dict[str, str] = {}
    for key, value in document.items():
        if isinstance(value, Mapping):
            flat.update(_flatten(value, f"{prefix}{key}."))
        elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
            flat.update(_flatten({str(number): item for number, item in enumerate(value)}, f"{prefix}{key}."))
        elif isinstance(value, list | tuple):
            flat[f"{prefix}{key}"] = ", ".join(map(str, value))
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat
