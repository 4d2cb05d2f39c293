"""Build smooth functions with exact integrals: the accelerations and curvatures of the world."""

import bisect
from dataclasses import dataclass


def smooth_step(x: float) -> float:
    """Rise from 0 to 1 over 0 <= x <= 1 with two continuous derivatives: 6x^5 - 15x^4 + 10x^3."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    return x * x * x * (x * (6.0 * x - 15.0) + 10.0)


def smooth_step_slope(x: float) -> float:
    """Return the derivative of ``smooth_step``."""
    if x <= 0.0 or x >= 1.0:
        return 0.0
    return 30.0 * x * x * (x - 1.0) * (x - 1.0)


def smooth_step_area(x: float) -> float:
    """Return the integral of ``smooth_step`` from 0 to x."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return x - 0.5
    return x**4 * (x * (x - 3.0) + 2.5)


def smooth_step_area_sum(x: float) -> float:
    """Return the integral of ``smooth_step_area`` from 0 to x."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0 / 7.0 + 0.5 * (x - 1.0) * x
    return x**5 * (x * (x / 7.0 - 0.5) + 0.5)


@dataclass(frozen=True, slots=True)
class Pulse:
    """A plateau with smooth edges, in any independent variable.

    Attributes:
        height: Value on the plateau.
        start: Where the rise begins.
        rise: Length of the rise.
        end: Where the fall begins, at least ``start + rise``.
        fall: Length of the fall.
    """

    height: float
    start: float
    rise: float
    end: float
    fall: float

    def value(self, x: float) -> float:
        """Return the value at x."""
        return self.height * (smooth_step((x - self.start) / self.rise) - smooth_step((x - self.end) / self.fall))

    def slope(self, x: float) -> float:
        """Return the first derivative at x."""
        up = smooth_step_slope((x - self.start) / self.rise) / self.rise
        down = smooth_step_slope((x - self.end) / self.fall) / self.fall
        return self.height * (up - down)

    def area(self, x: float) -> float:
        """Return the integral from minus infinity to x."""
        up = smooth_step_area((x - self.start) / self.rise) * self.rise
        down = smooth_step_area((x - self.end) / self.fall) * self.fall
        return self.height * (up - down)

    def area_sum(self, x: float) -> float:
        """Return the double integral from minus infinity to x."""
        up = smooth_step_area_sum((x - self.start) / self.rise) * self.rise**2
        down = smooth_step_area_sum((x - self.end) / self.fall) * self.fall**2
        return self.height * (up - down)


@dataclass(frozen=True, slots=True)
class Motion:
    """Motion along a lane whose acceleration is a sum of pulses in time.

    Attributes:
        start_m: Position at the beginning of time.
        start_mps: Speed at the beginning of time.
        pulses: Accelerations in m/s^2 over s.
    """

    start_m: float
    start_mps: float
    pulses: tuple[Pulse, ...] = ()

    def position_m(self, t_s: float) -> float:
        """Return the position along the lane."""
        return self.start_m + self.start_mps * t_s + sum(pulse.area_sum(t_s) for pulse in self.pulses)

    def speed_mps(self, t_s: float) -> float:
        """Return the speed."""
        return self.start_mps + sum(pulse.area(t_s) for pulse in self.pulses)

    def acceleration_mps2(self, t_s: float) -> float:
        """Return the acceleration."""
        return sum((pulse.value(t_s) for pulse in self.pulses), 0.0)

    def jerk_mps3(self, t_s: float) -> float:
        """Return the jerk."""
        return sum((pulse.slope(t_s) for pulse in self.pulses), 0.0)


@dataclass(frozen=True, slots=True)
class Phases:
    """A value that changes at given times, such as the colour of a traffic light."""

    first: str
    changes: tuple[tuple[float, str], ...] = ()

    def at(self, t_s: float) -> str:
        """Return the value that holds at a time."""
        index = bisect.bisect_right([time_s for time_s, _ in self.changes], t_s)
        return self.first if index == 0 else self.changes[index - 1][1]
