"""A junction with signals: red, turning red, turning green, or green."""

from collections.abc import Mapping

from alpamayo_ros.world.maps.draw import Draw
from alpamayo_ros.world.scenarios.builder import StageBuilder
from alpamayo_ros.world.scenarios.roads import ego_lanes, town_parameters, with_town
from alpamayo_ros.world.scenarios.spec import EpisodeSpec
from alpamayo_ros.world.scenarios.staging import SignalPhase
from alpamayo_ros.world.scenarios.surroundings import add_crossing_people, add_lead

FAMILIES = ("signals",)
AMBER_S = 3.0
ALL_RED_S = 1.5
OWN, OTHER = ("west_centre", "east_centre"), ("north_centre", "south_centre")


def parameters(draw: Draw) -> Mapping[str, float | str]:
    """Draw the parameters."""
    return {
        **town_parameters(draw, FAMILIES, ego_s=(50.0, 95.0)),
        "exit": draw.choice(("straight", "right"), (3.0, 1.0)),
        "event": draw.choice(("red", "turns_red", "turns_green", "green"), (4.0, 2.0, 1.5, 2.5)),
        "red_lasts_s": draw.within(2.0, 7.0),
        "turns_before_s": draw.within(1.8, 5.0),
        "lead_headway_s": draw.within(2.0, 3.5) if draw.chance(0.2) else 0.0,
        "crossing_people": float(draw.whole(0, 2)),
    }


def build(spec: EpisodeSpec, draw: Draw) -> StageBuilder:
    """Put the scenario into the world."""
    builder = StageBuilder(spec, draw, ego_lanes(spec))
    builder.phases = signal_phases(builder, spec.text("event"))
    builder.roles["cause"] = next(
        item.signal for item in builder.road_map.connections_from(builder.lanes[0]) if item.signal
    )
    headway = spec.number("lead_headway_s")
    if headway:
        add_lead(builder, "lead", headway * builder.ego_speed_mps, builder.ego_speed_mps, builder.ego_speed_mps)
    add_crossing_people(builder, int(spec.number("crossing_people")))
    with_town(builder)
    return builder


def signal_phases(builder: StageBuilder, event: str) -> tuple[SignalPhase, ...]:
    """Return phases that show the event when the ego vehicle would arrive at its speed of the start."""
    spec = builder.spec
    line_m = builder.lane(builder.lanes[0]).length_m
    arrives_s = max((line_m - builder.ego_front_m) / builder.ego_speed_mps, 1.0)
    own_first = [SignalPhase(0.0, OWN), SignalPhase(AMBER_S, (), OWN), SignalPhase(ALL_RED_S)]
    other = [SignalPhase(0.0, OTHER), SignalPhase(AMBER_S, (), OTHER), SignalPhase(ALL_RED_S)]
    if event == "green":
        return _timed(own_first, arrives_s + 18.0, other, 14.0)
    if event == "turns_red":
        green_s = max(arrives_s - spec.number("turns_before_s"), 0.3)
        return _timed(own_first, green_s, other, spec.number("red_lasts_s"))
    rest_s = AMBER_S + ALL_RED_S
    if event == "turns_green":
        return _timed(other, max(arrives_s - spec.number("turns_before_s") - rest_s, 0.3), own_first, 20.0)
    return _timed(other, max(arrives_s + spec.number("red_lasts_s") - rest_s, 0.3), own_first, 20.0)


def _timed(
    first: list[SignalPhase], first_s: float, second: list[SignalPhase], second_s: float
) -> tuple[SignalPhase, ...]:
    return (
        SignalPhase(round(first_s, 1), first[0].green),
        *first[1:],
        SignalPhase(round(second_s, 1), second[0].green),
        *second[1:],
    )
