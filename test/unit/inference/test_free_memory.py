"""Free memory is the least of what the host and the control group would grant."""

from pathlib import Path

import pytest

from alpamayo_ros.inference.free_memory import free_memory_bytes

GIB = 2**30


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n", encoding="ascii")
    return path


def write_groups(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return folder


def test_without_a_control_group_the_host_decides(meminfo: Path, tmp_path: Path) -> None:
    assert free_memory_bytes(meminfo, tmp_path / "none") == 8 * GIB


@pytest.mark.parametrize(
    ("limit", "used", "statistics", "inactive"),
    [
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    ],
    ids=["version 2", "version 1"],
)
def test_a_control_group_that_grants_less_decides(
    meminfo: Path, tmp_path: Path, limit: str, used: str, statistics: str, inactive: str
) -> None:
    files = {limit: f"{4 * GIB}\n", used: f"{3 * GIB}\n", statistics: f"anon 5\n{inactive} {GIB}\n"}
    groups = write_groups(tmp_path / "groups", files)
    assert free_memory_bytes(meminfo, groups) == 2 * GIB
    (groups / statistics).unlink()
    assert free_memory_bytes(meminfo, groups) == GIB
    (groups / limit).write_text("max\n", encoding="ascii")
    assert free_memory_bytes(meminfo, groups) == 8 * GIB


def test_where_nothing_tells_it_is_not_known(tmp_path: Path) -> None:
    assert free_memory_bytes(tmp_path / "none", tmp_path / "none") is None


def test_this_host_has_some() -> None:
    free = free_memory_bytes()
    assert free is None or free > 0
