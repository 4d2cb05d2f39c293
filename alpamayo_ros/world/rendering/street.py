"""What stands on and beside the road: cones, barriers, signals, street lamps, hedges, trees."""

import functools
import itertools
import math

import numpy as np

from alpamayo_ros.world.rendering.mesh import PLAIN, SHINING, Colour, MeshBuilder, Point, rectangle
from alpamayo_ros.world.rendering.model import Model, model

METAL: Colour = (122.0, 120.0, 116.0)
ORANGE: Colour = (20.0, 92.0, 240.0)
REFLECTOR: Colour = (238.0, 240.0, 240.0)
SIGNAL_RED: Colour = (44.0, 30.0, 255.0)
SIGNAL_AMBER: Colour = (30.0, 180.0, 255.0)
SIGNAL_GREEN: Colour = (130.0, 245.0, 50.0)
LAMPS: tuple[tuple[str, float, Colour, Colour], ...] = (
    ("red", 0.30, SIGNAL_RED, (30.0, 24.0, 58.0)),
    ("amber", 0.0, SIGNAL_AMBER, (22.0, 44.0, 58.0)),
    ("green", -0.30, SIGNAL_GREEN, (32.0, 54.0, 22.0)),
)
"""Name, height above the middle of the housing in m, colour when lit, colour when dark."""
LAMP_RADIUS_M = 0.13
LAMP_HEAD_M = 6.3
"""Height of the light of a street lamp."""


@functools.lru_cache(maxsize=64)
def cone(length: float, width: float, height: float) -> Model:
    """Build a traffic cone with two white bands."""
    builder = MeshBuilder(rectangle(length, width))
    x, y = length / 2.0, width / 2.0
    builder.box((-x, -y, 0.0), (x, y, 0.05 * height), (16.0, 60.0, 170.0))
    cuts = ((0.05, ORANGE), (0.34, REFLECTOR), (0.52, ORANGE), (0.66, REFLECTOR), (0.82, ORANGE), (1.0, ORANGE))
    for (low, colour), (high, _) in itertools.pairwise(cuts):
        rings = []
        for share in (low, high):
            radius = 0.40 * min(length, width) * (1.0 - 0.86 * share)
            rings.append(
                [(radius * math.cos(a), radius * math.sin(a), share * height) for a in np.arange(6) * (math.pi / 3.0)]
            )
        builder.tapered(rings, colour)
    far = MeshBuilder(rectangle(length, width))
    for low, high, colour in ((0.0, 0.35, ORANGE), (0.35, 0.65, REFLECTOR), (0.65, 1.0, ORANGE)):
        rings = []
        for share in (low, high):
            half = 0.42 * min(length, width) * (1.0 - 0.8 * share)
            rings.append(
                [
                    (-half, -half, share * height),
                    (half, -half, share * height),
                    (half, half, share * height),
                    (-half, half, share * height),
                ]
            )
        far.tapered(rings, colour)
    return model(builder.build(), far.build())


@functools.lru_cache(maxsize=64)
def barrier(length: float, width: float, height: float) -> Model:
    """Build a barrier with red and white stripes; the stripes lie along the longer side."""
    near, far = MeshBuilder(rectangle(length, width)), MeshBuilder(rectangle(length, width))
    along_x = length >= width
    reach, thin = max(length, width) / 2.0, min(length, width) / 2.0
    red: Colour = (48.0, 40.0, 205.0)
    for builder, count in ((near, max(4, 2 * round(reach / 0.35))), (far, 4)):
        for end in (-0.86 * reach, 0.86 * reach):
            low, high = (end - 0.05, -thin, 0.0), (end + 0.05, thin, 0.45 * height)
            builder.box(*_swapped(low, high, along_x=along_x), (60.0, 60.0, 62.0))
        step = 2.0 * reach / count
        for index in range(count):
            low = (-reach + step * index, -0.35 * thin, 0.45 * height)
            high = (-reach + step * (index + 1), 0.35 * thin, height)
            builder.box(*_swapped(low, high, along_x=along_x), red if index % 2 == 0 else REFLECTOR)
    return model(near.build(sort_faces=True), far.build(sort_faces=True))


def _swapped(low: Point, high: Point, *, along_x: bool) -> tuple[Point, Point]:
    if along_x:
        return low, high
    return (low[1], low[0], low[2]), (high[1], high[0], high[2])


