"""Noise of the tick's seeds becomes actions in Euler steps, and actions a path that never rolls back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError, ProfileError, TensorSpecError
from alpamayo_ros.inference.action_scale import ActionScale
from alpamayo_ros.inference.backend import TensorSpec, derive_seed, validate_tensors
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.params.planner import PlannerParams
from alpamayo_ros.params.profile import Profile, StageSpec, load_profile
from alpamayo_ros.planning.planner import Planner
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.plan import PlanContext
from alpamayo_ros.structs.trajectory import TrajectorySet

KINEMATIC = load_profile("kinematic")
MODEL = ModelFolder(Path(), "m", "1", {}, "unknown", ActionScale((0.5, 0.01), (2.0, 0.1)), {})
WIDTH = 3
Velocity = Callable[[np.ndarray, float], np.ndarray]


class FakeExpert:
    """An action expert whose velocity is a function of the sample and the time."""

    def __init__(self, velocity: Velocity, samples: int = -1) -> None:
        self.velocity = velocity
        self.input_specs: tuple[TensorSpec, ...] = (
            TensorSpec("states", (-1, WIDTH), "float32"),
            TensorSpec("history", (1, 16, 4), "float32"),
            TensorSpec("noise", (samples, 64, 2), "float32"),
            TensorSpec("time", (), "float32"),
        )
        self.output_specs: tuple[TensorSpec, ...] = (TensorSpec("velocity", (samples, 64, 2), "float32"),)
        self.times: list[float] = []
        self.noise: list[np.ndarray] = []
        self.inputs: Mapping[str, Any] = {}

    def warm_up(self) -> None: ...

    def close(self) -> None: ...

    def infer(self, inputs: Mapping[str, Any], seed: int) -> Mapping[str, Any]:
        validate_tensors(self.input_specs, inputs, "input")
        self.inputs = inputs
        self.times.append(float(inputs["time"]))
        self.noise.append(inputs["noise"])
        return {"velocity": self.velocity(inputs["noise"], float(inputs["time"])).astype(np.float32)}


def towards(*target: float) -> Velocity:
    """Return the velocity of a straight flow that ends in a target."""
    return lambda sample, time: (np.array(target) - sample) / (1.0 - time)


def profile(samples: int = 6, selection: str = "first_sample", **options: float) -> Profile:
    stages = {**KINEMATIC.stages, "plan": StageSpec("action.onnx", options, "flow_matching")}
    return replace(KINEMATIC, stages=stages, sample_count=samples, selection=selection)


def context(observation: Observation) -> PlanContext:
    states = {"states": np.ones((5, WIDTH), np.float32)}
    return PlanContext(observation.t0_ns, observation.epoch, observation.history, states)


def plan(expert: FakeExpert, observation: Observation, given: Profile | None = None) -> TrajectorySet:
    return Planner(given or profile(), PlannerParams(), expert, MODEL).plan(context(observation))


def test_actions_are_unnormalised_and_rolled_out(straight_observation: Callable[..., Observation]) -> None:
    # The mean is 0.5 m/s^2 and 0.01 1/m, the standard deviations are 2 and 0.1.
    result = plan(FakeExpert(towards(-0.5, 0.1)), straight_observation(8.0))
    assert result.acceleration == pytest.approx(np.full((6, 64), -0.5), abs=1e-4)
    assert result.curvature == pytest.approx(np.full((6, 64), 0.02), abs=1e-5)
    assert result.speed[0] == pytest.approx(8.0 - 0.05 * np.arange(1, 65), abs=1e-3)
    assert result.x[0, 0] == pytest.approx(0.7975, abs=1e-3)
    assert (result.selected_index, result.selection_rule) == (0, "first sample")


def test_the_flow_is_integrated_from_0_in_equal_steps(straight_observation: Callable[..., Observation]) -> None:
    expert = FakeExpert(lambda sample, time: np.full(sample.shape, time))
    plan(expert, straight_observation(), profile(flow_steps=4))
    assert expert.times == [0.0, 0.25, 0.5, 0.75]
    assert expert.noise[3] - expert.noise[0] == pytest.approx(np.full((6, 64, 2), 0.1875), abs=1e-6)
    default = FakeExpert(towards(0.0, 0.0))
    plan(default, straight_observation())
    assert len(default.times) == 10


def test_every_sample_has_noise_of_a_seed_of_its_own(straight_observation: Callable[..., Observation]) -> None:
    def noise(t0_ns: int, samples: int) -> np.ndarray:
        expert = FakeExpert(towards(0.0, 0.0))
        plan(expert, straight_observation(t0_ns=t0_ns), profile(samples))
        return expert.noise[0]

    six = noise(7, 6)
    assert np.array_equal(six, noise(7, 6))
    assert np.array_equal(six[:2], noise(7, 2))
    assert not np.array_equal(six, noise(8, 6))
    assert len({row.tobytes() for row in six}) == 6
    generator = np.random.Generator(np.random.PCG64(derive_seed(0, 7, "plan", 3)))
    assert np.array_equal(six[3], generator.standard_normal((64, 2)).astype(np.float32))
    assert (abs(six.mean()), six.std()) == (pytest.approx(0.0, abs=0.15), pytest.approx(1.0, abs=0.1))


def test_the_states_and_the_history_condition_every_step(straight_observation: Callable[..., Observation]) -> None:
    expert = FakeExpert(towards(0.0, 0.0))
    plan(expert, straight_observation(5.0))
    assert expert.inputs["states"].tolist() == [[1.0] * WIDTH] * 5
    assert expert.inputs["history"][0, -2].tolist() == pytest.approx([-0.5, 0.0, 1.0, 0.0])


def test_actions_stay_within_the_bounds_of_the_action_space(straight_observation: Callable[..., Observation]) -> None:
    result = plan(FakeExpert(towards(900.0, 900.0)), straight_observation(1.0))
    assert result.acceleration.max() == pytest.approx(9.8, abs=1e-3)
    assert result.curvature.max() == pytest.approx(0.33)


def test_a_rig_that_rolls_back_starts_from_standstill(straight_observation: Callable[..., Observation]) -> None:
    result = plan(FakeExpert(towards(-1.0, 0.0)), straight_observation(-1.0))
    assert not result.speed.any()
    assert not result.x.any()


def test_the_speed_at_t0_is_measured_over_the_window(straight_observation: Callable[..., Observation]) -> None:
    observation = straight_observation(8.0)
    position = observation.history.position_m.copy()
    position[:10, 0] -= 5.0  # a jump of the odometry, 0.6 s ago
    jumped = replace(observation, history=replace(observation.history, position_m=position))
    still = FakeExpert(towards(-0.25, -0.1))
    assert plan(still, jumped).speed[0, 0] == pytest.approx(8.0, abs=1e-3)
    assert plan(still, jumped, profile(speed_window_ms=1500)).speed[0, 0] != pytest.approx(8.0, abs=0.5)


def test_the_medoid_can_be_the_plan(straight_observation: Callable[..., Observation]) -> None:
    def velocity(sample: np.ndarray, time: float) -> np.ndarray:
        wish = np.zeros(sample.shape)
        wish[:, :, 0] = np.array([4.0, 1.0, 0.0])[:, np.newaxis]
        return (wish - sample) / (1.0 - time)

    result = plan(FakeExpert(velocity), straight_observation(), profile(3, "medoid"))
    assert (result.selected_index, result.selection_rule) == (1, "medoid")
    single = plan(FakeExpert(towards(0.0, 0.0)), straight_observation(), profile(1, "medoid"))
    assert (single.selected_index, single.selection_rule) == (0, "only sample")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_actions_that_are_not_finite_are_an_error(
    straight_observation: Callable[..., Observation], value: float
) -> None:
    with pytest.raises(BackendError, match="actions of the planning stage are not finite"):
        plan(
            FakeExpert(lambda sample, _: np.full(sample.shape, value)), straight_observation(), profile(flow_steps=1000)
        )


def test_a_history_without_a_speed_is_an_error(straight_observation: Callable[..., Observation]) -> None:
    observation = straight_observation()
    position = observation.history.position_m.copy()
    position[::2, 0] = 1.7e308
    position[1::2, 0] = -1.7e308
    unmeasurable = replace(observation, history=replace(observation.history, position_m=position))
    with pytest.raises(BackendError, match=r"speed at t0 is .* by the ego history; expected a finite one"):
        plan(FakeExpert(towards(0.0, 0.0)), unmeasurable)


def test_a_context_without_states_is_refused(straight_observation: Callable[..., Observation]) -> None:
    planner = Planner(profile(), PlannerParams(), FakeExpert(towards(0.0, 0.0)), MODEL)
    with pytest.raises(TensorSpecError, match=r"plan context has the tensors \[\]; expected 'states'"):
        planner.plan(replace(context(straight_observation()), tensors={}))


def test_a_model_folder_and_a_fitting_expert_are_needed() -> None:
    expert = FakeExpert(towards(0.0, 0.0))
    with pytest.raises(ProfileError, match=r"'flow_matching' needs the normalisation .* names no model folder"):
        Planner(profile(), PlannerParams(), expert)
    with pytest.raises(TensorSpecError, match=r"'noise' is float32 \(5, 64, 2\); expected float32 \(6, 64, 2\)"):
        Planner(profile(), PlannerParams(), FakeExpert(towards(0.0, 0.0), 5), MODEL)
    expert.output_specs = ()
    with pytest.raises(TensorSpecError, match=r"output of the action expert has the tensors \[\]; expected"):
        Planner(profile(), PlannerParams(), expert, MODEL)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flow_steps": 0.0}, "flow_steps is 0.0, out of range; expected from 1 to 1000"),
        ({"flow_steps": 1.5}, "flow_steps is 1.5; expected a whole number"),
        ({"speed_window_ms": 10.0}, "speed_window_ms is 10.0, out of range"),
        ({"guidance": 1.0}, "option 'guidance' is not known; expected one of: flow_steps, speed_window_ms"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        Planner(profile(**options), PlannerParams(), FakeExpert(towards(0.0, 0.0)), MODEL)


def test_an_unknown_method_or_selection_is_refused() -> None:
    stages = {**KINEMATIC.stages, "plan": StageSpec("x", method="magic")}
    with pytest.raises(ProfileError, match="stages/plan/method 'magic' is not known; expected one of: direct, flow_m"):
        Planner(replace(KINEMATIC, stages=stages), PlannerParams(), FakeExpert(towards(0.0)), MODEL)
    with pytest.raises(ProfileError, match="selection 'best' is not known; expected one of: first_sample, medoid"):
        Planner(profile(selection="best"), PlannerParams(), FakeExpert(towards(0.0)), MODEL)


@pytest.mark.parametrize("shape", [(1, 64, 2), (6, 1, 2), (6, 64, 1), (1, 1, 1)])
def test_a_velocity_that_numpy_would_spread_over_the_samples_is_refused(
    straight_observation: Callable[..., Observation], shape: tuple[int, int, int]
) -> None:
    expert = FakeExpert(lambda sample, time: np.zeros(shape))
    expert.output_specs = (TensorSpec("velocity", (-1, -1, -1), "float32"),)
    with pytest.raises(TensorSpecError, match=r"'velocity' is float32 .* expected float32 \(6, 64, 2\)"):
        plan(expert, straight_observation())


def test_a_normalisation_beyond_what_a_float_holds_is_an_error_and_no_warning(
    straight_observation: Callable[..., Observation],
) -> None:
    vast = replace(MODEL, actions=ActionScale((1e308, 0.0), (1e308, 1.0)))
    with pytest.raises(BackendError, match="actions of the planning stage are not finite"):
        Planner(profile(), PlannerParams(), FakeExpert(towards(9.0, 0.0)), vast).plan(context(straight_observation()))
