"""One process of a worker, seen from the node: its socket, its memory, its end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from typing import TypeVar

from alpamayo_ros.errors import AlpamayoError, BackendError
from alpamayo_ros.inference.worker.channel import Channel
from alpamayo_ros.inference.worker.shared_tensors import SharedTensors

PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from alpamayo_ros.inference.worker.worker_main import main; main()"
)
"""Looks for modules where this process does, whatever the working directory holds."""
END_S = 2.0
"""Until a process that was asked to end is killed, and until one that closes a session is given up."""
_REAP_S = 0.5
"""Until one that was killed is waited for elsewhere: a driver may keep it in the kernel."""
_STANDARD_ERROR = 2

_Answer = TypeVar("_Answer")


class WorkerFellError(Exception):
    """A worker process is of no use any more; the text says what it did."""


class WorkerProcess:
    """One running process with its socket and its memory."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            BackendError: It cannot be started.
        """
        with ExitStack() as undo:
            try:
                ours, theirs = socket.socketpair()
                undo.callback(ours.close)
                with theirs:
                    held, self._lifeline = os.pipe()
                    undo.callback(os.close, self._lifeline)
                    try:
                        self.inputs, self.outputs = SharedTensors(), SharedTensors()
                        undo.callback(self.inputs.close)
                        undo.callback(self.outputs.close)
                        self._process = _started(theirs.fileno(), held, self.inputs.descriptor, self.outputs.descriptor)
                    finally:
                        os.close(held)
            except OSError as error:
                raise BackendError(f"worker cannot be started: {error.strerror}") from error
            undo.pop_all()
        self._channel = Channel(ours)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    def how_it_ended(self) -> str:
        """Say how it ended, for a sentence; it is given a moment to."""
        try:
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            return "hung up"
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"

    def ask(self, request: object, limit_s: float, kind: type[_Answer]) -> _Answer:
        """Send a request and return its answer.

        Raises:
            AlpamayoError: That which the worker's session raised.
            WorkerFellError: The process ended, or did not answer in time; it is of no use any more.
        """
        try:
            self._channel.send(request)
            answer = self._channel.receive(limit_s)
        except TimeoutError as error:
            raise WorkerFellError(f"did not answer within {limit_s:g} s") from error
        except OSError as error:
            raise WorkerFellError(self.how_it_ended()) from error
        if isinstance(answer, AlpamayoError):
            raise answer
        if not isinstance(answer, kind):
            raise WorkerFellError(f"answered {type(answer).__name__}; expected {kind.__name__}")
        return answer

    def kill(self) -> None:
        """Kill the process; whoever asks it something is told."""
        self._process.kill()

    def end(self, grace_s: float = 0.0) -> None:
        """End the process, and take its memory back.

        Args:
            grace_s: Until it is killed.
        """
        self._channel.close()
        os.close(self._lifeline)
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            try:
                self._process.wait(_REAP_S)
            except subprocess.TimeoutExpired:
                threading.Thread(target=self._process.wait, daemon=True).start()
        self.inputs.close()
        self.outputs.close()


def _started(*descriptors: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(sys.path), *map(str, descriptors)],
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        # What a driver prints must not come between the lines of a command's output.
        stdout=_STANDARD_ERROR,
    )
