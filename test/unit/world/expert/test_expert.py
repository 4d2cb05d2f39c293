"""What the expert does in single moments, and why."""

import math
from collections.abc import Callable

import pytest

from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.world.ego import advance_ego
from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.expert import Decision, Expert
from alpamayo_ros.world.snapshot import Actor, Snapshot
from alpamayo_ros.world.truth import truth_of

Snap = Callable[..., Snapshot]
MakeActor = Callable[..., Actor]

LIMIT_MPS = 14.0


def why(decision: Decision) -> tuple[str, str]:
    assert decision.cause is not None
    return decision.cause.label, decision.cause.actor_id


def test_a_free_road_at_the_limit_is_no_cause(expert: Expert, snap: Snap) -> None:
    decision = expert.decide(snap(20.0, LIMIT_MPS))
    assert decision.cause is None
    assert decision.acceleration_mps2 == pytest.approx(0.0, abs=0.1)
    assert decision.curvature == pytest.approx(0.0, abs=1e-6)
    assert (decision.longitudinal, decision.lateral, decision.lane) == (
        LongitudinalAction.KEEP_SPEED,
        LateralAction.STRAIGHT,
        LaneAction.KEEP,
    )


def test_a_slow_start_accelerates_without_a_cause(expert: Expert, snap: Snap) -> None:
    decision = expert.decide(snap(20.0, 3.0))
    assert decision.cause is None
    assert decision.longitudinal is LongitudinalAction.ACCELERATE


