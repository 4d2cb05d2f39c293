"""A model in a process of its own: same answers, and what happens to that process does not happen to the node."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError, TensorSpecError
from alpamayo_ros.inference.backend import ONE_CPU_THREAD
from alpamayo_ros.inference.model_folder import ModelFolder, open_model_folder
from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.inference.worker import worker_process
from alpamayo_ros.inference.worker.model_worker import ModelWorker, WorkerOptions, worker_state
from alpamayo_ros.params.profile import StageSpec, load_profile
from alpamayo_ros.structs.worker_state import WorkerState

VISION, ACTION = StageSpec("vision.onnx"), StageSpec("action.onnx")
IMAGES = {"images": np.random.default_rng(1).integers(0, 256, (4, 2, 96, 160, 3)).astype(np.uint8)}


@pytest.fixture(scope="module")
def nano() -> ModelFolder:
    folder = load_profile("nano").model_folder
    assert folder is not None
    return open_model_folder(folder)


@pytest.fixture
def worker() -> Iterator[ModelWorker]:
    found = ModelWorker(WorkerOptions(answer_s=20.0))
    yield found
    found.close()


def wait_until(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for yet does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def test_a_worker_answers_bit_for_bit_as_the_node_would(worker: ModelWorker, nano: ModelFolder) -> None:
    session = worker.open_session("ort_cpu", VISION, nano, ONE_CPU_THREAD)
    other = worker.open_session("ort_cpu", ACTION, nano, ONE_CPU_THREAD)
    here = open_session("ort_cpu", VISION, nano)
    assert (session.input_specs, session.output_specs) == (here.input_specs, here.output_specs)
    session.warm_up()
    other.warm_up()
    for _ in range(2):
        assert np.array_equal(session.infer(IMAGES, 0)["vision_tokens"], here.infer(IMAGES, 0)["vision_tokens"])
    pid = worker.pid
    assert pid is not None
    assert pid != os.getpid()
    session.close()
    session.close()
    with pytest.raises(BackendError, match=r"vision\.onnx was closed"):
        session.infer(IMAGES, 0)
    assert alive(pid)
    other.close()
    assert not alive(pid)


def test_what_a_backend_refuses_is_the_same_error(worker: ModelWorker, nano: ModelFolder) -> None:
    session = worker.open_session("ort_cpu", VISION, nano, ONE_CPU_THREAD)
    with pytest.raises(TensorSpecError, match=r"'images' is float64 \(1,\); expected uint8"):
        session.infer({"images": np.zeros(1)}, 0)
    with pytest.raises(BackendError, match="backend 'warp' is not known; expected one of: "):
        worker.open_session("warp", VISION, nano, ONE_CPU_THREAD)
    assert session.infer(IMAGES, 0)["vision_tokens"].shape == (240, 128)
    assert worker.falls == 0


def test_a_worker_whose_first_session_is_refused_does_not_stay(nano: ModelFolder) -> None:
    worker = ModelWorker()
    pid = worker.pid
    assert pid is not None
    with pytest.raises(BackendError, match="backend 'warp' is not known"):
        worker.open_session("warp", VISION, nano, ONE_CPU_THREAD)
    assert not alive(pid)


@pytest.mark.parametrize(("number", "name"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV")])
def test_a_worker_that_is_killed_is_reported_and_a_fresh_one_answers(
    worker: ModelWorker, nano: ModelFolder, number: signal.Signals, name: str
) -> None:
    session = worker.open_session("ort_cpu", VISION, nano, ONE_CPU_THREAD)
    first, pid = session.infer(IMAGES, 0)["vision_tokens"], worker.pid
    assert pid is not None
    os.kill(pid, number)
    wait_until(lambda: not alive(pid))
    with pytest.raises(BackendError, match=rf"worker was ended by {name}; it is being started again"):
        session.infer(IMAGES, 0)
    # While there is none, the node is told at once.
    if worker.pid is None:
        assert worker.state().trouble == f"was ended by {name}"
        with pytest.raises(BackendError, match="worker was ended by"):
            session.infer(IMAGES, 0)
    wait_until(lambda: worker.pid is not None)
    assert worker.state().trouble == ""
    assert np.array_equal(session.infer(IMAGES, 0)["vision_tokens"], first)
    assert (worker.pid != pid, worker.falls) == (True, 1)


def test_a_worker_that_ends_between_two_inferences_is_started_again_without_one(
    worker: ModelWorker, nano: ModelFolder
) -> None:
    session = worker.open_session("ort_cpu", VISION, nano, ONE_CPU_THREAD)
    assert worker_state(session) == WorkerState(worker.pid, 0, "")
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: worker.state().falls == 1)
    wait_until(lambda: worker.state() == WorkerState(worker.pid, 1, "") and worker.pid is not None)
    assert session.infer(IMAGES, 0)["vision_tokens"].shape == (240, 128)


def test_a_session_of_this_process_has_no_state_of_one(nano: ModelFolder) -> None:
    assert worker_state(open_session("ort_cpu", VISION, nano)) is None


def test_a_worker_that_hangs_is_killed_and_a_fresh_one_answers(nano: ModelFolder) -> None:
    worker = ModelWorker(WorkerOptions(answer_s=2.0))
    session = worker.open_session("ort_cpu", VISION, nano, ONE_CPU_THREAD)
    session.warm_up()
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(BackendError, match=r"worker did not answer within 2 s; it is being started again"):
        session.infer(IMAGES, 0)
    assert not alive(pid)
    wait_until(lambda: worker.pid is not None)
    assert session.infer(IMAGES, 0)["vision_tokens"].shape == (240, 128)
    session.close()


def test_a_worker_that_cannot_be_started_again_is_tried_with_growing_pauses_until_it_is_closed(
    nano: ModelFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = ModelWorker()
    session = worker.open_session("ort_cpu", VISION, nano, ONE_CPU_THREAD)
    pauses: list[float] = []
    wait = worker._closing.wait

    def waited(pause_s: float) -> bool:
        pauses.append(pause_s)
        return wait(0.001)

    monkeypatch.setattr(worker._closing, "wait", waited)
    monkeypatch.setattr(worker_process.sys, "executable", "/nowhere/python")
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(BackendError, match="worker was ended by SIGKILL"):
        session.infer(IMAGES, 0)
    wait_until(lambda: len(pauses) > 10)
    assert pauses[:4] == [0.25, 0.5, 1.0, 2.0]
    assert max(pauses) == 30.0
    with pytest.raises(BackendError, match=r"worker cannot be started again: .*No such file"):
        session.infer(IMAGES, 0)
    session.close()


def test_a_node_without_descriptors_goes_on_trying(nano: ModelFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = ModelWorker()
    session = worker.open_session("ort_cpu", VISION, nano, ONE_CPU_THREAD)
    pair, left = worker_process.socket.socketpair, [2]

    def few() -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return pair()

    monkeypatch.setattr(worker_process.socket, "socketpair", few)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(BackendError, match="is being started again"):
        session.infer(IMAGES, 0)
    wait_until(lambda: left[0] == 0)
    wait_until(lambda: worker.state().trouble != "was ended by SIGKILL")
    assert worker.state().trouble in ("cannot be started again: worker cannot be started: Too many open files", "")
    wait_until(lambda: worker.pid is not None)
    assert session.infer(IMAGES, 0)["vision_tokens"].shape == (240, 128)
    session.close()


def test_attempts_to_start_leave_no_descriptor_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process.sys, "executable", "/nowhere/python")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(BackendError, match="worker cannot be started: No such file or directory"):
            ModelWorker()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_session_that_is_closed_is_not_loaded_again(worker: ModelWorker, nano: ModelFolder) -> None:
    kept = worker.open_session("ort_cpu", VISION, nano, ONE_CPU_THREAD)
    worker.open_session("ort_cpu", ACTION, nano, ONE_CPU_THREAD).close()
    # Loading the closed one again would fail now.
    request, _ = worker._running[0]
    assert list(worker._running) == [0]
    assert request.stage == VISION
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(BackendError):
        kept.infer(IMAGES, 0)
    wait_until(lambda: worker.pid is not None)
    assert kept.infer(IMAGES, 0)["vision_tokens"].shape == (240, 128)


def test_a_worker_that_died_unnoticed_is_no_error_when_a_session_is_closed(nano: ModelFolder) -> None:
    worker = ModelWorker()
    first, second = (worker.open_session("ort_cpu", one, nano, ONE_CPU_THREAD) for one in (VISION, ACTION))
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    first.close()
    second.close()
    assert worker.pid is None


def test_a_backend_that_fails_time_and_again_gets_a_fresh_process(worker: ModelWorker, nano: ModelFolder) -> None:
    """An error of a GPU may stay in the process that had it, so the process is not kept."""
    session = worker.open_session("ort_cpu", StageSpec("reasoning.onnx"), nano, ONE_CPU_THREAD)
    apart = {
        spec.name: np.zeros([1 if size < 0 else size for size in spec.shape], spec.dtype)
        for spec in session.input_specs
    }
    apart["tokens"][:] = 1_000_000
    pid = worker.pid
    for _ in range(3):
        with pytest.raises(BackendError, match=r"reasoning\.onnx could not be run"):
            session.infer(apart, 0)
    with pytest.raises(BackendError, match="worker failed 3 times in a row, at last so: reasoning"):
        session.infer(apart, 0)
    wait_until(lambda: worker.pid is not None)
    assert worker.pid != pid
    session.warm_up()


def test_a_worker_is_what_the_system_ends_first_where_memory_runs_out(worker: ModelWorker, nano: ModelFolder) -> None:
    worker.open_session("ort_cpu", VISION, nano, ONE_CPU_THREAD)
    assert int(Path(f"/proc/{worker.pid}/oom_score_adj").read_text(encoding="ascii")) == 500


@pytest.mark.parametrize("hangs", [False, True], ids=["idle", "hangs"])
def test_no_worker_outlives_its_node_however_that_ends(nano: ModelFolder, tmp_path: Path, hangs: bool) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from alpamayo_ros.inference.backend import ONE_CPU_THREAD\n"
        "from alpamayo_ros.inference.model_folder import open_model_folder\n"
        "from alpamayo_ros.inference.worker.model_worker import ModelWorker\n"
        "from alpamayo_ros.params.profile import StageSpec\n"
        "worker = ModelWorker()\n"
        f"worker.open_session('ort_cpu', StageSpec('vision.onnx'), open_model_folder(Path({str(nano.path)!r})), "
        "ONE_CPU_THREAD)\nprint(worker.pid, flush=True)\ntime.sleep(60)\n"
    )
    node = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert node.stdout is not None
    pid = int(node.stdout.readline())
    assert alive(pid)
    if hangs:
        # Nothing in it runs any more: what ends it is the kernel.
        os.kill(pid, signal.SIGSTOP)
    node.kill()
    node.wait()
    node.stdout.close()
    wait_until(lambda: not alive(pid), 10.0)


def test_a_working_directory_with_another_package_is_not_looked_into(
    nano: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise SystemExit(9)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    worker = ModelWorker()
    session: Any = worker.open_session("ort_cpu", VISION, nano, ONE_CPU_THREAD)
    session.close()
