"""One MCAP file, as the mcap library itself reads it, also after an interrupt or on a full disk."""

import hashlib
import io
import threading
from pathlib import Path
from typing import Any

import pytest
from mcap.reader import NonSeekingReader, SeekingReader
from mcap.records import Message
from mcap.stream_reader import StreamReader

from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM
from alpamayo_ros.storage.mcap_files.writer import McapFileWriter


class MemoryFile:
    """A file in memory that can be told to fail."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.error: BaseException | None = None
        self.keep = 0

    def write(self, data: bytes) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            self.data += bytes(data)[: self.keep]
            raise error
        self.data += data

    def truncate(self, size: int) -> None:
        del self.data[size:]

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass


def written(file: MemoryFile, count: int, chunk_size: int = 1000, compression: Any = "zstd") -> McapFileWriter:
    writer = McapFileWriter(file, compression, chunk_size)
    schema = writer.add_schema("std_msgs/msg/String", "ros2msg", "string data\n")
    channel = writer.add_channel("/a", "cdr", schema, {"topic_type_hash": "RIHS01_00"})
    for number in range(count):
        writer.write(channel, number, number + 1, b"%d" % number * 10)
    return writer


def read_back(data: bytes) -> list[int]:
    """Read with both of the library's readers; they must agree."""
    by_index = [
        message.log_time for _, _, message in SeekingReader(io.BytesIO(data), validate_crcs=True).iter_messages()
    ]
    in_file = [
        record.log_time
        for record in StreamReader(io.BytesIO(data), validate_crcs=True).records
        if isinstance(record, Message)
    ]
    assert sorted(by_index) == sorted(in_file)
    return by_index


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
def test_the_library_reads_every_message_and_every_checksum_holds(compression: str) -> None:
    file = MemoryFile()
    written(file, 500, compression=compression).finish()
    assert read_back(bytes(file.data)) == list(range(500))
    summary = SeekingReader(io.BytesIO(bytes(file.data))).get_summary()
    assert summary is not None
    assert summary.statistics is not None
    assert summary.statistics.message_count == 500
    assert summary.statistics.chunk_count == len(summary.chunk_indexes) > 5
    assert all(index.message_index_length for index in summary.chunk_indexes)
    assert summary.chunk_indexes[0].compression == ("" if compression == "none" else compression)


def test_every_file_checksum_is_present() -> None:
    file = MemoryFile()
    written(file, 50).finish()
    records = list(StreamReader(io.BytesIO(bytes(file.data)), emit_chunks=True, validate_crcs=True).records)
    kinds = {type(record).__name__: record for record in records}
    assert kinds["DataEnd"].data_section_crc != 0
    assert kinds["Footer"].summary_crc != 0
    assert kinds["Chunk"].uncompressed_crc != 0


def test_a_file_without_messages_still_declares_its_topics() -> None:
    file = MemoryFile()
    written(file, 0).finish()
    data = io.BytesIO(bytes(file.data))
    assert [record.topic for record in StreamReader(data, validate_crcs=True).records if hasattr(record, "topic")]
    summary = SeekingReader(io.BytesIO(bytes(file.data))).get_summary()
    assert summary is not None
    assert [channel.topic for channel in summary.channels.values()] == ["/a"]


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    from alpamayo_ros.storage.filesystem import sha256_of

    writer = written(LOCAL_FILE_SYSTEM.create(tmp_path / "a.mcap"), 100)  # type: ignore[arg-type]
    writer.finish()
    assert writer.sha256 == sha256_of(tmp_path / "a.mcap")
    writer.add_metadata("later", {"a": "b"})
    writer.finish()
    assert writer.sha256 == sha256_of(tmp_path / "a.mcap")
    writer.close()
    with (tmp_path / "a.mcap").open("rb") as stream:
        assert [record.name for record in NonSeekingReader(stream).iter_metadata()] == ["later"]


@pytest.mark.parametrize("keep", [0, 1, 100])
def test_an_interrupted_chunk_is_written_again(keep: int) -> None:
    file = MemoryFile()
    writer = written(file, 20, chunk_size=10_000)
    file.error, file.keep = KeyboardInterrupt(), keep
    with pytest.raises(KeyboardInterrupt):
        writer.flush()
    writer.finish()
    assert read_back(bytes(file.data)) == list(range(20))


