"""Objects through a socket whose other end may be gone: that is an error, never a signal."""

import pickle
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!Q")


class Channel:
    """One end of a socket pair between two processes of one installation."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, value: object) -> None:
        """Send an object.

        Raises:
            OSError: The other end is gone.
        """
        data = pickle.dumps(value)
        # A command line ends with a broken pipe by default, and this process must outlive the other one.
        self._end.sendall(_LENGTH.pack(len(data)) + data, socket.MSG_NOSIGNAL)

    def receive(self, limit_s: float | None = None) -> Any:
        """Return the next object.

        Args:
            limit_s: Longest time to wait, None for any.

        Raises:
            TimeoutError: Nothing came in that time.
            OSError: The other end is gone.
        """
        self._end.settimeout(limit_s)
        try:
            (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
            return pickle.loads(self._read(length))  # noqa: S301 - of this installation, through a socket without a name
        finally:
            self._end.settimeout(None)

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def _read(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            part = self._end.recv(min(count, 1 << 20))
            if not part:
                raise ConnectionError("the other end is gone")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
