"""What reasoning hands to planning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What planning needs of reasoning.

    Attributes:
        t0_ns: Model time in ns.
        tensors: Outputs of the reasoning stage by name.
    """

    t0_ns: int
    tensors: Mapping[str, NDArray[Any]]
