"""Who else is on the road, and what they do: every move is scripted."""

import math
from dataclasses import dataclass

from alpamayo_ros.world.lane import Lane
from alpamayo_ros.world.mesh import Colour, Mesh
from alpamayo_ros.world.pulses import Motion, Phases, Pulse
from alpamayo_ros.world.shapes import SHAPES, vehicle

ONCOMING_D_M = 3.5
"""Offset of the oncoming lane's centre line."""
CROSSING_M = 111.0
"""Where the pedestrian crossing begins along the lane."""
BRAKE_LIGHT_MPS2 = 0.4
"""Deceleration from which the brake lights are lit."""
HELD_MPS = 0.1
"""Speed below which a vehicle in traffic is held by its brakes."""

LIGHT = Phases("green", ((8.4, "amber"), (10.6, "red")))
"""The traffic light at the crossing, for both directions, over s."""

EGO_MOTION = Motion(
    0.0,
    0.0,
    (Pulse(2.3, 0.7, 1.3, 4.6, 1.9), Pulse(0.3, 7.0, 0.8, 8.6, 0.8), Pulse(-2.6, 10.5, 1.0, 13.55, 1.2)),
)
"""Start behind the lead vehicle, keep up, brake when it brakes, creep on."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a vehicle is: rear axle on the ground in the world, and how it moves."""

    x: float
    y: float
    heading: float
    speed_mps: float
    braking: bool


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle that follows a line along the lane.

    Attributes:
        id: Name, unique in the world.
        shape: Key of ``SHAPES``.
        paint: Blue, green, red.
        d_m: Offset from the ego lane's centre line.
        motion: Along the lane; towards smaller s for oncoming vehicles.
        oncoming: Whether it looks towards smaller s.
    """

    id: str
    shape: str
    paint: Colour
    d_m: float
    motion: Motion
    oncoming: bool = False

    @property
    def parked(self) -> bool:
        """Whether it never moves."""
        return self.motion.start_mps == 0.0 and not self.motion.pulses

    def placement(self, lane: Lane, t_s: float) -> Placement | None:
        """Return where it is at a time, None where it is beyond the lane's ends."""
        s_m = self.motion.position_m(t_s)
        if not lane.first_m + 5.0 <= s_m <= lane.last_m - 5.0:
            return None
        point = lane.point(s_m, self.d_m)
        sign = -1.0 if self.oncoming else 1.0
        speed, acceleration = self.motion.speed_mps(t_s), self.motion.acceleration_mps2(t_s)
        return Placement(
            point.x,
            point.y,
            point.heading + (math.pi if self.oncoming else 0.0),
            sign * speed,
            not self.parked and (sign * acceleration < -BRAKE_LIGHT_MPS2 or sign * speed < HELD_MPS),
        )

    def mesh(self, placement: Placement) -> Mesh:
        """Return what is seen of it."""
        built = vehicle(SHAPES[self.shape], self.paint, braking=placement.braking)
        return built.placed(placement.x, placement.y, placement.heading)


MOVING = (
    Vehicle(
        "lead",
        "hatchback",
        (52.0, 46.0, 176.0),
        0.0,
        Motion(15.5, 0.0, (Pulse(2.2, 0.1, 1.1, 4.3, 1.7), Pulse(-2.475, 9.5, 0.8, 13.5, 0.8))),
    ),
    Vehicle("oncoming_1", "sedan", (168.0, 120.0, 62.0), ONCOMING_D_M, Motion(52.0, -8.6), oncoming=True),
    Vehicle("oncoming_2", "van", (226.0, 228.0, 226.0), ONCOMING_D_M, Motion(98.0, -8.2), oncoming=True),
    Vehicle("oncoming_3", "hatchback", (70.0, 176.0, 214.0), ONCOMING_D_M, Motion(166.0, -8.8), oncoming=True),
    Vehicle(
        "oncoming_4",
        "sedan",
        (92.0, 84.0, 78.0),
        ONCOMING_D_M,
        Motion(208.0, -8.4, (Pulse(2.4, 7.9, 1.0, 11.6, 0.6),)),
        oncoming=True,
    ),
)
