"""`alpamayo bag cut|merge|filter|convert` on the command line."""

import json
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.cli.bag_copy import bag_copy
from alpamayo_ros.cli.bag_info import bag_info, summarize
from alpamayo_ros.storage.copying.bag_time import utc_text

Alpamayo = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def drive(make_camera_bag: Callable[..., Path]) -> Path:
    return make_camera_bag("drive")


def test_the_four_verbs_make_bags_and_say_what_they_are(alpamayo: Alpamayo, drive: Path, tmp_path: Path) -> None:
    whole = summarize(drive)["content_digest"]
    for arguments in (("cut", drive, "a", "--end", "1.5s"), ("cut", drive, "b", "--start", "1.5")):
        run = alpamayo("bag", *arguments)
        assert run.returncode == 0, run.stderr
        assert "changed (time cut" in run.stdout
    run = alpamayo("bag", "merge", "a", "b", "--out", "c")
    assert (run.returncode, whole in run.stdout) == (0, True), run.stderr
    run = alpamayo("bag", "filter", "c", "d", "--exclude", "/camera/*", "--json")
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    assert document["topics_dropped"] == ["/camera/front/camera_info", "/camera/front/image"]
    assert (document["content"], document["changed_by"]) == ("changed", ["topics dropped: 2"])
    run = alpamayo("bag", "convert", "c", "e", "--for-distro", "humble", "--compression", "lz4", "--json")
    assert run.returncode == 0, run.stderr
    document = json.loads(run.stdout)
    assert (document["content"], document["content_digest"]) == ("unchanged", whole)
    assert document["sources"][0]["content_digest"] == whole
    assert (document["ros_distro"], document["compression"]) == ("humble", "lz4")
    assert summarize(tmp_path / "e")["metadata_version"] == 5


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("cut", "drive", "out"), 2, "neither a start nor an end"),
        (("cut", "drive", "out", "--start", "soon"), 2, "time 'soon' cannot be read"),
        (("cut", "drive", "out", "--start", "99"), 2, "holds no message"),
        (("cut", "drive", "out", "--start", "1700000001.5"), 2, "or append 'ns'"),
        (("cut", "drive", "out", "--start", "1", "--duration", "0"), 2, "expected seconds above zero"),
        (("cut", "drive", "out", "--duration", "1"), 2, "without a start"),
        (("convert", "drive", "out.mcap"), 2, "drop the suffix '.mcap'"),
        (("filter", "drive", "out", "--exclude", "/camera"), 2, "did you mean '/camera/*'?"),
        (("cut", "missing", "out", "--start", "1"), 2, "does not exist"),
        (("cut", "drive", "drive", "--start", "1"), 2, "exists already"),
        (("filter", "drive", "out"), 2, "no patterns"),
        (("filter", "drive", "out", "--topic", "/nothing"), 2, "matches nothing"),
        (("merge", "drive", "--out", "out"), 2, "two or more"),
        (("merge", "drive", "drive", "--out", "out"), 2, "given twice"),
        (("convert", "drive", "out", "--for-distro", "noetic"), 2, "expected one of: humble"),
        (("convert", "drive", "out", "--compression", "gzip"), 2, "expected one of: lz4"),
        (("convert", "drive", "out", "--split-size", "2"), 2, "split size '2' cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    alpamayo: Alpamayo, drive: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    run = alpamayo("bag", *arguments)
    assert (run.returncode, sentence in run.stderr) == (code, True), run.stderr
    assert "Traceback" not in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drive"]


def test_a_damaged_bag_is_not_trusted(alpamayo: Alpamayo, drive: Path, tmp_path: Path) -> None:
    file = drive / "drive_0.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    assert alpamayo("bag", "convert", drive, "out").returncode == 4
    assert [path.name for path in tmp_path.iterdir()] == ["drive"]


@pytest.mark.parametrize("verb", ["cut", "merge", "filter", "convert"])
def test_the_help_of_a_verb_has_an_example(alpamayo: Alpamayo, verb: str) -> None:
    run = alpamayo("bag", verb, "--help", COLUMNS="200")
    assert run.returncode == 0
    assert f"Example: alpamayo bag {verb} " in run.stdout
    for option in ("--for-distro", "--compression", "--split-size", "--json"):
        assert option in run.stdout


def test_info_shows_what_was_done(drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    form: dict[str, Any] = {"as_json": True}
    bag_copy("cut", [drive], tmp_path / "a", end="2", **form)
    bag_copy("cut", [drive], tmp_path / "b", start="2", **form)
    bag_copy("merge", [tmp_path / "a", tmp_path / "b"], tmp_path / "c", **form)
    bag_copy("filter", [tmp_path / "c"], tmp_path / "d", topics=["/odometry", "*/image"], **form)
    capsys.readouterr()
    bag_info(tmp_path / "d", as_json=False)
    shown = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "cut of drive (" in shown["done 1.1.1"]
    assert "start_ns=" in shown["done 1.2.1"]
    assert "merge of a (" in shown["done 1"]
    assert "topics=/odometry */image" in shown["done 2"]
    assert "without /camera/front/camera_info" in shown["done 2"]
    bag_info(tmp_path / "d", as_json=True)
    steps = json.loads(capsys.readouterr().out)["trace"]
    assert [step["operation"] for step in steps] == ["merge", "filter"]
    assert summarize(drive)["trace"] == []


def test_messages_in_both_bags_are_kept_once_and_counted(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = summarize(drive)
    bag_copy("cut", [drive], tmp_path / "a", end="2", as_json=True)
    bag_copy("cut", [drive], tmp_path / "b", start="1.9", as_json=True)
    capsys.readouterr()
    bag_copy("merge", [tmp_path / "a", tmp_path / "b"], tmp_path / "c")
    lines = capsys.readouterr().out.splitlines()
    assert "/odometry: 2 messages were in both bags and are kept once" in lines
    assert "/camera/front/image: 1 message was in both bags and is kept once" in lines
    assert lines[-1].startswith(f"{tmp_path / 'c'}: {whole['message_count']} messages, ")
    assert whole["content_digest"] == summarize(tmp_path / "c")["content_digest"]
    bag_copy("merge", [tmp_path / "a", tmp_path / "b", drive], tmp_path / "d")
    assert "were in several bags and are kept once" in capsys.readouterr().out
    bag_copy("merge", [tmp_path / "a", tmp_path / "b"], tmp_path / "e", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["kept_once"] == {"/camera/front/image": 1, "/odometry": 2}


def test_a_summary_says_from_when_to_when_its_sources_are(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag_copy("convert", [drive], tmp_path / "out", for_distro="Humble", compression="ZSTD", split_size="2G")
    lines = capsys.readouterr().out.splitlines()
    start = utc_text(summarize(drive)["start_ns"])
    assert lines[0].split() == ["messages", "from", "(UTC)", "to", "(UTC)", "duration", "s", "content", "source"]
    assert start in lines[1]
    assert any(line.startswith("needs") and "ros-humble-rosbag2-storage-mcap" in line for line in lines)
    bag_copy("cut", [drive], tmp_path / "cut", start=f"{start} UTC", duration="1")
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("note") and "1.6 s of history" in line for line in lines)
    assert not any(line.startswith("needs") for line in lines)


@pytest.mark.parametrize("verb", ["cut", "merge", "filter", "convert"])
@pytest.mark.parametrize("columns", ["80", "120", "200"])
def test_the_help_of_a_verb_breaks_no_sentence(alpamayo: Alpamayo, verb: str, columns: str) -> None:
    shown = alpamayo("bag", verb, "--help", COLUMNS=columns).stdout
    text = [line.strip() for line in shown.partition("╭")[0].splitlines()]
    for line, following in pairwise(text):
        room = int(columns) - 2 - len(line)
        assert not (line and following) or len(following.split()[0]) >= room, line
    assert not set("{}") & set(shown)
    assert "<bool>" not in shown
    assert "Ends with 0 when the bag was made; 2 when" in " ".join(shown.split())
