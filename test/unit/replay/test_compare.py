"""Two replays are compared field by field, aligned by t0."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.replay.compare import MAX_KEPT_DIFFERENCES, compare_outputs
from alpamayo_ros.replay.outputs import TickOutputs
from alpamayo_ros.replay.policy import load_policy
from alpamayo_ros.structs.rationale import CausalFactor, LateralAction, Rationale
from alpamayo_ros.structs.tick import TickOutcome, TickStatus
from alpamayo_ros.structs.trajectory import TRAJECTORY_FIELDS, TrajectorySet
from alpamayo_ros.structs.verdict import Comparison

POLICY = load_policy()


def tick(t0_ns: int, outcome: TickOutcome = TickOutcome.ANSWERED, **changes: Any) -> TickOutputs:
    status = TickStatus(t0_ns, 0, "odometry", outcome, "text")
    if outcome is not TickOutcome.ANSWERED:
        return TickOutputs(status)
    arrays = {name: np.full((1, 4), 0.5, dtype=np.float32) for name in TRAJECTORY_FIELDS}
    arrays.update({name: np.asarray(value) for name, value in changes.items() if name in TRAJECTORY_FIELDS})
    words = {name: value for name, value in changes.items() if name not in TRAJECTORY_FIELDS}
    return TickOutputs(status, Rationale(t0_ns, **{"text": "5.0 m/s", **words}), TrajectorySet(t0_ns, 0.1, **arrays))


def compare(left: Sequence[TickOutputs], right: Sequence[TickOutputs]) -> Comparison:
    return compare_outputs(iter(left), iter(right), POLICY)


def shifted(value: float) -> np.ndarray[Any, Any]:
    return np.array([[0.5, 0.5, 0.5 + value, 0.5]])


def test_equal_replays_have_no_difference() -> None:
    comparison = compare([tick(1), tick(2)], [tick(1), tick(2)])
    assert (comparison.completed, comparison.differing_tick_count, comparison.compared_tick_count) == (True, 0, 2)
    assert comparison.first_difference is None


def test_empty_replays_have_nothing_in_common_and_nothing_different() -> None:
    comparison = compare([], [])
    assert (comparison.compared_tick_count, comparison.differing_tick_count) == (0, 0)


@pytest.mark.parametrize(("offset", "differs"), [(0.009, False), (0.05, True), (-0.05, True), (math.nan, True)])
def test_a_position_differs_beyond_its_tolerance_only(offset: float, differs: bool) -> None:
    comparison = compare([tick(7)], [tick(7, y=shifted(offset))])
    assert bool(comparison.differing_tick_count) == differs
    if differs:
        first = comparison.first_difference
        assert first is not None
        assert (first.t0_ns, first.interface, first.field, first.unit) == (7, "trajectory_set", "y[0][2]", "m")


def test_nan_equals_nan_alone() -> None:
    assert compare([tick(1, z=shifted(math.nan))], [tick(1, z=shifted(math.nan))]).differing_tick_count == 0
    assert compare([tick(1, z=shifted(math.inf))], [tick(1, z=shifted(math.inf))]).differing_tick_count == 0
    assert compare([tick(1, z=shifted(math.inf))], [tick(1, z=shifted(-math.inf))]).differing_tick_count == 1


def test_angles_are_compared_around_the_circle() -> None:
    left, right = tick(1, yaw=np.full((1, 4), math.pi)), tick(1, yaw=np.full((1, 4), -math.pi))
    assert compare([left], [right]).differing_tick_count == 0


def test_a_doubled_small_curvature_is_a_difference() -> None:
    left, right = tick(1, curvature=np.full((1, 4), 0.005)), tick(1, curvature=np.full((1, 4), 0.010))
    assert compare([left], [right]).differing_tick_count == 1


@pytest.mark.parametrize(
    ("text", "differs"), [("5.1 m/s", False), ("5.3 m/s", True), ("5.0 km/h", True), ("5.0 m/s 1", True)]
)
def test_numbers_in_a_text_may_differ_by_the_tolerance_and_words_may_not(text: str, differs: bool) -> None:
    assert bool(compare([tick(1)], [tick(1, text=text)]).differing_tick_count) == differs


@pytest.mark.parametrize("change", [{"lateral": LateralAction.LEFT}, {"causal_factors": (CausalFactor("dog"),)}])
def test_meta_actions_and_causes_are_exact(change: dict[str, Any]) -> None:
    assert compare([tick(1)], [tick(1, **change)]).differing_tick_count == 1


def test_a_missing_tick_is_one_difference_and_shifts_nothing() -> None:
    comparison = compare([tick(1), tick(2), tick(3)], [tick(1), tick(3)])
    assert (comparison.differing_tick_count, comparison.compared_tick_count) == (1, 2)
    first = comparison.first_difference
    assert first is not None
    assert (first.t0_ns, first.baseline, first.candidate) == (2, "ANSWERED", "no such tick")


def test_an_additional_tick_at_the_end_is_a_difference() -> None:
    comparison = compare([tick(1)], [tick(1), tick(2)])
    assert comparison.first_difference is not None
    assert comparison.first_difference.baseline == "no such tick"


def test_a_tick_answered_on_one_side_only_is_a_difference() -> None:
    comparison = compare([tick(1)], [tick(1, TickOutcome.ODOMETRY_GAP)])
    assert comparison.first_difference is not None
    assert comparison.first_difference.field == "outcome"
    assert comparison.first_difference.candidate == "ODOMETRY_GAP"


def test_a_changed_shape_is_a_difference_and_not_a_crash() -> None:
    arrays = {name: np.zeros((1, 3)) for name in TRAJECTORY_FIELDS}
    shorter = replace(tick(1), trajectories=TrajectorySet(1, 0.1, **arrays))
    comparison = compare([tick(1)], [shorter])
    assert comparison.differing_tick_count == 1
    assert comparison.first_difference is not None
    assert comparison.first_difference.candidate == "shape (1, 3)"


def test_all_differences_are_counted_and_the_first_ones_kept() -> None:
    count = MAX_KEPT_DIFFERENCES + 50
    comparison = compare([tick(t) for t in range(count)], [tick(t, x=shifted(1.0)) for t in range(count)])
    assert comparison.differing_tick_count == count
    assert len(comparison.differences) == MAX_KEPT_DIFFERENCES
    row = next(field for field in comparison.fields if field.field == "x")
    assert (row.compared, row.differing, row.tolerance, row.unit) == (count, count, 0.01, "m")
    assert row.worst == pytest.approx(1.0)


def test_lineage_ids_are_not_compared() -> None:
    other = tick(1)
    assert other.rationale is not None
    other = replace(other, rationale=replace(other.rationale, lineage_id="sha256:other"))
    assert compare([tick(1)], [other]).differing_tick_count == 0
