"""Find the ground under a vehicle in a LiDAR sweep."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALF_WIDTH_M = 2.5
"""Only the vehicle's own lane counts: the crown of the road makes the next one lower."""

NEAR_M, FAR_M = 4.0, 15.0
"""Points nearer than this ahead or behind hit the vehicle itself; further ones say little about its place."""

CELL_M = 1.0
INLIER_M = 0.06
"""Residual of a cell that still belongs to the plane: roughness of asphalt and LiDAR noise together."""

MAX_TILT = 0.1
"""Largest slope of the ground against the vehicle, as a tangent; steeper planes are walls and bonnets."""

MIN_CELLS = 8
_MIN_POINTS = 5
_LOW_PERCENTILE = 10.0
_TRIALS = 2000
_REFINEMENTS = 3
_SEED = 0


@dataclass(frozen=True, slots=True)
class GroundPlane:
    """The ground near a vehicle, in its frame (x forward, y left, z up).

    Attributes:
        height_m: z of the plane at the frame's origin; negative when the origin is above the ground.
        slope_forward: dz/dx.
        slope_left: dz/dy.
        rms_m: Of the cells on it.
        cells: How many cells are on it.
        seen: How many cells held points.
    """

    height_m: float
    slope_forward: float
    slope_left: float
    rms_m: float
    cells: int
    seen: int


def fit_ground(points_m: NDArray[np.float64]) -> GroundPlane | None:
    """Fit a plane to the ground of the vehicle's own lane, ahead and behind.

    Each cell of 1 m gives its low points; the plane that most cells agree with wins, and a least-squares fit to
    those refines it. Among planes with equally many cells the lowest wins, because a vehicle that hides the ground
    stands on it.

    Args:
        points_m: float64 (N, 3) in the vehicle's frame (x forward, y left, z up).

    Returns:
        The plane, None when fewer than 8 cells, or fewer than half of those that were seen, agree on one.
    """
    cells = _low_points(points_m)
    if len(cells) < MIN_CELLS:
        return None
    inliers = _largest_agreement(cells)
    design = np.column_stack([np.ones(len(cells)), cells[:, :2]])
    plane, residual = np.zeros(3), cells[:, 2]
    for _ in range(_REFINEMENTS):
        if 2 * inliers.sum() < max(len(cells), 2 * MIN_CELLS):
            return None
        plane = np.linalg.lstsq(design[inliers], cells[inliers, 2], rcond=None)[0]
        residual = cells[:, 2] - design @ plane
        inliers = np.abs(residual) <= INLIER_M
    if not inliers.any() or max(abs(plane[1]), abs(plane[2])) > MAX_TILT:
        return None
    rms_m = float(np.sqrt(np.mean(residual[inliers] ** 2)))
    return GroundPlane(float(plane[0]), float(plane[1]), float(plane[2]), rms_m, int(inliers.sum()), len(cells))


def _low_points(points_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return float64 (C, 3): middle of each cell that holds points, and the height of its low points."""
    along = np.abs(points_m[:, 0])
    near = (np.abs(points_m[:, 1]) <= HALF_WIDTH_M) & (along >= NEAR_M) & (along <= FAR_M)
    points = points_m[near]
    keys = np.floor(points[:, :2] / CELL_M).astype(np.int64)
    places, owner = np.unique(keys, axis=0, return_inverse=True)
    owner = owner.reshape(-1)
    rows = []
    for cell in range(len(places)):
        members = points[owner == cell]
        if len(members) >= _MIN_POINTS:
            low = members[members[:, 2] <= np.percentile(members[:, 2], _LOW_PERCENTILE) + INLIER_M]
            rows.append((*low[:, :2].mean(axis=0), np.median(low[:, 2])))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _largest_agreement(cells: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Try planes through three cells each; return which cells agree with the best one."""
    generator = np.random.default_rng(_SEED)
    triples = generator.integers(0, len(cells), (_TRIALS, 3))
    design = np.concatenate([np.ones((_TRIALS, 3, 1)), cells[triples][:, :, :2]], axis=2)
    usable = np.abs(np.linalg.det(design)) > CELL_M**2
    planes = np.linalg.solve(design[usable], cells[triples[usable]][:, :, 2:])[:, :, 0]
    planes = planes[np.abs(planes[:, 1:]).max(axis=1) <= MAX_TILT]
    if not len(planes):
        return np.zeros(len(cells), dtype=np.bool_)
    heights = planes[:, :1] + planes[:, 1:] @ cells[:, :2].T
    agree = np.abs(heights - cells[:, 2]) <= INLIER_M
    best = np.lexsort((planes[:, 0], -agree.sum(axis=1)))[0]
    return np.asarray(agree[best])
