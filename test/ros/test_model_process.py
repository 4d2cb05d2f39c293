"""Models in processes of their own: their health in diagnostics, and nodes that outlive them."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from alpamayo_ros.messages.topics import NAMESPACE
from alpamayo_ros.nodes.perception_node import PerceptionNode
from alpamayo_ros.nodes.planner_node import PlannerNode
from alpamayo_ros.nodes.reasoning_node import ReasoningNode

pytestmark = pytest.mark.ros

ODOMETRY = f"{NAMESPACE}/perception/input/odometry"
Harness = Any


def test_a_models_process_that_falls_is_in_the_diagnostics_and_the_node_goes_on(
    make_harness: Callable[..., Harness], drive: Callable[..., None]
) -> None:
    harness: Harness = make_harness("-p", "worker:=true", "-p", "worker_answer_ms:=20000")
    harness.hear("trajectory_set")
    reasoning = ReasoningNode("reasoning", context=harness.context)
    planner = PlannerNode("planner", context=harness.context)
    harness.add(PerceptionNode("perception", context=harness.context), reasoning, planner)
    odometry = harness.publisher(ODOMETRY, "nav_msgs/msg/Odometry")
    harness.spin_until(lambda: all(node.state_label == "active" for node in harness.nodes), "no node became active")
    harness.await_match(odometry)
    harness.drive_until(drive, odometry, 10**12, lambda: harness.heard["trajectory_set"])
    state = reasoning.worker_state()
    assert state is not None
    assert state.pid is not None
    shown = harness.values[f"{NAMESPACE}/reasoning"]
    assert shown["model's process"] == str(state.pid)
    assert shown["falls of the model's process"] == "0"
    assert "model's process" not in harness.values[f"{NAMESPACE}/perception"], "kinematic has no perceive stage"
    os.kill(state.pid, signal.SIGKILL)
    # Nobody asks it anything now: the node finds out by itself.
    harness.await_words("reasoning", "the model's process was ended by SIGKILL; ticks fail until a fresh one runs")
    harness.spin_until(
        lambda: harness.values[f"{NAMESPACE}/reasoning"]["model's process"] not in ("none", str(state.pid)),
        "no fresh process runs",
    )
    assert harness.values[f"{NAMESPACE}/reasoning"]["falls of the model's process"] == "1"
    assert harness.values[f"{NAMESPACE}/planner"]["falls of the model's process"] == "0"
    heard = len(harness.heard["trajectory_set"])
    harness.drive_until(drive, odometry, 2 * 10**12, lambda: len(harness.heard["trajectory_set"]) > heard)
    assert all(node.state_label == "active" for node in harness.nodes)
