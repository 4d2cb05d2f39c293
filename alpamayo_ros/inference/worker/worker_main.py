"""The process of a worker: loads sessions and runs them until its node is gone.

Started by ``ModelWorker`` with four descriptors: the socket, the end of a pipe that is closed when the node ends
however it ends, and the two blocks of shared memory.
"""

import fcntl
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import AlpamayoError, BackendError
from alpamayo_ros.inference.backend import Session
from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.inference.worker.channel import Channel
from alpamayo_ros.inference.worker.protocol import Done, Infer, Open, Opened, Request, Verb
from alpamayo_ros.inference.worker.shared_tensors import SharedTensors

_NODE_IS_GONE = 3
_F_SETSIG = 10
"""Linux' number; Python names it from 3.12 on only where the C library does."""
_OOM_SCORE = "500"


def serve(channel: Channel, inputs: SharedTensors, outputs: SharedTensors) -> None:
    """Answer requests until the other side hangs up.

    Args:
        channel: To the node.
        inputs: Block that the node writes.
        outputs: Block that this process writes.
    """
    sessions: dict[int, Session] = {}
    while True:
        try:
            request: Request = channel.receive()
        except OSError:
            return
        try:
            answer: Any = _answer(request, sessions, inputs, outputs)
        except AlpamayoError as error:
            answer = error
        except MemoryError as error:
            answer = BackendError(f"worker has no memory for it: {error}")
        try:
            channel.send(answer)
        except OSError:
            return


def _answer(request: Request, sessions: dict[int, Session], inputs: SharedTensors, outputs: SharedTensors) -> Any:
    if isinstance(request, Open):
        session = open_session(request.backend, request.stage, request.model, request.options)
        sessions[request.number] = session
        return Opened(session.input_specs, session.output_specs)
    session = sessions[request.number]
    if isinstance(request, Infer):
        return Done(outputs.put(session.infer(inputs.get(request.inputs), request.seed)))
    if request.verb is Verb.WARM_UP:
        session.warm_up()
    else:
        sessions.pop(request.number).close()
    return Done()


def _end_with(lifeline: int) -> None:
    """End this process when the node is gone, even where the main thread hangs in a driver.

    The kernel kills it as soon as the pipe's other end is closed: a thread alone would need the interpreter's lock.
    """

    def wait() -> None:
        os.read(lifeline, 1)
        os._exit(_NODE_IS_GONE)

    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, _F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    # It may have been closed before the kernel was asked.
    threading.Thread(target=wait, daemon=True).start()


def _go_first() -> None:
    """Let the system end this process before the node where memory runs out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")


def main() -> None:
    """Serve on the descriptors of the command line."""
    # Ctrl-C goes to the whole group; the node ends its worker when it no longer needs it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end, lifeline, inputs, outputs = (int(text) for text in sys.argv[1:5])
    _end_with(lifeline)
    _go_first()
    serve(Channel(socket.socket(fileno=end)), SharedTensors(inputs), SharedTensors(outputs))


if __name__ == "__main__":
    main()
