"""Parameters are declared once and refused with the allowed values."""

import json
import math
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.params.node_parameters import NODES
from alpamayo_ros.params.parameter import (
    behavioural_values,
    declarations,
    json_schema,
    parameter,
    parse_parameters,
    validated_value,
)


@dataclass(frozen=True)
class Example:
    """Parameters of an example node."""

    rate_hz: float = parameter(10.0, "Rate.", unit="Hz", minimum=1.0, maximum=100.0)
    count: int = parameter(3, "Count.", minimum=0)
    mode: str = parameter("fast", "Mode.", choices=("fast", "slow"))
    verbose: bool = parameter(default=False, description="Say more.", behavioural=False)


def test_defaults_apply_where_nothing_is_given() -> None:
    assert parse_parameters(Example, "example", {}) == Example()


def test_an_integer_is_taken_for_a_float() -> None:
    assert parse_parameters(Example, "example", {"rate_hz": 20}).rate_hz == 20.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": 1.0}, r"parameter example.'rate' is not known; expected one of: count, mode, rate_hz, verbose"),
        ({"rate_hz": 0.5}, "parameter example.rate_hz is 0.5 Hz, out of range; expected from 1.0 to 100.0 Hz"),
        ({"rate_hz": math.nan}, "out of range"),
        ({"rate_hz": math.inf}, "out of range"),
        ({"rate_hz": "10"}, "parameter example.rate_hz is '10', a str; expected a number from 1.0 to 100.0 Hz"),
        ({"count": True}, "parameter example.count is True, a bool; expected an integer of at least 0"),
        ({"count": 1.0}, "a float; expected an integer"),
        ({"count": -1}, "out of range; expected of at least 0"),
        ({"mode": "warp"}, "parameter example.mode 'warp' is not known; expected one of: fast, slow"),
        ({"verbose": "no"}, "parameter example.verbose is 'no', a str; expected a boolean"),
    ],
)
def test_unknown_names_wrong_types_and_ranges_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse_parameters(Example, "example", given)


def test_the_schema_accepts_the_defaults_and_refuses_what_the_parser_refuses() -> None:
    schema = json_schema(Example, "example")
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    assert validator.is_valid({name: default for name, (_, default, _) in declarations(Example).items()})
    assert not validator.is_valid({"rate_hz": 0.5})
    assert not validator.is_valid({"rate": 1.0})
    assert not validator.is_valid({"mode": "warp"})


def test_only_behavioural_parameters_are_part_of_the_lineage() -> None:
    assert behavioural_values(Example()) == {"rate_hz": 10.0, "count": 3, "mode": "fast"}


@dataclass(frozen=True)
class Listening:
    """Parameters of a node that takes a list and may be changed while it runs."""

    topics: tuple[str, ...] = parameter((), "Topics.", behavioural=False)
    period_ms: int = parameter(100, "Period.", unit="ms", minimum=1, maximum=500, behavioural=False, live=True)


def test_a_parameter_that_can_change_an_output_is_never_live() -> None:
    with pytest.raises(ValueError, match="a live parameter is behavioural"):
        parameter(1, "Count.", live=True)
    with pytest.raises(ValueError, match="a live parameter is behavioural"):
        parameter(1, "Count.", behavioural=True, live=True)


def test_live_is_false_unless_it_is_said() -> None:
    flags = {name: row[2].live for name, row in declarations(Listening).items()}
    assert flags == {"topics": False, "period_ms": True}
    properties: Any = json_schema(Listening, "listening")["properties"]
    assert {name: row["x-live"] for name, row in properties.items()} == flags


@pytest.mark.parametrize("given", [["/a", "/b"], ("/a", "/b"), [], ()])
def test_a_list_of_texts_becomes_a_tuple(given: object) -> None:
    assert parse_parameters(Listening, "listening", {"topics": given}).topics == tuple(given)  # type: ignore[call-overload]


@pytest.mark.parametrize("given", ["/a", ["/a", 1], [None], [["/a"]], None, {"/a": 1}, {"/a"}, 3, b"/a"])
def test_what_is_no_list_of_texts_is_refused(given: object) -> None:
    with pytest.raises(ParameterError, match=r"parameter listening.topics is .*; expected an array of texts"):
        parse_parameters(Listening, "listening", {"topics": given})


def test_the_schema_of_a_list_is_one_of_texts() -> None:
    schema = json.loads(json.dumps(json_schema(Listening, "listening")))
    validator = jsonschema.Draft202012Validator(schema)
    assert schema["properties"]["topics"]["default"] == []
    assert validator.is_valid({"topics": ["/a"]})
    assert not validator.is_valid({"topics": "/a"})
    assert not validator.is_valid({"topics": [1]})


def test_one_value_is_validated_as_a_whole_section_is() -> None:
    assert validated_value(Example, "example", "rate_hz", 20) == 20.0
    assert type(validated_value(Example, "example", "rate_hz", 20)) is float
    assert validated_value(Listening, "listening", "topics", ["/a"]) == ("/a",)
    with pytest.raises(ParameterError, match=r"parameter example.'rate' is not known; expected one of: count, mode"):
        validated_value(Example, "example", "rate", 1.0)
    with pytest.raises(ParameterError, match="from 1 to 500 ms"):
        validated_value(Listening, "listening", "period_ms", 501)


@pytest.mark.parametrize("value", [10**400, -(10**400), 2**1000 + 1])
def test_an_integer_that_no_float_holds_is_out_of_range(value: int) -> None:
    with pytest.raises(ParameterError, match="out of range"):
        validated_value(Example, "example", "rate_hz", value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given_any(
    st.sampled_from([(node, name) for node, parameters in NODES.items() for name in declarations(parameters)]), anything
)
def test_whatever_is_given_is_refused_or_of_the_declared_type_and_in_range(
    which: tuple[str, str], value: object
) -> None:
    node, name = which
    kind, _, declaration = declarations(NODES[node])[name]
    try:
        result = validated_value(NODES[node], node, name, value)
    except ParameterError:
        return
    assert type(result) is kind
    if isinstance(result, (int, float)) and not isinstance(result, bool):
        assert declaration.minimum is None or result >= declaration.minimum
        assert declaration.maximum is None or result <= declaration.maximum
    assert not declaration.choices or result in declaration.choices


@pytest.mark.parametrize("node", sorted(NODES))
def test_every_parameter_fits_what_ros_can_declare(node: str) -> None:
    for name, (kind, default, declaration) in declarations(NODES[node]).items():
        assert declaration.description.endswith("."), name
        assert not (declaration.live and declaration.behavioural), name
        if kind is int:
            assert declaration.minimum is not None, name
            assert declaration.maximum is not None, name
            assert -(2**63) <= declaration.minimum <= declaration.maximum < 2**63, name
        assert validated_value(NODES[node], node, name, default) == default
