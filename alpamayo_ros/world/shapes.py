"""Things beside and on the road: cars, houses, trees, lamps, signs.

Colours are blue, green, red, as OpenCV wants them.
"""

import math
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.world.mesh import Colour, Mesh, MeshBuilder, Point

GLASS: Colour = (74.0, 62.0, 52.0)
TYRE: Colour = (34.0, 32.0, 32.0)
HUB: Colour = (150.0, 148.0, 146.0)
LAMP_RED: Colour = (38.0, 28.0, 132.0)
LAMP_RED_LIT: Colour = (60.0, 40.0, 255.0)
LAMP_WHITE: Colour = (235.0, 240.0, 240.0)
PLATE: Colour = (215.0, 220.0, 220.0)


@dataclass(frozen=True, slots=True)
class VehicleShape:
    """Outer measures of a vehicle in m; its origin is the rear axle on the ground.

    Attributes:
        length_front: From the rear axle to the front bumper.
        length_rear: From the rear axle to the rear bumper.
        width: Of the body.
        height: Of the roof.
        waist: Height of the lower edge of the windows.
        wheelbase: Between the axles.
        glass_from: Where the rear window starts at the waist, relative to the rear axle.
        glass_to: Where the windscreen ends at the waist.
        roof_from: Rear edge of the roof.
        roof_to: Front edge of the roof.
    """

    length_front: float
    length_rear: float
    width: float
    height: float
    waist: float
    wheelbase: float
    glass_from: float
    glass_to: float
    roof_from: float
    roof_to: float

    @property
    def length(self) -> float:
        """Bumper to bumper."""
        return self.length_front + self.length_rear

    @property
    def centre_x(self) -> float:
        """Middle of the vehicle, relative to the rear axle."""
        return (self.length_front - self.length_rear) / 2.0


SHAPES = {
    "sedan": VehicleShape(3.70, 0.95, 1.82, 1.45, 0.92, 2.72, -0.62, 2.42, 0.22, 1.52),
    "hatchback": VehicleShape(3.30, 0.70, 1.76, 1.50, 0.94, 2.52, -0.60, 2.22, -0.30, 1.34),
    "van": VehicleShape(4.05, 1.05, 1.96, 2.25, 1.15, 3.20, -1.02, 3.42, -0.98, 2.60),
}


def vehicle(shape: VehicleShape, paint: Colour, *, braking: bool = False) -> Mesh:
    """Build a vehicle that stands at the origin and looks along x."""
    half = shape.width / 2.0
    front, rear = shape.length_front, -shape.length_rear
    builder = MeshBuilder([(rear, -half), (front, -half), (front, half), (rear, half)])
    _lower_body(builder, shape, paint)
    for side in (-1.0, 1.0):
        for axle in (0.0, shape.wheelbase):
            _disc(builder, (axle, side * (half + 0.004), 0.33), 0.33, TYRE, side)
            _disc(builder, (axle, side * (half + 0.008), 0.33), 0.19, HUB, side)
    lamp = LAMP_RED_LIT if braking else LAMP_RED
    for side in (-1.0, 1.0):
        inner, outer = sorted((side * half * 0.58, side * half * 0.96))
        low, high = shape.waist - 0.24, shape.waist - 0.06
        x = rear - 0.004
        builder.face([(x, outer, low), (x, inner, low), (x, inner, high), (x, outer, high)], lamp, plain=braking)
        x = front + 0.004
        builder.face([(x, inner, 0.56), (x, outer, 0.56), (x, outer, 0.68), (x, inner, 0.68)], LAMP_WHITE, plain=True)
    x = rear - 0.004
    builder.face([(x, 0.26, 0.58), (x, -0.26, 0.58), (x, -0.26, 0.70), (x, 0.26, 0.70)], PLATE)
    builder.face([(x, 0.7 * half, 0.30), (x, -0.7 * half, 0.30), (x, -0.7 * half, 0.44), (x, 0.7 * half, 0.44)], TYRE)
    x = front + 0.004
    builder.face([(x, -0.26, 0.44), (x, 0.26, 0.44), (x, 0.26, 0.54), (x, -0.26, 0.54)], PLATE)
    builder.face([(x, -0.5 * half, 0.58), (x, 0.5 * half, 0.58), (x, 0.5 * half, 0.67), (x, -0.5 * half, 0.67)], TYRE)
    _cabin(builder, shape, paint)
    return builder.build()


