"""Bring `.venv` to the state that every make target needs; finish in about a second when nothing changed.

Without a sourced ROS 2 the venv gets ROS 2 Kilted from wheels; where ROS_DISTRO is set it sees the sourced ROS 2
and gets only the Python libraries. colcon installs into the venv itself, so that `.venv/bin/alpamayo`,
`.venv/bin/pytest` and plain `.venv/bin/python` work without sourcing anything.

Standard library only, and nothing that an older Python cannot even read: this runs before anything is installed
and must live long enough to say that the Python is too old.
"""

import errno
import fcntl
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
from typing import BinaryIO, List, NamedTuple, Tuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".alpamayo_ros_set_up"
UNFINISHED = ".unfinished"
"""Stands in build/ while a build runs."""
TESTED, RESOLVED = (3, 11), ((3, 10), (3, 12))
NEEDED_BYTES = 3 * 1024**3
"""Free space for a first set-up; .venv and build take two thirds of it."""
INSTALL_STEPS = 1
"""Raised by hand when install() changes, so that existing environments are made anew."""
WHEEL_BUILD_PATH = r"/opt/python/cp3\d+-cp3\d+/"
REASONS = (
    ("No space left on device|Disk quota exceeded", "the disk is full; make room and run the same command again"),
    (
        "NewConnectionError|ConnectTimeoutError|NameResolutionError|ProxyError|Read timed out|MaxRetryError",
        "the package index could not be reached; connect to the network and run the same command again",
    ),
)
"""What the output of a command shows, and the one sentence that then takes its place."""


class SetUpError(Exception):
    """Something is missing; the text is one sentence that says what to do."""


class Machine(NamedTuple):
    """What a machine offers, as far as the set-up needs to know."""

    python: Tuple[int, int]
    platform: str
    architecture: str
    ros_distro: str
    root: str
    headers: bool
    compiler: str
    compiler_found: bool
    missing_modules: Tuple[str, ...]
    colcon: bool
    free_bytes: int


