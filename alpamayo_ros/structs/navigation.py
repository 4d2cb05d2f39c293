"""Where the driver is told to go."""

from dataclasses import dataclass
from enum import IntEnum


class Navigation(IntEnum):
    """What to do at the next junction; the numbers are the constants of msg/NavigationCommand.msg.

    Models take the numbers as they are.
    """

    NONE = 0
    LEFT = 1
    RIGHT = 2
    STRAIGHT = 3


@dataclass(frozen=True, slots=True)
class NavigationCommand:
    """A command that holds from a time on, until the next one or until it is too old."""

    stamp_ns: int
    navigation: Navigation
