"""Tensors are what their specification says, and seeds depend on the tick alone."""

import hashlib

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError, TensorSpecError
from alpamayo_ros.inference.backend import TensorSpec, derive_seed, require_finite, require_specs, validate_tensors

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
