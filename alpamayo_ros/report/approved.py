"""Where a predicted path leaves the approved one of the same tick."""

import math

import numpy as np

from alpamayo_ros.structs.verdict import PredictedPath

APART_M = 0.02
"""Paths that are nowhere further apart than this look the same, and only one is drawn."""


def largest_distance_m(path: PredictedPath) -> float | None:
    """Return the largest distance between a predicted point and the approved point of the same time, in m.

    None without an approved path; infinite where the two have not the same points, or only one of two is finite.
    """
    if path.baseline_rig_xyz_m is None:
        return None
    now = np.asarray(path.rig_xyz_m, dtype=np.float64).reshape(-1, 3)
    approved = np.asarray(path.baseline_rig_xyz_m, dtype=np.float64).reshape(-1, 3)
    if now.shape != approved.shape:
        return math.inf
    both = np.isfinite(now).all(axis=1) & np.isfinite(approved).all(axis=1)
    neither = ~np.isfinite(now).all(axis=1) & ~np.isfinite(approved).all(axis=1)
    if not (both | neither).all():
        return math.inf
    with np.errstate(over="ignore"):  # positions near the largest number are infinitely far apart
        distances_m = np.sqrt(((now[both] - approved[both]) ** 2).sum(axis=1))
    return float(distances_m.max()) if len(distances_m) else 0.0


def leaves_approved(path: PredictedPath) -> bool:
    """Say whether a path has an approved one that is to be told apart from it."""
    distance_m = largest_distance_m(path)
    return distance_m is not None and distance_m > APART_M


def approved_sentence(path: PredictedPath) -> str:
    """Say in words how far a path is from the approved one; empty without one."""
    distance_m = largest_distance_m(path)
    if distance_m is None:
        return ""
    if distance_m <= APART_M:
        return "The predicted path is as approved."
    if not math.isfinite(distance_m):
        return "The predicted path and the approved one have not the same points."
    return f"The predicted path is up to {distance_m:.2f} m from the approved one."
