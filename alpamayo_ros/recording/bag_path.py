"""Name the folders of new bags, so that none is ever overwritten."""

import os
from datetime import datetime, timezone
from pathlib import Path

from alpamayo_ros.errors import OutputError, ParameterError
from alpamayo_ros.storage.writer import MAX_STAMP_NS

DEFAULT_PREFIX = "drive"
MAX_PREFIX_BYTES = 128
"""Bytes of a prefix, so that it, a time, a number and ``.mcap`` fit into a file name."""

_NS_PER_S = 1_000_000_000
_MAX_SAME_NAMES = 10_000


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
