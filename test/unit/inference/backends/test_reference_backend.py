"""Reference programs are deterministic NumPy behind the same protocol as any engine."""

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError, TensorSpecError
from alpamayo_ros.inference.backends.reference_backend import PROGRAMS, open_session
from alpamayo_ros.params.profile import StageSpec


def test_an_unknown_program_lists_the_known_ones() -> None:
    with pytest.raises(BackendError, match="reference program 'magic' is not known; expected one of: constant_turn"):
        open_session(StageSpec("magic"))


def test_an_option_that_a_program_does_not_take_is_refused() -> None:
    with pytest.raises(BackendError, match=r"takes no options; got \['gain'\]"):
        open_session(StageSpec("kinematic_motion", {"gain": 2.0}))


def test_wrong_inputs_are_refused_before_the_program_runs() -> None:
    with pytest.raises(TensorSpecError, match="input of constant_turn_rate_velocity"):
        open_session(StageSpec("constant_turn_rate_velocity")).infer({"motion": np.zeros(3)}, 0)


def test_constant_turn_rate_and_velocity_is_one_sample_of_every_field() -> None:
    session = open_session(StageSpec("constant_turn_rate_velocity"))
    session.warm_up()
    inputs = {
        "motion": np.array([8.0, 1.0, 0.2]),
        "point_count": np.asarray(5, dtype=np.int64),
        "dt_s": np.asarray(0.1),
    }
    (fields,) = session.infer(inputs, 1).values()
    assert fields.shape == (1, 7, 5)
    assert fields[0, 4] == pytest.approx(np.full(5, 8.0))
    assert fields[0, 5] == pytest.approx(np.zeros(5))
    assert fields[0, 6] == pytest.approx(np.full(5, 0.2 / 8.0))
    assert np.array_equal(fields, session.infer(inputs, 2)["trajectories"])
    session.close()


def test_every_program_states_its_tensors() -> None:
    for program in PROGRAMS.values():
        assert program.inputs
        assert program.outputs
