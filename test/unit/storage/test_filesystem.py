"""The file operations that writing rests on."""

import threading
from pathlib import Path

import pytest

from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, WRITEBACK_BYTES, sha256_of, write_atomically


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_atomically(LOCAL_FILE_SYSTEM, target, b"one")
    write_atomically(LOCAL_FILE_SYSTEM, target, b"two")
    assert target.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path, full_disk) -> None:
    target = tmp_path / "a.json"
    write_atomically(LOCAL_FILE_SYSTEM, target, b"old")
    with pytest.raises(OSError, match="No space"):
        write_atomically(full_disk(3), target, b"newer")
    assert target.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_rest_of_an_earlier_crash_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".a.json.tmp").write_bytes(b"rest")
    write_atomically(LOCAL_FILE_SYSTEM, tmp_path / "a.json", b"new")
    assert (tmp_path / "a.json").read_bytes() == b"new"


def test_a_file_is_cut_and_goes_on_at_the_cut(tmp_path: Path) -> None:
    file = LOCAL_FILE_SYSTEM.create(tmp_path / "a")
    file.write(b"abcdef")
    file.truncate(2)
    file.write(b"X")
    file.close()
    file.close()
    assert (tmp_path / "a").read_bytes() == b"abX"


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        LOCAL_FILE_SYSTEM.create(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_the_digest_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_long_file_is_what_was_written_although_the_kernel_is_asked_to_begin_early(tmp_path: Path) -> None:
    file, block = LOCAL_FILE_SYSTEM.create(tmp_path / "a"), bytes(range(256)) * (WRITEBACK_BYTES // 512)
    for _ in range(7):
        file.write(block)
    file.truncate(len(block) + 5)
    for _ in range(7):
        file.write(block)
    file.sync()
    file.close()
    assert (tmp_path / "a").read_bytes() == block + block[:5] + 7 * block


def test_no_thread_is_left_when_a_file_is_closed(tmp_path: Path) -> None:
    file = LOCAL_FILE_SYSTEM.create(tmp_path / "a")
    file.write(b"small")
    assert not any(thread.name.startswith("writeback") for thread in threading.enumerate())
    file.write(bytes(WRITEBACK_BYTES))
    file.close()
    assert not any(thread.name.startswith("writeback") for thread in threading.enumerate())
