"""Traffic that SUMO drives: the one simulation of this process, its vehicles, and what they are told."""

import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path as FilePath
from types import TracebackType

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.world import vehicle as ego_body
from alpamayo_ros.world.bends import BEND_ACCELERATION_MPS2, BEND_DECELERATION_MPS2, bend_speeds
from alpamayo_ros.world.orders import LANE_CHANGE_S, OrderState
from alpamayo_ros.world.road_map import DRIVING, INTERNAL, RoadMap
from alpamayo_ros.world.scenarios.staging import LaneChange, SpeedChange, Trigger, Vehicle
from alpamayo_ros.world.snapshot import EGO, STEP_S, Actor, EgoState
from alpamayo_ros.world.sumo import traffic_library
from alpamayo_ros.world.sumo_routes import CAR_FOLLOWING, route_file

OPTIONS = {
    "step-length": str(STEP_S),
    "no-step-log": "true",
    "no-warnings": "true",
    "duration-log.disable": "true",
    "xml-validation": "never",
    "xml-validation.net": "never",
    "time-to-teleport": "-1",
    "collision.action": "none",
    "lanechange.duration": str(LANE_CHANGE_S),
    "default.speeddev": "0",
    "ignore-junction-blocker": "-1",
}
"""What the traffic simulation runs with, beside the seed and the files."""

FOLLOWS_COMMAND = 27
"""SUMO's speed mode without the limit of comfortable braking, for vehicles that are told to brake."""
CHANGES_ON_COMMAND = 0
"""SUMO's lane change mode in which a vehicle changes lanes when it is told to and never else."""
KEEP_ROUTE_OR_LEAVE = 3
"""The ego vehicle stands on a lane of its route, or else on no lane."""

FOLDER_PREFIX = "alpamayo_traffic_"
LOOKAHEAD_M = 60.0
"""How far ahead of a vehicle bends and people are looked for."""
YIELD_DECELERATION_MPS2 = 3.5
YIELD_MARGIN_M = 3.0
_SIGNAL_RIGHT, _SIGNAL_LEFT, _SIGNAL_HAZARD = 1, 2, 4
BRAKING_MPS2 = -0.4
STANDS_MPS = 0.05


def traffic_rules() -> dict[str, object]:
    """Return what decides about the traffic beside its version, the map and the vehicles: JSON values."""
    return {
        "options": dict(OPTIONS),
        "car_following": dict(CAR_FOLLOWING),
        "bend_acceleration_mps2": BEND_ACCELERATION_MPS2,
        "bend_deceleration_mps2": BEND_DECELERATION_MPS2,
        "yield_deceleration_mps2": YIELD_DECELERATION_MPS2,
        "yield_margin_m": YIELD_MARGIN_M,
    }


