"""A real drive that was cut and merged again is judged like the drive itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.replay.session import ReplayRequest, run_session
from alpamayo_ros.storage.identity import verify_identity
from alpamayo_ros.structs.verdict import ReplayResult

PROGRAM = Path(sys.executable).with_name("alpamayo")


def alpamayo(*arguments: object) -> str:
    """Run the installed program and return what it printed."""
    command = [str(PROGRAM), "bag", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def pandaset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return PandaSet as a bag, imported by the installed program."""
    if "ALPAMAYO_DATA" not in os.environ:
        pytest.skip("ALPAMAYO_DATA is not set")
    bag = tmp_path_factory.mktemp("pandaset") / "bag"
    alpamayo("import", "pandaset", Path(os.environ["ALPAMAYO_DATA"]) / "pandaset_seq002", bag)
    return bag


@pytest.fixture(scope="module")
def merged(pandaset: Path) -> dict[str, Any]:
    """Cut the drive into two parts that overlap, merge them for another release, and return the last summary."""
    parts = pandaset.with_name("first"), pandaset.with_name("second")
    alpamayo("cut", pandaset, parts[0], "--end", "4.05")
    alpamayo("cut", pandaset, parts[1], "--start", "3.333")
    out = pandaset.with_name("merged")
    document: dict[str, Any] = json.loads(
        alpamayo("merge", *parts, "--out", out, "--for-distro", "humble", "--compression", "zstd", "--json")
    )
    return document


def replay(bag: Path, out: Path) -> ReplayResult:
    request = ReplayRequest(bag=bag, profile="kinematic", out=out, calibration=bag / "calibration.yaml")
    return run_session(request, clock=lambda: 0.0)


def test_the_parts_merged_again_have_the_content_digest_of_the_drive(pandaset: Path, merged: dict[str, Any]) -> None:
    whole = json.loads(alpamayo("info", pandaset, "--json"))
    again = json.loads(alpamayo("info", merged["destination"], "--json"))
    assert merged["content_digest"] == again["content_digest"] == whole["content_digest"]
    assert (again["message_count"], again["tags"]) == (whole["message_count"], whole["tags"])
    assert verify_identity(Path(merged["destination"])).disagreements == ()
    assert (merged["kept_once"]["/odometry"], merged["kept_once"]["/camera/front/image/compressed"]) == (7, 7)


def test_the_parts_merged_again_replay_like_the_drive(pandaset: Path, merged: dict[str, Any], tmp_path: Path) -> None:
    one, other = replay(pandaset, tmp_path / "a"), replay(Path(merged["destination"]), tmp_path / "b")
    assert (other.verdict, other.ticks) == (one.verdict, one.ticks)
    assert other.output_digest == one.output_digest
    assert other.ticks["ANSWERED"] == 65


def test_the_second_part_still_knows_where_its_cameras_are(pandaset: Path, merged: dict[str, Any]) -> None:
    assert merged["carried"] == []
    second = json.loads(alpamayo("info", pandaset.with_name("second"), "--json"))
    (step,) = second["trace"]
    assert [one["topic"] for one in step["carried"]] == ["/tf_static"]
    assert {row["name"]: row["count"] for row in second["topics"]}["/tf_static"] == 1
