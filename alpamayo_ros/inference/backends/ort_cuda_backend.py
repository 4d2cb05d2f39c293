"""The ``ort_cuda`` backend: ONNX files by ONNX Runtime on one GPU, every node of them, in float32."""

from alpamayo_ros.inference.backend import ONE_CPU_THREAD, SessionOptions
from alpamayo_ros.inference.backends.ort_session import OrtSession, Provider, library_versions, open_model_file
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.params.profile import StageSpec

__all__ = ["PROVIDER", "library_versions", "open_session"]

PROVIDER = Provider(
    "CUDAExecutionProvider",
    "onnxruntime-gpu",
    # TF32 keeps ten bits of a factor; a search for the fastest convolution may find another one on each start.
    {"device_id": "0", "use_tf32": "0", "cudnn_conv_algo_search": "DEFAULT"},
)


def open_session(stage: StageSpec, model: ModelFolder | None, options: SessionOptions = ONE_CPU_THREAD) -> OrtSession:
    """Load an ONNX file of the model folder; see ``open_model_file``."""
    return open_model_file("ort_cuda", PROVIDER, stage, model, options)
