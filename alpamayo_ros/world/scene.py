"""Everything that stands in the world, and where."""

import math
from dataclasses import dataclass

import numpy as np

from alpamayo_ros.world.drive import EgoDrive
from alpamayo_ros.world.ground import CROSS_SECTION, Ground, GroundPainter, paint_street, shadow_outline
from alpamayo_ros.world.ground import SHADOW as GROUND_SHADOW
from alpamayo_ros.world.lane import Lane
from alpamayo_ros.world.mesh import SUN, Colour, Floats, Mesh, Point
from alpamayo_ros.world.pulses import Motion, Pulse
from alpamayo_ros.world.shapes import (
    HouseStyle,
    hedge,
    house,
    lamp_post,
    round_sign,
    traffic_light,
    tree,
)
from alpamayo_ros.world.sky import Bytes, paint_panorama
from alpamayo_ros.world.traffic import CROSSING_M, EGO_MOTION, LIGHT, MOVING, Vehicle

LANE = Lane(
    heading=0.30,
    bends=(Pulse(0.0270, 9.0, 11.0, 34.0, 11.0), Pulse(-0.0255, 46.0, 11.0, 74.0, 11.0)),
    first_m=-42.0,
    last_m=214.0,
)
"""A left bend, a right bend, then straight on to the crossing; radii down to 37 m."""

MARGIN_M = 12.0
"""How much ground is painted around the lane."""

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
PAINTS: tuple[Colour, ...] = (
    (196.0, 198.0, 198.0),
    (60.0, 58.0, 56.0),
    (138.0, 92.0, 50.0),
    (64.0, 60.0, 140.0),
    (128.0, 130.0, 130.0),
    (92.0, 108.0, 84.0),
    (222.0, 224.0, 222.0),
    (92.0, 138.0, 168.0),
)


@dataclass(frozen=True)
class Scene:
    """A world at rest and the scripts of what moves in it.

    Attributes:
        lane: The ego vehicle's lane.
        ego: The ego vehicle's drive.
        standing: Objects that never change.
        vehicles: Vehicles, those that move before those that are parked.
        ground: The street from above.
        panorama: What is infinitely far away.
    """

    lane: Lane
    ego: EgoDrive
    standing: tuple[Mesh, ...]
    vehicles: tuple[Vehicle, ...]
    ground: Ground
    panorama: Bytes

    def moving_meshes(self, t_s: float) -> list[Mesh]:
        """Return the vehicles that move, as they stand at a time."""
        placed = [(one, one.placement(self.lane, t_s)) for one in self.vehicles if not one.parked]
        return [one.mesh(placement) for one, placement in placed if placement is not None]

    def traffic_lights(self, t_s: float) -> list[Mesh]:
        """Return the traffic lights as they shine at a time."""
        phase = LIGHT.at(t_s)
        cross = CROSS_SECTION
        near = self.lane.point(CROSSING_M - 0.6, cross.right_kerb - 0.7)
        far = self.lane.point(CROSSING_M + 3.6, cross.left_kerb + 0.7)
        return [
            traffic_light(phase).placed(near.x, near.y, near.heading),
            traffic_light(phase).placed(far.x, far.y, far.heading + math.pi),
        ]


def build_scene(rng: np.random.Generator) -> Scene:
    """Build the world; the same generator state builds the same world."""
    lane = LANE
    parked = _parked_vehicles(rng)
    parked_meshes = [one.mesh(place) for one in parked if (place := one.placement(lane, 0.0)) is not None]
    houses = _houses(lane, rng)
    greenery = _trees(lane, rng)
    posts = _posts(lane)
    hedges = _hedges(lane, rng)
    corners = [lane.point(s, d) for s in np.linspace(lane.first_m, lane.last_m, 120).tolist() for d in (-9.0, 12.0)]
    xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
    painter = GroundPainter(lane, (min(xs) - MARGIN_M, min(ys) - MARGIN_M), (max(xs) + MARGIN_M, max(ys) + MARGIN_M))
    paint_street(painter, lane, CROSSING_M, rng)
    shadows = [shadow_outline(mesh, 1.2) for mesh in parked_meshes]
    shadows += [shadow_outline(mesh, float(mesh.vertices[:, 2].max())) for mesh in houses]
    shadows += [shadow_outline(mesh, 1.1) for mesh in hedges]
    shadows += [shadow_outline(mesh, 6.4) for mesh in posts]
    shadows += [_crown_shadow(mesh) for mesh in greenery]
    painter.darken(shadows, GROUND_SHADOW)
    standing = houses + hedges + greenery + posts + parked_meshes
    return Scene(
        lane,
        EgoDrive(lane, EGO_MOTION),
        tuple(standing),
        (*MOVING, *parked),
        painter.ground(),
        paint_panorama(rng),
    )


def _crown_shadow(mesh: Mesh) -> Floats:
    """Return the shadow of a tree's crown: a ragged disc."""
    centre = mesh.footprint.mean(axis=0) - SUN[:2] / SUN[2] * 4.2
    angles = np.linspace(0.0, 2.0 * np.pi, 22, endpoint=False)
    radii = 1.75 + 0.35 * np.sin(5.0 * angles + centre[0]) + 0.2 * np.sin(9.0 * angles)
    outline: Floats = centre + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return outline