def main() -> int:
    """Set up, or say in one sentence what is missing."""
    started = time.monotonic()
    try:
        machine = this_machine()
        verify_machine(machine)
        with Path(__file__).open("r+b") as lock:
            wait_for(lock)
            wanted = fingerprint(machine.ros_distro)
            if read_text(STAMP) != wanted or not (VENV / "bin" / "python").exists():
                verify_space(machine)
                install(machine.ros_distro)
                STAMP.write_text(wanted, encoding="utf-8")
            remove_stale_build(ROOT)
            build(machine.ros_distro)
            remove_dangling_links(VENV)
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}; the checkout must be writable"
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        print(f"set-up: {REASONS[0][1] if full else reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("set-up: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    print(f"set-up: ready in {time.monotonic() - started:.1f} s")
    return 0


def this_machine() -> Machine:
    """Look at the machine that this runs on."""
    compiler = os.environ.get("CXX", "")
    ros_distro = os.environ.get("ROS_DISTRO", "")
    modules = [
        name
        for name in ("venv", "ensurepip")
        if subprocess.call([sys.executable, "-c", f"import {name}"], stderr=subprocess.DEVNULL)
    ]
    return Machine(
        python=(sys.version_info[0], sys.version_info[1]),
        platform=sys.platform,
        architecture=platform.machine(),
        ros_distro=ros_distro,
        root=str(ROOT),
        headers=(Path(sysconfig.get_paths()["include"]) / "Python.h").exists(),
        compiler=compiler,
        # CXX may carry arguments or a launcher, such as "ccache g++"; then CMake is the one to judge it.
        compiler_found=" " in compiler
        or any(shutil.which(name) for name in ([compiler] if compiler else ["c++", "g++", "clang++"])),
        missing_modules=tuple(modules),
        colcon=not ros_distro or shutil.which("colcon") is not None,
        free_bytes=shutil.disk_usage(str(ROOT)).free,
    )


def verify_machine(machine: Machine) -> None:
    """Require a Python, a platform, a path, headers and a compiler that the set-up can work with."""
    text = f"{machine.python[0]}.{machine.python[1]}"
    if machine.python != TESTED and machine.python not in RESOLVED:
        raise SetUpError(f"Python {text} is not supported; run 'make PYTHON=python3.11' (or 3.10 or 3.12)")
    if machine.platform != "linux":
        raise SetUpError(f"platform {machine.platform} is not supported; use Linux")
    if machine.architecture != "x86_64" and not machine.ros_distro:
        raise SetUpError(
            f"there are no ROS 2 wheels for {machine.architecture}; "
            "source a ROS 2 installation (source /opt/ros/<distro>/setup.bash) and run the same command again"
        )
    if set(machine.root) & set(":;'\"$`\\\n"):
        raise SetUpError(
            f"the path of this checkout, {machine.root!r}, has a character that CMake or a shell would take apart; "
            "move it to a path without : ; quotes $ and backslash"
        )
    if not machine.headers:
        raise SetUpError(f"the Python headers are missing; install them (Debian, Ubuntu: python{text}-dev)")
    if not machine.compiler_found:
        named = f" at CXX={machine.compiler}" if machine.compiler else ""
        raise SetUpError(f"no C++ compiler was found{named}; install one (Debian, Ubuntu: g++)")
    if machine.missing_modules:
        missing = " and ".join(machine.missing_modules)
        raise SetUpError(f"Python's {missing} cannot be imported; install it (Debian, Ubuntu: python{text}-venv)")
    if not machine.colcon:
        raise SetUpError("colcon is missing; install it (Debian, Ubuntu: python3-colcon-common-extensions)")
    if machine.python != TESTED:
        print(f"set-up: the versions in constraints-{text}.txt are resolved, but not run; 3.11 is what is tested")


def verify_space(machine: Machine) -> None:
    """Require room for a first set-up before it starts; an environment that is replaced gives its room back."""
    if machine.free_bytes < NEEDED_BYTES and not VENV.exists():
        free_gb = machine.free_bytes / 1024**3
        raise SetUpError(
            f"the disk of {machine.root} has {free_gb:.1f} GB free; make room for {NEEDED_BYTES // 1024**3} GB"
        )


def wait_for(lock: BinaryIO) -> None:
    """Hold this file's lock: two set-ups of one checkout would destroy each other's work.

    Commands inherit the lock, so that a pip that outlives its killed set-up still keeps the next one waiting.
    """
    os.set_inheritable(lock.fileno(), True)  # noqa: FBT003 (positional only)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("set-up: another set-up of this checkout is running; waiting for it", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def fingerprint(ros_distro: str) -> str:
    """Name everything that the installed environment depends on."""
    digest = hashlib.sha256(constraints().read_bytes())
    digest.update(repr((INSTALL_STEPS, groups(ros_distro), sys.version, sys.executable, ros_distro, ROOT)).encode())
    return digest.hexdigest()


def constraints() -> Path:
    """Pinned versions for the running Python."""
    return ROOT / f"constraints-{sys.version_info[0]}.{sys.version_info[1]}.txt"


def groups(ros_distro: str) -> List[str]:
    """Read the requirement lists of pyproject.toml (by hand: tomllib is absent from Python 3.10)."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    requirements = []
    for name in ["dependencies", "test", "lint"] + ([] if ros_distro else ["ros-wheels"]):
        match = re.search(rf"^{name} = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
        if match is None:
            raise SetUpError(f"pyproject.toml has no list {name!r}; restore it from git")
        requirements += re.findall(r'"([^"]+)"', match.group(1))
    return requirements


def install(ros_distro: str) -> None:
    """Make the venv and install every requirement into it at its pinned version."""
    print("set-up: making .venv (once; a few minutes)", flush=True)
    if STAMP.exists():
        STAMP.unlink()
    shutil.rmtree(str(ROOT / "build"), ignore_errors=True)
    site = ["--system-site-packages"] if ros_distro else []
    run([sys.executable, "-m", "venv", "--clear", *site, str(VENV)], "Python could not make .venv")
    failure = f"pip could not install what {constraints().name} pins"
    command = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    command.append("--no-compile")  # one core would do what all of them do at the end
    # A library that the system has in the pinned version would bring no program into .venv/bin.
    command += ["--ignore-installed"] if ros_distro else []
    run([*command, "--constraint", str(constraints()), *groups(ros_distro)], failure)
    if not ros_distro:
        repair_wheel_paths()
    for folder in VENV.glob("lib/python3*/site-packages"):
        compile_modules(folder)


def compile_modules(folder: Path) -> None:
    """Compile modules ahead with all cores: where PYTHONDONTWRITEBYTECODE is set, every process would do it again.

    Some packages bring templates and tests that are no Python; nothing imports them.
    """
    command = [
        str(VENV / "bin" / "python"),
        "-m",
        "compileall",
        "-q",
        "-j",
        "0",
        "-x",
        r"[/](tests?|sumo)[/]",
        str(folder),
    ]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def run(command: List[str], failure: str, environment: "dict[str, str] | None" = None) -> None:
    """Run a command silently; when it fails, say why in one sentence, after its output if that is needed."""
    result = subprocess.run(
        command,
        cwd=str(ROOT),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        close_fds=False,
    )
    if result.returncode == 0:
        return
    output = result.stdout.decode(errors="replace")
    for pattern, sentence in REASONS:
        if re.search(pattern, output):
            raise SetUpError(sentence)
    print(output[-8000:], file=sys.stderr)
    raise SetUpError(f"{failure}; the reason stands above")


def repair_wheel_paths() -> None:
    """Replace the build machine's include paths that the message wheels export to CMake."""
    code = "import numpy, sysconfig; print(sysconfig.get_paths()['include']); print(numpy.get_include())"
    found = subprocess.check_output([str(VENV / "bin" / "python"), "-c", code])
    python_include, numpy_include = found.decode().split("\n")[:2]
    replacements = (
        (WHEEL_BUILD_PATH + r"lib/python3\.\d+/site-packages/numpy/_core/include", numpy_include),
        (WHEEL_BUILD_PATH + r"include/python3\.\d+", python_include),
    )
    for file in (VENV / "share").rglob("*.cmake"):
        text = repaired = file.read_text(encoding="utf-8")
        for pattern, include in replacements:
            repaired = re.sub(pattern, include, repaired)
        if repaired != text:
            file.write_text(repaired, encoding="utf-8")


def build(ros_distro: str) -> None:
    """Run colcon; about a second when nothing changed."""
    environment = dict(os.environ)
    for name in ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH"):
        inherited = environment.get(name, "") if ros_distro else ""
        environment[name] = os.pathsep.join(filter(None, [str(VENV), inherited]))
    environment["PATH"] = os.pathsep.join([str(VENV / "bin"), environment["PATH"]])
    environment["VIRTUAL_ENV"] = str(VENV)
    environment["COLCON_DEFAULTS_FILE"] = os.devnull
    # colcon's own choice also stops at a load, which this very build makes.
    environment["MAKEFLAGS"] = f"-j{os.cpu_count() or 1}"
    python = VENV / "bin" / "python"
    unfinished = ROOT / "build" / UNFINISHED
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.touch()
    command = [
        "colcon" if ros_distro else str(VENV / "bin" / "colcon"), "--log-base", os.devnull, "build",
        "--paths", str(ROOT), "--build-base", str(ROOT / "build"),
        "--merge-install", "--install-base", str(VENV), "--symlink-install",
        "--event-handlers", "console_direct+",
        "--cmake-args", "-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={python}", f"-DPYTHON_EXECUTABLE={python}",
        # Otherwise each distribution derives it from its own idea of the Python of Debian.
        f"-DPYTHON_INSTALL_DIR=lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages",
        "-DCMAKE_BUILD_TYPE=Release", f"-DALPAMAYO_JOINED_TYPE_SUPPORT={'OFF' if ros_distro else 'ON'}",
    ]  # fmt: skip
    run(command, "colcon could not build the package", environment)
    for folder in VENV.glob("lib/python3*/site-packages/alpamayo_ros"):
        compile_modules(folder)
    unfinished.unlink()


def remove_stale_build(root: Path) -> None:
    """Start the build anew after one that broke off, after a message or service was deleted and after a new version.

    Only then: the files that were generated from a deleted message or service stay importable otherwise, and the
    entry point of the old version would load the pytest plugin twice.
    """
    venv = root / ".venv"
    sources = interfaces(root)
    built = interfaces(venv / "share" / "alpamayo_ros")
    version = re.search("<version>(.*?)</version>", (root / "package.xml").read_text(encoding="utf-8"))
    found = [path.name.split("-")[1] for path in venv.glob("lib/python3*/site-packages/alpamayo_ros-*.egg-info")]
    broke_off = (root / "build" / UNFINISHED).exists()
    if not broke_off and built <= sources and all(version and name == version.group(1) for name in found):
        return
    shutil.rmtree(str(root / "build"), ignore_errors=True)
    for pattern in (
        "bin/alpamayo",
        "include/alpamayo_ros",
        "lib/libalpamayo_ros_*",
        "lib/alpamayo_ros",
        "lib/python3*/site-packages/alpamayo_ros",
        "lib/python3*/site-packages/alpamayo_ros-*.egg-info",
        "share/alpamayo_ros",
    ):
        for path in venv.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(str(path))
            else:
                path.unlink()


def interfaces(folder: Path) -> "set[str]":
    """Name the messages and services of a source tree or an installed one."""
    return {path.name for pattern in ("msg/*.msg", "srv/*.srv") for path in folder.glob(pattern)}


def remove_dangling_links(venv: Path) -> None:
    """Delete installed links whose source file is gone, so that a deleted module or file cannot be found."""
    folders = [*venv.glob("lib/python3*/site-packages/alpamayo_ros"), venv / "share" / "alpamayo_ros"]
    for path in sorted((path for folder in folders for path in folder.rglob("*")), reverse=True):
        if path.is_symlink() and not path.exists():
            path.unlink()
        elif path.is_dir() and not path.is_symlink() and all(entry.name == "__pycache__" for entry in path.iterdir()):
            shutil.rmtree(str(path))


def read_text(path: Path) -> str:
    """Read a file, empty if it is absent."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
