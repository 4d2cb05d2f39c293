"""A copy has its name when it is whole, or leaves nothing."""

import errno
from pathlib import Path

import pytest

from alpamayo_ros.errors import BagWriteError, OutputError
from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, LocalFileSystem
from alpamayo_ros.storage.staging import staged_bag, validate_destination


class NoRename(LocalFileSystem):
    """A disk on which nothing can be renamed."""

    def __init__(self, number: int) -> None:
        self.number = number

    def replace(self, source: Path, target: Path) -> None:
        raise OSError(self.number, "no rename")


def test_a_folder_gets_its_name_when_the_block_ends_well(tmp_path: Path) -> None:
    with staged_bag(tmp_path / "deep" / "out", LOCAL_FILE_SYSTEM) as folder:
        assert folder.name == "out"
        assert not folder.exists()
        folder.mkdir()
        (folder / "file").write_text("x")
        assert not (tmp_path / "deep" / "out").exists()
    assert (tmp_path / "deep" / "out" / "file").read_text() == "x"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with staged_bag(tmp_path / "out", LOCAL_FILE_SYSTEM) as folder:
            folder.mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, BagWriteError), (errno.EACCES, OutputError)])
def test_a_rename_that_is_refused_leaves_nothing(tmp_path: Path, number: int, kind: type[Exception]) -> None:
    with pytest.raises(kind), staged_bag(tmp_path / "out", NoRename(number)) as folder:
        folder.mkdir()
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    def race() -> None:
        with staged_bag(tmp_path / "out", LOCAL_FILE_SYSTEM) as folder:
            folder.mkdir()
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "mine").write_text("x")

    with pytest.raises(OutputError):
        race()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "mine").read_text() == "x"


@pytest.mark.parametrize("name", ["x.mcap", "x.db3", "x.db3.zstd", "x.MCAP", "x.mcap.lz4"])
def test_a_folder_with_the_name_of_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"has the name of a file; .*: drop the suffix '\."):
        validate_destination(tmp_path / name, [])
    for good in ("x.mcap_", "mcap", ".mcap", "run.2023"):
        validate_destination(tmp_path / good, [])


@pytest.mark.parametrize(("name", "wrong"), [("new/..", "without a name"), ("o\udcff", "not UTF-8")])
def test_a_folder_without_a_name_that_a_bag_can_hold_is_refused(tmp_path: Path, name: str, wrong: str) -> None:
    with pytest.raises(OutputError, match=wrong):
        validate_destination(tmp_path / name, [])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_of_the_destination_and_not_of_the_hidden_folder(tmp_path: Path) -> None:
    def fill() -> None:
        with staged_bag(tmp_path / "out", LOCAL_FILE_SYSTEM) as folder:
            raise BagWriteError(f"bag {folder} could not be written; what was kept") from OSError(28, "No space left")

    with pytest.raises(BagWriteError) as failure:
        fill()
    assert str(failure.value).startswith(f"bag {tmp_path / 'out'} could not be written (No space left);")
    assert failure.value.exit_code == 74
