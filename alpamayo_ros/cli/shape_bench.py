"""``alpamayo engine bench --shape``: what a model of a given shape costs here, with random weights."""

import time
from collections.abc import Mapping
from enum import Enum
from typing import Any

from alpamayo_ros.cli.console import OUT, print_aligned, progress_bar
from alpamayo_ros.errors import ConfigurationError

TOKENS, SAMPLES, REPEATS = 64, 6, 20
"""Unless said otherwise; 64 tokens at most and 6 trajectories are what the code of Alpamayo 1.5 takes as well."""
_PARTS = {
    "vision": "vision tower",
    "prefill": "prefill, first token",
    "token": "one more token",
    "decode": "all these tokens",
    "step": "one step of the flow",
    "flow": "all steps of the flow",
    "all": "whole answer",
}


class Device(str, Enum):
    """Where it runs."""

    CUDA = "cuda"
    CPU = "cpu"


class Dtype(str, Enum):
    """Numbers that it computes with."""

    BF16 = "bf16"
    FP16 = "fp16"
    FP32 = "fp32"


def require_one_kind(shape: str | None, for_model: Mapping[str, Any], for_shape: Mapping[str, Any]) -> None:
    """Make sure that a model on a bag is measured, or a shape, with the options of that alone.

    Args:
        shape: Name of a shape, None where there is none.
        for_model: Arguments and options of a model on a bag, ``MODEL`` and ``BAG`` among them; those not given are
            falsy.
        for_shape: Options of a shape; those not given are None.

    Raises:
        ConfigurationError: It is neither or both.
    """
    if shape is None:
        given = [name for name, value in for_shape.items() if value is not None]
        if given:
            raise ConfigurationError(
                f"without --shape nothing takes {', '.join(given)}; expected --shape NAME too, or none of these"
            )
        if not (for_model["MODEL"] and for_model["BAG"]):
            raise ConfigurationError("nothing says what is measured; expected MODEL and BAG, or --shape NAME")
        return
    given = [name for name, value in for_model.items() if value]
    if given:
        raise ConfigurationError(
            f"--shape measures random weights on random inputs, without {', '.join(given)}; expected either --shape "
            "NAME, or MODEL and BAG with their options"
        )


def bench_shape_here(shape: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Measure in this process, and return the document.

    Args:
        shape: Name of the shape.
        options: By name; what is None is chosen here.

    Raises:
        BackendError: The device has too little memory.
        BackendUnavailableError: torch or the device is absent.
        ConfigurationError: The shape is not known.
    """
    from alpamayo_ros.inference.networks.model_shape import shape_named
    from alpamayo_ros.inference.shape_bench import ShapeRequest, bench_shape, shape_bench_document
    from alpamayo_ros.replay.engine_bench import peak_memory_mb

    device = options["--device"] or Device.CUDA
    dtype = options["--dtype"] or (Dtype.BF16 if device is Device.CUDA else Dtype.FP32)
    request = ShapeRequest(
        shape_named(shape),
        device.value,
        dtype.value,
        tokens=options["--tokens"] or TOKENS,
        samples=options["--samples"] or SAMPLES,
        repeats=options["--repeats"] or REPEATS,
        seed=options["--seed"] or 0,
    )
    with progress_bar("answering") as progress:
        return shape_bench_document(bench_shape(request, time.perf_counter, peak_memory_mb, progress))


def print_shape_bench(document: dict[str, Any]) -> None:
    """Print a document as a table."""
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(document["libraries"].items()))
    OUT.print(f"shape {document['shape']} in {document['dtype']}: backend torch ({libraries})", markup=False)
    OUT.print(
        f"{document['repeats']} answers of {document['prompt']} + {document['tokens']} tokens and "
        f"{document['samples']} trajectories, on {document['device_name']}",
        markup=False,
    )
    OUT.print(f"weights are {document['weights']}", markup=False)
    rows: list[tuple[str, ...]] = [("part of an answer", "p50", "p90", "p99", "largest", "ms")]
    rows += [
        (_PARTS[part], *(f"{one[name]:.2f}" for name in ("p50", "p90", "p99", "largest")), "ms")
        for part, one in document["latency_ms"].items()
    ]
    print_aligned(OUT, rows, right=(1, 2, 3, 4))
    counts, memory, rate = document["parameters"], document["peak_memory_mb"], document["tokens_per_s"]
    whose = "device" if document["device"] == Device.CUDA.value else "process"
    print_aligned(
        OUT,
        [
            ("tokens decoded per second", "not measured" if rate is None else f"{rate:.1f}"),
            (f"largest memory of the {whose}", "the host does not tell" if memory is None else f"{memory:.0f} MiB"),
            ("parameters", f"{counts['all']:,}"),
            *((f"  {name}", f"{counts[name]:,}") for name in ("vision", "language", "expert")),
            ("making the weights", f"{document['load_s']:.2f} s"),
            ("seed", str(document["seed"])),
        ],
    )
