"""Measure what a model of a given shape costs on one device, with random weights and torch.

Its answers mean nothing; its latency is that of a trained model of the same shape that is run in the same way: eagerly,
by ``scaled_dot_product_attention``, one text for all trajectories, the likeliest token each time, and no stop token.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from alpamayo_ros.errors import BackendError, BackendUnavailableError, expected_one_of
from alpamayo_ros.inference.backends.failures import translated
from alpamayo_ros.inference.free_memory import free_memory_bytes
from alpamayo_ros.inference.networks.model_shape import ModelShape, needed_bytes
from alpamayo_ros.lineage.runtime import provenance
from alpamayo_ros.structs.engine_bench import Latency
from alpamayo_ros.structs.shape_bench import ShapeBench

VISION, PREFILL, TOKEN, DECODE, STEP, FLOW, ALL = "vision", "prefill", "token", "decode", "step", "flow", "all"
PARTS = (VISION, PREFILL, TOKEN, DECODE, STEP, FLOW, ALL)
WARM_UP = 2
"""Answers before the first that is measured: kernels are chosen and memory is taken in them."""
NUMBER_BYTES = {"bf16": 2, "fp16": 2, "fp32": 4}
_TORCH_NAMES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
_MIB = 2**20

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class ShapeRequest:
    """What to measure.

    Attributes:
        shape: Of the model.
        device: ``cuda`` or ``cpu``.
        dtype: ``bf16``, ``fp16`` or ``fp32``.
        tokens: Tokens answered one by one, at least 1.
        samples: Trajectories, at least 1.
        repeats: Answers that are measured, at least 1.
        seed: Of weights and inputs.
    """

    shape: ModelShape
    device: str
    dtype: str
    tokens: int
    samples: int
    repeats: int
    seed: int = 0


def bench_shape(
    request: ShapeRequest,
    clock: Clock,
    process_memory_mb: Callable[[], float],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    free_bytes: Callable[[], int | None] = free_memory_bytes,
) -> ShapeBench:
    """Make the model, answer some times, and measure each part.

    Args:
        request: What to measure.
        clock: Seconds.
        process_memory_mb: Largest memory of this process so far, MiB; asked for on a CPU.
        progress: Called with answers done and their total, those of the warm-up included.
        free_bytes: Memory that is left on a CPU; a GPU tells of its own.

    Raises:
        BackendError: The device has too little memory, which is said before any is taken, or could not do it.
        BackendUnavailableError: torch, or a GPU that it can use, is absent.
    """
    torch = _torch(request)
    needed = _require_memory(request, torch, free_bytes)
    return translated(
        lambda: _measure(request, torch, needed, clock, process_memory_mb, progress),
        f"shape {request.shape.name} could not be run on device {request.device}",
    )


def _torch(request: ShapeRequest) -> Any:
    """Return torch, and make sure of the device.

    Raises:
        BackendError: The dtype is not known.
        BackendUnavailableError: torch or a GPU is absent.
    """
    if request.dtype not in NUMBER_BYTES:
        raise BackendError(expected_one_of("dtype", request.dtype, list(NUMBER_BYTES)))
    try:
        torch: Any = import_module("torch")
    except ImportError as error:
        raise BackendUnavailableError(
            f"shape {request.shape.name!r} is run by torch, which cannot be imported ({error}); expected it to be "
            "installed: pip install alpamayo_ros[torch]"
        ) from error
    if request.device == "cuda" and not torch.cuda.is_available():
        raise BackendUnavailableError(
            f"device 'cuda' cannot be used by torch {torch.__version__}: it finds no GPU; expected a GPU with its "
            "driver and a build of torch for it, or --device cpu"
        )
    return torch


def _require_memory(request: ShapeRequest, torch: Any, free_bytes: Callable[[], int | None]) -> int:
    """Return the bytes that are needed, once they are known to be there.

    Raises:
        BackendError: They are not.
    """
    needed = needed_bytes(request.shape, NUMBER_BYTES[request.dtype], request.tokens, request.samples)
    free = int(torch.cuda.mem_get_info()[0]) if request.device == "cuda" else free_bytes()
    if free is not None and needed > free:
        raise BackendError(
            f"shape {request.shape.name!r} in {request.dtype} needs about {needed / 1e9:.1f} GB on device "
            f"{request.device!r}, where {free / 1e9:.1f} GB are free; expected a device with more, fewer --samples, a "
            "--dtype of fewer bytes, or --shape tiny"
        )
    return needed


def _measure(
    request: ShapeRequest,
    torch: Any,
    needed: int,
    clock: Clock,
    process_memory_mb: Callable[[], float],
    progress: Callable[[int, int], None],
) -> ShapeBench:
    from alpamayo_ros.inference.networks.shaped_model import make_inputs, make_shaped_model

    shape, on_gpu = request.shape, request.device == "cuda"
    place = {"device": torch.device(request.device), "dtype": getattr(torch, _TORCH_NAMES[request.dtype])}

    def now() -> float:
        if on_gpu:
            torch.cuda.synchronize()
        return clock()

    begin = now()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    model = make_shaped_model(shape, request.seed, **place)
    load_s = now() - begin
    inputs = make_inputs(shape, request.seed, request.tokens, request.samples, **place)
    seconds: dict[str, list[float]] = {part: [] for part in PARTS}
    for number in range(WARM_UP + request.repeats):
        progress(number, WARM_UP + request.repeats)
        with torch.inference_mode():
            found = time_answer(model, inputs, request.tokens, now)
        for part in PARTS if number >= WARM_UP else ():
            seconds[part] += found[part]
    progress(WARM_UP + request.repeats, WARM_UP + request.repeats)
    latency = {part: _latency(values) for part, values in seconds.items()}
    return ShapeBench(
        shape=shape.name,
        sizes=shape.document(),
        parameters=model.parameter_counts(),
        device=request.device,
        device_name=str(torch.cuda.get_device_name()) if on_gpu else provenance()["cpu"],
        dtype=request.dtype,
        threads=int(torch.get_num_threads()),
        seed=request.seed,
        libraries=_libraries(torch, on_gpu=on_gpu),
        host=provenance(),
        prompt=shape.prompt,
        tokens=request.tokens,
        samples=request.samples,
        steps=shape.action.steps,
        repeats=request.repeats,
        needed_bytes=needed,
        load_s=load_s,
        peak_memory_mb=torch.cuda.max_memory_allocated() / _MIB if on_gpu else process_memory_mb(),
        latency_ms=latency,
        tokens_per_s=1000.0 / latency[TOKEN].mean if latency[TOKEN].mean else math.nan,
    )


def time_answer(model: Any, inputs: Any, tokens: int, now: Clock) -> dict[str, list[float]]:
    """Answer once, and return the seconds of each part; of a token and of a step as many as there were.

    Args:
        model: A ``ShapedModel``.
        inputs: Its ``ShapedInputs``; the cache is filled anew.
        tokens: Tokens to decode after the first, which the prefill gives.
        now: Seconds, once the device has done all it was given.
    """
    times = [now()]
    pictures, deeper = model.vision(inputs.images)
    times.append(now())
    token = model.language.next_token(model.language.prefill(pictures, deeper, inputs.text, inputs.cache))
    times.append(now())
    spoken = [times[-1]]
    for _ in range(tokens):
        token = model.language.next_token(model.language.decode(token, inputs.cache))
        spoken.append(now())
    context = model.expert.begin(inputs.cache, len(inputs.noise))
    actions, stepped = inputs.noise, [spoken[-1]]
    for number in range(model.shape.action.steps):
        actions = model.expert.step(actions, number, context)
        stepped.append(now())
    return {
        VISION: [times[1] - times[0]],
        PREFILL: [times[2] - times[1]],
        TOKEN: np.diff(spoken).tolist(),
        DECODE: [spoken[-1] - spoken[0]],
        STEP: np.diff(stepped).tolist(),
        FLOW: [stepped[-1] - stepped[0]],
        ALL: [stepped[-1] - times[0]],
    }


def _latency(seconds: list[float]) -> Latency:
    values = 1000.0 * np.array(seconds)
    p50, p90, p99 = (float(value) for value in np.percentile(values, [50, 90, 99]))
    return Latency(len(values), p50, p90, p99, float(values.max()), float(values.mean()))


def _libraries(torch: Any, *, on_gpu: bool) -> dict[str, str]:
    versions = {"torch": str(torch.__version__)}
    if on_gpu:
        versions["cuda"] = str(torch.version.cuda)
        versions["cudnn"] = str(torch.backends.cudnn.version())
    return versions


def shape_bench_document(found: ShapeBench) -> dict[str, Any]:
    """Return plain values for JSON; what the host does not tell is null."""
    return {
        "shape": found.shape,
        "weights": "random: a measure of latency, the answers mean nothing",
        "backend": "torch",
        "device": found.device,
        "device_name": found.device_name,
        "dtype": found.dtype,
        "threads": found.threads,
        "seed": found.seed,
        "libraries": dict(found.libraries),
        "host": dict(found.host),
        "parameters": {**found.parameters, ALL: sum(found.parameters.values())},
        "sizes": dict(found.sizes),
        "prompt": found.prompt,
        "tokens": found.tokens,
        "samples": found.samples,
        "steps": found.steps,
        "repeats": found.repeats,
        "load_s": _rounded(found.load_s, 3),
        "needed_mb": _rounded(found.needed_bytes / _MIB, 1),
        "peak_memory_mb": _rounded(found.peak_memory_mb, 1),
        "latency_ms": {
            part: {
                "count": one.count,
                **{name: _rounded(getattr(one, name), 3) for name in ("p50", "p90", "p99", "largest", "mean")},
            }
            for part, one in found.latency_ms.items()
        },
        "tokens_per_s": _rounded(found.tokens_per_s, 2),
    }


def _rounded(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
