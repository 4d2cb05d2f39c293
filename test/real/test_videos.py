"""Real driving: two forward videos are imported as the pictures of one camera."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from alpamayo_ros.cli.bag_info import summarize
from alpamayo_ros.importers.video_file import read_pictures, survey_video
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.perception.picture_file import inspect_picture
from alpamayo_ros.storage.identity import verify_identity
from alpamayo_ros.storage.reader import open_bag

PROGRAM = Path(sys.executable).with_name("alpamayo")
TOPIC = "/camera/front/image/compressed"
PERIOD_NS = 40_000_000


@dataclass(frozen=True)
class Video:
    """One real video, what is true of it, and its bag."""

    source: Path
    sha256: str
    frames: int
    size: tuple[int, int]
    bag: Path
    summary: dict[str, Any]


FACTS = {
    "solidWhiteRight.mp4": ("2d8e14b46fe89afbc8ad1f718685cf09b83e85a324095031c38186a9f0535417", 221, (960, 540)),
    "test_video.mp4": ("6d809d2bc58d837b2a7c53e6da5c75f4476dac64370c0adc245107b592853aa8", 38, (1280, 720)),
}


@pytest.fixture(scope="module", params=list(FACTS))
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Video:
    """Return a video as a bag, imported by the installed program."""
    if "ALPAMAYO_DATA" not in os.environ:
        pytest.skip("ALPAMAYO_DATA is not set")
    source = Path(os.environ["ALPAMAYO_DATA"]) / "udacity_carnd" / request.param
    bag = tmp_path_factory.mktemp("video") / "bag"
    command = [str(PROGRAM), "bag", "import", "video", str(source), str(bag), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")
    return Video(source, *FACTS[request.param], bag, json.loads(run.stdout))


def test_every_frame_is_there_and_whole(video: Video) -> None:
    with open_bag(video.bag) as reader:
        messages = [deserialize(message.payload, message.type_name) for message in reader.messages()]
    assert len(messages) == video.frames
    for message in messages:
        size = inspect_picture(message.data.tobytes())
        assert (size.width, size.height) == video.size
        picture = cv2.imdecode(message.data, cv2.IMREAD_COLOR)
        assert picture.shape == (video.size[1], video.size[0], 3)
    assert video.summary["warnings"] == []


def test_pictures_are_those_of_the_video(video: Video) -> None:
    pictures = read_pictures(survey_video(video.source))
    with open_bag(video.bag) as reader:
        for message, picture in zip(reader.messages(), pictures, strict=True):
            decoded = cv2.imdecode(deserialize(message.payload, message.type_name).data, cv2.IMREAD_COLOR)
            error = np.abs(decoded.astype(np.int16) - picture.astype(np.int16)).mean()
            assert error < 2.5, message.receive_ns


def test_stamps_are_those_of_the_container(video: Video) -> None:
    with open_bag(video.bag) as reader:
        for index, message in enumerate(reader.messages()):
            stamp = deserialize(message.payload, message.type_name).header.stamp
            assert message.receive_ns == message.publish_ns == index * PERIOD_NS
            assert stamp.sec * 10**9 + stamp.nanosec == index * PERIOD_NS


def test_the_camera_is_seen_at_25_hz_without_a_gap(video: Video) -> None:
    row = summarize(video.bag)["topics"]
    assert [(item["name"], item["count"], item["rate_hz"], item["largest_gap_ms"]) for item in row] == [
        (TOPIC, video.frames, 25.0, 40.0)
    ]


def test_the_bag_names_its_source_and_is_sound(video: Video) -> None:
    report = verify_identity(video.bag)
    assert report.disagreements == ()
    assert report.tags["source_sha256"] == video.sha256
    assert report.tags["frames"] == f"{video.frames} decoded, {video.frames} declared"
    assert "JPEG of quality 95" in report.tags["encoding"]


def test_a_cut_copy_is_imported_as_far_as_it_goes(video: Video, tmp_path: Path) -> None:
    data = video.source.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) // 2])
    run = subprocess.run(
        [str(PROGRAM), "bag", "import", "video", str(cut), str(tmp_path / "bag"), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if data.index(b"moov") > len(cut.read_bytes()):
        assert (run.returncode, run.stdout) == (2, "")
        return
    assert (run.returncode, run.stderr) == (0, "")
    document = json.loads(run.stdout)
    decoded = document["topics"][TOPIC]
    assert 0 < decoded < video.frames
    assert document["warnings"] == [
        f"{decoded} of the container's {video.frames} frames could be decoded: the video is cut or damaged."
    ]