def _lower_body(builder: MeshBuilder, shape: VehicleShape, paint: Colour) -> None:
    half, front, rear = shape.width / 2.0, shape.length_front, -shape.length_rear
    waist = shape.waist
    lip = max(0.76, waist - 0.25)
    outline = [
        (rear + 0.10, 0.24),
        (front - 0.12, 0.24),
        (front, 0.42),
        (front, lip - 0.06),
        (front - 0.12, lip),
        (shape.glass_to, waist),
        (rear + 0.06, waist),
        (rear, waist - 0.06),
        (rear, 0.40),
    ]
    builder.face([(x, -half, z) for x, z in outline], paint)
    builder.face([(x, half, z) for x, z in reversed(outline)], paint)
    for (x0, z0), (x1, z1) in zip(outline, [*outline[1:], outline[0]], strict=True):
        builder.face([(x0, half, z0), (x1, half, z1), (x1, -half, z1), (x0, -half, z0)], paint)


def _cabin(builder: MeshBuilder, shape: VehicleShape, paint: Colour) -> None:
    low, high = shape.waist, shape.height
    wide, narrow = shape.width / 2.0 - 0.05, shape.width / 2.0 - (0.12 if shape.height > 2.0 else 0.26)
    x0, x1, x2, x3 = shape.glass_from, shape.roof_from, shape.roof_to, shape.glass_to
    panels = (
        [(x0, wide, low), (x0, -wide, low), (x1, -narrow, high), (x1, narrow, high)],
        [(x3, -wide, low), (x3, wide, low), (x2, narrow, high), (x2, -narrow, high)],
        [(x0, -wide, low), (x3, -wide, low), (x2, -narrow, high), (x1, -narrow, high)],
        [(x3, wide, low), (x0, wide, low), (x1, narrow, high), (x2, narrow, high)],
    )
    builder.face([(x1, -narrow, high), (x2, -narrow, high), (x2, narrow, high), (x1, narrow, high)], paint)
    for index, panel in enumerate(panels):
        builder.face(panel, paint)
        spans = [(0.05, 0.95)] if index < 2 else [(0.07, 0.47), (0.51, 0.90)]
        if shape.height > 2.0 and index == 2:
            spans = [(0.68, 0.94)]
        elif shape.height > 2.0 and index == 3:
            spans = [(0.06, 0.32)]
        elif shape.height > 2.0 and index == 0:
            spans = [(0.08, 0.48), (0.52, 0.92)]
        for left, right in spans:
            builder.face(_inset(panel, left, right, 0.10, 0.88), GLASS)


def _inset(quad: list[Point], left: float, right: float, low: float, high: float) -> list[Point]:
    corners = np.array(quad)

    def at(u: float, v: float) -> Point:
        bottom = corners[0] * (1.0 - u) + corners[1] * u
        top = corners[3] * (1.0 - u) + corners[2] * u
        x, y, z = bottom * (1.0 - v) + top * v
        return float(x), float(y), float(z)

    return [at(left, low), at(right, low), at(right, high), at(left, high)]


def _disc(builder: MeshBuilder, centre: Point, radius: float, colour: Colour, side: float, sides: int = 12) -> None:
    angles = [2.0 * math.pi * i / sides for i in range(sides)]
    x, y, z = centre
    builder.face([(x - side * radius * math.cos(angle), y, z + radius * math.sin(angle)) for angle in angles], colour)


@dataclass(frozen=True, slots=True)
class HouseStyle:
    """How a house looks.

    Attributes:
        wall: Colour of the plaster.
        roof: Colour of the tiles.
        storeys: Number of storeys.
        gabled: Whether it has a pitched roof instead of a flat one.
        shop: Whether the ground floor is a shop window.
    """

    wall: Colour
    roof: Colour
    storeys: int
    gabled: bool
    shop: bool


GROUND_STOREY_M = 3.6
STOREY_M = 2.9


