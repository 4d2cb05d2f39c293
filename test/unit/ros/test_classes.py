"""Generated classes by type name, and arrays as they take them."""

import array
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.errors import TopicError
from alpamayo_ros.messages.topics import INPUT_TOPICS, OUTPUT_TOPICS
from alpamayo_ros.ros.classes import generated_class, graph_translator, numeric_array

pytestmark = pytest.mark.ros
pytest.importorskip("alpamayo_ros.msg", reason="the generated messages are not built")


def test_every_type_of_the_table_has_its_class() -> None:
    for type_name in {row.type_name for row in OUTPUT_TOPICS} | {
        name for row in INPUT_TOPICS for name in row.type_names
    }:
        found = generated_class(type_name)
        assert found.__name__ == type_name.rsplit("/", 1)[1]
        assert found() is not None


def test_services_are_found_too() -> None:
    assert hasattr(generated_class("std_srvs/srv/Trigger"), "Request")


@pytest.mark.parametrize(
    "type_name",
    [
        "", "Odometry", "nav_msgs/Odometry", "nav_msgs/msg/Odometry/x", "nav_msgs/msg/Odometri", "nav_msg/msg/Odometry",
        "nav_msgs/msg/", "/msg/Odometry", "../msg/Odometry", "nav_msgs/msg/__doc__", "nav_msgs/msg/_odometry",
        "os/path/join", "nav_msgs/message/Odometry", "nav_msgs/msg/Odometry ", "nav_msgs.msg/msg/Odometry", "//",
        "std_srvs/srv/_trigger", "nav_msgs/msg/__name__", "\x00/msg/X", "alpamayo_ros/cli/main",
    ],
)  # fmt: skip
def test_what_is_not_the_name_of_an_installed_type_is_refused(type_name: str) -> None:
    with pytest.raises(TopicError) as refused:
        generated_class(type_name)
    assert f"type {type_name!r} is not installed" in str(refused.value)
    assert "expected <package>/msg/<Name>" in str(refused.value)


@given(st.text(max_size=12) | st.lists(st.text(max_size=5), min_size=3, max_size=3).map("/".join))
def test_any_text_gives_a_class_or_a_sentence(type_name: str) -> None:
    with pytest.raises(TopicError):
        generated_class(type_name)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
)
def test_numbers_go_over_bit_by_bit(dtype: str) -> None:
    values = np.array([0, 1, 100], dtype=dtype)
    taken = numeric_array(values)
    assert isinstance(taken, array.array)
    assert np.asarray(taken).dtype == values.dtype
    assert taken.tobytes() == values.tobytes()


def test_there_is_one_translator() -> None:
    first: Any = graph_translator()
    assert graph_translator() is first
