"""SUMO is an extra; where it is absent, the error says how to get it."""

from pathlib import Path

import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.world import sumo


def test_library_and_compiler_are_found() -> None:
    assert hasattr(sumo.traffic_library(), "simulationStep")
    assert sumo.network_compiler().is_file()
    assert sumo.traffic_version().split(".")[0].isdigit()


def test_without_the_program_the_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Home:
        SUMO_HOME = str(tmp_path)

    monkeypatch.setattr(sumo, "import_module", lambda _: Home)
    with pytest.raises(ConfigurationError, match="eclipse-sumo"):
        sumo.network_compiler()
