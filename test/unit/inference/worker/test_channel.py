"""Objects come whole, in time or not at all, and an end that is gone is an error."""

import socket
import subprocess
import sys

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError
from alpamayo_ros.inference.worker.channel import Channel


def pair() -> tuple[Channel, Channel]:
    one, other = socket.socketpair()
    return Channel(one), Channel(other)


def test_objects_come_in_order_whatever_their_size() -> None:
    one, other = pair()
    for value in ("short", BackendError("an error"), np.arange(10_000)):
        one.send(value)
        found = other.receive(5.0)
        assert str(found) == str(value)
    one.close()
    other.close()


def test_nothing_within_the_time_is_said_and_what_comes_later_is_taken() -> None:
    one, other = pair()
    with pytest.raises(TimeoutError):
        other.receive(0.01)
    one.send(1)
    assert other.receive(5.0) == 1
    one.close()
    other.close()


def test_an_end_that_is_gone_is_an_error_even_where_a_broken_pipe_ends_a_process() -> None:
    one, other = pair()
    other.close()
    with pytest.raises(ConnectionError):
        one.receive(5.0)
    one.close()
    program = (
        "import signal, socket\nfrom alpamayo_ros.inference.worker.channel import Channel\n"
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\none, other = socket.socketpair()\nother.close()\n"
        "try:\n    Channel(one).send(1)\nexcept OSError:\n    print('an error')\n"
    )
    run = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "an error\n"), run.stderr
