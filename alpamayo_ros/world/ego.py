"""How the ego vehicle moves: a unicycle in closed form, its body leaning on its springs."""

import math

from alpamayo_ros.world.snapshot import EgoState

PITCH_PER_ACCELERATION = 0.0025
"""rad per m/s^2: how far the body squats and dives, a usual passenger car on soft springs."""
ROLL_PER_ACCELERATION = 0.0030
"""rad per m/s^2 of lateral acceleration: how far the body leans outward in a bend."""

_STRAIGHT_RAD = 1e-4
"""Below this turn the chord's length is taken from its series."""


def ego_state(x: float, y: float, yaw: float, speed_mps: float, acceleration_mps2: float, curvature: float) -> EgoState:
    """Return the state of an ego vehicle on flat ground; pitch and roll follow from the accelerations.

    The jerk of a step is not known, so the rates of pitch and roll are taken as zero.
    """
    pitch = -PITCH_PER_ACCELERATION * acceleration_mps2
    roll = ROLL_PER_ACCELERATION * speed_mps * speed_mps * curvature
    yaw_rate = speed_mps * curvature
    cp, sp = math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    return EgoState(
        position=(x, y, 0.0),
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        speed_mps=speed_mps,
        acceleration_mps2=acceleration_mps2,
        curvature=curvature,
        linear_velocity=(speed_mps * cp, speed_mps * sp * sr, speed_mps * sp * cr),
        angular_velocity=(-yaw_rate * sp, yaw_rate * sr * cp, yaw_rate * cr * cp),
    )


def advance_ego(state: EgoState, acceleration: float, curvature: float, dt: float) -> EgoState:
    """Drive on with constant acceleration and curvature; the vehicle stops rather than reverse.

    Args:
        state: Where it is now; its own acceleration and curvature have no part in what follows.
        acceleration: Along the heading, m/s^2.
        curvature: Of the path, 1/m, left positive.
        dt: s.

    Raises:
        ValueError: An argument is not finite, or dt is negative.
    """
    if not all(math.isfinite(value) for value in (acceleration, curvature, dt)) or dt < 0.0:
        raise ValueError(
            f"motion of acceleration {acceleration} m/s^2, curvature {curvature} 1/m over {dt} s cannot be driven; "
            "expected finite numbers and no negative time"
        )
    speed = state.speed_mps + acceleration * dt
    distance = (state.speed_mps + speed) / 2.0 * dt
    if speed < 0.0:
        # It stands within the step: v^2 / 2a is what is left, and then nothing pulls it back.
        distance = state.speed_mps**2 / (-2.0 * acceleration)
        speed, acceleration = 0.0, -state.speed_mps / dt
    turn = curvature * distance
    half = turn / 2.0
    chord = distance * (1.0 - half * half / 6.0 if abs(half) < _STRAIGHT_RAD else math.sin(half) / half)
    return ego_state(
        state.position[0] + chord * math.cos(state.yaw + half),
        state.position[1] + chord * math.sin(state.yaw + half),
        state.yaw + turn,
        speed,
        acceleration,
        curvature,
    )


def interpolate_ego(a: EgoState, b: EgoState, share: float) -> EgoState:
    """Return the state between two consecutive ones, share 0 at a and 1 at b.

    The position is a cubic that has the headings and speeds of both ends, the rest is linear.
    """
    if share <= 0.0:
        return a
    if share >= 1.0:
        return b
    rest = 1.0 - share
    turn = math.remainder(b.yaw - a.yaw, math.tau)
    distance = math.hypot(b.position[0] - a.position[0], b.position[1] - a.position[1])
    # The speed over the step, in m per step, from the distance itself: no clock is needed.
    mean = (a.speed_mps + b.speed_mps) / 2.0
    start, end = (distance * a.speed_mps / mean, distance * b.speed_mps / mean) if mean > 0.0 else (0.0, 0.0)
    h00, h10 = (1.0 + 2.0 * share) * rest * rest, share * rest * rest
    h01, h11 = share * share * (3.0 - 2.0 * share), share * share * (share - 1.0)
    x, y = (
        h00 * a.position[axis] + h10 * start * at_a + h01 * b.position[axis] + h11 * end * at_b
        for axis, at_a, at_b in ((0, math.cos(a.yaw), math.cos(b.yaw)), (1, math.sin(a.yaw), math.sin(b.yaw)))
    )
    return ego_state(
        x,
        y,
        a.yaw + share * turn,
        rest * a.speed_mps + share * b.speed_mps,
        rest * a.acceleration_mps2 + share * b.acceleration_mps2,
        rest * a.curvature + share * b.curvature,
    )
