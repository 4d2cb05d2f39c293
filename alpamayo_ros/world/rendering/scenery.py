"""Houses, trees, hedges and street lamps beside the roads of a map, placed by a seed, never on a road or path."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.world.rendering.buildings import HOUSES, house, house_size
from alpamayo_ros.world.rendering.faces import Placed
from alpamayo_ros.world.rendering.ground import YARD, Patch
from alpamayo_ros.world.rendering.land import Land
from alpamayo_ros.world.rendering.light import Light
from alpamayo_ros.world.rendering.outline import beside, length_of, places
from alpamayo_ros.world.rendering.street import CROWN_RADIUS_M, LAMP_HEAD_M, hedge, lamp_post, tree
from alpamayo_ros.world.road_map import Lane, RoadMap

Floats = NDArray[np.float64]

LAMP_STEP_M = 27.0
LAMP_REACH_M = 2.6
TREE_KINDS = 16
HEDGE_M = 5.0
SIGHT_M = 60.0
"""Nothing stands beside this much of an approach to a signal where it could hide the signal."""
LONGEST_SHADOW_M = 30.0


@dataclass(frozen=True, slots=True)
class Scenery:
    """What stands beside the roads.

    Attributes:
        things: Everything that is drawn.
        yards: Patches of ground around houses.
        shadows: Outlines on the ground.
        lamps: Where street lamps shine from, shape (N, 2), m.
    """

    things: tuple[Placed, ...]
    yards: tuple[Patch, ...]
    shadows: tuple[Floats, ...]
    lamps: Floats


class _Gardener:
    """Places things one after the other where the land is still free."""

    def __init__(self, road_map: RoadMap, land: Land, rng: np.random.Generator, light: Light) -> None:
        self._land = land
        self._rng = rng
        self._light = light
        self._junctions = list(road_map.junctions.values())
        self.things: list[Placed] = []
        self.yards: list[Patch] = []
        self.shadows: list[Floats] = []
        self.lamps: list[tuple[float, float]] = []

    def lamps_along(self, border: Floats) -> None:
        """Put street lamps beside a border."""
        start = float(self._rng.uniform(4.0, 14.0))
        post = lamp_post(LAMP_REACH_M, lit=self._light.lamps_lit)
        for x, y, heading in _along(border, -1.4, start, LAMP_STEP_M):
            if self._take(_square(x, y, 0.4)):
                self.things.append(Placed(post, x, y, heading))
                reach = LAMP_REACH_M + 0.8
                self.lamps.append((x - math.sin(heading) * reach, y + math.cos(heading) * reach))
                self._shadow(_square(x, y, 0.16), LAMP_HEAD_M)

    def houses_along(self, border: Floats) -> None:
        """Build houses beside a border, with hedges in front of some."""
        rng, length = self._rng, length_of(border)
        start = float(rng.uniform(0.0, 6.0))
        while start < length - 8.0:
            kind = int(rng.integers(HOUSES))
            width, depth = house_size(kind)
            setback = float(rng.uniform(2.6, 6.0))
            gap = float(rng.uniform(1.5, 8.0)) if rng.random() < 0.8 else float(rng.uniform(10.0, 24.0))
            hedged = rng.random() < 0.5
            place, headings = places(border, np.array([start + width / 2.0]))
            heading = float(headings[0])
            x, y = _moved(place[0], heading, -(setback + depth / 2.0))
            if self._take(_box(x, y, heading, width + 1.0, depth + 1.0)):
                built = house(kind, night=self._light.lamps_lit)
                self.things.append(Placed(built, x, y, heading))
                yard_x, yard_y = _moved(place[0], heading, -(setback / 2.0 + depth / 2.0 + 0.4))
                self.yards.append(Patch(_box(yard_x, yard_y, heading, width + 2.0, depth + setback), YARD))
                self._shadow(_box(x, y, heading, width, depth), built.height * 0.85)
                if hedged:
                    self._hedges(border, start, width, setback)
            start += width + gap

    def _hedges(self, border: Floats, start: float, width: float, setback: float) -> None:
        for offset in np.arange(HEDGE_M / 2.0, width, HEDGE_M + 1.2).tolist():
            place, headings = places(border, np.array([start + offset]))
            heading = float(headings[0])
            x, y = _moved(place[0], heading, -min(0.9, 0.4 * setback))
            if self._take(_box(x, y, heading, HEDGE_M, 0.8)):
                self.things.append(Placed(hedge(HEDGE_M), x, y, heading))
                self._shadow(_box(x, y, heading, HEDGE_M, 0.7), 1.1)

    def trees_along(self, border: Floats, first_m: float, last_m: float, step_m: float) -> None:
        """Plant trees at random distances beside a border."""
        for x, y, heading in _along(border, 0.0, float(self._rng.uniform(0.0, step_m)), step_m):
            away = -(CROWN_RADIUS_M + float(self._rng.uniform(first_m, last_m)))
            kind, turn = int(self._rng.integers(TREE_KINDS)), float(self._rng.uniform(0.0, 6.28))
            tree_x, tree_y = _moved(np.array([x, y]), heading, away)
            if self._take(_square(tree_x, tree_y, CROWN_RADIUS_M)):
                self.things.append(Placed(tree(kind), tree_x, tree_y, turn))
                self._crown_shadow(tree_x, tree_y, turn)

    def _take(self, outline: Floats) -> bool:
        if not self._land.is_free(outline):
            return False
        self._land.take(outline)
        return True

    def _shift(self, height_m: float) -> Floats:
        sun = self._light.sun
        shift: Floats = -sun[:2] / max(float(sun[2]), 0.1) * height_m
        return shift * min(1.0, LONGEST_SHADOW_M / max(float(np.hypot(*shift)), 1e-9))

    def _shadow(self, outline: Floats, height_m: float) -> None:
        self.shadows.append(cast_shadow(outline, self._shift(height_m)))

    def _crown_shadow(self, x: float, y: float, turn: float) -> None:
        centre = np.array([x, y]) + self._shift(4.2)
        angles = np.linspace(0.0, 2.0 * np.pi, 16, endpoint=False)
        radii = 1.9 + 0.3 * np.sin(5.0 * angles + turn)
        self.shadows.append(centre + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1))


def plant(road_map: RoadMap, land: Land, seed: int, light: Light) -> Scenery:
    """Place the scenery of an episode; what it takes of the land is marked there.

    Args:
        road_map: The map.
        land: What the map takes of it.
        seed: The same seed places the same things.
        light: Says where shadows fall and whether lamps are lit.
    """
    rng = np.random.default_rng([seed, 5])
    for outline in _kept_free(road_map):
        land.take(outline)
    gardener = _Gardener(road_map, land, rng, light)
    borders = list(_borders(road_map))
    for border, town in borders:
        if town:
            gardener.lamps_along(border)
    for border, town in borders:
        if town:
            gardener.houses_along(border)
    for border, town in borders:
        gardener.trees_along(border, 0.3, 2.5 if town else 9.0, 13.0 if town else 17.0)
        gardener.trees_along(border, 9.0, 22.0, 12.0)
    for end in _ends(road_map):
        gardener.trees_along(end, 0.5, 6.0, 4.5)
    lamps = np.array(gardener.lamps, dtype=np.float64).reshape(-1, 2)
    return Scenery(tuple(gardener.things), tuple(gardener.yards), tuple(gardener.shadows), lamps)


def cast_shadow(outline: Floats, shift: Floats) -> Floats:
    """Return the convex shadow of a thing whose top is shifted by ``shift`` on the ground, shape (N, 2)."""
    hull = cv2.convexHull(np.concatenate([outline, outline + shift]).astype(np.float32))
    return hull.reshape(-1, 2).astype(np.float64)


def _borders(road_map: RoadMap) -> Iterator[tuple[Floats, bool]]:
    """Yield the outer borders of all roads, each with its road on the left, and whether the road is in town."""
    edges: dict[str, list[Lane]] = {}
    for lane in road_map.lanes.values():
        if lane.kind in {"driving", "sidewalk"}:
            edges.setdefault(lane.edge, []).append(lane)
    starts = {edge: lanes[0].centre[0] for edge, lanes in edges.items()}
    ends = {edge: lanes[0].centre[-1] for edge, lanes in edges.items()}
    for edge, lanes in edges.items():
        ordered = sorted(lanes, key=lambda lane: lane.index)
        right, left = ordered[0], ordered[-1]
        town = right.kind == "sidewalk"
        yield beside(right.centre, -right.width_m / 2.0), town
        two_way = any(
            other != edge
            and np.hypot(*(ends[other] - starts[edge])) < 25.0
            and np.hypot(*(starts[other] - ends[edge])) < 25.0
            for other in edges
        )
        if not two_way:
            yield beside(left.centre, left.width_m / 2.0)[::-1], town


def _ends(road_map: RoadMap) -> Iterator[Floats]:
    """Yield a line across the end of every road that leads nowhere, with the road on its left."""
    left_for = {connection.from_lane for connection in road_map.connections}
    for lane in road_map.lanes.values():
        if lane.kind != "driving" or lane.id in left_for:
            continue
        end, before = lane.centre[-1], lane.centre[-2]
        ahead = (end - before) / max(float(np.hypot(*(end - before))), 1e-9)
        left = np.array([-ahead[1], ahead[0]])
        yield np.stack([end + 3.0 * ahead - 16.0 * left, end + 3.0 * ahead + 16.0 * left])


def _kept_free(road_map: RoadMap) -> Iterator[Floats]:
    """Yield where nothing may stand because it could hide a signal: corridors along approaches and corners."""
    for connection in road_map.connections:
        if not connection.signal:
            continue
        lane = road_map.lanes[connection.from_lane]
        end, before = lane.centre[-1], lane.centre[-2]
        ahead = (end - before) / max(float(np.hypot(*(end - before))), 1e-9)
        left = np.array([-ahead[1], ahead[0]])
        near, far = end - SIGHT_M * ahead, end + 26.0 * ahead
        half = lane.width_m / 2.0 + 2.0
        yield np.stack([near - half * left, far - half * left, far + half * left, near + half * left])


def _along(border: Floats, left_m: float, start_m: float, step_m: float) -> Iterator[tuple[float, float, float]]:
    """Yield x, y and heading of places beside a border."""
    length = length_of(border)
    positions = np.arange(start_m, max(start_m, length - 1.0), step_m)
    points, headings = places(border, positions)
    for point, heading in zip(points, headings.tolist(), strict=True):
        x, y = _moved(point, heading, left_m)
        yield x, y, heading


def _moved(point: Floats, heading: float, left_m: float) -> tuple[float, float]:
    return float(point[0]) - math.sin(heading) * left_m, float(point[1]) + math.cos(heading) * left_m


def _square(x: float, y: float, half: float) -> Floats:
    return np.array([(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)])


def _box(x: float, y: float, heading: float, length: float, width: float) -> Floats:
    c, s = math.cos(heading), math.sin(heading)
    turn = np.array([[c, s], [-s, c]])
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) * np.array([length, width])
    placed: Floats = corners @ turn + np.array([x, y])
    return placed
