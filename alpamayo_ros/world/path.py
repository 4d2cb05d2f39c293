"""A line to drive or walk along, by arc length."""

import math

import numpy as np
from numpy.typing import NDArray

SPACING_M = 0.5
"""Distance between stored points; on a radius of 8 m the chord misses the arc by 4 mm."""
SMOOTHING_M = 2.0
"""Standard deviation of the blur that rounds corners between lanes; a bend of radius 20 m moves inward by 0.1 m."""
CURVATURE_SMOOTHING_M = 1.5
NEAR_M = 25.0
"""How far from the place that is expected a projection looks."""

_SHORTEST_M = 0.01
"""Points nearer to each other than this are one point."""


class Path:
    """A flat curve with smooth heading and curvature; s is its arc length, d the offset to its left.

    Beyond both ends the curve goes on straight.
    """

    def __init__(self, points: NDArray[np.float64], *, smoothing_m: float = SMOOTHING_M) -> None:
        """Smooth a polyline.

        Args:
            points: Shape (N, 2), m.
            smoothing_m: Standard deviation of the blur along the line; 0 leaves the corners.

        Raises:
            ValueError: The line is shorter than a step, or a point is not finite.
        """
        line = np.asarray(points, dtype=np.float64)
        if line.ndim != 2 or line.shape[1] != 2 or len(line) < 2 or not np.isfinite(line).all():
            raise ValueError(f"path of shape {line.shape} is no line; expected two finite points or more, shape (N, 2)")
        keep = np.concatenate([[True], np.hypot(*np.diff(line, axis=0).T) > _SHORTEST_M])
        line = _resampled(line[keep])
        if smoothing_m > 0.0:
            line = _resampled(_blurred_line(line, smoothing_m / SPACING_M))
        self._points = line
        steps = np.diff(line, axis=0)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        self._s = np.concatenate([[0.0], np.cumsum(lengths)])
        self._step_lengths = lengths
        self._directions = steps / lengths[:, None]
        directions = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        middles = (self._s[1:] + self._s[:-1]) / 2.0
        self._headings = np.interp(self._s, middles, directions)
        curvatures = np.gradient(self._headings, self._s) if len(line) > 2 else np.zeros(len(line))
        self._curvatures = _blurred(curvatures, CURVATURE_SMOOTHING_M / SPACING_M) if smoothing_m > 0.0 else curvatures

    @property
    def length_m(self) -> float:
        """Arc length."""
        return float(self._s[-1])

    @property
    def points(self) -> NDArray[np.float64]:
        """The stored points, shape (N, 2), m, SPACING_M apart."""
        return self._points

    def point(self, s: float, d: float = 0.0) -> tuple[float, float, float]:
        """Return (x, y, heading) at arc length s, d to the left, in m and rad."""
        inside = min(max(s, 0.0), self.length_m)
        x = float(np.interp(inside, self._s, self._points[:, 0]))
        y = float(np.interp(inside, self._s, self._points[:, 1]))
        heading = float(np.interp(inside, self._s, self._headings))
        cosine, sine = math.cos(heading), math.sin(heading)
        beyond = s - inside
        return x + beyond * cosine - d * sine, y + beyond * sine + d * cosine, heading

    def curvature(self, s: float) -> float:
        """Return the curvature in 1/m, left positive; 0 beyond the ends."""
        if not 0.0 <= s <= self.length_m:
            return 0.0
        return float(np.interp(s, self._s, self._curvatures))

    def project(self, x: float, y: float, near_s: float | None = None) -> tuple[float, float]:
        """Return (s, d) of a point, in m.

        Args:
            x: m.
            y: m.
            near_s: Look within NEAR_M of this arc length only, as on a line that comes near itself.
        """
        first, last = 0, len(self._step_lengths)
        if near_s is not None:
            first = min(max(int(np.searchsorted(self._s, near_s - NEAR_M)) - 1, 0), last - 1)
            last = min(max(int(np.searchsorted(self._s, near_s + NEAR_M)), first + 1), last)
        starts, directions = self._points[first:last], self._directions[first:last]
        lengths = self._step_lengths[first:last]
        offset_x, offset_y = x - starts[:, 0], y - starts[:, 1]
        along = offset_x * directions[:, 0] + offset_y * directions[:, 1]
        left = offset_y * directions[:, 0] - offset_x * directions[:, 1]
        miss = along - np.clip(along, 0.0, lengths)
        best = int(np.argmin(left * left + miss * miss))
        step = float(along[best])
        if first + best > 0:
            step = max(step, 0.0)
        if first + best < len(self._step_lengths) - 1:
            step = min(step, float(lengths[best]))
        index = first + best
        # Outside a corner the nearest point is the corner itself, and the distance is the whole offset.
        gap_x, gap_y = float(offset_x[best]), float(offset_y[best])
        direction_x, direction_y = (float(value) for value in directions[best])
        gap_x, gap_y = gap_x - step * direction_x, gap_y - step * direction_y
        side = direction_x * gap_y - direction_y * gap_x
        return float(self._s[index]) + step, math.copysign(math.hypot(gap_x, gap_y), side)


def _resampled(line: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.hypot(*np.diff(line, axis=0).T)
    total = float(lengths.sum())
    if total < _SHORTEST_M:
        raise ValueError(f"path of length {total} m has no direction; expected at least {_SHORTEST_M} m")
    s = np.concatenate([[0.0], np.cumsum(lengths)])
    stations = np.linspace(0.0, s[-1], max(1, round(total / SPACING_M)) + 1)
    return np.stack([np.interp(stations, s, line[:, 0]), np.interp(stations, s, line[:, 1])], axis=1)


def _blurred(values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Blur values along the first axis with a Gaussian; beyond the ends the values are mirrored through the end."""
    reach = math.ceil(3.0 * sigma)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    padded = np.pad(values, reach, mode="reflect", reflect_type="odd") if len(values) > 1 else np.pad(values, reach)
    blurred: NDArray[np.float64] = np.convolve(padded, weights / weights.sum(), mode="valid")
    return blurred


def _blurred_line(line: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    return np.stack([_blurred(line[:, 0], sigma), _blurred(line[:, 1], sigma)], axis=1)
