"""The JSON form of a replay result."""

import json
import math
from dataclasses import replace

import jsonschema
import pytest

from alpamayo_ros.report.result_json import result_document
from alpamayo_ros.structs.lineage import COMPONENT_KINDS
from alpamayo_ros.structs.verdict import HorizonError, Verdict

DIGEST = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64}|none)$"}
COUNT = {"type": "integer", "minimum": 0}
NUMBER = {"anyOf": [{"type": "number"}, {"type": "null"}, {"enum": ["nan", "inf", "-inf"]}]}
DIFFERENCE = {
    "type": "object",
    "required": ["t0_ns", "interface", "field", "baseline", "candidate", "magnitude", "tolerance", "unit"],
    "additionalProperties": False,
    "properties": {
        "t0_ns": {"type": "string", "pattern": "^-?[0-9]+$"},
        **{name: {"type": "string"} for name in ("interface", "field", "baseline", "candidate", "unit")},
        "magnitude": NUMBER,
        "tolerance": NUMBER,
    },
}
FIELD_KEYS = ["interface", "field", "compared", "differing", "worst", "tolerance", "unit"]
BASELINE_KEYS = ["path", "author", "reason", "lineage_id", "output_digest", "content_digest"]
KEYS = [
    "verdict", "reasons", "ticks", "content_digest", "input_order_digest", "output_digest", "lineage_id", "envelope_id",
    "ade_m", "timings", "bag", "bag_state", "profile", "executed", "ticks_requested", "too_little", "policy",
    "lineage", "baseline", "comparison",
]  # fmt: skip
SCHEMA = {
    "type": "object",
    "required": KEYS,
    "additionalProperties": False,
    "properties": {
        "verdict": {"enum": [verdict.value for verdict in Verdict]},
        "reasons": {"type": "array", "items": {"type": "string"}},
        "ticks": {"type": "object", "required": ["open_at_end"], "additionalProperties": COUNT},
        **dict.fromkeys(KEYS[3:8], DIGEST),
        "ade_m": {
            "type": "object",
            "propertyNames": {"pattern": "^[0-9]+\\.[0-9]+$"},
            "additionalProperties": {
                "type": "object",
                "required": ["mean_m", "ticks"],
                "additionalProperties": False,
                "properties": {"mean_m": {"type": ["number", "null"], "minimum": 0}, "ticks": COUNT},
            },
        },
        "timings": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        **{name: {"type": "string"} for name in ("bag", "bag_state", "profile", "ticks_requested")},
        "executed": {"enum": ["in process", "graph", "stack"]},
        "too_little": {"type": "array", "items": {"type": "string"}},
        "policy": {"type": "object"},
        "lineage": {
            "type": "object",
            "required": ["components", "manifest", "details", "provenance"],
            "additionalProperties": False,
            "properties": {
                "components": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["kind", "digest", "name"],
                        "properties": {"kind": {"enum": list(COMPONENT_KINDS)}, "digest": {"type": "string"}},
                    },
                },
                "manifest": {"type": "string"},
                "details": {"type": "object", "additionalProperties": {"type": "object"}},
                "provenance": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "baseline": {
            "anyOf": [
                {"type": "null"},
                {
                    "type": "object",
                    "required": BASELINE_KEYS,
                    "additionalProperties": False,
                    "properties": {
                        **{key: {"type": "string"} for key in BASELINE_KEYS[:3]},
                        **dict.fromkeys(BASELINE_KEYS[3:], DIGEST),
                    },
                },
            ]
        },
        "comparison": {
            "anyOf": [
                {"type": "null"},
                {
                    "type": "object",
                    "required": [
                        "completed", "compared_ticks", "differing_ticks", "first_difference", "fields", "differences",
                        "lineage_changes",
                    ],
                    "additionalProperties": False,
                    "properties": {
                        "completed": {"type": "boolean"},
                        "compared_ticks": COUNT,
                        "differing_ticks": COUNT,
                        "first_difference": {"anyOf": [{"type": "null"}, DIFFERENCE]},
                        "differences": {"type": "array", "items": DIFFERENCE},
                        "fields": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": FIELD_KEYS,
                                "properties": {"worst": NUMBER, "tolerance": NUMBER, "differing": COUNT},
                            },
                        },
                        "lineage_changes": {
                            "type": "array",
                            "items": {"type": "object", "required": ["kind", "baseline", "candidate"]},
                        },
                    },
                },
            ]
        },
    },
}  # fmt: skip


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_result_has_the_same_form_in_strict_json(judged, verdict):
    document = result_document(judged(verdict))
    jsonschema.validate(document, SCHEMA)
    assert list(document) == KEYS
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_ticks_are_a_count_by_outcome_that_always_names_the_open_ones(result):
    assert result_document(result)["ticks"] == {
        "ANSWERED": 20, "HISTORY_TOO_SHORT": 10, "open_at_end": 1, "dropped_odometry": 2,
    }  # fmt: skip
    assert list(result_document(replace(result, ticks={"ANSWERED": 1}))["ticks"].items()) == [
        ("ANSWERED", 1), ("open_at_end", 0),
    ]  # fmt: skip


