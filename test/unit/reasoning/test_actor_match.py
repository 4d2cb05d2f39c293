"""A cited cause gets the id of the detected actor whose box it overlaps most, of its kind and in its camera."""

import pytest

from alpamayo_ros.reasoning.actor_match import name_actors
from alpamayo_ros.structs.detection import DetectedActor
from alpamayo_ros.structs.rationale import CausalFactor

BOX = (100.0, 100.0, 40.0, 30.0)


def actor(label: str = "car", camera: str = "front", shift: float = 0.0, number: int = 0) -> DetectedActor:
    left, top, width, height = BOX
    return DetectedActor(label, 0.9, camera, (left + shift, top, width, height), f"{camera}/{number}")


def named(factor: CausalFactor, *actors: DetectedActor) -> str:
    (found,) = name_actors([factor], actors)
    assert (found.label, found.camera, found.box_px) == (factor.label, factor.camera, factor.box_px)
    return found.actor_id


def test_the_nearest_box_gives_the_id() -> None:
    cause = CausalFactor("lead vehicle", camera="front", box_px=BOX)
    assert named(cause, actor(shift=12.0, number=0), actor(shift=4.0, number=1)) == "front/1"


@pytest.mark.parametrize(
    ("cause", "other"),
    [
        (CausalFactor("lead vehicle", camera="front", box_px=BOX), actor(camera="left")),
        (CausalFactor("lead vehicle", camera="front", box_px=BOX), actor("person")),
        (CausalFactor("crossing_pedestrian", camera="front", box_px=BOX), actor("car")),
        (CausalFactor("red light", camera="front", box_px=BOX), actor("car")),
        (CausalFactor("lead vehicle", camera="front", box_px=BOX), actor(shift=30.0)),
        (CausalFactor("lead vehicle", camera="front", box_px=(0.0, 0.0, 0.0, 0.0)), actor()),
        (CausalFactor("curve"), actor()),
    ],
)
def test_an_actor_that_does_not_fit_gives_none(cause: CausalFactor, other: DetectedActor) -> None:
    assert named(cause, other) == ""


def test_an_id_that_is_known_stays() -> None:
    assert named(CausalFactor("lead vehicle", "truth/7", "front", BOX), actor()) == "truth/7"


@pytest.mark.parametrize("label", ["construction", ""])
def test_a_label_that_says_no_kind_fits_every_actor(label: str) -> None:
    assert named(CausalFactor(label, camera="front", box_px=BOX), actor("truck")) == "front/0"


def test_no_causes_and_no_actors_are_nothing() -> None:
    assert name_actors([], [actor()]) == ()
    cause = CausalFactor("lead vehicle", camera="front", box_px=BOX)
    assert name_actors([cause], []) == (cause,)
