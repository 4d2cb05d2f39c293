"""A perceive stage that is slow, fails late or is taken down in the middle of a tick: each tick has one outcome."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from alpamayo_ros.errors import BackendError
from alpamayo_ros.messages.topics import NAMESPACE
from alpamayo_ros.nodes.perception_node import PerceptionNode
from alpamayo_ros.nodes.planner_node import PlannerNode
from alpamayo_ros.nodes.reasoning_node import ReasoningNode
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.pipeline.stages import Perceiving
from alpamayo_ros.ros.handover import Handover
from alpamayo_ros.ros.perceive_stage import PerceiveStage
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.tick import TickOutcome

pytestmark = pytest.mark.ros

START_NS = 1_700_000_000_000_000_000
Harness = Any


class Gated:
    """A stage that waits until the test lets it go on, and then gives the observation on or fails."""

    def __init__(self, *, fails: bool) -> None:
        self.gate = threading.Semaphore(0)
        self.fails = fails
        self.begun = 0
        self.closed = 0

    def perceive(self, observation: Observation) -> Observation:
        self.begun += 1
        assert self.gate.acquire(timeout=30.0)
        if self.fails:
            raise BackendError("the encoder failed late")
        return observation

    def worker_state(self) -> None:
        """Say that it has no process of its own."""

    def close(self) -> None:
        self.closed += 1


class SlowPerception(PerceptionNode):
    """A perception node with a gated stage."""

    gated: Gated

    def set_up(self, stack: StackSetup) -> None:
        super().set_up(stack)
        perceiving = Perceiving(perceiver=self.gated)  # type: ignore[arg-type]
        self._stage = PerceiveStage(perceiving, self.handover.worker, self._in_work, self._give, self._stage_failed)


def make_stack(harness: Harness, *, in_memory: bool, fails: bool = False) -> tuple[Gated, Any]:
    """Bring the stages up; return the gate, and the publisher of odometry once it is matched."""
    harness.hear("tick", "trajectory_set")
    shared = Handover(in_memory=True) if in_memory else None
    for kind, key in ((SlowPerception, "perception"), (ReasoningNode, "reasoning"), (PlannerNode, "planner")):
        harness.add(kind(key, context=harness.context, handover=shared))
    gated = Gated(fails=fails)
    harness.nodes[0].gated = gated
    publisher = harness.publisher(f"{NAMESPACE}/perception/input/odometry", "nav_msgs/msg/Odometry")
    harness.spin_until(lambda: {node.state_label for node in harness.nodes} == {"active"}, "no node became active")
    harness.await_match(publisher)
    return gated, publisher


def outcomes(harness: Harness) -> list[tuple[int, int]]:
    """Return (t0 in ms after the start, outcome) of every status."""
    return [
        ((m.header.stamp.sec * 10**9 + m.header.stamp.nanosec - START_NS) // 10**6, m.outcome)
        for m in harness.heard["tick"]
    ]


@pytest.mark.parametrize("fails", [False, True], ids=["gives", "fails"])
@pytest.mark.parametrize("in_memory", [True, False], ids=["composed", "separate"])
def test_a_tick_that_was_given_up_gets_no_second_outcome_from_a_late_perceive_stage(
    make_harness: Callable[..., Harness], drive: Callable[..., None], in_memory: bool, fails: bool
) -> None:
    harness = make_harness("-p", "answer_timeout_ms:=200")
    gated, publisher = make_stack(harness, in_memory=in_memory, fails=fails)
    drive(harness, publisher, START_NS, 130)
    given_up = lambda: [t0 for t0, outcome in outcomes(harness) if outcome == TickOutcome.STAGE_FAILED]  # noqa: E731
    harness.spin_until(lambda: len(given_up()) >= 2, "the ticks were not given up")
    late = given_up()
    assert gated.begun == 1, "the stage is still with the first"
    gated.gate.release(100)
    harness.spin_for(1.0)
    told = [t0 for t0, _ in outcomes(harness)]
    assert len(told) == len(set(told)), "a tick has two outcomes"
    assert {t0 for t0, outcome in outcomes(harness) if outcome == TickOutcome.ANSWERED}.isdisjoint(late)


@pytest.mark.parametrize("in_memory", [True, False], ids=["composed", "separate"])
def test_a_tick_in_the_perceive_stage_ends_with_its_outcome_and_the_engine_goes_with_the_node(
    make_harness: Callable[..., Harness], drive: Callable[..., None], in_memory: bool
) -> None:
    harness = make_harness()
    gated, publisher = make_stack(harness, in_memory=in_memory)
    drive(harness, publisher, START_NS, 102)  # 1.5 s in work, the newest of 1.6 to 2.0 s waits
    harness.spin_until(lambda: gated.begun == 1 and len(harness.heard["tick"]) >= 19, "the stage did not begin")
    threading.Timer(0.5, gated.gate.release).start()
    for node in harness.nodes:
        node.trigger_deactivate()
        harness.spin_for(0.2)
    harness.spin_until(lambda: len(harness.heard["tick"]) >= 21, "a tick has no outcome")
    last = dict(outcomes(harness))
    assert (last[1500], last[2000]) == (TickOutcome.ANSWERED, TickOutcome.SKIPPED_BUSY)
    for node in harness.nodes:
        node.trigger_cleanup()
    assert gated.closed == 1
    assert harness.nodes[1]._reasoner is None
    assert harness.nodes[2]._planner is None
    for node in reversed(harness.nodes):
        node.trigger_configure()
        node.trigger_activate()
    gated.gate.release(100)
    harness.await_match(publisher)
    drive(harness, publisher, START_NS + 10**12, 102)
    harness.spin_until(
        lambda: any(t0 > 10**5 and outcome == TickOutcome.ANSWERED for t0, outcome in outcomes(harness)),
        "nothing is answered after the second configure",
    )
