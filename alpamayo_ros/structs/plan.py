"""What reasoning hands to planning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from alpamayo_ros.structs.observation import EgoHistory


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What planning needs of reasoning.

    Attributes:
        t0_ns: Model time in ns.
        epoch: Counts steps back of the trigger's clock.
        history: Where the rig was, as in the observation.
        tensors: Outputs of the reasoning stage by name.
    """

    t0_ns: int
    epoch: int
    history: EgoHistory
    tensors: Mapping[str, NDArray[Any]]
