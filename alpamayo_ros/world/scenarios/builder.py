"""Collect what a scenario puts into the world, placed along lanes."""

import math
from collections.abc import Sequence

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.path import Path
from alpamayo_ros.world.road_map import Lane, RoadMap
from alpamayo_ros.world.route import Route, plan_route
from alpamayo_ros.world.scenarios.blocker import blocker
from alpamayo_ros.world.scenarios.bodies import body
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.staging import (
    Body,
    EgoStart,
    LaneChange,
    Prop,
    SignalPhase,
    SpeedChange,
    Staging,
    Stretch,
    Trigger,
    Vehicle,
    Walker,
)

KERB_WAIT_M = 0.7
"""How far from the kerb somebody stands who is about to cross."""
PARKED_GAP_M = 0.15
"""Between a lane's border and a vehicle that is parked half on the sidewalk."""
WALK_BESIDE_M = 0.5
"""Between a sidewalk's outer border and who walks there."""


class StageBuilder:
    """A staging under construction.

    Attributes:
        spec: What the episode is made from.
        draw: Stream for everything that is no parameter: bodies, bystanders.
        road_map: The roads.
        lanes: The ego vehicle's, outside of junctions.
        route: The ego vehicle's.
        vehicles: As in Staging.
        props: As in Staging.
        walkers: As in Staging.
        orders: As in Staging.
        phases: As in Staging.
        roles: As in Staging.
    """

    def __init__(self, spec: EpisodeSpec, draw: Draw, lanes: Sequence[str]) -> None:
        self.spec, self.draw = spec, draw
        self.road_map: RoadMap = load_map(spec.text("map")).road_map
        self.lanes = tuple(lanes)
        self.route: Route = plan_route(self.road_map, lanes)
        self.vehicles: list[Vehicle] = []
        self.props: list[Prop] = []
        self.walkers: list[Walker] = []
        self.orders: list[SpeedChange | LaneChange] = []
        self.phases: tuple[SignalPhase, ...] = ()
        self.roles: dict[str, str] = {}

    @property
    def ego_s_m(self) -> float:
        """The ego vehicle's rear axle on its route at the start."""
        return self.spec.number("ego_s_m")

    @property
    def ego_front_m(self) -> float:
        """The ego vehicle's front on its route at the start."""
        return self.ego_s_m + 3.7

    @property
    def ego_speed_mps(self) -> float:
        """The ego vehicle's speed at the start."""
        return round(self.spec.number("speed_share") * self.lane(self.lanes[0]).speed_limit_mps, 3)

    def lane(self, lane_id: str) -> Lane:
        """Return a lane."""
        return self.road_map.lanes[lane_id]

    def line(self, lane_id: str) -> Path:
        """Return a lane's centre line."""
        return Path(self.lane(lane_id).centre, smoothing_m=0.0)

    def staging(self) -> Staging:
        """Return what was collected."""
        return Staging(
            map_name=self.spec.text("map"),
            ego=EgoStart(self.lanes, self.ego_s_m, self.ego_speed_mps),
            vehicles=tuple(self.vehicles),
            props=tuple(self.props),
            walkers=tuple(self.walkers),
            orders=tuple(self.orders),
            phases=self.phases,
            roles=dict(self.roles),
        )

    def add_prop(self, name: str, shape: Body, lane_id: str, s_m: float, d_m: float, indicator: str = "none") -> Prop:
        """Put something beside a lane's centre line; its lane is stated if it stands on it."""
        x, y, heading = self.line(lane_id).point(s_m, d_m)
        inside = abs(d_m) - shape.width / 2.0 < self.lane(lane_id).width_m / 2.0
        front_m = s_m + shape.length / 2.0
        prop = Prop(name, shape, x, y, heading, lane_id if inside else "", front_m if inside else 0.0, indicator)
        self.props.append(prop)
        return prop

    def add_cones(
        self, prefix: str, lane_id: str, places: Sequence[tuple[float, float]], *, blocks: bool, last_kind: str = "cone"
    ) -> None:
        """Put cones along a lane: (s, d) each; the last ones may be barriers across it.

        Args:
            prefix: Of the ids.
            lane_id: The lane that they stand along.
            places: Arc length and offset, m.
            blocks: Whether traffic must take the lane as closed there.
            last_kind: Kind of the last one.
        """
        names = []
        for number, (s_m, d_m) in enumerate(places):
            kind = last_kind if number == len(places) - 1 else "cone"
            names.append(f"{prefix}_{number:02d}")
            self.add_prop(names[-1], body(self.draw, kind), lane_id, s_m, d_m)
        if blocks and names:
            lane = self.lane(lane_id)
            first, last = min(s for s, _ in places), max(s for s, _ in places)
            shape = Body("barrier", max(last - first, 2.0), 1.8, 1.0, (0.0, 0.0, 0.0))
            self.vehicles.append(blocker(tuple(names), shape, lane.edge, lane.index, last + 1.0))

    def kerb_walker(
        self, name: str, sidewalk: Lane, s_m: float, speed_mps: float, *, backwards: bool, offset_m: float
    ) -> Walker:
        """Put somebody on a sidewalk who walks along it.

        Args:
            name: Id.
            sidewalk: The lane.
            s_m: Where along it.
            speed_mps: 0 to stand.
            backwards: Against the direction of the traffic beside it.
            offset_m: From the sidewalk's centre towards the road.
        """
        line = Path(sidewalk.centre, smoothing_m=0.0)
        stations = [line.length_m * share / 40.0 for share in range(41)]
        way = [line.point(station, offset_m)[:2] for station in stations]
        start_m = min(max(s_m, 1.0), line.length_m - 1.0)
        if backwards:
            way.reverse()
            start_m = line.length_m - start_m
        stretches = (Stretch(math.inf, sidewalk.id, on_road=False),)
        hold_m = math.inf if speed_mps > 0.0 else 0.0
        never = Trigger(after_s=math.inf)
        walker = Walker(
            name, body(self.draw, "pedestrian"), tuple(way), stretches, start_m, speed_mps or 1.3, hold_m, never
        )
        self.walkers.append(walker)
        return walker

    def crossing_walker(
        self, name: str, start: tuple[float, float], road: tuple[tuple[float, float], tuple[float, float]],
        lane_id: str, speed_mps: float, trigger: Trigger, *, careful: bool = True,
    ) -> Walker:  # fmt: skip
        """Put somebody on a sidewalk who goes to the kerb, waits there and crosses the road.

        Args:
            name: Id.
            start: Where the person comes from, m.
            road: The kerb at this side and the kerb at the other side, m.
            lane_id: Of the crossing, or of the lane where there is none.
            speed_mps: Walking.
            trigger: When the person steps onto the road.
            careful: Does not step in front of traffic that cannot stop.
        """
        (x0, y0), (x1, y1) = road
        length = math.hypot(x1 - x0, y1 - y0)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        wait = (x0 - KERB_WAIT_M * ux, y0 - KERB_WAIT_M * uy)
        beyond = (x1 + 2.2 * ux, y1 + 2.2 * uy)
        way = (start, wait, (x0, y0), (x1, y1), beyond)
        to_wait = math.hypot(wait[0] - start[0], wait[1] - start[1])
        kerb_m = to_wait + KERB_WAIT_M
        stretches = (
            Stretch(kerb_m, "", on_road=False),
            Stretch(kerb_m + length, lane_id, on_road=True),
            Stretch(math.inf, "", on_road=False),
        )
        walker = Walker(name, body(self.draw, "pedestrian"), way, stretches, 0.0, speed_mps, to_wait, trigger, careful)
        self.walkers.append(walker)
        return walker
