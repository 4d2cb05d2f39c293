"""Builders of profiles, odometry and pictures for the tests of perception."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import CameraSpec, Profile
from alpamayo_ros.perception.observation import ObservationAssembler
from alpamayo_ros.structs.camera import CameraFrame
from alpamayo_ros.structs.pose import OdometrySample

MS = 1_000_000


def make_profile(cameras=(), frames=4, height=6, width=8, trigger="odometry", **values):
    """A profile with the given camera ids or specs."""
    specs = tuple(CameraSpec(camera) if isinstance(camera, str) else camera for camera in cameras)
    sizes = {"frames_per_camera": frames, "image_height": height, "image_width": width} if specs else {}
    return Profile(
        name="test", description="", learned=False, trigger=trigger, stages={}, cameras=specs, **sizes, **values
    )


def make_sample(stamp_ns, position=(0.0, 0.0, 0.0), quaternion=(0.0, 0.0, 0.0, 1.0)):
    """One odometry sample."""
    return OdometrySample(int(stamp_ns), *map(float, position), *map(float, quaternion))


def make_frame(camera, stamp_ns, value=0, height=4, width=4):
    """A small grey raw frame."""
    return CameraFrame(camera, int(stamp_ns), "mono8", bytes([value % 256]) * (height * width), height, width, width)


def make_picture(height=48, width=64, seed=0):
    """A smooth RGB picture, uint8 (height, width, 3), with a different shade at each seed."""
    rows, columns = np.mgrid[0:height, 0:width]
    channels = [rows * 255 // height, columns * 255 // width, (rows + columns + 40 * seed) % 200]
    return np.stack(channels, axis=-1).astype(np.uint8)


def encode(picture, suffix=".jpg", options=()):
    """The bytes of a JPEG or PNG file with an RGB picture."""
    ok, data = cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), list(options))
    assert ok
    return data.tobytes()


def make_assembler(profile=None, calibration=None, **params):
    """An assembler, without cameras unless a profile is given."""
    return ObservationAssembler(profile or make_profile(), PerceptionParams(**params), calibration)


@pytest.fixture(scope="session")
def build():
    """Every builder of this file."""
    return SimpleNamespace(
        profile=make_profile,
        sample=make_sample,
        frame=make_frame,
        picture=make_picture,
        encode=encode,
        assembler=make_assembler,
    )
