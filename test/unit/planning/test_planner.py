"""The planning stage publishes only what is plausible, with the profile's shape."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError, TensorSpecError
from alpamayo_ros.inference.backend import TensorSpec
from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.params.planner import PlannerParams
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.planning.planner import Planner
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.plan import PlanContext

PROFILE = load_profile("kinematic")


class FakeSession:
    """A session that returns given trajectories."""

    input_specs = (TensorSpec("motion", (3,), "float64"),)
    output_specs = (TensorSpec("trajectories", (-1, 7, -1), "float64"),)

    def __init__(self, trajectories: np.ndarray) -> None:
        self.trajectories = trajectories

    def warm_up(self) -> None: ...

    def infer(self, inputs: Any, seed: int) -> Any:
        return {"trajectories": self.trajectories}

    def close(self) -> None: ...


def straight(speed_mps: float = 8.0) -> np.ndarray:
    fields = np.zeros((1, 7, 64))
    fields[0, 0] = speed_mps * 0.1 * np.arange(1, 65)
    fields[0, 4] = speed_mps
    return fields


def plan(trajectories: np.ndarray, observation: Observation) -> Any:
    planner = Planner(PROFILE, PlannerParams(), FakeSession(trajectories))
    return planner.plan(PlanContext(observation.t0_ns, 0, observation.history, {"motion": np.zeros(3)}))


def test_the_kinematic_plan_continues_the_drive(straight_observation: Callable[..., Observation]) -> None:
    observation = straight_observation(8.0)
    planner = Planner(PROFILE, PlannerParams(), open_session("reference", PROFILE.stages["plan"]))
    result = planner.plan(PlanContext(observation.t0_ns, 0, observation.history, {"motion": np.array([8.0, 0.0, 0.0])}))
    assert (result.sample_count, result.point_count, result.dt_s) == (1, 64, pytest.approx(0.1))
    assert result.x[0, 0] == pytest.approx(0.8)
    assert result.x[0, 63] == pytest.approx(51.2)
    assert result.selected_index == 0


@pytest.mark.parametrize("shape", [(1, 7, 63), (2, 7, 64)])
def test_another_shape_than_the_profile_states_is_refused(
    straight_observation: Callable[..., Observation], shape: tuple[int, ...]
) -> None:
    with pytest.raises(TensorSpecError, match=r"trajectories have shape .* expected \(1, 7, 64\)"):
        plan(np.zeros(shape), straight_observation())


def test_a_value_that_is_not_finite_is_refused_with_its_field(
    straight_observation: Callable[..., Observation],
) -> None:
    fields = straight()
    fields[0, 3, 9] = np.nan
    with pytest.raises(BackendError, match="trajectory field 'yaw' is not finite"):
        plan(fields, straight_observation())


def test_a_value_beyond_float32_is_refused(straight_observation: Callable[..., Observation]) -> None:
    fields = straight()
    fields[0, 0, 9] = 1e300
    with pytest.raises(BackendError, match="'x' is not finite"):
        plan(fields, straight_observation())


def test_an_absurd_speed_is_refused(straight_observation: Callable[..., Observation]) -> None:
    with pytest.raises(BackendError, match=r"trajectory speed 90\.0 m/s; expected at most 70\.0 m/s"):
        plan(straight(90.0), straight_observation(90.0))


def test_a_plan_that_starts_elsewhere_is_refused(straight_observation: Callable[..., Observation]) -> None:
    fields = straight()
    fields[0, 1] += 3.0
    with pytest.raises(BackendError, match=r"starts 3\.00 m from where the rig is heading"):
        plan(fields, straight_observation())
