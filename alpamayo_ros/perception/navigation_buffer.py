"""Navigation commands, and which of them holds at a model time."""

from bisect import bisect_right
from operator import attrgetter

from alpamayo_ros.structs.navigation import Navigation, NavigationCommand

MAX_COMMANDS = 1000
"""More are not kept: the oldest are forgotten."""

_STAMP = attrgetter("stamp_ns")


class NavigationBuffer:
    """Commands by stamp, in whatever order they came; of two with one stamp the first counts."""

    def __init__(self, max_age_ns: int) -> None:
        """Start empty.

        Args:
            max_age_ns: A command holds for this long, unless a newer one comes.
        """
        self._max_age_ns = max_age_ns
        self._commands: list[NavigationCommand] = []

    def __len__(self) -> int:
        return len(self._commands)

    def add(self, command: NavigationCommand) -> bool:
        """Store a command; return False for one whose stamp there was already."""
        place = bisect_right(self._commands, command.stamp_ns, key=_STAMP)
        if place and self._commands[place - 1].stamp_ns == command.stamp_ns:
            return False
        self._commands.insert(place, command)
        del self._commands[:-MAX_COMMANDS]
        return True

    def at(self, t0_ns: int) -> Navigation:
        """Return what holds at a model time: the newest command at or before it, NONE if it is too old."""
        place = bisect_right(self._commands, t0_ns, key=_STAMP)
        if not place or t0_ns - self._commands[place - 1].stamp_ns > self._max_age_ns:
            return Navigation.NONE
        return self._commands[place - 1].navigation

    def forget_before(self, t0_ns: int) -> None:
        """Forget commands that do not hold at or after a model time."""
        del self._commands[: max(bisect_right(self._commands, t0_ns, key=_STAMP) - 1, 0)]

    def clear(self) -> None:
        """Forget everything."""
        self._commands.clear()
