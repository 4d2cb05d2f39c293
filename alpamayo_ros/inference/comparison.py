"""Two sessions on equal inputs: how far their outputs are apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import TensorSpecError
from alpamayo_ros.inference.backend import Session, Tensors, TensorSpec

LONGEST_ANY = 4
"""Random inputs have up to this length where any will do."""


@dataclass(slots=True)
class Apart:
    """Differences of one output, summed up over calls.

    Attributes:
        calls: Calls so far.
        values: Numbers so far.
        largest: Largest absolute difference.
        total: Sum of absolute differences.
        size: Sum of absolute values of the first session's output.
    """

    calls: int = 0
    values: int = 0
    largest: float = 0.0
    total: float = 0.0
    size: float = 0.0

    def add(self, first: NDArray[np.generic], second: NDArray[np.generic]) -> None:
        """Take one pair of outputs."""
        self.calls += 1
        apart = largest_difference(first, second)
        self.largest = max(self.largest, apart)
        if first.shape == second.shape and np.isfinite(apart):
            ours, theirs = first.astype(np.float64), second.astype(np.float64)
            finite = np.isfinite(ours)
            self.values += int(finite.sum())
            self.total += float(np.abs(ours[finite] - theirs[finite]).sum())
            self.size += float(np.abs(ours[finite]).sum())


def largest_difference(first: NDArray[np.generic], second: NDArray[np.generic]) -> float:
    """Return the largest absolute difference of two arrays.

    It is infinite where shapes differ, or where a value that is not finite stands beside another one; NaN equals NaN.
    """
    if first.shape != second.shape:
        return float("inf")
    if not first.size:
        return 0.0
    ours, theirs = first.astype(np.float64), second.astype(np.float64)
    odd = ~(np.isfinite(ours) & np.isfinite(theirs))
    if odd.any() and not np.array_equal(ours[odd], theirs[odd], equal_nan=True):
        return float("inf")
    return float(np.abs(ours[~odd] - theirs[~odd]).max(initial=0.0))


class PairedSession:
    """A session beside which another one runs on the same inputs; what comes out is the first one's."""

    def __init__(self, first: Session, second: Session) -> None:
        """Pair two loaded sessions.

        Raises:
            TensorSpecError: They take or give other tensors.
        """
        for what, ours, theirs in (
            ("input", first.input_specs, second.input_specs),
            ("output", first.output_specs, second.output_specs),
        ):
            if _names(ours) != _names(theirs):
                raise TensorSpecError(f"{what}s differ: {_names(ours)} and {_names(theirs)}; expected the same tensors")
        self._first, self._second = first, second
        self.apart: dict[str, Apart] = {}
        self.forget()

    def forget(self) -> None:
        """Forget the differences so far."""
        self.apart = {spec.name: Apart() for spec in self._first.output_specs}

    @property
    def input_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that both take."""
        return self._first.input_specs

    @property
    def output_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that both give."""
        return self._first.output_specs

    def warm_up(self) -> None:
        """Warm up both."""
        self._first.warm_up()
        self._second.warm_up()

    def infer(self, inputs: Tensors, seed: int) -> Tensors:
        """Run both; return what the first one gives."""
        ours = self._first.infer(inputs, seed)
        theirs = self._second.infer(inputs, seed)
        for name, apart in self.apart.items():
            apart.add(ours[name], theirs[name])
        return ours

    def close(self) -> None:
        """Close the first; who loaded the second closes it."""
        self._first.close()


def random_inputs(specs: tuple[TensorSpec, ...], random: np.random.Generator) -> Tensors:
    """Return inputs that fit: normal numbers, whole ones from 0 to 3, bytes of any value."""
    length = int(random.integers(1, LONGEST_ANY + 1))
    found = {}
    for spec in specs:
        shape = [length if side < 0 else side for side in spec.shape]
        kind = np.dtype(spec.dtype)
        if kind == np.uint8:
            found[spec.name] = random.integers(0, 256, shape).astype(kind)
        elif np.issubdtype(kind, np.integer) or kind == np.bool_:
            found[spec.name] = random.integers(0, 2 if kind == np.bool_ else 4, shape).astype(kind)
        else:
            found[spec.name] = random.standard_normal(shape).astype(kind)
    return found


def _names(specs: tuple[TensorSpec, ...]) -> list[tuple[str, str]]:
    return sorted((spec.name, spec.dtype) for spec in specs)
