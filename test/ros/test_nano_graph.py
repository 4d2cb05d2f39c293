"""The shipped model drives the demo bag, and through the nodes it says and plans bit by bit what it does in process."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alpamayo_ros.messages.translator import rationale_struct
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.ros.lockstep import start_graph
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.rationale import LongitudinalAction
from alpamayo_ros.structs.verdict import ReplayResult, Verdict

pytestmark = pytest.mark.ros

BAGS = Path(__file__).resolve().parents[2] / "bags"
Replay = Callable[..., ReplayResult]


def test_the_demo_has_one_digest_in_process_and_in_the_graph_and_passes(replay: Replay, tmp_path: Path) -> None:
    in_process = replay(BAGS / "demo", profile="nano", baseline=BAGS / "demo_nano_baseline")
    graph = replay(BAGS / "demo", start_graph, profile="nano", baseline=BAGS / "demo_nano_baseline")
    assert in_process.ticks["ANSWERED"] >= 100
    assert dict(graph.ticks) == dict(in_process.ticks)
    assert graph.lineage.lineage_id == in_process.lineage.lineage_id
    assert graph.output_digest == in_process.output_digest
    assert in_process.verdict is Verdict.PASS, in_process.reasons
    assert graph.verdict is Verdict.PASS, graph.reasons
    kinds = {component.kind for component in in_process.lineage.components}
    assert {"model", "engine", "dataset"} <= kinds
    page = (tmp_path / "out0" / "report.html").read_text()
    assert "Boxed, as the cited cause" in page
    assert page.count("data:image/jpeg;base64,") >= 10
    with open_bag(tmp_path / "out0" / "outputs") as outputs:
        said = [
            rationale_struct(deserialize(message.payload, message.type_name))
            for message in outputs.messages(["/alpamayo/output/rationale"])
        ]
    assert all(one.text and one.longitudinal is not LongitudinalAction.UNKNOWN for one in said)
    assert any(factor.box_px[2] > 0 for one in said for factor in one.causal_factors)
    # Every answer stands in the report, equal ones in a row on one line.
    assert all(one.text in page for one in said)
    assert json.loads((tmp_path / "out0" / "result.json").read_text())["verdict"] == "pass"
