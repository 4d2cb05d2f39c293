"""How fast traffic drives because of the bends of its lane, which SUMO knows in junctions only."""

import math

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.path import Path
from alpamayo_ros.world.road_map import Lane

BEND_ACCELERATION_MPS2 = 2.2
"""Lateral acceleration that traffic takes."""
BEND_DECELERATION_MPS2 = 1.5


def bend_speeds(lane: Lane) -> NDArray[np.float64]:
    """Return how fast traffic drives along a lane because of its bends, at every metre, in m/s.

    Brakes for a bend are put on before it: the speed at a place is bounded by what follows.
    """
    path = Path(lane.centre, smoothing_m=0.6)
    count = max(2, int(lane.length_m) + 1)
    curvatures = np.array([abs(path.curvature(float(s))) for s in range(count)])
    speeds: NDArray[np.float64] = np.sqrt(BEND_ACCELERATION_MPS2 / np.maximum(curvatures, 1e-4))
    for place in range(count - 2, -1, -1):
        speeds[place] = min(speeds[place], math.sqrt(speeds[place + 1] ** 2 + 2.0 * BEND_DECELERATION_MPS2))
    return speeds
