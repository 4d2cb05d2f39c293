"""Parameters of perception: how long to wait, and which input is too old, too sparse or wrong."""

from dataclasses import dataclass

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.params.parameter import parameter

LATENESS_MS = 50
"""At least this much may a message be behind the other topics without changing an outcome."""


@dataclass(frozen=True, slots=True)
class PerceptionParams:
    """Limits of the observation; the defaults are the ones that the determinism of the tick rule is stated for."""

    max_wait_ms: int = parameter(
        300,
        "A tick closes when any input is this much newer than it, even if another input is silent.",
        unit="ms",
        minimum=200,
        maximum=5000,
    )
    max_odometry_gap_ms: int = parameter(
        150, "Largest distance of two odometry samples around a history time.", unit="ms", minimum=1, maximum=1000
    )
    max_quaternion_error: float = parameter(
        1e-3, "Largest distance of an orientation quaternion's norm from 1.", minimum=0.0, maximum=0.1
    )
    max_camera_age_ms: int = parameter(
        100, "Oldest allowed newest frame of a camera, before t0.", unit="ms", minimum=1, maximum=1000
    )
    max_camera_skew_ms: int = parameter(
        50, "Largest distance of a frame from its grid time.", unit="ms", minimum=1, maximum=500
    )
    max_fov_error_deg: float = parameter(
        8.0, "Largest difference of a camera's horizontal field of view from the profile.", unit="deg", minimum=0.0
    )
    max_yaw_error_deg: float = parameter(
        10.0, "Largest difference of a camera's yaw from the profile.", unit="deg", minimum=0.0
    )

    def __post_init__(self) -> None:
        """Require that the outcome stays independent of the arrival order.

        Raises:
            ParameterError: A tick could close before the inputs that decide it have arrived.
        """
        for name in ("max_odometry_gap_ms", "max_camera_skew_ms"):
            needed = getattr(self, name) + LATENESS_MS
            if self.max_wait_ms < needed:
                raise ParameterError(
                    f"parameter perception.max_wait_ms is {self.max_wait_ms} ms, but {name} is "
                    f"{getattr(self, name)} ms; expected at least {needed} ms, so that no outcome depends on the order "
                    "of arrival"
                )
