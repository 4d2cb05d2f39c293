"""The protocol that every backend fulfils: NumPy in, NumPy out."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.errors import BackendError, TensorSpecError

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, shape and type of one tensor; -1 stands for any length of a dimension."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a session runs, whatever runs it.

    Attributes:
        threads: Threads that one inference is pinned to, on a CPU.
        device: ``cpu`` or ``cuda``; only backends that can do both ask.
        outside_share: Largest share of a file's nodes that ``ort_tensorrt`` may run elsewhere than in TensorRT.
    """

    threads: int = 1
    device: str = "cpu"
    outside_share: float = 0.0


ONE_CPU_THREAD = SessionOptions()


class Session(Protocol):
    """One loaded program or engine. Calls are serialised by the caller."""

    @property
    def input_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` takes."""

    @property
    def output_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` returns."""

    def warm_up(self) -> None:
        """Run once on zeros, so that the first tick is as fast as the others."""

    def infer(self, inputs: Tensors, seed: int) -> Tensors:
        """Run once.

        Args:
            inputs: Tensors by name, as in ``input_specs``.
            seed: Reseeds every generator before the run; see ``derive_seed``.

        Raises:
            TensorSpecError: An input is missing or has another shape or type.
            BackendError: The run did not succeed.
        """

    def close(self) -> None:
        """Release what the session holds."""


def validate_tensors(specs: tuple[TensorSpec, ...], tensors: Tensors, what: str) -> None:
    """Require exactly the named tensors, with their shapes and types.

    Args:
        specs: What is expected.
        tensors: What is given.
        what: For error texts, e.g. ``input of kinematic_motion``.

    Raises:
        TensorSpecError: They differ.
    """
    names, types = _expected(specs)
    if names != tensors.keys():
        raise TensorSpecError(f"{what} has the tensors {sorted(tensors)}; expected {sorted(names)}")
    for spec, dtype in zip(specs, types, strict=True):
        tensor = tensors[spec.name]
        if tensor.dtype != dtype or (tensor.shape != spec.shape and not _fits(spec.shape, tensor.shape)):
            raise TensorSpecError(
                f"{what} {spec.name!r} is {tensor.dtype} {tensor.shape}; expected {spec.dtype} {spec.shape}"
            )


@lru_cache(maxsize=256)
def _expected(specs: tuple[TensorSpec, ...]) -> tuple[frozenset[str], tuple["np.dtype[Any]", ...]]:
    """Return names and types, which every run of every program asks for."""
    return frozenset(spec.name for spec in specs), tuple(np.dtype(spec.dtype) for spec in specs)


def _fits(wanted: tuple[int, ...], have: tuple[int, ...]) -> bool:
    """Whether a shape is the wanted one, where -1 is any length."""
    return len(have) == len(wanted) and all(want in (-1, length) for want, length in zip(wanted, have, strict=True))


def require_specs(have: tuple[TensorSpec, ...], want: tuple[TensorSpec, ...], what: str) -> None:
    """Require that a program takes or gives exactly the named tensors, before anything is run.

    Args:
        have: What the program states; -1 where it leaves a length open.
        want: What is needed; -1 where any length will do.
        what: For error texts, e.g. ``input of reasoning.onnx``.

    Raises:
        TensorSpecError: They differ.
    """
    stated = {spec.name: spec for spec in have}
    names = sorted(spec.name for spec in want)
    if names != sorted(stated):
        raise TensorSpecError(f"{what} has the tensors {sorted(stated)}; expected {names}")
    for spec in want:
        found = stated[spec.name]
        if not _alike(found.shape, spec.shape) or np.dtype(found.dtype) != np.dtype(spec.dtype):
            raise TensorSpecError(
                f"{what} {spec.name!r} is {found.dtype} {found.shape}; expected {spec.dtype} {spec.shape}, "
                "where -1 is any length"
            )


def require_output(session: Session, want: TensorSpec, what: str) -> None:
    """Require that a program gives a tensor, whatever else it gives, before anything is run.

    Args:
        session: The loaded program.
        want: The tensor; -1 where any length will do. Any type that holds fractions will do.
        what: For error texts, e.g. ``the plan stage``.

    Raises:
        TensorSpecError: It does not.
    """
    for spec in session.output_specs:
        if spec.name == want.name and _alike(spec.shape, want.shape) and np.issubdtype(spec.dtype, np.floating):
            return
    given = ", ".join(f"{spec.name} {spec.dtype} {spec.shape}" for spec in session.output_specs) or "nothing"
    raise TensorSpecError(f"{what} gives {given}; expected {want.name} {want.dtype} {want.shape}")


def require_fit(giver: Session, taker: Session, needed: str, what: str) -> None:
    """Require that what one program gives fits what the next one takes under the same name, before anything is run.

    Args:
        giver: Program of the stage before.
        taker: Program of the stage after it.
        needed: Name of a tensor that must be handed on; empty for none.
        what: For error texts, e.g. ``perceive and reason``.

    Raises:
        TensorSpecError: A tensor has another shape or type, or the needed one is not given.
    """
    given = {spec.name: spec for spec in giver.output_specs}
    if needed and needed not in given:
        raise TensorSpecError(f"stages {what} do not fit: {sorted(given)} is given; expected {needed!r} among it")
    for want in taker.input_specs:
        found = given.get(want.name)
        if found is not None and not (found.dtype == want.dtype and _alike(found.shape, want.shape)):
            raise TensorSpecError(
                f"stages {what} do not fit: {want.name!r} is given as {found.dtype} {found.shape} and taken as "
                f"{want.dtype} {want.shape}; expected the files of one model"
            )


def _alike(have: tuple[int, ...], want: tuple[int, ...]) -> bool:
    return len(have) == len(want) and all(-1 in pair or pair[0] == pair[1] for pair in zip(have, want, strict=True))


def require_finite(tensors: Tensors, stage: str) -> None:
    """Require that every output of a stage is finite.

    Raises:
        BackendError: One is not.
    """
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise BackendError(f"output {name!r} of the {stage} stage is not finite")


def derive_seed(base: int, t0_ns: int, stage: str, sample: int) -> int:
    """Return the seed of one inference: 63 bits of sha256 of ``base:t0_ns:stage:sample``.

    It depends on nothing else, so that any tick can be run again alone.
    """
    digest = hashlib.sha256(f"{base}:{t0_ns}:{stage}:{sample}".encode("ascii")).digest()
    return int.from_bytes(digest[:8], "big") >> 1
