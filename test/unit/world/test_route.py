"""A route is a smooth line through lanes, with the words of navigation."""

import itertools
import math

import numpy as np
import pytest

from alpamayo_ros.world.maps.families import FAMILIES
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.route import ANNOUNCED_M, Route, plan_route
from alpamayo_ros.world.scenarios.merge import LANES as MERGE_LANES


def junction_route(target: str) -> Route:
    return plan_route(load_map("signals/train/0").road_map, ("west_centre_1", f"centre_{target}_1"))


@pytest.mark.parametrize(("target", "command"), [("north", "left"), ("south", "right"), ("east", "straight")])
def test_navigation_speaks_before_the_junction_until_it_is_left(target: str, command: str) -> None:
    route = junction_route(target)
    (maneuver,) = route.maneuvers
    assert maneuver.command == command
    assert route.navigation(maneuver.s_m - ANNOUNCED_M - 1.0) == "none"
    assert route.navigation(maneuver.s_m - ANNOUNCED_M + 1.0) == command
    assert route.navigation(maneuver.end_m - 0.1) == command
    assert route.navigation(maneuver.end_m + 0.1) == "none"


def test_a_left_turn_turns_left() -> None:
    route = junction_route("north")
    turn = route.path.point(route.maneuvers[0].end_m + 5.0)[2] - route.path.point(route.maneuvers[0].s_m - 5.0)[2]
    assert turn == pytest.approx(math.pi / 2, abs=0.4)


def test_the_lanes_follow_each_other_without_gaps() -> None:
    route = junction_route("north")
    ends = [(start, end) for _, start, end in route.lanes]
    assert ends[0][0] == 0.0
    assert ends[-1][1] == route.path.length_m
    assert all(before[1] == after[0] for before, after in itertools.pairwise(ends))
    assert route.lane_at(1.0) == "west_centre_1"
    assert route.lane_at(route.path.length_m + 1.0) == "centre_north_1"


def test_the_line_stays_near_its_lanes_and_its_curvature_is_calm() -> None:
    for target in ("north", "south", "east"):
        route = junction_route(target)
        road_map = load_map("signals/train/0").road_map
        points = np.concatenate([road_map.lanes[lane].centre for lane, _, _ in route.lanes])
        assert max(abs(route.path.project(float(x), float(y))[1]) for x, y in points) < 0.6
        curvatures = np.array([route.path.curvature(float(s)) for s in np.arange(0.0, route.path.length_m, 0.5)])
        assert np.abs(curvatures).max() < 0.25
        assert np.abs(np.diff(curvatures)).max() < 0.04


def test_a_zebra_crossing_is_no_maneuver() -> None:
    route = plan_route(load_map("zebra/train/0").road_map, ("west_middle_1", "middle_east_1"))
    assert route.maneuvers == ()
    assert {route.navigation(float(s)) for s in range(int(route.path.length_m))} == {"none"}


def test_an_on_ramp_ends_in_the_main_lane() -> None:
    road_map = load_map("ramp/train/0").road_map
    route = plan_route(road_map, MERGE_LANES)
    shift = route.shift
    assert shift is not None
    assert shift.start_m < shift.end_m < shift.lane_end_m
    for lane, s_m in (("gore_taper_0", shift.start_m - 2.0), ("gore_taper_1", shift.end_m + 2.0)):
        x, y, _ = route.path.point(s_m)
        offsets = np.hypot(*(road_map.lanes[lane].centre - (x, y)).T)
        line = road_map.lanes[lane].centre
        along = (line[-1] - line[0]) / np.hypot(*(line[-1] - line[0]))
        aside = abs(along[0] * (y - line[0, 1]) - along[1] * (x - line[0, 0]))
        assert aside < 0.15, (lane, offsets.min())
    curvatures = [abs(route.path.curvature(float(s))) for s in range(int(route.path.length_m))]
    assert max(curvatures) < 1.0 / 60.0


def test_lanes_that_do_not_follow_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="does not follow"):
        plan_route(load_map("signals/train/0").road_map, ("west_centre_1", "west_centre_0", "east_centre_1"))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_way_of_more_than_300_metres(family: str) -> None:
    road_map = load_map(f"{family}/train/3").road_map
    lanes = {
        "signals": ("west_centre_1", "centre_east_1"),
        "priority": ("west_centre_1", "centre_north_1"),
        "tee": ("west_centre_1", "centre_north_1"),
        "zebra": ("west_middle_1", "middle_east_1"),
        "ramp": MERGE_LANES,
    }.get(family, ("west_east_1",))
    assert plan_route(road_map, lanes).path.length_m > 300.0
