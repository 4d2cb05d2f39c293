"""Run nodes in a process: executor, signals, and the way down in order."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import rclpy
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from alpamayo_ros.ros.lifecycle import ManagedNode
from alpamayo_ros.ros.wiring import with_default_wiring

SIGNALS = (signal.SIGINT, signal.SIGTERM)

PARENT_VARIABLE = "ALPAMAYO_PARENT_PID"
"""Names the process that the nodes must not outlive, where there is one."""

_SPIN_S = 1.0
"""``EventsExecutor.spin`` and ``spin_once`` without a time never dispatch anything (rclpy 9.1)."""


def make_executor(context: Any = None) -> Executor:
    """Return the events executor where rclpy has one, else the single-threaded one.

    At 1,600 messages a second the events executor takes a seventh of the processor time.
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


def run_nodes(make: Callable[[], Sequence[ManagedNode]], arguments: Sequence[str] | None = None) -> int:
    """Run nodes until SIGINT or SIGTERM, then take them down in the order of the list; return the exit code.

    Args:
        make: Makes the nodes, upstream first; they are started in the opposite order.
        arguments: Command line, with ``--ros-args``; the process's own if None.
    """
    rclpy.init(
        args=with_default_wiring(sys.argv if arguments is None else arguments),
        signal_handler_options=SignalHandlerOptions.NO,
    )
    executor = make_executor()
    stop = Stop(executor)
    nodes = make()
    try:
        for node in nodes:
            executor.add_node(node)
        for node in reversed(nodes):
            node.autostart()
        parent = os.environ.get(PARENT_VARIABLE)
        while not stop.requested and parent in (None, str(os.getppid())):
            executor.spin_once(timeout_sec=_SPIN_S)
    finally:
        for node in nodes:
            node.shut_down()
        rclpy.try_shutdown()
    return 0
