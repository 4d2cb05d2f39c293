"""What limits the expert along its path: something to stay behind, and speeds to keep."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.parameters import ExpertParameters

HELD_MPS2 = -1.0
"""The brakes hold the vehicle where it stands."""
CREEP_MPS = 0.4
"""Below this speed the vehicle holds where it is as near as it wants to be."""
CREEP_GAP_M = 0.8
_PACE_GAIN_HZ = 1.5
_PREVIEW_S = 0.5
_MIN_GAP_M = 0.1
_SLOW_SHARE = 0.7
_LEFT_SHARE = 0.5
_OPENING_SHARE = 1.25
_URGENCY = 1.5


class Constraint(Protocol):
    """Something that limits the acceleration."""

    @property
    def cause(self) -> Cause | None:
        """Whose constraint it is; None for the free road."""

    def acceleration(self, s_m: float, speed_mps: float, t_s: float) -> float:
        """Return the most that it allows, m/s^2, with the rear axle at s_m and t_s from now."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """Something on the path to stay behind: a vehicle ahead, a stop line, a place where somebody crosses.

    Attributes:
        cause: Whose constraint it is.
        s_m: Where the ego vehicle's rear axle is when its front touches it.
        parameters: How the expert drives.
        gap_m: What it leaves when it stands.
        headway_s: Time that it leaves to it.
        speed_mps: Along the path; negative if it comes nearer.
        braking_mps2: How it slows down, until it stands.
        until_s: When it leaves the path, from now.
    """

    cause: Cause
    s_m: float
    parameters: ExpertParameters
    gap_m: float
    headway_s: float
    speed_mps: float = 0.0
    braking_mps2: float = 0.0
    until_s: float = math.inf

    def acceleration(self, s_m: float, speed_mps: float, t_s: float) -> float:
        """Return what keeps the desired gap, of the Intelligent Driver Model without its term of the free road.

        It is a (1 - (desired gap / gap)^2), so that the desired gap itself is kept where nothing else binds
        (Treiber and Kesting 2013, section 11.3.7).
        """
        limits = self.parameters
        if t_s > self.until_s:
            return limits.acceleration_mps2
        other_speed, moved = self.speed_mps, self.speed_mps * t_s
        if self.braking_mps2 > 0.0 and other_speed > 0.0:
            lasting = min(t_s, other_speed / self.braking_mps2)
            moved = other_speed * lasting - self.braking_mps2 * lasting * lasting / 2.0
            other_speed = max(0.0, other_speed - self.braking_mps2 * lasting)
        gap = self.s_m + moved - s_m
        if speed_mps < CREEP_MPS and gap < self.gap_m + CREEP_GAP_M and other_speed < CREEP_MPS:
            return HELD_MPS2
        if gap < _MIN_GAP_M:
            return -limits.hard_braking_mps2 if speed_mps > other_speed else min(0.0, other_speed - speed_mps)
        closing = (
            speed_mps * (speed_mps - other_speed) / (2.0 * math.sqrt(limits.acceleration_mps2 * limits.braking_mps2))
        )
        desired = self.gap_m + max(0.0, speed_mps * self.headway_s + closing)
        ratio = desired / gap
        # Where nothing comes nearer, a gap that is too small opens again without hard braking.
        needed = max(0.0, speed_mps - other_speed) ** 2 / (2.0 * max(gap - _LEFT_SHARE * self.gap_m, _MIN_GAP_M))
        hardest = max(_OPENING_SHARE * limits.braking_mps2, _URGENCY * needed + self.braking_mps2)
        hardest = min(hardest, limits.hard_braking_mps2)
        return max(-hardest, limits.acceleration_mps2 * (1.0 - ratio * ratio))


@dataclass(frozen=True, slots=True)
class Pace:
    """A speed to keep at each place of the path.

    Attributes:
        cause: Whose constraint it is; None for the speed limit.
        speeds_mps: At each multiple of ``spacing_m`` along the path; the last one holds beyond.
        spacing_m: Between two speeds.
        parameters: How the expert drives.
    """

    cause: Cause | None
    speeds_mps: Sequence[float]
    spacing_m: float
    parameters: ExpertParameters

    def speed(self, s_m: float) -> float:
        """Return the speed to keep with the rear axle at s_m."""
        index = int(s_m / self.spacing_m)
        return self.speeds_mps[min(max(index, 0), len(self.speeds_mps) - 1)]

    def acceleration(self, s_m: float, speed_mps: float, t_s: float) -> float:  # noqa: ARG002 - it never changes
        """Return what brings the vehicle to the speed half a second ahead."""
        wanted = self.speed(s_m + speed_mps * _PREVIEW_S)
        limits = self.parameters
        if speed_mps > wanted:
            return max(-1.5 * limits.braking_mps2, _PACE_GAIN_HZ * (wanted - speed_mps))
        share = speed_mps / wanted if wanted > 0.0 else 1.0
        return limits.acceleration_mps2 * (1.0 - share**4)


@dataclass(frozen=True, slots=True)
class SlowPlace:
    """A part of the path that is driven slowly, as beside cones.

    Attributes:
        cause: Whose constraint it is.
        start_m: Where the rear axle is when the vehicle must be slow.
        end_m: Where it may speed up again.
        speed_mps: What it may drive there.
        parameters: How the expert drives.
    """

    cause: Cause
    start_m: float
    end_m: float
    speed_mps: float
    parameters: ExpertParameters

    def acceleration(self, s_m: float, speed_mps: float, t_s: float) -> float:  # noqa: ARG002 - it never changes
        """Return what brings the vehicle to the speed of the place in time, with less than comfortable braking."""
        limits = self.parameters
        if s_m > self.end_m:
            return limits.acceleration_mps2
        rest = max(0.0, self.start_m - s_m - speed_mps * _PREVIEW_S)
        wanted = math.sqrt(self.speed_mps**2 + 2.0 * _SLOW_SHARE * limits.braking_mps2 * rest)
        if speed_mps > wanted:
            return max(-1.5 * limits.braking_mps2, _PACE_GAIN_HZ * (wanted - speed_mps))
        return limits.acceleration_mps2 * (1.0 - (speed_mps / wanted) ** 4)


def drivable_speeds(limits_mps: Sequence[float], spacing_m: float, braking_mps2: float) -> list[float]:
    """Return the speeds from which every later limit is reached with this braking, backwards from the end."""
    speeds = list(limits_mps)
    for index in range(len(speeds) - 2, -1, -1):
        reached = math.sqrt(speeds[index + 1] ** 2 + 2.0 * braking_mps2 * spacing_m)
        speeds[index] = min(speeds[index], reached)
    return speeds
