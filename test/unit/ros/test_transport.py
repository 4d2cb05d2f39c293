"""Large shared memory is used where pictures cross it and where there is enough of it."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.ros.transport import VARIABLE, large_data_environment

FOUR = load_profile(str(Path(__file__).resolve().parents[2] / "profiles" / "demo_four.yaml"))
Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - stands in for that of shutil


@pytest.fixture
def shared_memory(monkeypatch: pytest.MonkeyPatch) -> "pytest.MonkeyPatch":
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2e9, 0, 2e9))
    return monkeypatch


def test_a_profile_with_cameras_gets_the_packaged_file(shared_memory: pytest.MonkeyPatch) -> None:
    found = large_data_environment(FOUR, {})
    assert Path(found[VARIABLE]).read_text(encoding="utf-8").count("<segment_size>67108864</segment_size>") == 1
    assert found == large_data_environment(FOUR, {"RMW_IMPLEMENTATION": "rmw_fastrtps_cpp"})


@pytest.mark.parametrize("environment", [{VARIABLE: "/own.xml"}, {"RMW_IMPLEMENTATION": "rmw_zenoh_cpp"}])
def test_whoever_chose_otherwise_keeps_it(shared_memory: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    assert large_data_environment(FOUR, environment) == {}


def test_a_profile_without_cameras_and_a_small_container_are_left_alone(shared_memory: pytest.MonkeyPatch) -> None:
    assert large_data_environment(load_profile("kinematic"), {}) == {}
    shared_memory.setattr(shutil, "disk_usage", lambda _: Usage(64e6, 0, 64e6))
    assert large_data_environment(FOUR, {}) == {}
