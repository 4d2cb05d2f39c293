"""A profile's answers become moments: what was said last holds, and a box means the actor under it."""

import numpy as np
import pytest

from alpamayo_ros.errors import ProfileError
from alpamayo_ros.pipeline.drive import TickAnswer
from alpamayo_ros.structs.rationale import CausalFactor, LongitudinalAction, Rationale
from alpamayo_ros.structs.tick import TickOutcome, TickStatus
from alpamayo_ros.structs.trajectory import TrajectorySet
from alpamayo_ros.world.causal_box import causal_box
from alpamayo_ros.world.episode import EpisodeRecord
from alpamayo_ros.world.profile_drive import AnswerMoments, load_profile_to_drive
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import FRONT_FOUR, camera

START_NS = 1_000_000_000_000
SIZE = (160, 96)


def _answer(t_s: float, text: str, factor: CausalFactor | None = None) -> TickAnswer:
    t0_ns = START_NS + round(t_s * 1e9)
    status = TickStatus(t0_ns, 0, "odometry", TickOutcome.ANSWERED, "answered")
    ahead = np.arange(1.0, 5.0, dtype=np.float32)[None]
    zero = np.zeros_like(ahead)
    trajectories = TrajectorySet(t0_ns, 0.1, ahead, zero, zero, zero, zero, zero, zero)
    factors = () if factor is None else (factor,)
    rationale = Rationale(t0_ns, text, LongitudinalAction.DECELERATE, causal_factors=factors)
    return TickAnswer(status, rationale, trajectories)


@pytest.fixture(scope="module")
def reader(braking_record: EpisodeRecord) -> AnswerMoments:
    drawn = Renderer(braking_record.road_map, braking_record.spec.seed, braking_record.spec.conditions)
    return AnswerMoments(braking_record.snapshots, drawn, SIZE)


def test_the_newest_answer_holds_until_the_next(reader: AnswerMoments, braking_record: EpisodeRecord) -> None:
    rejected = TickAnswer(TickStatus(START_NS, 0, "odometry", TickOutcome.ODOMETRY_GAP, "gap"))
    answers = [rejected, _answer(0.51, "first"), _answer(0.9, "second")]
    moments, factors = reader.moments(answers, START_NS)
    assert len(moments) == len(factors) == len(braking_record.snapshots)
    assert [moment.text for moment in moments[:11]] == [""] * 5 + ["first"] * 4 + ["second"] * 2
    assert [step for step, moment in enumerate(moments) if moment.answered] == [5, 9]
    assert moments[0].longitudinal is LongitudinalAction.UNKNOWN
    assert moments[20].longitudinal is LongitudinalAction.DECELERATE
    assert moments[20].x_m == braking_record.snapshots[20].ego.position[0]


def test_a_plan_lies_in_the_world_where_it_was_made(reader: AnswerMoments, braking_record: EpisodeRecord) -> None:
    moments, _ = reader.moments([_answer(1.0, "x")], START_NS)
    ego = braking_record.snapshots[10].ego
    expected = [(ego.position[0] + s * np.cos(ego.yaw), ego.position[1] + s * np.sin(ego.yaw)) for s in range(1, 5)]
    np.testing.assert_allclose(moments[10].planned_xy_m, expected, atol=1e-5)


def test_a_box_names_the_actor_that_it_covers(
    reader: AnswerMoments, braking_record: EpisodeRecord, braking_s: float
) -> None:
    t_s = round(braking_s + 2.0, 1)
    drawn = Renderer(braking_record.road_map, braking_record.spec.seed, braking_record.spec.conditions)
    cameras = [camera(name, *SIZE) for name in FRONT_FOUR]
    box = causal_box(drawn, cameras, braking_record.at(t_s), "pedestrian")
    assert box is not None
    seen = CausalFactor("crossing pedestrian", "actor 7 of a detector", box.camera, box.box_px)
    moments, factors = reader.moments([_answer(t_s, "x", seen)], START_NS)
    step = round(t_s * 10)
    assert (moments[step].cause, moments[step].actor_id) == ("crossing_pedestrian", "pedestrian")
    assert factors[step] is seen
    for other in (CausalFactor("lane end"), CausalFactor("lead vehicle", "", box.camera, (0.0, 0.0, 2.0, 2.0))):
        moments, _ = reader.moments([_answer(t_s, "x", other)], START_NS)
        assert moments[step].actor_id == ""


def test_no_answer_at_all_leaves_nothing_known(reader: AnswerMoments) -> None:
    moments, factors = reader.moments([], START_NS)
    assert {moment.text for moment in moments} == {""}
    assert {factor.label for factor in factors} == {""}


def test_a_profile_is_loaded_and_named_before_it_drives() -> None:
    loaded = load_profile_to_drive("kinematic")
    assert loaded.lineage_id.startswith("sha256:")
    assert load_profile_to_drive("kinematic").lineage_id == loaded.lineage_id
    with pytest.raises(ProfileError, match="nanoo"):
        load_profile_to_drive("nanoo")
