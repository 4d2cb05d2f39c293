"""A lineage to record, interface packages to find definitions in, and a disk that fills up."""

import errno
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.storage.filesystem import LocalFile, LocalFileSystem
from alpamayo_ros.structs.lineage import COMPONENT_KINDS, NONE, Lineage, LineageComponent


@pytest.fixture
def lineage() -> Lineage:
    """A lineage whose id is the digest of its manifest."""
    manifest = '{"components":{"model":"none"},"schema":1}'
    return Lineage(
        lineage_id=f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}",
        envelope_id=NONE,
        components=tuple(LineageComponent(kind, NONE, kind) for kind in COMPONENT_KINDS),
        manifest=manifest,
        details={},
        provenance={},
    )


@pytest.fixture
def ros_prefix() -> Path:
    """The prefix of an installed ROS."""
    prefix = Path(sys.prefix)
    if not (prefix / "share" / "nav_msgs" / "msg" / "Odometry.msg").is_file():
        pytest.skip("no interface packages are installed in this environment")
    return prefix


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Path]:
    """Write files such as ``robot_msgs/msg/Thing.msg`` under a prefix, and return the prefix."""

    def write(files: dict[str, str], name: str = "prefix") -> Path:
        for file, text in files.items():
            path = tmp_path / name / "share" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


class FullDisk(LocalFileSystem):
    """A disk that takes ``room`` bytes in all; what is cut off or deleted is free again."""

    def __init__(self, room: int, number: int = errno.ENOSPC) -> None:
        self.room = room
        self.number = number

    def create(self, path: Path) -> LocalFile:
        return _LimitedFile(path, self)

    def remove(self, path: Path) -> None:
        self.room += path.stat().st_size if path.exists() else 0
        super().remove(path)


class _LimitedFile(LocalFile):
    def __init__(self, path: Path, disk: FullDisk) -> None:
        super().__init__(path)
        self._path, self._disk = path, disk

    def write(self, data: Any) -> None:
        fitting = bytes(data)[: max(0, self._disk.room)]
        super().write(fitting)
        self._disk.room -= len(fitting)
        if len(fitting) < len(data):
            raise OSError(self._disk.number, "No space left on device")

    def truncate(self, size: int) -> None:
        self._disk.room += self._path.stat().st_size - size
        super().truncate(size)


@pytest.fixture
def full_disk() -> type[FullDisk]:
    """The class of a disk that fills up."""
    return FullDisk
