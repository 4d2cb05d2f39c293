"""The bench of a shape, run by torch: what it measures and states, and the program that does it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; run 'make test-torch'")

from alpamayo_ros.errors import BackendError, BackendUnavailableError  # noqa: E402
from alpamayo_ros.inference.networks.model_shape import TINY, parameter_counts  # noqa: E402
from alpamayo_ros.inference.shape_bench import WARM_UP, ShapeRequest, bench_shape, shape_bench_document  # noqa: E402

PROGRAM = Path(sys.executable).with_name("alpamayo")
HAS_GPU = torch.cuda.is_available()
NO_GPU = pytest.mark.skipif(HAS_GPU, reason="a GPU is there")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Several threads wait for each other on a busy machine, longer than one would take."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny(device: str = "cpu", dtype: str = "fp32", seed: int = 0) -> ShapeRequest:
    return ShapeRequest(TINY, device, dtype, tokens=3, samples=2, repeats=4, seed=seed)


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_every_part_is_read_as_often_as_it_happens(dtype: str) -> None:
    ticks, told = iter(range(10**6)), []
    found = bench_shape(tiny(dtype=dtype), lambda: float(next(ticks)), lambda: 123.0, lambda *done: told.append(done))
    counts = {part: one.count for part, one in found.latency_ms.items()}
    steps = TINY.action.steps
    assert counts == {
        "vision": 4, "prefill": 4, "token": 12, "decode": 4, "step": 4 * steps, "flow": 4, "all": 4,
    }  # fmt: skip
    # The clock goes on by a second a reading.
    assert found.latency_ms["step"].largest == 1000.0
    assert found.latency_ms["all"].p50 == 1000.0 * (2 + 3 + steps)
    assert found.tokens_per_s == 1.0
    assert found.parameters == parameter_counts(TINY)
    assert found.peak_memory_mb == 123.0
    assert found.libraries == {"torch": str(torch.__version__)}
    assert told[0] == (0, WARM_UP + 4)
    assert told[-1] == (WARM_UP + 4, WARM_UP + 4)
    json.dumps(shape_bench_document(found), allow_nan=False)


def test_what_torch_cannot_do_is_an_error_of_ours() -> None:
    def broken() -> float:
        raise RuntimeError("the clock fell down")

    with pytest.raises(BackendError, match="shape tiny could not be run on device cpu: the clock fell down"):
        bench_shape(tiny(), broken, lambda: 0.0)


@NO_GPU
def test_a_gpu_that_is_not_there_is_said() -> None:
    with pytest.raises(BackendUnavailableError, match=r"torch \d.*: it finds no GPU"):
        bench_shape(tiny("cuda"), lambda: 0.0, lambda: 0.0)


@pytest.mark.skipif(not HAS_GPU, reason="there is no GPU that torch can use")
@pytest.mark.parametrize("dtype", ["fp32", "bf16", "fp16"])
def test_it_runs_on_a_gpu(dtype: str) -> None:
    ticks = iter(range(10**6))
    found = bench_shape(tiny("cuda", dtype), lambda: float(next(ticks)), lambda: 0.0)
    assert found.peak_memory_mb > 0.0
    assert found.libraries["cuda"]


def run_program(*arguments: str, folder: Path) -> Any:
    return subprocess.run(
        [str(PROGRAM), "engine", "bench", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_measures_and_writes_it(tmp_path: Path) -> None:
    options = ["--shape", "tiny", "--device", "cpu", "--tokens", "3", "--samples", "2", "--repeats", "3"]
    run = run_program(*options, "--seed", "9", "--out", "found/bench.json", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "whole answer" in run.stdout
    assert "mean nothing" in run.stdout
    document = json.loads((tmp_path / "found" / "bench.json").read_text())
    assert (document["dtype"], document["seed"], document["repeats"]) == ("fp32", 9, 3)
    assert document["prompt"] == TINY.prompt
    assert document["peak_memory_mb"] > 50.0
    whole = document["latency_ms"]["all"]
    assert 0.0 < whole["p50"] <= whole["p90"] <= whole["p99"] <= whole["largest"]
    assert document["host"]["python"]
    run = run_program(*options, "--dtype", "bf16", "--json", folder=tmp_path)
    assert json.loads(run.stdout)["dtype"] == "bf16", run.stderr


@NO_GPU
def test_the_program_says_what_is_missing(tmp_path: Path) -> None:
    run = run_program("--shape", "alpamayo-1.5", folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert "it finds no GPU" in run.stderr