def test_errors_are_keyed_by_horizon_with_their_number_of_ticks(result):
    assert result_document(result)["ade_m"] == {
        "1.0": {"mean_m": 0.1234567, "ticks": 20},
        "3.0": {"mean_m": 0.4, "ticks": 11},
        "6.4": {"mean_m": None, "ticks": 0},
    }


def test_the_order_of_keys_is_that_of_the_document_and_not_of_the_mappings(result):
    turned = replace(
        result,
        ticks=dict(reversed(result.ticks.items())),
        timings=dict(reversed(result.timings.items())),
        ade_m=result.ade_m[::-1],
        lineage=replace(
            result.lineage,
            details={kind: dict(reversed(rows.items())) for kind, rows in reversed(result.lineage.details.items())},
            provenance=dict(reversed(result.lineage.provenance.items())),
        ),
    )
    assert json.dumps(result_document(turned)) == json.dumps(result_document(result))


@pytest.mark.parametrize(("value", "text"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")])
def test_numbers_that_json_lacks_are_written_as_text_or_null(judged, value, text):
    result = judged(Verdict.REGRESSION)
    first = replace(result.comparison.first_difference, magnitude=value)
    fields = tuple(replace(row, worst=value) for row in result.comparison.fields)
    comparison = replace(result.comparison, first_difference=first, differences=(first,), fields=fields)
    result = replace(result, comparison=comparison, ade_m=(HorizonError(1.0, value, 3),), timings={"reading": value})
    document = json.loads(json.dumps(result_document(result), allow_nan=False))
    jsonschema.validate(document, SCHEMA)
    assert document["comparison"]["first_difference"]["magnitude"] == text
    assert document["comparison"]["fields"][0]["worst"] == text
    assert document["ade_m"]["1.0"]["mean_m"] is None
    assert document["timings"]["reading"] is None


def test_times_keep_all_their_digits(judged):
    document = result_document(judged(Verdict.REGRESSION))
    assert document["comparison"]["first_difference"]["t0_ns"] == "1700000000200000000"


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.NOT_COMPARED])
def test_whatever_came_of_it_the_baseline_is_named(judged, verdict):
    result = judged(verdict)
    assert result_document(result)["baseline"] == {
        "path": "approved/demo", "author": "Ada", "reason": "first drive", "lineage_id": "sha256:" + "e" * 64,
        "output_digest": "sha256:" + "f" * 64, "content_digest": result.content_digest,
    }  # fmt: skip
    assert result_document(judged(Verdict.NOT_COMPARED))["baseline"] is None


def test_timings_come_in_the_order_of_what_they_time(result):
    timings = {"other_s": 4.0, "compare_s": 3.0, "replay_s": 2.0, "set_up_s": 1.0}
    document = result_document(replace(result, timings=timings))
    assert list(document["timings"]) == ["set_up_s", "replay_s", "compare_s", "other_s"]