def test_the_same_moment_gives_the_same_decision(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    moment = snap(20.0, 10.0, actor(x=60.0), signal="red")
    assert expert.decide(moment) == expert.decide(moment)


def test_a_standing_vehicle_ahead_is_the_cause_of_braking(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    decision = expert.decide(snap(20.0, 12.0, actor(x=60.0)))
    assert why(decision) == ("lead_vehicle", "car")
    assert decision.cause is not None
    assert decision.cause.decisive
    assert decision.longitudinal is LongitudinalAction.DECELERATE


def test_without_the_cause_the_decision_is_another(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    """What decisive means, from the other side."""
    with_it = expert.decide(snap(20.0, 12.0, actor(x=60.0), actor(id="beside", x=40.0, y=6.8, heading=math.pi)))
    without = expert.decide(snap(20.0, 12.0, actor(id="beside", x=40.0, y=6.8, heading=math.pi)))
    bystander_gone = expert.decide(snap(20.0, 12.0, actor(x=60.0)))
    assert with_it.longitudinal is not without.longitudinal
    assert bystander_gone == with_it


def test_of_two_vehicles_the_nearer_binds_and_is_not_decisive(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    decision = expert.decide(snap(20.0, 12.0, actor(x=60.0), actor(id="next", x=66.0)))
    assert why(decision) == ("lead_vehicle", "car")
    assert decision.cause is not None
    assert not decision.cause.decisive


def test_a_vehicle_in_the_other_lane_is_no_cause(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    assert expert.decide(snap(20.0, LIMIT_MPS, actor(x=40.0, y=3.4))).cause is None


def test_a_vehicle_that_moves_in_is_a_cut_in(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    moving = actor(x=38.0, y=2.6, heading=-0.1, speed_mps=10.0, indicator="right")
    assert why(expert.decide(snap(20.0, 13.0, moving))) == ("cut_in_vehicle", "car")


@pytest.mark.parametrize(("state", "stops"), [("red", True), ("amber", True), ("green", False), ("off", False)])
def test_a_red_light_is_waited_for(expert: Expert, snap: Snap, state: str, stops: bool) -> None:
    decision = expert.decide(snap(100.0, 12.0, signal=state))
    assert (decision.cause is not None) == stops
    if stops:
        assert why(decision) == ("red_light", "signal:in_0")
        assert decision.longitudinal is LongitudinalAction.DECELERATE


def test_amber_that_comes_too_late_is_driven_through(expert: Expert, snap: Snap) -> None:
    assert expert.decide(snap(132.0, LIMIT_MPS, signal="amber")).cause is None


def test_it_waits_at_the_line_until_green(expert: Expert, snap: Snap) -> None:
    waiting = expert.decide(snap(145.2, 0.0, signal="red"))
    assert waiting.longitudinal is LongitudinalAction.STOPPED
    assert why(waiting) == ("red_light", "signal:in_0")
    assert expert.decide(snap(145.2, 0.0)).longitudinal is LongitudinalAction.ACCELERATE


def test_somebody_on_the_crossing_is_the_cause(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    walking = actor(
        id="walker", kind="pedestrian", x=80.0, y=3.0, heading=-math.pi / 2, speed_mps=1.4, length=0.5, width=0.6
    )
    decision = expert.decide(snap(50.0, 10.0, walking))
    assert why(decision) == ("crossing_pedestrian", "walker")
    assert decision.longitudinal is LongitudinalAction.DECELERATE


def test_somebody_who_has_crossed_is_no_cause(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    gone = actor(
        id="walker", kind="pedestrian", x=80.0, y=-2.5, heading=-math.pi / 2, speed_mps=1.4, length=0.5, width=0.6
    )
    assert expert.decide(snap(50.0, LIMIT_MPS, gone)).cause is None


def test_a_broken_down_vehicle_is_passed_on_the_free_lane(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    broken = actor(x=60.0, indicator="hazard")
    decision = expert.decide(snap(18.0, 10.0, broken))
    assert why(decision) == ("stopped_vehicle", "car")
    assert decision.lane is LaneAction.CHANGE_LEFT
    assert decision.cause is not None
    assert decision.cause.decisive


def test_on_the_way_back_it_is_beside_what_it_passes(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    """It passes on the left and goes back to the right: it does not pass on the right."""
    decision = expert.decide(snap(53.5, 10.0, actor(x=60.0, indicator="hazard"), y=3.4))
    assert decision.lane is LaneAction.CHANGE_RIGHT
    assert decision.cause is not None
    assert decision.cause.state == "beside"
    text = truth_of(decision, (0, 0)).text
    assert "move to the right" in text
    assert "pass on the right" not in text


def test_it_waits_when_the_other_lane_is_taken(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    broken = actor(x=60.0, indicator="hazard")
    beside = actor(id="beside", x=19.0, y=3.4, speed_mps=10.0)
    decision = expert.decide(snap(18.0, 10.0, broken, beside))
    assert decision.lane is LaneAction.KEEP
    assert decision.longitudinal is LongitudinalAction.DECELERATE
    assert why(decision)[0] == "stopped_vehicle"


def test_all_cones_of_a_site_are_one_cause(expert: Expert, snap: Snap, actor: MakeActor) -> None:
    cones = [actor(id=f"cone{k}", kind="cone", x=60.0 + 5.0 * k, length=0.4, width=0.4) for k in range(4)]
    decision = expert.decide(snap(18.0, 10.0, *cones))
    assert why(decision) == ("construction", "cone0")
    assert decision.cause is not None
    assert decision.cause.decisive
    assert Cause("construction", "cone0").key == Cause("construction", "cone3").key


@pytest.mark.parametrize("offset_m", [-1.5, 0.0, 1.5])
@pytest.mark.parametrize("turn_deg", [-10.0, 0.0, 10.0])
@pytest.mark.parametrize("speed", [2.0, 8.0, 14.0])
def test_it_finds_back_from_beside_the_path(
    expert: Expert, snap: Snap, offset_m: float, turn_deg: float, speed: float
) -> None:
    moment = snap(10.0, speed, y=offset_m, yaw=math.radians(turn_deg))
    offsets = []
    for _ in range(60):
        decision = expert.decide(moment)
        ego = advance_ego(moment.ego, decision.acceleration_mps2, decision.curvature, 0.1)
        moment = Snapshot(0, 0.0, ego, (), moment.signals)
        offsets.append(abs(ego.position[1]))
    assert max(offsets) < 2.9
    assert max(offsets[45:]) < 0.15


def test_another_lane_is_a_class_but_a_small_offset_is_none(expert: Expert, snap: Snap) -> None:
    assert expert.decide(snap(10.0, 10.0, y=1.4)).lane is LaneAction.KEEP
