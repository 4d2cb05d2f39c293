"""Bag files that were compressed as a whole, and messages that were compressed one by one.

rosbag2 calls these the compression modes ``file`` and ``message``. A whole file is decompressed into a temporary
folder, because random access needs it; nothing that its header says about sizes is believed.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from alpamayo_ros.errors import BagCorruptError, BagWriteError
from alpamayo_ros.storage.source import Attachment, BagFile, Cursor, FileContents, MetadataRecord, Selection

SUFFIXES = {".zstd": "zstd", ".zst": "zstd", ".lz4": "lz4"}
"""Compression method by the last suffix of a file name; rosbag2 writes ``.zstd``."""

METHODS = ("zstd", "lz4")
MAX_MESSAGE_BYTES = 512 * 1024 * 1024
"""A message that decompresses to more is refused."""

MAX_RATIO = 2000
"""A file that grows more than this, and to more than MAX_UNSUSPECTED_BYTES, is taken for a decompression bomb."""

MAX_UNSUSPECTED_BYTES = 1024 * 1024 * 1024
MAX_KEPT_BYTES = 1024 * 1024 * 1024
"""Decompressed files are kept up to this sum and made again when they are needed again."""

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_INPUT_BYTES = 4096
"""One zstd block of four bytes can stand for 128 KiB, so that small inputs bound what one call returns."""

_LZ4_INPUT_BYTES = 1024 * 1024
_OUTPUT_BYTES = 1024 * 1024
_RESERVE_BYTES = 256 * 1024 * 1024
_ASK_FOR_ROOM_EVERY_BYTES = 64 * 1024 * 1024
_DECODE_ERRORS = (zstandard.ZstdError, RuntimeError, ValueError, EOFError)


class ExpansionBudget:
    """Stops a stream of small pieces that expand without end, each within its own limit."""

    def __init__(self) -> None:
        """Begin with nothing spent."""
        self._stored = 0
        self._expanded = 0

    def spend(self, stored: int, expanded: int) -> None:
        """Count one piece.

        Args:
            stored: Its bytes in the file.
            expanded: Its bytes after decompression.

        Raises:
            ValueError: All pieces together grew more than MAX_RATIO times, and to more than MAX_UNSUSPECTED_BYTES.
        """
        self._stored += stored
        self._expanded += expanded
        if self._expanded > max(MAX_UNSUSPECTED_BYTES, MAX_RATIO * self._stored):
            raise ValueError(
                f"belongs to data that expand more than {MAX_RATIO} times; "
                "expected a recording, not a decompression bomb"
            )


def compression_of(name: str) -> str:
    """Return the method that a file name states, empty for a file that is not compressed as a whole."""
    return SUFFIXES.get(Path(name).suffix, "")


def plain_name(name: str) -> str:
    """Return a file name without the suffix of its compression."""
    return Path(name).stem if compression_of(name) else Path(name).name


def looks_compressed(payload: bytes) -> bool:
    """Say whether a payload is a zstd frame; no CDR encapsulation header begins like one."""
    return payload.startswith(_ZSTD_MAGIC)


def decompress_message(payload: bytes, method: str) -> bytes:
    """Return one message of a bag with the compression mode ``message``.

    Args:
        payload: What the storage holds.
        method: ``zstd`` or ``lz4``.

    Raises:
        ValueError: It is damaged, or larger than MAX_MESSAGE_BYTES.
    """
    try:
        if method == "lz4":
            reader = lz4.frame.LZ4FrameDecompressor()
            content: bytes = reader.decompress(payload, max_length=MAX_MESSAGE_BYTES + 1)
            complete = bool(reader.eof)
        else:
            size = zstandard.frame_content_size(payload)
            if size > MAX_MESSAGE_BYTES:
                raise ValueError(f"says that it has {size} bytes; expected at most {MAX_MESSAGE_BYTES}")
            content = zstandard.ZstdDecompressor().decompress(payload, max_output_size=MAX_MESSAGE_BYTES)
            complete = True
    except _DECODE_ERRORS as error:
        raise ValueError(f"is no {method} frame ({error})") from error
    if not complete or len(content) > MAX_MESSAGE_BYTES:
        raise ValueError(f"is cut or has more than {MAX_MESSAGE_BYTES} bytes")
    return content


def decompressed_blocks(file: BinaryIO, method: str) -> Iterator[bytes]:
    """Decompress a file piece by piece.

    Args:
        file: The compressed file, at its start.
        method: ``zstd`` or ``lz4``.

    Raises:
        ValueError: While iterating: the data are damaged or end too early; all that came before was given.
    """
    try:
        yield from _zstd_blocks(file) if method == "zstd" else _lz4_blocks(file)
    except _DECODE_ERRORS as error:
        raise ValueError(str(error)) from error


def _zstd_blocks(file: BinaryIO) -> Iterator[bytes]:
    context = zstandard.ZstdDecompressor()
    data = file.read(_ZSTD_INPUT_BYTES)
    while data:
        frame = context.decompressobj()
        while not frame.eof:
            if not data:
                raise EOFError("the last zstd frame is cut")
            block = frame.decompress(data)
            if block:
                yield block
            data = frame.unused_data or file.read(_ZSTD_INPUT_BYTES)


def _lz4_blocks(file: BinaryIO) -> Iterator[bytes]:
    data = file.read(_LZ4_INPUT_BYTES)
    while data:
        frame = lz4.frame.LZ4FrameDecompressor()
        while not frame.eof:
            if frame.needs_input and not data:
                raise EOFError("the last lz4 frame is cut")
            block = frame.decompress(data, max_length=_OUTPUT_BYTES)
            if block:
                yield block
            data = b"" if not frame.needs_input else file.read(_LZ4_INPUT_BYTES)
        data = frame.unused_data or file.read(_LZ4_INPUT_BYTES)


class DecompressedFiles:
    """Decompressed copies in a temporary folder, the oldest deleted when they become too many."""

    def __init__(self) -> None:
        """Make nothing yet."""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._targets: dict[Path, Path] = {}
        self._sizes: dict[Path, int] = {}

    def copy_of(self, path: Path) -> Path:
        """Return the decompressed copy of a file; a file that is still open stays readable when it is deleted.

        Raises:
            BagCorruptError: The file is damaged, cut, or a decompression bomb.
            BagWriteError: The temporary folder has no room for it.
        """
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="alpamayo_bag_", ignore_cleanup_errors=True)
        known = self._targets.get(path)
        if known is not None and known in self._sizes:
            return known
        # A folder of its own: two files may have one name without the suffix of their compression.
        target = Path(self._folder.name) / str(len(self._targets)) / plain_name(path.name)
        target.parent.mkdir()
        self._targets[path] = target
        try:
            size = _decompress(path, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        self._sizes[target] = size
        while sum(self._sizes.values()) > MAX_KEPT_BYTES and len(self._sizes) > 1:
            oldest = next(iter(self._sizes))
            del self._sizes[oldest]
            oldest.unlink(missing_ok=True)
        return target

    def close(self) -> None:
        """Delete the copies; asking for one again makes it again."""
        self._sizes.clear()
        self._targets.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _decompress(path: Path, target: Path) -> int:
    method = compression_of(path.name)
    written, asked_at = 0, 0
    try:
        allowed = max(MAX_UNSUSPECTED_BYTES, MAX_RATIO * path.stat().st_size)
        with path.open("rb") as source, target.open("wb") as copy:
            for block in decompressed_blocks(source, method):
                written += len(block)
                if written > allowed:
                    raise BagCorruptError(
                        f"bag file {path} decompresses to more than {allowed} bytes, {MAX_RATIO} times its size; "
                        "expected a recording, not a decompression bomb"
                    )
                if written >= asked_at:
                    asked_at = written + _ASK_FOR_ROOM_EVERY_BYTES
                    if shutil.disk_usage(target.parent).free < _RESERVE_BYTES:
                        raise _no_room(path, target)
                copy.write(block)
    except ValueError as error:
        raise BagCorruptError(
            f"bag file {path} is no complete {method} file ({error}); expected one: "
            "run 'alpamayo bag recover' on the bag"
        ) from error
    except OSError as error:
        if not path.is_file():
            raise BagCorruptError(f"bag file {path} cannot be read ({error.strerror})") from error
        raise _no_room(path, target, error) from error
    return written


def _no_room(path: Path, target: Path, error: OSError | None = None) -> BagWriteError:
    reason = f" ({error.strerror})" if error is not None else ""
    return BagWriteError(
        f"bag file {path} is compressed as a whole and cannot be decompressed into {target.parent}{reason}; "
        "expected room there: set TMPDIR to a folder on a larger disk"
    )


class CompressedFile:
    """One file of a bag with the compression mode ``file``."""

    def __init__(self, path: Path, copies: DecompressedFiles, opened: Callable[[Path], BagFile]) -> None:
        """Remember the path.

        Args:
            path: The compressed file.
            copies: Where its decompressed copy is kept.
            opened: Makes the reader of the copy.
        """
        self._path = path
        self._copies = copies
        self._opened = opened

    def _copy(self) -> BagFile:
        return self._opened(self._copies.copy_of(self._path))

    def contents(self) -> FileContents:
        """Read the copy's index."""
        return self._copy().contents()

    def cursor(self, selection: Selection) -> Cursor:
        """Open the copy for reading messages."""
        return self._copy().cursor(selection)

    def metadata_records(self) -> Iterator[MetadataRecord]:
        """Return the copy's MCAP Metadata records."""
        return self._copy().metadata_records()

    def attachments(self) -> Iterator[Attachment]:
        """Return the copy's MCAP attachments."""
        return self._copy().attachments()
