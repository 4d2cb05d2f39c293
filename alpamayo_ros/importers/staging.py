"""Make an imported bag beside its destination, so that nothing half made can be taken for a whole bag."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alpamayo_ros.errors import OutputError


def validate_destination(destination: Path) -> None:
    """Require that the destination does not exist yet, before the source is read.

    Raises:
        OutputError: It exists, if only as a link to nowhere.
    """
    if destination.exists() or destination.is_symlink():
        raise OutputError(f"output {destination} exists already; expected a new folder")


@contextmanager
def staged(destination: Path) -> Iterator[Path]:
    """Give a folder that becomes the destination when the block ends well, and is deleted when it does not.

    The folder does not exist yet, and has the destination's own name: a bag's files are named after their folder.

    Raises:
        OutputError: The destination cannot be made.
    """
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{destination.name}.importing-", dir=destination.parent))
    except OSError as error:
        raise OutputError(f"output {destination} cannot be made: {error.strerror}") from error
    try:
        yield staging / destination.name
        try:
            (staging / destination.name).rename(destination)
        except OSError as error:
            raise OutputError(f"output {destination} cannot be made: {error.strerror}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
