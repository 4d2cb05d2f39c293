"""Which files a damaged bag is made of, when neither its metadata nor the ends of its files can be relied on."""

import re
import shutil
from collections.abc import Sequence
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
from alpamayo_ros.storage.identity import RECORDING
from alpamayo_ros.storage.layout import bag_files, find_layout, read_metadata_file, storage_of
from alpamayo_ros.storage.mcap_files.records import MAGIC
from alpamayo_ros.storage.metadata import FILE_NAME, BagMetadata
from alpamayo_ros.storage.sqlite_files.pages import MAGIC as SQLITE_MAGIC

_RESERVE_BYTES = 256 * 1024 * 1024
_ASK_FOR_ROOM_EVERY_BYTES = 64 * 1024 * 1024
_NUMBER = re.compile(r"_?\d*$")


@dataclass(frozen=True, slots=True)
class RecoverableFile:
    """One file that is or was part of a bag.

    Attributes:
        name: As the bag names it.
        path: Where it is, None for one that is listed but missing.
        storage_id: ``mcap`` or ``sqlite3``.
        stated_count: Messages that metadata.yaml says are in it, None if it does not say.
        stated_range: First and last receive time in ns that metadata.yaml says are in it, None if it does not say.
        is_listed: Whether metadata.yaml lists it.
    """

    name: str
    path: Path | None
    storage_id: str
    stated_count: int | None = None
    stated_range: tuple[int, int] | None = None
    is_listed: bool = False


@dataclass(frozen=True, slots=True)
class RecoverableFiles:
    """The files of one bag in any state.

    Attributes:
        path: Folder, or the one file.
        files: In the order of the recording.
        metadata: What metadata.yaml says, None if there is none that can be read.
        notes: What is odd, one sentence each.
        candidates: Files in the folder that have the name of another bag, where a file of this one may be missing:
            their content must say whose they are.
    """

    path: Path
    files: tuple[RecoverableFile, ...]
    metadata: BagMetadata | None
    notes: tuple[str, ...] = ()
    candidates: tuple[RecoverableFile, ...] = ()


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
        find_layout(path)  # Says in the words of every other verb what it is instead, such as a bag of ROS 1.
        raise BagNotFoundError(f"{path} is not a bag; expected a bag folder, or a file that was an .mcap or .db3 file")
    return RecoverableFiles(path, (RecoverableFile(path.name, path, storage_id),), None)


def _in_folder(path: Path) -> RecoverableFiles:
    notes: list[str] = []
    metadata = _metadata_in(path, notes)
    present = bag_files(path)
    if metadata is None and not present:
        find_layout(path)
        raise BagNotFoundError(f"folder {path} is not a bag; expected {FILE_NAME} or a file of a bag in it")
    listed = tuple(dict.fromkeys(metadata.relative_paths)) if metadata is not None else ()
    storage_id = metadata.storage_id if metadata is not None and listed else None
    bases = {base_of(name) for name in listed} or {base_of(name) for name in present}
    if not listed and len({(base_of(name), storage_of(name)) for name in present}) > 1:
        own = {name for name in present if base_of(name) == path.name}
        if not own:
            raise BagNotFoundError(
                f"folder {path} has files of several bags ({', '.join(present[:5])}) and no {FILE_NAME} that says "
                "which belong together; expected one bag: name one of the files"
            )
        bases = {path.name}
    stated = _stated(metadata)
    files = [_listed_file(path, name, stated.get(plain_name(name)), notes) for name in listed]
    candidates: list[RecoverableFile] = []
    known = {plain_name(file.name) for file in files}
    for name in present:
        kind = storage_of(name)
        if plain_name(name) in known:
            if name not in listed and not any(file.path == path / name for file in files):
                notes.append(f"file {name} is passed over: the bag holds {plain_name(name)} already")
        elif storage_id is not None and kind != storage_id:
            notes.append(f"file {name} is passed over: the bag is of the storage {storage_id}")
        elif base_of(name) not in bases:
            if _may_lack_a_file(metadata, files):
                known.add(plain_name(name))
                candidates.append(RecoverableFile(name, path / name, str(kind)))
            else:
                notes.append(
                    f"file {name} is passed over: its name is that of another bag, and every file of this one is "
                    f"there; to recover it too, run 'alpamayo bag recover {path / name}'"
                )
        else:
            if listed:
                notes.append(f"file {name} is not listed in {FILE_NAME}, as one that was being recorded")
            known.add(plain_name(name))
            files.append(RecoverableFile(name, path / name, str(kind)))
    if not files:
        raise BagNotFoundError(f"folder {path} is not a bag; expected {FILE_NAME} or a file of a bag in it")
    return RecoverableFiles(path, tuple(files), metadata, tuple(notes), tuple(candidates))


