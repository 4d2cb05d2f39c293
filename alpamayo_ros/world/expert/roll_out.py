"""What the expert is about to do: its own constraints, three seconds ahead, in words."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from alpamayo_ros.structs.rationale import LongitudinalAction
from alpamayo_ros.world.expert.cause import Cause
from alpamayo_ros.world.expert.constraint import Constraint
from alpamayo_ros.world.expert.parameters import ExpertParameters

HORIZON_S = 3.0
STANDSTILL_MPS = 0.5
"""Below this speed the vehicle counts as standing."""
CHANGE_MPS = 1.0
"""A smaller change of the speed within the horizon is none."""
_STEP_S = 0.25


class Outlook(NamedTuple):
    """Where the vehicle is at the end of the horizon, if the others go on as they do.

    Attributes:
        s_m: Places of the rear axle along the path, at every step from now on.
        speeds_mps: At the same times.
        taken_mps: By key of each cause that binds: the cause, and how much speed it takes from what the free road
            allows, summed over the horizon.
    """

    s_m: list[float]
    speeds_mps: list[float]
    taken_mps: dict[tuple[str, str], tuple[Cause, float]]

    def main_cause(self, least_mps: float) -> Cause | None:
        """Return the cause that takes most speed, if it takes at least this much; the first of equals."""
        cause, taken = max(self.taken_mps.values(), key=lambda item: item[1], default=(None, 0.0))
        return cause if taken >= least_mps else None

    def at(self, t_s: float) -> float:
        """Return the place of the rear axle at a time within the horizon."""
        return self.s_m[min(round(t_s / _STEP_S), len(self.s_m) - 1)]


def binding(
    constraints: Sequence[Constraint], s_m: float, speed_mps: float, t_s: float = 0.0
) -> tuple[float, Constraint]:
    """Return the least acceleration that any constraint allows, and that constraint; the first of equals."""
    least, least_constraint = float("inf"), constraints[0]
    for constraint in constraints:
        allowed = constraint.acceleration(s_m, speed_mps, t_s)
        if allowed < least:
            least, least_constraint = allowed, constraint
    return least, least_constraint


def limit_jerk(wanted: float, present: float, dt_s: float, parameters: ExpertParameters) -> float:
    """Return the acceleration that comes nearest to the wanted one within the limits of the jerk.

    Braking hard may begin at once; the softer the braking, the softer its beginning.
    """
    hard = wanted < -1.5 * parameters.braking_mps2
    down = parameters.hard_jerk_mps3 if hard else 1.5 * parameters.jerk_mps3
    return min(max(wanted, present - down * dt_s), present + parameters.jerk_mps3 * dt_s)


def roll_out(
    constraints: Sequence[Constraint],
    s_m: float,
    speed_mps: float,
    acceleration_mps2: float,
    parameters: ExpertParameters,
) -> Outlook:
    """Drive on for the horizon under these constraints.

    Args:
        constraints: The first is that of the free road.
        s_m: Of the rear axle along the path.
        speed_mps: Now.
        acceleration_mps2: Now, from which the jerk is limited.
        parameters: How the expert drives.
    """
    places, speeds, acceleration = [s_m], [speed_mps], acceleration_mps2
    taken: dict[tuple[str, str], tuple[Cause, float]] = {}
    for step in range(round(HORIZON_S / _STEP_S)):
        wanted, constraint = binding(constraints, s_m, speed_mps, step * _STEP_S)
        cause = constraint.cause
        if cause is not None:
            lost = constraints[0].acceleration(s_m, speed_mps, step * _STEP_S) - wanted
            taken[cause.key] = (cause, taken.get(cause.key, (cause, 0.0))[1] + lost * _STEP_S)
        acceleration = limit_jerk(wanted, acceleration, _STEP_S, parameters)
        next_speed = max(0.0, speed_mps + acceleration * _STEP_S)
        s_m += (speed_mps + next_speed) / 2.0 * _STEP_S
        if next_speed == 0.0:
            acceleration = max(acceleration, 0.0)
        speed_mps = next_speed
        places.append(s_m)
        speeds.append(speed_mps)
    return Outlook(places, speeds, taken)


def longitudinal_action(speeds_mps: Sequence[float]) -> LongitudinalAction:
    """Name what the vehicle does along its path.

    It is stopped if it stands and goes on standing. Otherwise the first change by more than CHANGE_MPS counts, so that
    braking for somebody who crosses is braking, even if the vehicle is as fast as before three seconds later; to come
    to a stand is braking and to start is accelerating, however slow.

    Args:
        speeds_mps: From now on to the end of the horizon, at least one.
    """
    now = speeds_mps[0]
    if now < STANDSTILL_MPS:
        return LongitudinalAction.STOPPED if max(speeds_mps) < STANDSTILL_MPS else LongitudinalAction.ACCELERATE
    for speed in speeds_mps:
        if speed < STANDSTILL_MPS or now - speed > CHANGE_MPS:
            return LongitudinalAction.DECELERATE
        if speed - now > CHANGE_MPS:
            return LongitudinalAction.ACCELERATE
    return LongitudinalAction.KEEP_SPEED


def time_to(distance_m: float, speed_mps: float, fastest_mps: float, acceleration_mps2: float) -> float:
    """Return the time for a way, accelerating to a speed and then keeping it; 0 if it lies behind."""
    if distance_m <= 0.0:
        return 0.0
    speed = min(speed_mps, fastest_mps) if speed_mps < fastest_mps else speed_mps
    getting_up = max(0.0, fastest_mps - speed) / acceleration_mps2
    covered = (speed + fastest_mps) / 2.0 * getting_up
    if covered >= distance_m:
        return (math.sqrt(speed * speed + 2.0 * acceleration_mps2 * distance_m) - speed) / acceleration_mps2
    return getting_up + (distance_m - covered) / max(fastest_mps, speed)
