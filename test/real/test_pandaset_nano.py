"""Real driving: nano runs on PandaSet. It was trained in a computed world alone, and its error says so (``-s``)."""

import math
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpamayo_ros.importers.imported_bag import camera_topic
from alpamayo_ros.messages.typestore import deserialize, serialize
from alpamayo_ros.perception.calibration import dump_calibration, load_calibration
from alpamayo_ros.replay.session import ReplayRequest, run_session
from alpamayo_ros.storage.identity import BagIdentity
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.camera import CameraCalibration
from alpamayo_ros.structs.verdict import ReplayResult

PROFILE = Path(__file__).parents[1] / "profiles" / "pandaset_nano.yaml"
PROGRAM = Path(sys.executable).with_name("alpamayo")
TELE, FRONT = "front_tele", "front"
TELE_FOV = math.radians(30.0)
KEPT = {camera_topic(name) for name in (FRONT, "front_left", "front_right")}


def tele_view(front: CameraCalibration) -> tuple[CameraCalibration, tuple[slice, slice]]:
    """Return a camera of 30 degrees that is the middle of another, and its rows and columns there."""
    whole = front.intrinsics
    assert whole is not None
    fx, skew, cx, _, fy, cy, *last = whole.k
    width = round(2.0 * fx * math.tan(0.5 * TELE_FOV))
    height = round(width * whole.height / whole.width)
    left, top = round(cx - 0.5 * width), round(cy - 0.5 * height)
    cut = replace(whole, width=width, height=height, k=(fx, skew, cx - left, 0.0, fy, cy - top, *last))
    return replace(front, camera=TELE, intrinsics=cut), (slice(top, top + height), slice(left, left + width))


@pytest.fixture(scope="module")
def with_tele(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return PandaSet as a bag, with a tele camera cut out of the front one."""
    if "ALPAMAYO_DATA" not in os.environ:
        pytest.skip("ALPAMAYO_DATA is not set")
    folder = tmp_path_factory.mktemp("pandaset")
    source = Path(os.environ["ALPAMAYO_DATA"]) / "pandaset_seq002"
    command = [str(PROGRAM), "bag", "import", "pandaset", str(source), str(folder / "bag")]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
    calibration = load_calibration(folder / "bag" / "calibration.yaml")
    tele, (rows, columns) = tele_view(calibration.cameras[FRONT])
    cameras = {**calibration.cameras, TELE: tele}
    dump_calibration(replace(calibration, cameras=cameras), folder / "calibration.yaml")
    tags = {"provenance": "real"}
    with (
        open_bag(folder / "bag") as reader,
        BagWriter(folder / "with_tele", identity=BagIdentity("none", "none", "", tags), compression="none") as writer,
    ):
        names = [name for name, topic in reader.topics.items() if name in KEPT or "Odometry" in topic.type_name]
        for name in names:
            writer.add_topic(name, reader.topics[name].type_name)
        writer.add_topic(camera_topic(TELE), reader.topics[camera_topic(FRONT)].type_name)
        for message in reader.messages(topics=names):
            times = {"receive_ns": message.receive_ns, "publish_ns": message.publish_ns}
            writer.write(message.topic, message.payload, **times)
            if message.topic == camera_topic(FRONT):
                picture = deserialize(message.payload, message.type_name)
                bgr = cv2.imdecode(np.asarray(picture.data), cv2.IMREAD_COLOR)
                assert bgr is not None
                picture.data = cv2.imencode(".jpg", bgr[rows, columns])[1].ravel()
                writer.write(camera_topic(TELE), serialize(picture, message.type_name), **times)
    return folder


def replay(folder: Path, out: Path, profile: str) -> ReplayResult:
    request = ReplayRequest(bag=folder / "with_tele", profile=profile, out=out, calibration=folder / "calibration.yaml")
    return run_session(request, clock=lambda: 0.0)


def test_nano_answers_every_tick_of_real_driving_the_same_way_twice(with_tele: Path, tmp_path: Path) -> None:
    result, again = (replay(with_tele, tmp_path / name, str(PROFILE)) for name in ("a", "b"))
    assert result.ticks["ANSWERED"] >= 55, result.ticks
    assert again.output_digest == result.output_digest
    baseline = {error.horizon_s: error for error in replay(with_tele, tmp_path / "c", "kinematic").ade_m}
    for error in result.ade_m:
        if error.mean_m is not None:
            assert math.isfinite(error.mean_m)
            sys.stdout.write(
                f"ADE at {error.horizon_s} s: nano {error.mean_m:.2f} m over {error.tick_count} ticks, "
                f"kinematic {baseline[error.horizon_s].mean_m:.2f} m over {baseline[error.horizon_s].tick_count}\n"
            )
    with open_bag(tmp_path / "a" / "outputs") as reader:
        texts = [
            deserialize(message.payload, message.type_name).text
            for message in reader.messages(topics=["/alpamayo/output/rationale"])
        ]
    for text, count in Counter(texts).most_common(6):
        sys.stdout.write(f"said {count} times: {text}\n")
    assert all(texts)
