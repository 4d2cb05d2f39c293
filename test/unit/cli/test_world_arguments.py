"""What people write for seeds, sizes, cameras and changes is read, or refused with an example."""

import pytest

from alpamayo_ros.cli.world_arguments import (
    parse_cameras,
    parse_place,
    parse_recolour,
    parse_seeds,
    parse_size,
    parse_times,
)
from alpamayo_ros.errors import ParameterError


def test_seeds_are_one_or_a_range_with_both_ends() -> None:
    assert list(parse_seeds("7")) == [7]
    assert list(parse_seeds(" 3-5 ")) == [3, 4, 5]
    assert list(parse_seeds("0-0")) == [0]


@pytest.mark.parametrize("text", ["", "-3", "a", "1-", "1-2-3", "1.5", "5-3", "0-999999", "99999999999", "1,2"])
def test_what_is_no_range_of_seeds_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="expected"):
        parse_seeds(text)


def test_sizes_are_width_and_height() -> None:
    assert parse_size("480x288") == (480, 288)
    assert parse_size("160X96") == (160, 96)


@pytest.mark.parametrize("text", ["", "480", "0x0", "480x", "-4x4", "480*288", "9x9", "5000x20", "1e3x1e3"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="expected"):
        parse_size(text)


def test_cameras_are_a_list_with_commas() -> None:
    assert parse_cameras("a, b,c") == ("a", "b", "c")
    assert parse_cameras(" ,") == ()


def test_places_have_a_name_and_metres() -> None:
    assert parse_place("--move", "ped_0:5,-1.5") == ("ped_0", 5.0, -1.5)
    assert parse_place("--move", "signal:n0:0,1") == ("signal:n0", 0.0, 1.0)


@pytest.mark.parametrize(
    "text", ["", "ped_0", "ped_0:", ":1,2", "ped_0:1", "ped_0:1,2,3", "p:a,b", "p:nan,1", "p:inf,0"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="expected NAME:AHEAD,LEFT"):
        parse_place("--move", text)


def test_colours_are_blue_green_red_inside() -> None:
    assert parse_recolour("car_3:#ff8000") == ("car_3", (0.0, 128.0, 255.0))


@pytest.mark.parametrize("text", ["", "car:red", "car:#fff", "#ff0000", ":#ff0000", "car:#gg0000"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="expected ACTOR:#rrggbb"):
        parse_recolour(text)


def test_times_are_sorted_and_stand_once() -> None:
    assert parse_times([3.0, 1.0, 3.0]) == (1.0, 3.0)
    for value in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="expected seconds"):
            parse_times([value])
