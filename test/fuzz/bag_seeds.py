"""Small bags of every kind, from which the fuzzer begins, and the way from an input to a path."""

import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import zstandard
from mcap.writer import CompressionType, Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as RosbagsWriter

from alpamayo_ros.messages.typestore import typestore
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.writer import BagWriter

KINDS = ("mcap file", "sqlite3 file", "metadata.yaml", "identity.json", "compressed mcap file", "file among splits")
_BAG: dict[str, bytes] = {}


def _good_bag() -> dict[str, bytes]:
    """Return the files of a sound bag in two splits, made once."""
    if not _BAG:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bag"
            identity = BagIdentity("sha256:" + 64 * "0", "none", "", {"route": "seven"})
            with BagWriter(path, identity=identity, max_file_bytes=400, chunk_size=200, compression="none") as writer:
                writer.add_topic("/a", "std_msgs/msg/String")
                for number in range(8):
                    writer.write("/a", b"\0\1\0\0\2\0\0\0x\0" * 5, receive_ns=number, publish_ns=number)
            for file in path.iterdir():
                _BAG[file.name] = file.read_bytes()
    return _BAG


def place(folder: Path, data: bytes) -> Path:
    """Put an input where it belongs and return the path to open.

    Args:
        folder: Empty folder.
        data: The input; its first byte chooses the kind, the rest is the content.
    """
    kind, content = (data[0] % len(KINDS) if data else 0), data[1:]
    if kind in (0, 1, 4):
        path = folder / ("a.mcap", "a.db3", "", "", "a.mcap.zstd")[kind]
        path.write_bytes(content)
        return path
    bag = folder / "bag"
    bag.mkdir()
    replaced = {2: "metadata.yaml", 3: "identity.json", 5: "bag_0.mcap"}[kind]
    for name, file in (_good_bag() | {replaced: content}).items():
        (bag / name).write_bytes(file)
    return bag


def write_seeds(corpus: Path) -> None:
    """Write one small input for each kind and each way of storing; checksums are left out, so that changes get far."""
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        mcap = [_mcap(scratch / f"{number}.mcap", **options) for number, options in enumerate(_MCAP_OPTIONS)]
        seeds = {f"mcap_{number}": b"\0" + data for number, data in enumerate(mcap)}
        seeds |= {f"split_{number}": b"\5" + data for number, data in enumerate(mcap[:2])}
        seeds["own_split"] = b"\5" + _good_bag()["bag_0.mcap"]
        seeds["packed"] = b"\4" + zstandard.ZstdCompressor().compress(mcap[0])
        seeds["sidecar"] = b"\3" + _good_bag()["identity.json"]
        seeds["metadata_9"] = b"\2" + _good_bag()["metadata.yaml"]
        seeds["metadata_5"] = b"\2" + _metadata_for(scratch / "humble", "humble")
        for mode in (None, CompressionMode.MESSAGE):
            seeds[f"sqlite_{mode}"] = b"\1" + _sqlite(scratch / f"sqlite_{mode}", mode)
    for name, data in seeds.items():
        (corpus / name).write_bytes(data)


_MCAP_OPTIONS: tuple[dict[str, object], ...] = (
    {"compression": CompressionType.NONE},
    {"compression": CompressionType.ZSTD},
    {"compression": CompressionType.LZ4},
    {"use_chunking": False},
    {"compression": CompressionType.NONE, "use_summary_offsets": False, "use_statistics": False},
)


def _mcap(path: Path, **options: object) -> bytes:
    writer: Callable[..., Writer] = Writer
    with path.open("wb") as stream:
        file = writer(stream, chunk_size=150, enable_crcs=False, enable_data_crcs=False, **options)
        file.start(profile="ros2")
        schema = file.register_schema("std_msgs/msg/String", "ros2msg", b"string data\n")
        first = file.register_channel("/a", "cdr", schema, {"offered_qos_profiles": "- history: 3\n  depth: 0\n"})
        second = file.register_channel("/b", "json", 0)
        for number in range(6):
            file.add_message(first, 100 + number, b"\0\1\0\0\2\0\0\0x\0", 100 + number)
            file.add_message(second, 103 - number, b"{}", 90)
        file.add_metadata("rosbag2", {"serialized_metadata": "version: 9"})
        file.add_attachment(1, 2, "a.txt", "text/plain", b"abc")
        file.finish()
    return path.read_bytes()


def _metadata_for(path: Path, ros_distro: str) -> bytes:
    with BagWriter(path, identity=None, ros_distro=ros_distro) as writer:
        writer.add_topic("/a", "std_msgs/msg/String")
        writer.write("/a", b"\0\1\0\0\1\0\0\0\0", receive_ns=1, publish_ns=1)
    return (path / "metadata.yaml").read_bytes()


def _sqlite(path: Path, mode: CompressionMode | None) -> bytes:
    writer = RosbagsWriter(path, version=9, storage_plugin=StoragePlugin.SQLITE3)
    if mode is not None:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection("/a", "std_msgs/msg/String", typestore=typestore())
        for number in range(4):
            writer.write(connection, number, b"\0\1\0\0\2\0\0\0x\0")
    file = next(path.glob("*.db3"))
    database = sqlite3.connect(file)
    database.execute("VACUUM")
    database.close()
    return file.read_bytes()