def test_an_interrupted_end_is_written_again() -> None:
    file = MemoryFile()
    writer = written(file, 20)
    writer.flush()
    file.error, file.keep = KeyboardInterrupt(), 50
    with pytest.raises(KeyboardInterrupt):
        writer.finish()
    writer.finish()
    assert read_back(bytes(file.data)) == list(range(20))


def test_a_message_that_was_cut_off_by_an_interrupt_is_dropped_whole() -> None:
    class Interrupting(bytes):
        def __len__(self) -> int:
            raise KeyboardInterrupt

    file = MemoryFile()
    writer = written(file, 5)
    with pytest.raises(KeyboardInterrupt):
        writer.write(1, 99, 99, Interrupting(b"abc"))
    # As if the interrupt had come between the header of a message and its payload.
    writer._done.buffer.data += b"\x05header of a message"
    writer.write(1, 5, 5, b"whole")
    writer.finish()
    assert read_back(bytes(file.data)) == list(range(6))


def test_salvage_keeps_complete_chunks_and_then_gives_up_the_last_ones() -> None:
    file = MemoryFile()
    writer = written(file, 500)
    chunks = writer._done.chunk_count
    assert writer.salvage()
    writer.finish()
    whole = read_back(bytes(file.data))
    assert whole == list(range(len(whole)))
    assert writer.salvage()
    writer.finish()
    fewer = read_back(bytes(file.data))
    assert fewer == whole[: len(fewer)] != whole
    for _ in range(chunks - 1):
        assert writer.salvage()
    assert not writer.salvage()
    writer.finish()
    assert read_back(bytes(file.data)) == []
    assert writer.sha256 is None


LARGE = bytes(range(256)) * 8192


@pytest.mark.parametrize("compression", ["zstd", "lz4", "none"])
def test_large_messages_stand_among_small_ones_with_every_checksum(compression: str) -> None:
    file = MemoryFile()
    writer = written(file, 7, chunk_size=1_000_000, compression=compression)
    for number in range(7, 40, 3):
        writer.write(1, number, number, LARGE[number:])
        writer.write(1, number + 1, number, b"small")
        writer.write(1, number + 2, number, LARGE[: 300_000 + number])
    writer.finish()
    assert read_back(bytes(file.data)) == list(range(40))
    assert writer.sha256 == hashlib.sha256(file.data).hexdigest()
    payloads = [message.data for _, _, message in SeekingReader(io.BytesIO(bytes(file.data))).iter_messages()]
    assert payloads[7:10] == [LARGE[7:], b"small", LARGE[:300_007]]
    writer.close()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
@pytest.mark.parametrize("keep", [0, 50, 1000])
def test_a_large_message_that_was_not_written_is_no_message(error: BaseException, keep: int) -> None:
    file = MemoryFile()
    writer = written(file, 5, chunk_size=1_000_000)
    file.error, file.keep = error, keep
    with pytest.raises(type(error)):
        writer.write(1, 99, 99, LARGE)
    writer.write(1, 5, 5, b"small")
    writer.write(1, 6, 6, LARGE)
    writer.finish()
    assert read_back(bytes(file.data)) == list(range(7))
    assert writer.sha256 == hashlib.sha256(file.data).hexdigest()
    writer.close()


def test_a_large_message_may_be_changed_after_it_was_written() -> None:
    file = MemoryFile()
    writer = written(file, 0, chunk_size=1_000_000, compression="none")
    payload = bytearray(LARGE)
    for number in range(3):
        writer.write(1, number, number, payload)  # type: ignore[arg-type]
        payload[:] = bytes(len(payload))
    writer.finish()
    assert read_back(bytes(file.data)) == [0, 1, 2]
    assert writer.sha256 == hashlib.sha256(file.data).hexdigest()
    writer.close()


def test_no_thread_is_left_when_the_file_is_closed() -> None:
    writer = written(MemoryFile(), 0, compression="none")
    writer.write(1, 0, 0, LARGE)
    assert any(thread.name.startswith("sha256") for thread in threading.enumerate())
    writer.close()
    assert not any(thread.name.startswith("sha256") for thread in threading.enumerate())


def test_a_topic_after_an_interrupted_message_is_whole() -> None:
    file = MemoryFile()
    writer = written(file, 3)
    writer._done.buffer.data += b"\x05header of a message"
    channel = writer.add_channel("/b", "cdr", 1, {})
    writer.write(channel, 3, 3, b"b")
    writer.finish()
    assert read_back(bytes(file.data)) == list(range(4))
