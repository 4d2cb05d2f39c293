"""Rates of reading and writing bags against bare rosbags, mcap and foxglove-sdk in one run, and memory. Judges nothing.

Every program does what it does by default, chunks uncompressed: BagWriter writes CRCs of chunks and data, the sha256 of
the file, metadata.yaml, and syncs at close; rosbags writes no CRC and metadata.yaml; mcap writes CRCs of chunks;
foxglove-sdk those of chunks and data. Nobody but BagWriter syncs. BagReader and rosbags verify the CRCs that a file
has; mcap does not unless told so.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mcap.reader import make_reader
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

from alpamayo_ros.messages.typestore import message_definition, type_hash
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

SHARED_MEMORY = Path("/dev/shm")
"""To see the programs without the disk."""

ROUNDS = 5
BEGIN_NS = 1_700_000_000_000_000_000

# Name, type, bytes of a message, messages.
Load = tuple[str, str, int, int]
PICTURES: Load = ("6.2 MB pictures", "sensor_msgs/msg/Image", 1920 * 1080 * 3 + 64, 60)
SAMPLES: Load = ("300 B samples", "sensor_msgs/msg/Imu", 300, 100_000)
LOADS = [PICTURES, SAMPLES]

_PEAK = """
import sys
from pathlib import Path
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter
path, type_name, size, count, how = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
if how == "writing":
    with BagWriter(path, identity=None, compression="none") as writer:
        writer.add_topic("/t", type_name)
        for number in range(count):
            writer.write("/t", bytes(size), receive_ns=number, publish_ns=number)
else:
    with open_bag(path) as reader:
        assert sum(1 for _ in reader.messages()) == count
(line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(line.split()[1]) // 1024)
"""


def payload_of(size: int) -> bytes:
    """Return bytes with the header of CDR that do not repeat soon."""
    return b"\x00\x01\x00\x00" + bytes(range(256)) * (size // 256) + bytes((size - 4) % 256)


def write_ours(folder: Path, load: Load, payload: bytes) -> None:
    _, type_name, _, count = load
    with BagWriter(folder, identity=None, compression="none") as writer:
        writer.add_topic("/t", type_name)
        for number in range(count):
            writer.write("/t", payload, receive_ns=BEGIN_NS + number, publish_ns=BEGIN_NS + number)


def write_rosbags(folder: Path, load: Load, payload: bytes) -> None:
    _, type_name, _, count = load
    with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        topic = writer.add_connection(
            "/t", type_name, msgdef=message_definition(type_name), rihs01=type_hash(type_name)
        )
        for number in range(count):
            writer.write(topic, BEGIN_NS + number, payload)


def write_mcap(folder: Path, load: Load, payload: bytes) -> None:
    _, type_name, _, count = load
    folder.mkdir()
    with (folder / "a.mcap").open("wb") as stream:
        writer = McapWriter(stream, compression=CompressionType.NONE)
        writer.start(profile="ros2")
        schema = writer.register_schema(type_name, "ros2msg", message_definition(type_name).encode())
        channel = writer.register_channel("/t", "cdr", schema)
        for number in range(count):
            writer.add_message(channel, BEGIN_NS + number, payload, BEGIN_NS + number)
        writer.finish()


def write_foxglove(folder: Path, load: Load, payload: bytes) -> None:
    import foxglove
    from foxglove.mcap import MCAPWriteOptions

    _, type_name, _, count = load
    folder.mkdir()
    context = foxglove.Context()
    options = MCAPWriteOptions(compression=None, profile="ros2")
    with foxglove.open_mcap(folder / "a.mcap", context=context, writer_options=options):
        schema = foxglove.Schema(name=type_name, encoding="ros2msg", data=message_definition(type_name).encode())
        channel = foxglove.Channel("/t", schema=schema, message_encoding="cdr", context=context)
        for number in range(count):
            channel.log(payload, log_time=BEGIN_NS + number)


def read_ours(folder: Path) -> Iterator[bytes]:
    with open_bag(folder) as reader:
        for message in reader.messages():
            yield message.payload


def read_rosbags(folder: Path) -> Iterator[bytes]:
    with Reader(folder) as reader:
        for _, _, payload in reader.messages():
            yield payload


def read_mcap(folder: Path) -> Iterator[bytes]:
    (path,) = folder.glob("*.mcap")
    with path.open("rb") as stream:
        for _, _, message in make_reader(stream).iter_messages():
            yield message.data


Write = Callable[[Path, Load, bytes], None]
Read = Callable[[Path], Iterator[bytes]]
WRITERS: dict[str, Write] = {"ours": write_ours, "rosbags": write_rosbags, "mcap": write_mcap}
READERS: dict[str, Read] = {"ours": read_ours, "rosbags": read_rosbags, "mcap": read_mcap}


@pytest.fixture(params=["disk", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Give a folder on the disk of temporary files, and one that no disk slows down."""
    if request.param == "disk":
        yield tmp_path
        return
    if not SHARED_MEMORY.is_dir():
        pytest.skip(f"{SHARED_MEMORY} is not there: nothing to write to but the disk")
    folder = SHARED_MEMORY / f"alpamayo_ros_bench_{os.getpid()}_{tmp_path.name}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def printed(what: str, load: Load, best_s: dict[str, float]) -> None:
    """Print one line of the table: rates, and the time of ours over that of the fastest other."""
    name, _, size, count = load
    rates = ", ".join(
        f"{who} {size * count / seconds / 1e6:.0f} MB/s ({count / seconds:,.0f}/s)" for who, seconds in best_s.items()
    )
    times = best_s["ours"] / min(seconds for who, seconds in best_s.items() if who != "ours")
    print(f"\n{what}, {name}: {rates}; ours takes {times:.2f} times the fastest other's time")


def sync(folder: Path) -> None:
    """Do for a peer what BagWriter does when it closes a bag."""
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


@pytest.mark.parametrize("load", LOADS, ids=["large", "small"])
def test_writing(place: Path, load: Load) -> None:
    writers = dict(WRITERS)
    if importlib.util.find_spec("foxglove") is not None:
        writers["foxglove-sdk"] = write_foxglove
    else:
        print("\nfoxglove-sdk is not installed: measured without it")
    payload = payload_of(load[2])
    for on_device in (True, False):
        best_s = dict.fromkeys(writers, float("inf"))
        for _ in range(ROUNDS):
            for who, write in writers.items():
                begin = time.perf_counter()
                write(place / "bag", load, payload)
                if on_device and who != "ours":
                    sync(place / "bag")
                best_s[who] = min(best_s[who], time.perf_counter() - begin)
                shutil.rmtree(place / "bag")
        if SHARED_MEMORY in place.parents:
            printed("writing to memory", load, best_s)
            return
        printed(f"writing to disk, {'everyone syncs' if on_device else 'only ours syncs'}", load, best_s)


@pytest.mark.parametrize("source", ["ours", "rosbags"])
@pytest.mark.parametrize("load", LOADS, ids=["large", "small"])
def test_reading_what_was_just_written(tmp_path: Path, load: Load, source: str) -> None:
    WRITERS[source](tmp_path / "bag", load, payload_of(load[2]))
    best_s = dict.fromkeys(READERS, float("inf"))
    for _ in range(ROUNDS):
        for who, read in READERS.items():
            begin = time.perf_counter()
            count = sum(1 for _ in read(tmp_path / "bag"))
            best_s[who] = min(best_s[who], time.perf_counter() - begin)
            assert count == load[3]
    printed(f"reading a bag of {source} from the page cache", load, best_s)


@pytest.mark.parametrize("load", LOADS, ids=["large", "small"])
def test_peak_memory_of_a_bag_and_of_one_ten_times_as_long(tmp_path: Path, load: Load) -> None:
    name, type_name, size, count = load
    counts = (count // 6, count // 6 * 10)
    for how in ("writing", "reading"):
        peaks = []
        for length in counts:
            words = [str(tmp_path / f"bag_{length}"), type_name, str(size), str(length), how]
            done = subprocess.run(
                [sys.executable, "-c", _PEAK, *words], capture_output=True, text=True, check=True, cwd=sys.prefix
            )
            peaks.append(f"{length:,} messages {int(done.stdout)} MB")
        print(f"\n{how} {name}, peak of the process: {', '.join(peaks)}")


def test_opening_and_closing_a_bag_of_10000_topics(tmp_path: Path) -> None:
    writer = BagWriter(tmp_path / "bag", identity=None)
    for number in range(10_000):
        writer.add_topic(f"/topic_{number}", "nav_msgs/msg/Odometry")
        writer.write(f"/topic_{number}", b"\x00\x01\x00\x00", receive_ns=number, publish_ns=number)
    begin = time.perf_counter()
    writer.close()
    closed = time.perf_counter()
    with open_bag(tmp_path / "bag"):
        opened = time.perf_counter()
    print(f"\n10,000 topics: closed in {closed - begin:.2f} s, opened in {opened - closed:.2f} s (aim: below 5 each)")
