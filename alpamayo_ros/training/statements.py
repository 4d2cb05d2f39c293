"""What a rationale's words claim about motion, and whether a trajectory contradicts them; rules in numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.structs.rationale import LaneAction, LateralAction, LongitudinalAction

HORIZON_S = 3.0
"""Longitudinal claims are about the next three seconds, as the driving language means them."""
TOLERANCE_MPS = 1.5
"""A claim to slow down is contradicted by a gain above this without any loss, a claim to speed up by the opposite,"""
NO_CHANGE_MPS = 0.5
KEEP_TOLERANCE_MPS = 3.0
"""a claim to keep the speed by a change above this,"""
STANDING_M = 3.0
"""and a claim to wait by a longer path than this."""
TURN_RAD = 0.17
"""A claim to turn is contradicted by a heading change of more than this to the other side within the horizon of the
trajectory; a heading change of less than that shows nothing."""
LANE_M = 0.75
"""A claim to change lanes is contradicted by a move of more than this to the other side, in the frame of the lane."""

_LONGITUDINAL = (
    (LongitudinalAction.STOPPED, ("wait", "stay stopped", "stand and wait")),
    (LongitudinalAction.DECELERATE, ("slow down", "brake", "reduce my speed")),
    (LongitudinalAction.ACCELERATE, ("speed up", "accelerate")),
    (LongitudinalAction.KEEP_SPEED, ("keep my speed", "hold my speed")),
)
_LATERAL = ((LateralAction.LEFT, ("turn left",)), (LateralAction.RIGHT, ("turn right",)))
_SIDES = (("left", LaneAction.CHANGE_LEFT), ("right", LaneAction.CHANGE_RIGHT))
_LANE_VERBS = ("move to the", "pass on the", "merge to the")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a text claims; UNKNOWN where it claims nothing."""

    longitudinal: LongitudinalAction = LongitudinalAction.UNKNOWN
    lateral: LateralAction = LateralAction.UNKNOWN
    lane: LaneAction = LaneAction.UNKNOWN


def read_statement(text: str) -> Statement:
    """Read the deed of a rationale, which stands behind its last ``so i``.

    Args:
        text: In capitals or not, with or without stops.
    """
    words = " ".join(text.lower().replace(",", " ").replace(".", " ").split())
    _, _, deed = words.rpartition("so i ")
    deed = f" {deed} "

    def says(phrases: tuple[str, ...]) -> bool:
        return any(f" {phrase} " in deed for phrase in phrases)

    longitudinal = next((action for action, phrases in _LONGITUDINAL if says(phrases)), LongitudinalAction.UNKNOWN)
    lateral = next((action for action, phrases in _LATERAL if says(phrases)), LateralAction.UNKNOWN)
    lane = next(
        (action for side, action in _SIDES if says(tuple(f"{verb} {side}" for verb in _LANE_VERBS))),
        LaneAction.UNKNOWN,
    )
    return Statement(longitudinal, lateral, lane)


@dataclass(frozen=True, slots=True)
class Motion:
    """A trajectory in the numbers that statements are about.

    Attributes:
        speed_mps: At t0.
        lowest_mps: Within HORIZON_S.
        highest_mps: Within HORIZON_S.
        path_m: Driven within HORIZON_S.
        turn_rad: Heading change over the whole trajectory.
        shift_m: Move to the left in the frame of the lane over the whole trajectory.
    """

    speed_mps: float
    lowest_mps: float
    highest_mps: float
    path_m: float
    turn_rad: float
    shift_m: float


def measure(
    speed_mps: float, speed: NDArray[np.float32], yaw: NDArray[np.float32], offsets_m: tuple[float, float], dt_s: float
) -> Motion:
    """Return the numbers of one trajectory.

    Args:
        speed_mps: At t0.
        speed: (N,) at each point.
        yaw: (N,) at each point.
        offsets_m: Left of the lane's line at t0 and at the end.
        dt_s: Between points.
    """
    count = round(HORIZON_S / dt_s)
    return Motion(
        speed_mps,
        float(speed[:count].min()),
        float(speed[:count].max()),
        float(speed[:count].sum() * dt_s),
        float(yaw[-1]),
        offsets_m[1] - offsets_m[0],
    )


def contradictions(said: Statement, motion: Motion) -> tuple[str, ...]:
    """Return which claims a trajectory contradicts: ``longitudinal``, ``lateral``, ``lane``."""
    found = []
    gain, loss = motion.highest_mps - motion.speed_mps, motion.speed_mps - motion.lowest_mps
    wrong = {
        LongitudinalAction.STOPPED: motion.path_m > STANDING_M,
        LongitudinalAction.DECELERATE: gain > TOLERANCE_MPS and loss < NO_CHANGE_MPS,
        LongitudinalAction.ACCELERATE: loss > TOLERANCE_MPS and gain < NO_CHANGE_MPS,
        LongitudinalAction.KEEP_SPEED: max(gain, loss) > KEEP_TOLERANCE_MPS,
    }
    if wrong.get(said.longitudinal, False):
        found.append("longitudinal")
    side = {LateralAction.LEFT: 1.0, LateralAction.RIGHT: -1.0}.get(said.lateral, 0.0)
    if side * motion.turn_rad < -TURN_RAD:
        found.append("lateral")
    side = {LaneAction.CHANGE_LEFT: 1.0, LaneAction.CHANGE_RIGHT: -1.0}.get(said.lane, 0.0)
    if side * motion.shift_m < -LANE_M:
        found.append("lane")
    return tuple(found)
