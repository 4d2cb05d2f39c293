"""Differences of outputs: where they are, how large, and what is no number."""

import numpy as np
import pytest

from alpamayo_ros.errors import TensorSpecError
from alpamayo_ros.inference.backend import Tensors, TensorSpec
from alpamayo_ros.inference.comparison import Apart, PairedSession, largest_difference, random_inputs

INF, NAN = float("inf"), float("nan")


class Scale:
    """A session that multiplies."""

    def __init__(self, factor: float, output: str = "y") -> None:
        self.input_specs = (TensorSpec("x", (-1, 2), "float32"),)
        self.output_specs = (TensorSpec(output, (-1, 2), "float32"),)
        self.factor, self.seeds, self.open = np.float32(factor), [], True

    def warm_up(self) -> None:
        self.infer({"x": np.zeros((1, 2), np.float32)}, 0)

    def infer(self, inputs: Tensors, seed: int) -> Tensors:
        self.seeds.append(seed)
        return {self.output_specs[0].name: inputs["x"] * self.factor}

    def close(self) -> None:
        self.open = False


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ([1.0, 2.0], [1.0, 2.5], 0.5),
        ([1.0], [1.0, 2.0], INF),
        ([NAN, 1.0], [NAN, 1.0], 0.0),
        ([INF], [INF], 0.0),
        ([INF], [-INF], INF),
        ([1.0], [NAN], INF),
        ([], [], 0.0),
    ],
)
def test_the_largest_difference(first: list[float], second: list[float], apart: float) -> None:
    assert largest_difference(np.array(first), np.array(second)) == apart


def test_unsigned_numbers_and_truths_do_not_wrap() -> None:
    assert largest_difference(np.array([0], np.uint8), np.array([255], np.uint8)) == 255.0
    assert largest_difference(np.array([True]), np.array([False])) == 1.0


def test_means_are_over_all_values_of_all_calls() -> None:
    apart = Apart()
    apart.add(np.array([1.0, 1.0]), np.array([1.0, 2.0]))
    apart.add(np.array([4.0, NAN]), np.array([4.0, NAN]))
    assert (apart.calls, apart.values, apart.largest) == (2, 3, 1.0)
    assert apart.total / apart.values == pytest.approx(1.0 / 3.0)
    assert apart.size == pytest.approx(6.0)


def test_a_pair_gives_what_the_first_gives_and_measures_the_second() -> None:
    first, second = Scale(1.0), Scale(1.5)
    pair = PairedSession(first, second)
    pair.warm_up()
    pair.forget()
    given = pair.infer({"x": np.array([[2.0, 4.0]], np.float32)}, 9)
    assert given["y"].tolist() == [[2.0, 4.0]]
    assert pair.apart["y"].largest == 2.0
    assert pair.apart["y"].calls == 1
    assert first.seeds[-1] == second.seeds[-1] == 9
    pair.close()
    assert (first.open, second.open) == (False, True)


def test_programs_with_other_tensors_are_no_pair() -> None:
    with pytest.raises(TensorSpecError, match="outputs differ"):
        PairedSession(Scale(1.0), Scale(1.0, "z"))


def test_random_inputs_fit_and_are_those_of_the_seed() -> None:
    specs = (
        TensorSpec("x", (-1, 3), "float32"),
        TensorSpec("images", (2, 4), "uint8"),
        TensorSpec("tokens", (-1,), "int64"),
        TensorSpec("flag", (), "bool"),
    )
    one, again = (random_inputs(specs, np.random.default_rng(3)) for _ in range(2))
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert {name: value.dtype.name for name, value in one.items()} == {spec.name: spec.dtype for spec in specs}
    assert one["x"].shape[0] == one["tokens"].shape[0] >= 1
    assert one["tokens"].max() < 4
