"""A bag gets its name when it is whole."""

import pytest

from alpamayo_ros.errors import OutputError
from alpamayo_ros.importers.staging import staged, validate_destination


def test_the_folder_becomes_the_destination(tmp_path):
    with staged(tmp_path / "deep" / "bag") as folder:
        assert folder.name == "bag"
        assert not folder.exists()
        folder.mkdir()
        (folder / "file").write_text("x")
        assert not (tmp_path / "deep" / "bag").exists()
    assert (tmp_path / "deep" / "bag" / "file").read_text() == "x"
    assert [entry.name for entry in (tmp_path / "deep").iterdir()] == ["bag"]


def test_an_error_leaves_nothing(tmp_path):
    def interrupted():
        with staged(tmp_path / "bag") as folder:
            folder.mkdir()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_makes_nothing_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="cannot be made"), staged(tmp_path / "bag"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_only_a_new_destination_is_valid(tmp_path):
    validate_destination(tmp_path / "new")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for old in (tmp_path, tmp_path / "link"):
        with pytest.raises(OutputError, match="exists already"):
            validate_destination(old)
