"""The lineage of here and now equals the one that a replay here and now names."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_show_names_every_component_and_agrees_with_a_replay(
    alpamayo: Run, make_odometry_bag: Callable[..., Path]
) -> None:
    shown = json.loads(alpamayo("lineage", "show", "--json").stdout)
    run = alpamayo("replay", "run", make_odometry_bag(), "--profile", "kinematic", "--out", "o", "--json")
    replayed = json.loads(run.stdout)
    assert shown["lineage_id"] == replayed["lineage_id"]
    of_bag = json.loads(alpamayo("lineage", "show", "o/outputs", "--json").stdout)
    assert of_bag["lineage_id"] == shown["lineage_id"]
    assert of_bag["components"] == shown["components"]
    assert of_bag["disagreements"] == []


def test_the_table_is_for_people(alpamayo: Run) -> None:
    run = alpamayo("lineage", "show")
    assert run.returncode == 0
    assert "runtime" in run.stdout
    assert "provenance (no part of the id)" in run.stdout


def test_an_envelope_is_named_beside_the_lineage(alpamayo: Run, tmp_path: Path) -> None:
    (tmp_path / "envelope.yaml").write_text("name: pilot\nversion: '1'\ntrajectory_limits: {}\n")
    with_one = json.loads(alpamayo("lineage", "show", "--envelope", "envelope.yaml", "--json").stdout)
    without = json.loads(alpamayo("lineage", "show", "--json").stdout)
    assert with_one["envelope_id"].startswith("sha256:")
    assert with_one["lineage_id"] == without["lineage_id"]


def test_a_wrong_envelope_exits_2(alpamayo: Run, tmp_path: Path) -> None:
    (tmp_path / "envelope.yaml").write_text("name: pilot\n")
    run = alpamayo("lineage", "show", "--envelope", "envelope.yaml")
    assert run.returncode == 2
    assert "envelope envelope.yaml is not valid" in run.stderr
