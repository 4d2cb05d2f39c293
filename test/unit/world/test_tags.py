"""Every episode says what it was made from, and that it was made."""

import dataclasses

import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.lineage.canonical import document_id
from alpamayo_ros.world.edits import Move, Recolour, Remove
from alpamayo_ros.world.scenarios import episode
from alpamayo_ros.world.sensor_faults import SensorFault
from alpamayo_ros.world.tags import ASSUMPTIONS, episode_tags, require_simulated, spec_document

SPEC = episode("red_light:3")


def test_the_tags_name_everything_that_the_episode_was_made_from() -> None:
    tags = episode_tags(SPEC)
    assert tags["provenance"] == "simulated"
    assert tags["episode"] == "red_light:3"
    assert tags["map_digest"].startswith("sha256:")
    assert "SUMO" in tags["traffic_policy"]
    assert tags["parameter_event"] == SPEC.parameters["event"]
    assert {"generator_version", "weather_model", "map_asset_pack", "seed", "split"} <= tags.keys()
    assert tags.items() >= ASSUMPTIONS.items()
    assert all(isinstance(value, str) and "\n" not in value for value in tags.values())


def test_every_kind_of_assumption_is_declared() -> None:
    kinds = {"tyre", "map_accuracy", "traffic_logic", "pedestrian_behaviour", "occlusion", "weather_fidelity",
             "sensor_model"}  # fmt: skip
    assert {f"assumption_{kind}" for kind in kinds} == ASSUMPTIONS.keys()


def test_faults_and_edits_are_named() -> None:
    spec = dataclasses.replace(SPEC, faults=(SensorFault("dark", "camera_front_wide_120fov", 2.0, 3.5),))
    edits = (Remove("lead"), Move("a", 1.0, -2.0), Recolour("b", (1.0, 2.0, 3.0)))
    tags = episode_tags(spec, edits)
    assert tags["faults"] == "dark camera_front_wide_120fov 2 s to 3.5 s"
    assert tags["edits"] == "remove lead; move a by 1 m ahead, -2 m left; recolour b to 1, 2, 3"


def test_the_source_is_another_one_when_anything_differs() -> None:
    others = [
        (episode("red_light:4"), ()),
        (episode("red_light:3@held_out"), ()),
        (dataclasses.replace(SPEC, duration_s=5.0), ()),
        (dataclasses.replace(SPEC, parameters={**SPEC.parameters, "people": 99.0}), ()),
        (SPEC, (Remove("lead"),)),
    ]
    ids = [document_id(spec_document(SPEC))] + [document_id(spec_document(*other)) for other in others]
    assert len(set(ids)) == len(ids)
    assert document_id(spec_document(episode("red_light:3"))) == ids[0]


@pytest.mark.parametrize(
    "tags",
    [{}, {"provenance": "real"}, {"provenance": "real", "generator": "alpamayo_ros.world"}, {"provenance": "other"}],
)
def test_a_generated_episode_can_never_be_called_real(tags: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="expected"):
        require_simulated(tags)
