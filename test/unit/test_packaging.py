"""What is installed is what the checkout says, by either of two installers, and never by both."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib import resources
from pathlib import Path

import pytest

import alpamayo_ros

ROOT = Path(__file__).resolve().parents[2]
PREFIX = Path(sys.prefix)
SITE = Path(alpamayo_ros.__file__).parents[1]
PIP_INPUT = ("LICENSE", "README.md", "alpamayo_ros", "config", "msg", "package.xml", "pyproject.toml", "setup.py")


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def package_version() -> str:
    match = re.search("<version>(.*?)</version>", (ROOT / "package.xml").read_text(encoding="utf-8"))
    assert match is not None
    return match.group(1)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what pip reads, so that nothing is built in the checkout."""
    copy = tmp_path / "checkout"
    copy.mkdir()
    for name in PIP_INPUT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture
def outside(tmp_path: Path) -> list[str]:
    """Return a Python that is not the colcon prefix, with the libraries of this one and no network."""
    other = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(other)], check=True)
    return ["env", f"PYTHONPATH={SITE}", "PIP_NO_INDEX=1", str(other / "bin" / "python")]


def test_every_module_is_installed_as_a_link_to_its_source_and_none_is_left_over() -> None:
    installed = SITE / "alpamayo_ros"
    generated = ("msg/", "srv/", "action/", "_data/", "_alpamayo_ros_s.", "alpamayo_ros_s__", "libalpamayo_ros")
    sources = {name for name in files_below(ROOT / "alpamayo_ros") if "__pycache__" not in name}
    found = {name for name in files_below(installed) if not name.startswith(generated) and "__pycache__" not in name}
    assert found == sources, "run make: the installed tree is older than the sources"
    links = {name for name in sources if (installed / name).resolve() == ROOT / "alpamayo_ros" / name}
    assert sources - links <= {"__init__.py"}  # rosidl installs its own, empty one


@pytest.mark.parametrize("folder", ["msg", "config"])
def test_package_data_is_readable_without_a_path(folder: str) -> None:
    data = resources.files("alpamayo_ros").joinpath("_data", folder)
    with resources.as_file(data) as path:
        assert files_below(path) == files_below(ROOT / folder)
        assert files_below(path)


def test_the_pytest_plugin_is_found_once_by_its_entry_point() -> None:
    points = importlib.metadata.entry_points(group="pytest11")
    assert [point.value for point in points if point.name == "alpamayo_ros"] == ["alpamayo_ros.testing.pytest_plugin"]
    assert importlib.metadata.version("alpamayo_ros") == package_version()


