"""The table of topics is the one place that names what we publish and take."""

from pathlib import Path

import pytest

from alpamayo_ros.messages.topics import INPUT_TOPICS, NAMESPACE, OUTPUT_TOPICS, output_topic
from alpamayo_ros.messages.typestore import typestore
from alpamayo_ros.params.node_parameters import NODES


def test_names_are_private_outputs_and_types_are_known() -> None:
    assert len({row.name for row in OUTPUT_TOPICS}) == len(OUTPUT_TOPICS)
    for row in OUTPUT_TOPICS:
        assert row.name.startswith(("~/output/", "~/debug/"))
        assert row.type_name in typestore().types
        assert row.qos in {"output", "ticks", "latched", "counts"}
        assert set(row.nodes) <= set(NODES)


def test_inputs_name_known_types_nodes_and_sources() -> None:
    assert len({row.name for row in INPUT_TOPICS}) == len(INPUT_TOPICS)
    for row in INPUT_TOPICS:
        assert row.name.startswith("~/input/")
        assert set(row.type_names) <= set(typestore().types)
        assert set(row.nodes) <= set(NODES)
        if row.source:
            assert row.type_names == (output_topic(row.source).type_name,)


def test_the_digest_is_over_tick_rationale_and_trajectory_set() -> None:
    assert {row.interface for row in OUTPUT_TOPICS if row.compared} == {"tick", "rationale", "trajectory_set"}
    assert all(row.recorded for row in OUTPUT_TOPICS if row.compared)


def test_a_name_resolves_under_the_namespace_of_the_nodes() -> None:
    assert output_topic("tick").resolved() == f"{NAMESPACE}/output/tick"
    assert output_topic("tick").resolved("/car1") == "/car1/output/tick"
    with pytest.raises(KeyError):
        output_topic("nothing")


def test_the_readme_lists_exactly_these_topics(pytestconfig: pytest.Config) -> None:
    text = (Path(pytestconfig.rootpath) / "README.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `~/")]
    expected = [
        f"| `{row.name}` | `{row.type_name}` | {', '.join(row.nodes)} | {row.qos} | {row.rate} | "
        f"{'yes' if row.recorded else 'no'} |"
        for row in OUTPUT_TOPICS
    ]
    expected += [
        f"| `{row.name}` | {' or '.join(f'`{name}`' for name in row.type_names)} | {', '.join(row.nodes)} | "
        f"{f'`{output_topic(row.source).name}`' if row.source else 'the vehicle'} |"
        for row in INPUT_TOPICS
    ]
    assert rows == expected
