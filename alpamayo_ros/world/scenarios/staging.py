"""What a scenario puts into the world: traffic, people, obstacles, signals, and what they are told to do."""

from collections.abc import Mapping
from dataclasses import dataclass

WALK_ACCELERATION_MPS2 = 1.5
"""How fast people on foot reach their speed."""

Point = tuple[float, float]
Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a scripted actor acts: all conditions must hold at once, at one step.

    Attributes:
        after_s: Not before this time of the episode.
        point: The ego vehicle's front is near this point, in m.
        headway_s: How near: what it drives in this time,
        distance_m: or this distance, whatever is more.
        behind_actor: The ego vehicle's front is behind the rear of this actor by ``distance_m`` or more.
        green_for: The signal is green for this edge and stays so for ``green_left_s``.
        green_left_s: See above.
    """

    after_s: float = 0.0
    point: Point | None = None
    headway_s: float = 0.0
    distance_m: float = 0.0
    behind_actor: str = ""
    green_for: str = ""
    green_left_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Body:
    """What an actor looks like.

    Attributes:
        kind: One of snapshot.KINDS.
        length: m.
        width: m.
        height: m.
        colour: Blue, green, red, 0 to 255.
    """

    kind: str
    length: float
    width: float
    height: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle that SUMO drives.

    Attributes:
        id: Unique in the episode.
        body: Its looks.
        edges: Its route.
        lane: Index of the lane that it starts on, from the right, sidewalks included.
        position_m: Of its front on that lane.
        speed_mps: At the start.
        desired_mps: What it drives on a free road, whatever the limit.
        depart_s: When it appears.
        headway_s: Time gap that it keeps.
        standing: It stands where it is for the whole episode.
        hidden: It is no actor: it tells traffic that the lane is blocked there.
        indicator: ``none``, or what it shows while standing.
        keeps_lane: It never changes lanes on its own.
        stands_for: Ids of the props that it makes traffic mind, if it is hidden.
    """

    id: str
    body: Body
    edges: tuple[str, ...]
    lane: int
    position_m: float
    speed_mps: float
    desired_mps: float
    depart_s: float = 0.0
    headway_s: float = 1.5
    standing: bool = False
    hidden: bool = False
    indicator: str = "none"
    keeps_lane: bool = False
    stands_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prop:
    """Something that stands: a parked vehicle, a cone, a barrier, a person who waits.

    Attributes:
        id: Unique in the episode.
        body: Its looks.
        x: Centre of the footprint, m.
        y: Centre of the footprint, m.
        heading: rad.
        lane: Id of the lane that it stands on, empty if none.
        lane_position_m: Of its front on that lane.
        indicator: ``none``, ``left``, ``right`` or ``hazard``.
    """

    id: str
    body: Body
    x: float
    y: float
    heading: float
    lane: str = ""
    lane_position_m: float = 0.0
    indicator: str = "none"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a person's way.

    Attributes:
        end_m: Where it ends, along the way.
        lane: Id of the sidewalk, crossing or lane.
        on_road: Whether vehicles drive there.
    """

    end_m: float
    lane: str
    on_road: bool


@dataclass(frozen=True, slots=True)
class Walker:
    """A person on foot.

    Attributes:
        id: Unique in the episode.
        body: Looks.
        way: Points of the way, m.
        stretches: Its parts in their order, to the end.
        start_m: Where the person is at the start.
        speed_mps: Walking.
        hold_m: Where the person waits until the trigger, beyond the way's end if nowhere.
        trigger: When the person walks on from there.
        careful: Waits for vehicles of the traffic that could not stop any more.
    """

    id: str
    body: Body
    way: tuple[Point, ...]
    stretches: tuple[Stretch, ...]
    start_m: float
    speed_mps: float
    hold_m: float
    trigger: Trigger = Trigger()
    careful: bool = True


@dataclass(frozen=True, slots=True)
class SpeedChange:
    """A vehicle that is told to change its speed.

    Attributes:
        actor: Its id.
        trigger: When it begins.
        speed_mps: Where it ends.
        acceleration_mps2: How fast, without sign.
        hold_s: How long it keeps the new speed before it drives on its own; endless if infinite.
    """

    actor: str
    trigger: Trigger
    speed_mps: float
    acceleration_mps2: float
    hold_s: float


@dataclass(frozen=True, slots=True)
class LaneChange:
    """A vehicle that is told to change lanes.

    Attributes:
        actor: Its id.
        trigger: When it begins.
        lane: Index of the lane it goes to, from the right, sidewalks included.
        indicator: What it shows meanwhile: ``none``, ``left`` or ``right``.
        lead_s: How long it indicates before it moves.
    """

    actor: str
    trigger: Trigger
    lane: int
    indicator: str
    lead_s: float


@dataclass(frozen=True, slots=True)
class SignalPhase:
    """What the signals of a junction show for a time.

    Attributes:
        duration_s: s.
        green: Edges that have green.
        amber: Edges that have amber; all others have red.
    """

    duration_s: float
    green: tuple[str, ...] = ()
    amber: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EgoStart:
    """Where the ego vehicle starts.

    Attributes:
        lanes: Lanes of the route outside of junctions.
        s_m: Its rear axle on the route.
        speed_mps: m/s.
    """

    lanes: tuple[str, ...]
    s_m: float
    speed_mps: float


@dataclass(frozen=True, slots=True)
class Staging:
    """Everything that a scenario puts into the world.

    Attributes:
        map_name: Of the road network.
        ego: Where the ego vehicle starts.
        vehicles: SUMO drives them.
        props: They stand.
        walkers: They walk.
        orders: What vehicles are told to do.
        phases: Of the signals, over and over; empty if there are none.
        roles: Ids of the actors that the scenario is about, by what they do in it.
    """

    map_name: str
    ego: EgoStart
    vehicles: tuple[Vehicle, ...] = ()
    props: tuple[Prop, ...] = ()
    walkers: tuple[Walker, ...] = ()
    orders: tuple[SpeedChange | LaneChange, ...] = ()
    phases: tuple[SignalPhase, ...] = ()
    roles: Mapping[str, str] | None = None
