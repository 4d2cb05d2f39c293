"""Name the folders of new bags, so that none is ever overwritten."""

import os
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from alpamayo_ros.errors import OutputError, ParameterError
from alpamayo_ros.storage.writer import MAX_STAMP_NS

DEFAULT_PREFIX = "drive"
MAX_PREFIX_BYTES = 128
"""Bytes of a prefix, so that it, a time, a number and ``.mcap`` fit into a file name."""

T = TypeVar("T")

_NS_PER_S = 1_000_000_000
_MAX_SAME_NAMES = 10_000
_MAX_RIVALS = 100


def bag_name(prefix: str, stamp_ns: int) -> str:
    """Return the name of a bag that begins at a time, such as ``drive_2026-11-25T12-30-05Z``.

    Args:
        prefix: What it begins with; one part of a path.
        stamp_ns: Time in ns since 1970, UTC.

    Raises:
        ParameterError: The prefix is no part of a file name, or the time is negative or too large.
    """
    if (
        not prefix
        or prefix.startswith(".")
        or not prefix.isprintable()
        or set(prefix) & set("/\\")
        or len(prefix.encode()) > MAX_PREFIX_BYTES
    ):
        raise ParameterError(
            f"bag prefix is {prefix[:200]!r}; expected 1 to {MAX_PREFIX_BYTES} bytes of printable text "
            "without '/' and '\\', not beginning with '.'"
        )
    if not 0 <= stamp_ns <= MAX_STAMP_NS:
        raise ParameterError(f"bag time is {stamp_ns} ns; expected 0 to {MAX_STAMP_NS}")
    begin = datetime.fromtimestamp(stamp_ns // _NS_PER_S, tz=timezone.utc)
    return f"{prefix}_{begin:%Y-%m-%dT%H-%M-%S}Z"


def free_bag_path(folder: Path, prefix: str, stamp_ns: int) -> Path:
    """Return a path in a folder at which nothing stands: ``bag_name``, or with ``_2``, ``_3``, ... behind it.

    Nothing is made. Should someone else take the path meanwhile, making the bag is refused there.

    Args:
        folder: Where bags go; it need not exist yet.
        prefix: As in ``bag_name``.
        stamp_ns: As in ``bag_name``.

    Raises:
        ParameterError: As in ``bag_name``.
        OutputError: Thousands of bags have this name.
    """
    name = bag_name(prefix, stamp_ns)
    for number in range(1, _MAX_SAME_NAMES + 1):
        path = folder / (name if number == 1 else f"{name}_{number}")
        # Also a link that leads nowhere is in the way.
        if not os.path.lexists(path):
            return path
    raise OutputError(f"{folder} holds {_MAX_SAME_NAMES} bags named {name}; expected a folder with fewer")


def open_at_free_path(folder: Path, prefix: str, stamp_ns: int, open_at: Callable[[Path], T]) -> T:
    """Open a bag at a free path; if another recorder takes that path meanwhile, at the next one.

    Args:
        folder: As in ``free_bag_path``.
        prefix: As in ``bag_name``.
        stamp_ns: As in ``bag_name``.
        open_at: Makes the bag, and refuses an existing path with OutputError.

    Raises:
        ParameterError: As in ``bag_name``.
        OutputError: The folder cannot be written, or it is full of bags of this name.
    """
    for _ in range(_MAX_RIVALS):
        path = free_bag_path(folder, prefix, stamp_ns)
        try:
            return open_at(path)
        except OutputError:
            if not os.path.lexists(path):
                raise
    raise OutputError(f"{_MAX_RIVALS} other recorders were faster in {folder}; expected a folder for each")


def validate_bag_folder(folder: Path) -> None:
    """Refuse a folder in which no bag can be made, as far as that can be said without writing.

    Raises:
        OutputError: It, or the nearest folder above it that exists, is no folder or is not writable.
    """
    nearest = folder.absolute()
    while not os.path.lexists(nearest):
        nearest = nearest.parent
    missing = "" if nearest == folder.absolute() else f", which is missing; {nearest}"
    if not nearest.is_dir():
        raise OutputError(f"output folder is {folder}{missing} is no folder; expected a folder for bags")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"output folder is {folder}{missing} is not writable; expected one that can be written")
