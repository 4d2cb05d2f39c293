"""The nodes live: they answer, say why they do not, and go through their states."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpamayo_ros.envelope.document import Envelope
from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.messages.topics import NAMESPACE
from alpamayo_ros.nodes.lineage_node import LineageNode
from alpamayo_ros.nodes.perception_node import PerceptionNode
from alpamayo_ros.nodes.planner_node import PlannerNode
from alpamayo_ros.nodes.reasoning_node import ReasoningNode
from alpamayo_ros.params.node_parameters import NodeParameters
from alpamayo_ros.params.profile import load_profile
from alpamayo_ros.pipeline.setup import StackSetup, set_up_stack
from alpamayo_ros.reasoning.reasoner import Reasoner
from alpamayo_ros.ros.handover import Handover
from alpamayo_ros.structs.camera import RigCalibration
from alpamayo_ros.structs.tick import TickOutcome

pytestmark = pytest.mark.ros

ODOMETRY = "nav_msgs/msg/Odometry"
ODOMETRY_TOPIC = f"{NAMESPACE}/perception/input/odometry"
START_NS = 1_700_000_000_000_000_000
Harness = Any


def make_nodes(harness: Harness, *, in_memory: bool, reasoning: type[ReasoningNode] = ReasoningNode) -> None:
    """Make the nodes of the stages, each with its own thread of stages unless they share one."""
    shared = Handover(in_memory=True) if in_memory else None
    for kind, key in (
        (PerceptionNode, "perception"),
        (reasoning, "reasoning"),
        (PlannerNode, "planner"),
        (LineageNode, "lineage"),
    ):
        harness.add(kind(key, context=harness.context, handover=shared))


def active(harness: Harness) -> bool:
    return all(node.state_label == "active" for node in harness.nodes)


@pytest.mark.parametrize("in_memory", [True, False], ids=["composed", "separate"])
def test_a_live_drive_is_answered_on_every_topic(
    make_harness: Callable[..., Harness], drive: Callable[..., None], in_memory: bool
) -> None:
    harness = make_harness("-p", "skip_when_busy:=false")  # the test drives faster than time
    harness.hear("tick", "rationale", "trajectory_set", "path", "markers", "rationale_markers", "lineage")
    make_nodes(harness, in_memory=in_memory)
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.spin_until(lambda: active(harness), "the nodes did not become active")
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 150)
    harness.spin_until(lambda: len(harness.heard["tick"]) >= 28, "ticks are missing")
    outcomes = [message.outcome for message in harness.heard["tick"]]
    assert outcomes[:15] == [TickOutcome.HISTORY_TOO_SHORT] * 15
    answered = [message for message in harness.heard["tick"] if message.outcome == TickOutcome.ANSWERED]
    assert len(answered) >= 13
    for interface in ("rationale", "trajectory_set", "path", "markers", "rationale_markers"):
        harness.spin_until(lambda i=interface: len(harness.heard[i]) >= 13, f"{interface} is missing")  # type: ignore[misc]
    lineage = harness.heard["lineage"][0].lineage_id
    assert {message.lineage_id for message in (*answered, *harness.heard["trajectory_set"])} == {lineage}
    first = harness.heard["trajectory_set"][0]
    assert first.header.frame_id == "base_link"
    assert first.header.stamp == answered[0].header.stamp
    assert first.x[0] == pytest.approx(0.8, abs=1e-3)
    pose = harness.heard["path"][0].poses[0]
    # The first pose lies one step after t0.
    step_ns = (pose.header.stamp.sec - first.header.stamp.sec) * 10**9 + pose.header.stamp.nanosec
    assert step_ns - first.header.stamp.nanosec == 100_000_000
    count = "ticks answered"
    harness.spin_until(
        lambda: int(harness.values.get(f"{NAMESPACE}/perception", {}).get(count, "0")) >= 13,
        f"no {count} in diagnostics",
    )


class SlowReasoning(ReasoningNode):
    """A reasoning node whose engine waits until the test lets it go on."""

    gate = threading.Semaphore(0)
    begun = 0

    def load(self, stack: StackSetup) -> None:
        super().load(stack)
        session = open_session(stack.profile.backend, stack.profile.stages["reason"])
        node = self

        class Gated:
            input_specs, output_specs = session.input_specs, session.output_specs

            def warm_up(self) -> None: ...

            def close(self) -> None: ...

            def infer(self, inputs: Any, seed: int) -> Any:
                node.begun += 1
                assert node.gate.acquire(timeout=30.0)
                return session.infer(inputs, seed)

        self._reasoner = Reasoner(stack.profile, stack.parameters.reasoning, Gated())


@pytest.mark.parametrize("in_memory", [True, False], ids=["composed", "separate"])
def test_with_a_slow_stage_the_newest_tick_wins_and_the_others_are_skipped(
    make_harness: Callable[..., Harness], drive: Callable[..., None], in_memory: bool
) -> None:
    harness = make_harness()
    harness.hear("tick", "trajectory_set")
    SlowReasoning.gate = threading.Semaphore(0)
    make_nodes(harness, in_memory=in_memory, reasoning=SlowReasoning)
    slow = harness.nodes[1]
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.spin_until(lambda: active(harness), "the nodes did not become active")
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 81)  # t0 up to 1.6 s: the tick of 1.5 s is in work, 1.6 s still open
    harness.spin_until(lambda: slow.begun == 1, "the stage did not begin")
    drive(harness, publisher, START_NS + 81 * 20_000_000, 50)  # 1.6 to 2.6 s close meanwhile

    def skipped() -> list[Any]:
        return [message for message in harness.heard["tick"] if message.outcome == TickOutcome.SKIPPED_BUSY]

    harness.spin_until(lambda: len(skipped()) >= 10, "nothing was skipped")
    assert "the stages were busy with t0 1700000001500000000 ns" in skipped()[0].outcome_text
    assert slow.begun == 1
    for _ in range(2):
        slow.gate.release()
    harness.spin_until(lambda: len(harness.heard["trajectory_set"]) == 2, "the newest tick was not answered")
    first, second = (message.header.stamp for message in harness.heard["trajectory_set"])
    assert (first.sec - 1_700_000_000, first.nanosec) == (1, 500_000_000)
    # The newest that closed: no backlog is worked off, so latency does not grow.
    newest_skipped = max(m.header.stamp.sec * 10**9 + m.header.stamp.nanosec for m in skipped())
    assert second.sec * 10**9 + second.nanosec > newest_skipped
    assert slow.begun == 2
    seen = [(m.header.stamp.sec, m.header.stamp.nanosec) for m in harness.heard["tick"]]
    assert len(seen) == len(set(seen)), "a tick has two outcomes"
    slow.gate.release()


@pytest.mark.parametrize("in_memory", [True, False], ids=["composed", "separate"])
def test_hundreds_of_busy_ticks_in_a_row_are_all_told_once_and_nest_in_nothing(
    make_harness: Callable[..., Harness], drive: Callable[..., None], in_memory: bool
) -> None:
    """A stage that is always slower than the drive: each answer at once begins the next tick."""
    harness = make_harness()
    harness.hear("tick")
    SlowReasoning.gate = threading.Semaphore(0)
    make_nodes(harness, in_memory=in_memory, reasoning=SlowReasoning)
    slow = harness.nodes[1]
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.spin_until(lambda: active(harness), "the nodes did not become active")
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 82)
    for number in range(250):
        harness.spin_until(lambda n=number: slow.begun == n + 1, "the stage did not begin")  # type: ignore[misc]
        drive(harness, publisher, START_NS + (82 + 10 * number) * 20_000_000, 10)
        slow.gate.release()
    harness.spin_until(
        lambda: sum(m.outcome == TickOutcome.ANSWERED for m in harness.heard["tick"]) >= 250, "answers are missing"
    )
    slow.gate.release(10)
    keys = [(m.header.stamp.sec, m.header.stamp.nanosec) for m in harness.heard["tick"]]
    assert len(keys) == len(set(keys)), "a tick has two outcomes"
    assert {m.outcome for m in harness.heard["tick"]} <= {
        TickOutcome.HISTORY_TOO_SHORT, TickOutcome.ANSWERED, TickOutcome.SKIPPED_BUSY,
    }  # fmt: skip


@pytest.mark.parametrize("in_memory", [True, False], ids=["composed", "separate"])
def test_a_tick_that_was_given_up_gets_no_second_outcome_from_a_late_stage(
    make_harness: Callable[..., Harness], drive: Callable[..., None], in_memory: bool
) -> None:
    harness = make_harness("-p", "answer_timeout_ms:=200")
    harness.hear("tick", "trajectory_set")
    SlowReasoning.gate = threading.Semaphore(0)
    make_nodes(harness, in_memory=in_memory, reasoning=SlowReasoning)
    slow = harness.nodes[1]
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.spin_until(lambda: active(harness), "the nodes did not become active")
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 130)

    def failed() -> list[Any]:
        return [m for m in harness.heard["tick"] if m.outcome == TickOutcome.STAGE_FAILED]

    harness.spin_until(lambda: len(failed()) >= 2, "the ticks were not given up")
    assert slow.begun == 1, "the stage is still with the first"
    slow.gate.release(100)
    drive(harness, publisher, START_NS + 130 * 20_000_000, 30)
    harness.spin_until(lambda: bool(harness.heard["trajectory_set"]), "nothing was answered afterwards")
    harness.spin_for(0.3)
    keys = [(m.header.stamp.sec, m.header.stamp.nanosec) for m in harness.heard["tick"]]
    assert len(keys) == len(set(keys)), "a tick has two outcomes"
    given_up = {(m.header.stamp.sec, m.header.stamp.nanosec) for m in failed()}
    answered = {(m.header.stamp.sec, m.header.stamp.nanosec) for m in harness.heard["trajectory_set"]}
    assert given_up & answered == set()


@pytest.mark.parametrize("in_memory", [True, False], ids=["composed", "separate"])
def test_every_tick_has_an_outcome_when_the_nodes_go_down_in_the_middle_of_one(
    make_harness: Callable[..., Harness], drive: Callable[..., None], in_memory: bool
) -> None:
    harness = make_harness()
    harness.hear("tick", "trajectory_set")
    SlowReasoning.gate = threading.Semaphore(0)
    make_nodes(harness, in_memory=in_memory, reasoning=SlowReasoning)
    slow = harness.nodes[1]
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.spin_until(lambda: active(harness), "the nodes did not become active")
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 102)  # 1.5 s in work, the newest of 1.6 to 2.0 s waits
    harness.spin_until(lambda: slow.begun == 1 and len(harness.heard["tick"]) >= 19, "the stage did not begin")
    threading.Timer(0.5, slow.gate.release).start()
    for node in harness.nodes:
        node.trigger_deactivate()
        harness.spin_for(0.2)
    harness.spin_until(lambda: len(harness.heard["tick"]) >= 21, "a tick has no outcome")
    last = {m.header.stamp.nanosec // 10**8 + 10 * (m.header.stamp.sec % 10): m.outcome for m in harness.heard["tick"]}
    assert last[20] == TickOutcome.SKIPPED_BUSY, "the one that waited"
    assert last[15] == TickOutcome.ANSWERED, "the one in work"


def test_a_stage_that_nobody_runs_fails_its_tick_with_words(
    make_harness: Callable[..., Harness], drive: Callable[..., None]
) -> None:
    harness = make_harness()
    harness.hear("tick")
    harness.add(PerceptionNode("perception", context=harness.context))
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.spin_until(lambda: active(harness), "perception did not become active")
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 100)
    harness.spin_until(
        lambda: any(message.outcome == TickOutcome.STAGE_FAILED for message in harness.heard["tick"]), "no failure"
    )
    failed = next(message for message in harness.heard["tick"] if message.outcome == TickOutcome.STAGE_FAILED)
    assert "nobody takes /alpamayo/output/observation; expected an active reasoning node" in failed.outcome_text
    assert failed.error_code == 300
    harness.await_present("perception", "nobody takes /alpamayo/output/observation")


def test_a_tick_that_is_never_answered_is_given_up(
    make_harness: Callable[..., Harness], drive: Callable[..., None], tmp_path: Path
) -> None:
    harness = make_harness("-p", "answer_timeout_ms:=300")
    harness.hear("tick", "observation")  # the probe takes observations and answers none
    harness.add(PerceptionNode("perception", context=harness.context))
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.spin_until(lambda: active(harness), "perception did not become active")
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 90)
    harness.spin_until(
        lambda: sum(message.outcome == TickOutcome.STAGE_FAILED for message in harness.heard["tick"]) >= 2,
        "the second tick was not sent after the first was given up",
    )
    failed = next(message for message in harness.heard["tick"] if message.outcome == TickOutcome.STAGE_FAILED)
    assert "no answer within 300 ms" in failed.outcome_text


def test_the_lineage_is_that_of_a_replay_with_the_same_files(make_harness: Callable[..., Harness]) -> None:
    harness = make_harness()
    harness.hear("lineage")
    harness.add(LineageNode("lineage", context=harness.context))
    harness.spin_until(lambda: len(harness.heard["lineage"]) >= 2, "the lineage is not repeated")
    own = set_up_stack(load_profile("kinematic"), NodeParameters(), RigCalibration(), Envelope()).lineage
    first, second = harness.heard["lineage"][:2]
    assert first.lineage_id == own.lineage_id
    assert first.manifest == own.manifest
    assert first.stamp == second.stamp, "the stamp says since when, not when it was repeated"


def test_a_node_that_sees_another_lineage_goes_to_error(make_harness: Callable[..., Harness], tmp_path: Path) -> None:
    harness = make_harness("-r", "__ns:=/alpamayo")
    harness.add(PlannerNode("planner", context=harness.context))
    harness.spin_until(lambda: active(harness), "planner did not become active")
    other = make_harness("-p", "motion_window_ms:=900")
    other.add(ReasoningNode("reasoning", context=other.context), LineageNode("lineage", context=other.context))
    parameters = tmp_path / "other.yaml"
    parameters.write_text("reasoning:\n  ros__parameters: {motion_window_ms: 900}\n", encoding="utf-8")
    other.nodes[1].set_parameters([_text_parameter("parameter_file", str(parameters))])
    other.spin_until(lambda: active(other), "the other lineage did not become active")
    harness.spin_until(lambda: not active(harness), "planner stayed active")
    harness.await_present("planner", "they differ in: config")
    assert harness.nodes[0].state_label == "unconfigured"


def _text_parameter(name: str, value: str) -> Any:
    from rclpy.parameter import Parameter

    return Parameter(name, Parameter.Type.STRING, value)


def test_states_go_up_and_down_by_services(make_harness: Callable[..., Harness], drive: Callable[..., None]) -> None:
    harness = make_harness("-p", "autostart:=false")
    harness.hear("tick")
    make_nodes(harness, in_memory=False)
    harness.await_present("perception", "unconfigured: waits for a lifecycle manager to configure it")

    def change(node: str, transition: int) -> bool:
        request = {"transition": _transition(transition)}
        return bool(harness.call(f"/alpamayo/{node}/change_state", "lifecycle_msgs/srv/ChangeState", **request).success)

    names = ("lineage", "planner", "reasoning", "perception")
    assert all(change(node, 1) for node in names)
    harness.await_present("perception", "inactive: waits for a lifecycle manager to activate it")
    assert all(change(node, 3) for node in names)
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 40)
    harness.spin_until(lambda: len(harness.heard["tick"]) >= 6, "no ticks")
    assert all(change(node, 4) for node in reversed(names))
    harness.spin_until(lambda: publisher.get_subscription_count() == 0, "perception still listens")
    assert all(change(node, 3) for node in names)
    harness.await_match(publisher)
    before = len(harness.heard["tick"])
    # Earlier stamps than before: an activation begins with nothing seen, so this is no step back of time.
    drive(harness, publisher, START_NS - 10**12, 40)
    harness.spin_until(lambda: len(harness.heard["tick"]) >= before + 6, "no ticks after the second activation")
    assert {message.epoch for message in harness.heard["tick"]} == {0}
    assert all(change(node, 4) and change(node, 2) for node in reversed(names))
    assert [node.state_label for node in harness.nodes] == ["unconfigured"] * 4


def _transition(number: int) -> Any:
    from lifecycle_msgs.msg import Transition

    return Transition(id=number)


def test_a_tensor_crosses_the_graph_bit_by_bit() -> None:
    from alpamayo_ros.messages.stage_translator import plan_context_struct
    from alpamayo_ros.ros.classes import graph_translator
    from alpamayo_ros.structs.observation import EgoHistory
    from alpamayo_ros.structs.plan import PlanContext

    generator = np.random.default_rng(3)
    history = EgoHistory(
        np.arange(-3, 1, dtype=np.int64), generator.normal(size=(4, 3)), generator.normal(size=(4, 3, 3)),
        generator.normal(size=3), generator.normal(size=4),
    )  # fmt: skip
    tensors = {
        "a": generator.normal(size=(2, 3)), "b": generator.normal(size=5).astype(np.float16),
        "c": np.array(7, dtype=np.int64), "d": np.array([[True, False]]), "e": np.zeros((0, 3), dtype=np.float32),
    }  # fmt: skip
    message = graph_translator().plan_context(PlanContext(5, 2, history, tensors))
    back = plan_context_struct(message)
    assert (back.t0_ns, back.epoch) == (5, 2)
    for name, tensor in tensors.items():
        assert back.tensors[name].dtype == tensor.dtype
        assert back.tensors[name].shape == tensor.shape
        assert back.tensors[name].tobytes() == tensor.tobytes()
    assert back.history.rotation.tobytes() == history.rotation.tobytes()
    message.tensors[0].shape[0] = 9
    with pytest.raises(ValueError, match="expected as many numbers as the shape says"):
        plan_context_struct(message)
