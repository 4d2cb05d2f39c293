"""A model in a process of its own: watched, killed when it hangs, started again with growing pauses."""

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from alpamayo_ros.errors import AlpamayoError, BackendError, TensorSpecError
from alpamayo_ros.inference.backend import Session, SessionOptions, Tensors, TensorSpec, validate_tensors
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.inference.worker.protocol import Ask, Done, Infer, Open, Opened, Verb
from alpamayo_ros.inference.worker.worker_process import END_S, WorkerFellError, WorkerProcess
from alpamayo_ros.params.profile import StageSpec
from alpamayo_ros.structs.worker_state import WorkerState

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 30.0
"""Before the first start again; each one after it waits twice as long, until one has answered."""
FAILURES = 3
"""Runs in a row that a backend refuses until its process is started again: a GPU may not recover in the one it has."""

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
        self._running: dict[int, tuple[Open, Opened]] = {}
        self._next = 0
        self._failures = 0
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

    def state(self) -> WorkerState:
        """Look after the process and return how it is: one that ended unasked is started again now, not at a tick."""
        if self._lock.acquire(blocking=False):
            try:
                if self._process is not None and self._process.has_ended:
                    self._fell(self._process, self._process.how_it_ended())
            finally:
                self._lock.release()
        return WorkerState(self.pid, self.falls, self._reason)

    def open_session(
        self, backend: str, stage: StageSpec, model: ModelFolder | None, options: SessionOptions
    ) -> "WorkerSession":
        """Load a session in the process; see ``registry.open_session``.

        Raises:
            AlpamayoError: That which the backend raised.
            BackendError: The process fell.
        """
        try:
            with self._lock:
                request = Open(self._next, backend, stage, model, options)
                self._next += 1
                opened = self._asked(request, self._options.load_s, Opened)
                self._running[request.number] = (request, opened)
        except AlpamayoError:
            # Without a session nobody would close it.
            if not self._running:
                self.close()
            raise
        return WorkerSession(self, stage.program, request.number, opened)

    def warm_up(self, number: int) -> None:
        """Warm a session up."""
        with self._lock:
            self._asked(Ask(number, Verb.WARM_UP), self._options.load_s, Done)

    def infer(self, number: int, inputs: Tensors, seed: int) -> Tensors:
        """Run a session once."""
        with self._lock:
            process = self._ready()
            places = process.inputs.put(inputs)
            try:
                done = self._asked(Infer(number, places, seed), self._options.answer_s, Done)
            except TensorSpecError:
                raise
            except BackendError as error:
                self._count_failure(process, error)
                raise
            self._pause_s, self._failures = FIRST_PAUSE_S, 0
            return process.outputs.get(done.outputs)

    def close_session(self, number: int) -> None:
        """Close a session; the process ends with its last one."""
        with self._lock:
            self._running.pop(number, None)
            if self._running:
                if self._process is not None:
                    with suppress(BackendError):
                        self._asked(Ask(number, Verb.CLOSE), END_S, Done)
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

    def _count_failure(self, process: WorkerProcess, error: BackendError) -> None:
        """Start the process again after some runs in a row that its backend refused."""
        if self._process is not process:
            return
        self._failures += 1
        if self._failures >= FAILURES:
            self._fell(process, f"failed {FAILURES} times in a row, at last so: {error}")

    def _fell(self, process: WorkerProcess, reason: str) -> None:
        self._process, self._reason, self._failures = None, reason, 0
        self.falls += 1
        process.end()
        self._starter = threading.Thread(target=self._start_again, daemon=True)
        self._starter.start()

    def _start_again(self) -> None:
        """Start until one has loaded and warmed up everything, or the worker is closed."""
        while not self._closing.wait(self._pause_s):
            self._pause_s = min(2.0 * self._pause_s, LONGEST_PAUSE_S)
            process: WorkerProcess | None = None
            try:
                process = self._starting = WorkerProcess()
                self._load_again(process)
            except Exception as error:  # noqa: BLE001 whatever it was, the next attempt may succeed
                self._reason, self._starting = f"cannot be started again: {error}", None
                if process is not None:
                    process.end()
                continue
            with self._lock:
                self._process, self._starting, self._reason = process, None, ""
            return

    def _load_again(self, process: WorkerProcess) -> None:
        for request, opened in list(self._running.values()):
            if self._closing.is_set():
                raise WorkerFellError("was closed")
            again = process.ask(request, self._options.load_s, Opened)
            if again != opened:
                raise WorkerFellError(f"gives another session than before: {again}; expected {opened}")
            process.ask(Ask(request.number, Verb.WARM_UP), self._options.load_s, Done)


def worker_state(session: Session) -> WorkerState | None:
    """Return how the process of a session is, None for one that runs in this process."""
    return session.worker.state() if isinstance(session, WorkerSession) else None


class WorkerSession:
    """A session that runs in a worker; see ``Session``."""

    def __init__(self, worker: ModelWorker, name: str, number: int, opened: Opened) -> None:
        self.worker, self._name, self._number, self._opened = worker, name, number, opened
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
        self.worker.warm_up(self._number)

    def infer(self, inputs: Tensors, seed: int) -> Tensors:
        """Run once in the worker; see ``Session.infer``."""
        if self._closed:
            raise BackendError(f"{self._name} was closed; expected a loaded session")
        validate_tensors(self._opened.inputs, inputs, f"input of {self._name}")
        return self.worker.infer(self._number, inputs, seed)

    def close(self) -> None:
        """Close the session; the worker ends with its last one."""
        if not self._closed:
            self._closed = True
            self.worker.close_session(self._number)
