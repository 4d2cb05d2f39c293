"""Figures are shares over the right cases, and a target that is missed is said to be missed."""

from dataclasses import replace

import numpy as np
import pytest

from alpamayo_ros.structs.observation import EgoHistory
from alpamayo_ros.structs.plan import PlanContext
from alpamayo_ros.training.figures import Figure, closed_loop_figures, open_loop_figures, table
from alpamayo_ros.training.open_loop import MomentResult
from alpamayo_ros.world.metrics import DriveSummary, rate

HISTORY = EgoHistory(np.zeros(1, np.int64), np.zeros((1, 3)), np.eye(3)[None], np.zeros(3), np.array([0.0, 0, 0, 1]))
MOMENT = MomentResult(
    episode="curve:0@held_out", step=20, true_label="", true_meta=(2, 1, 1), decisive=False, said_label="",
    said_meta=(2, 1, 1), text="The road is clear, so I keep my speed.", behaviour=2, ade_m=(2.0, 1.0), plan_ade_m=2.0,
    kinematic_ade_m=4.0, contradicted=(), expert_contradicted=(), removed=None, bystander_removed=None,
    context=PlanContext(0, 0, HISTORY, {}), speed_mps=8.0,
)  # fmt: skip


def keep(one: MomentResult, _: MomentResult) -> int:
    return one.behaviour


def test_errors_are_means_and_the_best_sample_counts_for_minade() -> None:
    figures = open_loop_figures([MOMENT, replace(MOMENT, ade_m=(4.0, 3.0))], keep)
    assert figures["min_ade_6_m"].value == pytest.approx(2.0)
    assert figures["ade_1_m"].value == pytest.approx(3.0)
    assert figures["min_ade_6_share"].value == pytest.approx(0.5)
    assert figures["min_ade_6_share"].met is True


def test_causes_are_judged_where_there_is_one_and_absences_where_there_is_none() -> None:
    red = replace(MOMENT, true_label="red_light", said_label="red_light")
    results = [MOMENT, replace(MOMENT, said_label="curve"), red, replace(red, said_label=""), red, red]
    figures = open_loop_figures(results, keep)
    assert (figures["cause_right"].value, figures["cause_right"].count) == (0.75, 4)
    assert (figures["absence_right"].value, figures["absence_right"].count) == (0.5, 2)
    assert figures["cause_red_light"].count == 4


def test_all_three_parts_of_a_meta_action_must_be_right() -> None:
    figures = open_loop_figures([MOMENT, replace(MOMENT, said_meta=(2, 1, 2))], keep)
    assert figures["meta"].value == 0.5
    assert figures["longitudinal"].value == 1.0
    assert figures["lane"].value == 0.5


def test_removals_count_where_something_was_removed() -> None:
    braking = replace(MOMENT, true_label="lead_vehicle", said_label="lead_vehicle", said_meta=(4, 1, 1), behaviour=4)
    flipped = replace(braking, removed=((3, 1, 1), 3), bystander_removed=((4, 1, 1), 4))
    kept = replace(braking, removed=((4, 1, 1), 3), said_label="")
    figures = open_loop_figures([braking, flipped, kept], keep)
    assert (figures["removal_flips"].value, figures["removal_flips"].count) == (0.5, 2)
    assert (figures["removal_flips_named"].value, figures["removal_flips_named"].count) == (1.0, 1)
    assert figures["removal_behaviour_flips"].value == 1.0
    assert (figures["bystander_flips"].value, figures["bystander_flips"].count) == (0.0, 1)


def test_states_are_swapped_with_another_episode_that_behaves_otherwise() -> None:
    other = replace(MOMENT, episode="curve:1@held_out", behaviour=4)
    figures = open_loop_figures([MOMENT, MOMENT, other], lambda one, partner: partner.behaviour)
    assert (figures["swap_changes"].value, figures["swap_changes"].count) == (1.0, 3)
    assert open_loop_figures([MOMENT, MOMENT], keep)["swap_changes"].value is None


def test_a_table_says_what_is_met_and_what_is_missed() -> None:
    text = table({
        "a": Figure("good", 0.95, 10, 0.9), "b": Figure("bad", 0.2, 10, 0.1, at_most=True),
        "c": Figure("none", None, 0, 0.9), "d": Figure("error, m", 1.234, 7),
    })  # fmt: skip
    lines = text.splitlines()
    assert lines[2] == "| good | 95.0% | 10 | at least 90% | yes |"
    assert lines[3] == "| bad | 20.0% | 10 | at most 10% | **missed** |"
    assert lines[4] == "| none | - | 0 | at least 90% |  |"
    assert lines[5] == "| error, m | 1.23 | 7 |  |  |"


def test_closed_loop_rates_have_the_targets_of_their_driver() -> None:
    summary = DriveSummary(20, rate(3, 20), rate(1, 20), rate(0, 20), rate(0, 20), 100.0, 0.9, 4.0, 5.0, 2.0, 1.0)
    figures = closed_loop_figures(summary, replace(summary, collision=rate(0, 20), off_road=rate(0, 20)))
    assert figures["collision_rate"].met is False
    assert figures["off_road_rate"].met is True
    assert figures["expert_collision_rate"].met is True
