"""Planar motion of a rig: measured from poses, and rolled out at constant turn rate and velocity or by actions."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MAX_CURVATURE_RADPM = 0.33
"""Largest curvature that a road vehicle drives, 1/m; the bound of the Alpamayo action space."""

MAX_ACCELERATION_MPS2 = 9.8
"""Largest acceleration and deceleration, m/s^2; the bound of the Alpamayo action space."""


@dataclass(frozen=True, slots=True)
class PlanarMotion:
    """Motion of the rig at t0.

    Attributes:
        speed_mps: Along the heading, negative when reversing.
        acceleration_mps2: Rate of change of the speed.
        turn_rate_radps: Left positive.
    """

    speed_mps: float
    acceleration_mps2: float
    turn_rate_radps: float


def measure_motion(
    position_m: NDArray[np.float64],
    rotation: NDArray[np.float64],
    offset_s: NDArray[np.float64],
    window_s: float,
) -> PlanarMotion:
    """Measure the motion at t0 from past poses.

    Each pair of neighbouring poses gives the speed along the arc between them (chord * h / sin h, where h is half
    the heading change), signed by the heading half-way. Lines fitted to speed and heading by least squares
    give the values at t0.

    Args:
        position_m: (H, 3) in the rig frame at t0, oldest first.
        rotation: (H, 3, 3) in the rig frame at t0.
        offset_s: (H,) time of each pose relative to t0, ascending, the last 0.
        window_s: Only poses at -window_s and later count; at least two always do.
    """
    first = min(int(np.searchsorted(offset_s, -window_s - 1e-6)), len(offset_s) - 2)
    position, offset = position_m[first:, :2], offset_s[first:]
    heading = np.arctan2(rotation[first:, 1, 0], rotation[first:, 0, 0])
    turn = heading[1:] - heading[:-1]
    turn -= 2.0 * np.pi * np.round(turn / (2.0 * np.pi))
    heading[1:] = heading[0] + np.cumsum(turn)
    step = position[1:] - position[:-1]
    duration = offset[1:] - offset[:-1]
    half_turn = 0.5 * turn
    middle = heading[:-1] + half_turn
    forward = step[:, 0] * np.cos(middle) + step[:, 1] * np.sin(middle)
    arc = np.copysign(np.hypot(step[:, 0], step[:, 1]), forward) / np.sinc(half_turn / np.pi)
    speed, acceleration = _line_at_zero(offset[:-1] + 0.5 * duration, arc / duration)
    _, turn_rate = _line_at_zero(offset, heading)
    return PlanarMotion(speed, acceleration, turn_rate)


def limit_turn_rate(motion: PlanarMotion) -> PlanarMotion:
    """Return the motion with no tighter turn than a road vehicle drives.

    A rig that stands still then does not turn on the noise of its odometry.
    """
    limit = MAX_CURVATURE_RADPM * abs(motion.speed_mps)
    return replace(motion, turn_rate_radps=min(max(motion.turn_rate_radps, -limit), limit))


def _line_at_zero(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    mean_x, mean_y = float(np.add.reduce(x)) / len(x), float(np.add.reduce(y)) / len(y)
    centred = x - mean_x
    spread = float(np.dot(centred, centred))
    slope = float(np.dot(centred, y - mean_y)) / spread if spread > 0.0 else 0.0
    return mean_y - slope * mean_x, slope


def roll_out(motion: PlanarMotion, count: int, dt_s: float) -> NDArray[np.float64]:
    """Roll out constant turn rate and velocity.

    x = v/w sin(w t), y = v/w (1 - cos(w t)), written with sinc so that w = 0 needs no special case.

    Args:
        motion: Motion at t0; its acceleration is not used.
        count: Number of points N.
        dt_s: Time between points; point k lies at (k + 1) * dt_s.

    Returns:
        (N, 3): x and y in m in the rig frame at t0, and yaw in rad.
    """
    time = np.arange(1, count + 1, dtype=np.float64) * dt_s
    half = 0.5 * motion.turn_rate_radps * time
    chord = motion.speed_mps * time * np.sinc(half / np.pi)
    return np.stack([chord * np.cos(half), chord * np.sin(half), 2.0 * half], axis=1)


def limit_actions(actions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return actions within the bounds of the action space.

    Args:
        actions: (..., 2): acceleration in m/s^2 and curvature in 1/m.
    """
    bounds = np.array([MAX_ACCELERATION_MPS2, MAX_CURVATURE_RADPM])
    return np.clip(actions, -bounds, bounds)


def roll_out_actions(actions: NDArray[np.float64], speed_mps: float, dt_s: float) -> NDArray[np.float64]:
    """Roll a unicycle out by accelerations and curvatures, each held for one step.

    v[k+1] = max(v[k] + a[k] dt, 0), yaw[k+1] = yaw[k] + curvature[k] d[k] with d[k] = (v[k] + v[k+1]) dt / 2, and the
    position advances by the mean of the velocities at both ends of the step: the integration of the Alpamayo action
    space, except that a braked vehicle stops instead of rolling back. The acceleration of the result is the one that
    the speeds show, so it is zero at a standstill whatever was asked for.

    Args:
        actions: (K, N, 2): acceleration in m/s^2 and curvature in 1/m of K samples.
        speed_mps: Speed at t0; a negative one counts as zero.
        dt_s: Time of one step; point k lies at (k + 1) * dt_s.

    Returns:
        (K, 7, N) in the order of structs.trajectory.TRAJECTORY_FIELDS, in the rig frame at t0.
    """
    samples, count, _ = actions.shape
    speeds = np.empty((samples, count + 1))
    speeds[:, 0] = max(speed_mps, 0.0)
    for step in range(count):
        np.maximum(speeds[:, step] + actions[:, step, 0] * dt_s, 0.0, out=speeds[:, step + 1])
    before, after = speeds[:, :-1], speeds[:, 1:]
    curvature = actions[:, :, 1]
    yaw = np.zeros((samples, count + 1))
    np.cumsum(curvature * (0.5 * dt_s) * (before + after), axis=1, out=yaw[:, 1:])
    forward, left = speeds * np.cos(yaw), speeds * np.sin(yaw)
    x = np.cumsum(0.5 * dt_s * (forward[:, :-1] + forward[:, 1:]), axis=1)
    y = np.cumsum(0.5 * dt_s * (left[:, :-1] + left[:, 1:]), axis=1)
    return np.stack([x, y, np.zeros_like(x), yaw[:, 1:], after, (after - before) / dt_s, curvature], axis=1)
