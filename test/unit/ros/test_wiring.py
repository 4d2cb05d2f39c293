"""Nodes that are started one by one are connected, and a user's own rules come first."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from alpamayo_ros.messages.topics import INPUT_TOPICS, NAMESPACE, OUTPUT_TOPICS
from alpamayo_ros.ros.wiring import with_default_wiring


def rules(arguments: list[str]) -> list[str]:
    return [word for flag, word in pairwise(arguments) if flag == "-r"]


def test_the_users_arguments_stand_first_and_unchanged() -> None:
    given = ["program", "--ros-args", "-r", "~/output/tick:=/mine"]
    wired = with_default_wiring(given)
    assert wired[: len(given)] == given
    assert wired[len(given)] == "--ros-args"
    assert rules(wired)[:2] == ["~/output/tick:=/mine", f"__ns:={NAMESPACE}"]


def test_every_output_and_every_fed_input_has_one_rule() -> None:
    sources = {row.interface: row.name for row in OUTPUT_TOPICS}
    expected = {row.name: row.name.removeprefix("~/") for row in OUTPUT_TOPICS}
    expected |= {row.name: sources[row.source].removeprefix("~/") for row in INPUT_TOPICS if row.source}
    found = [rule.split(":=") for rule in rules(with_default_wiring([])) if not rule.startswith("__")]
    assert dict(found) == expected
    assert len(found) == len(expected)


@pytest.mark.ros
@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], {"~/output/tick": "/alpamayo/output/tick", "~/input/observation": "/alpamayo/output/observation"}),
        (["-r", "__ns:=/car"], {"~/output/tick": "/car/output/tick", "~/input/lineage": "/car/output/lineage"}),
        (["-r", "~/output/tick:=/mine"], {"~/output/tick": "/mine", "~/input/tick": "/alpamayo/output/tick"}),
        ([], {"~/input/odometry": "/alpamayo/perception/input/odometry", "/clock": "/clock"}),
        (["-r", "~/input/odometry:=/odom"], {"~/input/odometry": "/odom"}),
    ],
)  # fmt: skip
def test_names_are_what_rcl_makes_of_the_rules(
    make_node: Callable[..., Any], arguments: list[str], names: dict[str, str]
) -> None:
    node = make_node("perception", *arguments)
    assert {name: node.resolve_topic_name(name) for name in names} == names
