"""Render the demonstration bag."""

from collections.abc import Callable
from pathlib import Path

DEFAULT_DURATION_S = 15.2
"""As in the world; written here too, so that showing the help imports nothing heavy."""


def write_demo_bag(
    out: Path,
    *,
    seed: int = 0,
    duration_s: float = DEFAULT_DURATION_S,
    progress: Callable[[float], None] | None = None,
) -> dict[str, object]:
    """Write the demonstration bag and return what was written, ready for JSON.

    Args:
        out: Folder to make.
        seed: Of everything that is left to chance.
        duration_s: Length of the drive.
        progress: Is told the finished share, 0 to 1.

    Raises:
        ParameterError: The seed or the duration is out of range.
        OutputError: The folder exists already or cannot be written.
        BagWriteError: The disk is full or faulty.
    """
    from alpamayo_ros.world.demo import write_demo_bag as write

    summary = write(out, seed=seed, duration_s=duration_s, progress=progress)
    return {
        "path": str(summary.path),
        "duration_s": summary.duration_s,
        "size_bytes": summary.size_bytes,
        "topics": dict(summary.topics),
    }
