"""Observations come out whole or with the first reason against them, whatever the order of arrival."""

import hashlib
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.errors import ProfileError
from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import CameraSpec, Profile
from alpamayo_ros.perception.observation import ObservationAssembler
from alpamayo_ros.pipeline.tick_rule import TickRule, time_backwards
from alpamayo_ros.structs.camera import CameraCalibration, CameraFrame, CameraIntrinsics, RigCalibration
from alpamayo_ros.structs.camera_health import SightState
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.pose import OdometrySample
from alpamayo_ros.structs.tick import Rejection, TickOutcome

MS = 1_000_000
T0_NS = 1_557_539_956_000_000_000
CAMERAS = ("left", "front", "right")
NARROW = CameraIntrinsics(4, 4, (10.0, 0.0, 1.5, 0.0, 10.0, 1.5, 0.0, 0.0, 1.0))


def observation_digest(observation):
    """Digest of every number of an observation."""
    digest = hashlib.sha256()
    history = observation.history
    for array in (
        history.offsets_ns,
        history.position_m,
        history.rotation,
        history.odom_from_rig_position_m,
        history.odom_from_rig_quaternion,
    ):
        digest.update(array.tobytes())
    digest.update(repr((observation.t0_ns, observation.epoch, observation.frames, observation.worst_skew_ns)).encode())
    digest.update(repr(observation.camera_health).encode())
    if observation.images is not None:
        digest.update(observation.images.tobytes())
    return digest.hexdigest()


def run(profile, messages, max_wait_ms=300, forget=True):
    """Feed (input, message) pairs as a pipeline does; return the outcomes, the observations and the rule."""
    rule = TickRule(profile.inputs, profile.trigger, period_ns=profile.period_ms * MS, max_wait_ns=max_wait_ms * MS)
    assembler = ObservationAssembler(profile, PerceptionParams(max_wait_ms=max_wait_ms))
    outcomes, observations = [], []
    for input_id, message in messages:
        advance = rule.advance(input_id, message.stamp_ns)
        if not advance.accepted:
            continue
        for tick in advance.backwards:
            rejection = time_backwards(profile.trigger, advance.step_back_ns)
            outcomes.append((tick.t0_ns, rejection.outcome, rejection.text))
        if advance.epoch_started:
            assembler.clear()
        if input_id == "odometry":
            assembler.add_odometry(message)
        else:
            assembler.add_frame(message)
        for tick in advance.closed:
            found = assembler.assemble(tick.t0_ns, tick.epoch)
            if isinstance(found, Rejection):
                outcomes.append((tick.t0_ns, found.outcome, found.text))
            else:
                outcomes.append((tick.t0_ns, TickOutcome.ANSWERED, observation_digest(found)))
                observations.append(found)
        if forget and rule.keep_from_ns is not None:
            assembler.forget_before(rule.keep_from_ns)
    return outcomes, observations, rule


def filled(build, profile=None, calibration=None, left_out=(), odometry=True):
    """An assembler with 2 s of odometry and frames on the grid up to t0."""
    profile = profile or build.profile(CAMERAS)
    assembler = build.assembler(profile, calibration)
    for back in range(20, -1, -1):
        if odometry:
            assembler.add_odometry(build.sample(T0_NS - back * 100 * MS, (20 - back, 0, 0)))
        for index, camera in enumerate(profile.cameras):
            if camera.id not in left_out:
                assembler.add_frame(build.frame(camera.id, T0_NS - back * 100 * MS, 100 * index + back))
    return assembler


