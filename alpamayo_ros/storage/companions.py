"""Settings that lie beside a bag in its folder and belong to the drive, such as its calibration."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alpamayo_ros.errors import BagWriteError
from alpamayo_ros.storage.filesystem import FileSystem
from alpamayo_ros.storage.identity import SIDECAR
from alpamayo_ros.storage.layout import storage_of
from alpamayo_ros.storage.metadata import FILE_NAME

SUFFIXES = (".yaml", ".yml")
MAX_COMPANION_BYTES = 1024 * 1024
MAX_COMPANIONS = 100
_TOPICS_FILES = ("topics.yaml", "topics.yml")
_JOURNALS = tuple(f".db3{suffix}" for suffix in ("-wal", "-shm", "-journal"))
_MAX_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Companion:
    """One such file."""

    name: str
    data: bytes


def joined_companions(
    folders: Sequence[Path], topics_dropped: Collection[str] = ()
) -> tuple[tuple[Companion, ...], tuple[str, ...]]:
    """Return what goes along with a copy, and one sentence for each reason why something does not.

    Settings go along: YAML of at most MAX_COMPANION_BYTES. Anything else in the folder stays behind and is named, and
    so are settings of which two bags have different ones, and a topics file that names a topic which the copy lacks:
    nothing that takes its word would find that topic.

    Args:
        folders: Bag folders; bare bag files have no companions.
        topics_dropped: Topics of the bags that the copy lacks.
    """
    found: dict[str, bytes] = {}
    left: dict[str, None] = {}
    for folder in folders:
        for path in _others(folder):
            data = _settings(path) if len(found) < MAX_COMPANIONS else None
            if data is None or found.setdefault(path.name, data) != data:
                left[path.name] = None
    warnings = []
    for name in _TOPICS_FILES:
        missing = sorted(_words(found[name]) & set(topics_dropped)) if name in found and name not in left else []
        if missing:
            del found[name]
            shown = ", ".join(missing[:_MAX_SHOWN]) + (" and more" if len(missing) > _MAX_SHOWN else "")
            warnings.append(f"left behind: {name}; it names topics that the copy lacks ({shown})")
    kept = tuple(Companion(name, data) for name, data in sorted(found.items()) if name not in left)
    if left:
        names = ", ".join(sorted(left)[:_MAX_SHOWN]) + (" and more" if len(left) > _MAX_SHOWN else "")
        warnings.append(
            f"left behind: {names}; of the files beside a bag its settings (YAML) are copied, if the bags agree"
        )
    return kept, tuple(warnings)


def _words(data: bytes) -> set[str]:
    """Return every word of a YAML text: a topic's name is one wherever it stands, quoted or not."""
    return set(re.findall(r"[^\s'\",:\[\]{}#]+", data.decode(errors="surrogateescape")))


def write_companions(folder: Path, companions: Sequence[Companion], filesystem: FileSystem) -> None:
    """Write companions into a bag folder.

    Raises:
        BagWriteError: The disk is full or faulty.
    """
    for companion in companions:
        _write(folder, companion, filesystem)


def _write(folder: Path, companion: Companion, filesystem: FileSystem) -> None:
    try:
        file = filesystem.create(folder / companion.name)
        try:
            file.write(companion.data)
            file.sync()
        finally:
            file.close()
    except OSError as error:
        raise BagWriteError(
            f"{companion.name} beside bag {folder.name} could not be written ({error.strerror or error}); "
            "expected free space on a sound disk"
        ) from error


def _others(folder: Path) -> Iterator[Path]:
    """Yield what is in a bag's folder and is no part of the bag itself."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        own = path.name in (FILE_NAME, SIDECAR) or path.name.endswith(_JOURNALS) or path.name.startswith(".")
        if not own and storage_of(path.name) is None:
            yield path


def _settings(path: Path) -> bytes | None:
    """Return the content of a settings file; None for anything else, links included: they may lead anywhere."""
    if path.suffix not in SUFFIXES or path.is_symlink() or not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            data = file.read(MAX_COMPANION_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= MAX_COMPANION_BYTES else None
