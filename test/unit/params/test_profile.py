"""Profiles are data, and a wrong one is refused with a sentence."""

from dataclasses import replace
from pathlib import Path

import pytest

from alpamayo_ros.errors import ProfileError
from alpamayo_ros.params.profile import (
    Profile,
    StageOption,
    StageSpec,
    load_profile,
    parse_profile,
    profile_names,
    stage_options,
)

MINIMAL = """
name: mine
description: Mine.
learned: false
trigger: odometry
stages:
  reason: {program: kinematic_motion}
  plan: {program: constant_turn_rate_velocity}
"""


def test_kinematic_needs_odometry_alone() -> None:
    profile = load_profile("kinematic")
    assert profile.inputs == ("odometry",)
    assert profile.trigger == "odometry"
    assert not profile.learned
    assert (profile.point_count, profile.dt_ms, profile.sample_count) == (64, 100, 1)


def test_every_packaged_profile_loads_under_its_own_name() -> None:
    assert [load_profile(name).name for name in profile_names()] == profile_names()


def test_an_unknown_profile_lists_the_known_ones() -> None:
    with pytest.raises(ProfileError, match="profile 'nanoo' is not known; expected one of: kinematic"):
        load_profile("nanoo")


def test_a_profile_file_is_loaded_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(MINIMAL, encoding="utf-8")
    assert load_profile(str(path)).name == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "horizon: 3\n", "horizon"),
        (MINIMAL.replace("trigger: odometry", "trigger: front"), "trigger 'front' is not known; expected one of"),
        (MINIMAL + "cameras: [{id: a}, {id: a}]\n", "names an input twice"),
        (MINIMAL + "cameras: [{id: a}]\n", "has cameras but frames_per_camera"),
        (MINIMAL + "point_count: 0\n", "point_count"),
        (MINIMAL + 'model: ""\n', "not valid at model"),
        (MINIMAL + "selection: best\n", "not valid at selection"),
        (MINIMAL.replace("{program: kinematic_motion}", "{program: x, method: magic}"), "stages/reason/method"),
        (MINIMAL + "learned: false\n", "not well-formed YAML"),
        (MINIMAL.replace("learned: false", "learned: no"), "learned"),
        ("", "not valid at top level"),
    ],
)
def test_what_a_profile_cannot_mean_is_refused(text: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        parse_profile(text, "profile mine")


def test_nano_looks_with_four_cameras_and_takes_navigation() -> None:
    nano = load_profile("nano")
    assert [(camera.id, camera.horizontal_fov_deg, camera.yaw_deg) for camera in nano.cameras] == [
        ("camera_cross_left_120fov", 120.0, 55.0),
        ("camera_front_wide_120fov", 120.0, 0.0),
        ("camera_cross_right_120fov", 120.0, -55.0),
        ("camera_front_tele_30fov", 30.0, 0.0),
    ]
    assert (nano.trigger, nano.backend, nano.navigation) == ("camera_front_wide_120fov", "ort_cpu", True)
    assert (nano.frames_per_camera, nano.image_width, nano.image_height, nano.sample_count) == (2, 160, 96, 6)
    assert list(nano.stages) == ["perceive", "reason", "plan"]


def test_a_model_is_a_packaged_one_by_name_and_a_folder_beside_the_profile_by_path(tmp_path: Path) -> None:
    assert load_profile("kinematic").model_folder is None
    packaged = load_profile("nano").model_folder
    assert packaged is not None
    assert packaged.parts[-3:] == ("config", "models", "nano")
    for model, folder in (("./weights", tmp_path / "weights"), ("../up/weights", tmp_path / "../up/weights")):
        path = tmp_path / "mine.yaml"
        path.write_text(f"{MINIMAL}model: {model}\n", encoding="utf-8")
        assert load_profile(str(path)).model_folder == folder


OPTIONS = {"steps": StageOption(10, 1, 20, whole=True), "heat": StageOption(0.5, 0.0, 1.0)}


def with_options(**options: float) -> Profile:
    profile = load_profile("kinematic")
    return replace(profile, stages={**profile.stages, "plan": StageSpec("x", options)})


def test_options_that_are_not_given_have_their_defaults() -> None:
    assert stage_options(with_options(), "plan", OPTIONS) == {"steps": 10, "heat": 0.5}
    assert stage_options(with_options(steps=3.0, heat=1), "plan", OPTIONS) == {"steps": 3.0, "heat": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"speed": 1.0},
            "profile kinematic: stages/plan/options: option 'speed' is not known; expected one of: heat, s",
        ),
        ({"steps": 1.5}, "steps is 1.5; expected a whole number"),
        ({"steps": 21}, "steps is 21, out of range; expected from 1 to 20"),
        ({"heat": -0.1}, "heat is -0.1, out of range; expected from 0 to 1"),
    ],
)
def test_an_option_that_is_unknown_or_out_of_range_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        stage_options(with_options(**options), "plan", OPTIONS)
