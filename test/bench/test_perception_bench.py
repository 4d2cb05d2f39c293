"""What camera health and a detector cost per picture."""

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpamayo_ros.monitoring.camera_health import CameraWatch
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import CameraSpec, load_profile
from alpamayo_ros.perception.images import decode_picture
from alpamayo_ros.pipeline.stages import load_detector
from alpamayo_ros.structs.camera import CameraFrame
from alpamayo_ros.structs.observation import FrameReference

pytestmark = pytest.mark.bench


def front_pictures():
    if "ALPAMAYO_DATA" not in os.environ:
        pytest.skip("ALPAMAYO_DATA is not set")
    folder = Path(os.environ["ALPAMAYO_DATA"]) / "pandaset_seq002" / "camera" / "front_camera"
    return [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]


@pytest.mark.parametrize("size", [(160, 96), (320, 180), (576, 320)], ids=str)
def test_milliseconds_of_camera_health(size):
    pictures = [
        cv2.resize(cv2.imdecode(np.frombuffer(data, np.uint8), 1)[..., ::-1], size, interpolation=cv2.INTER_AREA)
        for data in front_pictures()
    ]
    watch, times_s = CameraWatch("front", PerceptionParams()), []
    for index, picture in enumerate(pictures):
        started = time.perf_counter()
        watch.judge(index, str(index), picture, np.array([0.3 * index, 0.0, 0.0]))
        times_s.append(time.perf_counter() - started)
    print(f"\ncamera health at {size}: {np.median(times_s) * 1e3:.2f} ms a picture")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("form", "file"), [("yolox", "yolox_nano/yolox_nano.onnx"), ("fastestdet", "fastestdet/FastestDet.onnx")]
)
def test_milliseconds_of_a_detector(form, file, threads):
    pictures = front_pictures()
    path = Path(os.environ["ALPAMAYO_DATA"]) / "models" / file
    digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    params = PerceptionParams(
        detector_model=str(path), detector_sha256=digest, detector_form=form, detector_threads=threads
    )
    detector = load_detector(replace(load_profile("kinematic"), cameras=(CameraSpec("front"),)), params)
    decode_s, resize_s, detect_s = [], [], []
    for data in pictures:
        started = time.perf_counter()
        picture = decode_picture(CameraFrame("front", 0, "jpeg", data))
        decode_s.append(time.perf_counter() - started)
        started = time.perf_counter()
        view = picture.viewed(detector.view_size(picture.size))
        resize_s.append(time.perf_counter() - started)
        started = time.perf_counter()
        detector.detect(view, FrameReference("front", 0, "", picture.size.width, picture.size.height))
        detect_s.append(time.perf_counter() - started)
    print(
        f"\n{form}, {threads} thread(s): {np.median(detect_s) * 1e3:.1f} ms a picture, and "
        f"{np.median(resize_s) * 1e3:.1f} ms to resize it from 1080p; decoding took {np.median(decode_s) * 1e3:.1f} ms"
    )
