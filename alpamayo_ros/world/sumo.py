"""Where SUMO comes from: its library and its programs are an extra that the vehicle does not need."""

from functools import lru_cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import ConfigurationError

EXTRA = "world"


@lru_cache(maxsize=1)
def traffic_library() -> Any:
    """Return the module ``libsumo``.

    Raises:
        ConfigurationError: It is not installed.
    """
    return _imported("libsumo")


def network_compiler() -> Path:
    """Return the program ``netconvert``.

    Raises:
        ConfigurationError: It is not installed.
    """
    program = Path(str(_imported("sumo").SUMO_HOME)) / "bin" / "netconvert"
    if not program.exists():
        raise ConfigurationError(
            f"program {program} is missing; expected the package 'eclipse-sumo' to bring it: install it again"
        )
    return program


@lru_cache(maxsize=1)
def traffic_version() -> str:
    """Return the version of the traffic simulation, ``unknown`` where it is not installed."""
    try:
        return metadata.version("libsumo")
    except metadata.PackageNotFoundError:
        return "unknown"


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"module {name!r} of the driving world cannot be imported ({error}); expected the extra '{EXTRA}': "
            f"run pip install 'alpamayo_ros[{EXTRA}]'"
        ) from error
