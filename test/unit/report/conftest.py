"""A small replay to report on: a vehicle that starts, drives 20 m and was predicted every 100 ms."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from alpamayo_ros.structs.camera import CameraCalibration, CameraIntrinsics
from alpamayo_ros.structs.lineage import COMPONENT_KINDS, Lineage, LineageComponent
from alpamayo_ros.structs.pose import Pose
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.structs.verdict import (
    BaselineInfo,
    Comparison,
    FieldDifference,
    FieldSummary,
    HorizonError,
    PredictedPath,
    ReplayResult,
    ReportData,
    ReportPicture,
    TickMark,
    Verdict,
)

START_NS = 1_700_000_000_000_000_000
STEP_NS = 100_000_000


@pytest.fixture(scope="session")
def camera():
    """A pinhole camera 1.5 m above the ground that looks ahead."""
    k = (400.0, 0.0, 239.5, 0.0, 400.0, 134.5, 0.0, 0.0, 1.0)
    pose = Pose((0.8, 0.0, 1.5), (-0.5, 0.5, -0.5, 0.5))
    return CameraCalibration("front_wide", CameraIntrinsics(480, 270, k), pose)


@pytest.fixture(scope="session")
def street():
    """A grey road that narrows to the horizon, below a sky: uint8 (270, 480, 3) in BGR."""
    picture = np.full((270, 480, 3), (200, 170, 140), dtype=np.uint8)
    picture[135:] = (92, 100, 96)
    cv2.fillConvexPoly(picture, np.array([[200, 135], [280, 135], [560, 269], [-80, 269]]), (70, 70, 70))
    return picture


@pytest.fixture(scope="session")
def make_path():
    """Build a predicted path of constant speed along x that starts ``start_m`` after the first driven point."""

    def make(index=0, speed_mps=8.0, start_m=0.0, driven_m=30.0):
        steps = np.arange(1, 65)[:, np.newaxis] * np.array([0.1 * speed_mps, 0.0, 0.0])
        driven = np.arange(0.0, driven_m, 0.5)[:, np.newaxis] * np.array([1.0, 0.0, 0.0]) + [0.0, 0.3, 0.0]
        return PredictedPath(
            START_NS + index * STEP_NS,
            steps,
            steps + np.array([start_m, 0.0, 0.0]),
            driven,
            f"rationale {index}",
            "keep speed",
        )

    return make


@pytest.fixture(scope="session")
def approve():
    """Give a predicted path an approved one that lies ``left_m`` to its left and ahead by ``ahead_m``."""

    def give(path, left_m=0.0, ahead_m=0.0):
        apart = np.array([ahead_m, left_m, 0.0])
        return replace(path, baseline_rig_xyz_m=path.rig_xyz_m + apart, baseline_odom_xyz_m=path.odom_xyz_m + apart)

    return give


@pytest.fixture(scope="session")
def make_picture(camera, street, make_path):
    """Build a camera picture with a predicted path in it."""

    def make(index=0, bgr=street, camera=camera, **path):
        t0_ns = START_NS + index * STEP_NS
        return ReportPicture(t0_ns, t0_ns - 11_300_000, camera, bgr, make_path(index, **path))

    return make


@pytest.fixture(scope="session")
def difference():
    """A field that moved by five times its tolerance."""
    return FieldDifference(START_NS + 2 * STEP_NS, "trajectory_set", "y[3]", "0.001", "0.051", 0.05, 0.01, "m")


@pytest.fixture(scope="session")
def comparison(difference):
    """A comparison that found one field to differ."""
    return Comparison(
        completed=True,
        first_difference=difference,
        differing_tick_count=3,
        compared_tick_count=30,
        differences=(difference, replace(difference, t0_ns=START_NS + 3 * STEP_NS, magnitude=0.03)),
        fields=(
            FieldSummary("tick", "outcome", 30, 0, None, None, ""),
            FieldSummary("tick", "text", 0, 0, None, None, ""),
            FieldSummary("trajectory_set", "x", 20, 0, 0.0004, 0.01, "m"),
            FieldSummary("trajectory_set", "y", 20, 3, 0.05, 0.01, "m"),
        ),
        lineage_changes=(("runtime", "sha256:" + "1" * 64, "sha256:" + "2" * 64),),
    )


@pytest.fixture(scope="session")
def result():
    """A replay that was compared with nothing."""
    components = tuple(LineageComponent(kind, "none", "") for kind in COMPONENT_KINDS)
    lineage = Lineage(
        "sha256:" + "a" * 64,
        "none",
        components,
        "{}",
        {"runtime": {"numpy": "2", "alpamayo_ros": "0.1"}, "config": {"planner.steps": "64"}},
        {"python": "3.11", "host": "bench"},
    )
    return ReplayResult(
        Verdict.NOT_COMPARED,
        ("no baseline was given",),
        {"open_at_end": 1, "HISTORY_TOO_SHORT": 10, "ANSWERED": 20, "dropped_odometry": 2},
        "sha256:" + "b" * 64,
        "sha256:" + "c" * 64,
        "sha256:" + "d" * 64,
        lineage,
        (HorizonError(1.0, 0.1234567, 20), HorizonError(3.0, 0.4, 11), HorizonError(6.4, None, 0)),
        {"reading": 0.5, "planning": 0.25},
        None,
        "bags/demo",
        "kinematic",
    )


@pytest.fixture(scope="session")
def baseline(result):
    """What was approved: outputs of the same bag."""
    return BaselineInfo(
        "approved/demo", "Ada", "first drive", "sha256:" + "e" * 64, "sha256:" + "f" * 64, result.content_digest
    )


@pytest.fixture(scope="session")
def judged(result, comparison, baseline):
    """Give the result a verdict, and what a replay with that verdict has."""

    def judge(verdict):
        return replace(judge_alone(verdict), baseline=None if verdict is Verdict.NOT_COMPARED else baseline)

    def judge_alone(verdict):
        if verdict is Verdict.REGRESSION:
            return replace(result, verdict=verdict, reasons=("3 ticks differ",), comparison=comparison)
        if verdict is Verdict.PASS:
            fields = tuple(replace(row, differing=0) for row in comparison.fields)
            same = replace(
                comparison,
                first_difference=None,
                differing_tick_count=0,
                differences=(),
                fields=fields,
                lineage_changes=(),
            )
            return replace(result, verdict=verdict, reasons=("all 30 ticks agree",), comparison=same)
        return replace(result, verdict=verdict, reasons=(f"because it is {verdict.value}",))

    return judge


@pytest.fixture(scope="session")
def data(result, make_path, make_picture):
    """Everything that a report shows: 30 ticks, 20 of them answered, one picture."""
    driven = np.column_stack([np.linspace(0.0, 20.0, 100), np.zeros(100), np.zeros(100)])
    outcomes = [TickOutcome.HISTORY_TOO_SHORT] * 10 + [TickOutcome.ANSWERED] * 20
    marks = tuple(TickMark(START_NS + index * STEP_NS, outcome) for index, outcome in enumerate(outcomes))
    paths = tuple(make_path(index, start_m=0.8 * index) for index in range(10, 30))
    return ReportData(
        "Replay of demo",
        result,
        driven,
        paths,
        (make_picture(12),),
        marks,
        bag_tags={"provenance": "simulated", "assumptions": "The road is flat."},
        command="alpamayo replay run bags/demo --profile kinematic",
    )


@pytest.fixture(scope="session")
def nothing(data, result):
    """A report about a bag in which nothing happened."""
    return replace(
        data,
        result=replace(result, ticks={}, ade_m=(), timings={}, reasons=(), bag_path="", profile=""),
        driven_odom_xyz_m=np.zeros((0, 3)),
        paths=(),
        pictures=(),
        marks=(),
        picture_note="The bag has no camera topics.",
        bag_tags={},
        command="",
    )


@pytest.fixture(scope="session")
def winding():
    """A drive of 5 km with turns, far from the origin of its frame: float64 (5000, 3)."""
    heading = np.cumsum(0.003 * np.sin(np.arange(5000) / 300.0))
    steps = np.column_stack([np.cos(heading), np.sin(heading), np.zeros(5000)])
    return np.cumsum(steps, axis=0) + np.array([4.5e5, 5.4e6, 0.0])
