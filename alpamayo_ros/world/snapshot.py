"""The world at one step of its simulation: the ego vehicle, the actors around it and the signals."""

import math
from dataclasses import dataclass

STEP_S = 0.1
"""Time between two steps of the simulation."""
KINDS = ("car", "van", "truck", "bus", "bicycle", "pedestrian", "cone", "barrier")
VEHICLE_KINDS = ("car", "van", "truck", "bus", "bicycle")
INDICATORS = ("none", "left", "right", "hazard")
EGO = "ego"
"""No actor has this id: the ego vehicle is none of them."""

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class EgoState:
    """Where the ego vehicle is and how it moves.

    Attributes:
        position: Rear axle on the ground in the world, m.
        yaw: Heading in rad, left positive.
        pitch: Nose down positive, rad.
        roll: Right side down positive, rad.
        speed_mps: Along the heading.
        acceleration_mps2: Along the heading.
        curvature: Of the path, 1/m.
        linear_velocity: In the rig frame, m/s.
        angular_velocity: In the rig frame, rad/s.
    """

    position: Triple
    yaw: float
    pitch: float
    roll: float
    speed_mps: float
    acceleration_mps2: float
    curvature: float
    linear_velocity: Triple
    angular_velocity: Triple

    @property
    def quaternion(self) -> tuple[float, float, float, float]:
        """Orientation of the rig in the world as a unit quaternion, xyzw."""
        cy, sy = math.cos(self.yaw / 2), math.sin(self.yaw / 2)
        cp, sp = math.cos(self.pitch / 2), math.sin(self.pitch / 2)
        cr, sr = math.cos(self.roll / 2), math.sin(self.roll / 2)
        return (
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
            cr * cp * cy + sr * sp * sy,
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """Something that stands or moves on the road or beside it.

    Attributes:
        id: The same in every snapshot of an episode.
        kind: One of KINDS.
        x: Centre of the footprint in the world, m.
        y: Centre of the footprint in the world, m.
        heading: Of the front in rad, left positive.
        length: Along the heading, m.
        width: Across the heading, m.
        height: Above the ground, m.
        speed_mps: Along the heading.
        acceleration_mps2: Along the heading.
        braking: Whether brake lights are lit.
        indicator: ``none``, ``left``, ``right`` or ``hazard``.
        colour: Blue, green, red, 0 to 255.
        lane: Id of the lane, crossing or walking area that it is on, empty if none.
        lane_position_m: Arc length of its front on that lane.
    """

    id: str
    kind: str
    x: float
    y: float
    heading: float
    length: float
    width: float
    height: float
    speed_mps: float
    acceleration_mps2: float
    braking: bool
    indicator: str
    colour: tuple[float, float, float]
    lane: str
    lane_position_m: float


@dataclass(frozen=True, slots=True)
class Signal:
    """One lamp housing; each approach lane has one.

    Attributes:
        id: Traffic light and approach lane.
        lane: Id of the approach lane that it controls.
        x: Middle of the housing in the world, m.
        y: Middle of the housing in the world, m.
        z: Middle of the housing above the ground, m.
        heading: Direction of travel of the traffic that it is for, rad.
        state: ``red``, ``amber``, ``green`` or ``off``.
        permissive: Whether it is green for traffic that must yield nevertheless.
    """

    id: str
    lane: str
    x: float
    y: float
    z: float
    heading: float
    state: str
    permissive: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that can be seen or decided about at one step.

    Attributes:
        step: Number of the step, 0 at the start.
        t_s: Time after the start of the episode, s.
        ego: The ego vehicle.
        actors: Those near the ego vehicle, sorted by id.
        signals: Those of the whole map, sorted by id.
    """

    step: int
    t_s: float
    ego: EgoState
    actors: tuple[Actor, ...]
    signals: tuple[Signal, ...]
