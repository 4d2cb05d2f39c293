"""What `alpamayo bag info` says about a bag."""

import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console

from alpamayo_ros.cli.bag_info import bag_info, print_summary, summarize
from alpamayo_ros.errors import BagCorruptError, BagNotFoundError
from alpamayo_ros.storage.digest import content_digest
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter

START_NS = 1_700_000_000_000_000_000


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """A bag with a 100 Hz topic that pauses once, a single message and an empty topic."""
    path = tmp_path / "drive"
    identity = BagIdentity("sha256:" + "1" * 64, "none", tags={"scenario": "007", "[bold]": "[/nonsense]"})
    with BagWriter(path, identity=identity) as writer:
        writer.add_topic("/odom", "nav_msgs/msg/Odometry")
        writer.add_topic("/once", "std_msgs/msg/String")
        writer.add_topic("/never", "std_msgs/msg/String")
        for index in range(101):
            pause_ns = 250_000_000 if index > 50 else 0
            stamp_ns = START_NS + index * 10_000_000 + pause_ns
            writer.write("/odom", b"x" * 50, receive_ns=stamp_ns, publish_ns=stamp_ns)
        writer.write("/once", b"y", receive_ns=START_NS, publish_ns=START_NS)
    return path


def test_the_summary_states_counts_rates_and_gaps(bag: Path) -> None:
    summary = summarize(bag)
    rows = {row["name"]: row for row in summary["topics"]}
    assert list(rows) == ["/never", "/odom", "/once"]
    assert rows["/odom"]["count"] == 101
    assert rows["/odom"]["rate_hz"] == pytest.approx(100 / 1.25)
    assert rows["/odom"]["largest_gap_ms"] == pytest.approx(260.0)
    assert rows["/odom"]["payload_bytes"] == 5050
    assert (rows["/once"]["count"], rows["/once"]["rate_hz"], rows["/once"]["largest_gap_ms"]) == (1, None, None)
    assert (rows["/never"]["count"], rows["/never"]["first_ns"]) == (0, None)
    assert summary["duration_s"] == pytest.approx(1.25)
    assert (summary["start_ns"], summary["end_ns"]) == (START_NS, START_NS + 1_250_000_000)
    assert (summary["storage"], summary["compression"], summary["metadata_version"]) == ("mcap", "zstd", 9)


def test_the_summary_states_the_identity_and_what_is_wrong_with_it(bag: Path) -> None:
    summary = summarize(bag)
    assert summary["lineage_id"] == "sha256:" + "1" * 64
    assert summary["envelope_id"] == "none"
    assert summary["state"] == "closed"
    assert summary["tags"]["scenario"] == "007"
    assert any("lineage topic" in text for text in summary["identity_disagreements"])


def test_the_digest_is_the_content_digest(bag: Path) -> None:
    with open_bag(bag) as reader:
        assert summarize(bag)["content_digest"] == content_digest(reader)


def test_the_summary_is_json(bag: Path) -> None:
    summary = summarize(bag)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_progress_reaches_the_number_of_messages(bag: Path) -> None:
    told = []
    summarize(bag, lambda done, total: told.append((done, total)))
    assert told[0] == (0, 102)
    assert told[-1] == (102, 102)


@pytest.mark.parametrize("width", [60, 80, 160])
def test_the_table_shows_every_topic_and_every_problem_at_any_width(bag: Path, width: int) -> None:
    stream = io.StringIO()
    print_summary(summarize(bag), Console(file=stream, width=width))
    text = stream.getvalue()
    for word in ("/odom", "/once", "/never", "101", "zstd", "1.250 s", "007", "[/nonsense]", "80.00", "260.0", "!"):
        assert word in text, word
    assert "1" * 20 in text


def test_an_empty_bag_is_shown(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "bag", identity=None):
        pass
    stream = io.StringIO()
    summary = summarize(tmp_path / "bag")
    print_summary(summary, Console(file=stream, width=100))
    assert summary["duration_s"] == 0.0
    assert summary["start_ns"] is None
    assert "0 messages" in stream.getvalue()
    assert "names no lineage" in stream.getvalue()


def test_the_verb_prints_json_and_nothing_else(bag: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag_info(bag, as_json=True)
    captured = capsys.readouterr()
    assert json.loads(captured.out)["message_count"] == 102
    bag_info(bag, as_json=False)
    assert "/odom" in capsys.readouterr().out


def test_a_path_that_is_no_bag_and_a_damaged_bag_are_refused(tmp_path: Path, bag: Path) -> None:
    with pytest.raises(BagNotFoundError):
        summarize(tmp_path / "missing")
    file = bag / "drive_0.mcap"
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(BagCorruptError):
        summarize(bag)


def test_a_trace_that_names_nothing_is_shown_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        writer.add_topic("/a", "std_msgs/msg/String")
    steps = [{"sources": [{"name": ""}, {}], "operation": ""}, {}]
    document = {"state": "closed", "trace": {"alpamayo_ros_trace": 1, "steps": steps}}
    (tmp_path / "bag" / "identity.json").write_text(json.dumps(document))
    bag_info(tmp_path / "bag", as_json=False)
    out = capsys.readouterr().out
    assert "? of ? (0 messages, not read whole); ? (0 messages, not read whole) (version -)" in out
    assert "? of ? (version -)" in out


def test_what_a_bag_says_moves_no_cursor(bag: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads((bag / "identity.json").read_text())
    document["tags"]["\x1b[1mkey"] = "\x9bvalue"
    document["lineage_id"] = "\x1b]0;title\x07\u202e"
    (bag / "identity.json").write_text(json.dumps(document))
    bag_info(bag, as_json=False)
    out = capsys.readouterr().out
    assert out.replace("\n", "").isprintable()
    assert r"tag \x1b[1mkey" in out
    assert r"\x1b]0;title" in out


@pytest.mark.parametrize("name", [b"\xff", "ä\n道".encode()])
def test_a_bag_whose_name_is_no_text_is_shown(bag: Path, name: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = bag.with_name(os.fsdecode(name))
    bag.rename(path)
    bag_info(path, as_json=True)
    assert json.loads(capsys.readouterr().out)["path"] == str(path)
    bag_info(path, as_json=False)
    assert ("\\udcff" if name == b"\xff" else "ä\\n道") in capsys.readouterr().out
