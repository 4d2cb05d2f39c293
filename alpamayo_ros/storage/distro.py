"""Which metadata version the bag tools of a ROS 2 release read."""

from alpamayo_ros.storage.metadata import VERSION

METADATA_VERSIONS = {"humble": 5, "iron": 8, "jazzy": 9, "kilted": 9, "lyrical": 9, "rolling": 9}
"""Newest version by release that bags are written for (rosbag2's ``metadata_io.cpp`` of each release).

Iron's own recorder writes 7; it reads 8, whose one further key it does not look at.
"""


def metadata_version(ros_distro: str) -> int:
    """Return the version that a release reads; a release that is not listed is a newer one and reads the newest."""
    return METADATA_VERSIONS.get(ros_distro, VERSION)
