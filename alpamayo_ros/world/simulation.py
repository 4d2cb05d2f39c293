"""One episode's world, step by step: the ego vehicle is driven from outside, everything else reacts to it."""

import math
from collections.abc import Sequence
from types import TracebackType

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.world import vehicle
from alpamayo_ros.world.edits import Edit, edit_staging
from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.route import Route, plan_route
from alpamayo_ros.world.scenarios.registry import stage
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.staging import Prop, Staging, Trigger
from alpamayo_ros.world.signal_program import SignalProgram
from alpamayo_ros.world.snapshot import STEP_S, Actor, EgoState, Snapshot
from alpamayo_ros.world.sumo_traffic import SumoTraffic
from alpamayo_ros.world.walkers import WalkerState

NEAR_M = 150.0
"""Actors farther from the ego vehicle than this are in no snapshot."""


class Simulation:
    """The world of one episode; there is only one at a time in a process.

    It is a context manager; leaving it frees the process for the next one.

    Attributes:
        spec: What it was made from.
        edits: What was changed about it.
        staging: Everything that was put into the world, edits included.
        road_map: The roads.
        route: Where the ego vehicle is to drive.
    """

    def __init__(self, spec: EpisodeSpec, edits: Sequence[Edit] = ()) -> None:
        """Build the world at step 0.

        Args:
            spec: What the episode is made from.
            edits: What is changed about it.

        Raises:
            ParameterError: The specification or an edit does not hold.
            ConfigurationError: SUMO is not installed, or a simulation already runs in this process.
        """
        self.spec, self.edits = spec, tuple(edits)
        original = stage(spec)
        network = load_map(original.map_name)
        self.road_map: RoadMap = network.road_map
        self.staging: Staging = edit_staging(original, self.edits, self.road_map)
        start = self.staging.ego
        self.route: Route = plan_route(self.road_map, start.lanes)
        x, y, heading = self.route.path.point(start.s_m)
        ego = ego_state(x, y, heading, start.speed_mps, 0.0, self.route.path.curvature(start.s_m))
        self._signals = SignalProgram(self.road_map, self.staging.phases)
        self._walkers = [WalkerState(walker, self.road_map) for walker in self.staging.walkers]
        self._props = tuple(_standing(prop) for prop in self.staging.props)
        self._traffic = SumoTraffic(
            network.text, self.road_map, self.staging.vehicles, self.staging.orders, start.lanes, ego, spec.seed
        )
        self._vehicles: list[Actor] = self._traffic.actors()
        self._snapshot = self._observed(0, ego)

    def __enter__(self) -> "Simulation":  # noqa: PYI034 - Self is not in Python 3.10
        """Return the simulation."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the simulation; closing twice does no harm."""
        self._traffic.close()

    @property
    def snapshot(self) -> Snapshot:
        """The world at the present step."""
        return self._snapshot

    def advance(self, ego: EgoState) -> Snapshot:
        """Go on by one step.

        Args:
            ego: The ego vehicle at the next step; others know where it was until now.

        Raises:
            ConfigurationError: The ego vehicle's place is not finite.
        """
        if not all(math.isfinite(value) for value in (*ego.position, ego.yaw, ego.speed_mps)):
            raise ConfigurationError(f"ego state {ego!r} is no place in the world; expected finite numbers")
        t_s = self._snapshot.t_s
        letters = (self._signals.node, self._signals.letters(t_s)) if self._signals.node else None
        claims = [claim for walker in self._walkers for claim in walker.claims()]
        self._traffic.advance(ego, letters, claims, self._fires, t_s)
        for walker in self._walkers:
            walker.advance(self._fires, self._vehicles)
        self._vehicles = self._traffic.actors()
        self._snapshot = self._observed(self._snapshot.step + 1, ego)
        return self._snapshot

    def _observed(self, step: int, ego: EgoState) -> Snapshot:
        x, y = vehicle.centre(ego)
        t_s = round(step * STEP_S, 6)
        actors = [*self._vehicles, *self._props, *(walker.actor for walker in self._walkers)]
        near = [actor for actor in actors if math.hypot(actor.x - x, actor.y - y) <= NEAR_M]
        near.sort(key=lambda actor: actor.id)
        return Snapshot(step, t_s, ego, tuple(near), self._signals.signals(t_s))

    def _fires(self, trigger: Trigger) -> bool:
        """Tell whether all conditions of a trigger hold at the present step."""
        snapshot = self._snapshot
        if snapshot.t_s < trigger.after_s - 1e-6:
            return False
        ego = snapshot.ego
        x, y = vehicle.front(ego)
        if trigger.point is not None:
            reach = max(trigger.distance_m, trigger.headway_s * ego.speed_mps)
            if math.hypot(trigger.point[0] - x, trigger.point[1] - y) > reach:
                return False
        if trigger.behind_actor:
            other = next((actor for actor in self._vehicles if actor.id == trigger.behind_actor), None)
            if other is None:
                return False
            along = (other.x - x) * math.cos(ego.yaw) + (other.y - y) * math.sin(ego.yaw) - other.length / 2.0
            if along < trigger.distance_m:
                return False
        if not trigger.green_for:
            return True
        return self._signals.green_left_s(trigger.green_for, snapshot.t_s) >= max(trigger.green_left_s, STEP_S)


def _standing(prop: Prop) -> Actor:
    body = prop.body
    return Actor(
        id=prop.id,
        kind=body.kind,
        x=prop.x,
        y=prop.y,
        heading=prop.heading,
        length=body.length,
        width=body.width,
        height=body.height,
        speed_mps=0.0,
        acceleration_mps2=0.0,
        braking=False,
        indicator=prop.indicator,
        colour=body.colour,
        lane=prop.lane,
        lane_position_m=prop.lane_position_m,
    )
