"""README shows every parameter as the dataclasses have it."""

from pathlib import Path

import pytest

from alpamayo_ros.params.node_parameters import NODES
from alpamayo_ros.params.parameter import declarations
from alpamayo_ros.params.reference import parameter_tables


def test_every_parameter_of_every_node_is_in_a_table() -> None:
    text = parameter_tables()
    for parameters in NODES.values():
        for name in declarations(parameters):
            assert f"| `{name}` |" in text


def test_readme_holds_the_tables(pytestconfig: pytest.Config) -> None:
    """When it fails: .venv/bin/python -c 'from alpamayo_ros.params.reference import *; print(parameter_tables())'."""
    readme = (Path(pytestconfig.rootpath) / "README.md").read_text(encoding="utf-8")
    assert parameter_tables() in readme
