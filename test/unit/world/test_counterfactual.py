"""The same episode with and without its cause: pictures of the same moments, and a decision that flips."""

from dataclasses import replace
from pathlib import Path

import pytest

from alpamayo_ros.errors import OutputError, ParameterError
from alpamayo_ros.structs.rationale import CausalFactor
from alpamayo_ros.world.changes import ChangeRequest, Changes, plan_changes
from alpamayo_ros.world.counterfactual import Counterfactual, compare_drives
from alpamayo_ros.world.counterfactual_files import counterfactual_document, write_counterfactual
from alpamayo_ros.world.driven import DrivenEpisode, expert_drive
from alpamayo_ros.world.episode import EpisodeRecord, drive_expert
from alpamayo_ros.world.profile_drive import load_profile_to_drive, profile_drive
from alpamayo_ros.world.rendering.renderer import Renderer
from alpamayo_ros.world.rendering.rig import camera
from alpamayo_ros.world.scenarios import EpisodeSpec


@pytest.fixture(scope="module")
def spec(braking_record: EpisodeRecord) -> EpisodeSpec:
    return braking_record.spec


@pytest.fixture(scope="module")
def changes(spec: EpisodeSpec) -> Changes:
    return plan_changes(spec, ChangeRequest(remove=("pedestrian",)))


@pytest.fixture(scope="module")
def original(braking_record: EpisodeRecord) -> DrivenEpisode:
    return expert_drive(braking_record)


@pytest.fixture(scope="module")
def edited(spec: EpisodeSpec, changes: Changes) -> DrivenEpisode:
    return expert_drive(drive_expert(spec, changes.edits))


@pytest.fixture(scope="module")
def found(original: DrivenEpisode, edited: DrivenEpisode, changes: Changes) -> Counterfactual:
    return compare_drives(original, edited, changes)


def test_without_the_pedestrian_the_expert_does_not_slow_down(found: Counterfactual) -> None:
    assert found.findings.differs
    rows = dict(found.findings.rows)
    assert rows["Cause"].startswith("crossing pedestrian (pedestrian) as it is")
    assert "pedestrian" in rows["Rationale"]
    assert found.findings.first_s is not None


def test_pictures_are_of_the_same_moments_and_cameras_and_box_the_cause(found: Counterfactual) -> None:
    before, after = found.data.original.pictures, found.data.edited.pictures
    assert [(one.t_s, one.camera) for one in before] == [(one.t_s, one.camera) for one in after]
    boxed = [one for one in before if one.box_px is not None]
    assert boxed
    assert all(one.box_label == "crossing pedestrian (pedestrian)" for one in boxed)
    assert not any(one.box_px for one in after)
    assert all(len(one.strip_px) for one in before)
    assert before[0].bgr.shape == (384, 640, 3)


def test_the_tracks_are_of_what_was_changed(found: Counterfactual) -> None:
    assert [(track.id, track.edited_run) for track in found.data.tracks] == [("pedestrian", False)]


def test_a_bystander_changes_nothing(spec: EpisodeSpec, original: DrivenEpisode) -> None:
    parked = next(
        actor.id for actor in original.snapshots[0].actors if actor.id.startswith("p") and actor.kind == "car"
    )
    bystander = plan_changes(spec, ChangeRequest(remove=(parked,)))
    found = compare_drives(original, expert_drive(drive_expert(spec, bystander.edits)), bystander)
    assert not found.findings.differs


def test_moments_that_are_asked_for_are_shown(original: DrivenEpisode, edited: DrivenEpisode, changes: Changes) -> None:
    found = compare_drives(original, edited, changes, at_s=(1.0, 4.0))
    assert [one.t_s for one in found.data.original.pictures] == [1.0, 4.0]
    with pytest.raises(ParameterError, match="after the end of the drives"):
        compare_drives(original, edited, changes, at_s=(99.0,))


def test_page_and_numbers_are_the_same_twice(found: Counterfactual, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert write_counterfactual(tmp_path / name, found).name == "counterfactual.html"
    for file in ("counterfactual.html", "counterfactual.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    document = counterfactual_document(found)
    assert document["differs"] is True
    assert len(document["original"]["moments"]) == len(found.original.moments)
    assert document["tags"]["provenance"] == "simulated"
    with pytest.raises(OutputError, match="exists already"):
        write_counterfactual(tmp_path / "a", found)


def test_a_profile_drives_both_and_does_not_see_what_it_cannot(spec: EpisodeSpec, changes: Changes) -> None:
    loaded = load_profile_to_drive("kinematic")
    original, edited = profile_drive(loaded, spec), profile_drive(loaded, spec, changes.edits)
    assert original.answered > 10
    assert original.tags["lineage"].startswith("sha256:")
    assert "profile kinematic in closed loop" in original.driver
    found = compare_drives(original, edited, changes)
    assert dict(found.findings.rows)["Named before"].startswith("what was changed is named at no moment")
    assert len(original.snapshots) == len(original.moments) == len(original.factors)


def test_a_models_box_is_scaled_to_the_page_and_one_that_is_none_is_not_drawn(original: DrivenEpisode) -> None:
    renderer = Renderer(original.road_map, 0)
    cameras = (camera("camera_front_wide_120fov", 640, 384),)
    factor = CausalFactor("lead vehicle", "", "camera_front_wide_120fov", (10.0, 20.0, 30.0, 40.0))
    drive = replace(original, factors=(factor,) * len(original.moments), picture_size=(160, 96))
    box = drive.box(0, renderer, cameras)
    assert box is not None
    assert box.box_px == (40.0, 80.0, 120.0, 160.0)
    for other in (CausalFactor("lead vehicle"), CausalFactor("x", "", "rear", (1.0, 1.0, 1.0, 1.0))):
        assert replace(drive, factors=(other,) * len(original.moments)).box(0, renderer, cameras) is None
