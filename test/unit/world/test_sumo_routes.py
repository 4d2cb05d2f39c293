"""The route file holds who drives, without anything random."""

from xml.etree import ElementTree as ET

from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.scenarios import episode, stage
from alpamayo_ros.world.sumo_routes import route_file

STAGING = stage(episode("stopped_vehicle:0"))
ROAD_MAP = load_map(STAGING.map_name).road_map


def root(vehicles_first: bool = True) -> ET.Element:
    vehicles = STAGING.vehicles if vehicles_first else STAGING.vehicles[::-1]
    return ET.fromstring(route_file(ROAD_MAP, vehicles, STAGING.ego.lanes, ego_state(0, 0, 0, 5, 0, 0)))


def test_the_order_of_the_vehicles_is_their_own() -> None:
    assert ET.tostring(root()) == ET.tostring(root(vehicles_first=False))


def test_nobody_drives_by_chance() -> None:
    types = root().findall("vType")
    assert len(types) == len(STAGING.vehicles) + 1
    assert {(item.get("sigma"), item.get("speedDev")) for item in types} == {("0", "0")}


def test_who_stands_has_a_stop_and_who_is_there_at_once_is_put_there_unasked() -> None:
    vehicles = {item.get("id"): item for item in root().findall("vehicle")}
    standing = {vehicle.id for vehicle in STAGING.vehicles if vehicle.standing}
    assert {name for name, item in vehicles.items() if item.find("stop") is not None} == standing
    assert vehicles["ego"].get("insertionChecks") == "none"
