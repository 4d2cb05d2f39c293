"""What vehicles, people and obstacles look like."""

import colorsys

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.scenarios.staging import Body, Colour

SIZES = {
    "car": (4.4, 1.8, 1.5),
    "van": (5.4, 2.0, 2.2),
    "truck": (7.8, 2.4, 3.2),
    "bus": (11.5, 2.5, 3.1),
    "bicycle": (1.8, 0.6, 1.7),
    "pedestrian": (0.5, 0.6, 1.75),
    "cone": (0.4, 0.4, 0.75),
    "barrier": (0.3, 1.8, 1.05),
}
"""Length, width and height in m of a middling one."""

ORANGE: Colour = (20.0, 110.0, 245.0)
RED_AND_WHITE: Colour = (60.0, 60.0, 220.0)


def body(draw: Draw, kind: str) -> Body:
    """Return a body of a kind, its size within 6 % of the middling one, its colour drawn."""
    length, width, height = SIZES[kind]
    if kind == "cone":
        return Body(kind, length, width, height, ORANGE)
    if kind == "barrier":
        return Body(kind, length, width, height, RED_AND_WHITE)
    scale = draw.uniform(0.94, 1.06)
    return Body(kind, round(length * scale, 3), round(width * scale, 3), round(height * scale, 3), colour(draw))


def vehicle_body(draw: Draw, *, large: bool = True) -> Body:
    """Return a body of a kind that is drawn: most are cars."""
    kinds = ("car", "van", "truck", "bus") if large else ("car", "van")
    return body(draw, draw.choice(kinds, (7.0, 1.5, 1.0, 0.5)[: len(kinds)]))


def colour(draw: Draw) -> Colour:
    """Return a colour: half of them are white, grey or black as on the road, half are bright."""
    if draw.chance(0.5):
        grey = draw.uniform(30.0, 235.0)
        return (grey, grey, grey)
    red, green, blue = colorsys.hsv_to_rgb(draw.uniform(0.0, 1.0), draw.uniform(0.5, 0.95), draw.uniform(0.45, 0.95))
    return (round(blue * 255.0, 1), round(green * 255.0, 1), round(red * 255.0, 1))
