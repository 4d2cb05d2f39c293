"""The sha256 of a file that is being written, computed beside the writing."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

MIN_BESIDE_BYTES = 256 * 1024
"""From so many bytes on a thread is worth its cost; hashing them takes about 0.15 ms."""


class Sha256Thread:
    """At most one thread, begun when the first large piece comes."""

    def __init__(self) -> None:
        """Begin nothing yet."""
        self._pool: ThreadPoolExecutor | None = None

    def extended(self, before: "RunningSha256", parts: Sequence[bytes]) -> "Future[hashlib._Hash] | None":
        """Begin to hash ``parts`` after what is hashed already; None where no thread can be had."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="sha256")
        known = before.value()
        try:
            return self._pool.submit(_extended, known, parts)
        except RuntimeError:
            return None

    def close(self) -> None:
        """Wait for the thread to end; it may be begun again."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()


class RunningSha256:
    """The sha256 of the pieces so far; it never changes, so that a piece that was not written is simply forgotten."""

    __slots__ = ("_state", "_thread")

    def __init__(self, thread: Sha256Thread, state: "hashlib._Hash | Future[hashlib._Hash] | None" = None) -> None:
        """Begin with nothing, or with a state.

        Args:
            thread: Hashes large pieces.
            state: What was hashed before, or will have been.
        """
        self._thread = thread
        self._state = hashlib.sha256() if state is None else state

    def plus(self, parts: Sequence[bytes]) -> "RunningSha256":
        """Return the sha256 of what was before and ``parts``; large ones are hashed beside the caller.

        It waits for the piece before, so that no more than one piece is held in memory.
        """
        state = None
        if sum(map(len, parts)) >= MIN_BESIDE_BYTES:
            state = self._thread.extended(self, parts)
        return RunningSha256(self._thread, _extended(self.value(), parts) if state is None else state)

    def value(self) -> "hashlib._Hash":
        """Return the state when everything is hashed; it must not be updated."""
        return self._state.result() if isinstance(self._state, Future) else self._state

    def hexdigest(self) -> str:
        """Return the hexadecimal sha256 of everything so far."""
        return self.value().hexdigest()


def _extended(before: "hashlib._Hash", parts: Sequence[bytes]) -> "hashlib._Hash":
    digest = before.copy()
    for part in parts:
        digest.update(part)
    return digest
