"""What a change made of a drive is found, worded, and shown at the moments where it happens."""

from dataclasses import replace

import numpy as np

from alpamayo_ros.structs.counterfactual import DriveMoment
from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction
from alpamayo_ros.world.findings import compare_moments

KEEP = LongitudinalAction.KEEP_SPEED
BRAKE = LongitudinalAction.DECELERATE


def _moment(
    step: int, action: LongitudinalAction = KEEP, cause: str = "", actor: str = "", x_m: float = -1.0
) -> DriveMoment:
    x_m = 1.0 * step if x_m < 0.0 else x_m
    planned = np.column_stack([x_m + np.arange(1.0, 65.0), np.zeros(64)])
    text = "I brake." if cause else "It is free."
    return DriveMoment(
        0.1 * step, x_m, 0.0, 0.0, 10.0, action, LateralAction.STRAIGHT, LaneAction.KEEP, cause, actor, text, planned
    )


def _free(count: int = 60) -> list[DriveMoment]:
    return [_moment(step) for step in range(count)]


def _braking(from_step: int, to_step: int, count: int = 60) -> list[DriveMoment]:
    drive = _free(count)
    for step in range(from_step, to_step):
        drive[step] = _moment(step, BRAKE, "crossing_pedestrian", "ped_0", 0.5 * step + 0.5 * from_step)
    return drive


def _rows(original: list[DriveMoment], edited: list[DriveMoment]) -> dict[str, str]:
    return dict(compare_moments(original, edited, "without ped_0", ["ped_0"]).rows)


def test_equal_drives_do_not_differ() -> None:
    found = compare_moments(_free(), _free(), "without parked_3", ["parked_3"])
    assert not found.differs
    assert found.first_s is None
    assert "no cause" in found.headline
    assert dict(found.rows)["Decision"] == "the same at all 60 moments"
    assert dict(found.rows)["Named before"].startswith("what was changed is named at no moment")
    assert len(found.picture_times_s) == 4


def test_a_cause_that_is_gone_changes_decision_cause_text_and_plan() -> None:
    found = compare_moments(_braking(20, 50), _free(), "without ped_0", ["ped_0"])
    assert found.differs
    assert found.first_s == 2.0
    assert found.headline.startswith("Without ped_0 the decision at 2.0 s is keeping speed")
    assert "decelerating, straight on, because of crossing pedestrian (ped_0)" in found.headline
    rows = dict(found.rows)
    assert rows["Decision"].endswith("different at 30 of 60 moments")
    assert rows["Cause"] == "crossing pedestrian (ped_0) as it is, nothing with the change, at 2.0 s"
    assert "\N{LEFT DOUBLE QUOTATION MARK}I brake." in rows["Rationale"]
    assert rows["Plans"].startswith("ADE between both plans at 2.0 s: 0.00 m over 6.4 s")
    assert rows["Named before"].startswith("what was changed is named at 30 of 60")
    assert 2.0 in found.picture_times_s
    assert all(b - a >= 0.7 for a, b in zip(found.picture_times_s, found.picture_times_s[1:], strict=False))


def test_a_flicker_of_one_step_is_no_change_of_mind() -> None:
    found = compare_moments(_braking(20, 21), _free(), "without ped_0", ["ped_0"])
    assert found.first_s is None


def test_another_cause_for_the_same_decision_is_told() -> None:
    original = [replace(moment, cause="lead_vehicle", actor_id="car_1") for moment in _free()]
    found = compare_moments(original, _free(), "without car_1", ["car_1"])
    assert not found.differs
    assert dict(found.rows)["Cause"] == "lead vehicle (car_1) as it is, nothing with the change, at 0.0 s"


def test_drives_that_come_apart_differ_even_where_decisions_do_not() -> None:
    edited = [_moment(step, x_m=1.1 * step) for step in range(60)]
    found = compare_moments(_free(), edited, "with car_1 moved 5 m ahead", ["car_1"])
    assert found.differs
    assert "come up to 5.9 m apart" in found.headline


def test_drives_of_other_lengths_are_compared_as_far_as_both_go() -> None:
    rows = _rows(_free(60), _free(12))
    assert rows["Decision"] == "the same at all 12 moments"
    assert _rows(_free(1), _free(1))["Drives"].startswith("ADE between both drives: 0.00 m over 0.0 s")


def test_plans_of_no_points_are_not_compared() -> None:
    braking = [replace(moment, planned_xy_m=np.zeros((0, 2))) for moment in _braking(20, 50)]
    assert "Plans" not in _rows(braking, _free())
