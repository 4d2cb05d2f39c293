"""The ``ort_cpu`` backend: ONNX files by ONNX Runtime on the CPU, pinned to a number of threads, nothing else."""

from alpamayo_ros.inference.backend import ONE_CPU_THREAD, SessionOptions
from alpamayo_ros.inference.backends.ort_session import (
    CPU_PROVIDER,
    OrtSession,
    Provider,
    library_versions,
    open_model_file,
    open_onnx_with,
)
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.params.profile import StageSpec

__all__ = ["PROVIDER", "library_versions", "open_onnx", "open_session"]

PROVIDER = Provider(CPU_PROVIDER, "onnxruntime")


def open_session(stage: StageSpec, model: ModelFolder | None, options: SessionOptions = ONE_CPU_THREAD) -> OrtSession:
    """Load an ONNX file of the model folder; see ``open_model_file``."""
    return open_model_file("ort_cpu", PROVIDER, stage, model, options)


def open_onnx(name: str, data: bytes, options: SessionOptions = ONE_CPU_THREAD) -> OrtSession:
    """Load an ONNX file's bytes; see ``open_onnx_with``."""
    return open_onnx_with(PROVIDER, name, data, options)
