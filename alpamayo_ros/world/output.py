"""Make the folders and files that the world's verbs write, and say in one sentence why they cannot be made."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alpamayo_ros.errors import AlpamayoError, BagWriteError, OutputError
from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, write_atomically

_DEVICE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


def require_absent(path: Path) -> None:
    """Require that nothing stands at a path, not even a link to nowhere.

    Raises:
        OutputError: Something does, or the path has no name.
    """
    if path.name in ("", ".."):
        raise OutputError(f"output {path} ends without a name; expected the name of something new")
    if path.exists() or path.is_symlink():
        raise OutputError(f"output {path} exists already; expected a new one: choose another name, or remove it")


def make_folder(path: Path) -> None:
    """Make a folder that must not exist, and its missing parents.

    Raises:
        OutputError: It exists or cannot be made.
        BagWriteError: The disk is full or faulty.
    """
    require_absent(path)
    with worded_errors(path):
        path.mkdir(parents=True)


@contextmanager
def reserved_folder(path: Path | None) -> Iterator[None]:
    """Make a folder now, before the work whose results go into it; without results it is taken away again.

    Raises:
        OutputError: It exists or cannot be made.
        BagWriteError: The disk is full or faulty.
    """
    if path is not None:
        make_folder(path)
    try:
        yield
    except BaseException:
        if path is not None:
            with suppress(OSError):
                path.rmdir()
        raise


def write_file(path: Path, data: bytes) -> None:
    """Write a whole file, or leave what was there before.

    Raises:
        OutputError: It cannot be written.
        BagWriteError: The disk is full or faulty.
    """
    with worded_errors(path):
        write_atomically(LOCAL_FILE_SYSTEM, path, data)


@contextmanager
def worded_errors(path: Path) -> Iterator[None]:
    """Translate what the file system refuses about a path."""
    try:
        yield
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> AlpamayoError:
    if error.errno in _DEVICE_ERRORS:
        return BagWriteError(f"output {path} cannot be written ({error.strerror}); expected a sound disk with room")
    return OutputError(f"output {path} cannot be written ({error.strerror or error}); expected a writable folder")