def house(front_left: Point, front_right: Point, back_right: Point, back_left: Point, style: HouseStyle) -> Mesh:
    """Build a house on four ground points; left and right are seen from the street."""
    ring = [front_left, back_left, back_right, front_right]
    if _signed_area(ring) < 0.0:
        ring.reverse()
    builder = MeshBuilder([(x, y) for x, y, _ in ring])
    height = GROUND_STOREY_M + STOREY_M * (style.storeys - 1) + 0.6
    walls = [
        [front_left, front_right],
        [front_right, back_right],
        [back_right, back_left],
        [back_left, front_left],
    ]
    for index, (left, right) in enumerate(walls):
        builder.face([left, right, _raised(right, height), _raised(left, height)], style.wall)
        if index != 2:
            _facade(builder, left, right, style, entrance=index == 0)
    if style.gabled:
        ridge = height + 0.36 * math.dist(front_left, back_left)
        first = _raised(_middle(front_left, back_left), ridge)
        second = _raised(_middle(front_right, back_right), ridge)
        a, b, c, d = (_raised(p, height) for p in (front_left, front_right, back_right, back_left))
        builder.face([a, b, second, first], style.roof)
        builder.face([c, d, first, second], style.roof)
        builder.face([b, c, second], style.wall)
        builder.face([d, a, first], style.wall)
    else:
        for left, right in walls[:2] + walls[3:]:
            trim = _panel(left, right, 0.0, 1.0, height - 0.45, height)
            builder.face(trim, (style.wall[0] * 0.72, style.wall[1] * 0.72, style.wall[2] * 0.72))
    return builder.build()


def _facade(builder: MeshBuilder, left: Point, right: Point, style: HouseStyle, *, entrance: bool) -> None:
    width = math.dist(left, right)
    columns = max(1, round(width / 2.9))
    frame: Colour = (226.0, 230.0, 232.0)
    plinth: Colour = (style.wall[0] * 0.62, style.wall[1] * 0.62, style.wall[2] * 0.64)
    builder.face(_panel(left, right, 0.0, 1.0, 0.0, 0.7), plinth)
    for storey in range(style.storeys):
        low = 0.0 if storey == 0 else GROUND_STOREY_M + STOREY_M * (storey - 1)
        for column in range(columns):
            u = (column + 0.5) / columns
            half = 0.60 / width
            if storey == 0 and entrance and column == columns // 2:
                builder.face(_panel(left, right, u - half, u + half, 0.0, 2.35), (52.0, 66.0, 92.0))
                continue
            if storey == 0 and entrance and style.shop:
                half = 1.20 / width
                builder.face(_panel(left, right, u - half, u + half, 0.5, 2.7), (66.0, 58.0, 54.0))
                builder.face(_panel(left, right, u - half, u + half, 2.75, 3.2), style.roof)
                continue
            sill, lintel = low + 0.95, low + 2.45
            builder.face(_panel(left, right, u - half * 1.2, u + half * 1.2, sill - 0.12, lintel + 0.10), frame)
            glass = 1.0 + 0.28 * math.sin(7.0 * column + 3.0 * storey + left[0])
            colour = (GLASS[0] * 1.25 * glass, GLASS[1] * 1.25 * glass, GLASS[2] * 1.2 * glass)
            builder.face(_panel(left, right, u - half, u + half, sill, lintel), colour)


def _panel(left: Point, right: Point, u0: float, u1: float, z0: float, z1: float) -> list[Point]:
    def at(u: float, z: float) -> Point:
        return left[0] + (right[0] - left[0]) * u, left[1] + (right[1] - left[1]) * u, z

    return [at(u0, z0), at(u1, z0), at(u1, z1), at(u0, z1)]


def _raised(point: Point, z: float) -> Point:
    return point[0], point[1], z


def _middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0, 0.0


def _signed_area(ring: list[Point]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)) / 2.0


