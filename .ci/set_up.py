"""Bring `.venv` to the state that every make target needs; finish in about a second when nothing changed.

Without a sourced ROS 2 the venv gets ROS 2 Kilted from wheels; where ROS_DISTRO is set it sees the sourced ROS 2
and gets only the Python libraries. colcon installs into the venv itself, so that `.venv/bin/alpamayo`,
`.venv/bin/pytest` and plain `.venv/bin/python` work without sourcing anything.

Standard library only: this runs before anything is installed.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".alpamayo_ros_set_up"
TESTED, RESOLVED = (3, 11), ((3, 10), (3, 12))
WHEEL_BUILD_PATH = re.compile(r"/opt/python/cp3\d+-cp3\d+/")


class SetUpError(Exception):
    """Something is missing; the text is one sentence that says what to do."""


def main() -> int:
    """Set up, or say in one sentence what is missing."""
    started = time.monotonic()
    try:
        ros_distro = os.environ.get("ROS_DISTRO", "")
        verify_machine(ros_distro)
        wanted = fingerprint(ros_distro)
        if read_text(STAMP) != wanted:
            install(ros_distro)
            STAMP.write_text(wanted, encoding="utf-8")
        build(ros_distro)
        remove_dangling_links()
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"set-up: the command above ended with {error.returncode}: {' '.join(error.cmd[:6])} ...", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("set-up: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    print(f"set-up: ready in {time.monotonic() - started:.1f} s")
    return 0


def verify_machine(ros_distro: str) -> None:
    """Require a Python, a platform, headers and a compiler that this can work with."""
    version = sys.version_info[:2]
    text = f"{version[0]}.{version[1]}"
    if version != TESTED and version not in RESOLVED:
        raise SetUpError(f"Python {text} is not supported; run 'make PYTHON=python3.11' (or 3.10 or 3.12)")
    if sys.platform != "linux":
        raise SetUpError(f"platform {sys.platform} is not supported; use Linux")
    if platform.machine() != "x86_64" and not ros_distro:
        raise SetUpError(
            f"there are no ROS 2 wheels for {platform.machine()}; "
            "source a ROS 2 installation (source /opt/ros/<distro>/setup.bash) and run the same command again"
        )
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        raise SetUpError(f"the Python headers are missing; install them (Debian, Ubuntu: python{text}-dev)")
    compiler = os.environ.get("CXX", "")
    if not any(shutil.which(name) for name in ([compiler] if compiler else ["c++", "g++", "clang++"])):
        raise SetUpError(f"no C++ compiler was found{f' at CXX={compiler}' if compiler else ''}; install g++")
    for module in ("venv", "ensurepip"):
        if subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False).returncode:
            raise SetUpError(f"Python's {module} module is missing; install it (Debian, Ubuntu: python{text}-venv)")
    if ros_distro and not shutil.which("colcon"):
        raise SetUpError("colcon is missing; install it (Debian, Ubuntu: python3-colcon-common-extensions)")
    if version != TESTED:
        print(f"set-up: Python {text} is resolved in constraints-{text}.txt, but not run; 3.11 is what is tested")


def fingerprint(ros_distro: str) -> str:
    """Name everything that the installed environment depends on."""
    digest = hashlib.sha256()
    for name in (constraints(), ROOT / "pyproject.toml", Path(__file__)):
        digest.update(name.read_bytes())
    digest.update(f"{sys.version}\n{sys.executable}\n{ros_distro}\n{ROOT}".encode())
    return digest.hexdigest()


def constraints() -> Path:
    """Pinned versions for the running Python."""
    return ROOT / f"constraints-{sys.version_info.major}.{sys.version_info.minor}.txt"


def groups(ros_distro: str) -> list[str]:
    """Read the requirement lists of pyproject.toml (by hand: tomllib is absent from Python 3.10)."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    names = ["dependencies", "test", "lint"] + ([] if ros_distro else ["ros-wheels"])
    requirements: list[str] = []
    for name in names:
        match = re.search(rf"^{name} = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
        if match is None:
            raise SetUpError(f"pyproject.toml has no list {name!r}; restore it from git")
        requirements += re.findall(r'"([^"]+)"', match.group(1))
    return requirements


def install(ros_distro: str) -> None:
    """Make the venv and install every requirement into it at its pinned version."""
    print("set-up: making .venv (once; about a minute with a fast connection)", flush=True)
    STAMP.unlink(missing_ok=True)
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    site = ["--system-site-packages"] if ros_distro else []
    subprocess.run([sys.executable, "-m", "venv", "--clear", *site, str(VENV)], check=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    command = [*pip, "--constraint", str(constraints()), *groups(ros_distro)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        print(result.stdout[-4000:] + result.stderr[-4000:], file=sys.stderr)
        raise SetUpError("pip could not install what constraints-*.txt names; the reason stands above")
    if not ros_distro:
        repair_wheel_paths()


def repair_wheel_paths() -> None:
    """Replace the build machine's include paths that the message wheels export to CMake."""
    code = "import numpy, sysconfig; print(sysconfig.get_paths()['include']); print(numpy.get_include())"
    found = subprocess.run([str(VENV / "bin" / "python"), "-c", code], capture_output=True, text=True, check=True)
    python_include, numpy_include = found.stdout.split("\n")[:2]
    for file in (VENV / "share").rglob("*.cmake"):
        text = file.read_text(encoding="utf-8")
        if not WHEEL_BUILD_PATH.search(text):
            continue
        text = re.sub(r"/opt/python/cp3\d+-cp3\d+/lib/python3\.\d+/site-packages/numpy/_core/include", numpy_include, text)
        text = re.sub(r"/opt/python/cp3\d+-cp3\d+/include/python3\.\d+", python_include, text)
        file.write_text(text, encoding="utf-8")


def build(ros_distro: str) -> None:
    """Run colcon; about a second when nothing changed."""
    environment = dict(os.environ)
    for name in ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH"):
        inherited = environment.get(name, "") if ros_distro else ""
        environment[name] = os.pathsep.join(filter(None, [str(VENV), inherited]))
    environment["PATH"] = os.pathsep.join([str(VENV / "bin"), environment["PATH"]])
    environment["VIRTUAL_ENV"] = str(VENV)
    environment["COLCON_LOG_PATH"] = str(ROOT / "log")
    colcon = [str(VENV / "bin" / "colcon") if not ros_distro else "colcon"]
    python = VENV / "bin" / "python"
    command = [
        *colcon, "build", "--paths", str(ROOT),
        "--build-base", str(ROOT / "build"), "--merge-install", "--install-base", str(VENV), "--symlink-install",
        "--event-handlers", "console_direct+",
        "--cmake-args", "-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={python}", f"-DPYTHON_EXECUTABLE={python}",
        "-DCMAKE_BUILD_TYPE=Release",
    ]  # fmt: skip
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        print(result.stdout + result.stderr, file=sys.stderr)
        raise SetUpError("colcon could not build the package; the reason stands above")


def remove_dangling_links() -> None:
    """Delete installed links whose source file is gone, so that a deleted module cannot be imported."""
    for package in (VENV / "lib").glob("python3.*/site-packages/alpamayo_ros"):
        for path in sorted(package.rglob("*"), reverse=True):
            if path.is_symlink() and not path.exists():
                path.unlink()
            elif path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
                path.rmdir()


def read_text(path: Path) -> str:
    """Read a file, empty if it is absent."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