@functools.lru_cache(maxsize=64)
def signal_housing(z: float, state: str) -> Model:
    """Build a housing with three lamps whose middle is ``z`` above the origin, seen by traffic along x."""
    meshes = []
    for detail in range(2):
        builder = MeshBuilder(rectangle(0.5, 0.5))
        builder.box((-0.02, -0.30, z - 0.60), (0.02, 0.30, z + 0.60), (26.0, 27.0, 26.0))
        builder.box((-0.12, -0.17, z - 0.47), (0.02, 0.17, z + 0.47), (38.0, 40.0, 38.0))
        for name, height, lit, dark in LAMPS:
            radius = LAMP_RADIUS_M * (1.2 if name == state else 1.0)
            sides = 10 if detail == 0 else 6
            ring: list[Point] = [
                (
                    -0.125,
                    -radius * math.cos(2.0 * math.pi * i / sides),
                    z + height + radius * math.sin(2.0 * math.pi * i / sides),
                )
                for i in range(sides)
            ]
            if name == state or detail == 0:
                builder.face(ring, lit if name == state else dark, SHINING if name == state else PLAIN)
            if name == state:
                builder.lamp((-0.13, 0.0, z + height), radius, (-1.0, 0.0, 0.0), SHINING, lit)
        meshes.append(builder.build())
    return model(*meshes)


@functools.lru_cache(maxsize=64)
def signal_pole(height: float, reach: float) -> Model:
    """Build the pole of a signal at the origin; its arm reaches ``reach`` along y (left of the traffic) at its top."""
    builder = MeshBuilder(rectangle(0.3, 0.3))
    thick = 0.06 if abs(reach) < 0.5 else 0.09
    builder.box((-thick, -thick, 0.0), (thick, thick, height), (96.0, 98.0, 98.0))
    if abs(reach) >= 0.5:
        low, high = sorted((0.0, reach))
        builder.box((-0.05, low, height - 0.12), (0.05, high, height), (96.0, 98.0, 98.0))
        builder.face(
            [
                (-0.05, low, height - 0.12),
                (-0.05, high, height - 0.12),
                (0.05, high, height - 0.12),
                (0.05, low, height - 0.12),
            ],
            (70.0, 72.0, 72.0),
        )
    return model(builder.build())


@functools.lru_cache(maxsize=16)
def lamp_post(reach: float, *, lit: bool) -> Model:
    """Build a street lamp at the origin whose arm reaches along y."""
    builder = MeshBuilder(rectangle(0.24, 0.24))
    builder.box((-0.08, -0.08, 0.0), (0.08, 0.08, LAMP_HEAD_M + 0.1), METAL)
    low, high = sorted((0.0, reach))
    builder.box((-0.05, low, LAMP_HEAD_M + 0.02), (0.05, high, LAMP_HEAD_M + 0.12), METAL)
    low, high = sorted((reach, reach * 0.62))
    z = LAMP_HEAD_M - 0.06
    head: Colour = (190.0, 230.0, 255.0) if lit else (205.0, 208.0, 208.0)
    role = SHINING if lit else PLAIN
    builder.box((-0.14, low, z), (0.14, high, z + 0.12), head, role=role)
    builder.face([(-0.14, low, z), (-0.14, high, z), (0.14, high, z), (0.14, low, z)], head, role)
    if lit:
        builder.lamp((0.0, 0.8 * reach, z - 0.02), 0.25, (0.0, 0.0, -1.0), SHINING, head)
    return model(builder.build())


@functools.lru_cache(maxsize=64)
def hedge(length: float) -> Model:
    """Build a hedge along x, 1.1 m high."""
    builder = MeshBuilder(rectangle(length, 0.7))
    x = length / 2.0
    builder.box((-x, -0.35, 0.0), (x, 0.35, 1.1), (46.0, 96.0, 74.0), top=(58.0, 126.0, 96.0))
    return model(builder.build())


@functools.lru_cache(maxsize=32)
def tree(kind: int) -> Model:
    """Build one of many trees about 7 m high."""
    rng = np.random.default_rng([kind, 17])
    height = float(rng.uniform(2.2, 2.8))
    tint = float(rng.uniform(0.82, 1.12))
    warm = float(rng.uniform(0.85, 1.25))
    blobs = [(0.0, 0.0, 1.5, 1.75)]
    start = float(rng.uniform(0.0, 1.2))
    for index in range(6):
        angle = start + index * (math.pi / 3.0)
        reach = float(rng.uniform(0.95, 1.25))
        blobs.append(
            (
                reach * math.cos(angle),
                reach * math.sin(angle),
                float(rng.uniform(0.6, 2.2)),
                float(rng.uniform(0.8, 1.1)),
            )
        )
    blobs += [(0.2, -0.1, 2.9, 1.05), (-0.45, 0.35, 2.5, 0.9)]
    meshes = []
    for chosen in (
        blobs,
        [blobs[0], *blobs[1:7:2], blobs[7]],
        [blobs[0], (0.0, 0.0, 2.6, 1.25)],
        [(0.0, 0.0, 1.8, 2.0)],
    ):
        builder = MeshBuilder([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
        builder.bar((0.0, 0.0, 0.0), (0.0, 0.0, height + 0.6), 0.14, 0.14, (58.0, 76.0, 92.0))
        for x, y, z, radius in chosen:
            shade = tint * (0.74 + 0.13 * z)
            builder.ball((x, y, height + z), radius, (52.0 * shade, 118.0 * shade, 90.0 * shade * warm))
        meshes.append(builder.build())
    return model(*meshes)


CROWN_RADIUS_M = 2.2
"""How far the leaves of a tree reach."""
