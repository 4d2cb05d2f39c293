"""Houses: a fixed set of them, whose origin is the middle of their footprint and whose front looks along y."""

import functools
import math
from collections.abc import Sequence

import numpy as np

from alpamayo_ros.world.rendering.mesh import PLAIN, SHINING, Colour, Mesh, MeshBuilder, Point, rectangle
from alpamayo_ros.world.rendering.model import DETAILS, Model, model

HOUSES = 32
"""How many different houses there are."""
GROUND_STOREY_M = 3.4
STOREY_M = 2.9
GLASS: Colour = (92.0, 78.0, 66.0)
LIT_WINDOW: Colour = (120.0, 200.0, 240.0)
FRAME: Colour = (226.0, 230.0, 232.0)
WALLS: tuple[Colour, ...] = (
    (186.0, 206.0, 214.0),
    (150.0, 178.0, 206.0),
    (128.0, 150.0, 190.0),
    (196.0, 198.0, 190.0),
    (170.0, 200.0, 196.0),
    (110.0, 128.0, 168.0),
    (206.0, 214.0, 216.0),
)
ROOFS: tuple[Colour, ...] = ((66.0, 78.0, 136.0), (84.0, 82.0, 90.0), (58.0, 70.0, 112.0))


def house_size(kind: int) -> tuple[float, float]:
    """Return width along the road and depth of a house in m."""
    rng = np.random.default_rng([kind, 29])
    return round(float(rng.uniform(8.0, 15.0)), 2), round(float(rng.uniform(7.0, 10.0)), 2)


@functools.lru_cache(maxsize=2 * HOUSES)
def house(kind: int, *, night: bool) -> Model:
    """Build one of the houses in all levels of detail; at night some windows are lit."""
    rng = np.random.default_rng([kind, 31])
    wall, roof = WALLS[int(rng.integers(len(WALLS)))], ROOFS[int(rng.integers(len(ROOFS)))]
    storeys = int(rng.integers(1, 4))
    gabled = bool(rng.random() < 0.75) or storeys == 1
    levels = range(DETAILS)
    return model(*(_house(kind, (wall, roof), storeys, level, gabled=gabled, night=night) for level in levels))


def _house(kind: int, colours: tuple[Colour, Colour], storeys: int, level: int, *, gabled: bool, night: bool) -> Mesh:
    width, depth = house_size(kind)
    wall, roof = colours
    builder = MeshBuilder(rectangle(width, depth))
    x, y = width / 2.0, depth / 2.0
    front_left, front_right = (x, y, 0.0), (-x, y, 0.0)
    back_right, back_left = (-x, -y, 0.0), (x, -y, 0.0)
    height = GROUND_STOREY_M + STOREY_M * (storeys - 1) + 0.4
    walls = ((front_left, front_right), (front_right, back_right), (back_right, back_left), (back_left, front_left))
    for index, (left, right) in enumerate(walls):
        builder.face(_panel(left, right, (0.0, 1.0), (0.0, height)), wall)
        if level < 2 or (level == 2 and index == 0):
            _facade(builder, left, right, (kind + index, storeys, level), (wall, roof), front=index == 0, night=night)
    if gabled:
        eave, ridge = height, height + 0.36 * depth
        over = 0.35
        a, b = (x + over, y + over, eave - 0.15), (-x - over, y + over, eave - 0.15)
        c, d = (-x - over, -y - over, eave - 0.15), (x + over, -y - over, eave - 0.15)
        first, second = (x + over, 0.0, ridge), (-x - over, 0.0, ridge)
        builder.face([(-x, y, height), (-x, -y, height), (-x, 0.0, ridge - 0.1)], wall)
        builder.face([(x, -y, height), (x, y, height), (x, 0.0, ridge - 0.1)], wall)
        builder.face([a, b, second, first], roof)
        builder.face([c, d, first, second], roof)
    else:
        builder.face([(x, y, height), (-x, y, height), (-x, -y, height), (x, -y, height)], roof)
        trim: Colour = (wall[0] * 0.72, wall[1] * 0.72, wall[2] * 0.72)
        for left, right in walls:
            builder.face(_panel(left, right, (0.0, 1.0), (height - 0.45, height)), trim)
    return builder.build()


def _facade(
    builder: MeshBuilder,
    left: Point,
    right: Point,
    what: tuple[int, int, int],
    colours: tuple[Colour, Colour],
    *,
    front: bool,
    night: bool,
) -> None:
    """Add windows and the door; ``what`` is a number that chooses lit windows, the storeys and the level."""
    number, storeys, level = what
    wall, roof = colours
    width = math.dist(left, right)
    columns = max(1, round(width / (2.9 if level < 2 else 4.5)))
    if level == 0:
        plinth: Colour = (wall[0] * 0.62, wall[1] * 0.62, wall[2] * 0.64)
        builder.face(_panel(left, right, (0.0, 1.0), (0.0, 0.6)), plinth)
    for storey in range(storeys):
        low = 0.0 if storey == 0 else GROUND_STOREY_M + STOREY_M * (storey - 1)
        for column in range(columns):
            u = (column + 0.5) / columns
            half = (0.60 if level < 2 else 0.8) / width
            if storey == 0 and front and column == columns // 2 and level < 2:
                builder.face(_panel(left, right, (u - half, u + half), (0.0, 2.25)), roof)
                continue
            sill, lintel = low + 0.95, low + 2.45
            if level == 0:
                frame = (u - half * 1.2, u + half * 1.2)
                builder.face(_panel(left, right, frame, (sill - 0.12, lintel + 0.10)), FRAME)
            glass = 1.0 + 0.22 * math.sin(7.0 * column + 3.0 * storey + number)
            lit = night and (number * 7 + column * 5 + storey * 3) % 4 == 0
            colour = (GLASS[0] * glass, GLASS[1] * glass, GLASS[2] * glass)
            builder.face(
                _panel(left, right, (u - half, u + half), (sill, lintel)),
                LIT_WINDOW if lit else colour,
                SHINING if lit else PLAIN,
            )


def _panel(left: Point, right: Point, across: Sequence[float], heights: Sequence[float]) -> list[Point]:
    """Return a part of a wall that is seen from where ``left`` lies on the left."""

    def at(u: float, z: float) -> Point:
        return left[0] + (right[0] - left[0]) * u, left[1] + (right[1] - left[1]) * u, z

    return [
        at(across[0], heights[0]),
        at(across[1], heights[0]),
        at(across[1], heights[1]),
        at(across[0], heights[1]),
    ]
