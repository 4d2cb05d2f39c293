"""A road by hand: two lanes to the east and one back, straight, with a zebra crossing and a stop line with a signal."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.expert.expert import Expert
from alpamayo_ros.world.road_map import Connection, Lane, RoadMap, stop_line
from alpamayo_ros.world.route import Route, plan_route
from alpamayo_ros.world.snapshot import Actor, Signal, Snapshot

WIDTH_M = 3.4
LINE_M = 150.0
CAR = Actor(
    "car", "car", 0.0, 0.0, 0.0, 4.4, 1.8, 1.5, 0.0, 0.0, False, "none", (0.0, 0.0, 0.0), "", 0.0
)  # fmt: skip

Snap = Callable[..., Snapshot]


def _lane(name: str, kind: str, points: list[tuple[float, float]], index: int = 0, width: float = WIDTH_M) -> Lane:
    edge = name.rsplit("_", 1)[0]
    return Lane(name, edge, index, kind, np.array(points, dtype=np.float64), width, 14.0, "dashed", "solid")


@pytest.fixture(scope="session")
def road_map() -> RoadMap:
    """Eastward lanes at y = 0 and y = 3.4, the way back at y = 6.8; the stop line at x = 150, a zebra at x = 80."""
    lanes = [
        _lane("in_0", "driving", [(0.0, 0.0), (LINE_M, 0.0)]),
        _lane("in_1", "driving", [(0.0, WIDTH_M), (LINE_M, WIDTH_M)], index=1),
        _lane(":node_0", "internal", [(LINE_M, 0.0), (170.0, 0.0)]),
        _lane(":node_1", "internal", [(LINE_M, WIDTH_M), (170.0, WIDTH_M)]),
        _lane("out_0", "driving", [(170.0, 0.0), (400.0, 0.0)]),
        _lane("out_1", "driving", [(170.0, WIDTH_M), (400.0, WIDTH_M)], index=1),
        _lane("back_0", "driving", [(400.0, 2 * WIDTH_M), (0.0, 2 * WIDTH_M)]),
        _lane(":zebra_0", "crossing", [(80.0, -2.0), (80.0, 9.0)], width=4.0),
    ]
    connections = (
        Connection("in_0", ":node_0", "out_0", "s", "signal:in_0", (), (":node_0",), 0),
        Connection("in_1", ":node_1", "out_1", "s", "signal:in_1", (), (":node_1",), 1),
    )
    by_id = {lane.id: lane for lane in lanes}
    return RoadMap(
        "by hand", by_id, connections, {}, {name: stop_line(by_id[name]) for name in ("in_0", "in_1")}, {}, "node", ""
    )


@pytest.fixture(scope="session")
def route(road_map: RoadMap) -> Route:
    return plan_route(road_map, ["in_0", "out_0"])


@pytest.fixture(scope="session")
def expert(road_map: RoadMap, route: Route) -> Expert:
    return Expert(road_map, route)


@pytest.fixture(scope="session")
def snap() -> Snap:
    """Build a moment: the ego vehicle's rear axle at x, y, and what is around it."""

    def build(
        x: float,
        speed: float,
        *actors: Actor,
        y: float = 0.0,
        yaw: float = 0.0,
        signal: str = "green",
        acceleration: float = 0.0,
    ) -> Snapshot:
        ego = ego_state(x, y, yaw, speed, acceleration, 0.0)
        lamp = Signal("signal:in_0", "in_0", 170.0, -3.0, 3.0, 0.0, signal, permissive=False)
        return Snapshot(0, 0.0, ego, tuple(sorted(actors, key=lambda one: one.id)), (lamp,))

    return build


@pytest.fixture(scope="session")
def actor() -> Callable[..., Actor]:
    """Build an actor from a standing car."""

    def build(**changes: object) -> Actor:
        return dataclasses.replace(CAR, **changes)  # type: ignore[arg-type]

    return build
