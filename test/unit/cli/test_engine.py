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
