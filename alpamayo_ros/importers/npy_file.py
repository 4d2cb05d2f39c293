"""Read NumPy array files of strangers: numbers only, nothing pickled, nothing that its file does not hold."""

import io
import tokenize
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import ArtifactError

MAX_FILE_BYTES = 64 * 1024 * 1024


def read_numbers(path: Path) -> NDArray[np.float64]:
    """Read an array of numbers, whatever the file is called.

    Returns:
        float64, of the shape in the file; may hold NaN and infinity.

    Raises:
        ArtifactError: It is missing, larger than 64 MiB, no NumPy array, or holds anything but real numbers.
    """
    if not path.is_file():
        raise ArtifactError(f"file {path} is missing; expected a NumPy array")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ArtifactError(f"file {path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise ArtifactError(f"file {path} is larger than {MAX_FILE_BYTES} bytes; expected a small array")
    memory = io.BytesIO(data)
    try:
        # From memory, so that a header that promises more than the file holds cannot be believed.
        array = np.lib.format.read_array(memory, allow_pickle=False)
    except (ValueError, EOFError, TypeError, OverflowError, MemoryError, SyntaxError, tokenize.TokenError) as error:
        said = str(error).splitlines()
        raise ArtifactError(
            f"file {path} is not a NumPy array of numbers: {said[0] if said else type(error).__name__}"
        ) from error
    if array.dtype.kind not in "fiu":
        raise ArtifactError(f"file {path} holds values of type {array.dtype}; expected real numbers")
    if memory.tell() != len(data):
        raise ArtifactError(f"file {path} goes on after its array of shape {array.shape}; expected the array alone")
    return array.astype(np.float64)
