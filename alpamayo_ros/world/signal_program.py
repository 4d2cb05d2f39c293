"""What the signals of a map show at a time."""

import math
from collections.abc import Sequence

from alpamayo_ros.world.road_map import RoadMap
from alpamayo_ros.world.scenarios.staging import SignalPhase
from alpamayo_ros.world.snapshot import Signal

HOUSING_Z_M = 3.0
"""Middle of a housing on its pole above the sidewalk, where a driver who waits at the line can see it."""
BESIDE_LANE_M = 0.7
"""From the lane's right border to the housing."""
BEYOND_LINE_M = 2.0
"""From the stop line to the housing, along the road."""

RED, AMBER, GREEN = "red", "amber", "green"
_LETTERS = {RED: "r", AMBER: "y"}


class SignalProgram:
    """The phases of a map's signals, over and over."""

    def __init__(self, road_map: RoadMap, phases: Sequence[SignalPhase]) -> None:
        self._road_map = road_map
        self._phases = tuple(phases)
        self._cycle_s = sum(phase.duration_s for phase in phases)
        ruled = sorted({item.from_lane for item in road_map.connections if item.signal})
        self._housings = tuple(self._housing(lane) for lane in ruled) if phases else ()

    @property
    def node(self) -> str:
        """Id of the node with signals; empty if there is none."""
        return self._road_map.signal_node if self._phases else ""

    def signals(self, t_s: float) -> tuple[Signal, ...]:
        """Return every housing with what it shows."""
        phase, _ = self._phase(t_s) if self._phases else (SignalPhase(1.0), 0.0)
        shown = []
        for housing in self._housings:
            edge = self._road_map.lanes[housing.lane].edge
            state = _state(phase, edge)
            turns_left = any(item.direction == "l" for item in self._road_map.connections_from(housing.lane))
            permissive = state == GREEN and turns_left and len(phase.green) > 1
            place = (housing.x, housing.y, housing.z)
            shown.append(Signal(housing.id, housing.lane, *place, housing.heading, state, permissive))
        return tuple(shown)

    def letters(self, t_s: float) -> str:
        """Return the state of every link as SUMO writes it."""
        phase, _ = self._phase(t_s)
        letters: dict[int, str] = dict.fromkeys(self._road_map.crossing_links.values(), "r")
        for item in self._road_map.connections:
            if item.link < 0:
                continue
            state = _state(phase, self._road_map.lanes[item.from_lane].edge)
            yields = item.direction == "l" and len(phase.green) > 1
            letters[item.link] = _LETTERS.get(state, "g" if yields else "G")
        return "".join(letters[link] for link in sorted(letters))

    def green_left_s(self, edge: str, t_s: float) -> float:
        """Return how long an edge's green lasts on, 0 while it is not green."""
        if not self._phases:
            return 0.0
        phase, left_s = self._phase(t_s)
        return left_s if edge in phase.green else 0.0

    def _phase(self, t_s: float) -> tuple[SignalPhase, float]:
        # A step's time is a multiple of 0.1 s; rounding keeps it out of the phase before.
        rest = math.fmod(round(t_s, 6), self._cycle_s)
        for phase in self._phases:
            if rest < phase.duration_s - 1e-6:
                return phase, phase.duration_s - rest
            rest -= phase.duration_s
        return self._phases[0], self._phases[0].duration_s

    def _housing(self, lane_id: str) -> Signal:
        lane = self._road_map.lanes[lane_id]
        (before_x, before_y), (x, y) = lane.centre[-2].tolist(), lane.centre[-1].tolist()
        heading = math.atan2(y - before_y, x - before_x)
        cosine, sine = math.cos(heading), math.sin(heading)
        aside = lane.width_m / 2.0 + BESIDE_LANE_M
        signal = next(item.signal for item in self._road_map.connections_from(lane_id) if item.signal)
        return Signal(
            id=signal,
            lane=lane_id,
            x=x + BEYOND_LINE_M * cosine + aside * sine,
            y=y + BEYOND_LINE_M * sine - aside * cosine,
            z=HOUSING_Z_M,
            heading=heading,
            state="off",
            permissive=False,
        )


def _state(phase: SignalPhase, edge: str) -> str:
    if edge in phase.green:
        return GREEN
    return AMBER if edge in phase.amber else RED