def test_the_pytest_plugin_loads_nothing_heavy() -> None:
    code = (
        "import sys, alpamayo_ros.testing.pytest_plugin as plugin; "
        "print(sorted({'cv2', 'matplotlib', 'numpy', 'rclpy', 'rosbags', 'typer'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=PREFIX, capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"


def test_the_program_runs_with_the_python_it_was_installed_for(tmp_path: Path) -> None:
    program = PREFIX / "bin" / "alpamayo"
    python = str(PREFIX / "bin" / "python")
    assert os.access(program, os.X_OK)
    first, second = program.read_text(encoding="utf-8").splitlines()[:2]
    assert first == f"#!{python}" or (first == "#!/bin/sh" and f'"{python}"' in second)
    result = subprocess.run([program, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    assert "replay" in result.stdout


def test_pip_is_refused_where_colcon_installed(checkout: Path) -> None:
    command = [sys.executable, "setup.py", "--version"]
    result = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 1
    assert result.stderr.strip().startswith(f"alpamayo_ros is installed by colcon in {PREFIX}; use that one")
    assert result.stdout == ""


def test_an_editable_install_is_refused(checkout: Path, outside: list[str]) -> None:
    code = "import setuptools.build_meta as backend; backend.build_editable('.')"
    result = subprocess.run(
        [*outside, "-W", "ignore", "-c", code], cwd=checkout, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 1
    assert "cannot be installed in editable mode; run 'make'" in result.stderr


@pytest.mark.parametrize("present", [True, False])
def test_cmake_refuses_where_pip_installed(tmp_path: Path, present: bool) -> None:
    """The fragment of CMakeLists.txt, in script mode: a whole build takes a quarter of a minute."""
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    match = re.search(r"^file\(GLOB pip_installs .*?^endif\(\)$", text, re.MULTILINE | re.DOTALL)
    assert match is not None
    script = tmp_path / "refuse.cmake"
    script.write_text(match.group(), encoding="utf-8")
    if present:
        (tmp_path / "lib" / "site" / "alpamayo_ros-9.9.9.dist-info").mkdir(parents=True)
    cmake = shutil.which("cmake", path=os.pathsep.join([str(PREFIX / "bin"), os.environ["PATH"]]))
    assert cmake is not None
    command = [cmake, f"-DCMAKE_INSTALL_PREFIX={tmp_path}", "-DPYTHON_INSTALL_DIR=lib/site", "-P", str(script)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode != 0) == present
    assert ("run 'pip uninstall alpamayo_ros' there" in " ".join(result.stderr.split())) == present


def test_a_wheel_carries_everything_that_colcon_installs(tmp_path: Path, checkout: Path, outside: list[str]) -> None:
    out = tmp_path / "wheels"
    command = [*outside, "-m", "pip", "wheel", ".", "--no-build-isolation", "--no-deps", "--quiet", "-w", str(out)]
    result = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"alpamayo_ros-{package_version()}.dist-info/METADATA").decode()
        points = archive.read(f"alpamayo_ros-{package_version()}.dist-info/entry_points.txt").decode()
    expected = {f"alpamayo_ros/{name}" for name in files_below(checkout / "alpamayo_ros")}
    for folder in ("msg", "config"):
        expected |= {f"alpamayo_ros/_data/{folder}/{name}" for name in files_below(checkout / folder)}
    assert any(name.endswith(".j2") for name in expected)
    assert expected == {name for name in names if name.startswith("alpamayo_ros/")}
    assert f"\nVersion: {package_version()}\n" in metadata
    assert "Requires-Dist: rosbags" in metadata
    assert "[pytest11]\nalpamayo_ros = alpamayo_ros.testing.pytest_plugin" in points
    assert "alpamayo = alpamayo_ros.cli.main:main" in points


def test_a_source_archive_carries_what_a_wheel_is_built_from(checkout: Path, outside: list[str]) -> None:
    code = "import setuptools.build_meta as backend; backend.build_sdist('.')"
    subprocess.run([*outside, "-W", "ignore", "-c", code], cwd=checkout, capture_output=True, check=True, timeout=120)
    (archive,) = checkout.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    assert {"package.xml", "setup.py", "pyproject.toml", "LICENSE"} <= names
    for folder in ("msg", "config"):
        assert {f"{folder}/{name}" for name in files_below(ROOT / folder)} <= names


def test_what_pip_installed_is_what_is_pinned() -> None:
    """The ROS 2 wheels bring a second, generated entry for some packages; those pip did not install."""
    if os.environ.get("ROS_DISTRO"):
        pytest.skip("a sourced ROS 2 brings versions of its own")
    text = (ROOT / f"constraints-{sys.version_info[0]}.{sys.version_info[1]}.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^(.+)==(.+)$", text, re.MULTILINE))
    present, by_pip = set(), set()
    for distribution in importlib.metadata.distributions(path=[str(SITE)]):
        entry = (distribution.metadata["Name"].lower().replace("_", "-"), distribution.version)
        present.add(entry)
        if (distribution.read_text("INSTALLER") or "").strip() == "pip" and entry[0] != "pip":
            by_pip.add(entry)
    assert by_pip - pinned == set()
    assert pinned - present == set()
