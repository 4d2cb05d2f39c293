"""Parameters of perception: how long to wait, and which input is too old, too sparse or wrong."""

from dataclasses import dataclass

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.params.detector import DetectorParams
from alpamayo_ros.params.parameter import parameter

LATENESS_MS = 50
"""At least this much may a message be behind the other topics without changing an outcome."""


@dataclass(frozen=True, slots=True)
class PerceptionParams(DetectorParams):
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
    navigation_max_age_ms: int = parameter(
        2000,
        "A navigation command holds for this long unless a newer one comes; then there is none.",
        unit="ms",
        minimum=100,
        maximum=3_600_000,
    )
    topics_file: str = parameter(
        "",
        "Topics file: which topic carries which input; empty for ~/input/odometry, ~/input/navigation and "
        "~/input/camera/<id>.",
        behavioural=False,
    )
    skip_when_busy: bool = parameter(
        default=True,
        description="While the stages are busy only the newest closed tick waits and the others are SKIPPED_BUSY; "
        "false answers every tick, however late, as a replay does.",
        behavioural=False,
    )
    answer_timeout_ms: int = parameter(
        10_000,
        "After this long without an answer a tick fails and the next one is sent; 0 waits for ever.",
        unit="ms",
        minimum=0,
        maximum=600_000,
        behavioural=False,
    )
    requested_ticks_file: str = parameter(
        "", "JSON list of [epoch, t0 in ns] to answer in place of those that the trigger gives.", behavioural=False
    )
    silence_after_ms: int = parameter(
        1000,
        "An input that is silent for this long is reported.",
        unit="ms",
        minimum=100,
        maximum=60_000,
        behavioural=False,
        live=True,
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
