"""Errors of the libraries that backends call, as errors of this package."""

from collections.abc import Callable
from typing import TypeVar

from alpamayo_ros.errors import BackendError

_Value = TypeVar("_Value")


def translated(run: Callable[[], _Value], what: str) -> _Value:
    """Return what ``run`` returns.

    Args:
        run: Calls a library whose exceptions have no common base, and some of which come from C++.
        what: What went wrong if it raises, e.g. ``vision.onnx cannot be loaded``.

    Raises:
        BackendError: It raised something.
    """
    try:
        return run()
    except Exception as error:
        raise BackendError(f"{what}: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, or its class where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
