"""Word a measured motion, without pretending that anything was understood."""

from alpamayo_ros.inference.backend import Tensors
from alpamayo_ros.params.reasoning import ReasoningParams
from alpamayo_ros.structs.rationale import (
    LATERAL_WORDS,
    LONGITUDINAL_WORDS,
    LaneAction,
    LateralAction,
    LongitudinalAction,
    Rationale,
)


def motion_rationale(t0_ns: int, outputs: Tensors, params: ReasoningParams) -> Rationale:
    """Return a rationale that states the measured motion and that no learned part was used.

    Args:
        t0_ns: Model time in ns.
        outputs: Holds ``motion``: speed in m/s, acceleration in m/s^2, turn rate in rad/s.
        params: Thresholds of the words.
    """
    speed, acceleration, turn_rate = (float(value) for value in outputs["motion"])
    longitudinal = _longitudinal(speed, acceleration, params)
    moves = abs(speed) >= params.standstill_speed_mps
    lateral = _lateral(turn_rate, params) if moves else LateralAction.STRAIGHT
    # Adding zero turns a rounded -0.0 into 0.0.
    rounded_acceleration, rounded_turn_rate = round(acceleration, 1) + 0.0, round(turn_rate, 2) + 0.0
    text = (
        f"Measured from odometry: {speed:.1f} m/s, {LONGITUDINAL_WORDS[longitudinal]} "
        f"({rounded_acceleration:+.1f} m/s^2), {LATERAL_WORDS[lateral]} ({rounded_turn_rate:+.2f} rad/s). "
        "The plan keeps this speed and turn rate. No learned part was used and no picture was looked at."
    )
    return Rationale(t0_ns, text, longitudinal, lateral, LaneAction.UNKNOWN)


def _longitudinal(speed: float, acceleration: float, params: ReasoningParams) -> LongitudinalAction:
    if speed < -params.standstill_speed_mps:
        return LongitudinalAction.REVERSE
    if acceleration > params.acceleration_threshold_mps2:
        return LongitudinalAction.ACCELERATE
    if speed < params.standstill_speed_mps:
        return LongitudinalAction.STOPPED
    if acceleration < -params.acceleration_threshold_mps2:
        return LongitudinalAction.DECELERATE
    return LongitudinalAction.KEEP_SPEED


def _lateral(turn_rate: float, params: ReasoningParams) -> LateralAction:
    if turn_rate > params.turn_rate_threshold_radps:
        return LateralAction.LEFT
    if turn_rate < -params.turn_rate_threshold_radps:
        return LateralAction.RIGHT
    return LateralAction.STRAIGHT
