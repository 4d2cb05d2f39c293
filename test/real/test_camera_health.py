"""Real and rendered pictures: camera health is quiet on good ones and speaks up on spoilt ones.

The limits of ``params/camera_health.py`` were set by what these print (``-s``); ``docs/perception.md`` holds it.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from alpamayo_ros.importers.pandaset_source import read_picture, read_source
from alpamayo_ros.importers.video_file import read_pictures, survey_video
from alpamayo_ros.monitoring.camera_health import CameraWatch
from alpamayo_ros.params.camera_health import CameraHealthParams
from alpamayo_ros.structs.camera_health import FINDINGS, CameraHealth, SightState
from alpamayo_ros.world.conditions import CLEAR, Conditions
from alpamayo_ros.world.episode import EpisodeRecord, drive_expert
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, camera
from alpamayo_ros.world.scenarios.registry import episode
from alpamayo_ros.world.sensor_faults import SensorFault, delivered_frame
from alpamayo_ros.world.sensor_faults import dimmed as world_dimmed
from alpamayo_ros.world.snapshot import STEP_S

Pixels = NDArray[np.uint8]

SIZES = ((160, 96), (320, 180))
"""Model sizes, px."""

MARGIN = 0.8
"""A score of a good picture reaches at most this share of the limit of a warning."""

VIDEO_STEP_M = 2.0
"""The videos have no poses; at 25 m/s every second picture is this far from the one before."""


@dataclass(frozen=True)
class Drive:
    """Pictures of one camera along a drive.

    Attributes:
        name: Where they are from.
        pictures: uint8 (N, H, W, 3), RGB.
        positions_m: float64 (N, 3).
    """

    name: str
    pictures: NDArray[np.uint8]
    positions_m: NDArray[np.float64]


def judged(drive: Drive, spoil: Callable[[Pixels], Pixels] = lambda picture: picture) -> list[CameraHealth]:
    watch = CameraWatch(drive.name, CameraHealthParams())
    return [
        watch.judge(index, str(index), spoil(picture), position_m)
        for index, (picture, position_m) in enumerate(zip(drive.pictures, drive.positions_m, strict=True))
    ]


def worst_scores(healths: Sequence[CameraHealth]) -> dict[str, float]:
    return {name: max(health.findings[index].score for health in healths) for index, name in enumerate(FINDINGS)}


def share(healths: Sequence[CameraHealth], names: set[str], least: SightState) -> float:
    """Return the share of pictures in which one of some findings is at least so bad."""
    return float(
        np.mean([any(item.name in names and item.state >= least for item in health.findings) for health in healths])
    )


def report(text: str) -> None:
    """Show a figure; pytest passes it on with ``-s``."""
    sys.stdout.write(text + "\n")


def resized(picture: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


@pytest.fixture(scope="module")
def real() -> dict[tuple[int, int], list[Drive]]:
    """Return all 6 x 80 pictures of PandaSet and both videos, at each model size."""
    if "ALPAMAYO_DATA" not in os.environ:
        pytest.skip("ALPAMAYO_DATA is not set")
    root = Path(os.environ["ALPAMAYO_DATA"])
    drives: dict[tuple[int, int], list[Drive]] = {size: [] for size in SIZES}
    source = read_source(root / "pandaset_seq002")
    positions_m = np.array([pose.position for pose in source.world_from_body])
    for recorded in source.cameras:
        pictures = [
            cv2.imdecode(np.frombuffer(read_picture(recorded, index), np.uint8), cv2.IMREAD_REDUCED_COLOR_2)[..., ::-1]
            for index in range(len(positions_m))
        ]
        for size in SIZES:
            small = np.array([resized(np.ascontiguousarray(picture), size) for picture in pictures])
            drives[size].append(Drive(f"PandaSet {recorded.camera}", small, positions_m))
    for name in ("solidWhiteRight.mp4", "test_video.mp4"):
        frames = list(read_pictures(survey_video(root / "udacity_carnd" / name)))[::2]
        along = np.arange(len(frames))[:, np.newaxis] * np.array([VIDEO_STEP_M, 0.0, 0.0])
        for size in SIZES:
            small = np.array([resized(np.ascontiguousarray(frame[..., ::-1]), size) for frame in frames])
            drives[size].append(Drive(name, small, along))
    return drives


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_real_picture_is_a_false_alarm(real: dict[tuple[int, int], list[Drive]], size: tuple[int, int]) -> None:
    for drive in real[size]:
        healths = judged(drive)
        worst = worst_scores(healths)
        limits = {finding.name: finding.warn_limit for finding in healths[0].findings}
        report(f"{size} {drive.name} ({len(healths)}): " + ", ".join(f"{k} {v:.3f}" for k, v in worst.items()))
        assert {name: score for name, score in worst.items() if score > MARGIN * limits[name]} == {}, drive.name


def dimmed(light: float) -> Callable[[Pixels], Pixels]:
    return lambda picture: np.clip(picture * light, 0, 255).astype(np.uint8)


def blurred(share_of_width: float) -> Callable[[Pixels], Pixels]:
    return lambda picture: np.asarray(
        cv2.GaussianBlur(picture, (0, 0), share_of_width * picture.shape[1]), dtype=np.uint8
    )


def glared(reach: float) -> Callable[[Pixels], Pixels]:
    """Add a sun whose bloom falls off exponentially, ``reach`` in widths."""

    def spoil(picture: Pixels) -> Pixels:
        height, width = picture.shape[:2]
        down, right = np.mgrid[:height, :width]
        distance = np.hypot(right - 0.5 * width, down - 0.3 * height) / width
        return np.clip(picture + 600.0 * np.exp(-distance / reach)[..., np.newaxis], 0, 255).astype(np.uint8)

    return spoil


def covered(picture: Pixels) -> Pixels:
    """Cover a fifth of the picture with black mud that is soft at its edge."""
    height, width = picture.shape[:2]
    mud = np.zeros((height, width), np.float32)
    cv2.ellipse(mud, (int(0.6 * width), int(0.6 * height)), (int(0.21 * width), int(0.3 * height)), 20, 0, 360, 1, -1)
    mud = cv2.GaussianBlur(mud, (0, 0), 0.01 * width)[..., np.newaxis]
    return np.asarray(picture * (1.0 - mud) + 20.0 * mud, dtype=np.uint8)


SPOILT = [
    ("light 0.1", dimmed(0.1), {"too_dark"}, SightState.WARN, 0.95),
    ("light 0.02", dimmed(0.02), {"blackout"}, SightState.ERROR, 0.95),
    ("light 2", dimmed(2.0), {"too_bright"}, SightState.WARN, 0.95),
    ("light 4", dimmed(4.0), {"too_bright"}, SightState.ERROR, 0.95),
    ("blur of 0.8 % of the width", blurred(0.008), {"blur"}, SightState.WARN, 0.95),
    ("blur of 1.25 % of the width", blurred(0.0125), {"blur"}, SightState.ERROR, 0.8),
    ("glare over 5 %", glared(0.05), {"glare"}, SightState.WARN, 0.75),
    ("glare over 20 %", glared(0.2), {"glare"}, SightState.ERROR, 0.95),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    ("name", "spoil", "findings", "state", "least"), SPOILT, ids=[f"{row[0]} {row[3].name}" for row in SPOILT]
)
def test_spoilt_real_pictures_are_found(
    real: dict[tuple[int, int], list[Drive]],
    size: tuple[int, int],
    name: str,
    spoil: Callable[[Pixels], Pixels],
    findings: set[str],
    state: SightState,
    least: float,
) -> None:
    healths = [
        health
        for drive in real[size]
        for health in judged(Drive(drive.name, drive.pictures[::8], drive.positions_m[::8]), spoil)
    ]
    found = share(healths, findings, state)
    report(f"{size} {name}: {found:.3f} of {len(healths)} are {state.name} {sorted(findings)}")
    assert found >= least


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_mud_and_a_frozen_picture_are_found_on_real_drives(
    real: dict[tuple[int, int], list[Drive]], size: tuple[int, int]
) -> None:
    for drive in real[size]:
        if drive.name != "test_video.mp4":
            score = judged(drive, covered)[-1].findings[FINDINGS.index("occlusion")].score
            report(f"{size} mud on {drive.name}: occlusion {score:.3f}")
            assert score >= CameraHealthParams().occlusion_warn, drive.name
        last = drive.pictures[-4]
        frozen = Drive(drive.name, np.array([last] * 4), drive.positions_m[-4:])
        assert judged(frozen)[-1].state is SightState.ERROR


WORLD = [
    ("dirt 1", Conditions(dirt=1.0), {"occlusion"}, SightState.WARN, 0.9),
    ("dirt 1", Conditions(dirt=1.0), {"occlusion"}, SightState.ERROR, 0.6),
    ("glare 0.5", Conditions(glare=0.5), {"glare"}, SightState.WARN, 0.8),
    ("glare 1", Conditions(glare=1.0), {"glare", "too_bright"}, SightState.WARN, 0.9),
]
GOOD = [("clear", CLEAR), ("rain 0.5", Conditions(rain=0.5)), ("night 0.5", Conditions(night=0.5))]
SCENARIO_NAMES = ("lane_keeping:1", "lead_braking:3")
WORLD_STEPS = 80


@pytest.fixture(scope="module")
def records() -> list[EpisodeRecord]:
    """Return what the expert drove; no real data is needed for it."""
    pytest.importorskip("libsumo", reason="SUMO is not installed: pip install 'alpamayo_ros[world]'")
    return [drive_expert(episode(name)) for name in SCENARIO_NAMES]


def world_drives(record: EpisodeRecord, conditions: Conditions, cameras: Sequence[str]) -> list[Drive]:
    """Draw an episode under some conditions, the sun ahead."""
    conditions = replace(conditions, sun_azimuth_rad=record.snapshots[0].ego.yaw)
    renderer = Renderer(record.road_map, record.spec.seed, conditions)
    snapshots = record.snapshots[:WORLD_STEPS]
    positions_m = np.array([snapshot.ego.position for snapshot in snapshots])
    drives = []
    for name in cameras:
        view = camera(name)
        pictures = np.array([renderer.render(view, snapshot)[..., ::-1] for snapshot in snapshots])
        drives.append(Drive(f"{record.spec.scenario} {name}", np.ascontiguousarray(pictures), positions_m))
    return drives


@pytest.mark.slow
@pytest.mark.parametrize(("name", "conditions"), GOOD, ids=[name for name, _ in GOOD])
def test_a_camera_of_the_world_that_sees_enough_is_no_error(
    records: list[EpisodeRecord], name: str, conditions: Conditions
) -> None:
    """By clear weather nothing is even a warning."""
    for record in records:
        for drive in world_drives(record, conditions, FRONT_FOUR if name == "clear" else FRONT_FOUR[:2]):
            healths = judged(drive)
            report(f"{name} {drive.name}: " + ", ".join(f"{k} {v:.3f}" for k, v in worst_scores(healths).items()))
            limit = SightState.WARN if name == "clear" else SightState.ERROR
            assert share(healths, set(FINDINGS), limit) == 0.0, drive.name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "conditions", "findings", "state", "least"), WORLD, ids=[f"{row[0]} {row[3].name}" for row in WORLD]
)
def test_conditions_of_the_world_are_found(
    records: list[EpisodeRecord],
    name: str,
    conditions: Conditions,
    findings: set[str],
    state: SightState,
    least: float,
) -> None:
    """Of the pictures of the second half: what is on a lens is known after two stretches of 10 m."""
    front = ["camera_front_wide_120fov", "camera_front_tele_30fov"]
    healths = [
        health
        for record in records
        for drive in world_drives(record, conditions, front)
        for health in judged(drive)[WORLD_STEPS // 2 :]
    ]
    found = share(healths, findings, state)
    report(f"{name}: {found:.3f} of {len(healths)} are {state.name} {sorted(findings)}")
    assert found >= least


@pytest.mark.slow
def test_faults_of_the_worlds_cameras_are_found_within_three_pictures(records: list[EpisodeRecord]) -> None:
    start = 40
    for record in records:
        name = "camera_front_wide_120fov"
        drive = world_drives(record, CLEAR, [name])[0]
        for kind, finding in (("frozen", "frozen"), ("dark", "blackout")):
            faults = [SensorFault(kind, name, start * STEP_S, WORLD_STEPS * STEP_S)]
            pictures = drive.pictures.copy()
            for index in range(start, len(pictures)):
                delivered = delivered_frame(faults, name, index * STEP_S, STEP_S)
                assert delivered is not None
                pictures[index] = world_dimmed(drive.pictures[round(delivered.shown_s / STEP_S)], delivered.light)
            healths = judged(Drive(drive.name, pictures, drive.positions_m))
            assert share(healths[:start], set(FINDINGS), SightState.WARN) == 0.0
            assert share(healths[start + 2 :], {finding}, SightState.ERROR) == 1.0, (kind, drive.name)
