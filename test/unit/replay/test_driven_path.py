"""Predicted paths are measured against the driven one, in bounded memory."""

import math

import numpy as np
import pytest

from alpamayo_ros.replay.driven_path import DrivenPathEvaluator
from alpamayo_ros.structs.observation import EgoHistory
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.trajectory import TRAJECTORY_FIELDS, TrajectorySet

SECOND = 1_000_000_000


def sample(time_s: float, x: float, y: float = 0.0) -> OdometrySample:
    return OdometrySample(round(time_s * SECOND), x, y, 0.0, 0.0, 0.0, 0.0, 1.0)


def straight(t0_s: float, speed: float, offset_y: float = 0.0, count: int = 20) -> TrajectorySet:
    arrays = {name: np.zeros((1, count)) for name in TRAJECTORY_FIELDS}
    arrays["x"] = speed * 0.1 * np.arange(1, count + 1)[np.newaxis]
    arrays["y"] = np.full((1, count), offset_y)
    return TrajectorySet(round(t0_s * SECOND), 0.1, **arrays)


def history(x: float, y: float = 0.0, yaw: float = 0.0) -> EgoHistory:
    return EgoHistory(
        np.array([-100_000_000, 0]),
        np.zeros((2, 3)),
        np.stack([np.eye(3)] * 2),
        np.array([x, y, 0.0]),
        np.array([0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)]),
    )


def test_a_constant_offset_is_the_error_at_every_horizon() -> None:
    evaluator = DrivenPathEvaluator((1.0, 2.0, 2.1))
    for step in range(40):
        evaluator.add_odometry(sample(0.07 * step, 0.7 * step))
        if step == 2:
            evaluator.add_trajectories(straight(0.14, 10.0, offset_y=0.25), history(1.4))
    near, whole, beyond = evaluator.errors()
    assert near.mean_m == pytest.approx(0.25, abs=1e-6)
    assert whole.mean_m == pytest.approx(0.25, abs=1e-6)
    assert (near.tick_count, whole.tick_count) == (1, 1)
    assert (beyond.mean_m, beyond.tick_count) == (None, 0)


def test_the_driven_path_is_expressed_in_the_rig_at_t0() -> None:
    evaluator = DrivenPathEvaluator((1.0,))
    done = []
    # Driving north while the rig looks north: ahead in the rig frame.
    for step in range(40):
        done += evaluator.add_odometry(sample(0.1 * step, 100.0, 1.0 * step))
        if step == 0:
            done += evaluator.add_trajectories(straight(0.0, 10.0), history(100.0, 0.0, math.pi / 2))
    assert len(done) == 1
    assert done[0].rig_xyz_m[:, 0] == pytest.approx(np.arange(1, 21) * 1.0)
    assert done[0].rig_xyz_m[:, 1] == pytest.approx(np.zeros(20), abs=1e-9)


def test_a_path_that_ends_early_counts_for_the_horizons_that_it_reaches() -> None:
    evaluator = DrivenPathEvaluator((1.0, 2.0))
    for step in range(16):
        evaluator.add_odometry(sample(0.1 * step, step))
        if step == 0:
            evaluator.add_trajectories(straight(0.0, 10.0), history(0.0))
    (path,) = evaluator.finish()
    assert len(path.rig_xyz_m) == 15
    assert [error.tick_count for error in evaluator.errors()] == [1, 0]


def test_a_gap_ends_the_driven_path() -> None:
    evaluator = DrivenPathEvaluator((1.0, 2.0))
    for step in [*range(12), *range(14, 30)]:
        evaluator.add_odometry(sample(0.1 * step, step))
        if step == 0:
            evaluator.add_trajectories(straight(0.0, 10.0), history(0.0))
    assert [error.tick_count for error in evaluator.errors()] == [1, 0]


def test_a_position_that_is_not_finite_ends_the_driven_path() -> None:
    evaluator = DrivenPathEvaluator((1.0, 2.0))
    for step in range(30):
        evaluator.add_odometry(sample(0.1 * step, math.nan if step == 12 else step))
        if step == 0:
            evaluator.add_trajectories(straight(0.0, 10.0), history(0.0))
    assert [error.tick_count for error in evaluator.errors()] == [1, 0]
    assert np.isfinite(evaluator.driven_odom_xyz_m()).all()


def test_a_step_back_of_time_starts_again_without_mixing_both() -> None:
    evaluator = DrivenPathEvaluator((1.0,))
    for step in range(15):
        evaluator.add_odometry(sample(100 + 0.1 * step, step))
    evaluator.add_trajectories(straight(100.0, 10.0), history(0.0))
    done = evaluator.add_odometry(sample(1.0, 0.0))
    assert [len(path.rig_xyz_m) for path in done] == [14]
    assert evaluator.errors()[0].tick_count == 1


def test_a_stray_stamp_is_ignored() -> None:
    evaluator = DrivenPathEvaluator((1.0,))
    for time_s, x in [(0.0, 0.0), (0.1, 1.0), (0.1, 99.0), (0.05, 99.0), (0.2, 2.0)]:
        evaluator.add_odometry(sample(time_s, x))
    assert evaluator.driven_odom_xyz_m()[:, 0].tolist() == [0.0, 1.0, 2.0]


def test_memory_does_not_grow_with_the_bag() -> None:
    evaluator = DrivenPathEvaluator((1.0,))
    for step in range(50_000):
        evaluator.add_odometry(sample(0.01 * step, 0.1 * step))
    assert len(evaluator.driven_odom_xyz_m()) <= 4000
    assert len(evaluator._track.stamp_ns) < 2000