class SumoTraffic:
    """One run of the traffic simulation; there is only one at a time in a process.

    It is a context manager; leaving it frees the simulation for the next one.
    """

    def __init__(
        self,
        network: bytes,
        road_map: RoadMap,
        vehicles: Sequence[Vehicle],
        orders: Sequence[SpeedChange | LaneChange],
        ego_lanes: Sequence[str],
        ego: EgoState,
        seed: int,
    ) -> None:
        """Load the network and put every vehicle that is there from the start on it.

        Args:
            network: Content of a network file, as ``compile_network`` made it; SUMO crashes on others.
            road_map: The same, parsed.
            vehicles: The traffic.
            orders: What some of them are told.
            ego_lanes: The ego vehicle's lanes outside of junctions.
            ego: Where it starts.
            seed: Of the traffic simulation.

        Raises:
            ConfigurationError: SUMO is not installed, refuses what it was given, or already runs in this process.
        """
        self._library = traffic_library()
        if self._library.isLoaded():
            raise ConfigurationError(
                "a traffic simulation already runs in this process; expected one at a time: close the other one first"
            )
        self._road_map = road_map
        self._vehicles = {vehicle.id: vehicle for vehicle in vehicles}
        self._orders = [OrderState(order) for order in orders]
        self._bends = {
            lane.id: bend_speeds(lane)
            for lane in road_map.lanes.values()
            if lane.kind in {DRIVING, INTERNAL} and lane.length_m > 1.0
        }
        self._commanded: set[str] = set()
        try:
            self._start(network, route_file(road_map, vehicles, ego_lanes, ego), seed)
            self._prepare(EGO)
            for name in self._present():
                self._prepare(name)
        except (self._library.TraCIException, self._library.FatalTraCIError) as error:
            self.close()
            raise ConfigurationError(f"SUMO refuses map {road_map.name!r} or its traffic: {error}") from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "SumoTraffic":  # noqa: PYI034 - Self is not in Python 3.10
        """Return the traffic."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the run; closing twice does no harm."""
        if self._library.isLoaded():
            self._library.close()

    def _start(self, network: bytes, routes: bytes, seed: int) -> None:
        """Load both files, which are gone from the disk afterwards: a process that is killed leaves none behind."""
        with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX) as name:
            files = {"net-file": FilePath(name) / "net.xml", "route-files": FilePath(name) / "routes.xml"}
            for path, data in zip(files.values(), (network, routes), strict=True):
                path.write_bytes(data)
            options = {**files, "seed": seed % 2**31, **OPTIONS}
            self._library.start(
                ["sumo", *(part for key, value in options.items() for part in (f"--{key}", str(value)))]
            )
            self._library.simulationStep()

    def advance(
        self,
        ego: EgoState,
        letters: tuple[str, str] | None,
        claims: Sequence[tuple[str, float]],
        fires: Callable[[Trigger], bool],
        t_s: float,
    ) -> None:
        """Drive on for one step.

        Args:
            ego: Where the ego vehicle is at the end of the step.
            letters: Node with signals and what they show.
            claims: Lanes that people walk on, and where.
            fires: Tells whether a trigger holds.
            t_s: Time at the start of the step.
        """
        library = self._library
        if letters is not None:
            library.trafficlight.setRedYellowGreenState(*letters)
        present = self._present()
        for order in self._orders:
            if order.name in present:
                order.advance(library.vehicle, fires, t_s)
        for name in present:
            self._limit_speed(name, claims)
        if EGO in library.vehicle.getIDList():
            x, y = ego_body.front(ego)
            angle = math.degrees(math.pi / 2.0 - ego.yaw) % 360.0
            library.vehicle.moveToXY(EGO, "", -1, x, y, angle, KEEP_ROUTE_OR_LEAVE)
        library.simulationStep()
        for name in self._present():
            if name not in present:
                self._prepare(name)

    def actors(self) -> list[Actor]:
        """Return every vehicle of the traffic that is there now."""
        found = []
        indicating = {order.name: order.indicator for order in self._orders if order.indicator != "none"}
        vehicles = self._library.vehicle
        for name in self._present():
            vehicle = self._vehicles[name]
            if vehicle.hidden:
                continue
            body = vehicle.body
            x, y = vehicles.getPosition(name)
            heading = math.remainder(math.pi / 2.0 - math.radians(vehicles.getAngle(name)), math.tau)
            speed, acceleration = vehicles.getSpeed(name), vehicles.getAcceleration(name)
            indicator = indicating.get(name) or _indicator(vehicles.getSignals(name))
            found.append(
                Actor(
                    id=name,
                    kind=body.kind,
                    x=x - body.length / 2.0 * math.cos(heading),
                    y=y - body.length / 2.0 * math.sin(heading),
                    heading=heading,
                    length=body.length,
                    width=body.width,
                    height=body.height,
                    speed_mps=speed,
                    acceleration_mps2=0.0 if vehicle.standing else acceleration,
                    braking=not vehicle.standing and (acceleration < BRAKING_MPS2 or speed < STANDS_MPS),
                    indicator=vehicle.indicator if vehicle.standing else indicator,
                    colour=body.colour,
                    lane=vehicles.getLaneID(name),
                    lane_position_m=vehicles.getLanePosition(name),
                )
            )
        return found

    def _present(self) -> list[str]:
        return sorted(name for name in self._library.vehicle.getIDList() if name in self._vehicles)

    def _prepare(self, name: str) -> None:
        """Set what holds for a vehicle from its first step on."""
        vehicles = self._library.vehicle
        if name == EGO:
            vehicles.setSpeedMode(EGO, 0)
            vehicles.setLaneChangeMode(EGO, CHANGES_ON_COMMAND)
            return
        if self._vehicles[name].keeps_lane or any(order.name == name for order in self._orders):
            vehicles.setLaneChangeMode(name, CHANGES_ON_COMMAND)
        if any(order.name == name for order in self._orders):
            vehicles.setSpeedMode(name, FOLLOWS_COMMAND)

    def _limit_speed(self, name: str, claims: Sequence[tuple[str, float]]) -> None:
        """Command a vehicle for one step: its orders, the bend before it, people before it; else it is free."""
        vehicle = self._vehicles[name]
        if vehicle.standing:
            return
        vehicles = self._library.vehicle
        lane, position = vehicles.getLaneID(name), vehicles.getLanePosition(name)
        limits = [order.speed_mps for order in self._orders if order.name == name and order.speed_mps is not None]
        ordered = bool(limits)
        for ahead, offset in self._lanes_ahead(vehicle, lane, position):
            bends = self._bends.get(ahead)
            if bends is not None:
                place = int(min(max(-offset, 0.0), len(bends) - 1))
                distance = max(offset, 0.0)
                limits.append(math.sqrt(float(bends[place]) ** 2 + 2.0 * BEND_DECELERATION_MPS2 * distance))
            for claimed, claim_m in claims:
                gap = claim_m + offset - YIELD_MARGIN_M
                if claimed == ahead and gap > -YIELD_MARGIN_M:
                    limits.append(math.sqrt(2.0 * YIELD_DECELERATION_MPS2 * max(gap, 0.0)))
        limit = min(limits, default=math.inf)
        if ordered or limit < vehicle.desired_mps:
            vehicles.setSpeed(name, min(limit, vehicle.desired_mps) if not ordered else limit)
            self._commanded.add(name)
        elif name in self._commanded:
            vehicles.setSpeed(name, -1.0)
            self._commanded.discard(name)

    def _lanes_ahead(self, vehicle: Vehicle, lane: str, position: float) -> list[tuple[str, float]]:
        """Return the lanes before a vehicle and where they begin, relative to its front, m."""
        found: list[tuple[str, float]] = []
        offset = -position
        while lane in self._road_map.lanes and offset < LOOKAHEAD_M:
            found.append((lane, offset))
            offset += self._road_map.lanes[lane].length_m
            following = self._following(vehicle, lane)
            if following is None:
                break
            lane = following
        return found

    def _following(self, vehicle: Vehicle, lane: str) -> str | None:
        current = self._road_map.lanes[lane]
        if current.kind == INTERNAL:
            for item in self._road_map.connections:
                if lane in item.via_lanes:
                    place = item.via_lanes.index(lane) + 1
                    return item.via_lanes[place] if place < len(item.via_lanes) else item.to_lane
            return None
        if current.edge not in vehicle.edges[:-1]:
            return None
        target = vehicle.edges[vehicle.edges.index(current.edge) + 1]
        for item in self._road_map.connections_from(lane):
            if self._road_map.lanes[item.to_lane].edge == target:
                return item.via_lane
        return None


def _indicator(signals: int) -> str:
    if signals & _SIGNAL_HAZARD or (signals & _SIGNAL_LEFT and signals & _SIGNAL_RIGHT):
        return "hazard"
    if signals & _SIGNAL_LEFT:
        return "left"
    return "right" if signals & _SIGNAL_RIGHT else "none"
