"""Steer along the path at the wanted offset, and back to it from beside it."""

import math

from alpamayo_ros.world.expert.offsets import Offset

MAX_CURVATURE = 0.2
"""1/m: a turning circle of 10 m in diameter is what a usual passenger car can do."""
CURVATURE_RATE = 0.25
"""1/m per s: half a turn of the steering wheel within a second."""
MAX_LATERAL_MPS2 = 3.5
LATERAL_JERK_MPS3 = 10.0
"""Most change of the acceleration to a side per second: brisk, but no swerve."""
MAX_APPROACH_RAD = 0.4
"""It comes back to the path at no steeper angle than this,"""
MAX_APPROACH_MPS = 1.2
"""nor faster than this to the side."""
_LEAST_LENGTH_M = 3.0
_LENGTH_S = 0.6


def steer(
    *,
    error_m: float,
    heading_error_rad: float,
    path_curvature: float,
    wanted: Offset,
    speed_mps: float,
    present_curvature: float,
    dt_s: float,
    most_lateral_mps2: float = MAX_LATERAL_MPS2,
) -> float:
    """Return the curvature to drive until the next step, 1/m.

    Feed-forward is the path's curvature and the bend of the wanted offset. The feedback makes the error decay as a
    critically damped second order system does in space, with a length that grows with the speed: the error asks for
    a heading, within limits, and the heading for a curvature.

    Args:
        error_m: Left of the wanted offset.
        heading_error_rad: Left of the path's direction.
        path_curvature: Of the path where the vehicle is about to be, 1/m.
        wanted: Offset from the path there.
        speed_mps: Now.
        present_curvature: That is driven now, from which it changes at the rate of a steering wheel.
        dt_s: Until the next step.
        most_lateral_mps2: Most acceleration to a side; the limit of its change is in proportion.
    """
    length = max(_LEAST_LENGTH_M, _LENGTH_S * speed_mps)
    steepest = min(MAX_APPROACH_RAD, MAX_APPROACH_MPS / max(1.0, speed_mps))
    approach = min(max(-error_m / (2.0 * length), -steepest), steepest)
    heading = math.atan(wanted.slope) + approach
    offset_curvature = path_curvature / max(0.3, 1.0 - path_curvature * (wanted.d_m + error_m))
    curvature = offset_curvature + wanted.bend + 2.0 * (heading - heading_error_rad) / length
    most = min(MAX_CURVATURE, most_lateral_mps2 / max(1.0, speed_mps) ** 2)
    curvature = min(max(curvature, -most), most)
    jerk = LATERAL_JERK_MPS3 * most_lateral_mps2 / MAX_LATERAL_MPS2
    change = min(CURVATURE_RATE, jerk / max(1.0, speed_mps) ** 2) * dt_s
    return min(max(curvature, present_curvature - change), present_curvature + change)
