"""Run the calls of stages one after the other, away from the thread that answers services and takes messages."""

import sys
import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class StageWorker:
    """One thread that runs jobs in order; a job that is given by a job runs at once, as a part of it.

    A job that raises goes to ``threading.excepthook``, and the next one runs.
    """

    def __init__(self, name: str) -> None:
        """Start the thread; it ends with ``close``, or with the process."""
        self._jobs: deque[Job] = deque()
        self._condition = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Run a job after those that wait; after ``close`` it is not run."""
        if threading.current_thread() is self._thread:
            job()
            return
        with self._condition:
            if not self._closed:
                self._jobs.append(job)
                self._condition.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until the jobs that were given by now are done; False if they are not within the time."""
        if threading.current_thread() is self._thread:
            return True
        done = threading.Event()
        with self._condition:
            if self._closed:
                return not self._thread.is_alive()
            self._jobs.append(done.set)
            self._condition.notify_all()
        return done.wait(timeout_s)

    def close(self, timeout_s: float) -> bool:
        """Run nothing more; False if the job that runs does not end within the time."""
        with self._condition:
            self._closed = True
            self._jobs.clear()
            self._condition.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._jobs or self._closed)
                if self._closed:
                    return
                job = self._jobs.popleft()
            try:
                job()
            except Exception:  # noqa: BLE001 - told as that of any thread; the jobs behind it are other ticks
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))
