"""Read a file that its digest names."""

from pathlib import Path
from stat import S_ISDIR, S_ISREG

from alpamayo_ros.errors import ArtifactError, DigestMismatchError
from alpamayo_ros.lineage.canonical import bytes_id

MAX_FILE_BYTES = 2_000_000_000
"""Largest file of a model; an ONNX file cannot be larger either."""


def read_verified(path: Path, digest: str, what: str) -> bytes:
    """Return a file's bytes, which have the digest.

    Args:
        path: The file.
        digest: ``sha256:`` id of its bytes.
        what: For error texts.

    Raises:
        ArtifactError: It is no file, cannot be read or is too large.
        DigestMismatchError: It is another file.
    """
    try:
        status = path.stat()
        # A pipe or a device would be read without an end.
        if not (S_ISREG(status.st_mode) or S_ISDIR(status.st_mode)):
            raise ArtifactError(f"{what} {path} is no regular file; expected a file")
        if status.st_size > MAX_FILE_BYTES:
            raise ArtifactError(f"{what} {path} is larger than {MAX_FILE_BYTES} bytes; expected a smaller file")
        data = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{what} {path} cannot be read: {error.strerror}; expected a file") from error
    found = bytes_id(data)
    if found != digest:
        raise DigestMismatchError(f"{what} {path} has the digest {found}; expected {digest}")
    return data
