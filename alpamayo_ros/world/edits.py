"""Change one thing about an episode, to see what it was good for."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from alpamayo_ros.errors import ParameterError, expected_one_of
from alpamayo_ros.world.path import Path
from alpamayo_ros.world.road_map import DRIVING, Lane, RoadMap
from alpamayo_ros.world.scenarios.blocker import BLOCKER_PREFIX, blocker
from alpamayo_ros.world.scenarios.staging import Body, Prop, Staging, Vehicle, Walker
from alpamayo_ros.world.snapshot import EGO, INDICATORS, KINDS, Actor, Snapshot

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Remove:
    """The actor was never there."""

    actor: str


@dataclass(frozen=True, slots=True)
class Move:
    """The actor starts, or stands, elsewhere.

    A vehicle of the traffic moves along its lane, and by whole lanes to the side.

    Attributes:
        actor: Its id.
        ahead_m: Along its heading.
        left_m: Across its heading.
    """

    actor: str
    ahead_m: float
    left_m: float


@dataclass(frozen=True, slots=True)
class Recolour:
    """The actor has another colour: blue, green, red, 0 to 255."""

    actor: str
    colour: Colour


@dataclass(frozen=True, slots=True)
class Add:
    """Another actor stands there; in one snapshot it may also move."""

    actor: Actor


Edit: TypeAlias = Remove | Move | Recolour | Add

MIN_BLOCKER_M, END_M = 1.0, 0.5
"""Traffic can mind a prop from here on a lane until this much before its end."""
LARGEST_M = 30.0
"""Nothing that is added may be longer: a whole lorry with its trailer is 19 m."""


def actor_ids(staging: Staging) -> tuple[str, ...]:
    """Return the ids of everything that an edit can name, sorted."""
    seen = [vehicle.id for vehicle in staging.vehicles if not vehicle.hidden]
    return tuple(sorted([*seen, *(prop.id for prop in staging.props), *(walker.id for walker in staging.walkers)]))


def edit_staging(staging: Staging, edits: Sequence[Edit], road_map: RoadMap) -> Staging:
    """Return what is put into the world after edits, one after the other.

    Raises:
        ParameterError: An edit names an actor that is not there, adds one that is, or holds a number without sense.
    """
    for edit in edits:
        _validate(edit, actor_ids(staging))
        if isinstance(edit, Add):
            staging = _with_added(staging, edit.actor, road_map)
        elif isinstance(edit, Remove):
            staging = _without(staging, edit.actor)
        else:
            staging = _with_changed(staging, edit, road_map)
    return staging


def edit_snapshot(snapshot: Snapshot, edits: Sequence[Edit]) -> Snapshot:
    """Return one snapshot after edits, one after the other; nothing else reacts to them.

    Raises:
        ParameterError: As of ``edit_staging``.
    """
    actors = {actor.id: actor for actor in snapshot.actors}
    for edit in edits:
        _validate(edit, tuple(actors))
        if isinstance(edit, Add):
            actors[edit.actor.id] = edit.actor
        elif isinstance(edit, Remove):
            del actors[edit.actor]
        elif isinstance(edit, Recolour):
            actors[edit.actor] = dataclasses.replace(actors[edit.actor], colour=edit.colour)
        else:
            actor = actors[edit.actor]
            x, y = _moved(actor.x, actor.y, actor.heading, edit)
            position = actor.lane_position_m + edit.ahead_m
            actors[edit.actor] = dataclasses.replace(actor, x=x, y=y, lane_position_m=position)
    return dataclasses.replace(snapshot, actors=tuple(actors[name] for name in sorted(actors)))


def _validate(edit: object, known: tuple[str, ...]) -> None:
    if isinstance(edit, Add):
        _validate_guest(edit.actor, known)
        return
    if not isinstance(edit, (Remove, Move, Recolour)):
        raise ParameterError(f"edit {edit!r} is not known; expected one of: Add, Move, Recolour, Remove")
    if edit.actor not in known:
        raise ParameterError(expected_one_of("actor", edit.actor, known))
    if isinstance(edit, Recolour):
        _validate_colour(edit.colour)
    elif isinstance(edit, Move) and not (math.isfinite(edit.ahead_m) and math.isfinite(edit.left_m)):
        raise ParameterError(
            f"move of actor {edit.actor!r} is {edit.ahead_m}, {edit.left_m} m; expected finite numbers"
        )


def _validate_guest(actor: Actor, known: tuple[str, ...]) -> None:
    if not actor.id or actor.id in known or actor.id.startswith(BLOCKER_PREFIX) or actor.id == EGO:
        raise ParameterError(f"actor {actor.id!r} cannot be added; expected an id that nothing else has")
    if actor.kind not in KINDS:
        raise ParameterError(expected_one_of("kind of actor", actor.kind, KINDS))
    if actor.indicator not in INDICATORS:
        raise ParameterError(expected_one_of("indicator", actor.indicator, INDICATORS))
    places = (actor.x, actor.y, actor.heading, actor.speed_mps, actor.acceleration_mps2, actor.lane_position_m)
    sizes = (actor.length, actor.width, actor.height)
    if not all(math.isfinite(value) for value in places) or not all(0.0 < value < LARGEST_M for value in sizes):
        raise ParameterError(
            f"actor {actor.id!r} stands at {places!r} with the size {sizes!r}; expected finite numbers, and a size of "
            f"more than 0 and less than {LARGEST_M} m"
        )
    _validate_colour(actor.colour)


def _validate_colour(colour: Sequence[float]) -> None:
    if len(colour) != 3 or not all(0.0 <= value <= 255.0 for value in colour):
        raise ParameterError(f"colour {colour!r} is none; expected blue, green and red from 0 to 255")


def _without(staging: Staging, name: str) -> Staging:
    kept = []
    for vehicle in staging.vehicles:
        stands_for = tuple(item for item in vehicle.stands_for if item != name)
        if vehicle.id == name or (vehicle.stands_for and not stands_for):
            continue
        kept.append(dataclasses.replace(vehicle, stands_for=stands_for))
    return dataclasses.replace(
        staging,
        vehicles=tuple(kept),
        props=tuple(prop for prop in staging.props if prop.id != name),
        walkers=tuple(walker for walker in staging.walkers if walker.id != name),
        orders=tuple(order for order in staging.orders if order.actor != name and order.trigger.behind_actor != name),
    )


def _with_changed(staging: Staging, edit: Move | Recolour, road_map: RoadMap) -> Staging:
    def vehicle_changed(vehicle: Vehicle) -> Vehicle:
        named = vehicle.id == edit.actor
        if isinstance(edit, Recolour):
            return dataclasses.replace(vehicle, body=_painted(vehicle.body, edit.colour)) if named else vehicle
        if not named:
            return vehicle
        lanes = road_map.driving_lanes(vehicle.edges[0])
        lane = vehicle.lane + round(edit.left_m / lanes[0].width_m)
        lane = min(max(lane, lanes[0].index), lanes[-1].index)
        position = min(max(vehicle.position_m + edit.ahead_m, vehicle.body.length), lanes[0].length_m - END_M)
        return dataclasses.replace(vehicle, lane=lane, position_m=position)

    def prop_changed(prop: Prop) -> Prop:
        if prop.id != edit.actor:
            return prop
        if isinstance(edit, Recolour):
            return dataclasses.replace(prop, body=_painted(prop.body, edit.colour))
        x, y = _moved(prop.x, prop.y, prop.heading, edit)
        return dataclasses.replace(prop, x=x, y=y)

    def walker_changed(walker: Walker) -> Walker:
        if walker.id != edit.actor:
            return walker
        if isinstance(edit, Recolour):
            return dataclasses.replace(walker, body=_painted(walker.body, edit.colour))
        (x0, y0), (x1, y1) = walker.way[0], walker.way[1]
        heading = math.atan2(y1 - y0, x1 - x0)
        return dataclasses.replace(walker, way=tuple(_moved(x, y, heading, edit) for x, y in walker.way))

    changed = dataclasses.replace(
        staging,
        vehicles=tuple(vehicle_changed(vehicle) for vehicle in staging.vehicles),
        props=tuple(prop_changed(prop) for prop in staging.props),
        walkers=tuple(walker_changed(walker) for walker in staging.walkers),
    )
    moved_prop = isinstance(edit, Move) and any(prop.id == edit.actor for prop in staging.props)
    return _with_blocker(changed, edit.actor, road_map) if moved_prop else changed


def _with_added(staging: Staging, actor: Actor, road_map: RoadMap) -> Staging:
    body = Body(actor.kind, actor.length, actor.width, actor.height, actor.colour)
    prop = Prop(actor.id, body, actor.x, actor.y, actor.heading, actor.lane, actor.lane_position_m, actor.indicator)
    return _with_blocker(dataclasses.replace(staging, props=(*staging.props, prop)), actor.id, road_map)


def _with_blocker(staging: Staging, name: str, road_map: RoadMap) -> Staging:
    """Make traffic mind a prop where it stands now: in which lane that is follows from its place alone."""
    vehicles = tuple(vehicle for vehicle in staging.vehicles if vehicle.stands_for != (name,))
    prop = next(item for item in staging.props if item.id == name)
    lane, front_m = _lane_under(prop, road_map)
    if lane is not None:
        vehicles = (*vehicles, blocker((name,), prop.body, lane.edge, lane.index, front_m))
        prop = dataclasses.replace(prop, lane=lane.id, lane_position_m=front_m)
    elif prop.lane in road_map.lanes and road_map.lanes[prop.lane].kind == DRIVING:
        prop = dataclasses.replace(prop, lane="", lane_position_m=0.0)
    props = tuple(prop if item.id == name else item for item in staging.props)
    return dataclasses.replace(staging, vehicles=vehicles, props=props)


def _lane_under(prop: Prop, road_map: RoadMap) -> tuple[Lane | None, float]:
    """Return the lane for vehicles that a prop's middle stands on, and where on it the prop ends, m."""
    for lane in road_map.lanes.values():
        if lane.kind != DRIVING:
            continue
        line = Path(lane.centre, smoothing_m=0.0)
        s_m, d_m = line.project(prop.x, prop.y)
        if abs(d_m) < lane.width_m / 2.0 and 0.0 <= s_m <= line.length_m:
            return lane, min(max(s_m + prop.body.length / 2.0, MIN_BLOCKER_M), line.length_m - END_M)
    return None, 0.0


def _painted(body: Body, colour: Colour) -> Body:
    return dataclasses.replace(body, colour=colour)


def _moved(x: float, y: float, heading: float, edit: Move) -> tuple[float, float]:
    cosine, sine = math.cos(heading), math.sin(heading)
    return x + edit.ahead_m * cosine - edit.left_m * sine, y + edit.ahead_m * sine + edit.left_m * cosine
