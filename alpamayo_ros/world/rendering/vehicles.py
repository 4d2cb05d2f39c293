"""Cars, vans, trucks and buses: their origin is the middle of their footprint, they look along x."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.world.rendering.mesh import (
    BRAKE,
    HEAD,
    LEFT,
    PAINT,
    RIGHT,
    SHINING,
    Colour,
    Mesh,
    MeshBuilder,
    Point,
    rectangle,
)
from alpamayo_ros.world.rendering.model import Model, model

WHITE: Colour = (255.0, 255.0, 255.0)
"""Of faces with the role PAINT: as bright as the paint."""
GLASS: Colour = (74.0, 62.0, 52.0)
TYRE: Colour = (34.0, 32.0, 32.0)
HUB: Colour = (150.0, 148.0, 146.0)
LAMP_RED: Colour = (38.0, 26.0, 118.0)
LAMP_AMBER: Colour = (48.0, 112.0, 170.0)
LAMP_WHITE: Colour = (225.0, 230.0, 230.0)
PLATE: Colour = (205.0, 212.0, 212.0)
METAL: Colour = (96.0, 94.0, 92.0)


@dataclass(frozen=True, slots=True)
class Body:
    """Where the parts of a car begin and end, as shares of its length from the rear and of its height.

    Attributes:
        glass_from: Where the rear window starts at the waist.
        roof_from: Rear edge of the roof.
        roof_to: Front edge of the roof.
        glass_to: Where the windscreen ends at the waist.
        waist: Height of the lower edge of the windows.
        narrowing: How much narrower than the body the roof is on each side, m.
    """

    glass_from: float
    roof_from: float
    roof_to: float
    glass_to: float
    waist: float
    narrowing: float


BODIES = {
    "sedan": Body(0.07, 0.25, 0.53, 0.725, 0.63, 0.24),
    "hatchback": Body(0.025, 0.10, 0.51, 0.73, 0.62, 0.24),
    "van": Body(0.006, 0.014, 0.715, 0.876, 0.51, 0.10),
}


@functools.lru_cache(maxsize=256)
def car(length: float, width: float, height: float, body: str) -> Model:
    """Build a car or van in all levels of detail."""
    return model(*(_car(length, width, height, BODIES[body], level) for level in range(3)))


def _car(length: float, width: float, height: float, body: Body, level: int) -> Mesh:
    builder = MeshBuilder(rectangle(length, width))
    half, front, rear = width / 2.0, length / 2.0, -length / 2.0
    waist = body.waist * height
    lip = max(0.7 * waist, waist - 0.25)
    nose = rear + body.glass_to * length
    if level == 0:
        outline = [
            (rear + 0.10, 0.24),
            (front - 0.12, 0.24),
            (front, 0.42),
            (front, lip - 0.06),
            (front - 0.12, lip),
            (nose, waist),
            (rear + 0.06, waist),
            (rear, waist - 0.06),
            (rear, 0.40),
        ]
    else:
        outline = [(rear, 0.24), (front, 0.24), (front, lip - 0.04), (front - 0.15, lip), (nose, waist), (rear, waist)]
    builder.face([(x, -half, z) for x, z in outline], WHITE, PAINT)
    builder.face([(x, half, z) for x, z in reversed(outline)], WHITE, PAINT)
    for (x0, z0), (x1, z1) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if max(z0, z1) > 0.25:
            builder.face([(x0, half, z0), (x1, half, z1), (x1, -half, z1), (x0, -half, z0)], WHITE, PAINT)
    _wheels(builder, (0.30 * length, -0.30 * length), half, 0.33, level)
    _rear_end(builder, rear, half, waist - 0.15, level)
    _front_end(builder, front, half, 0.62, level)
    x0, x1, x2 = (rear + share * length for share in (body.glass_from, body.roof_from, body.roof_to))
    _cabin(builder, (x0, x1, x2, nose), half, body.narrowing, (waist, height), level)
    if level < 2:
        x = x0 - 0.01
        builder.face(
            [(x, 0.16, waist), (x, -0.16, waist), (x, -0.16, waist + 0.06), (x, 0.16, waist + 0.06)], LAMP_RED, BRAKE
        )
    return builder.build()


def _cabin(
    builder: MeshBuilder,
    xs: tuple[float, float, float, float],
    half: float,
    narrowing: float,
    heights: tuple[float, float],
    level: int,
) -> None:
    x0, x1, x2, x3 = xs
    low, high = heights
    wide, narrow = half - 0.05, half - narrowing
    rear = [(x0, wide, low), (x0, -wide, low), (x1, -narrow, high), (x1, narrow, high)]
    windscreen = [(x3, -wide, low), (x3, wide, low), (x2, narrow, high), (x2, -narrow, high)]
    right = [(x0, -wide, low), (x3, -wide, low), (x2, -narrow, high), (x1, -narrow, high)]
    left = [(x3, wide, low), (x0, wide, low), (x1, narrow, high), (x2, narrow, high)]
    builder.face([(x1, -narrow, high), (x2, -narrow, high), (x2, narrow, high), (x1, narrow, high)], WHITE, PAINT)
    panels = (rear, windscreen, right, left)
    closed = narrowing < 0.15
    for index, panel in enumerate(panels):
        builder.face(panel, WHITE, PAINT)
        spans = [(0.05, 0.95)] if index < 2 else [(0.07, 0.47), (0.51, 0.90)]
        if level == 2 and index >= 2 and not closed:
            spans = [(0.08, 0.90)]
        elif closed and index == 2:
            spans = [(0.68, 0.94)]
        elif closed and index == 3:
            spans = [(0.06, 0.32)]
        elif closed and index == 0 and level < 2:
            spans = [(0.08, 0.48), (0.52, 0.92)]
        for start, end in spans:
            builder.face(_inset(panel, start, end, 0.10, 0.88), GLASS)


def _inset(quad: Sequence[Point], left: float, right: float, low: float, high: float) -> list[Point]:
    corners = np.array(quad)

    def at(u: float, v: float) -> Point:
        bottom = corners[0] * (1.0 - u) + corners[1] * u
        top = corners[3] * (1.0 - u) + corners[2] * u
        x, y, z = (bottom * (1.0 - v) + top * v).tolist()
        return x, y, z

    return [at(left, low), at(right, low), at(right, high), at(left, high)]


def _wheels(builder: MeshBuilder, axles: Sequence[float], half: float, radius: float, level: int) -> None:
    for side in (-1.0, 1.0):
        y = side * (half + 0.004)
        for axle in axles:
            if level == 2:
                flat = [(axle - radius * side, y, 0.0), (axle + radius * side, y, 0.0)]
                builder.face([*flat[::-1], *[(x, y, 1.5 * radius) for x, _, _ in flat]], TYRE)
                continue
            builder.disc((axle, y, radius), radius, TYRE, side, 8 if level == 0 else 6)
            if level == 0:
                builder.disc((axle, side * (half + 0.008), radius), 0.58 * radius, HUB, side)


def _rear_end(builder: MeshBuilder, rear: float, half: float, height: float, level: int) -> None:
    """Add brake lamps, indicators and the plate."""
    x = rear - 0.006
    for side, role in ((1.0, LEFT), (-1.0, RIGHT)):
        inner, outer = side * half * 0.52, side * half * 0.82
        corner = side * half * 0.98
        high, low = height + 0.11, height - 0.11
        _rear_face(builder, x, (inner, outer), (low, high), LAMP_RED, BRAKE)
        _rear_face(builder, x, (outer, corner), (low, high), LAMP_AMBER, role)
        builder.lamp((x - 0.02, (inner + outer) / 2.0, height), 0.13, (-1.0, 0.0, 0.0), BRAKE)
        builder.lamp((x - 0.02, side * half * 0.9, height), 0.10, (-0.92, side * 0.38, 0.0), role)
    if level == 0:
        _rear_face(builder, x, (-0.26, 0.26), (0.58, 0.70), PLATE)
        _rear_face(builder, x, (-0.7 * half, 0.7 * half), (0.30, 0.44), TYRE)


def _front_end(builder: MeshBuilder, front: float, half: float, height: float, level: int) -> None:
    """Add headlamps, indicators, the grille and the plate."""
    x = front + 0.006
    for side, role in ((1.0, LEFT), (-1.0, RIGHT)):
        inner, outer = side * half * 0.52, side * half * 0.84
        corner = side * half * 0.98
        low, high = height - 0.07, height + 0.07
        _front_face(builder, x, (inner, outer), (low, high), LAMP_WHITE, HEAD)
        _front_face(builder, x, (outer, corner), (low, high), LAMP_AMBER, role)
        builder.lamp((x + 0.02, (inner + outer) / 2.0, height), 0.12, (1.0, 0.0, 0.0), HEAD)
        builder.lamp((x + 0.02, side * half * 0.9, height), 0.10, (0.92, side * 0.38, 0.0), role)
    if level == 0:
        _front_face(builder, x, (-0.26, 0.26), (0.42, 0.52), PLATE)
    if level < 2:
        _front_face(builder, x, (-0.45 * half, 0.45 * half), (height - 0.05, height + 0.06), TYRE)


def _rear_face(
    builder: MeshBuilder, x: float, ys: tuple[float, float], zs: tuple[float, float], colour: Colour, role: int = 0
) -> None:
    low, high = sorted(ys)
    builder.face([(x, high, zs[0]), (x, low, zs[0]), (x, low, zs[1]), (x, high, zs[1])], colour, role)


def _front_face(
    builder: MeshBuilder, x: float, ys: tuple[float, float], zs: tuple[float, float], colour: Colour, role: int = 0
) -> None:
    low, high = sorted(ys)
    builder.face([(x, low, zs[0]), (x, high, zs[0]), (x, high, zs[1]), (x, low, zs[1])], colour, role)


@functools.lru_cache(maxsize=64)
def truck(length: float, width: float, height: float) -> Model:
    """Build a truck with a cab and a closed body in all levels of detail."""
    return model(*(_truck(length, width, height, level) for level in range(3)))


def _truck(length: float, width: float, height: float, level: int) -> Mesh:
    builder = MeshBuilder(rectangle(length, width))
    half, front, rear = width / 2.0, length / 2.0, -length / 2.0
    cab = front - min(2.1, 0.3 * length)
    cab_height = min(0.84 * height, 2.9)
    builder.box((rear + 0.1, -half + 0.2, 0.5), (front - 0.1, half - 0.2, 1.0), METAL)
    _wheels(
        builder,
        (front - 1.2, rear + 1.1, rear + 2.2) if length > 6.5 else (front - 1.2, rear + 1.1),
        half - 0.02,
        0.46,
        level,
    )
    body: Colour = (222.0, 224.0, 224.0)
    low = 0.95
    builder.face(_side(-half, rear, cab - 0.15, low, height), body)
    builder.face(_side(half, rear, cab - 0.15, low, height)[::-1], body)
    builder.face(
        [(rear, -half, height), (cab - 0.15, -half, height), (cab - 0.15, half, height), (rear, half, height)], body
    )
    _rear_face(builder, rear, (-half, half), (low, height), body)
    _front_face(builder, cab - 0.15, (-half, half), (low, height), body)
    if level < 2:
        _rear_face(builder, rear - 0.004, (-0.03, 0.03), (low + 0.1, height - 0.1), METAL)
        for side in (-1.0, 1.0):
            stripe = _side(side * (half + 0.004), rear + 0.3, cab - 0.4, low + 0.35, low + 0.75)
            builder.face(stripe if side < 0 else stripe[::-1], WHITE, PAINT)
    # The cab has no back: the body hides it, but faces of one mesh are painted in their order.
    wide = half - 0.02
    _front_face(builder, front, (-wide, wide), (0.55, cab_height), WHITE, PAINT)
    builder.face(_side(-wide, cab, front, 0.55, cab_height), WHITE, PAINT)
    builder.face(_side(wide, cab, front, 0.55, cab_height)[::-1], WHITE, PAINT)
    z = cab_height
    builder.face([(cab, -wide, z), (front, -wide, z), (front, wide, z), (cab, wide, z)], WHITE, PAINT)
    _front_face(builder, front + 0.004, (-half + 0.14, half - 0.14), (0.56 * cab_height, 0.88 * cab_height), GLASS)
    for side in (-1.0, 1.0):
        window = _side(side * (half - 0.015), cab + 0.35, front - 0.15, 0.58 * cab_height, 0.86 * cab_height)
        builder.face(window if side < 0 else window[::-1], GLASS)
    _rear_end(builder, rear, half, 0.80, 2)
    _front_end(builder, front, half, 0.80, max(level, 1))
    return builder.build()


@functools.lru_cache(maxsize=64)
def bus(length: float, width: float, height: float) -> Model:
    """Build a city bus in all levels of detail."""
    return model(*(_bus(length, width, height, level) for level in range(3)))


def _bus(length: float, width: float, height: float, level: int) -> Mesh:
    builder = MeshBuilder(rectangle(length, width))
    half, front, rear = width / 2.0, length / 2.0, -length / 2.0
    builder.box((rear, -half, 0.32), (front, half, height), WHITE, role=PAINT, top=(240.0, 240.0, 240.0))
    _wheels(builder, (front - 2.4, rear + 3.0), half, 0.48, level)
    low, high = 0.36 * height, 0.80 * height
    for side in (-1.0, 1.0):
        y = side * (half + 0.004)
        if level == 2:
            strips = [(rear + 0.3, front - 0.2)]
        else:
            count = max(2, round(length / 1.6))
            step = (length - 0.5) / count
            strips = [(rear + 0.3 + step * i, rear + 0.3 + step * (i + 1) - 0.14) for i in range(count)]
        for start, end in strips:
            window = _side(y, start, end, low, high)
            builder.face(window if side < 0 else window[::-1], GLASS)
        if level < 2 and side < 0:
            for door in (front - 1.5, front - 0.52 * length):
                builder.face(_side(y - 0.002, door, door + 1.1, 0.38, high), (92.0, 84.0, 78.0))
    _front_face(builder, front + 0.004, (-half + 0.12, half - 0.12), (0.36 * height, 0.82 * height), GLASS)
    _front_face(
        builder, front + 0.006, (-half + 0.3, half - 0.3), (0.85 * height, 0.95 * height), (60.0, 190.0, 235.0), SHINING
    )
    _rear_face(builder, rear - 0.004, (-half + 0.35, half - 0.35), (0.55 * height, 0.82 * height), GLASS)
    _rear_end(builder, rear, half, 1.0, 2)
    _front_end(builder, front, half, 0.70, 2)
    return builder.build()


def _side(y: float, x0: float, x1: float, z0: float, z1: float) -> list[Point]:
    """Return an upright rectangle that is seen from the right."""
    return [(x0, y, z0), (x1, y, z0), (x1, y, z1), (x0, y, z1)]
