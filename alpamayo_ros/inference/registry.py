"""Open a session by backend id; there is no fall-back from one backend to another."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from alpamayo_ros.errors import BackendError, BackendUnavailableError, expected_one_of
from alpamayo_ros.inference.backend import ONE_CPU_THREAD, Session, SessionOptions
from alpamayo_ros.inference.engine_identity import require_engine_fits
from alpamayo_ros.inference.model_folder import WEIGHTS, ModelFolder, engine_name
from alpamayo_ros.params.profile import StageSpec

BACKEND_IDS = ("reference", "torch", "ort_cpu", "ort_cuda", "ort_tensorrt", "tensorrt", "nim")
"""Every backend id that a profile may name."""

DETECTOR_BACKEND = "ort_cpu"
"""What runs a detector, whatever the profile's backend is."""

_MODULES = {
    "reference": "alpamayo_ros.inference.backends.reference_backend",
    "torch": "alpamayo_ros.inference.backends.torch_backend",
    "ort_cpu": "alpamayo_ros.inference.backends.ort_cpu_backend",
    "ort_cuda": "alpamayo_ros.inference.backends.ort_cuda_backend",
    "ort_tensorrt": "alpamayo_ros.inference.backends.ort_tensorrt_backend",
    "tensorrt": "alpamayo_ros.inference.backends.tensorrt_backend",
}


_INSTALLED_BY = {
    "torch": "alpamayo_ros[torch]",
    "ort_cuda": "onnxruntime-gpu",
    "ort_tensorrt": "onnxruntime-gpu",
    "tensorrt": "alpamayo_ros[tensorrt-rtx]",
}
"""Where more than the library of the error is needed."""


_EXECUTED: Mapping[str, Callable[[str], str]] = {"torch": lambda _program: WEIGHTS, "tensorrt": engine_name}
"""File of a model folder that a backend runs for a program, where it is not the one that the stage names."""


def open_session(
    backend: str, stage: StageSpec, model: ModelFolder | None = None, options: SessionOptions = ONE_CPU_THREAD
) -> Session:
    """Load a stage's program or engine.

    Args:
        backend: Backend id.
        stage: What to load.
        model: Where the files of the model are.
        options: How it runs.

    Raises:
        ArtifactError: A file is missing or is not the one that the model names.
        BackendError: The backend or the program is not known, or refuses the file.
        BackendUnavailableError: The backend is known, but its library is absent or this version does not contain it.
    """
    module = _backend_module(backend)
    if model is not None:
        require_engine_fits(model, backend, module.library_versions())
    session: Session = module.open_session(stage, model, options)
    return session


def executed_file(backend: str, program: str) -> str:
    """Return the name of the model's file that a backend runs for a stage's program."""
    return _EXECUTED[backend](program) if backend in _EXECUTED else program


def open_onnx(name: str, data: bytes, options: SessionOptions = ONE_CPU_THREAD) -> Session:
    """Load one ONNX file that is no part of a model folder, on the CPU.

    Args:
        name: For error texts.
        data: The file, whose digest the caller has verified.
        options: How it runs.

    Raises:
        BackendError: ONNX Runtime refuses the file.
        BackendUnavailableError: ONNX Runtime is absent.
    """
    session: Session = _backend_module(DETECTOR_BACKEND).open_onnx(name, data, options)
    return session


def library_versions(backend: str) -> dict[str, str]:
    """Return the versions of the libraries that a backend computes with, beside those that every stage uses.

    A backend that is not known or not built has none: who opens a session is told so.

    Raises:
        BackendUnavailableError: The library is absent.
    """
    if backend not in _MODULES:
        return {}
    versions: dict[str, str] = _backend_module(backend).library_versions()
    return versions


def _backend_module(backend: str) -> Any:
    if backend not in BACKEND_IDS:
        raise BackendError(expected_one_of("backend", backend, BACKEND_IDS))
    if backend not in _MODULES:
        raise BackendUnavailableError(
            f"backend {backend!r} is not part of this version; expected one of: {', '.join(sorted(_MODULES))}"
        )
    try:
        return import_module(_MODULES[backend])
    except ImportError as error:
        library = error.name or "its library"
        raise BackendUnavailableError(
            f"backend {backend!r} needs {library}, which cannot be imported ({error}); expected it to be installed: "
            f"pip install {_INSTALLED_BY.get(backend, library)}"
        ) from error
