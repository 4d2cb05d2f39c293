"""Where a vehicle may drive."""

import numpy as np

from alpamayo_ros.world.road_map import Lane, RoadMap
from alpamayo_ros.world.surface import TOLERANCE_M, DrivableSurface, in_polygon

SQUARE = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]])


def lane(name: str, kind: str, y: float) -> Lane:
    return Lane(name, name, 0, kind, np.array([[0.0, y], [50.0, y]]), 3.0, 14.0, "none", "none")


def surface() -> DrivableSurface:
    lanes = {"a": lane("a", "driving", 0.0), "walk": lane("walk", "sidewalk", 20.0)}
    junctions = {"node": SQUARE + np.array([60.0, 0.0])}
    return DrivableSurface(RoadMap("by hand", lanes, (), junctions, {}, {}, "", ""))


def test_a_lane_is_as_wide_as_it_is() -> None:
    edge = 1.5 + TOLERANCE_M
    points = np.array([[25.0, 0.0], [25.0, edge - 0.01], [25.0, edge + 0.01], [25.0, -edge + 0.01]])
    assert surface().contains(points).tolist() == [True, True, False, True]


def test_junctions_belong_to_it_and_sidewalks_do_not() -> None:
    points = np.array([[65.0, 5.0], [25.0, 20.0], [200.0, 200.0]])
    assert surface().contains(points).tolist() == [True, False, False]


def test_a_point_is_inside_a_polygon_or_not() -> None:
    bent = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [5.0, 2.0]])
    points = np.array([[9.0, 3.0], [4.0, 5.0], [5.0, 1.0], [-1.0, 0.0]])
    assert in_polygon(points, bent).tolist() == [True, False, True, False]
    assert in_polygon(np.zeros((0, 2)), SQUARE).tolist() == []
