"""A map drawn by hand: a road of one lane each way along x, a crossing, a signal, sidewalks. No SUMO is needed."""

from types import SimpleNamespace

import numpy as np
import pytest

from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.road_map import Connection, Lane, RoadMap
from alpamayo_ros.world.snapshot import Actor, EgoState, Signal, Snapshot

WIDTH_M = 3.5
LENGTH_M = 120.0
CROSSING_X = 60.0


def lane(lane_id: str, kind: str, points: list[tuple[float, float]], width: float, lines: tuple[str, str]) -> Lane:
    edge, index = lane_id.rsplit("_", 1)
    return Lane(lane_id, edge, int(index), kind, np.array(points, dtype=np.float64), width, 13.9, *lines)


def ego_at(x: float, y: float = -WIDTH_M / 2.0, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> EgoState:
    return EgoState((x, y, 0.0), yaw, pitch, roll, 8.0, 0.0, 0.0, (8.0, 0.0, 0.0), (0.0, 0.0, 0.0))


def actor_at(actor_id: str, kind: str, x: float, y: float, heading: float = 0.0, **changes: object) -> Actor:
    sizes = {
        "car": (4.4, 1.8, 1.5),
        "van": (5.4, 2.0, 2.2),
        "truck": (7.8, 2.4, 3.2),
        "bus": (11.5, 2.5, 3.1),
        "bicycle": (1.8, 0.6, 1.7),
        "pedestrian": (0.5, 0.6, 1.75),
        "cone": (0.4, 0.4, 0.75),
        "barrier": (0.3, 1.8, 1.05),
    }
    values: dict[str, object] = {
        "speed_mps": 0.0,
        "acceleration_mps2": 0.0,
        "braking": False,
        "indicator": "none",
        "colour": (60.0, 160.0, 40.0),
        "lane": "",
        "lane_position_m": 0.0,
    }
    return Actor(actor_id, kind, x, y, heading, *sizes[kind], **{**values, **changes})


def signal_at(x: float, state: str = "red", y: float = -WIDTH_M - 0.7, z: float = 3.0) -> Signal:
    return Signal("signal:west_1", "west_1", x, y, z, 0.0, state, False)


def snapshot(
    ego: EgoState, actors: tuple[Actor, ...] = (), signals: tuple[Signal, ...] = (), t_s: float = 0.0
) -> Snapshot:
    return Snapshot(round(t_s * 10.0), t_s, ego, actors, signals)


@pytest.fixture(scope="session")
def road_map() -> RoadMap:
    half, beside = WIDTH_M / 2.0, WIDTH_M + 1.6
    lanes = [
        lane("west_1", "driving", [(0.0, -half), (CROSSING_X - 4.0, -half)], WIDTH_M, ("dashed", "solid")),
        lane("west_0", "sidewalk", [(0.0, -beside), (CROSSING_X - 4.0, -beside)], 3.0, ("none", "none")),
        lane("east_1", "driving", [(CROSSING_X + 4.0, -half), (LENGTH_M, -half)], WIDTH_M, ("dashed", "solid")),
        lane("east_0", "sidewalk", [(CROSSING_X + 4.0, -beside), (LENGTH_M, -beside)], 3.0, ("none", "none")),
        lane("back_1", "driving", [(LENGTH_M, half), (0.0, half)], WIDTH_M, ("dashed", "solid")),
        lane("back_0", "sidewalk", [(LENGTH_M, beside), (0.0, beside)], 3.0, ("none", "none")),
        lane(":via_0", "internal", [(CROSSING_X - 4.0, -half), (CROSSING_X + 4.0, -half)], WIDTH_M, ("none", "none")),
        lane(":c_0", "crossing", [(CROSSING_X, -WIDTH_M), (CROSSING_X, WIDTH_M)], 4.0, ("none", "none")),
    ]
    corners = [
        (CROSSING_X - 4.0, -WIDTH_M),
        (CROSSING_X + 4.0, -WIDTH_M),
        (CROSSING_X + 4.0, 0.0),
        (CROSSING_X - 4.0, 0.0),
    ]
    end = CROSSING_X - 4.0
    return RoadMap(
        name="by hand",
        lanes={one.id: one for one in sorted(lanes, key=lambda one: one.id)},
        connections=(Connection("west_1", ":via_0", "east_1", "s", "signal:west_1", (), (":via_0",), 0),),
        junctions={"middle": np.array(corners)},
        stop_lines={"west_1": np.array([(end, 0.0), (end, -WIDTH_M)])},
        crossing_links={},
        signal_node="middle",
        digest="sha256:" + "0" * 64,
    )


@pytest.fixture(scope="session")
def renderer(road_map: RoadMap) -> Renderer:
    return Renderer(road_map, 3)


@pytest.fixture(scope="session")
def plaza() -> Renderer:
    """A place so wide that nothing stands beside it."""
    only = lane("a_0", "driving", [(-200.0, 0.0), (300.0, 0.0)], 400.0, ("none", "none"))
    return Renderer(RoadMap("plaza", {"a_0": only}, (), {}, {}, {}, "", "sha256:" + "1" * 64), 3)


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """What snapshots are made of: ``ego``, ``actor``, ``signal``, ``snapshot``."""
    return SimpleNamespace(ego=ego_at, actor=actor_at, signal=signal_at, snapshot=snapshot)
