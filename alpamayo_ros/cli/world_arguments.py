"""Read what the world's verbs are told: seeds, sizes, cameras and changes, as people write them."""

import re
from collections.abc import Sequence

from alpamayo_ros.errors import ParameterError

MAX_SEED = 2**31 - 1
MAX_EPISODES = 100_000
MAX_SIDE_PX = 4096
_SEEDS = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?")
_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_COLOUR = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")


def parse_seeds(text: str) -> range:
    """Return the seeds of ``7`` or ``0-199``, both ends included.

    Raises:
        ParameterError: It is no range of seeds, its end is before its start, or there are too many.
    """
    match = _SEEDS.fullmatch(text.strip())
    if match is None:
        raise ParameterError(f"--seeds {text!r} is no range; expected a seed such as 7, or two such as 0-199, from 0")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise ParameterError(f"--seeds {text} ends before it begins; expected the smaller seed first: {last}-{first}")
    if last > MAX_SEED or last - first >= MAX_EPISODES:
        raise ParameterError(f"--seeds {text} is too much; expected at most {MAX_EPISODES} seeds, up to {MAX_SEED}")
    return range(first, last + 1)


def parse_size(text: str) -> tuple[int, int]:
    """Return width and height in px of ``480x288``.

    Raises:
        ParameterError: It is no size, or not one that is drawn.
    """
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None:
        raise ParameterError(f"--size {text!r} is no size; expected width and height in px, such as 480x288")
    width, height = int(match[1]), int(match[2])
    if not (16 <= width <= MAX_SIDE_PX and 16 <= height <= MAX_SIDE_PX):
        raise ParameterError(f"--size {text} is out of range; expected 16 to {MAX_SIDE_PX} px for both sides")
    return width, height


def parse_cameras(text: str) -> tuple[str, ...]:
    """Return the camera ids of a list with commas, blanks allowed."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def parse_place(option: str, text: str) -> tuple[str, float, float]:
    """Return name, metres ahead and metres to the left of ``NAME:AHEAD,LEFT``; the name may hold colons.

    Raises:
        ParameterError: It is not of that form.
    """
    name, colon, place = text.rpartition(":")
    parts = place.split(",")
    try:
        ahead, left = (float(part) for part in parts)
    except ValueError:
        ahead = left = float("nan")
    if not (colon and name and len(parts) == 2 and abs(ahead) <= 1e4 and abs(left) <= 1e4):
        raise ParameterError(
            f"{option} {text!r} says no place; expected NAME:AHEAD,LEFT with metres ahead and to the left, such as "
            "ped_0:5,-1.5"
        )
    return name, ahead, left


def parse_recolour(text: str) -> tuple[str, tuple[float, float, float]]:
    """Return actor and colour (blue, green, red; 0 to 255) of ``ACTOR:#rrggbb``.

    Raises:
        ParameterError: It is not of that form.
    """
    name, colon, colour = text.rpartition(":")
    match = _COLOUR.fullmatch(colour)
    if not (colon and name) or match is None:
        raise ParameterError(f"--recolour {text!r} says no colour; expected ACTOR:#rrggbb, such as car_3:#d02020")
    red, green, blue = (float(int(part, 16)) for part in match.groups())
    return name, (blue, green, red)


def parse_times(values: Sequence[float]) -> tuple[float, ...]:
    """Return times in s, sorted, each once.

    Raises:
        ParameterError: One is negative or not finite.
    """
    for value in values:
        if not 0.0 <= value < 1e6:
            raise ParameterError(f"--at {value:g} is no time in an episode; expected seconds after its start, from 0")
    return tuple(sorted(set(values)))
