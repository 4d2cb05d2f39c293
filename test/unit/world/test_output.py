"""Outputs are new, whole, and refused in one sentence."""

import errno
from pathlib import Path

import pytest

from alpamayo_ros.errors import BagWriteError, OutputError
from alpamayo_ros.world.output import make_folder, require_absent, reserved_folder, worded_errors, write_file


def test_what_exists_is_refused_even_a_link_to_nowhere(tmp_path: Path) -> None:
    require_absent(tmp_path / "new")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for path in (tmp_path, tmp_path / "link"):
        with pytest.raises(OutputError, match="exists already; expected a new one"):
            require_absent(path)
    with pytest.raises(OutputError, match="without a name"):
        require_absent(Path("/"))


def test_a_folder_is_made_with_its_parents_and_only_once(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    with pytest.raises(OutputError, match="exists already"):
        make_folder(tmp_path / "a" / "b")


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"first")
    write_file(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"second"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_in_a_file_cannot_be_made(tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"")
    with pytest.raises(OutputError, match="expected a writable folder"):
        make_folder(tmp_path / "file" / "folder")
    with pytest.raises(OutputError, match="expected a writable folder"):
        write_file(tmp_path / "file" / "other", b"")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG])
def test_a_full_or_faulty_disk_is_told_from_a_refusal(tmp_path: Path, number: int) -> None:
    with pytest.raises(BagWriteError, match="sound disk with room") as caught, worded_errors(tmp_path):
        raise OSError(number, "no")
    assert caught.value.exit_code == 74


def test_a_folder_is_reserved_before_the_work_and_given_back_without_results(tmp_path: Path) -> None:
    with reserved_folder(None):
        pass
    with reserved_folder(tmp_path / "kept"):
        assert (tmp_path / "kept").is_dir()
    with pytest.raises(KeyboardInterrupt), reserved_folder(tmp_path / "dropped"):
        raise KeyboardInterrupt
    with pytest.raises(OutputError, match="exists already"), reserved_folder(tmp_path / "kept"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
