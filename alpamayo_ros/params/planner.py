"""Parameters of planning: what a trajectory set must satisfy before it is published."""

from dataclasses import dataclass

from alpamayo_ros.params.parameter import parameter
from alpamayo_ros.params.stack import ModelParams


@dataclass(frozen=True, slots=True)
class PlannerParams(ModelParams):
    """Limits of a plausible trajectory; one that breaks them fails its stage instead of being published."""

    max_start_error_m: float = parameter(
        2.0,
        "Largest distance of the first point from where the measured speed leads.",
        unit="m",
        minimum=0.1,
        maximum=20.0,
    )
    max_speed_mps: float = parameter(
        70.0, "Largest speed that a trajectory may contain.", unit="m/s", minimum=1.0, maximum=150.0
    )
