"""What the action expert learns: driven poses as (acceleration, curvature) on the model's grid."""

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.geometry.kinematics import MAX_ACCELERATION_MPS2, MAX_CURVATURE_RADPM
from alpamayo_ros.inference.action_scale import ActionScale
from alpamayo_ros.inference.networks.anatomy import STEP_S

STANDING_M = 0.05
"""Below this path per step a heading change says little about curvature."""

ACTIONS = ActionScale(mean=(0.0, 0.0), std=(1.5, 1.0), curvature_knee=0.005)
"""About the spread of the expert's driving. Three quarters of its curvatures are below 0.02 1/m, and those that keep a
lane below 0.005 1/m."""


def actions_from_motion(speed_mps: NDArray[np.float64], yaw_rad: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the actions that drive through given speeds and headings, the inverse of the unicycle roll-out.

    Args:
        speed_mps: (N + 1,) at t0 and each point.
        yaw_rad: (N + 1,) at t0 and each point, unwrapped or not.

    Returns:
        (N, 2) acceleration in m/s^2 and curvature in 1/m; the curvature of a standing vehicle fades to 0.
    """
    acceleration = np.diff(speed_mps) / STEP_S
    arc = 0.5 * (speed_mps[1:] + speed_mps[:-1]) * STEP_S
    turn = np.diff(yaw_rad)
    turn -= 2.0 * np.pi * np.round(turn / (2.0 * np.pi))
    curvature = turn * arc / (arc**2 + STANDING_M**2 * np.exp(-((arc / STANDING_M) ** 2)))
    return np.stack(
        [
            np.clip(acceleration, -MAX_ACCELERATION_MPS2, MAX_ACCELERATION_MPS2),
            np.clip(curvature, -MAX_CURVATURE_RADPM, MAX_CURVATURE_RADPM),
        ],
        axis=1,
    ).astype(np.float32)


def in_rig_frame(
    x: NDArray[np.float64], y: NDArray[np.float64], yaw: NDArray[np.float64], origin: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Return x, y, yaw (N, 3) in the frame of the rig at ``origin`` (x, y, yaw), yaw in -pi..pi."""
    cos, sin = np.cos(origin[2]), np.sin(origin[2])
    east, north = x - origin[0], y - origin[1]
    turned = yaw - origin[2]
    turned -= 2.0 * np.pi * np.round(turned / (2.0 * np.pi))
    return np.stack([east * cos + north * sin, north * cos - east * sin, turned], axis=1)
