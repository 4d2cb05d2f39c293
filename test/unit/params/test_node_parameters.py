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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("perceptoin:\n  ros__parameters: {}\n", "node 'perceptoin' is not known; expected one of: lineage, perception"),
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
    assert list(YAML(typ="safe", pure=True).load(text)) == [node]
