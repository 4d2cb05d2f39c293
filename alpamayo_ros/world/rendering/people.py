"""Pedestrians and cyclists: their origin is the middle of their footprint, they look along x."""

import functools
import itertools
import math

import numpy as np

from alpamayo_ros.world.rendering.mesh import PAINT, Colour, Mesh, MeshBuilder, Point, rectangle
from alpamayo_ros.world.rendering.model import Model, model
from alpamayo_ros.world.rendering.vehicles import LAMP_RED, TYRE, WHITE

PHASES = 16
"""Postures of one gait cycle."""
SKIN: tuple[Colour, ...] = ((150.0, 180.0, 222.0), (110.0, 142.0, 190.0), (62.0, 84.0, 122.0))
HAIR: tuple[Colour, ...] = ((40.0, 48.0, 60.0), (58.0, 92.0, 132.0), (30.0, 30.0, 32.0), (150.0, 160.0, 170.0))
TROUSERS: tuple[Colour, ...] = ((96.0, 62.0, 44.0), (52.0, 50.0, 50.0), (92.0, 110.0, 126.0), (60.0, 46.0, 40.0))
SHOE: Colour = (36.0, 36.0, 40.0)


@functools.lru_cache(maxsize=1024)
def pedestrian(length: float, width: float, height: float, phase: int, stride: int, looks: int) -> Model:
    """Build a pedestrian in all levels of detail.

    Args:
        length: Of the footprint, m.
        width: Of the footprint, m.
        height: m.
        phase: Posture, 0 to PHASES - 1.
        stride: How far legs swing: 0 standing to 2 walking fast.
        looks: Any number; chooses skin, hair and trousers.
    """
    return model(*(_pedestrian(length, width, height, (phase, stride), looks, level) for level in (0, 1)))


