"""What a model of a given shape, with random weights, costs on one device."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alpamayo_ros.structs.engine_bench import Latency


@dataclass(frozen=True, slots=True)
class ShapeBench:
    """What was measured of one shape on one device.

    Attributes:
        shape: Its name.
        sizes: Its sizes, by part.
        parameters: Number of parameters, by part.
        device: ``cuda`` or ``cpu``.
        device_name: Of the GPU or the processor.
        dtype: ``bf16``, ``fp16`` or ``fp32``.
        threads: Threads of the processor that torch computes with.
        seed: Of weights and inputs.
        libraries: Versions of the libraries.
        host: Machine, operating system and Python.
        prompt: Tokens of the prompt.
        tokens: Tokens answered one by one.
        samples: Trajectories.
        steps: Steps of flow matching.
        repeats: Answers that were measured, after those of the warm-up.
        needed_bytes: What was taken to be needed before anything was made.
        load_s: Making the weights.
        peak_memory_mb: Largest memory taken, MiB: on a GPU by torch, on a CPU by the process.
        latency_ms: ``vision``, ``prefill``, ``token``, ``decode`` (all tokens), ``step``, ``flow`` (all steps) and
            ``all``; its ``count`` is of readings.
        tokens_per_s: Tokens that are decoded in a second.
    """

    shape: str
    sizes: Mapping[str, Any]
    parameters: Mapping[str, int]
    device: str
    device_name: str
    dtype: str
    threads: int
    seed: int
    libraries: Mapping[str, str]
    host: Mapping[str, Any]
    prompt: int
    tokens: int
    samples: int
    steps: int
    repeats: int
    needed_bytes: int
    load_s: float
    peak_memory_mb: float
    latency_ms: Mapping[str, Latency]
    tokens_per_s: float
