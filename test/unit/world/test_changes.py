"""What people ask to change becomes edits of actors that are there, and words that say so."""

import pytest

from alpamayo_ros.errors import ParameterError
from alpamayo_ros.world.changes import ChangeRequest, actor_kinds, plan_changes
from alpamayo_ros.world.edits import Add, Move, Recolour, Remove
from alpamayo_ros.world.scenarios import episode, stage
from alpamayo_ros.world.simulation import Simulation

SPEC = episode("crossing_pedestrian:0")
PARKED = f"{actor_kinds(stage(SPEC))['parked_0']} parked_0"


def test_an_actor_is_removed_and_called_by_its_name_once() -> None:
    changes = plan_changes(SPEC, ChangeRequest(remove=("pedestrian", "parked_0", "pedestrian")))
    assert changes.edits == (Remove("pedestrian"), Remove("parked_0"))
    assert changes.words == f"without pedestrian, {PARKED}"
    assert changes.actors == ("pedestrian", "parked_0")


def test_a_kind_stands_for_all_of_it() -> None:
    construction = episode("construction:0")
    kinds = actor_kinds(stage(construction))
    changes = plan_changes(construction, ChangeRequest(remove=("cone", "barrier")))
    assert set(changes.actors) == {name for name, kind in kinds.items() if kind in ("cone", "barrier")}
    assert "of kind cone" in changes.words or "cone_00" in changes.words


def test_moves_and_colours_are_put_in_words() -> None:
    request = ChangeRequest(move=(("pedestrian", 0.0, -2.5),), recolour=(("parked_0", (0.0, 0.0, 255.0)),))
    changes = plan_changes(SPEC, request)
    assert changes.edits == (Move("pedestrian", 0.0, -2.5), Recolour("parked_0", (0.0, 0.0, 255.0)))
    assert changes.words == f"with pedestrian moved 2.5 m to the right and with {PARKED} in another colour"


def test_what_is_added_stands_on_the_route_ahead_of_the_start() -> None:
    changes = plan_changes(SPEC, ChangeRequest(add=(("car", 20.0, 0.0), ("cone", 20.0, 3.0))))
    car, cone = (edit.actor for edit in changes.edits if isinstance(edit, Add))
    with Simulation(SPEC, changes.edits) as simulation:
        s_m, d_m = simulation.route.path.project(car.x, car.y)
        seen = {actor.id: actor for actor in simulation.snapshot.actors}
        start_s, _ = simulation.route.path.project(*simulation.snapshot.ego.position[:2])
    assert s_m - start_s == pytest.approx(20.0 + 3.7, abs=0.3)
    assert d_m == pytest.approx(0.0, abs=0.05)
    assert {"added_0", "added_1"} <= set(seen)
    assert seen["added_0"].lane
    assert cone.kind == "cone"


@pytest.mark.parametrize(
    "request_",
    [
        ChangeRequest(remove=("nobody",)),
        ChangeRequest(move=(("nobody", 1.0, 1.0),)),
        ChangeRequest(recolour=(("nobody", (0.0, 0.0, 0.0)),)),
        ChangeRequest(remove=("bicycle",)),
        ChangeRequest(remove=("",)),
    ],
)
def test_an_actor_that_is_not_there_is_refused_with_those_that_are(request_: ChangeRequest) -> None:
    with pytest.raises(ParameterError, match=r"expected one of: .*pedestrian \(pedestrian\)"):
        plan_changes(SPEC, request_)


def test_an_unknown_kind_and_no_change_at_all_are_refused() -> None:
    with pytest.raises(ParameterError, match="kind of actor 'horse' is not known"):
        plan_changes(SPEC, ChangeRequest(add=(("horse", 1.0, 1.0),)))
    with pytest.raises(ParameterError, match="expected --remove"):
        plan_changes(SPEC, ChangeRequest())


@pytest.mark.parametrize("ahead_m", [5000.0, -5000.0])
def test_what_would_stand_beyond_an_end_of_the_route_is_refused(ahead_m: float) -> None:
    with pytest.raises(ParameterError, match=r"beside the route of 'crossing_pedestrian:0'; expected -\d+ to \d+ m"):
        plan_changes(SPEC, ChangeRequest(add=(("cone", ahead_m, 0.0),)))


def test_what_would_stand_in_the_ego_vehicle_is_refused() -> None:
    with pytest.raises(ParameterError, match="car added_0 in the ego vehicle; expected a place that is free"):
        plan_changes(SPEC, ChangeRequest(add=(("car", 0.0, 0.0),)))
