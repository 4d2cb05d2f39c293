"""What actors and signals of a snapshot look like."""

import math
import zlib
from collections.abc import Callable

import numpy as np

from alpamayo_ros.errors import ParameterError, expected_one_of
from alpamayo_ros.world.rendering.faces import Placed
from alpamayo_ros.world.rendering.mesh import BRAKE, HEAD, LEFT, RIGHT
from alpamayo_ros.world.rendering.model import Model
from alpamayo_ros.world.rendering.people import cyclist, gait_phase, pedestrian
from alpamayo_ros.world.rendering.street import barrier, cone, signal_housing, signal_pole
from alpamayo_ros.world.rendering.vehicles import bus, car, truck
from alpamayo_ros.world.snapshot import KINDS, Actor, Signal

BLINK_S = 0.8
"""Indicators are lit in the first half of each of these periods."""
GAIT_CYCLE_M = 1.45
"""Way of one gait cycle of a person who is 1.75 m tall."""
PEDAL_CYCLE_M = 5.0
STANDING_MPS, STROLLING_MPS = 0.2, 0.9
POLE_ABOVE_M = 0.5
"""How far the pole of a signal reaches above the middle of its housing."""
LONGEST_ARM_M = 14.0
INDICATORS: dict[str, frozenset[int]] = {
    "none": frozenset(),
    "left": frozenset({LEFT}),
    "right": frozenset({RIGHT}),
    "hazard": frozenset({LEFT, RIGHT}),
}
SIGNAL_STATES = ("red", "amber", "green", "off")


def placed_actor(actor: Actor, t_s: float, *, night: bool) -> Placed:
    """Return an actor at its place.

    Args:
        actor: The actor.
        t_s: Time, which indicators blink by.
        night: Whether vehicles have their lamps lit.

    Raises:
        ParameterError: The kind or indicator is unknown, or a number is not finite or not possible.
    """
    if actor.kind not in KINDS:
        raise ParameterError(expected_one_of("kind of actor", actor.kind, KINDS))
    if actor.indicator not in INDICATORS:
        raise ParameterError(expected_one_of("indicator", actor.indicator, tuple(INDICATORS)))
    numbers = (actor.x, actor.y, actor.heading, actor.speed_mps, actor.length, actor.width, actor.height)
    if not all(map(math.isfinite, numbers)) or min(numbers[4:]) <= 0.0:
        raise ParameterError(
            f"actor {actor.id!r} has x, y, heading, speed, length, width, height {numbers}; "
            f"expected: finite numbers, and a size above 0"
        )
    lit: set[int] = set()
    if actor.kind in {"car", "van", "truck", "bus"}:
        if actor.braking:
            lit.add(BRAKE)
        if math.fmod(t_s, BLINK_S) < BLINK_S / 2.0:
            lit |= INDICATORS[actor.indicator]
        if night:
            lit.add(HEAD)
    return Placed(_model(actor), actor.x, actor.y, actor.heading, actor.colour, frozenset(lit))


def _model(actor: Actor) -> Model:
    size = (round(actor.length, 2), round(actor.width, 2), round(actor.height, 2))
    looks = zlib.crc32(actor.id.encode())
    along = actor.x * math.cos(actor.heading) + actor.y * math.sin(actor.heading)
    if actor.kind == "car":
        return car(*size, "sedan" if size[0] > 4.25 and looks % 3 else "hatchback")
    if actor.kind == "van":
        return car(*size, "van")
    if actor.kind == "pedestrian":
        speed = abs(actor.speed_mps)
        stride = 0 if speed < STANDING_MPS else 1 if speed < STROLLING_MPS else 2
        phase = gait_phase(along + 0.07 * (looks % 16), GAIT_CYCLE_M * size[2] / 1.75) if stride else 0
        return pedestrian(*size, phase, stride, looks % 36)
    if actor.kind == "bicycle":
        return cyclist(*size, gait_phase(along, PEDAL_CYCLE_M), looks % 36)
    simple: dict[str, Callable[[float, float, float], Model]] = {
        "truck": truck,
        "bus": bus,
        "cone": cone,
        "barrier": barrier,
    }
    return simple[actor.kind](*size)


def placed_signal(signal: Signal) -> Placed:
    """Return the housing of a signal at its place.

    Raises:
        ParameterError: The state is unknown, or a number is not finite.
    """
    if signal.state not in SIGNAL_STATES:
        raise ParameterError(expected_one_of("state of a signal", signal.state, SIGNAL_STATES))
    numbers = (signal.x, signal.y, signal.z, signal.heading)
    if not all(map(math.isfinite, numbers)):
        raise ParameterError(f"signal {signal.id!r} has x, y, z, heading {numbers}; expected: finite numbers")
    return Placed(signal_housing(round(signal.z, 2), signal.state), signal.x, signal.y, signal.heading)


def placed_pole(signal: Signal, is_driven: Callable[[float, float], bool]) -> Placed:
    """Return what holds the housing of a signal: a pole behind it, or beside the road with an arm over it.

    Args:
        signal: The signal.
        is_driven: Tells whether vehicles drive over a place.
    """
    ahead = np.array([math.cos(signal.heading), math.sin(signal.heading)])
    right = np.array([ahead[1], -ahead[0]])
    foot = np.array([signal.x, signal.y]) + 0.12 * ahead
    reach = 0.0
    while reach < LONGEST_ARM_M and is_driven(float(foot[0] + right[0] * reach), float(foot[1] + right[1] * reach)):
        reach += 0.5
    if reach > 0.0:
        reach += 0.5
        foot = foot + right * reach
    height = round(signal.z + POLE_ABOVE_M, 2)
    return Placed(signal_pole(height, reach), float(foot[0]), float(foot[1]), signal.heading)
