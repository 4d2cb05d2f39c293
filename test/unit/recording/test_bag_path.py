"""New bags get names that say when they began, and never take an old one's place."""

from pathlib import Path

import pytest

from alpamayo_ros.errors import OutputError, ParameterError
from alpamayo_ros.recording import bag_path
from alpamayo_ros.recording.bag_path import bag_name, free_bag_path, open_at_free_path, validate_bag_folder

STAMP_NS = 1_795_609_805_999_999_999


def test_a_name_holds_the_second_in_which_the_bag_begins() -> None:
    assert bag_name("drive", STAMP_NS) == "drive_2026-11-25T12-30-05Z"
    assert bag_name("drive", 0) == "drive_1970-01-01T00-00-00Z"
    assert bag_name("drive", 2**63 - 1) == "drive_2262-04-11T23-47-16Z"


@pytest.mark.parametrize("stamp_ns", [-1, 2**63])
def test_a_time_that_no_bag_holds_is_refused(stamp_ns: int) -> None:
    with pytest.raises(ParameterError, match="bag time is"):
        bag_name("drive", stamp_ns)


@pytest.mark.parametrize("prefix", ["", "a/b", "..", ".hidden", "a\0b", "a\nb", "a\\b", "a" * 129, "ä" * 65])
def test_a_prefix_that_is_no_part_of_a_file_name_is_refused(prefix: str) -> None:
    with pytest.raises(ParameterError, match="bag prefix is"):
        bag_name(prefix, STAMP_NS)


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        path = free_bag_path(tmp_path, "drive", STAMP_NS)
        path.mkdir()
        names.append(path.name)
    assert names == [f"drive_2026-11-25T12-30-05Z{number}" for number in ("", "_2", "_3")]


def test_a_link_to_nowhere_is_in_the_way_too(tmp_path: Path) -> None:
    (tmp_path / "drive_2026-11-25T12-30-05Z").symlink_to(tmp_path / "gone")
    assert free_bag_path(tmp_path, "drive", STAMP_NS).name == "drive_2026-11-25T12-30-05Z_2"


def test_a_folder_that_is_not_there_yet_is_free(tmp_path: Path) -> None:
    assert free_bag_path(tmp_path / "new", "drive", STAMP_NS).parent == tmp_path / "new"
    assert not (tmp_path / "new").exists()


def test_the_search_for_a_free_name_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bag_path, "_MAX_SAME_NAMES", 2)
    for _ in range(2):
        free_bag_path(tmp_path, "drive", STAMP_NS).mkdir()
    with pytest.raises(OutputError, match="holds 2 bags"):
        free_bag_path(tmp_path, "drive", STAMP_NS)


def test_a_recorder_that_was_faster_gets_the_path_and_the_other_one_the_next(tmp_path: Path) -> None:
    tried = []

    def open_at(path: Path) -> Path:
        tried.append(path.name)
        if len(tried) < 3:
            path.mkdir()
            raise OutputError("it exists")
        return path

    assert open_at_free_path(tmp_path, "drive", 0, open_at) == tmp_path / "drive_1970-01-01T00-00-00Z_3"
    assert len(tried) == 3


def test_another_error_of_opening_is_not_tried_again(tmp_path: Path) -> None:
    tried = []

    def open_at(path: Path) -> Path:
        tried.append(path)
        raise OutputError("the folder is read-only")

    with pytest.raises(OutputError, match="read-only"):
        open_at_free_path(tmp_path, "drive", 0, open_at)
    assert len(tried) == 1


def test_endless_rivals_are_an_error(tmp_path: Path) -> None:
    def open_at(path: Path) -> Path:
        path.mkdir()
        raise OutputError("it exists")

    with pytest.raises(OutputError, match="other recorders were faster"):
        open_at_free_path(tmp_path, "drive", 0, open_at)


def test_a_folder_for_bags_may_be_missing(tmp_path: Path) -> None:
    validate_bag_folder(tmp_path)
    validate_bag_folder(tmp_path / "a" / "b")


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file is no folder"):
        validate_bag_folder(tmp_path / "file")
    with pytest.raises(OutputError, match=r"x, which is missing; .*file is no folder"):
        validate_bag_folder(tmp_path / "file" / "x")


def test_a_folder_that_is_not_writable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As root, who runs the tests in CI, every folder of a writable disk is writable.
    monkeypatch.setattr(bag_path.os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="is not writable; expected one that can be written"):
        validate_bag_folder(tmp_path)
