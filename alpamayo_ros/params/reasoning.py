"""Parameters of reasoning: which measured motion gets which word."""

from dataclasses import dataclass

from alpamayo_ros.params.parameter import parameter
from alpamayo_ros.params.stack import ModelParams


@dataclass(frozen=True, slots=True)
class ReasoningParams(ModelParams):
    """Window and thresholds of the measured motion."""

    motion_window_ms: int = parameter(
        500, "Part of the ego history, up to t0, that speed and turn rate are measured over.",
        unit="ms", minimum=100, maximum=1500,
    )  # fmt: skip
    standstill_speed_mps: float = parameter(
        0.2, "Slower than this is called stopped.", unit="m/s", minimum=0.0, maximum=2.0
    )
    acceleration_threshold_mps2: float = parameter(
        0.3, "Weaker than this is called keeping speed.", unit="m/s^2", minimum=0.0, maximum=5.0
    )
    turn_rate_threshold_radps: float = parameter(
        0.02, "Slower than this is called straight.", unit="rad/s", minimum=0.0, maximum=1.0
    )