def _pedestrian(length: float, width: float, height: float, gait: tuple[int, int], looks: int, level: int) -> Mesh:
    builder = MeshBuilder(rectangle(length, width))
    angle = 2.0 * math.pi * gait[0] / PHASES
    swing = (0.0, 0.34, 0.55)[gait[1]] * math.sin(angle)
    hip, shoulder, chin = 0.50 * height, 0.82 * height, 0.86 * height
    half = min(0.5 * width, 0.25)
    trousers = TROUSERS[looks % len(TROUSERS)]
    leg = 0.46 * half
    for side in (-1.0, 1.0):
        forward = side * swing * hip * 1.05
        knee_lift = 0.06 * height * max(0.0, math.cos(angle) * side) * (gait[1] > 0)
        foot: Point = (forward, side * leg, 0.0 + knee_lift)
        if level == 0:
            knee: Point = (0.62 * forward + 0.5 * knee_lift, side * leg, 0.5 * hip)
            builder.bar(foot, knee, 0.085, 0.075, trousers)
            builder.bar(knee, (0.0, side * leg, hip), 0.10, 0.09, trousers)
            builder.box(
                (foot[0] - 0.09, foot[1] - 0.06, foot[2]), (foot[0] + 0.17, foot[1] + 0.06, foot[2] + 0.09), SHOE
            )
        else:
            builder.bar(foot, (0.0, side * leg, hip), 0.11, 0.09, trousers)
    chest = 0.14
    rings = [
        [
            (-0.8 * chest, -0.8 * half, 0.95 * hip),
            (0.8 * chest, -0.8 * half, 0.95 * hip),
            (0.8 * chest, 0.8 * half, 0.95 * hip),
            (-0.8 * chest, 0.8 * half, 0.95 * hip),
        ],
        [(-chest, -half, shoulder), (chest, -half, shoulder), (chest, half, shoulder), (-chest, half, shoulder)],
    ]
    builder.tapered(rings, WHITE, PAINT)
    for side in (-1.0, 1.0):
        hand: Point = (-0.9 * side * swing * 0.36 * height, side * (half + 0.05), 0.48 * height)
        builder.bar(hand, (0.0, side * (half + 0.03), shoulder - 0.02), 0.06, 0.05, (225.0, 225.0, 225.0), PAINT)
        if level == 0:
            builder.ball((hand[0], hand[1], hand[2] - 0.03), 0.055, SKIN[looks % len(SKIN)])
    radius = (height - chin) * 0.62
    builder.ball((0.02, 0.0, height - radius), radius, SKIN[looks % len(SKIN)])
    builder.ball((-0.035, 0.0, height - radius + 0.045), radius * 0.93, HAIR[looks // 3 % len(HAIR)])
    return builder.build(sort_faces=True)


@functools.lru_cache(maxsize=256)
def cyclist(length: float, width: float, height: float, phase: int, looks: int) -> Model:
    """Build a bicycle and its rider in all levels of detail; the phase turns the pedals."""
    return model(*(_cyclist(length, width, height, phase, looks, level) for level in (0, 1)))


def _cyclist(length: float, width: float, height: float, phase: int, looks: int, level: int) -> Mesh:
    builder = MeshBuilder(rectangle(length, width))
    radius = min(0.35, 0.21 * length)
    front, rear = 0.5 * length - radius, -0.5 * length + radius
    for axle in (front, rear):
        for side in (-1.0, 1.0):
            _rim(builder, (axle, side * 0.02, radius), radius, side, 8 if level else 12)
    frame: Colour = (58.0, 60.0, 150.0)
    saddle: Point = (rear + 0.42 * (front - rear), 0.0, 0.95)
    for low, high in (
        ((rear, 0.0, radius), (saddle[0], 0.0, 0.62)),
        ((saddle[0] + 0.05, 0.0, 0.30), (saddle[0], 0.0, 0.93)),
        ((front, 0.0, radius), (front - 0.12, 0.0, 1.0)),
    ):
        builder.bar(low, high, 0.025, 0.02, frame)
    bar_x = front - 0.12
    builder.box((bar_x - 0.03, -0.26, 0.98), (bar_x + 0.03, 0.26, 1.03), TYRE)
    builder.box((rear - 0.06, -0.06, 0.66), (rear - 0.01, 0.06, 0.74), LAMP_RED)
    trousers = TROUSERS[looks % len(TROUSERS)]
    angle = 2.0 * math.pi * phase / PHASES
    crank: Point = (saddle[0] + 0.12, 0.0, 0.30)
    for side in (-1.0, 1.0):
        turn = angle + (math.pi if side > 0.0 else 0.0)
        foot: Point = (crank[0] + 0.16 * math.cos(turn), side * 0.11, crank[2] + 0.16 * math.sin(turn))
        knee: Point = (saddle[0] + 0.38, side * 0.11, 0.70 + 0.5 * (foot[2] - crank[2]))
        builder.bar(foot, knee, 0.07, 0.06, trousers)
        builder.bar(knee, (saddle[0], side * 0.10, saddle[2] + 0.06), 0.09, 0.08, trousers)
    shoulder: Point = (saddle[0] + 0.34, 0.0, height - 0.38)
    low_ring = [
        (saddle[0] + dx, dy, saddle[2]) for dx, dy in ((-0.14, -0.17), (0.12, -0.17), (0.12, 0.17), (-0.14, 0.17))
    ]
    high_ring = [
        (shoulder[0] + dx, dy, shoulder[2]) for dx, dy in ((-0.14, -0.21), (0.10, -0.21), (0.10, 0.21), (-0.14, 0.21))
    ]
    builder.tapered([low_ring, high_ring], WHITE, PAINT)
    for side in (-1.0, 1.0):
        builder.bar((bar_x, side * 0.22, 1.03), (shoulder[0], side * 0.2, shoulder[2] - 0.04), 0.05, 0.05, WHITE, PAINT)
    head = 0.13
    builder.ball((shoulder[0] + 0.10, 0.0, height - head - 0.02), head, SKIN[looks % len(SKIN)])
    builder.ball((shoulder[0] + 0.07, 0.0, height - head + 0.03), head * 0.96, HAIR[looks // 3 % len(HAIR)])
    return builder.build(sort_faces=True)


def _rim(builder: MeshBuilder, centre: Point, radius: float, side: float, sides: int) -> None:
    """Add the tyre of a wheel, seen from one side, as a ring."""
    x, y, z = centre
    angles = [2.0 * math.pi * i / sides for i in range(sides + 1)]
    for one, other in itertools.pairwise(angles):
        ring = [
            (x - side * reach * math.cos(angle), y, z + reach * math.sin(angle))
            for reach, angle in ((0.80 * radius, one), (radius, one), (radius, other), (0.80 * radius, other))
        ]
        builder.face(ring[::-1], TYRE)


def gait_phase(along_m: float, cycle_m: float) -> int:
    """Return the posture after some way along the heading; ``cycle_m`` is the way of one gait cycle."""
    return int(np.floor(along_m / cycle_m * PHASES)) % PHASES
