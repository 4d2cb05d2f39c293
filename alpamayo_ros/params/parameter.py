"""Declare parameters once, as dataclass fields; YAML, JSON schema and ROS descriptors are generated from them."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, TypeVar, get_origin, get_type_hints

from alpamayo_ros.errors import ParameterError, expected_one_of

T = TypeVar("T")

_KEY = "alpamayo_ros.parameter"
_LARGEST_INTEGER = 2**1000
"""Larger integers have no float."""
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", tuple: "array"}
"""A tuple is one of texts: ROS has no other list that a node of this package takes."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is known about one parameter besides its name, type and default.

    Attributes:
        description: One sentence for people.
        unit: SI unit, empty for counts, flags and names.
        minimum: Smallest allowed number, inclusive.
        maximum: Largest allowed number, inclusive.
        choices: Every allowed text, empty for any.
        behavioural: Whether it can change an output; only then is it part of the lineage.
        live: Whether it may be changed while the node is configured; never true of a behavioural one.
    """

    description: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    behavioural: bool = True
    live: bool = False


def parameter(
    default: T,
    description: str,
    *,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    behavioural: bool = True,
    live: bool = False,
) -> T:
    """Declare one field of a parameter dataclass; see Declaration for the arguments."""
    if live and behavioural:
        raise ValueError("a live parameter is behavioural; expected one or the other, or the lineage would be wrong")
    declaration = Declaration(description, unit, minimum, maximum, choices, behavioural, live)
    return field(default=default, metadata={_KEY: declaration})


def declarations(parameters: type) -> dict[str, tuple[type, object, Declaration]]:
    """Return name -> (type, default, declaration) of a parameter dataclass, in order."""
    hints = get_type_hints(parameters)
    return {
        item.name: (get_origin(hints[item.name]) or hints[item.name], _default(item), item.metadata[_KEY])
        for item in fields(parameters)
    }


def _default(item: "Field[Any]") -> object:
    if item.default is MISSING:
        raise TypeError(f"parameter {item.name} has no default")
    return item.default


def parse_parameters(parameters: type[T], node: str, given: Mapping[str, object]) -> T:
    """Build a parameter dataclass from given values, defaults for the rest.

    Args:
        parameters: The dataclass.
        node: Node name, for error texts.
        given: Values by parameter name.

    Raises:
        ParameterError: A name is unknown, or a value has the wrong type or is out of range.
    """
    return parameters(**{name: validated_value(parameters, node, name, value) for name, value in given.items()})


def validated_value(parameters: type, node: str, name: str, value: object) -> object:
    """Return one given value in its declared type.

    Raises:
        ParameterError: The name is unknown, or the value has the wrong type or is out of range.
    """
    known = declarations(parameters)
    if name not in known:
        raise ParameterError(expected_one_of(f"parameter {node}.", name, list(known)).replace(". '", ".'", 1))
    kind, _, declaration = known[name]
    return _validated(f"{node}.{name}", kind, declaration, value)


def _validated(name: str, kind: type, declaration: Declaration, value: object) -> object:
    unit = f" {declaration.unit}" if declaration.unit else ""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) <= _LARGEST_INTEGER else math.inf
    if kind is tuple and isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if type(value) is not kind or kind is tuple:
        expected = _JSON_TYPES[kind]
        raise ParameterError(
            f"parameter {name} is {value!r}, {_article(type(value).__name__)}; "
            f"expected {_article(expected)}{' of texts' if kind is tuple else ''}{_allowed(declaration)}"
        )
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = declaration.minimum, declaration.maximum
        outside = (low is not None and value < low) or (high is not None and value > high)
        if outside or not math.isfinite(value):
            raise ParameterError(f"parameter {name} is {value}{unit}, out of range; expected{_allowed(declaration)}")
    if declaration.choices and value not in declaration.choices:
        raise ParameterError(expected_one_of(f"parameter {name}", value, declaration.choices))
    return value


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _allowed(declaration: Declaration) -> str:
    unit = f" {declaration.unit}" if declaration.unit else ""
    low, high = declaration.minimum, declaration.maximum
    if low is not None and high is not None:
        return f" from {low} to {high}{unit}"
    if low is not None:
        return f" of at least {low}{unit}"
    if high is not None:
        return f" of at most {high}{unit}"
    return unit


def json_schema(parameters: type, node: str) -> dict[str, object]:
    """Return the JSON schema (2020-12) of a node's parameters; unknown names are refused."""
    properties: dict[str, object] = {}
    for name, (kind, default, declaration) in declarations(parameters).items():
        row: dict[str, object] = {"type": _JSON_TYPES[kind], "default": default, "description": declaration.description}
        if kind is tuple:
            row["items"] = {"type": "string"}
        if declaration.unit:
            row["x-unit"] = declaration.unit
        if declaration.minimum is not None:
            row["minimum"] = declaration.minimum
        if declaration.maximum is not None:
            row["maximum"] = declaration.maximum
        if declaration.choices:
            row["enum"] = list(declaration.choices)
        row["x-behavioural"] = declaration.behavioural
        row["x-live"] = declaration.live
        properties[name] = row
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Parameters of the {node} node",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def behavioural_values(values: object) -> dict[str, object]:
    """Return the parameters of a dataclass instance that can change an output."""
    return {
        name: getattr(values, name)
        for name, (_, _, declaration) in declarations(type(values)).items()
        if declaration.behavioural
    }
