"""The maps by name: family, split and number."""

import zlib
from functools import cache

from alpamayo_ros.errors import ParameterError, expected_one_of
from alpamayo_ros.world.maps.compiled import CompiledNetwork, compile_network
from alpamayo_ros.world.maps.draw import HELD_OUT, SPLITS, TRAIN, Draw
from alpamayo_ros.world.maps.families import FAMILIES

VARIANTS = {TRAIN: 16, HELD_OUT: 8}
"""How many maps each family has."""


def map_name(family: str, split: str, number: int) -> str:
    """Return the name of a map, such as ``signals/train/3``."""
    return f"{family}/{split}/{number}"


@cache
def load_map(name: str) -> CompiledNetwork:
    """Return a map; it is compiled when it is first asked for in this process.

    Raises:
        ParameterError: There is no map of that name.
        ConfigurationError: SUMO is not installed.
        ArtifactError: netconvert refused it.
    """
    family, _, rest = name.partition("/")
    split, _, number = rest.partition("/")
    if family not in FAMILIES:
        raise ParameterError(expected_one_of("road network", family, tuple(FAMILIES)))
    if split not in SPLITS:
        raise ParameterError(expected_one_of("split", split, SPLITS))
    if not (number.isascii() and number.isdigit() and int(number) < VARIANTS[split]):
        raise ParameterError(f"map {name!r} is not known; expected a number below {VARIANTS[split]} in it")
    draw = Draw(split, [zlib.crc32(family.encode()), int(number)])
    return compile_network(name, FAMILIES[family](draw))
