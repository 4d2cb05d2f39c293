"""What to change about an episode: from what people ask for to edits, and back to words."""

from dataclasses import dataclass

from alpamayo_ros.errors import ParameterError, expected_one_of
from alpamayo_ros.world.edits import Add, Colour, Edit, Move, Recolour, Remove, actor_ids
from alpamayo_ros.world.metrics import collided
from alpamayo_ros.world.scenarios import EpisodeSpec
from alpamayo_ros.world.scenarios.bodies import ORANGE, RED_AND_WHITE, SIZES
from alpamayo_ros.world.scenarios.staging import Staging
from alpamayo_ros.world.simulation import Simulation
from alpamayo_ros.world.snapshot import KINDS, Actor
from alpamayo_ros.world.vehicle import LENGTH_M, REAR_AXLE_TO_CENTRE_M

_ADDED_COLOURS: dict[str, Colour] = {"cone": ORANGE, "barrier": RED_AND_WHITE}
_ADDED_COLOUR: Colour = (40.0, 40.0, 200.0)
_NAMES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """What people ask for.

    Attributes:
        remove: Ids of actors, or kinds such as ``cone`` for all of a kind.
        move: Actor, metres ahead and metres to the left, along its own heading.
        recolour: Actor and colour, blue, green, red, 0 to 255.
        add: Kind, metres ahead of the ego vehicle's front along its route, and metres to the left of it.
    """

    remove: tuple[str, ...] = ()
    move: tuple[tuple[str, float, float], ...] = ()
    recolour: tuple[tuple[str, Colour], ...] = ()
    add: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """Edits and what they are called.

    Attributes:
        edits: To apply in this order.
        words: What is changed, such as ``without pedestrian ped_0``.
        actors: Ids of what is changed.
    """

    edits: tuple[Edit, ...]
    words: str
    actors: tuple[str, ...]


def plan_changes(spec: EpisodeSpec, request: ChangeRequest) -> Changes:
    """Return the edits of a request, which must name actors of the episode.

    Raises:
        ParameterError: Nothing is asked for, an actor or a kind is not known (the error lists those that are), or
            something would stand beside the route's ends or in the ego vehicle.
        ConfigurationError: SUMO is not installed.
    """
    with Simulation(spec) as simulation:
        staging, route = simulation.staging, simulation.route
    kinds = actor_kinds(staging)
    edits: list[Edit] = []
    words: list[str] = []
    removed = _removed(request.remove, kinds)
    edits += [Remove(name) for name in removed]
    if removed:
        words.append("without " + _listed(removed, kinds))
    for name, ahead_m, left_m in request.move:
        edits.append(Move(_known(name, kinds), ahead_m, left_m))
        words.append(f"with {_called(name, kinds)} moved {_way(ahead_m, left_m)}")
    for name, colour in request.recolour:
        edits.append(Recolour(_known(name, kinds), colour))
        words.append(f"with {_called(name, kinds)} in another colour")
    for number, (kind, ahead_m, left_m) in enumerate(request.add):
        front_m = staging.ego.s_m + REAR_AXLE_TO_CENTRE_M + 0.5 * LENGTH_M
        if not 0.0 <= front_m + ahead_m <= route.path.length_m:
            last_m = route.path.length_m - front_m
            raise ParameterError(
                f"place {ahead_m:g} m ahead of the start is beside the route of {spec.id!r}; expected {-front_m:.0f} "
                f"to {last_m:.0f} m"
            )
        actor = _added(f"added_{number}", kind, route.path.point(front_m + ahead_m, left_m))
        edits.append(Add(actor))
        words.append(f"with a further {kind}, {_way(ahead_m, left_m)} of the start")
    if not edits:
        raise ParameterError("nothing is to be changed; expected --remove, --move, --recolour or --add")
    named = [*removed, *(move[0] for move in request.move), *(recolour[0] for recolour in request.recolour)]
    added = [f"added_{number}" for number in range(len(request.add))]
    changes = Changes(tuple(edits), " and ".join(words), tuple(dict.fromkeys([*named, *added])))
    _require_free_start(spec, changes)
    return changes


def _require_free_start(spec: EpisodeSpec, changes: Changes) -> None:
    with Simulation(spec, changes.edits) as simulation:
        hit = collided(simulation.snapshot)
    if hit is not None:
        raise ParameterError(
            f"the episode {changes.words} begins with {hit.kind} {hit.id} in the ego vehicle; expected a place that is "
            "free at the start"
        )


def actor_kinds(staging: Staging) -> dict[str, str]:
    """Return the kind by id of everything that can be changed, sorted by id."""
    bodies = {one.id: one.body.kind for one in staging.vehicles}
    bodies |= {one.id: one.body.kind for one in staging.props}
    bodies |= {one.id: one.body.kind for one in staging.walkers}
    return {name: bodies[name] for name in actor_ids(staging)}


def _removed(names: tuple[str, ...], kinds: dict[str, str]) -> list[str]:
    removed: list[str] = []
    for name in names:
        of_kind = [actor for actor, kind in kinds.items() if kind == name]
        removed += of_kind if of_kind and name not in kinds else [_known(name, kinds)]
    return list(dict.fromkeys(removed))


def _known(name: str, kinds: dict[str, str]) -> str:
    if name in kinds:
        return name
    listed = ", ".join(f"{actor} ({kind})" for actor, kind in sorted(kinds.items())) or "none at all"
    raise ParameterError(f"actor {name!r} is not in this episode; expected one of: {listed}")


def _listed(names: list[str], kinds: dict[str, str]) -> str:
    if len(names) <= _NAMES_SHOWN:
        return ", ".join(_called(name, kinds) for name in names)
    counts: dict[str, int] = {}
    for name in names:
        counts[kinds[name]] = counts.get(kinds[name], 0) + 1
    return ", ".join(f"{count} of kind {kind}" for kind, count in sorted(counts.items()))


def _called(name: str, kinds: dict[str, str]) -> str:
    """Return kind and id, once where the id says both."""
    return name if kinds[name] in name else f"{kinds[name]} {name}"


def _way(ahead_m: float, left_m: float) -> str:
    along = f"{abs(ahead_m):g} m {'ahead' if ahead_m >= 0.0 else 'back'}"
    across = f"{abs(left_m):g} m to the {'left' if left_m >= 0.0 else 'right'}"
    return " and ".join(words for words, value in ((along, ahead_m), (across, left_m)) if value) or "nowhere"


def _added(name: str, kind: str, place: tuple[float, float, float]) -> Actor:
    if kind not in KINDS:
        raise ParameterError(expected_one_of("kind of actor", kind, KINDS))
    x, y, heading = place
    length, width, height = SIZES[kind]
    return Actor(
        id=name,
        kind=kind,
        x=x,
        y=y,
        heading=heading,
        length=length,
        width=width,
        height=height,
        speed_mps=0.0,
        acceleration_mps2=0.0,
        braking=False,
        indicator="none",
        colour=_ADDED_COLOURS.get(kind, _ADDED_COLOUR),
        lane="",  # which one it is follows from its place
        lane_position_m=0.0,
    )
