"""The table of topics is the one place that names our outputs."""

from pathlib import Path

import pytest

from alpamayo_ros.messages.topics import OUTPUT_TOPICS, output_topic
from alpamayo_ros.messages.typestore import typestore


def test_names_are_private_outputs_and_types_are_known() -> None:
    assert len({row.name for row in OUTPUT_TOPICS}) == len(OUTPUT_TOPICS)
    for row in OUTPUT_TOPICS:
        assert row.name.startswith("~/output/")
        assert row.type_name in typestore().types
        assert row.qos in {"output", "latched"}


def test_the_digest_is_over_tick_rationale_and_trajectory_set() -> None:
    assert {row.interface for row in OUTPUT_TOPICS if row.compared} == {"tick", "rationale", "trajectory_set"}


def test_a_name_resolves_under_its_node() -> None:
    assert output_topic("tick").resolved() == "/alpamayo/output/tick"
    assert output_topic("tick").resolved("/vehicle/planner") == "/vehicle/planner/output/tick"
    with pytest.raises(KeyError):
        output_topic("nothing")


def test_the_readme_lists_exactly_these_topics(pytestconfig: pytest.Config) -> None:
    text = (Path(pytestconfig.rootpath) / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `~/")]
    expected = [
        f"| `{row.name}` | `{row.type_name}` | {row.qos} | {row.rate} | {'yes' if row.recorded else 'no'} |"
        for row in OUTPUT_TOPICS
    ]
    assert rows == expected
