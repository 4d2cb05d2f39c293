"""Conditions are strengths from 0 to 1, and say what model draws them."""

import math

import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.world.conditions import CLEAR, STRENGTHS, Conditions


def test_clear_has_no_condition() -> None:
    assert CLEAR.present == ()
    assert Conditions() == CLEAR


def test_those_above_zero_are_present() -> None:
    assert Conditions(rain=0.2, dirt=1.0).present == ("rain", "dirt")


def test_tags_name_the_model_its_version_and_every_strength() -> None:
    tags = Conditions(fog=0.5).tags()
    assert tags["weather_model"] == "graded_effects"
    assert tags["weather_model_version"]
    assert {name: tags[name] for name in STRENGTHS} == {
        "rain": 0.0,
        "fog": 0.5,
        "glare": 0.0,
        "night": 0.0,
        "dirt": 0.0,
    }


@pytest.mark.parametrize("name", STRENGTHS)
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan, math.inf, "much", None, True])
def test_other_strengths_are_refused(name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=f"condition {name} .* is not a strength; expected: a number from 0 to 1"):
        Conditions(**{name: value})


@pytest.mark.parametrize("value", [math.nan, "east"])
def test_a_sun_without_a_direction_is_refused(value: object) -> None:
    with pytest.raises(ParameterError, match="condition sun_azimuth_rad"):
        Conditions(sun_azimuth_rad=value)
