"""What cannot be measured is said at once; what was measured is a plain document. Nothing here needs torch."""

import json
import math
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from alpamayo_ros.errors import BackendError, BackendUnavailableError
from alpamayo_ros.inference.networks.model_shape import ALPAMAYO_1_5, TINY
from alpamayo_ros.inference.shape_bench import PARTS, ShapeRequest, bench_shape, shape_bench_document, time_answer
from alpamayo_ros.structs.engine_bench import Latency
from alpamayo_ros.structs.shape_bench import ShapeBench


def request(shape: Any = TINY, device: str = "cpu", dtype: str = "fp32") -> ShapeRequest:
    return ShapeRequest(shape, device, dtype, tokens=3, samples=2, repeats=4)


def not_asked() -> float:
    raise AssertionError("nothing may be measured")


def refused(one: ShapeRequest, free: int | None = None) -> None:
    bench_shape(one, not_asked, not_asked, free_bytes=lambda: free)


def test_torch_that_is_absent_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackendUnavailableError, match=r"'tiny' is run by torch, .*: pip install alpamayo_ros\[torch\]"):
        refused(request())


def test_a_gpu_that_is_absent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    no_gpu = SimpleNamespace(__version__="0", cuda=SimpleNamespace(is_available=lambda: False))
    monkeypatch.setitem(sys.modules, "torch", no_gpu)
    with pytest.raises(BackendUnavailableError, match=r"it finds no GPU; expected .* or --device cpu"):
        refused(request(device="cuda"))


def test_memory_that_is_too_little_is_said_before_any_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(__version__="0"))
    with pytest.raises(BackendError, match=r"'alpamayo-1.5' in bf16 needs about 2\d\.\d GB on device 'cpu', where 8.0"):
        refused(request(ALPAMAYO_1_5, dtype="bf16"), 8 * 10**9)


def test_a_gpu_tells_of_its_own_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = SimpleNamespace(is_available=lambda: True, mem_get_info=lambda: (10**9, 24 * 10**9))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(__version__="0", cuda=cuda))
    with pytest.raises(BackendError, match=r"on device 'cuda', where 1\.0 GB are free; expected a device with more"):
        refused(request(ALPAMAYO_1_5, "cuda", "bf16"), 10**15)


def test_a_dtype_that_is_not_known_is_named() -> None:
    with pytest.raises(BackendError, match="dtype 'int3' is not known; expected one of: bf16, fp16, fp32"):
        refused(request(dtype="int3"))


def test_the_parts_of_an_answer_add_up_to_the_whole() -> None:
    """With a clock that goes on by one second a reading, each part takes as many seconds as it has readings."""
    ticks = iter(range(100))
    language = SimpleNamespace(prefill=lambda *_: None, decode=lambda *_: None, next_token=lambda _: None)
    expert = SimpleNamespace(begin=lambda *_: None, step=lambda actions, *_: actions)
    model = SimpleNamespace(vision=lambda _: (None, []), language=language, expert=expert, shape=TINY)
    inputs = SimpleNamespace(images=None, text=None, cache=None, noise=[0, 0])
    found = time_answer(model, inputs, 3, lambda: float(next(ticks)))
    assert list(found) == list(PARTS)
    assert found["token"] == [1.0] * 3
    assert found["step"] == [1.0] * TINY.action.steps
    whole = (found[part][0] for part in ("vision", "prefill", "decode", "flow"))
    assert sum(whole) == found["all"][0] == 1.0 + 1.0 + 3.0 + TINY.action.steps


def test_the_document_is_json_and_what_is_not_told_is_null() -> None:
    one = Latency(4, 1.0, 2.0, 3.0, 4.0, 1.50049)
    found = ShapeBench(
        shape="tiny", sizes=TINY.document(), parameters={"vision": 1, "language": 2, "expert": 3}, device="cpu",
        device_name="a processor", dtype="fp32", threads=1, seed=7, libraries={"torch": "0"}, host={}, prompt=20,
        tokens=3, samples=2, steps=10, repeats=4, needed_bytes=2**21, load_s=0.12345, peak_memory_mb=math.nan,
        latency_ms=dict.fromkeys(PARTS, one), tokens_per_s=math.nan,
    )  # fmt: skip
    document = json.loads(json.dumps(shape_bench_document(found), allow_nan=False))
    assert document["peak_memory_mb"] is None
    assert document["tokens_per_s"] is None
    assert document["needed_mb"] == 2.0
    assert document["parameters"]["all"] == 6
    assert "mean nothing" in document["weights"]
    assert document["latency_ms"]["step"] == {
        "count": 4, "p50": 1.0, "p90": 2.0, "p99": 3.0, "largest": 4.0, "mean": 1.5,
    }  # fmt: skip
    assert document["sizes"]["expert"]["kv_heads"] == 2
