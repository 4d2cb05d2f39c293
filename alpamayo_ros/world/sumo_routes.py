"""Who drives where from when on, as SUMO reads it."""

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from alpamayo_ros.world import vehicle as ego_body
from alpamayo_ros.world.path import Path
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.scenarios.staging import Vehicle
from alpamayo_ros.world.snapshot import EGO, EgoState

CAR_FOLLOWING = {
    "accel": "2.0",
    "decel": "4.5",
    "emergencyDecel": "8.0",
    "minGap": "2.0",
    "sigma": "0",
    "speedDev": "0",
}
"""How every vehicle of the traffic drives; without dawdling nobody's motion depends on another's random numbers."""
EGO_FACTOR = "2"
"""The ego vehicle may be faster than the limit: it is driven from outside."""


def route_file(road_map: RoadMap, vehicles: Iterable[Vehicle], ego_lanes: Sequence[str], ego: EgoState) -> bytes:
    """Return the route file of an episode.

    Args:
        road_map: The roads.
        vehicles: The traffic.
        ego_lanes: The ego vehicle's lanes outside of junctions.
        ego: Where it starts.
    """
    root = Element("routes")
    lane = road_map.lanes[ego_lanes[0]]
    front = Path(lane.centre, smoothing_m=0.0).project(*ego_body.front(ego))[0]
    ego_type = {"length": f"{ego_body.LENGTH_M}", "width": f"{ego_body.WIDTH_M}", "vClass": "passenger"}
    SubElement(root, "vType", {"id": f"type:{EGO}", **CAR_FOLLOWING, **ego_type, "speedFactor": EGO_FACTOR})
    edges = tuple(dict.fromkeys(road_map.lanes[name].edge for name in ego_lanes))
    _add_vehicle(root, EGO, edges, (lane.index, front, ego.speed_mps), 0.0)
    for item in sorted(vehicles, key=lambda vehicle: (vehicle.depart_s, vehicle.id)):
        limit = road_map.driving_lanes(item.edges[0])[0].speed_limit_mps
        attributes = {
            "id": f"type:{item.id}",
            "length": f"{item.body.length:.3f}",
            "width": f"{item.body.width:.3f}",
            "vClass": "bicycle" if item.body.kind == "bicycle" else "passenger",
            **CAR_FOLLOWING,
            "tau": f"{item.headway_s:.3f}",
            "speedFactor": f"{max(item.desired_mps, item.speed_mps, 0.5) / limit + 0.001:.4f}",
            "maxSpeed": "40",
        }
        SubElement(root, "vType", attributes)
        start = (item.lane, item.position_m, item.speed_mps)
        added = _add_vehicle(root, item.id, item.edges, start, item.depart_s)
        if item.standing:
            stop = {"lane": f"{item.edges[0]}_{item.lane}", "endPos": f"{item.position_m:.3f}"}
            SubElement(added, "stop", {**stop, "startPos": f"{item.position_m - 0.5:.3f}", "duration": "100000"})
    return tostring(root)


def _add_vehicle(
    root: Element, name: str, edges: Sequence[str], start: tuple[int, float, float], depart_s: float
) -> Element:
    lane, position, speed = start
    attributes = {
        "id": name,
        "type": f"type:{name}",
        "depart": f"{depart_s:.3f}",
        "departLane": str(lane),
        "departPos": f"{position:.3f}",
        "departSpeed": f"{speed:.3f}",
    }
    if depart_s == 0.0:
        attributes["insertionChecks"] = "none"
    vehicle = SubElement(root, "vehicle", attributes)
    SubElement(vehicle, "route", edges=" ".join(edges))
    return vehicle
