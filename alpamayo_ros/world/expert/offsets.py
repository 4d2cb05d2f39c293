"""Where across its path the expert wants to be: shifts around what blocks it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Offset(NamedTuple):
    """The wanted place across the path at one place along it.

    Attributes:
        d_m: Left of the path.
        slope: Its change along the path, m per m.
        bend: The change of the slope, 1/m.
    """

    d_m: float
    slope: float
    bend: float


@dataclass(frozen=True, slots=True)
class Shift:
    """A smooth change of the offset: a quintic with neither slope nor bend at its ends.

    Attributes:
        start_m: Where along the path it begins.
        end_m: Where it is done.
        from_m: Offset before.
        to_m: Offset after.
    """

    start_m: float
    end_m: float
    from_m: float
    to_m: float

    def at(self, s_m: float) -> Offset:
        """Return the offset within the shift."""
        length, change = self.end_m - self.start_m, self.to_m - self.from_m
        u = (s_m - self.start_m) / length
        return Offset(
            self.from_m + change * u**3 * (10.0 - 15.0 * u + 6.0 * u * u),
            change / length * 30.0 * u * u * (1.0 - u) ** 2,
            change / (length * length) * 60.0 * u * (1.0 - u) * (1.0 - 2.0 * u),
        )


@dataclass(frozen=True, slots=True)
class OffsetPlan:
    """Shifts one after the other along the path; between them the offset stays as it is."""

    shifts: tuple[Shift, ...] = ()

    def at(self, s_m: float) -> Offset:
        """Return the wanted offset at a place along the path."""
        offset = Offset(self.shifts[0].from_m if self.shifts else 0.0, 0.0, 0.0)
        for shift in self.shifts:
            if s_m <= shift.start_m:
                break
            if s_m < shift.end_m:
                return shift.at(s_m)
            offset = Offset(shift.to_m, 0.0, 0.0)
        return offset


ON_THE_PATH = OffsetPlan()


def around(places: Sequence[tuple[float, float, float]], length_m: float) -> OffsetPlan:
    """Return the plan that has each offset in its interval and the path itself elsewhere.

    Args:
        places: Start and end of the interval along the path, and the offset there; in order, not overlapping.
        length_m: Of a shift. Where two intervals are nearer than that, the shift between them fills the gap.
    """
    shifts: list[Shift] = []
    previous_end, previous_offset = None, 0.0
    for start, end, offset in places:
        if previous_end is None:
            shifts.append(Shift(start - length_m, start, 0.0, offset))
        elif start - previous_end < 2.0 * length_m:
            if offset != previous_offset:
                shifts.append(Shift(previous_end, max(start, previous_end + 1.0), previous_offset, offset))
        else:
            shifts.append(Shift(previous_end, previous_end + length_m, previous_offset, 0.0))
            shifts.append(Shift(start - length_m, start, 0.0, offset))
        previous_end, previous_offset = end, offset
    if previous_end is not None:
        shifts.append(Shift(previous_end, previous_end + length_m, previous_offset, 0.0))
    return OffsetPlan(tuple(shifts))
