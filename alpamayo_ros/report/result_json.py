"""The JSON form of a replay result: ``result.json`` and what ``--json`` prints."""

import math
from collections.abc import Mapping
from typing import Any

from alpamayo_ros.report.words import horizon_label, ordered_ticks, ordered_timings
from alpamayo_ros.structs.lineage import COMPONENT_KINDS, Lineage
from alpamayo_ros.structs.verdict import (
    BaselineInfo,
    Comparison,
    FieldDifference,
    FieldSummary,
    HorizonError,
    ReplayResult,
)


def result_document(result: ReplayResult) -> dict[str, Any]:
    """Return a replay result as values that strict JSON can hold, keys always in the same order.

    JSON has no NaN and no infinity: where a difference is one, its text stands for it (``nan``, ``inf``), and a mean
    or a time that is one is null.
    """
    return {
        "verdict": result.verdict.value,
        "reasons": list(result.reasons),
        "ticks": ordered_ticks({"open_at_end": 0, **{name: int(count) for name, count in result.ticks.items()}}),
        "content_digest": result.content_digest,
        "input_order_digest": result.input_order_digest,
        "output_digest": result.output_digest,
        "lineage_id": result.lineage.lineage_id,
        "envelope_id": result.lineage.envelope_id,
        "ade_m": {horizon_label(error.horizon_s): _horizon(error) for error in _by_horizon(result.ade_m)},
        "timings": {part: _finite(seconds) for part, seconds in ordered_timings(result.timings).items()},
        "bag": result.bag_path,
        "bag_state": result.bag_state,
        "profile": result.profile,
        "executed": result.executed,
        "ticks_requested": result.ticks_requested,
        "too_little": list(result.too_little),
        "policy": dict(result.policy),
        "lineage": _lineage(result.lineage),
        "baseline": None if result.baseline is None else _baseline(result.baseline),
        "comparison": None if result.comparison is None else _comparison(result.comparison),
    }


def _by_horizon(errors: tuple[HorizonError, ...]) -> list[HorizonError]:
    return sorted(errors, key=lambda error: error.horizon_s)


def _horizon(error: HorizonError) -> dict[str, Any]:
    return {"mean_m": None if error.mean_m is None else _finite(error.mean_m), "ticks": int(error.tick_count)}


def _lineage(lineage: Lineage) -> dict[str, Any]:
    rank = {kind: index for index, kind in enumerate(COMPONENT_KINDS)}
    kinds = sorted(lineage.details, key=lambda kind: (rank.get(kind, len(rank)), kind))
    return {
        "components": [
            {"kind": component.kind, "digest": component.digest, "name": component.name}
            for component in lineage.components
        ],
        "manifest": lineage.manifest,
        "details": {kind: _sorted(lineage.details[kind]) for kind in kinds},
        "provenance": _sorted(lineage.provenance),
    }


def _sorted(texts: Mapping[str, str]) -> dict[str, str]:
    return {key: texts[key] for key in sorted(texts)}


def _baseline(baseline: BaselineInfo) -> dict[str, str]:
    return {
        "path": baseline.path,
        "author": baseline.author,
        "reason": baseline.reason,
        "lineage_id": baseline.lineage_id,
        "output_digest": baseline.output_digest,
        "content_digest": baseline.content_digest,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    first = comparison.first_difference
    return {
        "completed": comparison.completed,
        "compared_ticks": int(comparison.compared_tick_count),
        "differing_ticks": int(comparison.differing_tick_count),
        "first_difference": None if first is None else _difference(first),
        "fields": [_field(row) for row in comparison.fields],
        "differences": [_difference(difference) for difference in comparison.differences],
        "lineage_changes": [
            {"kind": kind, "baseline": before, "candidate": after} for kind, before, after in comparison.lineage_changes
        ],
    }


def _field(row: FieldSummary) -> dict[str, Any]:
    return {
        "interface": row.interface,
        "field": row.field,
        "compared": int(row.compared),
        "differing": int(row.differing),
        "worst": _number(row.worst),
        "tolerance": _number(row.tolerance),
        "unit": row.unit,
    }


def _difference(difference: FieldDifference) -> dict[str, Any]:
    return {
        # Beyond 2^53 an integer loses digits in readers that hold numbers as floats.
        "t0_ns": str(difference.t0_ns),
        "interface": difference.interface,
        "field": difference.field,
        "baseline": difference.baseline,
        "candidate": difference.candidate,
        "magnitude": _number(difference.magnitude),
        "tolerance": _number(difference.tolerance),
        "unit": difference.unit,
    }


def _number(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return None if value is None else float(value)
    return str(float(value))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
