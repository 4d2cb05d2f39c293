"""Whether footprints touch, and when they would."""

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.snapshot import Actor, EgoState
from alpamayo_ros.world.vehicle import LENGTH_M, WIDTH_M, centre

Array = NDArray[np.float64]

BOX_FIELDS = 5
"""A footprint as a row: x and y of its centre, heading, length, width."""


def ego_box(ego: EgoState) -> Array:
    """Return the ego vehicle's footprint as a row of (x, y, heading, length, width)."""
    return np.array([*centre(ego), ego.yaw, LENGTH_M, WIDTH_M])


def actor_boxes(actors: tuple[Actor, ...]) -> Array:
    """Return the footprints of actors, one row of (x, y, heading, length, width) each."""
    rows = [(actor.x, actor.y, actor.heading, actor.length, actor.width) for actor in actors]
    return np.array(rows, dtype=np.float64).reshape(len(rows), BOX_FIELDS)


def overlap(one: Array, others: Array) -> NDArray[np.bool_]:
    """Tell which pairs of footprints overlap, by the theorem of separating axes.

    Args:
        one: (..., 5), of a shape that broadcasts with the other.
        others: (..., 5).

    Returns:
        The broadcast shape without its last axis.
    """
    away = others[..., :2] - one[..., :2]
    apart = np.zeros(np.broadcast_shapes(one.shape[:-1], others.shape[:-1]), dtype=bool)
    turn = np.abs(np.cos(others[..., 2] - one[..., 2])), np.abs(np.sin(others[..., 2] - one[..., 2]))
    for box, other in ((one, others), (others, one)):
        along, across = np.cos(box[..., 2]), np.sin(box[..., 2])
        reach = other[..., 3] * turn[0] + other[..., 4] * turn[1]
        apart |= np.abs(away[..., 0] * along + away[..., 1] * across) > (box[..., 3] + reach) / 2.0
        reach = other[..., 3] * turn[1] + other[..., 4] * turn[0]
        apart |= np.abs(away[..., 1] * along - away[..., 0] * across) > (box[..., 4] + reach) / 2.0
    return ~apart


def moved(boxes: Array, speeds_mps: Array, times_s: Array) -> Array:
    """Return footprints at later times, each straight on with its own speed.

    Args:
        boxes: (N, 5).
        speeds_mps: (N,) along the headings.
        times_s: (T,).

    Returns:
        (T, N, 5).
    """
    later = np.broadcast_to(boxes, (len(times_s), *boxes.shape)).copy()
    way = times_s[:, None] * speeds_mps
    later[..., 0] += way * np.cos(boxes[:, 2])
    later[..., 1] += way * np.sin(boxes[:, 2])
    return later
