"""Each release gets the metadata that its bag tools read."""

from pathlib import Path

import pytest

from alpamayo_ros.storage.distro import METADATA_VERSIONS, metadata_version
from alpamayo_ros.storage.layout import read_metadata_file
from alpamayo_ros.storage.qos import LATCHED_QOS, SENSOR_QOS, QosProfile
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter


def test_a_release_that_is_not_listed_yet_reads_the_newest() -> None:
    assert metadata_version("some_release_to_come") == max(METADATA_VERSIONS.values())


@pytest.mark.parametrize("ros_distro", METADATA_VERSIONS)
def test_a_bag_for_any_release_comes_back_with_its_qos_and_distro(tmp_path: Path, ros_distro: str) -> None:
    path = tmp_path / "bag"
    with BagWriter(path, identity=None, ros_distro=ros_distro) as writer:
        writer.add_topic("/a", "std_msgs/msg/String", qos=(SENSOR_QOS, LATCHED_QOS))
        writer.write("/a", b"x", receive_ns=1, publish_ns=1)
    assert read_metadata_file(path / "metadata.yaml").version == METADATA_VERSIONS[ros_distro]
    for where in (path, path / "bag_0.mcap"):
        with open_bag(where) as reader:
            assert reader.topics["/a"].offered_qos == (SENSOR_QOS, LATCHED_QOS)
            assert (reader.metadata_version, reader.ros_distro) == (METADATA_VERSIONS[ros_distro], ros_distro)
            assert reader.custom_data == {"state": "closed"}
            assert not [text for text in reader.warnings if "offered_qos" in text]


def test_a_policy_that_an_old_release_does_not_know_is_left_out(tmp_path: Path) -> None:
    for ros_distro, kept in (("humble", ()), ("jazzy", (QosProfile(reliability="best_available"),))):
        with BagWriter(tmp_path / ros_distro, identity=None, ros_distro=ros_distro) as writer:
            writer.add_topic("/a", "std_msgs/msg/String", qos=QosProfile(reliability="best_available"))
        with open_bag(tmp_path / ros_distro) as reader:
            assert reader.topics["/a"].offered_qos == kept
