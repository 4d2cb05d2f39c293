"""Find out what lies at a path: which files of which storage make the bag, and what its metadata says."""

import re
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.errors import BagCorruptError, BagError, BagNotFoundError, expected_one_of
from alpamayo_ros.storage.compressed_file import METHODS, SUFFIXES, plain_name
from alpamayo_ros.storage.metadata import FILE_NAME, MAX_METADATA_BYTES, BagMetadata, parse_metadata

STORAGES = {".mcap": "mcap", ".db3": "sqlite3"}
"""Storage id by the suffix of a file name, after that of its compression."""

ROS1_SUFFIX = ".bag"
MODES = ("", "none", "file", "message")
"""rosbag2's compression modes; ``storage`` in rosbags means the chunks of mcap itself and is stored as none."""

_RECOVER = "run 'alpamayo bag recover' on the bag"
_NUMBERED = re.compile(r"(.*?)_?(\d*)$")


@dataclass(frozen=True, slots=True)
class BagLayout:
    """The files of one bag.

    Attributes:
        path: Folder, or the one file.
        storage_id: ``mcap`` or ``sqlite3``.
        names: File names below the folder in order; the file's own name for a bare file.
        metadata: What metadata.yaml says, None without one.
        warnings: What was odd but readable.
    """

    path: Path
    storage_id: str
    names: tuple[str, ...]
    metadata: BagMetadata | None
    warnings: tuple[str, ...] = ()

    def path_of(self, name: str) -> Path:
        """Return where one of the files is."""
        return self.path / name if self.path.is_dir() else self.path


def storage_of(name: str) -> str | None:
    """Return the storage id that a file name states, None for a name that no bag file has."""
    return STORAGES.get(Path(plain_name(name)).suffix)


def find_layout(path: Path) -> BagLayout:
    """Look at a folder or a file; the bag files themselves are not opened.

    Args:
        path: Folder with metadata.yaml, folder with the files of one bag, or one bag file.

    Raises:
        BagNotFoundError: The path is missing or is not a bag; a bag of ROS 1 is named as such.
        BagCorruptError: The bag is incomplete or its metadata is damaged.
        BagError: The bag is sound, but of a kind that is not supported.
    """
    try:
        if path.is_dir():
            return _folder_layout(path)
        if not path.exists():
            raise BagNotFoundError(f"bag {path} does not exist; expected a bag folder or a bag file")
        storage_id = storage_of(path.name) if path.is_file() else None
    except (OSError, ValueError) as error:
        raise BagNotFoundError(f"bag {str(path)!r} cannot be read ({error}); expected a readable bag") from error
    if path.suffix == ROS1_SUFFIX:
        raise BagNotFoundError(
            f"{path} is a bag of ROS 1; expected one of ROS 2: run 'alpamayo bag convert {path} DST' first"
        )
    if storage_id is None:
        raise BagNotFoundError(
            f"{path} is not a bag; expected a bag folder with {FILE_NAME}, or a file that ends in .mcap or .db3, "
            f"perhaps compressed ({', '.join(SUFFIXES)})"
        )
    return BagLayout(path, storage_id, (path.name,), None)


def _folder_layout(path: Path) -> BagLayout:
    metadata_path = path / FILE_NAME
    if not metadata_path.is_file():
        return _layout_without_metadata(path)
    metadata = read_metadata_file(metadata_path)
    if metadata.compression_mode not in MODES:
        raise BagError(expected_one_of(f"bag {path}: compression mode", metadata.compression_mode, MODES[1:]))
    if metadata.compression_mode == "message" and metadata.compression_format not in METHODS:
        raise BagError(expected_one_of(f"bag {path}: compression format", metadata.compression_format, METHODS))
    if metadata.storage_id not in STORAGES.values():
        raise BagError(expected_one_of(f"bag {path}: storage", metadata.storage_id, tuple(STORAGES.values())))
    if len(set(metadata.relative_paths)) != len(metadata.relative_paths):
        raise BagCorruptError(f"{metadata_path} lists a file twice; expected each once: {_RECOVER}")
    for name in metadata.relative_paths:
        # Not a regular file: a named pipe would block the reader for ever.
        if not (path / name).is_file():
            raise BagCorruptError(
                f"bag {path} lacks the file {name} that its {FILE_NAME} lists; expected every split: "
                "copy it there, or run 'alpamayo bag recover' on the bag to do without it"
            )
    return BagLayout(path, metadata.storage_id, metadata.relative_paths, metadata, _links(path, metadata))


def _links(path: Path, metadata: BagMetadata) -> tuple[str, ...]:
    """Say which files are elsewhere: data sets are kept so, but a bag from a stranger should not be."""
    root = path.resolve()
    return tuple(
        f"file {name} is a link to {target}, outside of the bag's folder"
        for name in metadata.relative_paths
        if root not in (target := (path / name).resolve()).parents
    )


def read_metadata_file(path: Path) -> BagMetadata:
    """Read a metadata.yaml.

    Raises:
        BagError: Its version is not supported.
        BagCorruptError: It is too large or no rosbag2 metadata.
        OSError: It cannot be read.
    """
    size = path.stat().st_size
    if size > MAX_METADATA_BYTES:
        raise BagCorruptError(f"{path} has {size} bytes; expected at most {MAX_METADATA_BYTES}: {_RECOVER}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BagCorruptError(f"{path} is not UTF-8 text; expected rosbag2 metadata: {_RECOVER}") from error
    return parse_metadata(text, str(path))


def bag_files(folder: Path) -> tuple[str, ...]:
    """Return the names of the bag files in a folder, in the order of their numbers; links out of it are left out.

    Raises:
        OSError: The folder cannot be read.
    """
    root = folder.resolve()
    names = [
        entry.name
        for entry in folder.iterdir()
        if storage_of(entry.name) is not None and entry.is_file() and root in entry.resolve().parents
    ]
    return tuple(sorted(names, key=_order))


def _order(name: str) -> tuple[str, int, str]:
    base, number = _split_name(name)
    return base, number, name


def _split_name(name: str) -> tuple[str, int]:
    """Take ``drive_10.mcap.zstd`` apart into ``drive`` and 10; a name without number counts as -1."""
    match = _NUMBERED.fullmatch(Path(plain_name(name)).stem)
    base, digits = match.groups() if match is not None else (name, "")
    return base, int(digits[:18]) if digits else -1


def _layout_without_metadata(path: Path) -> BagLayout:
    names = bag_files(path)
    if not names:
        old = sorted(entry.name for entry in path.iterdir() if entry.suffix == ROS1_SUFFIX)
        hint = f": {old[0]} is a bag of ROS 1, run 'alpamayo bag convert {path / old[0]} DST' first" if old else ""
        raise BagNotFoundError(f"folder {path} is not a bag; expected {FILE_NAME} in it{hint}")
    bases = {(_split_name(name)[0], storage_of(name)) for name in names}
    if len(bases) > 1:
        raise BagNotFoundError(
            f"folder {path} has no {FILE_NAME} and files of several bags ({', '.join(names[:5])}); "
            "expected one bag: name one of the files"
        )
    plain = [plain_name(name) for name in names]
    doubled = sorted({name for name in plain if plain.count(name) > 1})
    if doubled:
        raise BagNotFoundError(
            f"folder {path} has no {FILE_NAME} and holds {doubled[0]} with and without compression; "
            "expected each file once: move one of them away"
        )
    warning = f"the bag has no {FILE_NAME}, as one that was not closed; its files are read in the order of their names"
    return BagLayout(path, str(storage_of(names[0])), names, None, (warning,))
