"""Start the nodes of a graph as processes by their executable names, and end them."""

import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from alpamayo_ros.errors import ConfigurationError, GraphError
from alpamayo_ros.ros.process import PARENT_VARIABLE

PACKAGE = "alpamayo_ros"
_END_S, _END_AFTER_ERROR_S = 10.0, 2.0
"""Until a process that was asked to end is killed; after an error it may well be one that hangs."""
_LOG_LINES = 5
_SIGNAL_NAMES = {item.value: item.name for item in signal.Signals}
"""Most real-time signals have none."""


def executable(name: str, environment: Mapping[str, str]) -> Path:
    """Return the file that ``ros2 run alpamayo_ros <name>`` would start.

    Raises:
        ConfigurationError: It is not installed.
    """
    prefixes = [sys.prefix, *filter(None, environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep))]
    prefixes.insert(0, str(Path(sysconfig.get_paths()["purelib"]).parents[2]))
    places = [Path(prefix) / "lib" / PACKAGE / name for prefix in dict.fromkeys(prefixes)]
    for place in places:
        if place.exists():
            return place
    raise ConfigurationError(
        f"executable {name!r} of {PACKAGE} is in none of: {', '.join(str(place.parent) for place in places)}; "
        "build the package with colcon ('make'), a pip install has no nodes"
    )


@dataclass(slots=True)
class _Running:
    name: str
    process: "subprocess.Popen[bytes]"
    log: Path


class NodeProcesses:
    """The processes of one graph; they end with the ``with`` block, and with this process however it ends."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Start nothing yet.

        Args:
            folder: Where the output of the nodes goes.
            environment: Of the nodes.
        """
        self._folder = folder
        self._environment = {**environment, PARENT_VARIABLE: str(os.getpid())}
        self._running: list[_Running] = []

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start one executable in a process group of its own, its output in a file.

        Raises:
            ConfigurationError: It is not installed.
            GraphError: It cannot be started.
        """
        log = self._folder / f"{name}.log"
        try:
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [str(executable(name, self._environment)), *arguments],
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise GraphError(f"executable {name!r} cannot be started: {error.strerror or error}") from error
        self._running.append(_Running(name, process, log))

    @property
    def pids(self) -> dict[str, int]:
        """Process id by executable."""
        return {running.name: running.process.pid for running in self._running}

    def ended(self) -> str:
        """Say which process ended, why and with which last words; empty while all of them run."""
        for running in self._running:
            code = running.process.poll()
            if code is not None:
                how = f"signal {_SIGNAL_NAMES.get(-code, -code)}" if code < 0 else f"exit code {code}"
                return f"process {running.name!r} ended with {how}{self._last_words(running)}"
        return ""

    def __enter__(self) -> "NodeProcesses":  # noqa: PYI034 - Self is not in Python 3.10
        """Return the processes."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process: SIGINT, and after a while SIGKILL."""
        for running in self._running:
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGINT)
        for running in self._running:
            _await_end(running.process, _END_S if kind is None else _END_AFTER_ERROR_S)

    @staticmethod
    def _last_words(running: _Running) -> str:
        text = running.log.read_text(encoding="utf-8", errors="replace").strip()
        return f"; its last words: {' / '.join(text.splitlines()[-_LOG_LINES:])}" if text else ""


def _await_end(process: "subprocess.Popen[bytes]", timeout_s: float) -> None:
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
