"""The ``ort_tensorrt`` backend: ONNX files by ONNX Runtime in TensorRT on one GPU, every node or a stated share."""

import os

from alpamayo_ros.errors import BackendError
from alpamayo_ros.inference.backend import ONE_CPU_THREAD, SessionOptions
from alpamayo_ros.inference.backends.ort_cpu_backend import PROVIDER as CPU
from alpamayo_ros.inference.backends.ort_session import (
    OrtSession,
    Provider,
    library_versions,
    open_model_file,
    open_onnx_with,
)
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.inference.networks.lengths import Lengths, lengths_of
from alpamayo_ros.params.profile import StageSpec

__all__ = ["library_versions", "open_session", "provider_for"]

_OPTIONS = {
    "device_id": "0",
    # An engine of another run or model must not be taken for this one: the file is built anew when it is loaded.
    "trt_engine_cache_enable": "0",
    "trt_timing_cache_enable": "0",
    # Precision is in the file; TensorRT must not choose another one.
    "trt_fp16_enable": "0",
    "trt_int8_enable": "0",
    "trt_cuda_graph_enable": "0",
}


def open_session(stage: StageSpec, model: ModelFolder | None, options: SessionOptions = ONE_CPU_THREAD) -> OrtSession:
    """Load an ONNX file of the model folder; see ``open_model_file``.

    Raises:
        ArtifactError: Besides, the model does not say how long its tensors get.
    """
    shapes = {} if model is None else _shapes(stage.program, model)
    # The provider has no option of its own for it; NVIDIA's libraries read it when they are first used.
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
    return open_model_file("ort_tensorrt", provider_for(shapes), stage, model, options)


def provider_for(shapes: dict[str, str]) -> Provider:
    """Return the provider with the shapes that TensorRT is to build for."""
    return Provider("TensorrtExecutionProvider", "onnxruntime-gpu tensorrt", {**_OPTIONS, **shapes})


def _shapes(program: str, model: ModelFolder) -> dict[str, str]:
    """Return the options that name least, usual and largest shape of the file's open inputs."""
    # The CPU reads any file; what it takes is all that is asked here.
    inputs = open_onnx_with(CPU, program, model.read(program), ONE_CPU_THREAD).input_specs
    lengths: Lengths = lengths_of(model)
    parts: dict[str, list[str]] = {"min": [], "opt": [], "max": []}
    for tensor in inputs:
        if -1 not in tensor.shape:
            continue
        if tensor.name not in lengths:
            raise BackendError(
                f"{program}: input {tensor.name!r} has an open dimension, and the lengths of "
                f"{', '.join(sorted(lengths))} are known; expected its length to be known too"
            )
        for part, length in zip(parts.values(), lengths[tensor.name], strict=True):
            part.append(f"{tensor.name}:{'x'.join(str(length if size == -1 else size) for size in tensor.shape)}")
    return {f"trt_profile_{name}_shapes": ",".join(part) for name, part in parts.items() if part}
