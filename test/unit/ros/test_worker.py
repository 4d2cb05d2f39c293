"""Jobs run one after the other in one thread, whatever becomes of one of them."""

import threading
from collections.abc import Iterator

import pytest

from alpamayo_ros.ros.worker import StageWorker

WAIT_S = 30.0


@pytest.fixture
def worker() -> Iterator[StageWorker]:
    """Give a worker, and end it after the test."""
    made = StageWorker("under test")
    yield made
    assert made.close(WAIT_S)


def await_idle(worker: StageWorker) -> None:
    """Wait until every job that was given before has run."""
    done = threading.Event()
    worker.submit(done.set)
    assert done.wait(WAIT_S)


class Gate:
    """A job that says when it runs and waits until it is let go."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.opened.wait(WAIT_S)


def test_jobs_run_in_the_order_in_which_they_were_given_and_in_one_thread(worker: StageWorker) -> None:
    ran: list[tuple[int, str]] = []
    for index in range(100):
        worker.submit(lambda index=index: ran.append((index, threading.current_thread().name)))  # type: ignore[misc]
    await_idle(worker)
    assert ran == [(index, "under test") for index in range(100)]


def test_no_two_jobs_run_at_once_whoever_gives_them(worker: StageWorker) -> None:
    running, worst, count = 0, 0, 0

    def job() -> None:
        nonlocal running, worst, count
        running += 1
        worst, count = max(worst, running), count + 1
        running -= 1

    threads = [threading.Thread(target=lambda: [worker.submit(job) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    await_idle(worker)
    assert (worst, count) == (1, 200)


def test_a_job_that_is_given_by_a_job_is_a_part_of_it(worker: StageWorker) -> None:
    ran: list[str] = []

    def outer() -> None:
        ran.append("begin")
        worker.submit(lambda: ran.append("inner"))
        ran.append("end")

    worker.submit(outer)
    await_idle(worker)
    assert ran == ["begin", "inner", "end"]


def test_flush_awaits_what_was_given_and_forgets_nothing(worker: StageWorker) -> None:
    gate, ran = Gate(), []
    worker.submit(gate)
    assert gate.entered.wait(WAIT_S)
    worker.submit(lambda: ran.append("waited"))
    assert not worker.flush(0.0), "a job still runs"
    gate.opened.set()
    assert worker.flush(WAIT_S)
    assert ran == ["waited"]


def test_a_job_may_flush_its_own_worker(worker: StageWorker) -> None:
    flushed: list[bool] = []
    worker.submit(lambda: flushed.append(worker.flush(0.0)))
    await_idle(worker)
    assert flushed == [True]


def test_an_idle_worker_is_flushed(worker: StageWorker) -> None:
    assert worker.flush(WAIT_S)


def test_after_the_end_nothing_is_run() -> None:
    worker, gate, ran = StageWorker("ends"), Gate(), []
    worker.submit(gate)
    assert gate.entered.wait(WAIT_S)
    worker.submit(lambda: ran.append("waiting"))
    assert not worker.close(0.0), "the job that runs is not cut off"
    worker.submit(lambda: ran.append("late"))
    gate.opened.set()
    assert worker.close(WAIT_S)
    assert worker.close(0.0)
    assert worker.flush(0.0)
    assert ran == []


def test_a_worker_can_be_ended_by_its_own_job() -> None:
    worker, closed = StageWorker("ends itself"), []
    worker.submit(lambda: closed.append(worker.close(WAIT_S)))
    worker._thread.join(WAIT_S)
    assert closed == [False], "its thread still runs the job"
    assert worker.close(0.0)


def test_a_job_that_raises_is_told_as_that_of_any_thread_and_the_next_one_runs(
    worker: StageWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)
    worker.submit(lambda: [][0])
    await_idle(worker)
    assert [(item.exc_type, item.thread and item.thread.name) for item in told] == [(IndexError, "under test")]
    assert worker.flush(WAIT_S)
