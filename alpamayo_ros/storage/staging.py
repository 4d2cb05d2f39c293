"""Make a bag beside its destination, so that nothing half made can be taken for a whole bag."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alpamayo_ros.errors import BagWriteError, OutputError
from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, FileSystem

_DEVICE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)
_FILE_SUFFIXES = (".mcap", ".db3", ".zstd", ".lz4")
_MAX_NAME = 32
"""Characters of the destination's name in that of the staging folder, so that a long name does not get too long."""


def validate_destination(destination: Path, sources: Sequence[Path] = ()) -> None:
    """Require a destination that does not exist and is not inside of a source.

    Args:
        destination: Folder to make.
        sources: Bag folders and files that are read.

    Raises:
        OutputError: It exists, if only as a link to nowhere, it would change a source, or its name is that of a file.
    """
    if destination.exists() or destination.is_symlink():
        raise OutputError(f"output {destination} exists already; expected a new folder")
    if destination.name in ("", ".."):
        raise OutputError(f"output {destination} ends without a name; expected the name of a new folder")
    if not _is_unicode(destination.name):
        raise OutputError(f"output {str(destination)!r} has a name that is not UTF-8; expected one that a bag can hold")
    if destination.suffix.lower() in _FILE_SUFFIXES:
        raise OutputError(
            f"output {destination} has the name of a file; expected that of a folder, which a bag is: "
            f"drop the suffix '{destination.suffix}'"
        )
    resolved = real_path(destination)
    for source in sources:
        if real_path(source) in (resolved, *resolved.parents):
            raise OutputError(f"output {destination} is inside of bag {source}; expected a folder outside of it")


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def real_path(path: Path) -> Path:
    """Return a path without links; where they lead in a circle it is left as it is, for the file system to refuse."""
    return Path(os.path.realpath(path))


@contextmanager
def staged_bag(destination: Path, filesystem: FileSystem = LOCAL_FILE_SYSTEM) -> Iterator[Path]:
    """Give a folder that becomes the destination when the block ends well, and is deleted when it does not.

    The folder does not exist yet, and has the destination's own name: a bag's files are named after their folder.

    Args:
        destination: Folder to make; its missing parents are made too.
        filesystem: Where the folder gets its name.

    Raises:
        OutputError: The destination cannot be made.
        BagWriteError: The disk is full or faulty.
    """
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{destination.name[:_MAX_NAME]}.unfinished-", dir=destination.parent))
    except OSError as error:
        raise _refused(destination, error) from error
    try:
        try:
            yield staging / destination.name
        except BagWriteError as error:
            # The writer speaks of the staging folder, and keeps what it wrote; one that is staged keeps nothing.
            reason = getattr(error.__cause__, "strerror", None) or error
            raise BagWriteError(
                f"bag {destination} could not be written ({reason}); expected free space on a sound disk: "
                "nothing was left"
            ) from error
        try:
            filesystem.replace(staging / destination.name, destination)
        except OSError as error:
            raise _refused(destination, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _refused(destination: Path, error: OSError) -> OutputError | BagWriteError:
    if error.errno in _DEVICE_ERRORS:
        return BagWriteError(f"bag {destination} cannot be made ({error.strerror}); expected a sound disk with room")
    return OutputError(f"output {destination} cannot be made ({error.strerror or error}); expected a writable folder")