def test_an_observation_holds_history_frames_and_pictures_camera_by_camera(build):
    observation = filled(build).assemble(T0_NS, 3)
    assert (observation.t0_ns, observation.epoch, observation.worst_skew_ns) == (T0_NS, 3, 0)
    assert observation.images.shape == (3, 4, 6, 8, 3)
    assert observation.images.dtype == np.uint8
    assert observation.images[:, :, 0, 0, 0].tolist() == [[3, 2, 1, 0], [103, 102, 101, 100], [203, 202, 201, 200]]
    assert [frame.camera for frame in observation.frames] == ["left"] * 4 + ["front"] * 4 + ["right"] * 4
    assert [(frame.stamp_ns - T0_NS) // MS for frame in observation.frames] == [-300, -200, -100, 0] * 3
    assert observation.frames[0].payload_sha256 == hashlib.sha256(bytes([3]) * 16).hexdigest()
    assert observation.history.position_m[0].tolist() == [-15.0, 0.0, 0.0]


def test_an_observation_without_cameras_has_no_pictures(build):
    observation = filled(build, build.profile()).assemble(T0_NS, 0)
    assert (observation.images, observation.frames, observation.worst_skew_ns) == (None, (), 0)


def test_pictures_cannot_be_changed_and_are_not_shared_between_observations(build):
    assembler = filled(build)
    first, second = assembler.assemble(T0_NS, 0), assembler.assemble(T0_NS, 0)
    with pytest.raises(ValueError, match="read-only"):
        first.images[0] = 0
    assert not np.shares_memory(first.images, second.images)
    assert observation_digest(first) == observation_digest(second)


def test_the_worst_skew_is_that_of_the_worst_camera_at_t0(build):
    assembler = filled(build, left_out=["front"])
    for back, skew_ms in ((3, 0), (2, -42), (1, 10), (0, -41)):
        assembler.add_frame(build.frame("front", T0_NS - back * 100 * MS + skew_ms * MS))
    assert assembler.assemble(T0_NS, 0).worst_skew_ns == 41 * MS


def test_odometry_is_judged_before_any_camera(build):
    rejection = filled(build, left_out=CAMERAS, odometry=False).assemble(T0_NS, 0)
    assert rejection.outcome is TickOutcome.NO_ODOMETRY


def test_every_reason_of_a_camera_comes_before_any_of_the_next(build):
    """The last code of the first camera wins over the first code of the second."""
    specs = [CameraSpec("left", horizontal_fov_deg=120.0), CameraSpec("front"), CameraSpec("right")]
    calibration = RigCalibration({"left": CameraCalibration("left", NARROW, None)})
    assembler = filled(build, build.profile(specs), calibration, left_out=["front", "right"])
    rejection = assembler.assemble(T0_NS, 0)
    assert (rejection.outcome, "left" in rejection.text) == (TickOutcome.CAMERA_MISMATCH, True)
    reordered = filled(build, build.profile([*specs[1:], specs[0]]), calibration, left_out=["front", "right"])
    rejection = reordered.assemble(T0_NS, 0)
    assert rejection.text.startswith("CAMERA_MISSING: front: ")


def test_a_damaged_picture_of_the_first_camera_comes_before_a_missing_second_one(build):
    assembler = filled(build, left_out=["left", "front"])
    for back in range(3, -1, -1):
        assembler.add_frame(CameraFrame("left", T0_NS - back * 100 * MS, "jpeg", b"\xff\xd8\xff\xe0 cut"))
    assert assembler.assemble(T0_NS, 0).text.startswith("IMAGE_INVALID: left: frame at ")


def test_frames_of_unknown_cameras_are_refused_with_the_known_ones(build):
    assembler = build.assembler(build.profile(CAMERAS))
    for add in (
        lambda: assembler.add_frame(build.frame("rear", 0)),
        lambda: assembler.add_camera_info("rear", NARROW),
    ):
        with pytest.raises(ValueError, match="camera 'rear' is not known; expected one of: front, left, right"):
            add()


def test_a_camera_info_counts_from_its_arrival_and_over_epochs(build):
    profile = build.profile([CameraSpec("front", horizontal_fov_deg=120.0)])
    assembler = filled(build, profile)
    assert isinstance(assembler.assemble(T0_NS, 0), Observation)
    assembler.add_camera_info("front", NARROW)
    assert assembler.assemble(T0_NS, 0).outcome is TickOutcome.CAMERA_MISMATCH
    assembler.clear()
    for back in range(15, -1, -1):
        assembler.add_odometry(build.sample(T0_NS - back * 100 * MS))
        assembler.add_frame(build.frame("front", T0_NS - back * 100 * MS))
    assert assembler.assemble(T0_NS, 1).outcome is TickOutcome.CAMERA_MISMATCH


def test_a_cleared_assembler_has_no_odometry(build):
    assembler = filled(build)
    assembler.clear()
    assert assembler.assemble(T0_NS, 1).outcome is TickOutcome.NO_ODOMETRY


@pytest.mark.parametrize(
    "values",
    [{"history_length": 0}, {"period_ms": 0}, {"cameras": ["front"], "frames": 0}, {"cameras": ["front"], "width": 0}],
)
def test_a_profile_without_a_grid_is_refused(build, values):
    with pytest.raises(ProfileError, match="is too small; expected at least 1"):
        build.assembler(build.profile(**values))


def test_a_step_back_ends_open_ticks_empties_the_buffers_and_counts_an_epoch(build):
    profile = build.profile(["front"], trigger="front", frames=1, history_length=1)

    def drive(start_ns):
        for step in range(4):
            yield "odometry", build.sample(start_ns + step * 100 * MS - MS)
            yield "front", build.frame("front", start_ns + step * 100 * MS)
        yield "odometry", build.sample(start_ns + 300 * MS)

    messages = [*drive(T0_NS), ("front", build.frame("front", T0_NS + 400 * MS)), *drive(T0_NS - 3600 * 1000 * MS)]
    # In the second drive the trigger steps back after the odometry, whose first sample is dropped as old.
    outcomes, observations, rule = run(profile, messages)
    backwards = [entry for entry in outcomes if entry[1] is TickOutcome.TIME_BACKWARDS]
    assert [entry[0] for entry in backwards] == [T0_NS + 400 * MS]
    assert "stepped back by 3600400.0 ms" in backwards[0][2]
    assert rule.epoch == 1
    assert rule.dropped["odometry"] == 1
    assert {observation.epoch for observation in observations} == {0, 1}


def random_streams(seed):
    """Three seconds of odometry and two cameras: jittered, with gaps, dropped frames and bad samples."""
    generator = np.random.default_rng(seed)

    def stamps(rate_hz, keep):
        period_ns = 1_000_000_000 // rate_hz
        times = np.arange(3 * rate_hz) * period_ns + generator.integers(0, period_ns // 2, 3 * rate_hz)
        times = T0_NS + times[generator.random(len(times)) < keep] + generator.integers(0, 200 * MS)
        first = generator.integers(0, len(times))
        silent = generator.integers(0, rate_hz // 2)
        return np.delete(times, slice(first, first + silent)).tolist()

    streams = {"odometry": []}
    for stamp_ns in stamps(int(generator.choice([10, 30, 100, 300])), 1.0):
        x = math.nan if generator.random() < 0.001 else (stamp_ns - T0_NS) / 1e8
        streams["odometry"].append(OdometrySample(stamp_ns, x, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    for camera in ("front", "rear"):
        streams[camera] = []
        for stamp_ns in stamps(int(generator.choice([10, 15, 30, 60])), 0.95):
            data = bytes([generator.integers(0, 256)]) * (15 if generator.random() < 0.01 else 16)
            streams[camera].append(CameraFrame(camera, stamp_ns, "mono8", data, 4, 4, 4))
    return streams


def arranged(streams, generator, lateness_ns):
    """Order messages by arrival, each up to a lateness after its stamp, in order within its topic."""
    arrivals = []
    for input_id, messages in streams.items():
        arrival_ns = 0
        for index, message in enumerate(messages):
            delay_ns = int(generator.integers(0, lateness_ns + 1)) if lateness_ns else 0
            arrival_ns = max(arrival_ns, message.stamp_ns + delay_ns)
            arrivals.append((arrival_ns, generator.random(), index, input_id, message))
    # Ties are broken at random between topics; within a topic the index keeps the order.
    arrivals.sort(key=lambda entry: (entry[0], entry[1] if lateness_ns else 0, entry[2]))
    ordered, position = [], dict.fromkeys(streams, 0)
    for *_, input_id, _ in arrivals:
        ordered.append((input_id, streams[input_id][position[input_id]]))
        position[input_id] += 1
    return ordered


@settings(deadline=None, max_examples=120)
@given(
    seed=st.integers(0, 2**32 - 1),
    trigger=st.sampled_from(["odometry", "front"]),
    max_wait_ms=st.sampled_from([200, 300, 1000]),
)
def test_no_order_of_arrival_within_the_lateness_changes_anything(build, seed, trigger, max_wait_ms):
    profile = build.profile(["front", "rear"], trigger=trigger, frames=3, history_length=6)
    streams = random_streams(seed)
    generator = np.random.default_rng(seed)
    expected, _, rule = run(profile, arranged(streams, generator, 0), max_wait_ms, forget=False)
    assert len(expected) >= 5
    for forget in (True, False):
        shuffled = arranged(streams, generator, (max_wait_ms - 150) * MS)
        found, _, found_rule = run(profile, shuffled, max_wait_ms, forget)
        assert found == expected
        assert found_rule.open_ticks == rule.open_ticks


def test_the_random_streams_reach_every_other_outcome(build):
    profile = build.profile(["front", "rear"], trigger="front", frames=3, history_length=6)
    reached = set()
    for seed in range(60):
        outcomes, _, _ = run(profile, arranged(random_streams(seed), np.random.default_rng(seed), 0))
        reached |= {outcome for _, outcome, _ in outcomes}
    assert reached >= set(TickOutcome) - {
        TickOutcome.TIME_BACKWARDS,
        TickOutcome.NO_ODOMETRY,
        TickOutcome.CAMERA_MISSING,
        TickOutcome.CAMERA_MISMATCH,
        TickOutcome.SKIPPED_BUSY,
        TickOutcome.STAGE_FAILED,
        TickOutcome.CAMERA_UNHEALTHY,
    }


@pytest.fixture(scope="module")
def pandaset():
    """Inputs of PandaSet's sequence 002 in the order of their stamps, one small picture standing for every frame."""
    if "ALPAMAYO_DATA" not in os.environ:
        pytest.skip("ALPAMAYO_DATA is not set")
    root = Path(os.environ["ALPAMAYO_DATA"]) / "pandaset_seq002"

    def stamps(folder):
        return [round(stamp_s * 1e6) * 1000 for stamp_s in json.loads((folder / "timestamps.json").read_text())]

    messages = []
    poses = json.loads((root / "lidar" / "poses.json").read_text())
    for stamp_ns, pose in zip(stamps(root / "lidar"), poses, strict=True):
        position, heading = pose["position"], pose["heading"]
        values = [position[axis] for axis in "xyz"] + [heading[axis] for axis in "xyzw"]
        messages.append(("odometry", OdometrySample(stamp_ns, *values)))
    for folder in sorted((root / "camera").iterdir()):
        camera = folder.name.removesuffix("_camera")
        messages += [(camera, CameraFrame(camera, at, "mono8", bytes(16), 4, 4, 4)) for at in stamps(folder)]
    return sorted(messages, key=lambda entry: (entry[1].stamp_ns, entry[0]))


def counts(outcomes):
    return {outcome.name: [entry[1] for entry in outcomes].count(outcome) for outcome in {e[1] for e in outcomes}}


def test_pandaset_with_a_camera_as_trigger_answers_63_ticks_with_a_worst_skew_of_42_ms(build, pandaset):
    cameras = ["front_left", "front", "front_right", "left", "right", "back"]
    profile: Profile = build.profile(cameras, trigger="front_left", frames=4)
    outcomes, observations, rule = run(profile, pandaset)
    assert counts(outcomes) == {"HISTORY_TOO_SHORT": 16, "ANSWERED": 63}
    assert len(rule.open_ticks) == 1
    assert max(observation.worst_skew_ns for observation in observations) / 1e6 == pytest.approx(42.1, abs=0.05)
    assert sum(rule.dropped.values()) == 0


def test_pandaset_with_odometry_as_trigger_answers_65_ticks(build, pandaset):
    messages = [entry for entry in pandaset if entry[0] == "odometry"]
    outcomes, _, rule = run(build.profile(), messages)
    assert counts(outcomes) == {"HISTORY_TOO_SHORT": 15, "ANSWERED": 65}
    assert rule.open_ticks == ()


def test_every_camera_of_an_observation_is_judged_in_the_profiles_order(build):
    assembler = filled(build)
    assert assembler.camera_health == ()
    observation = assembler.assemble(T0_NS, 0)
    assert [health.camera for health in observation.camera_health] == list(CAMERAS)
    assert assembler.camera_health == observation.camera_health
    # Grey squares of one colour show nothing.
    assert {health.state for health in observation.camera_health} == {SightState.ERROR}
    assembler.clear()
    assert assembler.camera_health == ()


def test_a_camera_in_error_rejects_a_tick_only_where_the_parameters_say_so(build):
    profile = build.profile(["front"])
    for rejects in (False, True):
        assembler = ObservationAssembler(profile, PerceptionParams(reject_camera_error=rejects))
        for back in range(20, -1, -1):
            assembler.add_odometry(build.sample(T0_NS - back * 100 * MS))
            assembler.add_frame(build.frame("front", T0_NS - back * 100 * MS, back))
        found = assembler.assemble(T0_NS, 0)
        if rejects:
            assert found.outcome is TickOutcome.CAMERA_UNHEALTHY
            assert found.text.startswith("CAMERA_UNHEALTHY: front: too_dark 1, ERROR from 0.95 on, blackout 1")
            assert assembler.camera_health[0].state is SightState.ERROR
        else:
            assert isinstance(found, Observation)
