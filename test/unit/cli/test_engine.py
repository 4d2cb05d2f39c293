"""``alpamayo engine compare``: exit codes, table, JSON, picture."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def sides(tmp_path: Path, tiny_model: Any) -> tuple[str, str]:
    """Return two models with other weights."""
    return str(tiny_model.write_tiny_model(tmp_path / "a")), str(tiny_model.write_tiny_model(tmp_path / "b", gain=1.3))


def test_equal_ones_are_alike_and_others_apart(alpamayo: Run, sides: tuple[str, str], tmp_path: Path) -> None:
    alike = alpamayo("engine", "compare", sides[0], sides[0], "--random", "2")
    assert alike.returncode == 0, alike.stderr
    assert "ALIKE" in alike.stdout
    assert "vision_tokens" in alike.stdout
    apart = alpamayo("engine", "compare", *sides, "--random", "2", "--out", "found")
    assert apart.returncode == 1, apart.stderr
    assert "APART" in apart.stdout
    assert (tmp_path / "found" / "comparison.png").read_bytes().startswith(b"\x89PNG")
    written = json.loads((tmp_path / "found" / "comparison.json").read_text())
    assert written["within"] is False
    assert written["exceeded"]


def test_json_on_a_bag(alpamayo: Run, make_odometry_bag: Callable[..., Path]) -> None:
    run = alpamayo("engine", "compare", "kinematic", "kinematic@reference", make_odometry_bag(), "--json")
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    assert document["within"] is True
    assert document["shares"] == {"text": 1.0, "decision": 1.0, "sample": 1.0}
    assert len(document["ticks"]) > 5


def test_tolerances_decide(alpamayo: Run, sides: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "wide.yaml").write_text(
        "name: wide\nversion: 1\noutputs: {perceive: 1e9, reason: 1e9, plan: 1e9}\ntext: 0\ndecision: 0\nsample: 0\n"
        "ade_m: 1e9\n"
    )
    run = alpamayo("engine", "compare", *sides, "--random", "1", "--tolerances", "wide.yaml")
    assert run.returncode == 0, run.stdout
    assert "within the tolerances wide" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["kinematic", "kinematic"], "expected exactly one"),
        (["kinematic", "kinematic@", "--random", "1"], "PROFILE@BACKEND"),
        (["nanoo", "kinematic", "--random", "1"], "profile 'nanoo' is not known"),
        (["kinematic", "kinematic@nim", "--random", "1"], "backend 'nim' is not part of this version"),
        (["kinematic", "kinematic@tensorrt", "--random", "1"], "backend 'tensorrt' runs engines"),
        (["kinematic", "kinematic", "--random", "1", "--out", "there"], "output there exists"),
    ],
)
def test_what_cannot_be_compared_is_said(alpamayo: Run, tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "there").mkdir()
    run = alpamayo("engine", "compare", *arguments)
    assert run.returncode == 2
    assert words in run.stderr


def test_an_engine_is_built_once_and_can_be_compared(alpamayo: Run, sides: tuple[str, str], tmp_path: Path) -> None:
    build = ("engine", "build", sides[0], "--backend", "ort_cpu", "--precision", "fp16", "--out", "half")
    first = alpamayo(*build)
    assert first.returncode == 0, first.stderr
    assert "BUILT" in first.stdout
    again = alpamayo(*build, "--json")
    assert json.loads(again.stdout)["built"] is False
    assert json.loads(again.stdout)["engine"]["precision"] == "fp16"
    alike = alpamayo("engine", "compare", sides[0], "half/profile.yaml", "--random", "2")
    assert alike.returncode == 0, alike.stdout
    other = alpamayo(*build[:-1], str(tmp_path / "half"), "--precision", "fp32")
    assert other.returncode == 4
    assert "is there already and is the engine" in other.stderr


def test_a_bench_says_what_a_tick_costs_and_what_a_fall_does(
    alpamayo: Run, make_odometry_bag: Callable[..., Path], tmp_path: Path
) -> None:
    run = alpamayo(
        "engine", "bench", "kinematic", make_odometry_bag(), "--failover", "--passes", "2", "--out", "b.json"
    )
    assert run.returncode == 0, run.stderr
    assert "start to first answer" in run.stdout
    document = json.loads((tmp_path / "b.json").read_text())
    assert list(document["latency_ms"]) == ["observe", "perceive", "reason", "plan", "all"]
    whole = document["latency_ms"]["all"]
    assert 0.0 < whole["p50"] <= whole["p90"] <= whole["p99"] <= whole["largest"]
    assert whole["count"] > 10
    assert document["start_s"] > document["load_s"] >= 0.0
    assert document["peak_memory_mb"] > 30.0
    assert document["host"]["python"]
    # A killed process is noticed at once, one that hangs after a second; then a fresh one answers.
    killed, hanging = document["failover_s"]["killed"], document["failover_s"]["hanging"]
    assert killed["reported"] < killed["answered"]
    assert 0.9 < hanging["reported"] < hanging["answered"]


def test_a_bench_of_what_cannot_run_ends_as_a_replay_of_it_would(
    alpamayo: Run, make_odometry_bag: Callable[..., Path], tmp_path: Path
) -> None:
    run = alpamayo("engine", "bench", "kinematic@warp", make_odometry_bag(), "--json")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("alpamayo:") == 1
    assert "backend 'warp' is not known" in run.stderr
    run = alpamayo("engine", "bench", "kinematic", str(tmp_path / "nothing"))
    assert run.returncode == 2
    assert "nothing does not exist" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--backend", "tensorrt", "--arch", "sm_90"], 2, "architecture 'sm_90' is not known; expected one of: sm_120"),
        (["--backend", "tensorrt", "--arch", " , "], 2, "names no GPU; expected names such as sm_86,sm_89"),
        (["--backend", "ort_cpu", "--arch", "sm_86"], 2, "backend 'ort_cpu' has no architecture"),
        (["--backend", "nim"], 2, "backend to build for 'nim' is not known"),
    ],
)
def test_an_engine_for_what_is_not_known_is_refused(
    alpamayo: Run, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    run = alpamayo("engine", "build", "nano", *arguments, "--out", "e")
    assert run.returncode == code
    assert words in run.stderr
    assert not (tmp_path / "e").exists()
