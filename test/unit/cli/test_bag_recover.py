"""`alpamayo bag recover` and what it prints."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from alpamayo_ros.storage.writer import BagWriter

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with BagWriter(tmp_path / "drive", identity=None, chunk_size=500, compression="none") as writer:
        writer.add_topic("/odom", "nav_msgs/msg/Odometry")
        for number in range(100):
            writer.write("/odom", b"\0\1\0\0" + bytes(20), receive_ns=number, publish_ns=number)
    return tmp_path / "drive"


def test_a_sound_bag_is_said_to_be_sound_and_nothing_is_written(alpamayo: Program, bag: Path) -> None:
    result = alpamayo("bag", "recover", bag)
    assert (result.returncode, result.stderr) == (0, "")
    assert "the bag is sound, 100 messages; nothing was written" in result.stdout
    document = json.loads(alpamayo("bag", "recover", bag, "--json").stdout)
    assert (document["sound"], document["destination"]) == (True, None)
    assert [path.name for path in bag.parent.iterdir()] == ["drive"]


def test_a_damaged_bag_becomes_a_valid_one_beside_it(alpamayo: Program, bag: Path) -> None:
    file = bag / "drive_0.mcap"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    result = alpamayo("bag", "recover", bag, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert document["destination"] == str(bag.parent / "drive_recovered")
    assert (document["sound"], document["whole"], document["files"][0]["end_missing"]) == (False, False, True)
    assert 0 < document["message_count"] < 100
    assert alpamayo("bag", "verify", bag.parent / "drive_recovered").returncode == 0
    again = alpamayo("bag", "recover", bag)
    assert again.returncode == 2
    assert "drive_recovered exists already" in again.stderr
    told = alpamayo("bag", "recover", bag, "--out", "other")
    assert "the end is missing" in told.stdout
    assert "it says of itself that it is a part" in told.stdout
    assert f"{100 - document['message_count']} lost, of them" in told.stdout
    assert f"{document['message_count']:>5}  {document['lost_topics']['/odom']:>4}  /odom" in told.stdout
    assert document["files"][0]["gaps"] == [{"last_before_ns": document["message_count"] - 1, "first_after_ns": 99}]


def test_what_cannot_be_recovered_has_its_exit_code(alpamayo: Program, tmp_path: Path) -> None:
    (tmp_path / "zeros.mcap").write_bytes(bytes(1000))
    result = alpamayo("bag", "recover", "zeros.mcap")
    assert result.returncode == 4
    assert "no message can be recovered" in result.stderr
    assert alpamayo("bag", "recover", "missing").returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["zeros.mcap"]
