"""Processes of a graph: started by name, told apart when they end, and ended with the block whatever happens."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")

from alpamayo_ros.errors import ConfigurationError, GraphError
from alpamayo_ros.ros import node_processes
from alpamayo_ros.ros.node_processes import NodeProcesses, executable
from alpamayo_ros.ros.process import PARENT_VARIABLE

pytestmark = pytest.mark.ros
WAIT_S = 30.0
WAITS = "import signal, sys\nprint('up', flush=True)\nsignal.pause()\n"


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str, str], dict[str, str]]:
    """Return a function that installs a program as an executable of the package, and gives the environment of it."""

    def make(name: str, program: str) -> dict[str, str]:
        place = tmp_path / "prefix" / "lib" / "alpamayo_ros"
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(f"#!{sys.executable}\n{program}", encoding="utf-8")
        (place / name).chmod(0o755)
        return {**os.environ, "AMENT_PREFIX_PATH": str(tmp_path / "prefix")}

    return make


Install = Callable[[str, str], dict[str, str]]


def await_end(processes: NodeProcesses) -> str:
    """Wait until a process has ended, and return what is said of it."""
    for running in processes._running:
        running.process.wait(WAIT_S)
    return processes.ended()


def await_text(path: Path, text: str) -> None:
    """Wait until a log holds a text."""
    deadline = time.monotonic() + WAIT_S
    while text not in path.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, path.read_text(encoding="utf-8")
        os.sched_yield()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("name", ["perception", "reasoning", "planner", "lineage", "stack", "recorder", "replayer"])
def test_every_node_of_the_package_is_installed(name: str) -> None:
    found = executable(name, {})
    assert found.name == name
    assert os.access(found, os.X_OK)


def test_an_installation_in_the_ament_path_is_found_and_ours_goes_first(install: Install) -> None:
    environment = install("lonely", WAITS)
    assert executable("lonely", environment).parent == Path(environment["AMENT_PREFIX_PATH"]) / "lib/alpamayo_ros"
    install("perception", WAITS)
    assert executable("perception", environment) == executable("perception", {})


def test_what_is_not_installed_is_named_with_the_places(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"executable 'lonely' of alpamayo_ros is in none of: .*; build the package"
    ):
        executable("lonely", {"AMENT_PREFIX_PATH": f"{tmp_path}{os.pathsep}{os.pathsep}"})
    with NodeProcesses(tmp_path, {}) as processes:
        with pytest.raises(ConfigurationError, match="'lonely'"):
            processes.start("lonely", [])
        assert processes.pids == {}


def test_what_cannot_be_started_is_said(install: Install, tmp_path: Path) -> None:
    environment = install("broken", "")
    (tmp_path / "prefix" / "lib" / "alpamayo_ros" / "broken").write_bytes(b"\x7fELF nonsense")
    with NodeProcesses(tmp_path, environment) as processes:
        with pytest.raises(GraphError, match="executable 'broken' cannot be started: Exec format error"):
            processes.start("broken", [])
        with pytest.raises(GraphError, match="cannot be started: No such file or directory"):
            NodeProcesses(tmp_path / "absent", environment).start("broken", [])


def test_arguments_environment_and_output_are_the_nodes_own(install: Install, tmp_path: Path) -> None:
    program = "import os, sys\nprint(sys.argv[1:], os.environ['COLOUR'], os.environ['ALPAMAYO_PARENT_PID'])\n"
    environment = {
        **install("talks", program + "print(os.getsid(0) == os.getpid(), file=sys.stderr)\n"),
        "COLOUR": "red",
    }
    with NodeProcesses(tmp_path, environment) as processes:
        processes.start("talks", ["--ros-args", "-p", "a:=b c"])
        said = await_end(processes)
    assert (tmp_path / "talks.log").read_text().splitlines() == [
        f"['--ros-args', '-p', 'a:=b c'] red {os.getpid()}", "True",
    ]  # fmt: skip
    assert said.startswith("process 'talks' ended with exit code 0; its last words: ['--ros-args'")
    assert PARENT_VARIABLE not in environment


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit(3)", "process 'ends' ended with exit code 3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "process 'ends' ended with signal SIGKILL"),
        ("import os\nos.kill(os.getpid(), 40)", "process 'ends' ended with signal 40"),
        ("print('\\n'.join(map(str, range(9))))", "ended with exit code 0; its last words: 4 / 5 / 6 / 7 / 8"),
        ("import sys\nsys.stdout.buffer.write(b'\\xff!\\n\\n')", "ended with exit code 0; its last words: \ufffd!"),
    ],
)
def test_it_is_said_how_a_process_ended_and_what_it_said_last(
    install: Install, tmp_path: Path, program: str, said: str
) -> None:
    with NodeProcesses(tmp_path, install("ends", program)) as processes:
        processes.start("ends", [])
        assert await_end(processes).endswith(said)


def test_while_all_run_nothing_is_said_and_the_one_that_ends_is_found(install: Install, tmp_path: Path) -> None:
    environment = install("waits", WAITS)
    install("ends", "raise SystemExit(3)")
    with NodeProcesses(tmp_path, environment) as processes:
        processes.start("waits", [])
        assert processes.ended() == ""
        processes.start("ends", [])
        processes._running[1].process.wait(WAIT_S)
        assert processes.ended() == "process 'ends' ended with exit code 3"
        assert set(processes.pids) == {"waits", "ends"}
        assert is_running(processes.pids["waits"])


def test_the_end_of_the_block_interrupts_and_awaits_all(install: Install, tmp_path: Path) -> None:
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: (print('down', flush=True), sys.exit(0)))\n"
        "print('up', flush=True)\n"
        "signal.pause()\n"
    )
    environment = install("polite", program)
    with NodeProcesses(tmp_path, environment) as processes:
        processes.start("polite", [])
        await_text(tmp_path / "polite.log", "up")
        pid = processes.pids["polite"]
    assert not is_running(pid)
    assert (tmp_path / "polite.log").read_text() == "up\ndown\n"
    assert processes._running[0].process.returncode == 0


def test_one_that_does_not_go_is_killed_and_an_error_passes_through(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_processes, "_END_AFTER_ERROR_S", 0.0)
    environment = install(
        "hangs", f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n{WAITS}signal.pause()"
    )
    processes = NodeProcesses(tmp_path, environment)

    def fail_while_it_runs() -> None:
        with processes:
            processes.start("hangs", [])
            await_text(tmp_path / "hangs.log", "up")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_while_it_runs()
    assert processes._running[0].process.returncode == -signal.SIGKILL
