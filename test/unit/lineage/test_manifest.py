"""A lineage names every component kind, and its id moves only with what can change an output."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.lineage.manifest import build_lineage, compare_components, digests_by_kind
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.structs.lineage import COMPONENT_KINDS, Lineage

RUNTIME = {"alpamayo_ros": "1", "numpy": "2"}


def lineage(**changes: Any) -> Lineage:
    given: dict[str, Any] = {
        "profile": load_profile("kinematic"),
        "parameters": NodeParameters().behavioural(),
        "runtime": RUNTIME,
        "provenance": {"host": "a"},
    }
    return build_lineage(**{**given, **changes})


def test_every_component_kind_is_named_in_order() -> None:
    assert tuple(component.kind for component in lineage().components) == COMPONENT_KINDS


def test_the_id_is_the_digest_of_the_manifest() -> None:
    built = lineage()
    assert built.lineage_id == document_id({"schema": 1, "components": digests_by_kind(built)})


def test_where_the_model_lies_is_no_part_of_the_id_and_what_it_says_is_stated() -> None:
    moved = replace(load_profile("kinematic"), model="./elsewhere", model_folder=Path("/elsewhere"))
    assert lineage(profile=moved).lineage_id == lineage().lineage_id
    assert "model" not in lineage().details
    told = lineage(model={"name": "m", "actions": {"mean": [0.0, 1.0]}, "parts": [{"file": "a"}, {"file": "b"}]})
    assert told.details["model"] == {
        "name": "m", "actions.mean": "0.0, 1.0", "parts.0.file": "a", "parts.1.file": "b",
    }  # fmt: skip
    assert told.lineage_id == lineage().lineage_id


def test_kinds_that_are_not_given_are_none_without_a_learned_part_and_unknown_with_one() -> None:
    assert digests_by_kind(lineage())["model"] == "none"
    learned = replace(load_profile("kinematic"), learned=True)
    assert digests_by_kind(lineage(profile=learned))["model"] == "unknown"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"runtime": {**RUNTIME, "numpy": "3"}}, "runtime"),
        ({"parameters": NodeParameters(perception=PerceptionParams(max_wait_ms=400)).behavioural()}, "config"),
        ({"calibration": ("sha256:" + "0" * 64, "rig")}, "calibration"),
        ({"artifacts": {"map": ("sha256:" + "1" * 64, "town")}}, "map"),
    ],
)
def test_each_component_moves_the_id_and_is_named_in_the_diff(change: dict[str, Any], kind: str) -> None:
    before, after = lineage(), lineage(**change)
    assert before.lineage_id != after.lineage_id
    assert [row[0] for row in compare_components(digests_by_kind(before), digests_by_kind(after))] == [kind]


def test_host_and_envelope_are_no_part_of_the_id() -> None:
    assert lineage().lineage_id == lineage(provenance={"host": "b"}).lineage_id
    assert lineage().lineage_id == lineage(envelope_id="sha256:" + "2" * 64).lineage_id
