"""What an observation costs: against bare decoding of the same pictures, and without pictures per tick."""

import hashlib
import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import CameraSpec, Profile
from alpamayo_ros.perception.observation import ObservationAssembler
from alpamayo_ros.pipeline.tick_rule import TickRule
from alpamayo_ros.structs.camera import CameraFrame
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.pose import OdometrySample

pytestmark = pytest.mark.bench

MS = 1_000_000
CAMERAS = ("front", "front_left", "front_right", "back")
WIDTH, HEIGHT = 576, 320


def synthetic_jpeg(seed):
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (68, 120, 3)).astype(np.uint8)
    noise = generator.normal(0.0, 6.0, (1080, 1920, 3))
    smooth = cv2.resize(coarse, (1920, 1080), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", np.clip(smooth + noise, 0, 255).astype(np.uint8))[1].tobytes()


def pictures(count):
    """Four cameras' JPEGs of some ticks, and where they are from."""
    if "ALPAMAYO_DATA" in os.environ:
        root = Path(os.environ["ALPAMAYO_DATA"]) / "pandaset_seq002" / "camera"
        files = {camera: sorted((root / f"{camera}_camera").glob("*.jpg"))[:count] for camera in CAMERAS}
        return {camera: [path.read_bytes() for path in paths] for camera, paths in files.items()}, "PandaSet"
    made = [synthetic_jpeg(seed) for seed in range(3)]
    return {camera: [made[index % 3] for index in range(count)] for camera in CAMERAS}, "synthetic"


def bare(jpegs):
    """Decode and resize with nothing around it."""
    started = time.perf_counter()
    for data in jpegs:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return time.perf_counter() - started


def test_one_observation_of_four_1080p_jpegs_as_a_ratio_to_bare_decoding():
    ticks = 30
    jpegs, source = pictures(ticks)
    profile = Profile(
        name="bench",
        description="",
        learned=False,
        trigger="front",
        stages={},
        cameras=tuple(CameraSpec(camera) for camera in CAMERAS),
        frames_per_camera=4,
        image_height=HEIGHT,
        image_width=WIDTH,
    )
    assembler = ObservationAssembler(profile, PerceptionParams())
    for back in range(20):
        assembler.add_odometry(OdometrySample((back - 20) * 100 * MS, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    ratios, observed_s, bare_s = [], [], []
    for index in range(ticks):
        t0_ns = index * 100 * MS
        current = [jpegs[camera][index] for camera in CAMERAS]
        # Alternating on the same pictures, so that a change of the machine's speed touches both sides.
        bare_s.append(bare(current))
        started = time.perf_counter()
        assembler.add_odometry(OdometrySample(t0_ns, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0))
        for camera, data in zip(CAMERAS, current, strict=True):
            assembler.add_frame(CameraFrame(camera, t0_ns, "jpeg", data))
        found = assembler.assemble(t0_ns, 0)
        assembler.forget_before(t0_ns)
        if isinstance(found, Observation):
            observed_s.append(time.perf_counter() - started)
            ratios.append(observed_s[-1] / bare_s[-1])
    # The first answered tick decodes the pictures before it too.
    steady = ratios[1:]
    assert len(steady) >= 20
    digest_s = time.perf_counter()
    for camera in CAMERAS:
        hashlib.sha256(jpegs[camera][0]).digest()
    digest_s = time.perf_counter() - digest_s
    print(
        f"\nobservation of four 1080p JPEGs ({source}): ratio {np.median(steady):.3f} to bare imdecode and resize "
        f"(median of {len(steady)}; {np.median(observed_s[1:]) * 1e3:.1f} ms against {np.median(bare_s) * 1e3:.1f} ms, "
        f"digests {digest_s * 1e3:.1f} ms)"
    )


@pytest.mark.parametrize("rate_hz", [10, 100, 1000])
def test_ticks_without_pictures_per_second(rate_hz):
    profile = Profile(name="bench", description="", learned=False, trigger="odometry", stages={})
    samples = [
        OdometrySample(index * 1_000_000_000 // rate_hz, index / rate_hz, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        for index in range(200 * rate_hz)
    ]
    rule, assembler = TickRule(profile.inputs, profile.trigger), ObservationAssembler(profile, PerceptionParams())
    ticks = 0
    started = time.perf_counter()
    for sample in samples:
        advance = rule.advance("odometry", sample.stamp_ns)
        assembler.add_odometry(sample)
        for tick in advance.closed:
            assembler.assemble(tick.t0_ns, tick.epoch)
            ticks += 1
            assembler.forget_before(rule.keep_from_ns or 0)
    elapsed_s = time.perf_counter() - started
    assert ticks >= 1999
    print(f"\n{rate_hz} Hz odometry: {ticks / elapsed_s:.0f} ticks per second, tick rule and observation alone")
