"""Run nodes in a process: executor, signals, and the way down in order."""

import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from types import FrameType
from typing import Any, NoReturn

import rclpy
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.ros.lifecycle import ReportingNode
from alpamayo_ros.ros.log_folder import VARIABLE, usable_log_folder
from alpamayo_ros.ros.wiring import with_default_wiring

SIGNALS = (signal.SIGINT, signal.SIGTERM)

PARENT_VARIABLE = "ALPAMAYO_PARENT_PID"
"""Names the process that the nodes must not outlive, where there is one."""

EXIT_USAGE = ConfigurationError.exit_code

_SPIN_S = 1.0
"""``EventsExecutor.spin`` and ``spin_once`` without a time never dispatch anything (rclpy 9.1)."""

_FOLLOW_SLICE_S = 0.02

FOLLOW_S = 2.0
"""Longest wait for the processes that go down before this one; they may not have been told to."""


def make_executor(context: Any = None) -> Executor:
    """Return the events executor where rclpy has one, else the single-threaded one.

    At 1,600 messages a second over 51 subscriptions the recorder takes 0.17 of a core with the events executor and
    0.42 with the wait set (test/bench/test_recorder_bench.py).
    """
    try:
        from rclpy.experimental.events_executor import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor(context=context)
    return EventsExecutor(context=context)


class Stop:
    """Is requested by SIGINT and SIGTERM, and then wakes the executor, which would otherwise sleep on.

    Python runs its handlers only when C++ returns to the main thread, but writes the signal's number to a descriptor
    at once, whichever thread took it; a thread of its own reads that.
    """

    def __init__(self, executor: Executor) -> None:
        self.requested = False
        self._executor = executor
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)  # noqa: FBT003 - positional only
        for number in SIGNALS:
            signal.signal(number, self._noted)
        signal.set_wakeup_fd(self._writer.fileno())
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def _noted(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True

    def _wait(self) -> None:
        self._reader.recv(1)
        self.requested = True
        self._executor.wake()


def run_nodes(make: Callable[[], Sequence[ReportingNode]], arguments: Sequence[str] | None = None) -> int:
    """Run nodes until a signal, or until one asks for the end; take them down in order and return the exit code.

    Args:
        make: Makes the nodes, upstream first; they are started in the opposite order.
        arguments: Command line, with ``--ros-args``; the process's own if None.
    """
    _choose_log_folder()
    try:
        rclpy.init(
            args=with_default_wiring(sys.argv if arguments is None else arguments),
            signal_handler_options=SignalHandlerOptions.NO,
        )
    except RuntimeError as error:  # every error of rcl is one
        reason = str(error).partition(", at ")[0]
        print(f"the ROS arguments cannot be used: {reason}", file=sys.stderr, flush=True)  # noqa: T201 - no logger yet
        return EXIT_USAGE
    executor = make_executor()
    stop = Stop(executor)
    nodes = list(make())
    try:
        for node in nodes:
            executor.add_node(node)
        for node in reversed(nodes):
            node.autostart()
        # What is loaded by now stays: the collector need not look at it again between two ticks.
        gc.freeze()
        parent = os.environ.get(PARENT_VARIABLE)
        while not stop.requested and _end_code(nodes) is None and parent in (None, str(os.getppid())):
            executor.spin_once(timeout_sec=_SPIN_S)
        _follow_down(nodes, executor)
    finally:
        # Whatever happens to one node on the way down, those behind it go down too.
        with ExitStack() as way_down:
            way_down.callback(rclpy.try_shutdown)
            for node in reversed(nodes):
                way_down.callback(_take_down, node, executor)
    code = _end_code(nodes) or max(node.exit_code for node in nodes)
    _leave(nodes, executor)
    return code


def end_process(code: int) -> NoReturn:
    """Let the middleware go and end the process, whose nodes are down, at once.

    A process that ends with its participant still there leaves its shared memory behind, so what refers to itself is
    collected, here where no frame holds a node any more. Freeing all the rest would take a third of a second of a core.
    """
    collect_nodes()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _leave(nodes: list[ReportingNode], executor: Executor) -> None:
    while nodes:
        _destroy(nodes.pop(), executor)
    executor.shutdown()


def _destroy(node: ReportingNode, executor: Executor) -> None:
    executor.remove_node(node)
    node.destroy_node()


def collect_nodes() -> None:
    """Collect what refers to itself, as lifecycle nodes do: a participant ends with the last reference to it."""
    gc.unfreeze()
    gc.collect()


def _take_down(node: ReportingNode, executor: Executor) -> None:
    try:
        node.before_shut_down(lambda seconds: executor.spin_once(timeout_sec=seconds))
    finally:
        node.shut_down()


def _end_code(nodes: Sequence[ReportingNode]) -> int | None:
    """Return the exit code that a node asks for, None while none does."""
    return next((node.end_code for node in nodes if node.end_code is not None), None)


def _follow_down(nodes: Sequence[ReportingNode], executor: Executor) -> None:
    """Go on until those that feed the node of this process are down: Ctrl-C of a launch reaches all at once.

    Nodes of one process need no wait, they are taken down in order.
    """
    deadline = time.monotonic() + FOLLOW_S
    while len(nodes) == 1 and nodes[0].is_fed() and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=_FOLLOW_SLICE_S)


def _choose_log_folder() -> None:
    folder, reason = usable_log_folder(os.environ)
    if reason:
        os.environ[VARIABLE] = folder
        print(reason, file=sys.stderr, flush=True)  # noqa: T201 - there is no logger yet
