"""The lane that everything in the world is placed along."""

import math
from dataclasses import dataclass, field

from alpamayo_ros.world.pulses import Pulse

KNOT_M = 1.0
"""Distance between stored points; the rest of a metre is integrated on demand."""

# Nodes and weights of 5-point Gauss-Legendre quadrature on 0..1 (Abramowitz and Stegun, table 25.4).
# Over one metre of a lane with radius > 20 m the error is below the rounding of a double.
_NODES = (0.046910077030668, 0.2307653449471585, 0.5, 0.7692346550528415, 0.953089922969332)
_WEIGHTS = (0.1184634425280945, 0.2393143352496832, 0.2844444444444444, 0.2393143352496832, 0.1184634425280945)


@dataclass(frozen=True, slots=True)
class LanePoint:
    """A point beside the lane's centre line: position in m in the world, heading in rad."""

    x: float
    y: float
    heading: float


@dataclass(frozen=True)
class Lane:
    """A flat curve with smooth curvature; s is its arc length, d the offset to its left.

    Attributes:
        heading: Direction at s = 0, where the curve passes the world's origin, in rad.
        bends: Curvatures in 1/m over s.
        first_m: Smallest s.
        last_m: Largest s.
    """

    heading: float
    bends: tuple[Pulse, ...]
    first_m: float
    last_m: float
    _knots: list[tuple[float, float]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        knots = [(0.0, 0.0)]
        for index in range(math.ceil((self.last_m - self.first_m) / KNOT_M) + 1):
            dx, dy = self._chord(self.first_m + index * KNOT_M, KNOT_M)
            knots.append((knots[-1][0] + dx, knots[-1][1] + dy))
        object.__setattr__(self, "_knots", knots)
        zero_x, zero_y = self._unanchored(0.0)
        object.__setattr__(self, "_knots", [(x - zero_x, y - zero_y) for x, y in knots])

    def curvature(self, s_m: float) -> float:
        """Return the curvature in 1/m, left positive."""
        return sum((bend.value(s_m) for bend in self.bends), 0.0)

    def curvature_slope(self, s_m: float) -> float:
        """Return the derivative of the curvature along the lane in 1/m^2."""
        return sum((bend.slope(s_m) for bend in self.bends), 0.0)

    def direction(self, s_m: float) -> float:
        """Return the heading in rad, exactly: the integral of the curvature."""
        return self.heading + sum(bend.area(s_m) - bend.area(0.0) for bend in self.bends)

    def point(self, s_m: float, d_m: float = 0.0) -> LanePoint:
        """Return the point at s, d to the left of the centre line.

        Raises:
            ValueError: s lies outside the lane.
        """
        if not self.first_m <= s_m <= self.last_m:
            raise ValueError(f"lane position {s_m} m is outside; expected {self.first_m} to {self.last_m} m")
        x, y = self._unanchored(s_m)
        heading = self.direction(s_m)
        return LanePoint(x - d_m * math.sin(heading), y + d_m * math.cos(heading), heading)

    def _unanchored(self, s_m: float) -> tuple[float, float]:
        index = math.floor((s_m - self.first_m) / KNOT_M)
        start_m = self.first_m + index * KNOT_M
        dx, dy = self._chord(start_m, s_m - start_m)
        return self._knots[index][0] + dx, self._knots[index][1] + dy

    def _chord(self, s_m: float, length_m: float) -> tuple[float, float]:
        headings = [self.direction(s_m + node * length_m) for node in _NODES]
        dx = sum(weight * math.cos(angle) for weight, angle in zip(_WEIGHTS, headings, strict=True))
        dy = sum(weight * math.sin(angle) for weight, angle in zip(_WEIGHTS, headings, strict=True))
        return dx * length_m, dy * length_m
