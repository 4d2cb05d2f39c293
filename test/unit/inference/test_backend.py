"""Tensors are what their specification says, and seeds depend on the tick alone."""

import hashlib

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError, TensorSpecError
from alpamayo_ros.inference.backend import (
    Tensors,
    TensorSpec,
    derive_seed,
    require_finite,
    require_fit,
    require_output,
    require_specs,
    validate_tensors,
)

SPECS = (TensorSpec("x", (-1, 3), "float64"),)


def test_any_length_fits_minus_one() -> None:
    validate_tensors(SPECS, {"x": np.zeros((0, 3))}, "input")
    validate_tensors(SPECS, {"x": np.zeros((7, 3))}, "input")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({}, r"input has the tensors \[\]; expected \['x'\]"),
        ({"x": np.zeros((1, 3)), "y": np.zeros(1)}, "has the tensors"),
        ({"x": np.zeros((1, 4))}, r"input 'x' is float64 \(1, 4\); expected float64 \(-1, 3\)"),
        ({"x": np.zeros(3)}, r"is float64 \(3,\)"),
        ({"x": np.zeros((1, 3), dtype=np.float32)}, "is float32"),
    ],
)
def test_other_names_shapes_and_types_are_refused(tensors: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(TensorSpecError, match=message):
        validate_tensors(SPECS, tensors, "input")


def test_a_seed_is_63_bits_of_the_digest_of_its_words() -> None:
    digest = hashlib.sha256(b"5:1700000000000000000:plan:2").digest()
    assert derive_seed(5, 1_700_000_000_000_000_000, "plan", 2) == int.from_bytes(digest[:8], "big") >> 1
    assert derive_seed(0, 0, "a", 0) < 2**63


def test_each_part_moves_the_seed() -> None:
    seeds = {
        derive_seed(*parts)
        for parts in [(0, 1, "a", 0), (1, 1, "a", 0), (0, 2, "a", 0), (0, 1, "b", 0), (0, 1, "a", 1)]
    }
    assert len(seeds) == 5


def test_open_lengths_fit_on_either_side() -> None:
    have = (TensorSpec("x", (-1, 3), "float32"), TensorSpec("y", (2, -1), "int64"))
    require_specs(have, (TensorSpec("y", (-1, 7), "int64"), TensorSpec("x", (4, 3), "float32")), "input")


@pytest.mark.parametrize(
    ("want", "message"),
    [
        ((), r"input has the tensors \['x'\]; expected \[\]"),
        ((TensorSpec("z", (-1, 3), "float32"),), r"has the tensors \['x'\]; expected \['z'\]"),
        ((TensorSpec("x", (-1, 4), "float32"),), r"'x' is float32 \(-1, 3\); expected float32 \(-1, 4\), where -1"),
        ((TensorSpec("x", (3,), "float32"),), "expected float32"),
        ((TensorSpec("x", (-1, 3), "float64"),), "expected float64"),
    ],
)
def test_a_program_with_another_interface_is_refused(want: tuple[TensorSpec, ...], message: str) -> None:
    with pytest.raises(TensorSpecError, match=message):
        require_specs((TensorSpec("x", (-1, 3), "float32"),), want, "input")


def test_an_output_that_is_not_finite_is_an_error_and_names_itself() -> None:
    require_finite({"x": np.zeros(3), "n": np.zeros(3, np.int64)}, "planning")
    with pytest.raises(BackendError, match="output 'x' of the planning stage is not finite"):
        require_finite({"x": np.array([0.0, np.nan])}, "planning")


class Interface:
    """A program that is known by its tensors only."""

    def __init__(self, inputs: tuple[TensorSpec, ...] = (), outputs: tuple[TensorSpec, ...] = ()) -> None:
        self.input_specs = inputs
        self.output_specs = outputs

    def warm_up(self) -> None: ...

    def infer(self, inputs: Tensors, seed: int) -> Tensors:
        return {}

    def close(self) -> None: ...


def test_an_output_is_required_by_name_and_shape_and_may_be_of_any_floating_type() -> None:
    want = TensorSpec("motion", (3,), "float64")
    require_output(
        Interface(outputs=(TensorSpec("motion", (-1,), "float32"), TensorSpec("more", (), "bool"))), want, "p"
    )
    for outputs in ((), (TensorSpec("motion", (4,), "float64"),), (TensorSpec("motion", (3,), "int64"),)):
        with pytest.raises(TensorSpecError, match=r"p gives .*; expected motion float64 \(3,\)"):
            require_output(Interface(outputs=outputs), want, "p")


def test_stages_fit_when_what_is_handed_on_has_one_shape_and_type() -> None:
    taker = Interface(inputs=(TensorSpec("states", (-1, 8), "float32"), TensorSpec("history", (1, 16, 4), "float32")))
    require_fit(Interface(outputs=(TensorSpec("states", (-1, -1), "float32"),)), taker, "states", "reason and plan")
    require_fit(Interface(), taker, "", "reason and plan")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            TensorSpec("states", (-1, 9), "float32"),
            r"'states' is given as float32 \(-1, 9\) and taken as float32 \(-1, 8\)",
        ),
        (TensorSpec("states", (8,), "float32"), "expected the files of one model"),
        (TensorSpec("states", (-1, 8), "float64"), "given as float64"),
        (TensorSpec("state", (-1, 8), "float32"), r"\['state'\] is given; expected 'states' among it"),
    ],
)
def test_stages_that_do_not_fit_are_refused(given: TensorSpec, message: str) -> None:
    taker = Interface(inputs=(TensorSpec("states", (-1, 8), "float32"),))
    with pytest.raises(TensorSpecError, match=message):
        require_fit(Interface(outputs=(given,)), taker, "states", "reason and plan")
