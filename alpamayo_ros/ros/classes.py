"""Generated message classes by type name, and the translator to them."""

import array
import re
import sys
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import TopicError
from alpamayo_ros.messages.stage_translator import StageTranslator

_TYPE_CODES = {
    np.dtype(name): code
    for name, code in {
        "uint8": "B", "int8": "b", "uint16": "H", "int16": "h", "uint32": "I", "int32": "i",
        "uint64": "Q", "int64": "q", "float32": "f", "float64": "d",
    }.items()
}  # fmt: skip

_TYPE_NAME = re.compile(r"([a-z][a-z0-9_]*)/(msg|srv|action)/([A-Z][A-Za-z0-9_]*)")
"""Anything else, from a bag or the graph, must not choose what is imported."""


@lru_cache(maxsize=512)
def generated_class(type_name: str) -> Any:
    """Return the generated class of a type such as ``nav_msgs/msg/Odometry``.

    Raises:
        TopicError: The type is not installed, or is not the name of one.
    """
    named = _TYPE_NAME.fullmatch(type_name)
    if named is None:
        raise TopicError(_not_installed(type_name))
    package, kind, name = named.groups()
    try:
        return getattr(import_module(f"{package}.{kind}"), name)
    except (ImportError, AttributeError) as error:
        raise TopicError(_not_installed(type_name)) from error


def _not_installed(type_name: str) -> str:
    return (
        f"type {type_name!r} is not installed for Python {sys.version_info[0]}.{sys.version_info[1]}; "
        "expected <package>/msg/<Name> of an interface package in this environment"
    )


def numeric_array(values: NDArray[Any]) -> "array.array[Any]":
    """Return a flat array as what generated classes take without copying item by item."""
    return array.array(_TYPE_CODES[values.dtype], values.tobytes())


@lru_cache(maxsize=1)
def graph_translator() -> StageTranslator:
    """Return the translator to generated classes."""
    return StageTranslator(generated_class, numeric_array)
