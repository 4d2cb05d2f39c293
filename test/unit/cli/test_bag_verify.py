"""`alpamayo bag verify` and what it prints."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from alpamayo_ros.storage.writer import BagWriter

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with BagWriter(tmp_path / "drive", identity=None, chunk_size=500) as writer:
        writer.add_topic("/odom", "nav_msgs/msg/Odometry")
        for number in range(100):
            writer.write("/odom", b"\0\1\0\0" + bytes(20), receive_ns=number, publish_ns=number)
    return tmp_path / "drive"


def test_a_sound_bag_passes(alpamayo: Program, bag: Path) -> None:
    result = alpamayo("bag", "verify", bag)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == f"{bag}: nothing is wrong, 100 messages"
    assert "absent  identity" in result.stdout
    document = json.loads(alpamayo("bag", "verify", bag, "--json").stdout)
    assert (document["passed"], document["message_count"]) == (True, 100)
    assert {check["outcome"] for check in document["checks"]} == {"ok", "absent"}


def test_a_damaged_bag_fails_with_what_to_do(alpamayo: Program, bag: Path) -> None:
    file = bag / "drive_0.mcap"
    data = bytearray(file.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    file.write_bytes(data)
    result = alpamayo("bag", "verify", bag)
    assert (result.returncode, result.stderr) == (4, "")
    assert "run 'alpamayo bag recover' on it" in result.stdout.splitlines()[-1]
    document = json.loads(alpamayo("bag", "verify", bag, "--json").stdout)
    assert not document["passed"]
    assert any(check["problems"] for check in document["checks"] if check["name"] == "structure")


def test_what_is_no_bag_is_a_usage_error(alpamayo: Program, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no bag")
    assert alpamayo("bag", "verify", "text").returncode == 2
    assert alpamayo("bag", "verify", "missing").returncode == 2
