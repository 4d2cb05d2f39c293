"""Profiles are data, and a wrong one is refused with a sentence."""

from pathlib import Path

import pytest

from alpamayo_ros.errors import ProfileError
from alpamayo_ros.params.profile import load_profile, parse_profile, profile_names

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
        (MINIMAL + "learned: false\n", "not well-formed YAML"),
        (MINIMAL.replace("learned: false", "learned: no"), "learned"),
        ("", "not valid at top level"),
    ],
)
def test_what_a_profile_cannot_mean_is_refused(text: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        parse_profile(text, "profile mine")
