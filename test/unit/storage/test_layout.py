"""What lies at a path is found out without opening the bag files."""

import os
from pathlib import Path

import pytest

from alpamayo_ros.errors import BagCorruptError, BagNotFoundError
from alpamayo_ros.storage.layout import bag_files, find_layout, storage_of
from alpamayo_ros.storage.writer import BagWriter


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def bag(path: Path) -> Path:
    with BagWriter(path, identity=None) as writer:
        writer.add_topic("/a", "std_msgs/msg/String")
    return path


@pytest.mark.parametrize(
    ("name", "storage"),
    [
        ("a.mcap", "mcap"),
        ("a.db3", "sqlite3"),
        ("a.db3.zstd", "sqlite3"),
        ("a.zstd", None),
        ("a.bag", None),
        ("", None),
    ],
)
def test_a_name_states_its_storage(name: str, storage: str | None) -> None:
    assert storage_of(name) == storage


def test_files_without_metadata_are_ordered_by_number(tmp_path: Path) -> None:
    folder = touch(tmp_path / "x", *(f"x_{number}.mcap" for number in (10, 9, 0, 100)), "notes.txt")
    layout = find_layout(folder)
    assert layout.names == ("x_0.mcap", "x_9.mcap", "x_10.mcap", "x_100.mcap")
    assert layout.metadata is None
    assert "no metadata.yaml" in layout.warnings[0]


@pytest.mark.parametrize("names", [("a_0.mcap", "b_0.mcap"), ("a_0.mcap", "a_1.db3")])
def test_files_of_several_bags_without_metadata_are_not_joined(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(BagNotFoundError, match=r"files of several bags.*name one of the files"):
        find_layout(touch(tmp_path / "x", *names))


def test_a_file_beside_its_compressed_form_is_not_read_twice(tmp_path: Path) -> None:
    with pytest.raises(BagNotFoundError, match=r"x_0\.mcap with and without compression"):
        find_layout(touch(tmp_path / "x", "x_0.mcap", "x_0.mcap.zstd"))


def test_a_bag_of_ros_1_is_named_with_the_way_to_convert_it(tmp_path: Path) -> None:
    path = touch(tmp_path, "old.bag") / "old.bag"
    with pytest.raises(BagNotFoundError, match=r"is a bag of ROS 1.*alpamayo bag convert .*old\.bag DST"):
        find_layout(path)


def test_a_link_out_of_the_folder_is_said_and_left_out_where_nothing_lists_it(tmp_path: Path) -> None:
    path = bag(tmp_path / "x")
    (path / "x_0.mcap").rename(tmp_path / "elsewhere.mcap")
    (path / "x_0.mcap").symlink_to(tmp_path / "elsewhere.mcap")
    assert any("is a link to" in warning for warning in find_layout(path).warnings)
    assert bag_files(path) == ()


def test_a_link_to_itself_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    path = bag(tmp_path / "x")
    (path / "x_0.mcap").unlink()
    (path / "x_0.mcap").symlink_to(path / "x_0.mcap")
    with pytest.raises(BagCorruptError, match="lacks the file"):
        find_layout(path)
    (path / "x_0.mcap").unlink()
    os.mkfifo(path / "x_0.mcap")
    with pytest.raises(BagCorruptError, match="lacks the file"):
        find_layout(path)
