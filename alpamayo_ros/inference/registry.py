"""Open a session by backend id; there is no fall-back from one backend to another."""

from importlib import import_module

from alpamayo_ros.errors import BackendError, BackendUnavailableError, expected_one_of
from alpamayo_ros.inference.backend import Session
from alpamayo_ros.params.profile import StageSpec

BACKEND_IDS = ("reference", "torch", "ort_cpu", "ort_cuda", "ort_tensorrt", "tensorrt", "nim")
"""Every backend id that a profile may name."""

_MODULES = {"reference": "alpamayo_ros.inference.backends.reference_backend"}


def open_session(backend: str, stage: StageSpec) -> Session:
    """Load a stage's program or engine.

    Args:
        backend: Backend id.
        stage: What to load.

    Raises:
        BackendError: The backend or the program is not known.
        BackendUnavailableError: The backend is known, but this version does not contain it.
    """
    if backend not in BACKEND_IDS:
        raise BackendError(expected_one_of("backend", backend, BACKEND_IDS))
    if backend not in _MODULES:
        raise BackendUnavailableError(
            f"backend {backend!r} is not part of this version; expected one of: {', '.join(sorted(_MODULES))}"
        )
    session: Session = import_module(_MODULES[backend]).open_session(stage)
    return session
