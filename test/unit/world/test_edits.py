"""One snapshot can be edited too; then nothing else reacts."""

import dataclasses
import math

import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.world.edits import Add, Edit, Move, Recolour, Remove, actor_ids, edit_snapshot, edit_staging
from alpamayo_ros.world.ego import ego_state
from alpamayo_ros.world.maps.library import load_map
from alpamayo_ros.world.scenarios import draw_episode, stage
from alpamayo_ros.world.scenarios.staging import Staging
from alpamayo_ros.world.snapshot import Actor, Snapshot

CAR = Actor("car", "car", 10.0, 0.0, math.pi / 2, 4.4, 1.8, 1.5, 5.0, 0.0, False, "none", (1.0, 2.0, 3.0), "lane", 30.0)
SNAPSHOT = Snapshot(3, 0.3, ego_state(0, 0, 0, 5, 0, 0), (CAR, dataclasses.replace(CAR, id="other")), ())


def staged(event: str) -> Staging:
    spec = next(
        spec for spec in (draw_episode("construction", seed) for seed in range(40)) if spec.parameters["event"] == event
    )
    return stage(spec)


def test_an_actor_is_removed_from_one_snapshot() -> None:
    assert [actor.id for actor in edit_snapshot(SNAPSHOT, [Remove("car")]).actors] == ["other"]
    assert len(SNAPSHOT.actors) == 2


def test_an_actor_moves_along_its_heading() -> None:
    moved = edit_snapshot(SNAPSHOT, [Move("car", 3.0, 1.0)]).actors[0]
    assert (moved.x, moved.y) == pytest.approx((9.0, 3.0))
    assert moved.lane_position_m == 33.0


def test_colours_and_guests_show() -> None:
    guest = dataclasses.replace(CAR, id="a_guest")
    edited = edit_snapshot(SNAPSHOT, [Recolour("car", (9.0, 8.0, 7.0)), Add(guest)])
    assert [actor.id for actor in edited.actors] == ["a_guest", "car", "other"]
    assert edited.actors[1].colour == (9.0, 8.0, 7.0)


@pytest.mark.parametrize(
    "edit",
    [
        Remove("nobody"),
        Move("car", math.inf, 0.0),
        Recolour("car", (1.0, 2.0, -1.0)),
        Recolour("car", (1.0, 2.0)),  # type: ignore[arg-type]
        Recolour("car", (math.nan, 2.0, 3.0)),
        Add(CAR),
        Add(dataclasses.replace(CAR, id="ego")),
        Add(dataclasses.replace(CAR, id="blocker:x")),
        Add(dataclasses.replace(CAR, id="new", kind="tram")),
        Add(dataclasses.replace(CAR, id="new", x=math.nan)),
        Add(dataclasses.replace(CAR, id="new", length=0.0)),
        Add(dataclasses.replace(CAR, id="new", height=1e9)),
        Add(dataclasses.replace(CAR, id="new", indicator="up")),
        Add(dataclasses.replace(CAR, id="new", colour=(0.0, 0.0, 256.0))),
        Add(dataclasses.replace(CAR, id="")),
        "car",
    ],
)
def test_edits_without_sense_are_refused(edit: Edit) -> None:
    with pytest.raises(ParameterError, match="expected"):
        edit_snapshot(SNAPSHOT, [edit])


def test_traffic_minds_a_closed_lane_until_its_last_cone_is_gone() -> None:
    staging = staged("closed")
    road_map = load_map(staging.map_name).road_map
    cones = [name for name in actor_ids(staging) if name.startswith("cone")]
    for name in cones[:-1]:
        staging = edit_staging(staging, [Remove(name)], road_map)
    assert any(vehicle.hidden for vehicle in staging.vehicles)
    staging = edit_staging(staging, [Remove(cones[-1])], road_map)
    assert not any(vehicle.hidden for vehicle in staging.vehicles)


def test_orders_go_with_their_actor() -> None:
    spec = next(s for s in (draw_episode("cut_in", k) for k in range(20)) if s.parameters["event"] == "cuts_in")
    staging = stage(spec)
    road_map = load_map(staging.map_name).road_map
    assert len(staging.orders) == 2
    assert edit_staging(staging, [Remove("cut_in")], road_map).orders == ()


def test_a_vehicle_of_the_traffic_moves_along_its_lane_and_stays_on_the_road() -> None:
    staging = stage(draw_episode("lead_braking", 0))
    road_map = load_map(staging.map_name).road_map
    lead = next(vehicle for vehicle in staging.vehicles if vehicle.id == "lead")

    def moved(ahead_m: float, left_m: float) -> tuple[int, float]:
        edited = edit_staging(staging, [Move("lead", ahead_m, left_m)], road_map)
        found = next(vehicle for vehicle in edited.vehicles if vehicle.id == "lead")
        return found.lane, found.position_m

    lanes = road_map.driving_lanes(lead.edges[0])
    assert moved(5.0, 0.0) == (lead.lane, lead.position_m + 5.0)
    assert moved(0.0, 100.0)[0] == lanes[-1].index
    assert moved(1e6, 0.0)[1] < lanes[0].length_m
    assert moved(-1e6, 0.0)[1] >= lead.body.length


def test_traffic_minds_what_was_moved_into_its_lane_and_no_more_when_it_is_moved_out() -> None:
    staging = stage(
        next(spec for spec in (draw_episode("cut_in", k) for k in range(20)) if spec.number("parked_share"))
    )
    road_map = load_map(staging.map_name).road_map
    parked = next(prop.id for prop in staging.props if prop.id.startswith("parked"))
    assert not any(vehicle.hidden for vehicle in staging.vehicles)
    blocked = edit_staging(staging, [Move(parked, 0.0, 3.0)], road_map)
    assert [vehicle.stands_for for vehicle in blocked.vehicles if vehicle.hidden] == [(parked,)]
    assert next(prop for prop in blocked.props if prop.id == parked).lane in road_map.lanes
    back = edit_staging(blocked, [Move(parked, 0.0, -3.0)], road_map)
    assert not any(vehicle.hidden for vehicle in back.vehicles)
