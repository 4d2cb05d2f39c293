"""The few file operations that writing needs, as a protocol, so that tests can inject a full disk."""

import hashlib
import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

WRITEBACK_BYTES = 8 * 1024 * 1024
"""After so many bytes the kernel is asked to begin to write them to the device."""


class WritableFile(Protocol):
    """A new file that is written from its start."""

    def write(self, data: "bytes | bytearray | memoryview") -> None:
        """Append everything, or raise OSError with an unknown part of it written."""

    def truncate(self, size: int) -> None:
        """Cut the file to ``size`` bytes and go on writing there."""

    def sync(self) -> None:
        """Return when what was written survives a power loss."""

    def close(self) -> None:
        """Close the file; closing twice does nothing."""


class FileSystem(Protocol):
    """Where bags are written; every operation raises OSError when it cannot be done."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and its missing parents; FileExistsError if the path exists."""

    def create(self, path: Path) -> WritableFile:
        """Create a file; FileExistsError if the path exists."""

    def replace(self, source: Path, target: Path) -> None:
        """Rename atomically over an existing file, and make the rename survive a power loss."""

    def remove(self, path: Path) -> None:
        """Delete a file; nothing happens if it is absent."""

    def remove_folder(self, path: Path) -> None:
        """Delete an empty folder."""


class _Writeback:
    """Asks the kernel to write early, on a thread of its own, because a slow device makes the question wait.

    Left alone the kernel gathers data for half a minute, and ``sync`` then takes as long as the device needs for all.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._asked = 0
        self._pool: ThreadPoolExecutor | None = None
        self._running: Future[None] | None = None

    def ask(self, size: int) -> None:
        """Ask for what was written since the last time, if it is enough and the last question is answered."""
        if size - self._asked < WRITEBACK_BYTES or sys.platform != "linux":
            return
        if self._running is not None and not self._running.done():
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="writeback")
        # Without a thread the kernel writes when it wants to.
        with suppress(RuntimeError):
            self._running = self._pool.submit(self._begin, self._asked, size - self._asked)
        self._asked = size

    def _begin(self, offset: int, length: int) -> None:
        # It starts the writing of dirty pages, which stay in memory; ``sync`` waits for it and tells its errors.
        if sys.platform == "linux":
            with suppress(OSError):
                os.posix_fadvise(self._descriptor, offset, length, os.POSIX_FADV_DONTNEED)

    def cut(self, size: int) -> None:
        """Know that the file was cut."""
        self._asked = min(self._asked, size)

    def close(self) -> None:
        """End the thread; the descriptor must be open until then."""
        if self._pool is not None:
            self._pool.shutdown()


class LocalFile:
    """A file of the operating system, unbuffered: what was written is in the kernel and survives our death."""

    def __init__(self, path: Path) -> None:
        """Create the file; FileExistsError if it exists."""
        self._file = open(path, "xb", buffering=0)  # noqa: SIM115, PTH123 - closed by close(); Path.open cannot be typed unbuffered
        self._writeback = _Writeback(self._file.fileno())
        self._size = 0

    def write(self, data: "bytes | bytearray | memoryview") -> None:
        """Append everything; the kernel may take less than all at once, for example on a disk that is almost full."""
        rest = memoryview(data)
        while rest:
            count = self._file.write(rest)
            self._size += count
            rest = rest[count:]
        self._writeback.ask(self._size)

    def truncate(self, size: int) -> None:
        """Cut the file and go on writing at the cut."""
        self._file.truncate(size)
        self._file.seek(size)
        self._size = size
        self._writeback.cut(size)

    def sync(self) -> None:
        """Flush to the device."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        try:
            self._writeback.close()
        finally:
            self._file.close()


class LocalFileSystem:
    """The operating system's files."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and its missing parents."""
        path.mkdir(parents=True)

    def create(self, path: Path) -> LocalFile:
        """Create a file."""
        return LocalFile(path)

    def replace(self, source: Path, target: Path) -> None:
        """Rename, then flush the folder that holds the name."""
        source.replace(target)
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self, path: Path) -> None:
        """Delete a file."""
        path.unlink(missing_ok=True)

    def remove_folder(self, path: Path) -> None:
        """Delete an empty folder."""
        path.rmdir()


LOCAL_FILE_SYSTEM = LocalFileSystem()


def temporary_name(name: str) -> str:
    """Return the name under which ``write_atomically`` writes a file before it is whole."""
    return f".{name}.tmp"


def write_atomically(filesystem: FileSystem, path: Path, data: bytes) -> None:
    """Put a whole file in place, or leave what was there before.

    Raises:
        OSError: It could not be written; the old file, if any, is untouched.
    """
    temporary = path.with_name(temporary_name(path.name))
    filesystem.remove(temporary)
    try:
        file = filesystem.create(temporary)
        try:
            file.write(data)
            file.sync()
        finally:
            file.close()
        filesystem.replace(temporary, path)
    except OSError:
        filesystem.remove(temporary)
        raise


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1024 * 1024):
            digest.update(block)
    return digest.hexdigest()