def _metadata_in(path: Path, notes: list[str]) -> BagMetadata | None:
    if not (path / FILE_NAME).is_file():
        notes.append(f"the bag has no {FILE_NAME}, as one that was not closed")
        return None
    try:
        return read_metadata_file(path / FILE_NAME)
    except BagError as error:
        notes.append(f"{FILE_NAME} cannot be used: {error}")
        return None


def _may_lack_a_file(metadata: BagMetadata | None, files: Sequence[RecoverableFile]) -> bool:
    """Say whether a file of the bag may have another name: one is missing, or was not closed, or nothing is listed."""
    if metadata is None or not metadata.relative_paths or metadata.custom_data.get("state") == RECORDING:
        return True
    return any(file.path is None for file in files)


_Stated = tuple[int, tuple[int, int] | None]


def _stated(metadata: BagMetadata | None) -> dict[str, _Stated]:
    """Return count and range of receive times that metadata.yaml states of each file, by plain name."""
    if metadata is None:
        return {}
    stated: dict[str, _Stated] = {
        plain_name(file.path): (
            file.message_count,
            (file.start_ns, file.start_ns + file.duration_ns) if file.message_count else None,
        )
        for file in metadata.files
    }
    if not stated and len(metadata.relative_paths) == 1:
        whole = (metadata.start_ns, metadata.start_ns + metadata.duration_ns)
        stated[plain_name(metadata.relative_paths[0])] = (
            metadata.message_count,
            whole if metadata.message_count else None,
        )
    return stated


def _listed_file(folder: Path, name: str, stated: _Stated | None, notes: list[str]) -> RecoverableFile:
    """Return a file that metadata.yaml lists, or what stands in its place with or without compression."""
    storage_id = storage_of(name) or "mcap"
    count, times = stated if stated is not None else (None, None)
    plain = (folder / name).with_name(plain_name(name))
    for candidate in (folder / name, plain, plain.with_name(f"{plain.name}.zstd")):
        if candidate.is_file():
            if candidate.name != Path(name).name:
                notes.append(f"file {name} is missing, but {candidate.name} is there")
            return RecoverableFile(name, candidate, storage_id, count, times, is_listed=True)
    return RecoverableFile(name, None, storage_id, count, times, is_listed=True)


def base_of(name: str) -> str:
    """Return ``drive`` of ``drive_10.mcap.zstd``."""
    return _NUMBER.sub("", Path(plain_name(name)).stem)


def _storage_by_content(path: Path) -> str | None:
    """Return the storage id that the first bytes of a file state, None for a file that is of no bag."""
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
    written, asked_at = 0, 0
    try:
        allowed = max(MAX_UNSUSPECTED_BYTES, MAX_RATIO * path.stat().st_size)
        source = path.open("rb")
    except OSError as error:
        raise BagCorruptError(f"bag file {path} cannot be read ({error.strerror}); expected a readable file") from error
    try:
        with source, target.open("wb") as copy:
            for block in decompressed_blocks(source, compression_of(path.name)):
                written += len(block)
                if written >= asked_at:
                    asked_at = written + _ASK_FOR_ROOM_EVERY_BYTES
                    if shutil.disk_usage(folder).free < _RESERVE_BYTES:
                        raise _no_room(path, folder, "less than 256 MiB are free")
                copy.write(block)
                if written > allowed:
                    return target, f"grows to more than {MAX_RATIO} times its size, as a decompression bomb does"
    except ValueError as error:
        return target, f"is no complete {compression_of(path.name)} file ({error})"
    except OSError as error:
        raise _no_room(path, folder, str(error.strerror)) from error
    return target, ""


def _no_room(path: Path, folder: Path, reason: str) -> BagWriteError:
    return BagWriteError(
        f"bag file {path} is compressed as a whole and cannot be decompressed into {folder} ({reason}); "
        "expected room there: set TMPDIR to a folder on a larger disk"
    )