def tree(rng: np.random.Generator) -> Mesh:
    """Build a street tree about 7 m high at the origin."""
    builder = MeshBuilder([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    height = float(rng.uniform(2.3, 2.8))
    builder.box((-0.14, -0.14, 0.0), (0.14, 0.14, height + 0.6), (58.0, 76.0, 92.0))
    tint = float(rng.uniform(0.88, 1.10))
    offsets = [(0.0, 0.0, 1.3, 1.55)]
    offsets += [
        (
            1.15 * math.cos(angle),
            1.15 * math.sin(angle),
            float(rng.uniform(0.45, 2.0)),
            float(rng.uniform(0.75, 1.05)),
        )
        for angle in (float(rng.uniform(0.0, 1.2)) + 1.2566 * i for i in range(5))
    ]
    offsets.append((0.15, -0.1, 2.6, 0.95))
    for x, y, z, radius in offsets:
        shade = tint * (0.80 + 0.12 * z)
        leaves = (52.0 * shade, 116.0 * shade, 92.0 * shade)
        builder.ball((x, y, height + z), radius, leaves, rng)
    return builder.build(sort_faces=True)


def lamp_post(reach: float) -> Mesh:
    """Build a street lamp at the origin whose arm reaches along y."""
    builder = MeshBuilder([(-0.12, -0.12), (0.12, -0.12), (0.12, 0.12), (-0.12, 0.12)])
    metal: Colour = (122.0, 120.0, 116.0)
    builder.box((-0.08, -0.08, 0.0), (0.08, 0.08, 6.4), metal)
    low, high = sorted((0.0, reach))
    builder.box((-0.05, low, 6.32), (0.05, high, 6.42), metal)
    low, high = sorted((reach, reach * 0.62))
    builder.box((-0.12, low, 6.22), (0.12, high, 6.34), (205.0, 208.0, 208.0))
    return builder.build()


def traffic_light(phase: str) -> Mesh:
    """Build a traffic light at the origin that is seen by those who drive along x."""
    builder = MeshBuilder([(-0.2, -0.2), (0.2, -0.2), (0.2, 0.2), (-0.2, 0.2)])
    builder.box((-0.07, -0.07, 0.0), (0.07, 0.07, 2.5), (96.0, 98.0, 98.0))
    builder.box((-0.16, -0.20, 2.35), (0.16, 0.20, 3.45), (40.0, 42.0, 40.0))
    lamps: tuple[tuple[str, float, Colour, Colour], ...] = (
        ("red", 3.25, (50.0, 40.0, 255.0), (30.0, 26.0, 66.0)),
        ("amber", 2.90, (40.0, 190.0, 255.0), (24.0, 52.0, 66.0)),
        ("green", 2.55, (120.0, 240.0, 60.0), (34.0, 62.0, 24.0)),
    )
    for name, z, lit, dark in lamps:
        corners: list[Point] = [
            (-0.165, -0.135 * math.cos(math.pi * i / 5), z + 0.135 * math.sin(math.pi * i / 5)) for i in range(10)
        ]
        builder.face(corners, lit if name == phase else dark, plain=True)
    return builder.build()


def round_sign() -> Mesh:
    """Build a red-rimmed speed sign at the origin that is seen by those who drive along x."""
    builder = MeshBuilder([(-0.1, -0.1), (0.1, -0.1), (0.1, 0.1), (-0.1, 0.1)])
    builder.box((-0.035, -0.035, 0.0), (0.035, 0.035, 2.6), (140.0, 140.0, 138.0))
    for depth, radius, colour in ((0.05, 0.34, (46.0, 36.0, 205.0)), (0.06, 0.25, (236.0, 238.0, 238.0))):
        corners: list[Point] = [
            (-depth, -radius * math.cos(math.pi * i / 6), 2.5 + radius * math.sin(math.pi * i / 6)) for i in range(12)
        ]
        builder.face(corners, colour)
    back: list[Point] = [
        (-0.05, 0.34 * math.cos(math.pi * i / 6), 2.5 + 0.34 * math.sin(math.pi * i / 6)) for i in range(12)
    ]
    builder.face(back, (140.0, 140.0, 138.0))
    return builder.build()


def hedge(front_left: Point, front_right: Point, back_right: Point, back_left: Point) -> Mesh:
    """Build a hedge, 1.1 m high, on four ground points."""
    ring = [front_left, back_left, back_right, front_right]
    if _signed_area(ring) < 0.0:
        ring.reverse()
    builder = MeshBuilder([(x, y) for x, y, _ in ring])
    for left, right in zip(ring, [*ring[1:], ring[0]], strict=True):
        builder.face([left, right, _raised(right, 1.1), _raised(left, 1.1)], (46.0, 96.0, 74.0))
    builder.face([_raised(point, 1.1) for point in ring], (58.0, 126.0, 96.0))
    return builder.build()
