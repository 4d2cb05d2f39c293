"""The ego vehicle's body: a usual passenger car."""

import math

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.snapshot import EgoState

LENGTH_M = 4.6
WIDTH_M = 1.9
HEIGHT_M = 1.5
REAR_AXLE_TO_CENTRE_M = 1.4
WHEELBASE_M = 2.8
REAR_AXLE_TO_FRONT_M = REAR_AXLE_TO_CENTRE_M + LENGTH_M / 2.0


def centre(ego: EgoState) -> tuple[float, float]:
    """Return the middle of the ego vehicle's footprint in the world, m."""
    return (
        ego.position[0] + REAR_AXLE_TO_CENTRE_M * math.cos(ego.yaw),
        ego.position[1] + REAR_AXLE_TO_CENTRE_M * math.sin(ego.yaw),
    )


def front(ego: EgoState) -> tuple[float, float]:
    """Return the middle of the ego vehicle's front bumper in the world, m."""
    return (
        ego.position[0] + REAR_AXLE_TO_FRONT_M * math.cos(ego.yaw),
        ego.position[1] + REAR_AXLE_TO_FRONT_M * math.sin(ego.yaw),
    )


def rectangle(x: float, y: float, heading: float, length: float, width: float) -> NDArray[np.float64]:
    """Return the corners of a footprint around a centre: front left, front right, rear right, rear left.

    Returns:
        Shape (4, 2), m.
    """
    along = np.array([math.cos(heading), math.sin(heading)]) * (length / 2.0)
    left = np.array([-math.sin(heading), math.cos(heading)]) * (width / 2.0)
    middle = np.array([x, y])
    return np.stack([middle + along + left, middle + along - left, middle - along - left, middle - along + left])


def footprint(ego: EgoState) -> NDArray[np.float64]:
    """Return the corners of the ego vehicle in the world: front left, front right, rear right, rear left.

    Returns:
        Shape (4, 2), m.
    """
    x, y = centre(ego)
    return rectangle(x, y, ego.yaw, LENGTH_M, WIDTH_M)
