"""Whole files and single messages are decompressed within bounds, whatever their headers say."""

import io
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.errors import BagCorruptError, BagWriteError
from alpamayo_ros.storage import compressed_file
from alpamayo_ros.storage.compressed_file import (
    DecompressedFiles,
    compression_of,
    decompress_message,
    decompressed_blocks,
    looks_compressed,
    plain_name,
)

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
}
METHODS = sorted(COMPRESS)


def blocks(data: bytes, method: str) -> bytes:
    return b"".join(decompressed_blocks(io.BytesIO(data), method))


@pytest.mark.parametrize(
    ("name", "method", "plain"),
    [
        ("a_0.mcap.zstd", "zstd", "a_0.mcap"),
        ("a.db3.zst", "zstd", "a.db3"),
        ("a.mcap.lz4", "lz4", "a.mcap"),
        ("a.mcap", "", "a.mcap"),
        ("zstd", "", "zstd"),
    ],
)
def test_the_last_suffix_names_the_method(name: str, method: str, plain: str) -> None:
    assert (compression_of(name), plain_name(name)) == (method, plain)


@pytest.mark.parametrize("method", METHODS)
@given(parts=st.lists(st.binary(max_size=9000), min_size=1, max_size=3))
def test_one_frame_or_several_come_back(method: str, parts: list[bytes]) -> None:
    assert blocks(b"".join(COMPRESS[method](part) for part in parts), method) == b"".join(parts)


@pytest.mark.parametrize("method", METHODS)
def test_a_cut_file_gives_what_it_has_and_then_says_so(method: str) -> None:
    # Not compressible by repetition alone: several blocks.
    content = b"".join(number.to_bytes(4, "little") for number in range(300_000))
    data = COMPRESS[method](content)
    received: list[bytes] = []
    with pytest.raises(ValueError, match="cut"):
        received.extend(decompressed_blocks(io.BytesIO(data[: len(data) // 2]), method))
    assert 0 < len(b"".join(received)) < len(content)
    assert content.startswith(b"".join(received))


@pytest.mark.parametrize("method", METHODS)
@given(data=st.binary(min_size=1, max_size=50))
def test_garbage_is_refused(method: str, data: bytes) -> None:
    with pytest.raises(ValueError):
        blocks(b"\xff" + data, method)


@pytest.mark.parametrize("method", METHODS)
def test_a_message_comes_back(method: str) -> None:
    for payload in (b"", b"x" * 100_000):
        data = COMPRESS[method](payload)
        assert decompress_message(data, method) == payload


@pytest.mark.parametrize("method", METHODS)
def test_a_message_that_is_cut_or_too_large_is_refused(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = COMPRESS[method](b"x" * 5000)
    with pytest.raises(ValueError, match=r"cut|no zstd frame"):
        decompress_message(data[:-6], method)
    monkeypatch.setattr(compressed_file, "MAX_MESSAGE_BYTES", 4999)
    with pytest.raises(ValueError, match="4999"):
        decompress_message(data, method)


def test_a_zstd_frame_is_told_from_a_cdr_payload() -> None:
    assert looks_compressed(zstandard.ZstdCompressor().compress(b""))
    assert not looks_compressed(b"\x00\x01\x00\x00")
    assert not looks_compressed(b"")


def packed(folder: Path, name: str, content: bytes, method: str = "zstd") -> Path:
    path = folder / name
    path.write_bytes(COMPRESS[method](content))
    return path


def test_a_decompression_bomb_is_stopped_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed_file, "MAX_UNSUSPECTED_BYTES", 1 << 20)
    path = packed(tmp_path, "bomb.mcap.zstd", bytes(64 << 20))
    copies = DecompressedFiles()
    with pytest.raises(BagCorruptError, match="decompression bomb"):
        copies.copy_of(path)
    copies.close()


def test_the_oldest_copies_make_room_and_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed_file, "MAX_KEPT_BYTES", 2500)
    paths = [packed(tmp_path, f"a_{number}.mcap.zstd", bytes([number]) * 1000) for number in range(3)]
    copies = DecompressedFiles()
    made = [copies.copy_of(path) for path in paths]
    assert [path.exists() for path in made] == [False, True, True]
    assert copies.copy_of(paths[0]).read_bytes() == bytes(1000)
    copies.close()
    assert not made[2].exists()


def test_two_files_of_one_plain_name_do_not_stand_for_each_other(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    paths = [packed(tmp_path, "a.mcap.zstd", b"one"), packed(tmp_path / "b", "a.mcap.zstd", b"two")]
    copies = DecompressedFiles()
    assert [copies.copy_of(path).read_bytes() for path in [*paths, *paths]] == [b"one", b"two", b"one", b"two"]
    copies.close()


def test_a_full_temporary_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed_file, "_RESERVE_BYTES", 1 << 62)
    copies = DecompressedFiles()
    with pytest.raises(BagWriteError, match="set TMPDIR"):
        copies.copy_of(packed(tmp_path, "a.mcap.zstd", b"x"))
    copies.close()
