"""A graph that breaks fails with a reason that names who was silent; it leaves no process behind."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.errors import ConfigurationError, GraphError, ParameterError
from alpamayo_ros.replay.drive import Drive
from alpamayo_ros.replay.run import ReplaySetup
from alpamayo_ros.ros import lockstep
from alpamayo_ros.ros.graph_client import GraphClient
from alpamayo_ros.ros.lockstep import GraphDrive, start_graph
from alpamayo_ros.storage.reader import BagReader

pytestmark = pytest.mark.ros

DEMO = Path(__file__).resolve().parents[2] / "bags" / "demo"
Starter = Callable[[ReplaySetup, BagReader], AbstractContextManager[Drive]]
Replay = Callable[..., Any]


def when_fed(count: int, act: Callable[[GraphDrive], None], **options: Any) -> Starter:
    """Return a starter whose drive does something before a message, in the middle of a replay."""

    @contextmanager
    def start(setup: ReplaySetup, reader: BagReader) -> Iterator[GraphDrive]:
        with start_graph(setup, reader, **options) as drive:
            take, fed = drive.take_odometry, iter(range(10**6))

            def counted(*arguments: Any) -> Sequence[Any]:
                if next(fed) == count:
                    act(drive)
                return take(*arguments)

            drive.take_odometry = counted  # type: ignore[method-assign]
            yield drive

    return start


def signalled(node: str, number: signal.Signals) -> Callable[[GraphDrive], None]:
    return lambda drive: os.kill(drive.pids[node], number)


def test_a_node_that_is_killed_while_active_is_named(replay: Replay, make_odometry_bag: Callable[..., Path]) -> None:
    start = when_fed(60, signalled("planner", signal.SIGKILL))
    with pytest.raises(GraphError, match="process 'planner' ended with signal SIGKILL"):
        replay(make_odometry_bag(), start)


@pytest.mark.parametrize(
    ("node", "fed", "words"),
    [
        ("planner", 60, r"node 'planner' did not answer t0 \d+ ns; it last received the plan context of that t0"),
        ("reasoning", 60, r"node 'reasoning' did not answer t0 \d+ ns, which perception has closed; it last gave"),
        (
            "perception",
            61,
            r"node 'perception' did not count every message: sent odometry \d+; it last received odometry",
        ),
    ],
)
def test_a_silent_node_is_named_with_what_it_last_received(
    replay: Replay, make_odometry_bag: Callable[..., Path], node: str, fed: int, words: str
) -> None:
    bag, said = make_odometry_bag(), []
    # A node that is stopped while it holds a lock of shared memory silences its neighbour too: then once more.
    for _ in range(3):
        start = when_fed(fed, signalled(node, signal.SIGSTOP), deadline_s=2.0)
        began = time.monotonic()
        with pytest.raises(GraphError, match=r"waited 2 s") as caught:
            replay(bag, start)
        assert time.monotonic() - began < 60.0, "a stopped node must be ended too"
        said.append(str(caught.value))
        if re.search(words, said[-1]):
            return
    pytest.fail(f"never named: {said}")


def test_a_message_that_is_lost_is_a_failure_not_a_shorter_result(
    replay: Replay, make_odometry_bag: Callable[..., Path]
) -> None:
    def lose(drive: GraphDrive) -> None:
        drive._sent["odometry"] += 1  # one that nobody will ever count

    with pytest.raises(GraphError, match="did not count every message"):
        replay(make_odometry_bag(), when_fed(60, lose, composed=True, deadline_s=1.0))


def test_an_answer_that_is_lost_is_asked_for_again(
    replay: Replay, make_odometry_bag: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, lost = GraphClient._ask, []

    def forgetful(self: GraphClient, node: str, type_name: str, service: str, fill: Any) -> Any:
        response = ask(self, node, type_name, service, fill)
        if (node, service) not in lost and service != "~/get_state":
            lost.append((node, service))
            return None
        return response

    monkeypatch.setattr(GraphClient, "_ask", forgetful)
    result = replay(make_odometry_bag(duration_s=4.0), partial(start_graph, composed=True))
    assert result.ticks["ANSWERED"] >= 20
    assert len(lost) == 8


def test_a_node_that_refuses_its_parameters_says_so(
    replay: Replay, make_odometry_bag: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = lockstep.write_graph_parameters

    def spoiled(setup: ReplaySetup, folder: Path, **options: Any) -> Path:
        path = write(setup, folder, **options)
        document = json.loads(path.read_text(encoding="utf-8"))
        document["/**"]["ros__parameters"]["answer_timeout_ms"] = "soon"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    monkeypatch.setattr(lockstep, "write_graph_parameters", spoiled)
    words = "would not configure: unconfigured: parameter perception.answer_timeout_ms is 'soon'"
    with pytest.raises(ConfigurationError, match=words):
        replay(make_odometry_bag(), start_graph)


def test_wrong_files_are_refused_before_a_node_is_started(replay: Replay, tmp_path: Path) -> None:
    parameters = tmp_path / "wrong.yaml"
    parameters.write_text("planner:\n  ros__parameters: {max_speed_mps: -1.0}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="out of range"):
        replay(DEMO, start_graph, parameters=parameters)


def test_two_graphs_at_once_do_not_hear_each_other(replay: Replay, make_odometry_bag: Callable[..., Path]) -> None:
    bags = [make_odometry_bag("one", duration_s=5.0), make_odometry_bag("two", duration_s=6.0)]
    expected = [replay(bag).output_digest for bag in bags]
    command = [
        str(Path(sys.prefix) / "bin" / "alpamayo"),
        "replay",
        "run",
        "--profile",
        "kinematic",
        "--graph",
        "--json",
    ]
    running = [
        subprocess.Popen(
            [*command, str(bag), "--out", str(bag.parent / f"out_{bag.name}")], stdout=subprocess.PIPE, text=True
        )
        for bag in bags
    ]
    found = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    assert [document["output_digest"] for document in found] == expected
    assert [document["executed"] for document in found] == ["graph", "graph"]


def test_an_interrupt_ends_the_nodes(make_odometry_bag: Callable[..., Path], tmp_path: Path) -> None:
    bag = make_odometry_bag(duration_s=600.0, rate_hz=50.0)
    command = [str(Path(sys.prefix) / "bin" / "alpamayo"), "replay", "run", str(bag), "--profile", "kinematic"]
    process = subprocess.Popen([*command, "--graph", "--out", str(tmp_path / "out")], stderr=subprocess.PIPE, text=True)
    children: set[int] = set()
    deadline = time.monotonic() + 60.0
    while not (tmp_path / "out").exists():
        assert time.monotonic() < deadline
        children = set(children_of(process.pid))
        threading.Event().wait(0.05)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert len(children) == 4
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []
