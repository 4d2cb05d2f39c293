"""Bags of ROS 1 become bags of ROS 2 that the reader takes."""

from pathlib import Path

import numpy as np
import pytest
from rosbags.convert import ConverterError
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from alpamayo_ros.errors import BagCorruptError, BagNotFoundError, BagWriteError
from alpamayo_ros.messages.typestore import deserialize, type_hash, typestore
from alpamayo_ros.storage import ros1
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.ros1 import converted_ros1, is_ros1


def ros1_bag(path: Path, count: int = 3) -> Path:
    store = get_typestore(Stores.ROS1_NOETIC)
    store.register(get_types_from_msg("float64 pressure\nuint8[] raw\n", "tyre_msgs/msg/Tyre"))
    header_type = store.types["std_msgs/msg/Header"]
    time_type = store.types["builtin_interfaces/msg/Time"]
    imu, tyre = store.types["sensor_msgs/msg/TimeReference"], store.types["tyre_msgs/msg/Tyre"]
    with Writer(path) as writer:
        known = writer.add_connection("/clock_offset", "sensor_msgs/msg/TimeReference", typestore=store)
        own = writer.add_connection("/tyre", "tyre_msgs/msg/Tyre", typestore=store, latching=1)
        for number in range(count):
            header = header_type(seq=number, stamp=time_type(sec=5, nanosec=number), frame_id="imu")
            message = imu(header=header, time_ref=time_type(sec=6, nanosec=0), source="gps")
            writer.write(known, 100 + number, store.serialize_ros1(message, "sensor_msgs/msg/TimeReference"))
            tyre_message = tyre(pressure=2.5, raw=np.array([1, 2], dtype=np.uint8))
            writer.write(own, 200 + number, store.serialize_ros1(tyre_message, "tyre_msgs/msg/Tyre"))
    return path


def test_known_types_become_those_of_ros_2_and_others_keep_their_own(tmp_path: Path) -> None:
    path = ros1_bag(tmp_path / "old.bag")
    before = set(typestore().fielddefs)
    with converted_ros1(path) as folder, open_bag(folder) as reader:
        messages = list(reader.messages())
        assert [message.receive_ns for message in messages] == [100, 101, 102, 200, 201, 202]
        first = deserialize(messages[0].payload, "sensor_msgs/msg/TimeReference")
        assert (first.header.stamp.sec, first.header.frame_id, first.source) == (5, "imu", "gps")
        assert reader.topics["/clock_offset"].type_hash == type_hash("sensor_msgs/msg/TimeReference")
        assert "float64 pressure" in reader.topics["/tyre"].definition
        assert reader.topics["/tyre"].offered_qos[0].durability == "transient_local"
    assert not folder.exists()
    assert set(typestore().fielddefs) == before


def test_a_bag_of_ros_1_is_known_by_its_content(tmp_path: Path) -> None:
    path = ros1_bag(tmp_path / "old.bag")
    assert is_ros1(path)
    (tmp_path / "empty.bag").write_bytes(b"")
    assert not is_ros1(tmp_path / "empty.bag")
    assert is_ros1(path.rename(tmp_path / "old.dat"))
    (tmp_path / "other.txt").write_text("text")
    assert not is_ros1(tmp_path / "other.txt")
    assert not is_ros1(tmp_path / "missing.bag")
    with pytest.raises(BagNotFoundError, match="is not a bag of ROS 1"), converted_ros1(tmp_path / "other.txt"):
        pass


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_a_damaged_bag_is_named_and_leaves_nothing(tmp_path: Path, keep: float) -> None:
    path = ros1_bag(tmp_path / "old.bag", count=200)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(BagCorruptError, match="cannot be converted"), converted_ros1(path, scratch=scratch):
        pass
    assert list(scratch.iterdir()) == []


def test_a_full_scratch_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise ConverterError("Converting rosbag") from OSError(28, "No space left on device")

    monkeypatch.setattr(ros1, "convert", full)
    path = ros1_bag(tmp_path / "old.bag")
    with pytest.raises(BagWriteError, match=r"No space left on device.*set TMPDIR"), converted_ros1(path):
        pass
