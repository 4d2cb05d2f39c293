"""The type store knows our messages, and hashes types as ROS 2 does."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.messages.topics import OUTPUT_TOPICS
from alpamayo_ros.messages.typestore import message_definition, type_hash, typestore
from alpamayo_ros.params.documents import packaged


def test_every_message_of_this_package_is_known() -> None:
    names = [entry.name.removesuffix(".msg") for entry in packaged("msg").iterdir()]
    assert len(names) >= 6
    assert all(f"alpamayo_ros/msg/{name}" in typestore().types for name in names)


def test_a_definition_contains_every_type_that_it_uses() -> None:
    text = message_definition("alpamayo_ros/msg/Rationale")
    found = re.findall(r"^MSG: (.+)$", text, re.MULTILINE)
    assert set(found) == {"std_msgs/Header", "builtin_interfaces/Time", "alpamayo_ros/CausalFactor"}


def test_an_unknown_type_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        type_hash("nowhere/msg/Nothing")


_REAL_HASHES = """
import json, sys
import rclpy
from rclpy.qos import QoSProfile
names = json.loads(sys.argv[1])
rclpy.init()
node = rclpy.create_node("hashes")
found = {}
for index, name in enumerate(names):
    package, _, short = name.split("/")
    kind = getattr(__import__(package + ".msg", fromlist=[short]), short)
    publisher = node.create_publisher(kind, f"/t{index}", QoSProfile(depth=1))
    (info,) = node.get_publishers_info_by_topic(f"/t{index}")
    found[name] = str(info.topic_type_hash)
print("HASHES " + json.dumps(found))
node.destroy_node()
rclpy.shutdown()
"""


@pytest.mark.ros
def test_type_hashes_equal_those_of_the_middleware(tmp_path: Path) -> None:
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    names = [*(row.type_name for row in OUTPUT_TOPICS), "nav_msgs/msg/Odometry", "sensor_msgs/msg/CompressedImage"]
    environment: dict[str, Any] = {**os.environ, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    run = subprocess.run(
        [sys.executable, "-c", _REAL_HASHES, json.dumps(names)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    line = next((line for line in run.stdout.splitlines() if line.startswith("HASHES ")), None)
    assert line is not None, run.stderr
    assert json.loads(line.removeprefix("HASHES ")) == {name: type_hash(name) for name in names}
