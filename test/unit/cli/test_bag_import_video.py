"""`alpamayo bag import video` and `physical-ai-av` as a user calls them."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

PROGRAM = Path(sys.executable).with_name("alpamayo")
CLIP = "030c760c-ae38-49aa-9ad8-f5650a545d26"


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A video of 10 frames at 25 Hz."""
    path = tmp_path / "drive.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25.0, (64, 48))
    for index in range(10):
        writer.write(np.full((48, 64, 3), 20 * index, dtype=np.uint8))
    writer.release()
    return path


def alpamayo(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), "bag", "import", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_video_becomes_a_bag_with_a_json_summary(drive: Path, tmp_path: Path) -> None:
    options = ("--camera", "rear", "--start-ns", "5000000000", "--quality", "80", "--json")
    run = alpamayo("video", drive, tmp_path / "bag", *options)
    assert (run.returncode, run.stderr) == (0, "")
    document = json.loads(run.stdout)
    assert document["topics"] == {"/camera/rear/image/compressed": 10}
    assert (document["start_ns"], document["end_ns"]) == (5_000_000_000, 5_360_000_000)
    assert (document["calibration_digest"], document["warnings"]) == (None, [])


def test_a_cut_video_is_told_as_a_warning_and_the_decoder_is_quiet(drive: Path, tmp_path: Path) -> None:
    stream = tmp_path / "drive.avi"
    writer = cv2.VideoWriter(str(stream), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (64, 48))
    for index in range(10):
        writer.write(np.full((48, 64, 3), 20 * index, dtype=np.uint8))
    writer.release()
    data = stream.read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: data.index(b"movi") + (len(data) - data.index(b"movi")) // 2])
    run = alpamayo("video", tmp_path / "cut.avi", tmp_path / "bag")
    assert (run.returncode, run.stderr) == (0, "")
    assert "warning: " in run.stdout
    assert "of the container's 10 frames could be decoded" in run.stdout


@pytest.mark.parametrize(
    ("content", "options", "code", "said"),
    [
        (b"not a video" * 100, (), 2, "is not a video that OpenCV can open"),
        (b"", (), 2, "is not a video that OpenCV can open"),
        (None, ("--fps", "25"), 2, "has times of its own"),
        (None, ("--camera", "a/b"), 2, "cannot name a topic"),
        (None, ("--quality", "101"), 2, "expected 1 to 100"),
        (None, ("--start-ns", "-1"), 2, "expected 0 to"),
    ],
)
def test_what_cannot_be_imported_is_one_sentence(
    drive: Path, tmp_path: Path, content: bytes | None, options: tuple[str, ...], code: int, said: str
) -> None:
    if content is not None:
        drive.write_bytes(content)
    run = alpamayo("video", drive, tmp_path / "bag", *options)
    assert (run.returncode, run.stdout) == (code, "")
    assert run.stderr.startswith("alpamayo: ")
    assert run.stderr.count("\n") == 1
    assert said in run.stderr
    assert not (tmp_path / "bag").exists()


def test_a_clip_without_a_copy_names_what_is_expected(tmp_path: Path) -> None:
    """Without the devkit the sentence is how to install it; with it, what a copy looks like."""
    run = alpamayo("physical-ai-av", CLIP, tmp_path / "bag", "--root", tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert "pip install physical_ai_av" in run.stderr or "is not a copy of" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_existing_destination_is_refused_before_anything_else(tmp_path: Path) -> None:
    run = alpamayo("physical-ai-av", CLIP, tmp_path)
    assert run.returncode == 2
    assert "exists already" in run.stderr


@pytest.mark.parametrize("verb", ["video", "physical-ai-av"])
def test_the_verbs_explain_themselves(verb: str) -> None:
    run = alpamayo(verb, "--help")
    assert run.returncode == 0
    assert {"--start-ns", "--camera", "--quality", "--json"} <= set(run.stdout.split())
