"""What can be held of the launch files where there is no launch: names of parameters, nodes and files."""

import ast
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from alpamayo_ros.cli.engine import app
from alpamayo_ros.params.node_parameters import NODES
from alpamayo_ros.params.parameter import declarations

ROOT = Path(__file__).resolve().parents[2]
FILES = ("alpamayo.launch.py", "replay.launch.py", "build_engine.launch.py")
STAGES = ("perception", "reasoning", "planner", "lineage")


def tree(name: str) -> ast.Module:
    return ast.parse((ROOT / "launch" / name).read_text(encoding="utf-8"), filename=name)


def constants(name: str) -> dict[str, Any]:
    """Return the values of the upper-case names of a launch file."""
    found = {}
    for node in tree(name).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def keywords(name: str, keyword: str) -> set[str]:
    """Return the texts that a launch file gives for a keyword argument."""
    return {
        node.value.value
        for node in ast.walk(tree(name))
        if isinstance(node, ast.keyword) and node.arg == keyword and isinstance(node.value, ast.Constant)
    }


def test_these_are_the_launch_files() -> None:
    assert sorted(path.name for path in (ROOT / "launch").glob("*.py")) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_launch_file_compiles_and_offers_what_launch_calls(name: str) -> None:
    compile(tree(name), name, "exec")
    assert "generate_launch_description" in [node.name for node in tree(name).body if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("name", FILES)
def test_every_argument_has_a_description_and_flags_are_arguments(name: str) -> None:
    found = constants(name)
    assert all(description.endswith(".") for _, description in found["ARGUMENTS"].values())
    assert set(found["FLAGS"]) <= set(found["ARGUMENTS"])
    assert {found["ARGUMENTS"][flag][0] for flag in found["FLAGS"]} <= {"true", "false", ""}


def test_no_argument_of_one_file_hides_one_of_the_other() -> None:
    assert set(constants(FILES[0])["ARGUMENTS"]) & set(constants(FILES[1])["ARGUMENTS"]) == set()


def test_every_parameter_that_the_stack_is_given_exists() -> None:
    found = constants("alpamayo.launch.py")
    assert set(found["TEXTS"]) | set(found["FILES"]) <= set(found["ARGUMENTS"])
    assert set(found["FILES"]) <= set(found["TEXTS"])
    for parameter in [*found["TEXTS"].values(), "autostart"]:
        owners = [node for node in NODES if parameter in declarations(NODES[node])]
        assert owners, parameter
        kinds = {declarations(NODES[node])[parameter][0] for node in owners}
        assert kinds == {bool if parameter == "autostart" else str}


def test_every_parameter_that_the_replayer_is_given_exists() -> None:
    known = declarations(NODES["replayer"])
    (given,) = (
        node.value
        for node in ast.walk(tree("replay.launch.py"))
        if isinstance(node, ast.AugAssign) and ast.unparse(node.target) == "parameters"
    )
    assert isinstance(given, ast.Dict)
    names = {key.value for key in given.keys if isinstance(key, ast.Constant)} | set(
        constants("replay.launch.py")["FLAGS"]
    )
    assert {"bag", "rate", "clock", "exit_at_end"} <= names
    assert names | {"wait_for_subscribers"} <= set(known)


def test_every_executable_that_is_started_is_installed() -> None:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    nodes = text.split("foreach(node ")[1].split(")")[0].split()
    started = {*constants("alpamayo.launch.py")["NODES"], *keywords("alpamayo.launch.py", "executable")}
    started |= keywords("replay.launch.py", "executable")
    assert started - {"rviz2"} <= {*nodes, "stack"}
    assert set(constants("alpamayo.launch.py")["NODES"]) == set(STAGES)


def test_every_option_of_the_engine_that_is_built_exists() -> None:
    found = constants("build_engine.launch.py")
    assert {"model", *found["OPTIONS"]} == set(found["ARGUMENTS"])
    command = get_command(app).commands["build"]
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(found["OPTIONS"].values()) <= known


@pytest.mark.parametrize("name", FILES[:2])
def test_nodes_are_told_whom_they_must_not_outlive_by_the_name_that_they_read(name: str) -> None:
    text = (ROOT / "alpamayo_ros" / "ros" / "process.py").read_text(encoding="utf-8")
    assert f'PARENT_VARIABLE = "{constants(name)["PARENT_VARIABLE"]}"' in text


def test_the_dds_profile_names_both_transports_and_is_installed_where_the_launch_file_looks() -> None:
    text = (ROOT / "launch" / "alpamayo.launch.py").read_text(encoding="utf-8")
    assert '"config" / "fastdds" / "large_data.xml"' in text
    name = "{http://www.eprosima.com}"
    profile = ET.parse(ROOT / "config" / "fastdds" / "large_data.xml").getroot()
    described = [item.text for item in profile.iter(f"{name}transport_id")]
    assert sorted(described) == sorted(2 * ["large_shared_memory", "udp"])
    sizes = {
        item.tag.removeprefix(name): int(item.text or "") for item in profile.iter() if (item.text or "").isdigit()
    }
    assert sizes == {"maxMessageSize": 16 * 2**20, "segment_size": 64 * 2**20}