def _houses(lane: Lane, rng: np.random.Generator) -> list[Mesh]:
    """Build two rows of houses and one across the end of the street."""
    cross = CROSS_SECTION
    rows: list[Mesh] = []
    for front, depth in ((cross.right_wall, -9.0), (cross.left_wall, 9.0)):
        s_m = lane.first_m + 1.0
        while s_m < lane.last_m - 16.0:
            width = float(rng.uniform(8.0, 15.0))
            style = HouseStyle(
                wall=WALLS[int(rng.integers(len(WALLS)))],
                roof=ROOFS[int(rng.integers(len(ROOFS)))],
                storeys=int(rng.integers(2, 5)),
                gabled=bool(rng.random() < 0.6),
                shop=bool(rng.random() < 0.3),
            )
            setback = math.copysign(float(rng.uniform(0.0, 1.2)), depth)
            corners = [
                _ground_point(lane, s, d)
                for s, d in (
                    (s_m, front + setback),
                    (s_m + width, front + setback),
                    (s_m + width, front + depth),
                    (s_m, front + depth),
                )
            ]
            if depth < 0.0:
                corners = [corners[1], corners[0], corners[3], corners[2]]
            rows.append(_house(corners, style))
            s_m += width + (float(rng.uniform(2.5, 6.0)) if rng.random() < 0.45 else 0.0)
    end = lane.last_m - 8.0
    style = HouseStyle(wall=WALLS[0], roof=ROOFS[0], storeys=4, gabled=True, shop=True)
    corners = [_ground_point(lane, end, 13.0), _ground_point(lane, end, -10.0)]
    corners += [_ground_point(lane, end + 7.5, -10.0), _ground_point(lane, end + 7.5, 13.0)]
    rows.append(_house(corners, style))
    return rows


def _house(corners: list[Point], style: HouseStyle) -> Mesh:
    return house(corners[0], corners[1], corners[2], corners[3], style)


def _ground_point(lane: Lane, s_m: float, d_m: float) -> Point:
    point = lane.point(s_m, d_m)
    return point.x, point.y, 0.0


def _parked_vehicles(rng: np.random.Generator) -> list[Vehicle]:
    """Park vehicles in some of the bays on both sides, none near the crossing."""
    parked: list[Vehicle] = []
    kinds = ("sedan", "hatchback", "hatchback", "van", "sedan")
    for d_m, oncoming in ((-3.05, False), (6.55, True)):
        for bay in range(-30, 198, 6):
            taken = rng.random() < (0.50 if oncoming else 0.58)
            kind = kinds[int(rng.integers(len(kinds)))]
            paint = PAINTS[int(rng.integers(len(PAINTS)))]
            offset = float(rng.uniform(-0.25, 0.25))
            if not taken or CROSSING_M - 10.0 < bay < CROSSING_M + 8.0:
                continue
            s_m = bay + (4.6 if oncoming else 1.4) + offset
            name = f"parked_{len(parked) + 1}"
            parked.append(Vehicle(name, kind, paint, d_m + 0.4 * offset, Motion(s_m, 0.0), oncoming))
    return parked


def _trees(lane: Lane, rng: np.random.Generator) -> list[Mesh]:
    trees: list[Mesh] = []
    for d_m, first, step in ((CROSS_SECTION.right_kerb - 1.0, -33, 15), (CROSS_SECTION.left_kerb + 1.0, -27, 17)):
        for start in range(first, 200, step):
            s_m = start + float(rng.uniform(-1.5, 1.5))
            if abs(s_m - CROSSING_M - 1.0) < 7.0:
                continue
            point = lane.point(s_m, d_m)
            trees.append(tree(rng).placed(point.x, point.y, float(rng.uniform(0.0, 6.28))))
    return trees


def _posts(lane: Lane) -> list[Mesh]:
    posts: list[Mesh] = []
    for start in range(-24, 200, 30):
        point = lane.point(start + 0.5, CROSS_SECTION.right_kerb - 0.5)
        posts.append(lamp_post(1.8).placed(point.x, point.y, point.heading))
        point = lane.point(start + 15.5, CROSS_SECTION.left_kerb + 0.5)
        posts.append(lamp_post(-1.8).placed(point.x, point.y, point.heading))
    for s_m in (24.5, 92.0):
        point = lane.point(s_m, CROSS_SECTION.right_kerb - 0.6)
        posts.append(round_sign().placed(point.x, point.y, point.heading))
    return posts


def _hedges(lane: Lane, rng: np.random.Generator) -> list[Mesh]:
    """Plant hedges in front of some houses."""
    hedges: list[Mesh] = []
    for near, far in (
        (CROSS_SECTION.right_pavement - 0.25, CROSS_SECTION.right_pavement - 0.95),
        (CROSS_SECTION.left_pavement + 0.25, CROSS_SECTION.left_pavement + 0.95),
    ):
        for start in range(-38, 196, 5):
            if rng.random() < 0.45:
                ends = (float(start), start + 4.9)
                corners = [_ground_point(lane, s, d) for s, d in ((ends[0], near), (ends[1], near))]
                corners += [_ground_point(lane, s, d) for s, d in ((ends[1], far), (ends[0], far))]
                if near < 0.0:
                    corners = [corners[1], corners[0], corners[3], corners[2]]
                hedges.append(hedge(corners[0], corners[1], corners[2], corners[3]))
    return hedges
