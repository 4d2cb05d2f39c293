"""Parameter files of ROS 2 form, and the files that are generated from the dataclasses."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.params.documents import packaged
from alpamayo_ros.params.node_parameters import NODES, NodeParameters, generated_files, load_parameters


def write(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_apply() -> None:
    assert load_parameters(None) == NodeParameters()


def test_a_node_section_sets_its_parameters(tmp_path: Path) -> None:
    path = write(tmp_path, "/vehicle/perception:\n  ros__parameters: {max_wait_ms: 400}\n")
    assert load_parameters(path).perception.max_wait_ms == 400


def test_a_wildcard_section_reaches_every_node_that_declares_the_parameter(tmp_path: Path) -> None:
    path = write(tmp_path, "/**:\n  ros__parameters: {motion_window_ms: 300}\n")
    assert load_parameters(path).reasoning.motion_window_ms == 300


def test_a_wildcard_section_reaches_every_node_and_the_nodes_own_section_wins_if_it_stands_below(
    tmp_path: Path,
) -> None:
    text = (
        "/**:\n  ros__parameters: {autostart: false, profile: nano, silence_after_ms: 700}\n"
        "recorder:\n  ros__parameters: {profile: kinematic, topics: [/a, /b]}\n"
        "/x/replayer:\n  ros__parameters: {rate: 2}\n"
    )
    given = load_parameters(write(tmp_path, text))
    assert {node: getattr(given, node).autostart for node in NODES} == dict.fromkeys(NODES, False)
    profiles = {node: getattr(given, node).profile for node in NODES if node != "replayer"}
    others = dict.fromkeys(("perception", "reasoning", "planner", "lineage"), "nano")
    assert profiles == {**others, "recorder": "kinematic"}
    assert (given.perception.silence_after_ms, given.recorder.silence_after_ms) == (700, 700)
    assert (given.recorder.topics, given.replayer.rate) == (("/a", "/b"), 2.0)


def test_a_value_that_one_of_the_nodes_refuses_is_refused_for_all(tmp_path: Path) -> None:
    path = write(tmp_path, "/**:\n  ros__parameters: {silence_after_ms: 100000}\n")
    with pytest.raises(ParameterError, match=r"parameter perception.silence_after_ms is 100000 ms, out of range"):
        load_parameters(path)


def test_only_nodes_with_behavioural_parameters_are_part_of_the_lineage() -> None:
    values = NodeParameters().behavioural()
    assert set(values) == {"perception", "reasoning", "planner"}
    assert all(values.values())
    names = {name for given in values.values() for name in given}
    assert names.isdisjoint({"profile", "backend", "autostart", "parameter_file", "topics_file", "silence_after_ms"})
    assert values["planner"] == {"max_start_error_m": 2.0, "max_speed_mps": 70.0}


def test_a_generated_parameter_file_marks_what_may_be_changed_while_the_node_runs() -> None:
    text = generated_files()["perception.param.yaml"]
    live = [line for line in text.splitlines() if "(live" in line]
    assert live == ["    # An input that is silent for this long is reported. (live, unit ms, from 100, to 60000)"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; expected a section for a node"),
        ("recorder:\n  ros__parameters: {topics: /a}\n", "recorder.topics is '/a', a str; expected an array of texts"),
        ("recorder:\n  ros__parameters: {compression: gzip}\n", "'gzip' is not known; expected one of: lz4, none"),
        ("replayer:\n  ros__parameters: {profile: x}\n", "parameter replayer.'profile' is not known"),
        ("/**:\n  ros__parameters: [autostart]\n", "is a list; expected a mapping"),
        ("/**:\n  ros__parameters: {autostart: false}\n  extra: 1\n", "expected ros__parameters alone"),
        ("perceptoin:\n  ros__parameters: {}\n", "node 'perceptoin' is not known; expected one of: lineage, percept"),
        ("perception:\n  max_wait_ms: 300\n", "expected ros__parameters alone"),
        ("perception:\n  ros__parameters: {max_wait: 300}\n", "'max_wait' is not known"),
        ("/**:\n  ros__parameters: {nothing: 1}\n", "parameter 'nothing' is not known"),
        ("perception:\n  ros__parameters: {max_wait_ms: 300, max_wait_ms: 400}\n", "not well-formed YAML"),
        ("- 1\n", "expected a mapping"),
        ("a: [\n", "not well-formed YAML at line"),
        ("perception:\n  ros__parameters: {max_wait_ms: no}\n", "'no', a str; expected an integer"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        load_parameters(write(tmp_path, text))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="cannot be read: No such file or directory"):
        load_parameters(tmp_path / "absent.yaml")


@pytest.mark.parametrize("name", sorted(generated_files()))
def test_generated_files_are_fresh(name: str) -> None:
    committed = packaged("config", *name.split("/")).read_text(encoding="utf-8")
    assert committed == generated_files()[name], "run 'alpamayo params write'"


@pytest.mark.parametrize("node", sorted(NODES))
def test_a_generated_parameter_file_gives_the_defaults(node: str, tmp_path: Path) -> None:
    text = generated_files()[f"{node}.param.yaml"]
    assert load_parameters(write(tmp_path, text)) == NodeParameters()
    assert list(YAML(typ="safe", pure=True).load(text)) == [f"/**/{node}"]
