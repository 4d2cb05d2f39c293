"""Parameters are declared once and refused with the allowed values."""

import math
from dataclasses import dataclass

import jsonschema
import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.params.parameter import behavioural_values, declarations, json_schema, parameter, parse_parameters


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
