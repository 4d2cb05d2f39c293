"""A copy has its name when it is whole, or leaves nothing."""

import errno
from pathlib import Path

import pytest

from alpamayo_ros.errors import BagWriteError, OutputError
from alpamayo_ros.storage.copy_staging import staged_copy
from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, LocalFileSystem


class NoRename(LocalFileSystem):
    """A disk on which nothing can be renamed."""

    def __init__(self, number: int) -> None:
        self.number = number

    def replace(self, source: Path, target: Path) -> None:
        raise OSError(self.number, "no rename")


def test_a_folder_gets_its_name_when_the_block_ends_well(tmp_path: Path) -> None:
    with staged_copy(tmp_path / "deep" / "out", LOCAL_FILE_SYSTEM) as folder:
        assert folder.name == "out"
        assert not folder.exists()
        folder.mkdir()
        (folder / "file").write_text("x")
        assert not (tmp_path / "deep" / "out").exists()
    assert (tmp_path / "deep" / "out" / "file").read_text() == "x"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with staged_copy(tmp_path / "out", LOCAL_FILE_SYSTEM) as folder:
            folder.mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, BagWriteError), (errno.EACCES, OutputError)])
def test_a_rename_that_is_refused_leaves_nothing(tmp_path: Path, number: int, kind: type[Exception]) -> None:
    with pytest.raises(kind), staged_copy(tmp_path / "out", NoRename(number)) as folder:
        folder.mkdir()
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    def race() -> None:
        with staged_copy(tmp_path / "out", LOCAL_FILE_SYSTEM) as folder:
            folder.mkdir()
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "mine").write_text("x")

    with pytest.raises(OutputError):
        race()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "mine").read_text() == "x"
