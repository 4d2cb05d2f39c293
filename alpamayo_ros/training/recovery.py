"""Virtual perturbations: the rig beside where it was, and how the expert would steer back from there."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.inference.networks.anatomy import STEP_S
from alpamayo_ros.world.ego import advance_ego
from alpamayo_ros.world.expert.offsets import Offset
from alpamayo_ros.world.expert.steering import steer
from alpamayo_ros.world.snapshot import EgoState

LARGEST_LEFT_M = 0.6
LARGEST_TURN_RAD = math.radians(4.0)


def displaced(ego: EgoState, around: EgoState, left_m: float, turn_rad: float) -> EgoState:
    """Return the state moved with the rig of ``around``, which is put to its left and turned.

    Args:
        ego: State to move, at the same time as ``around`` or shortly before.
        around: State whose rig is displaced.
        left_m: Displacement to the left in the rig frame.
        turn_rad: Turn about the displaced origin, left positive.
    """
    cos, sin = math.cos(around.yaw), math.sin(around.yaw)
    east, north = ego.position[0] - around.position[0], ego.position[1] - around.position[1]
    ahead, left = east * cos + north * sin, north * cos - east * sin
    turn_cos, turn_sin = math.cos(turn_rad), math.sin(turn_rad)
    ahead, left = ahead * turn_cos - left * turn_sin, ahead * turn_sin + left * turn_cos + left_m
    position = (
        around.position[0] + ahead * cos - left * sin,
        around.position[1] + ahead * sin + left * cos,
        ego.position[2],
    )
    return replace(ego, position=position, yaw=ego.yaw + turn_rad)


def recovered(driven: list[EgoState], start: EgoState) -> list[EgoState]:
    """Return how the expert would drive from beside its path: its speeds, steered back by its own law.

    Args:
        driven: Recorded states, the first at the time of ``start``.
        start: Where the rig is instead.

    Returns:
        As many states as ``driven``, the first is ``start``.
    """
    x = np.array([state.position[0] for state in driven])
    y = np.array([state.position[1] for state in driven])
    yaw = np.unwrap([state.yaw for state in driven])
    curvature = np.array([state.curvature for state in driven])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    states, place = [start], 0.0
    for now, then in pairwise(driven):
        ego = states[-1]
        recorded = _at(place, along, (x, y, yaw, curvature), driven[-1])
        east, north = ego.position[0] - recorded[0], ego.position[1] - recorded[1]
        error = north * math.cos(recorded[2]) - east * math.sin(recorded[2])
        heading_error = math.remainder(ego.yaw - recorded[2], 2.0 * math.pi)
        bend = steer(
            error_m=error,
            heading_error_rad=heading_error,
            path_curvature=recorded[3],
            wanted=Offset(0.0, 0.0, 0.0),
            speed_mps=ego.speed_mps,
            present_curvature=ego.curvature,
            dt_s=STEP_S,
        )
        states.append(advance_ego(ego, (then.speed_mps - now.speed_mps) / STEP_S, bend, STEP_S))
        # Inside a bend the same way covers more of the path than outside of it.
        share = math.cos(heading_error) / max(1.0 - recorded[3] * error, 0.2)
        place += 0.5 * (now.speed_mps + then.speed_mps) * STEP_S * share
    return states


def _at(
    place: float, along: NDArray[np.float64], columns: tuple[NDArray[np.float64], ...], last: EgoState
) -> tuple[float, ...]:
    """Return x, y, yaw, curvature at an arc length; beyond the end the path goes straight on."""
    found = tuple(float(np.interp(place, along, column)) for column in columns)
    beyond = max(0.0, place - float(along[-1]))
    if beyond == 0.0:
        return found
    return found[0] + beyond * math.cos(last.yaw), found[1] + beyond * math.sin(last.yaw), *found[2:]
