"""``alpamayo engine bench --shape``: what goes with it, what does not, and what is shown. Without torch."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.cli import shape_bench
from alpamayo_ros.cli.shape_bench import print_shape_bench
from alpamayo_ros.inference.shape_bench import PARTS

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing says what is measured; expected MODEL and BAG, or --shape NAME"),
        (["nano"], "nothing says what is measured"),
        (["nano", "bag", "--device", "cpu"], "without --shape nothing takes --device; expected --shape NAME too"),
        (["nano", "bag", "--tokens", "4", "--seed", "0"], "without --shape nothing takes --tokens, --seed"),
        (["nano", "bag", "--shape", "tiny"], "without MODEL, BAG; expected either --shape NAME, or MODEL and BAG"),
        (["--shape", "tiny", "--worker", "--passes", "2"], "without --passes, --worker; expected either"),
        (["--shape", "gigantic"], "shape 'gigantic' is not known; expected one of: alpamayo-1.5, tiny"),
    ],
)
def test_a_model_or_a_shape_is_measured_with_its_own_options(alpamayo: Run, arguments: list[str], words: str) -> None:
    run = alpamayo("engine", "bench", *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr
    assert run.stderr.count("alpamayo:") == 1


def test_without_torch_the_extra_is_named(alpamayo: Run, tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "torch.py").write_text("raise ImportError('torch is hidden', name='torch')\n")
    run = alpamayo(
        "engine", "bench", "--shape", "tiny", "--device", "cpu", "--out", "b.json", PYTHONPATH=str(tmp_path / "hidden")
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert "pip install alpamayo_ros[torch]" in run.stderr
    assert not (tmp_path / "b.json").exists()


def test_the_help_says_that_the_answers_mean_nothing(alpamayo: Run) -> None:
    shown = " ".join(alpamayo("engine", "bench", "--help", COLUMNS="200").stdout.split())
    assert "what it answers means nothing" in shown
    assert "random weights" in shown


def test_the_table_names_every_part(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    monkeypatch.setattr(shape_bench, "OUT", Console(width=200))
    one = {"p50": 1.0, "p90": 2.0, "p99": 3.0, "largest": 4.0, "mean": 1.5, "count": 4}
    document: dict[str, Any] = {
        "shape": "tiny", "dtype": "bf16", "libraries": {"torch": "0", "cuda": "1"}, "repeats": 4, "prompt": 44,
        "tokens": 3, "samples": 2, "device": "cuda", "device_name": "a GPU", "weights": "random", "seed": 7,
        "latency_ms": dict.fromkeys(PARTS, one), "load_s": 0.5, "peak_memory_mb": None, "tokens_per_s": None,
        "parameters": {"vision": 1, "language": 2000, "expert": 3, "all": 2004},
    }  # fmt: skip
    print_shape_bench(document)
    shown = capsys.readouterr().out
    for words in ("backend torch (cuda 1, torch 0)", "4 answers of 44 + 3 tokens and 2 trajectories, on a GPU",
                  "one step of the flow", "whole answer", "2,004", "largest memory of the device", "not measured",
                  "the host does not tell"):  # fmt: skip
        assert words in shown
