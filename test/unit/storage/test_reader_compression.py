"""Bags that rosbag2 compressed file by file or message by message."""

import re
import sqlite3
import tempfile
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from alpamayo_ros.errors import BagCorruptError, BagError
from alpamayo_ros.messages.typestore import typestore
from alpamayo_ros.storage.reader import open_bag

Row = tuple[str, int, bytes]


def foreign(path: Path, rows: list[Row], plugin: StoragePlugin, mode: CompressionMode) -> Path:
    writer = Writer(path, version=9, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/a", "std_msgs/msg/String", typestore=typestore())
        for _, receive_ns, payload in rows:
            writer.write(connection, receive_ns, payload)
    return path


def read(path: Path) -> list[Row]:
    with open_bag(path) as reader:
        return [(message.topic, message.receive_ns, message.payload) for message in reader.messages()]


@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE])
@pytest.mark.parametrize("plugin", [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
def test_both_compression_modes_of_rosbag2_are_read(
    tmp_path: Path, mode: CompressionMode, plugin: StoragePlugin
) -> None:
    rows = [("/a", 5, b"x" * 100), ("/a", 6, b""), ("/a", 7, bytes(range(256)))]
    path = foreign(tmp_path / "bag", rows, plugin, mode)
    with open_bag(path) as reader:
        assert [(m.topic, m.receive_ns, m.payload) for m in reader.messages()] == rows
        assert reader.compressions == (f"zstd by {mode.name.lower()}",)
        assert [m.payload for m in reader.messages(start_ns=6, end_ns=7)] == [b""]


def test_a_decompressed_copy_is_deleted_with_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    path = foreign(tmp_path / "bag", [("/a", 5, b"x")], StoragePlugin.MCAP, CompressionMode.FILE)
    with open_bag(path) as reader:
        assert len(list((tmp_path / "scratch").rglob("*.mcap"))) == 1
        assert len(list(reader.messages())) == 1
    assert list((tmp_path / "scratch").iterdir()) == []
    assert len(list(reader.messages())) == 1
    reader.close()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_bag_that_cannot_be_opened_leaves_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    path = foreign(tmp_path / "bag", [("/a", 5, b"x")], StoragePlugin.MCAP, CompressionMode.FILE)
    metadata = path / "metadata.yaml"
    metadata.write_text(metadata.read_text().replace("message_count: 1", "message_count: 2"))
    with pytest.raises(BagCorruptError, match="holds 1 messages"):
        open_bag(path)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_bare_compressed_file_is_a_bag(tmp_path: Path) -> None:
    path = foreign(tmp_path / "bag", [("/a", 5, b"x")], StoragePlugin.MCAP, CompressionMode.FILE)
    file = next(path.glob("*.mcap.zstd"))
    assert read(file) == [("/a", 5, b"x")]
    plain = zstandard.ZstdDecompressor().decompress(file.read_bytes(), max_output_size=1 << 20)
    (tmp_path / "other.mcap.lz4").write_bytes(lz4.frame.compress(plain))
    assert read(tmp_path / "other.mcap.lz4") == [("/a", 5, b"x")]


def test_messages_that_were_compressed_one_by_one_show_themselves_without_metadata(tmp_path: Path) -> None:
    path = foreign(tmp_path / "bag", [("/a", 5, b"x" * 50)], StoragePlugin.SQLITE3, CompressionMode.MESSAGE)
    (path / "metadata.yaml").unlink()
    assert read(path) == [("/a", 5, b"x" * 50)]


@pytest.mark.parametrize("plugin", [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
def test_messages_whose_compression_reindexing_forgot_are_read_with_a_warning(
    tmp_path: Path, plugin: StoragePlugin
) -> None:
    path = foreign(tmp_path / "bag", [("/a", 5, b"x" * 50), ("/a", 6, b"y" * 50)], plugin, CompressionMode.MESSAGE)
    text = (path / "metadata.yaml").read_text()
    (path / "metadata.yaml").write_text(re.sub("compression_(mode|format): .*", r"compression_\1: ''", text))
    with open_bag(path) as reader:
        assert [message.payload[:1] for message in reader.messages()] == [b"x", b"y"]
        assert [message.payload[:1] for message in reader.messages(start_ns=6)] == [b"y"]
        assert reader.warnings == ("the bag does not say that its messages are compressed one by one, but they are",)


@pytest.mark.parametrize(
    ("wrong", "matches"),
    [
        (b"x", "is no zstd frame"),
        (zstandard.ZstdCompressor().compress(b"abc" * 500)[:-5], "is no zstd frame"),
        (b"\x28\xb5\x2f\xfd\xe0" + (1 << 60).to_bytes(8, "little") + b"\x01\x00\x00", "says that it has"),
    ],
)
def test_a_message_that_does_not_decompress_is_named(tmp_path: Path, wrong: bytes, matches: str) -> None:
    path = foreign(tmp_path / "bag", [("/a", 5, b"x")], StoragePlugin.SQLITE3, CompressionMode.MESSAGE)
    connection = sqlite3.connect(next(path.glob("*.db3")))
    connection.execute("UPDATE messages SET data = ?", (wrong,))
    connection.commit()
    connection.close()
    with open_bag(path) as reader, pytest.raises(BagCorruptError, match=f"message on /a at 5 ns.*{matches}"):
        list(reader.messages())


@pytest.mark.parametrize(("key", "word"), [("compression_mode", "storage"), ("compression_format", "rar")])
def test_an_unknown_compression_is_named_with_what_is_known(tmp_path: Path, key: str, word: str) -> None:
    path = foreign(tmp_path / "bag", [("/a", 5, b"x")], StoragePlugin.SQLITE3, CompressionMode.MESSAGE)
    text = (path / "metadata.yaml").read_text()
    (path / "metadata.yaml").write_text(re.sub(f"{key}: .*", f"{key}: {word}", text))
    with pytest.raises(BagError, match=f"{key.replace('_', ' ')} '{word}' is not known; expected one of"):
        open_bag(path)
