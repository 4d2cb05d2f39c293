"""Which files a damaged bag is made of, when neither its metadata nor the ends of its files can be relied on."""

import re
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.errors import BagCorruptError, BagError, BagNotFoundError, BagWriteError
from alpamayo_ros.storage.compressed_file import (
    MAX_RATIO,
    MAX_UNSUSPECTED_BYTES,
    compression_of,
    decompressed_blocks,
    plain_name,
)
from alpamayo_ros.storage.layout import bag_files, read_metadata_file, storage_of
from alpamayo_ros.storage.mcap_records import MAGIC
from alpamayo_ros.storage.metadata import FILE_NAME, BagMetadata
from alpamayo_ros.storage.sqlite_pages import MAGIC as SQLITE_MAGIC

_NUMBER = re.compile(r"_?\d*$")


@dataclass(frozen=True, slots=True)
class RecoverableFile:
    """One file that is or was part of a bag.

    Attributes:
        name: As the bag names it.
        path: Where it is, None for one that is listed but missing.
        storage_id: ``mcap`` or ``sqlite3``.
        stated_count: Messages that metadata.yaml says are in it, None if it does not say.
    """

    name: str
    path: Path | None
    storage_id: str
    stated_count: int | None = None


@dataclass(frozen=True, slots=True)
class RecoverableFiles:
    """The files of one bag in any state.

    Attributes:
        path: Folder, or the one file.
        files: In the order of the recording.
        metadata: What metadata.yaml says, None if there is none that can be read.
        notes: What is odd, one sentence each.
    """

    path: Path
    files: tuple[RecoverableFile, ...]
    metadata: BagMetadata | None
    notes: tuple[str, ...] = ()


def find_recoverable_files(path: Path) -> RecoverableFiles:
    """Look at a folder or a file; nothing is opened but metadata.yaml.

    Raises:
        BagNotFoundError: The path is missing, or nothing at it looks like a file of one bag.
    """
    try:
        if path.is_dir():
            return _in_folder(path)
        if not path.is_file():
            raise BagNotFoundError(f"bag {path} does not exist; expected a bag folder or a bag file")
        storage_id = storage_of(path.name) or _storage_by_content(path)
    except (OSError, ValueError) as error:
        raise BagNotFoundError(f"bag {str(path)!r} cannot be read ({error}); expected a readable bag") from error
    if storage_id is None:
        raise BagNotFoundError(
            f"{path} is not a bag; expected a bag folder, or a file that is or was an .mcap or .db3 file"
        )
    return RecoverableFiles(path, (RecoverableFile(path.name, path, storage_id),), None)


def _in_folder(path: Path) -> RecoverableFiles:
    notes: list[str] = []
    metadata = None
    if (path / FILE_NAME).is_file():
        try:
            metadata = read_metadata_file(path / FILE_NAME)
        except BagError as error:
            notes.append(f"{FILE_NAME} cannot be used: {error}")
    else:
        notes.append(f"the bag has no {FILE_NAME}, as one that was not closed")
    present = bag_files(path)
    listed = tuple(dict.fromkeys(metadata.relative_paths)) if metadata is not None else ()
    storage_id = metadata.storage_id if metadata is not None and listed else None
    bases = {_base(name) for name in listed} or {_base(name) for name in present}
    if not listed and len({(_base(name), storage_of(name)) for name in present}) > 1:
        own = {name for name in present if _base(name) == path.name}
        if not own:
            raise BagNotFoundError(
                f"folder {path} has files of several bags ({', '.join(present[:5])}) and no {FILE_NAME} that says "
                "which belong together; expected one bag: name one of the files"
            )
        bases = {path.name}
    counts = {plain_name(file.path): file.message_count for file in metadata.files} if metadata is not None else {}
    files = [_listed_file(path, name, counts.get(plain_name(name)), notes) for name in listed]
    known = {plain_name(file.name) for file in files}
    for name in present:
        stated = storage_of(name)
        if plain_name(name) in known:
            if name not in listed and not any(file.path == path / name for file in files):
                notes.append(f"file {name} is passed over: the bag holds {plain_name(name)} already")
        elif _base(name) not in bases or (storage_id is not None and stated != storage_id):
            notes.append(f"file {name} is passed over: its name is that of another bag")
        else:
            if listed:
                notes.append(f"file {name} is not listed in {FILE_NAME}, as one that was being recorded")
            known.add(plain_name(name))
            files.append(RecoverableFile(name, path / name, str(stated)))
    if not files:
        raise BagNotFoundError(f"folder {path} is not a bag; expected {FILE_NAME} or a file of a bag in it")
    return RecoverableFiles(path, tuple(files), metadata, tuple(notes))


def _listed_file(folder: Path, name: str, count: int | None, notes: list[str]) -> RecoverableFile:
    """Return a file that metadata.yaml lists, or what stands in its place with or without compression."""
    storage_id = storage_of(name) or "mcap"
    plain = (folder / name).with_name(plain_name(name))
    for candidate in (folder / name, plain, plain.with_name(f"{plain.name}.zstd")):
        if candidate.is_file():
            if candidate.name != Path(name).name:
                notes.append(f"file {name} is missing, but {candidate.name} is there")
            return RecoverableFile(name, candidate, storage_id, count)
    return RecoverableFile(name, None, storage_id, count)


def _base(name: str) -> str:
    """Return ``drive`` of ``drive_10.mcap.zstd``."""
    return _NUMBER.sub("", Path(plain_name(name)).stem)


def _storage_by_content(path: Path) -> str | None:
    with path.open("rb") as file:
        opening = file.read(len(SQLITE_MAGIC))
    if opening.startswith(MAGIC):
        return "mcap"
    return "sqlite3" if opening == SQLITE_MAGIC else None


def decompress_what_is_left(path: Path, folder: Path) -> tuple[Path, str]:
    """Decompress a file that was compressed as a whole, as far as that goes.

    Args:
        path: The compressed file.
        folder: Where to put what comes out.

    Returns:
        The decompressed file, and why it is not the whole, empty if it is.

    Raises:
        BagCorruptError: The file cannot be read.
        BagWriteError: There is no room for it.
    """
    target = folder / plain_name(path.name)
    written = 0
    try:
        allowed = max(MAX_UNSUSPECTED_BYTES, MAX_RATIO * path.stat().st_size)
        source = path.open("rb")
    except OSError as error:
        raise BagCorruptError(f"bag file {path} cannot be read ({error.strerror}); expected a readable file") from error
    try:
        with source, target.open("wb") as copy:
            for block in decompressed_blocks(source, compression_of(path.name)):
                written += len(block)
                copy.write(block)
                if written > allowed:
                    return target, f"grows to more than {MAX_RATIO} times its size, as a decompression bomb does"
    except ValueError as error:
        return target, f"is no complete {compression_of(path.name)} file ({error})"
    except OSError as error:
        raise BagWriteError(
            f"bag file {path} is compressed as a whole and cannot be decompressed into {folder} ({error.strerror}); "
            "expected room there: set TMPDIR to a folder on a larger disk"
        ) from error
    return target, ""
