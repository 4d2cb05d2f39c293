"""Actions go to the model's scale and back, and a small curvature counts there as much as it matters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.inference.action_scale import ActionScale

LINEAR = ActionScale((0.5, 0.01), (2.0, 0.1))
BENT = ActionScale((0.0, 0.0), (1.5, 1.0), 0.005)


@pytest.mark.parametrize("scale", [LINEAR, BENT])
@given(acceleration=st.floats(-10, 10), curvature=st.floats(-0.2, 0.2))
def test_an_action_comes_back_as_it_was(scale: ActionScale, acceleration: float, curvature: float) -> None:
    actions = np.array([[acceleration, curvature]])
    assert scale.physical(scale.normalised(actions)) == pytest.approx(actions, rel=1e-9, abs=1e-12)


def test_a_linear_scale_is_mean_and_deviation() -> None:
    assert LINEAR.normalised(np.array([2.5, 0.21])) == pytest.approx([1.0, 2.0])


def test_a_knee_keeps_small_curvatures_and_bends_large_ones() -> None:
    small, knee, sharp = BENT.normalised(np.array([[0.0, 0.0001], [0.0, 0.005], [0.0, 0.2]]))[:, 1]
    assert small == pytest.approx(0.02, rel=1e-3)
    assert knee == pytest.approx(np.log(1.0 + np.sqrt(2.0)))
    assert sharp == pytest.approx(np.log(80.0), abs=1e-3)


def test_what_is_given_is_not_changed() -> None:
    given_actions = np.array([[1.0, 0.1]])
    BENT.normalised(given_actions)
    BENT.physical(given_actions)
    assert given_actions.tolist() == [[1.0, 0.1]]


def test_what_no_float_holds_is_infinite_without_a_warning() -> None:
    assert np.isinf(BENT.physical(np.array([0.0, 1e4]))[1])
