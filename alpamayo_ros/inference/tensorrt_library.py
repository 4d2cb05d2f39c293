"""TensorRT, and TensorRT for RTX: two libraries with one interface, each imported only when it is asked for."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from alpamayo_ros.errors import BackendError, BackendUnavailableError, expected_one_of

TENSORRT = "tensorrt"
TENSORRT_RTX = "tensorrt_rtx"
LIBRARIES = (TENSORRT_RTX, TENSORRT)
"""Names of the libraries, as an engine states what built it."""

_MODULES = {TENSORRT: ("tensorrt",), TENSORRT_RTX: ("tensorrt_rtx", "tensorrt_rtx_bindings")}
_INSTALLED_BY = {TENSORRT: "tensorrt cuda-bindings", TENSORRT_RTX: "tensorrt-rtx-cu13-bindings tensorrt-rtx-cu13-libs"}


@dataclass(frozen=True, slots=True)
class TensorRTLibrary:
    """One of the two libraries.

    Attributes:
        name: One of LIBRARIES.
        module: Its Python module.
        logger: What it tells its errors.
    """

    name: str
    module: Any
    logger: Any

    @property
    def version(self) -> str:
        """Version of the library."""
        return str(self.module.__version__)

    def failed(self, what: str) -> BackendError:
        """Return the error for a call that returned nothing, with the first thing the library said about it.

        Args:
            what: What went wrong, e.g. ``vision.onnx cannot be built``.
        """
        said = self.logger.errors[0] if self.logger.errors else "the library gives no reason"
        self.logger.errors.clear()
        return BackendError(f"{what}: {said}")


def load_library(name: str) -> TensorRTLibrary:
    """Import a library.

    Raises:
        BackendError: The name is not known.
        BackendUnavailableError: It is not installed, or does not load.
    """
    if name not in _MODULES:
        raise BackendError(expected_one_of("TensorRT library", name, LIBRARIES))
    found = _load(name)
    if isinstance(found, BackendUnavailableError):
        raise found
    return found


def installed_versions() -> dict[str, str]:
    """Return the version of each library that can be imported.

    Raises:
        BackendUnavailableError: There is none.
    """
    loaded = [_load(name) for name in LIBRARIES]
    found = {one.name: one.version for one in loaded if isinstance(one, TensorRTLibrary)}
    if not found:
        raise BackendUnavailableError(" ".join(str(one) for one in loaded))
    return found


_LOADED: dict[str, TensorRTLibrary] = {}
"""TensorRT keeps the first logger that it is given for the whole process, and would call it when it is gone."""


def _load(name: str) -> TensorRTLibrary | BackendUnavailableError:
    if name in _LOADED:
        return _LOADED[name]
    reasons = []
    for module_name in _MODULES[name]:
        try:
            module = import_module(module_name)
        except (ImportError, OSError) as error:
            reasons.append(str(error))
            continue
        return _LOADED.setdefault(name, TensorRTLibrary(name, module, _logger(module)))
    return BackendUnavailableError(
        f"{name} cannot be imported ({'; '.join(reasons)}); expected it to be installed: pip install "
        f"{_INSTALLED_BY[name]}"
    )


def _logger(module: Any) -> Any:
    base: Any = module.ILogger

    class Logger(base):  # type: ignore[misc]
        """Keeps errors; the library would print them."""

        def __init__(self) -> None:
            base.__init__(self)
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (base.Severity.ERROR, base.Severity.INTERNAL_ERROR):
                self.errors.append(message.strip().splitlines()[0] if message.strip() else "an error without a text")

    return Logger()
