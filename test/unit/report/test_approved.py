"""How far a prediction is from what was approved."""

import math
from dataclasses import replace

import numpy as np
import pytest

from alpamayo_ros.report.approved import approved_sentence, largest_distance_m, leaves_approved


def test_a_path_without_an_approved_one_is_apart_from_nothing(make_path):
    assert largest_distance_m(make_path()) is None
    assert not leaves_approved(make_path())
    assert approved_sentence(make_path()) == ""


@pytest.mark.parametrize(
    ("ahead_m", "leaves", "words"),
    [(0.0, False, "as approved"), (0.019, False, "as approved"), (0.021, True, "0.02 m"), (-3.0, True, "3.00 m")],
)
def test_a_path_leaves_the_approved_one_from_two_centimetres_on(make_path, approve, ahead_m, leaves, words):
    path = approve(make_path(), ahead_m=ahead_m)
    assert largest_distance_m(path) == pytest.approx(abs(ahead_m))
    assert leaves_approved(path) is leaves
    assert words in approved_sentence(path)


def test_one_point_apart_is_enough(make_path, approve):
    path = approve(make_path())
    approved = path.baseline_rig_xyz_m.copy()
    approved[40, 1] += 0.4
    assert largest_distance_m(replace(path, baseline_rig_xyz_m=approved)) == pytest.approx(0.4)


@pytest.mark.parametrize("value", [math.nan, 1e308, -math.inf])
def test_what_is_no_position_on_one_side_is_infinitely_far_apart(make_path, approve, value):
    path = approve(make_path())
    broken = path.rig_xyz_m.copy()
    broken[5] = value
    assert largest_distance_m(replace(path, rig_xyz_m=broken)) == math.inf
    assert "not the same points" in approved_sentence(replace(path, rig_xyz_m=broken))
    assert leaves_approved(replace(path, baseline_rig_xyz_m=broken[:10]))


def test_what_is_no_position_on_both_sides_differs_in_nothing(make_path, approve):
    path = make_path()
    broken = path.rig_xyz_m.copy()
    broken[5] = np.nan
    assert largest_distance_m(approve(replace(path, rig_xyz_m=broken))) == 0.0
    nothing = np.zeros((0, 3))
    assert largest_distance_m(replace(path, rig_xyz_m=nothing, baseline_rig_xyz_m=nothing)) == 0.0
