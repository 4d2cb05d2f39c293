"""``alpamayo replay digests``, and what ``run`` refuses about graphs and backends, as a user sees them."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Make = Callable[..., Path]
OTHER = f"sha256:{'7' * 64}"


@pytest.fixture
def results(alpamayo: Run, make_odometry_bag: Make, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a result in which some values are others, by name in the scratch folder."""
    run = alpamayo("replay", "run", make_odometry_bag(), "--profile", "kinematic", "--out", "first")
    assert run.returncode == 0, run.stderr

    def make(name: str, **changes: Any) -> str:
        shutil.copytree(tmp_path / "first", tmp_path / name)
        file = tmp_path / name / "result.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
        return name

    return make  # type: ignore[return-value]


def complaint(run: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of complaint."""
    assert "Traceback" not in run.stderr + run.stdout
    lines = [line for line in run.stderr.splitlines() if line.startswith("alpamayo: ")]
    assert len(lines) == 1, run.stderr
    return lines[0]


def test_equal_outputs_exit_0_and_different_ones_1(alpamayo: Run, results: Callable[..., Any]) -> None:
    equal = alpamayo("replay", "digests", "first", results("a", executed="graph"))
    assert equal.returncode == 0, equal.stderr
    assert "first (in process)" in equal.stdout
    assert "a (graph)" in equal.stdout
    assert "EQUAL: 2 replays of one lineage gave the same outputs" in equal.stdout
    different = alpamayo("replay", "digests", "first", "a", results("b", output_digest=OTHER))
    assert different.returncode == 1
    assert OTHER in different.stdout
    assert "DIFFERENT: 3 replays of one lineage gave 2 different outputs" in " ".join(different.stdout.split())
    assert not different.stderr


def test_a_script_reads_the_same_as_json(alpamayo: Run, results: Callable[..., Any]) -> None:
    for name, changes, code in (("a", {}, 0), ("b", {"output_digest": OTHER}, 1)):
        run = alpamayo("replay", "digests", "first", results(name, **changes), "--json")
        document = json.loads(run.stdout)
        assert (run.returncode, document["equal"]) == (code, code == 0)
        assert [row["path"] for row in document["results"]] == ["first", name]
        assert set(document["results"][0]) == {"path", "executed", "output_digest", "lineage_id", "answered"}


def test_other_inputs_exit_4(alpamayo: Run, results: Callable[..., Any]) -> None:
    run = alpamayo("replay", "digests", "first", results("a", input_order_digest=OTHER), "--json")
    assert (run.returncode, run.stdout) == (4, "")
    assert "2 different values of input_order_digest; expected one input" in complaint(run)


def test_a_damaged_result_exits_4(alpamayo: Run, results: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / results("a") / "result.json").write_text("{")
    run = alpamayo("replay", "digests", "first", "a")
    assert run.returncode == 4
    assert "result.json" in complaint(run)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["first"], "1 result(s) were given; expected at least two"),
        (["first", "nowhere"], "has no result.json"),
        (["first", "drive"], "has no result.json"),
    ],
)
def test_what_is_no_result_exits_2(alpamayo: Run, results: Callable[..., Any], arguments: list[str], said: str) -> None:
    run = alpamayo("replay", "digests", *arguments)
    assert run.returncode == 2
    assert said in complaint(run)


def test_no_result_at_all_is_a_usage_error(alpamayo: Run) -> None:
    run = alpamayo("replay", "digests")
    assert run.returncode == 2
    assert "Missing argument" in run.stderr + run.stdout


def test_composed_without_a_graph_exits_2_before_the_bag_is_opened(alpamayo: Run, tmp_path: Path) -> None:
    run = alpamayo("replay", "run", "nowhere", "--profile", "kinematic", "--composed", "--out", "o")
    assert run.returncode == 2
    assert "--composed says how a graph runs; expected --graph beside it" in complaint(run)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("warp", "backend 'warp' is not known; expected one of: nim, ort_cpu"),
        ("nim", "backend 'nim' is not part of this version; expected one of: ort_cpu, ort_cuda"),
        ("tensorrt", "backend 'tensorrt' runs engines, and the profile names no model"),
        ("ort_tensorrt", "backend 'ort_tensorrt' loads 'kinematic_motion' from a model folder"),
    ],
)
def test_a_backend_that_cannot_be_had_exits_2_and_is_replaced_by_no_other(
    alpamayo: Run, make_odometry_bag: Make, tmp_path: Path, backend: str, said: str
) -> None:
    run = alpamayo("replay", "run", make_odometry_bag(), "--profile", "kinematic", "--backend", backend, "--out", "o")
    assert run.returncode == 2
    assert said in complaint(run)
    assert not (tmp_path / "o").exists()


def test_the_profiles_own_backend_by_name_changes_nothing(alpamayo: Run, make_odometry_bag: Make) -> None:
    bag = make_odometry_bag()
    for out, backend in (("a", []), ("b", ["--backend", "reference"])):
        run = alpamayo("replay", "run", bag, "--profile", "kinematic", "--out", out, *backend, "--json")
        assert run.returncode == 0, run.stderr
    assert alpamayo("replay", "digests", "a", "b").returncode == 0
