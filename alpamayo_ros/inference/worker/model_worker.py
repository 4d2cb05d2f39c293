"""A process that runs a model for a node: watched, killed when it hangs, started again with growing pauses."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TypeVar

from alpamayo_ros.errors import AlpamayoError, BackendError
from alpamayo_ros.inference.backend import SessionOptions, Tensors, TensorSpec, validate_tensors
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.inference.worker.channel import Channel
from alpamayo_ros.inference.worker.protocol import Ask, Done, Infer, Open, Opened, Verb
from alpamayo_ros.inference.worker.shared_tensors import SharedTensors
from alpamayo_ros.params.profile import StageSpec

PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from alpamayo_ros.inference.worker.worker_main import main; main()"
)
"""Looks for modules where this process does, whatever the working directory holds."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 30.0
"""Before the first start again; each one after it waits twice as long, until one has answered."""
END_S = 2.0
"""Until a worker that was asked to end is killed."""

_STANDARD_ERROR = 2
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker is watched.

    Attributes:
        answer_s: Longest time of one inference.
        load_s: Longest time of loading or warming up one session.
    """

    answer_s: float = 5.0
    load_s: float = 600.0


class WorkerProcess:
    """One running process with its socket and its memory."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            BackendError: It cannot be started.
        """
        ours, theirs = socket.socketpair()
        held, self._lifeline = os.pipe()
        self.inputs, self.outputs = SharedTensors(), SharedTensors()
        descriptors = (theirs.fileno(), held, self.inputs.descriptor, self.outputs.descriptor)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, json.dumps(sys.path), *map(str, descriptors)],
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                # What a driver prints must not come between the lines of a command's output.
                stdout=_STANDARD_ERROR,
            )
        except OSError as error:
            ours.close()
            raise BackendError(f"worker cannot be started: {error.strerror}") from error
        finally:
            theirs.close()
            os.close(held)
        self._channel = Channel(ours)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

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
            raise WorkerFellError(self._ended()) from error
        if isinstance(answer, AlpamayoError):
            raise answer
        if not isinstance(answer, kind):
            raise WorkerFellError(f"answered {type(answer).__name__}; expected {kind.__name__}")
        return answer

    def kill(self) -> None:
        """Kill the process; whoever asks it something is told."""
        self._process.kill()

    def end(self, grace_s: float = 0.0) -> None:
        """End the process, and take its memory back."""
        self._channel.close()
        os.close(self._lifeline)
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.inputs.close()
        self.outputs.close()

    def _ended(self) -> str:
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


class WorkerFellError(Exception):
    """A worker process is of no use any more; the text says what it did."""


class ModelWorker:
    """Sessions of one model in a process of their own.

    A process that falls is started again beside the node's work: until it has loaded everything anew, each inference is
    a ``BackendError`` at once, so that the node says so instead of waiting.
    """

    def __init__(self, options: WorkerOptions = WorkerOptions()) -> None:
        """Start the process.

        Raises:
            BackendError: It cannot be started.
        """
        self._options = options
        self._lock = threading.Lock()
        self._opened: list[tuple[Open, Opened]] = []
        self._running: set[int] = set()
        self._process: WorkerProcess | None = WorkerProcess()
        self._starting: WorkerProcess | None = None
        self._reason = ""
        self._pause_s = FIRST_PAUSE_S
        self._closing = threading.Event()
        self._starter: threading.Thread | None = None
        self.falls = 0

    @property
    def pid(self) -> int | None:
        """Number of the process, None while there is none."""
        process = self._process
        return None if process is None else process.pid

    @property
    def trouble(self) -> str:
        """What is wrong with the worker; empty if nothing is."""
        return self._reason

    def open_session(
        self, backend: str, stage: StageSpec, model: ModelFolder | None, options: SessionOptions
    ) -> "WorkerSession":
        """Load a session in the process; see ``registry.open_session``.

        Raises:
            AlpamayoError: That which the backend raised.
            BackendError: The process fell.
        """
        request = Open(backend, stage, model, options)
        try:
            with self._lock:
                opened = self._asked(request, self._options.load_s, Opened)
                self._opened.append((request, opened))
                self._running.add(opened.number)
        except AlpamayoError:
            # Without a session nobody would close it.
            if not self._running:
                self.close()
            raise
        return WorkerSession(self, stage.program, opened)

    def warm_up(self, number: int) -> None:
        """Warm a session up."""
        with self._lock:
            self._asked(Ask(number, Verb.WARM_UP), self._options.load_s, Done)

    def infer(self, number: int, inputs: Tensors, seed: int) -> Tensors:
        """Run a session once."""
        with self._lock:
            process = self._ready()
            places = process.inputs.put(inputs)
            done = self._asked(Infer(number, places, seed), self._options.answer_s, Done)
            self._pause_s = FIRST_PAUSE_S
            return process.outputs.get(done.outputs)

    def close_session(self, number: int) -> None:
        """Close a session; the process ends with its last one."""
        with self._lock:
            self._running.discard(number)
            if self._running:
                if self._process is not None:
                    self._asked(Ask(number, Verb.CLOSE), self._options.load_s, Done)
                return
        self.close()

    def close(self) -> None:
        """End the process."""
        self._closing.set()
        starting, starter = self._starting, self._starter
        if starting is not None:
            starting.kill()
        if starter is not None:
            starter.join()
        with self._lock:
            if self._process is not None:
                self._process.end(END_S)
                self._process = None
                self._reason = "was closed"

    def _ready(self) -> WorkerProcess:
        if self._process is None:
            raise BackendError(f"worker {self._reason}; it is being started again")
        return self._process

    def _asked(self, request: object, limit_s: float, kind: type[_Answer]) -> _Answer:
        process = self._ready()
        try:
            return process.ask(request, limit_s, kind)
        except WorkerFellError as error:
            self._fell(process, str(error))
            raise BackendError(f"worker {error}; it is being started again") from error

    def _fell(self, process: WorkerProcess, reason: str) -> None:
        self._process, self._reason = None, reason
        self.falls += 1
        process.end()
        self._starter = threading.Thread(target=self._start_again, daemon=True)
        self._starter.start()

    def _start_again(self) -> None:
        """Start until one has loaded and warmed up everything, or the worker is closed."""
        while not self._closing.wait(self._pause_s):
            self._pause_s = min(2.0 * self._pause_s, LONGEST_PAUSE_S)
            try:
                process = self._starting = WorkerProcess()
            except BackendError as error:
                self._reason = f"cannot be started again: {error}"
                continue
            try:
                self._load_again(process)
            except (AlpamayoError, WorkerFellError) as error:
                self._reason = f"cannot be started again: {error}"
                self._starting = None
                process.end()
                continue
            with self._lock:
                self._process, self._starting, self._reason = process, None, ""
            return

    def _load_again(self, process: WorkerProcess) -> None:
        for request, opened in list(self._opened):
            again = process.ask(request, self._options.load_s, Opened)
            if again != opened:
                raise WorkerFellError(f"gives other sessions than before: {again}; expected {opened}")
            if opened.number in self._running:
                process.ask(Ask(opened.number, Verb.WARM_UP), self._options.load_s, Done)


class WorkerSession:
    """A session that runs in a worker; see ``Session``."""

    def __init__(self, worker: ModelWorker, name: str, opened: Opened) -> None:
        self.worker, self._name, self._opened = worker, name, opened
        self._closed = False

    @property
    def input_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` takes."""
        return self._opened.inputs

    @property
    def output_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` returns."""
        return self._opened.outputs

    def warm_up(self) -> None:
        """Run once on zeros in the worker."""
        self.worker.warm_up(self._opened.number)

    def infer(self, inputs: Tensors, seed: int) -> Tensors:
        """Run once in the worker; see ``Session.infer``."""
        if self._closed:
            raise BackendError(f"{self._name} was closed; expected a loaded session")
        validate_tensors(self._opened.inputs, inputs, f"input of {self._name}")
        return self.worker.infer(self._opened.number, inputs, seed)

    def close(self) -> None:
        """Close the session; the worker ends with its last one."""
        if not self._closed:
            self._closed = True
            self.worker.close_session(self._opened.number)
