"""The plugin lets a user's own suite replay bags, and fails it with reasons and a report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.replay.baseline import approve_result
from alpamayo_ros.structs.verdict import Verdict

Replay = Callable[..., Any]
Make = Callable[..., Path]


def test_without_a_baseline_the_result_is_the_tests_own_business(
    alpamayo_replay: Replay, make_odometry_bag: Make
) -> None:
    result = alpamayo_replay(make_odometry_bag(), profile="kinematic")
    assert result.verdict is Verdict.NOT_COMPARED
    assert result.ticks["ANSWERED"] == 46


def test_the_same_behaviour_passes(alpamayo_replay: Replay, make_odometry_bag: Make, tmp_path: Path) -> None:
    bag = make_odometry_bag()
    alpamayo_replay(bag, profile="kinematic")
    approve_result(tmp_path / "alpamayo_replay_0", tmp_path / "baseline", author="a", reason="b")
    assert alpamayo_replay(bag, profile="kinematic", baseline=tmp_path / "baseline").verdict is Verdict.PASS


def test_a_changed_behaviour_fails_with_the_first_tick_and_the_report(
    alpamayo_replay: Replay, make_odometry_bag: Make, tmp_path: Path
) -> None:
    bag = make_odometry_bag()
    alpamayo_replay(bag, profile="kinematic")
    approve_result(tmp_path / "alpamayo_replay_0", tmp_path / "baseline", author="a", reason="b")
    params = tmp_path / "params.yaml"
    params.write_text("reasoning:\n  ros__parameters: {turn_rate_threshold_radps: 0.5}\n")
    with pytest.raises(pytest.fail.Exception, match=r"is regression:\n.*first difference at t0 [\s\S]*report.html"):
        alpamayo_replay(bag, profile="kinematic", baseline=tmp_path / "baseline", params=str(params))


def test_what_cannot_be_replayed_fails_with_one_sentence(alpamayo_replay: Replay, tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"replay of .*nowhere.*: "):
        alpamayo_replay(tmp_path / "nowhere", profile="kinematic")
    with pytest.raises(pytest.fail.Exception, match="replay takes no speed; expected: topics, calibration, params"):
        alpamayo_replay(tmp_path / "nowhere", profile="kinematic", speed=2)
