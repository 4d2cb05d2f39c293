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
    assert result.stdout.splitlines()[-1] == f"{bag}: nothing is wrong, 100 messages in 99 ns"
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
    assert f"run 'alpamayo bag recover {bag}'" in result.stdout.splitlines()[-1]
    document = json.loads(alpamayo("bag", "verify", bag, "--json").stdout)
    assert not document["passed"]
    assert any(check["problems"] for check in document["checks"] if check["name"] == "structure")


def test_what_is_no_bag_is_a_usage_error(alpamayo: Program, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no bag")
    assert alpamayo("bag", "verify", "text").returncode == 2
    assert alpamayo("bag", "verify", "missing").returncode == 2


def test_several_bags_get_a_line_each_and_the_worst_code(alpamayo: Program, bag: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mcap"
    broken.write_bytes((bag / "drive_0.mcap").read_bytes()[:-20])
    result = alpamayo("bag", "verify", bag, broken, "missing")
    assert (result.returncode, result.stderr) == (4, "")
    lines = result.stdout.splitlines()
    assert lines[0] == f"ok      {bag}  100 messages in 99 ns"
    assert lines[1].startswith(f"failed  {broken}  100 messages")
    assert any(line.startswith("        structure: ") for line in lines)
    assert lines[-2].startswith("no bag  bag missing does not exist")
    assert lines[-1] == "3 bags: 1 ok, 1 failed, 1 no bag"
    documents = json.loads(alpamayo("bag", "verify", bag, "missing", "--json").stdout)
    assert [document["passed"] for document in documents] == [True, False]
    assert "does not exist" in documents[1]["error"]
    assert alpamayo("bag", "verify", bag, "missing").returncode == 2
    assert alpamayo("bag", "verify", bag, bag).returncode == 0


def test_a_part_is_named_a_part(alpamayo: Program, bag: Path, tmp_path: Path) -> None:
    file = bag / "drive_0.mcap"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert alpamayo("bag", "recover", bag, "--out", "saved").returncode == 0
    result = alpamayo("bag", "verify", "saved")
    assert result.returncode == 0
    assert "saved: a part of what was recorded" in result.stdout.splitlines()[-1]
    assert "! the bag is a part: drive_0.mcap: " in result.stdout
    document = json.loads(alpamayo("bag", "verify", "saved", "--json").stdout)
    assert (document["passed"], document["part"]) == (True, True)
    several = alpamayo("bag", "verify", "saved", "saved")
    assert several.returncode == 0
    assert several.stdout.splitlines()[-1] == "2 bags: 2 part"


def test_the_exit_codes_are_in_the_help(alpamayo: Program) -> None:
    for verb in ("verify", "recover"):
        text = " ".join(alpamayo("bag", verb, "--help").stdout.split())
        assert "Ends with 0 when" in text
