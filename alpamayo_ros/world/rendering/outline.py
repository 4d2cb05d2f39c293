"""Outlines beside polylines: strips, dashes and bars."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SHARPEST = 0.35
"""Least cosine of half a corner's turn: beyond it a strip's corner is cut off instead of drawn out."""


def beside(line: Floats, left_m: float) -> Floats:
    """Return a polyline moved to its left, shape (N, 2); negative moves right."""
    ways = np.diff(line, axis=0)
    lengths = np.maximum(np.hypot(ways[:, 0], ways[:, 1]), 1e-9)
    normals = np.stack([-ways[:, 1], ways[:, 0]], axis=1) / lengths[:, None]
    before, after = np.concatenate([normals[:1], normals]), np.concatenate([normals, normals[-1:]])
    middle = before + after
    middle /= np.maximum(np.hypot(middle[:, 0], middle[:, 1]), 1e-9)[:, None]
    reach = np.maximum((middle * after).sum(axis=1), _SHARPEST)
    moved: Floats = line + middle * (left_m / reach)[:, None]
    return moved


def strip(line: Floats, right_m: float, left_m: float) -> Floats:
    """Return the outline between two lines beside a polyline; both are measured to its left."""
    return np.concatenate([beside(line, right_m), beside(line, left_m)[::-1]])


def length_of(line: Floats) -> float:
    """Return the length of a polyline."""
    return float(_positions(line)[-1])


def piece(line: Floats, start_m: float, end_m: float) -> Floats:
    """Return the part of a polyline between two arc lengths, with its inner corners."""
    positions = _positions(line)
    inner = positions[(positions > start_m) & (positions < end_m)]
    wanted = np.concatenate([[start_m], inner, [end_m]])
    return _at(line, positions, wanted)


def places(line: Floats, positions_m: Floats) -> tuple[Floats, Floats]:
    """Return points on a polyline, shape (N, 2), and the headings there, shape (N,)."""
    positions = _positions(line)
    ways = np.diff(line, axis=0)
    index = np.clip(np.searchsorted(positions, positions_m, side="right") - 1, 0, len(ways) - 1)
    return _at(line, positions, positions_m), np.arctan2(ways[index, 1], ways[index, 0])


def dashes(length_m: float, dash_m: float, gap_m: float) -> Iterator[tuple[float, float]]:
    """Yield start and end of the dashes along a line; the last one ends with the line."""
    start = 0.5 * gap_m
    while start + 0.3 * dash_m < length_m:
        yield start, min(start + dash_m, length_m)
        start += dash_m + gap_m


def _positions(line: Floats) -> Floats:
    ways = np.diff(line, axis=0)
    return np.concatenate([[0.0], np.cumsum(np.hypot(ways[:, 0], ways[:, 1]))])


def _at(line: Floats, positions: Floats, wanted: Floats) -> Floats:
    return np.stack([np.interp(wanted, positions, line[:, axis]) for axis in (0, 1)], axis=1)
