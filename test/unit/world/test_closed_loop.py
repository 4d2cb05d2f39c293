"""A profile drives."""

import dataclasses
from collections import Counter
from functools import cache

import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import CameraSpec, load_profile
from alpamayo_ros.pipeline.stages import load_stages
from alpamayo_ros.structs.tick import TickOutcome
from alpamayo_ros.world.closed_loop import TAKEOVER_S, ClosedLoopDrive, drive_closed_loop, world_calibration
from alpamayo_ros.world.episode import drive_expert
from alpamayo_ros.world.rendering.rig import FRONT_FOUR
from alpamayo_ros.world.scenarios.registry import episode
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.sensor_faults import SensorFault

PROFILE = load_profile("kinematic")
PARAMETERS = NodeParameters()


def spec_of(name: str, *faults: SensorFault, duration_s: float = 8.0) -> EpisodeSpec:
    return dataclasses.replace(episode(name), faults=faults, duration_s=duration_s)


def drive(spec: EpisodeSpec) -> ClosedLoopDrive:
    return drive_closed_loop(spec, PROFILE, PARAMETERS, load_stages(PROFILE, PARAMETERS))


@cache
def free_drive() -> ClosedLoopDrive:
    return drive(spec_of("lane_keeping:1"))


def test_until_the_takeover_the_expert_drives() -> None:
    ours, experts = free_drive().record, drive_expert(spec_of("lane_keeping:1"))
    step = round(TAKEOVER_S * 10)
    ego, other = ours.snapshots[step].ego, experts.snapshots[step].ego
    assert ego.position == pytest.approx(other.position, abs=0.02)
    assert ego.speed_mps == pytest.approx(other.speed_mps, abs=1e-6)


def test_ticks_are_answered_once_there_is_a_history() -> None:
    outcomes = Counter(tick.answer.status.outcome for tick in free_drive().ticks)
    assert set(outcomes) == {TickOutcome.HISTORY_TOO_SHORT, TickOutcome.ANSWERED}
    assert outcomes[TickOutcome.HISTORY_TOO_SHORT] == 15
    assert all(tick.usable_s - tick.t_s >= 0.05 - 1e-9 for tick in free_drive().ticks)


def test_the_plan_is_what_the_vehicle_does() -> None:
    """Constant turn rate and velocity: from the takeover on nothing changes."""
    snapshots = free_drive().record.snapshots[round(TAKEOVER_S * 10) + 1 :]
    speeds = [one.ego.speed_mps for one in snapshots]
    assert max(speeds) - min(speeds) < 0.3


def test_the_same_drive_is_the_same_to_the_last_digit() -> None:
    assert drive(spec_of("lane_keeping:1")).record.digest == free_drive().record.digest


def test_the_baseline_does_not_stop_for_anybody() -> None:
    spec = spec_of("lead_braking:1", duration_s=20.0)
    metrics = drive(spec).metrics(drive_expert(spec))
    assert metrics.collision is not None
    assert metrics.collision.ego_speed_mps > 5.0
    assert metrics.progress_share is not None


def test_without_odometry_the_last_plan_is_used_up_and_then_it_brakes() -> None:
    gap = SensorFault("odometry_gap", "odometry", 3.0, 60.0)
    snapshots = drive(spec_of("lane_keeping:1", gap, duration_s=14.0)).record.snapshots
    by_time = {round(one.t_s, 1): one.ego.speed_mps for one in snapshots}
    assert by_time[9.0] == pytest.approx(by_time[4.0], abs=0.3)
    assert by_time[11.5] < by_time[9.0] - 3.0


def test_a_profile_with_cameras_gets_its_pictures() -> None:
    """The planner still extrapolates: the ticks wait for the pictures, and say which they used."""
    cameras = tuple(CameraSpec(name) for name in FRONT_FOUR)
    size = {"frames_per_camera": 2, "image_width": 160, "image_height": 96}
    profile = dataclasses.replace(PROFILE, cameras=cameras, trigger=FRONT_FOUR[1], **size)
    dark = SensorFault("dropped", FRONT_FOUR[0], 2.5, 60.0)
    spec = spec_of("curve:0", dark, duration_s=3.4)
    outcomes = {
        round(tick.t_s, 1): tick.answer.status.outcome
        for tick in drive_closed_loop(spec, profile, PARAMETERS, load_stages(profile, PARAMETERS)).ticks
    }
    assert outcomes[2.4] is TickOutcome.ANSWERED
    assert outcomes[2.7] is TickOutcome.CAMERA_STALE


def test_a_camera_that_the_vehicle_has_not_is_refused() -> None:
    profile = dataclasses.replace(PROFILE, cameras=(CameraSpec("camera_roof"),), image_width=160, image_height=96)
    with pytest.raises(ParameterError, match="camera_roof"):
        world_calibration(profile)


def test_the_calibration_is_of_the_profile_s_pictures() -> None:
    profile = dataclasses.replace(
        PROFILE, cameras=(CameraSpec("camera_front_wide_120fov"),), image_width=160, image_height=96
    )
    calibration = world_calibration(profile)
    lens = calibration.cameras["camera_front_wide_120fov"].intrinsics
    assert lens is not None
    assert (lens.width, lens.height) == (160, 96)
    assert calibration.digest.startswith("sha256:")
