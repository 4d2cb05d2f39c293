"""The process of a worker: loads sessions and runs them until its node is gone.

Started by ``ModelWorker`` with four descriptors: the socket, the end of a pipe that is closed when the node ends
however it ends, and the two blocks of shared memory.
"""

import os
import signal
import socket
import sys
import threading
from typing import Any

from alpamayo_ros.errors import AlpamayoError, BackendError
from alpamayo_ros.inference.backend import Session
from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.inference.worker.channel import Channel
from alpamayo_ros.inference.worker.protocol import Done, Infer, Open, Opened, Request, Verb
from alpamayo_ros.inference.worker.shared_tensors import SharedTensors

_NODE_IS_GONE = 3


def serve(channel: Channel, inputs: SharedTensors, outputs: SharedTensors) -> None:
    """Answer requests until the other side hangs up.

    Args:
        channel: To the node.
        inputs: Block that the node writes.
        outputs: Block that this process writes.
    """
    sessions: list[Session] = []
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


def _answer(request: Request, sessions: list[Session], inputs: SharedTensors, outputs: SharedTensors) -> Any:
    if isinstance(request, Open):
        session = open_session(request.backend, request.stage, request.model, request.options)
        sessions.append(session)
        return Opened(len(sessions) - 1, session.input_specs, session.output_specs)
    session = sessions[request.number]
    if isinstance(request, Infer):
        return Done(outputs.put(session.infer(inputs.get(request.inputs), request.seed)))
    if request.verb is Verb.WARM_UP:
        session.warm_up()
    else:
        session.close()
    return Done()


def _end_with(lifeline: int) -> None:
    """End this process when the node is gone, even where the main thread hangs in a driver."""

    def wait() -> None:
        os.read(lifeline, 1)
        os._exit(_NODE_IS_GONE)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Serve on the descriptors of the command line."""
    # Ctrl-C goes to the whole group; the node ends its worker when it no longer needs it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end, lifeline, inputs, outputs = (int(text) for text in sys.argv[1:5])
    _end_with(lifeline)
    serve(Channel(socket.socket(fileno=end)), SharedTensors(inputs), SharedTensors(outputs))


if __name__ == "__main__":
    main()
