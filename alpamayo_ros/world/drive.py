"""The ego vehicle's drive: exact poses and velocities at any time."""

import math
from dataclasses import dataclass

from alpamayo_ros.world.lane import Lane
from alpamayo_ros.world.pulses import Motion

PITCH_PER_ACCELERATION = 0.0025
"""rad per m/s^2: how far the body squats and dives, a usual passenger car on soft springs."""
ROLL_PER_ACCELERATION = 0.0030
"""rad per m/s^2 of lateral acceleration: how far the body leans outward in a bend."""

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class EgoState:
    """Where the ego vehicle is and how it moves.

    Attributes:
        position: Rear axle on the ground in the world, m.
        yaw: Heading in rad, left positive.
        pitch: Nose down positive, rad.
        roll: Right side down positive, rad.
        speed_mps: Along the heading.
        acceleration_mps2: Along the heading.
        curvature: Of the path, 1/m.
        linear_velocity: In the rig frame, m/s.
        angular_velocity: In the rig frame, rad/s.
    """

    position: Triple
    yaw: float
    pitch: float
    roll: float
    speed_mps: float
    acceleration_mps2: float
    curvature: float
    linear_velocity: Triple
    angular_velocity: Triple

    @property
    def quaternion(self) -> tuple[float, float, float, float]:
        """Orientation of the rig in the world as a unit quaternion, xyzw."""
        cy, sy = math.cos(self.yaw / 2), math.sin(self.yaw / 2)
        cp, sp = math.cos(self.pitch / 2), math.sin(self.pitch / 2)
        cr, sr = math.cos(self.roll / 2), math.sin(self.roll / 2)
        return (
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
            cr * cp * cy + sr * sp * sy,
        )


@dataclass(frozen=True, slots=True)
class EgoDrive:
    """A unicycle that follows the centre of its lane on flat ground, its body leaning on its springs."""

    lane: Lane
    motion: Motion

    def state(self, t_s: float) -> EgoState:
        """Return the state at a time after the start in s.

        Yaw comes from the path. Pitch and roll are proportional to the accelerations, so their rates are
        proportional to the jerk and everything is known in closed form.
        """
        s_m = self.motion.position_m(t_s)
        speed = self.motion.speed_mps(t_s)
        acceleration = self.motion.acceleration_mps2(t_s)
        point = self.lane.point(s_m)
        curvature = self.lane.curvature(s_m)
        pitch = -PITCH_PER_ACCELERATION * acceleration
        roll = ROLL_PER_ACCELERATION * speed * speed * curvature
        pitch_rate = -PITCH_PER_ACCELERATION * self.motion.jerk_mps3(t_s)
        roll_rate = ROLL_PER_ACCELERATION * (
            2.0 * speed * acceleration * curvature + speed**3 * self.lane.curvature_slope(s_m)
        )
        yaw_rate = speed * curvature
        cp, sp = math.cos(pitch), math.sin(pitch)
        cr, sr = math.cos(roll), math.sin(roll)
        return EgoState(
            position=(point.x, point.y, 0.0),
            yaw=point.heading,
            pitch=pitch,
            roll=roll,
            speed_mps=speed,
            acceleration_mps2=acceleration,
            curvature=curvature,
            linear_velocity=(speed * cp, speed * sp * sr, speed * sp * cr),
            angular_velocity=(
                roll_rate - yaw_rate * sp,
                pitch_rate * cr + yaw_rate * sr * cp,
                -pitch_rate * sr + yaw_rate * cr * cp,
            ),
        )
