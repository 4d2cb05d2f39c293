"""Put a finished folder in the place of an earlier one."""

import shutil
from pathlib import Path


def put_in_place(part: Path, target: Path) -> None:
    """Rename ``part`` to ``target``, which may exist; whatever interrupts it, one of the two is whole in its place.

    Raises:
        OSError: A rename was refused; the earlier folder is back in its place.
    """
    earlier = target.with_name(f".{target.name}.old")
    if not target.exists():
        part.rename(target)
        return
    shutil.rmtree(earlier, ignore_errors=True)
    try:
        target.rename(earlier)
        part.rename(target)
    except BaseException:
        if not target.exists() and earlier.exists():
            earlier.rename(target)
        raise
    finally:
        if target.exists():
            shutil.rmtree(earlier, ignore_errors=True)
