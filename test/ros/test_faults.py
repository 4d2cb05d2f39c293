"""What goes wrong on a vehicle is said in /diagnostics, in words that name the thing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy

from alpamayo_ros.messages.topics import NAMESPACE
from alpamayo_ros.nodes.lineage_node import LineageNode
from alpamayo_ros.nodes.perception_node import PerceptionNode
from alpamayo_ros.nodes.planner_node import PlannerNode
from alpamayo_ros.nodes.reasoning_node import ReasoningNode
from alpamayo_ros.ros.handover import Handover
from alpamayo_ros.structs.tick import TickOutcome

pytestmark = pytest.mark.ros

ODOMETRY = "nav_msgs/msg/Odometry"
PICTURE = "sensor_msgs/msg/CompressedImage"
ODOMETRY_TOPIC = f"{NAMESPACE}/perception/input/odometry"
CAMERA_TOPIC = f"{NAMESPACE}/perception/input/camera/front"
ONE_CAMERA = Path(__file__).resolve().parents[1] / "profiles" / "one_camera.yaml"
START_NS = 1_700_000_000_000_000_000
KINDS: dict[str, Any] = {
    "perception": PerceptionNode,
    "reasoning": ReasoningNode,
    "planner": PlannerNode,
    "lineage": LineageNode,
}
Harness = Any
Make = Callable[..., Harness]
Drive = Callable[..., None]


@pytest.fixture
def perception(make_harness: Make) -> Callable[..., Harness]:
    """Return a function that makes an active perception node, with arguments."""

    def make(*arguments: str) -> Harness:
        harness = make_harness(*arguments)
        harness.hear("tick")
        harness.add(PerceptionNode("perception", context=harness.context))
        harness.spin_until(lambda: harness.nodes[0].state_label == "active", "perception did not become active")
        return harness

    return make


def outcomes(harness: Harness) -> set[TickOutcome]:
    return {TickOutcome(message.outcome) for message in harness.heard["tick"]}


def test_nothing_comes_in_and_it_says_what_and_where(perception: Callable[..., Harness]) -> None:
    harness = perception()
    harness.await_present("perception", f"no odometry on {ODOMETRY_TOPIC}: nobody publishes it")


def test_a_publisher_without_messages_is_told_from_no_publisher(perception: Callable[..., Harness]) -> None:
    harness = perception()
    harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_present("perception", "it has 1 publisher(s), but no message has arrived")


def test_odometry_that_falls_silent_and_comes_back(perception: Callable[..., Harness], drive: Drive) -> None:
    harness = perception("-p", "silence_after_ms:=200")
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 20)
    harness.await_words("perception", "odometry on /alpamayo/perception/input/odometry has been silent for")
    harness.probe.destroy_publisher(publisher)
    harness.await_words("perception", "its publisher is gone")
    again = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_match(again)
    before = len(harness.heard["tick"])
    drive(harness, again, START_NS + 10**9, 30)
    harness.spin_until(lambda: len(harness.heard["tick"]) > before, "no tick after the publisher was restarted")


def test_two_publishers_on_one_input_are_reported_and_the_older_stamps_dropped(
    perception: Callable[..., Harness], drive: Drive
) -> None:
    harness = perception()
    harness.hear("input_counts")
    first, second = (harness.publisher(ODOMETRY_TOPIC, ODOMETRY) for _ in range(2))
    for publisher in (first, second):
        harness.await_match(publisher)
    drive(harness, first, START_NS, 20)
    drive(harness, second, START_NS, 20)
    harness.spin_until(
        lambda: bool(harness.heard["input_counts"]) and harness.heard["input_counts"][-1].received[0] == 40,
        "messages are missing",
    )
    assert harness.heard["input_counts"][-1].dropped[0] >= 20
    drive(harness, first, START_NS + 10**9, 5)
    harness.await_words("perception", "has 2 publishers; expected one")
    keys = [(m.header.stamp.sec, m.header.stamp.nanosec) for m in harness.heard["tick"]]
    assert len(keys) == len(set(keys))


def test_a_message_that_nobody_foresaw_is_reported_and_survived(
    perception: Callable[..., Harness], drive: Drive
) -> None:
    harness = perception()
    foreign = harness.publisher("/alpamayo/output/tick", "alpamayo_ros/msg/TickStatus")
    harness.await_match(foreign)
    message = _tick_class()(outcome=200)
    foreign.publish(message)
    harness.await_present("perception", "a message on ~/input/tick raised ValueError: 200 is not a valid TickOutcome")
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 20)
    harness.spin_until(lambda: len(harness.heard["tick"]) >= 2, "perception stopped")


def test_messages_that_a_queue_lost_are_counted_and_said(
    perception: Callable[..., Harness], odometry_payload: Callable[..., bytes]
) -> None:
    harness = perception()
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_match(publisher)
    publisher.publish(odometry_payload(START_NS - 10**9))
    harness.spin_until(lambda: harness.nodes[0].health().values["odometry received"] == "1", "nothing arrived")
    for index in range(400):  # more than the queues hold, while nobody takes any
        publisher.publish(odometry_payload(START_NS + index * 20_000_000))
    harness.await_words("perception", "lost messages on the way")


def test_an_input_of_another_type_is_named(perception: Callable[..., Harness]) -> None:
    harness = perception()
    harness.publisher(ODOMETRY_TOPIC, "std_msgs/msg/String")
    harness.await_present("perception", f"a publisher has type std_msgs/msg/String; expected {ODOMETRY}")


def test_odometry_of_an_unknown_frame_is_refused_in_words(
    perception: Callable[..., Harness], odometry_payload: Callable[..., bytes]
) -> None:
    harness = perception()
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_match(publisher)
    publisher.publish(odometry_payload(START_NS, child_frame="imu"))
    harness.await_words("perception", "is about child_frame_id 'imu'")


def test_a_clock_jump_begins_an_epoch(perception: Callable[..., Harness], drive: Drive) -> None:
    harness = perception()
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 30)
    drive(harness, publisher, START_NS - 3600 * 10**9, 30)
    harness.spin_until(lambda: any(message.epoch == 1 for message in harness.heard["tick"]), "no second epoch")
    jumped = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_match(jumped)
    drive(harness, jumped, START_NS + 3600 * 10**9, 30)
    late = START_NS // 10**9 + 3600
    harness.spin_until(lambda: any(m.header.stamp.sec >= late for m in harness.heard["tick"]), "no tick after the jump")


def test_a_silent_camera_rejects_its_ticks_by_name(perception: Callable[..., Harness], drive: Drive) -> None:
    harness = perception("-p", f"profile:={ONE_CAMERA}")
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 150)
    harness.spin_until(lambda: TickOutcome.CAMERA_MISSING in outcomes(harness), "no CAMERA_MISSING")
    harness.await_present("perception", f"no front on {CAMERA_TOPIC}: nobody publishes it")


def test_a_best_effort_camera_is_taken(perception: Callable[..., Harness]) -> None:
    harness = perception("-p", f"profile:={ONE_CAMERA}")
    harness.hear("input_counts")
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    publisher = harness.publisher(CAMERA_TOPIC, PICTURE, qos)
    harness.await_match(publisher)
    message = _picture(harness, START_NS)

    def arrived() -> bool:
        publisher.publish(message)
        counts = harness.heard["input_counts"]
        return bool(counts) and counts[-1].received[1] > 0

    harness.spin_until(arrived, "no picture arrived")


def test_a_damaged_picture_rejects_its_tick_and_nothing_else(perception: Callable[..., Harness], drive: Drive) -> None:
    harness = perception("-p", f"profile:={ONE_CAMERA}")
    odometry, camera = harness.publisher(ODOMETRY_TOPIC, ODOMETRY), harness.publisher(CAMERA_TOPIC, PICTURE)
    for publisher in (odometry, camera):
        harness.await_match(publisher)
    for index in range(30):
        drive(harness, odometry, START_NS + index * 100_000_000, 5)
        camera.publish(_picture(harness, START_NS + index * 100_000_000))
    harness.spin_until(lambda: TickOutcome.IMAGE_INVALID in outcomes(harness), "no IMAGE_INVALID")
    assert harness.nodes[0].state_label == "active"


def _picture(harness: Harness, stamp_ns: int) -> Any:
    from sensor_msgs.msg import CompressedImage

    message = CompressedImage(format="jpeg", data=b"\xff\xd8 no picture")
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    return message


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("max_wait_s:=0.3", "parameter perception.'max_wait_s' is not known; expected one of: "),
        (
            "max_wait_ms:=0.3",
            "parameter perception.max_wait_ms is 0.3, a float; expected an integer from 200 to 5000 ms",
        ),
        ("max_wait_ms:=7", "parameter perception.max_wait_ms is 7 ms, out of range; expected from 200 to 5000 ms"),
        ("max_camera_skew_ms:=300", "so that no outcome depends on the order of arrival"),
        ("profile:=nanoo", "profile 'nanoo' is not known; expected one of: kinematic"),
        ("profile:=3", "parameter perception.profile is 3, an int; expected a string"),
        ("backend:=nim", "backend 'nim' is not part of this version"),
        ("calibration_file:=/no/such.yaml", "calibration /no/such.yaml cannot be read"),
        ("topics_file:=/no/such.yaml", "topics file /no/such.yaml cannot be read"),
        ("envelope_file:=/no/such.yaml", "envelope /no/such.yaml cannot be read"),
        ("parameter_file:=/no/such.yaml", "parameter file /no/such.yaml cannot be read"),
    ],
)
def test_a_wrong_parameter_leaves_the_node_unconfigured_with_the_reason(
    make_harness: Make, argument: str, words: str
) -> None:
    harness = make_harness("-p", argument)
    key = "reasoning" if "backend" in argument else "perception"
    kind = ReasoningNode if key == "reasoning" else PerceptionNode
    harness.add(kind(key, context=harness.context))
    harness.await_present(key, words)
    assert harness.nodes[0].state_label == "unconfigured"


def test_a_topic_that_ros_cannot_have_is_refused_by_name(make_harness: Make, tmp_path: Path) -> None:
    (tmp_path / "topics.yaml").write_text("odometry: '/a b'\n", encoding="utf-8")
    harness = make_harness("-p", f"topics_file:={tmp_path / 'topics.yaml'}")
    harness.add(PerceptionNode("perception", context=harness.context))
    harness.await_present("perception", "topic '/a b' of input odometry is no ROS topic name")


def test_a_message_between_stages_that_is_not_well_formed_fails_its_tick(make_harness: Make) -> None:
    from alpamayo_ros.msg import PlanContext, Tensor

    harness = make_harness()
    harness.hear("tick")
    harness.add(PlannerNode("planner", context=harness.context))
    harness.spin_until(lambda: harness.nodes[0].state_label == "active", "planner did not become active")
    publisher = harness.publisher("/alpamayo/output/plan_context", "alpamayo_ros/msg/PlanContext", 10)
    harness.await_match(publisher)
    message = PlanContext(epoch=3, tensors=[Tensor(name="motion", dtype="float64", shape=[7], data=[1, 2])])
    message.header.stamp.sec = 12
    publisher.publish(message)
    harness.spin_until(lambda: bool(harness.heard["tick"]), "the tick has no outcome")
    (status,) = harness.heard["tick"]
    assert (status.header.stamp.sec, status.epoch, status.outcome) == (12, 3, TickOutcome.STAGE_FAILED)
    assert "plan_context is not well formed" in status.outcome_text


def test_a_refused_node_is_configured_once_its_parameter_is_right(make_harness: Make) -> None:
    harness = make_harness("-p", "max_wait_ms:=7")
    harness.add(PerceptionNode("perception", context=harness.context))
    harness.await_present("perception", "out of range")
    assert "max_wait_ms" in set_parameter(harness, "perception", "max_wait_ms", 6)
    assert set_parameter(harness, "perception", "max_wait_ms", 400) == ""
    response = harness.call(
        "/alpamayo/perception/change_state", "lifecycle_msgs/srv/ChangeState", transition=_transition(1)
    )
    assert response.success
    harness.await_present("perception", "inactive")


def test_only_live_parameters_change_while_the_node_is_configured(perception: Callable[..., Harness]) -> None:
    harness = perception()
    assert set_parameter(harness, "perception", "silence_after_ms", 300) == ""
    said = set_parameter(harness, "perception", "max_wait_ms", 400)
    assert said == (
        "parameter perception.max_wait_ms can be changed while the node is unconfigured only; "
        "live parameters: silence_after_ms"
    )
    assert "range" in set_parameter(harness, "perception", "silence_after_ms", 1)
    assert harness.nodes[0].get_parameter("silence_after_ms").value == 300


def test_every_parameter_is_described_and_bounded(perception: Callable[..., Harness]) -> None:
    from alpamayo_ros.params.parameter import declarations
    from alpamayo_ros.params.perception import PerceptionParams

    harness = perception()
    declared = declarations(PerceptionParams)
    response = harness.call(
        "/alpamayo/perception/describe_parameters", "rcl_interfaces/srv/DescribeParameters", names=list(declared)
    )
    for descriptor in response.descriptors:
        _, _, declaration = declared[descriptor.name]
        assert declaration.description in descriptor.description
        ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
        assert bool(ranges) == (declaration.minimum is not None or declaration.maximum is not None)


def set_parameter(harness: Harness, node: str, name: str, value: int) -> str:
    """Set a parameter as ``ros2 param set`` does; return why not, empty if it was set."""
    from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue

    parameter = Parameter(name=name, value=ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=value))
    response = harness.call(
        f"/alpamayo/{node}/set_parameters", "rcl_interfaces/srv/SetParameters", parameters=[parameter]
    )
    return "" if response.results[0].successful else str(response.results[0].reason)


def _transition(number: int) -> Any:
    from lifecycle_msgs.msg import Transition

    return Transition(id=number)


def test_two_stacks_in_one_domain_are_refused_by_name(make_harness: Make) -> None:
    first, second = make_harness(), make_harness("-p", "autostart:=false")
    first.add(PlannerNode("planner", context=first.context))
    first.spin_until(lambda: first.nodes[0].state_label == "active", "planner did not become active")
    second.add(PlannerNode("planner", context=second.context))
    second.await_present("planner", "another node /alpamayo/planner runs in this domain")
    response = second.nodes[0].trigger_configure()
    assert response.name == "FAILURE"
    assert "node /alpamayo/planner runs twice in this domain" in second.nodes[0]._refusal
    assert first.nodes[0].state_label == "active"


def test_two_stacks_in_two_namespaces_live_side_by_side(make_harness: Make, drive: Drive) -> None:
    harnesses = [make_harness("-r", f"__ns:=/car{number}", "-p", "skip_when_busy:=false") for number in (1, 2)]
    for number, harness in enumerate(harnesses, 1):
        shared = Handover(in_memory=True)
        harness.add(*(kind(key, context=harness.context, handover=shared) for key, kind in KINDS.items()))
        harness.spin_until(lambda h=harness: all(n.state_label == "active" for n in h.nodes), "not active")
        heard = harness.heard.setdefault("tick", [])
        harness.probe.create_subscription(_tick_class(), f"/car{number}/output/tick", heard.append, 50)
    first = harnesses[0]
    publisher = first.publisher("/car1/perception/input/odometry", ODOMETRY)
    first.await_match(publisher)
    drive(first, publisher, START_NS, 100)
    first.spin_until(lambda: TickOutcome.ANSWERED in outcomes(first), "no answer")
    harnesses[1].spin_for(0.3)
    assert harnesses[1].heard["tick"] == []


def _tick_class() -> Any:
    from alpamayo_ros.msg import TickStatus

    return TickStatus


def start_stack(environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    program = Path(sys.prefix) / "lib" / "alpamayo_ros" / "stack"
    return subprocess.Popen(
        [str(program), *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_stack_runs_without_a_display_and_with_a_home_that_cannot_be_written(
    make_harness: Make, drive: Drive, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "ROS_LOG_DIR")}
    environment |= {"HOME": "/proc/nowhere", "ROS_HOME": "/proc/nowhere"}
    harness = make_harness()
    harness.hear("tick")
    process = start_stack(environment)
    try:
        publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
        harness.await_match(publisher)
        harness.drive_until(drive, publisher, START_NS, lambda: TickOutcome.ANSWERED in outcomes(harness))
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0, output
        assert "the log folder /proc/nowhere/log cannot be written" in output
    finally:
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stack_goes_down_in_order_on_a_signal_and_takes_a_second_one(make_harness: Make, number: int) -> None:
    harness = make_harness()
    process = start_stack(dict(os.environ))
    try:
        states: list[tuple[str, str]] = []
        for node in ("perception", "reasoning", "planner", "lineage"):
            harness.probe.create_subscription(
                _event_class(),
                f"/alpamayo/{node}/transition_event",
                lambda message, node=node: states.append((node, message.goal_state.label)),
                50,
            )
        harness.await_present("planner", "active")
        process.send_signal(number)
        process.send_signal(number)
        deadline = time.monotonic() + 30.0
        while process.poll() is None:
            harness.executor.spin_once(timeout_sec=0.05)
            assert time.monotonic() < deadline, "the stack did not end"
        harness.spin_for(0.2)
        output, _ = process.communicate(timeout=10)
        assert process.returncode == 0, output
        assert "Traceback" not in output
        ended = [node for node, label in states if label == "finalized"]
        assert ended == [node for node in ("perception", "reasoning", "planner", "lineage") if node in ended]
    finally:
        process.kill()


def _event_class() -> Any:
    from lifecycle_msgs.msg import TransitionEvent

    return TransitionEvent


def test_a_planner_that_dies_while_active_is_missed(make_harness: Make, drive: Drive) -> None:
    """Reasoning sees that nobody takes its context; perception says what became of the ticks."""
    harness = make_harness("-p", "skip_when_busy:=false", "-p", "answer_timeout_ms:=1000")
    harness.hear("tick")
    harness.add(*(KINDS[key](key, context=harness.context) for key in ("perception", "reasoning", "planner")))
    harness.spin_until(lambda: all(node.state_label == "active" for node in harness.nodes), "not active")
    publisher = harness.publisher(ODOMETRY_TOPIC, ODOMETRY)
    harness.await_match(publisher)
    drive(harness, publisher, START_NS, 100)
    harness.spin_until(lambda: TickOutcome.ANSWERED in outcomes(harness), "no answer")
    planner = harness.nodes[2]
    planner.shut_down()
    drive(harness, publisher, START_NS + 100 * 20_000_000, 100)
    words = "nobody takes /alpamayo/output/plan_context; expected an active planner"
    # A tick that the planner had in hand when it went is given up later; those after it fail at once.
    harness.spin_until(lambda: any(words in m.outcome_text for m in harness.heard["tick"]), "no tick names the planner")
    assert TickOutcome.STAGE_FAILED in outcomes(harness)
    harness.await_present("reasoning", "nobody takes /alpamayo/output/plan_context")


def test_the_generated_parameter_file_reaches_its_node(make_harness: Make, tmp_path: Path) -> None:
    from alpamayo_ros.params.node_parameters import render_yaml

    path = tmp_path / "perception.param.yaml"
    path.write_text(render_yaml("perception").replace("max_wait_ms: 300", "max_wait_ms: 350"), encoding="utf-8")
    harness = make_harness("--params-file", str(path))
    harness.add(PerceptionNode("perception", context=harness.context))
    harness.spin_until(lambda: harness.nodes[0].state_label == "active", "perception did not become active")
    assert harness.nodes[0].get_parameter("max_wait_ms").value == 350


def test_a_parameter_file_may_say_that_a_node_does_not_start_by_itself(make_harness: Make, tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    path.write_text("perception:\n  ros__parameters: {autostart: false}\n", encoding="utf-8")
    harness = make_harness("-p", f"parameter_file:={path}")
    harness.add(*(KINDS[key](key, context=harness.context) for key in ("perception", "planner")))
    harness.await_present("planner", "active")
    harness.await_present("perception", "unconfigured: waits for a lifecycle manager to configure it")


def test_ros_arguments_that_cannot_be_used_are_one_sentence_and_exit_2(domain_id: int) -> None:
    process = start_stack(dict(os.environ), "--ros-args", "-r", "__ns:=bad/ns/")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert "the ROS arguments cannot be used: " in output
    assert "Traceback" not in output
