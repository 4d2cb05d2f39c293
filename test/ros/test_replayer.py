"""A bag is published again: whole, in order, as it was offered, and as the services say."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from alpamayo_ros.messages.topics import NAMESPACE
from alpamayo_ros.messages.translator import stamp_ns
from alpamayo_ros.messages.typestore import deserialize, message_class, serialize
from alpamayo_ros.nodes.lineage_node import LineageNode
from alpamayo_ros.nodes.perception_node import PerceptionNode
from alpamayo_ros.nodes.planner_node import PlannerNode
from alpamayo_ros.nodes.reasoning_node import ReasoningNode
from alpamayo_ros.nodes.replayer_node import ReplayerNode
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.node_processes import executable
from alpamayo_ros.ros.playback_publishers import playback_qos
from alpamayo_ros.storage.qos import LATCHED_QOS, OUTPUT_QOS, SENSOR_QOS, QosProfile
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter
from alpamayo_ros.structs.tick import TickOutcome

pytestmark = pytest.mark.ros

Harness = Any
Make = Callable[..., Harness]
DEMO = Path(__file__).resolve().parents[2] / "bags" / "demo"
STRING = "std_msgs/msg/String"
TICK = "alpamayo_ros/msg/TickStatus"
REPLAYER = f"{NAMESPACE}/replayer"
CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = 1, 2, 3, 4
S, MS = 1_000_000_000, 1_000_000
T0 = 1_700_000_000 * S
RELIABLE = QoSProfile(depth=1000)
BEST_EFFORT = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
Row = tuple[str, int, str]


def write_bag(path: Path, rows: list[Row], topics: dict[str, QosProfile] | None = None, **options: Any) -> Path:
    """Write texts: (topic, receive time in ns after T0, text)."""
    text = message_class(STRING)
    with BagWriter(path, identity=None, **options) as writer:
        for name, qos in (topics or {"/a": OUTPUT_QOS}).items():
            writer.add_topic(name, STRING, qos=qos)
        for topic, after_ns, data in rows:
            receive_ns = T0 + after_ns
            writer.write(topic, serialize(text(data=data), STRING), receive_ns=receive_ns, publish_ns=receive_ns)
    return path


def numbers(count: int, step_ns: int = 100 * MS, topic: str = "/a") -> list[Row]:
    return [(topic, number * step_ns, str(number)) for number in range(count)]


def texts(start: int, stop: int) -> list[str]:
    return [str(number) for number in range(start, stop)]


class Listener:
    """What a probe hears of some topics, and the replayer's services."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.heard: dict[str, list[str]] = {}

    def hear(self, *topics: str, qos: QoSProfile = RELIABLE) -> "Listener":
        for topic in topics:
            heard = self.heard[topic] = []
            self.harness.probe.create_subscription(
                generated_class(STRING), topic, lambda message, heard=heard: heard.append(message.data), qos
            )
        return self

    def await_texts(self, expected: list[str], topic: str = "/a") -> None:
        self.harness.spin_until(
            lambda: len(self.heard[topic]) >= len(expected), f"{topic}: {self.heard[topic]} and not {expected}"
        )
        assert self.heard[topic][: len(expected)] == expected

    def trigger(self, name: str) -> str:
        response = self.harness.call(f"{REPLAYER}/{name}", "std_srvs/srv/Trigger")
        assert response.success, response.message
        return str(response.message)

    def step(self, count: int) -> Any:
        return self.harness.call(f"{REPLAYER}/step", "alpamayo_ros/srv/Step", count=count)

    def seek(self, after_ns: int) -> Any:
        seconds, nanoseconds = divmod(T0 + after_ns, S)
        moment = generated_class("builtin_interfaces/msg/Time")(sec=seconds, nanosec=nanoseconds)
        return self.harness.call(f"{REPLAYER}/seek", "alpamayo_ros/srv/Seek", time=moment)

    def change_state(self, transition: int) -> bool:
        request = generated_class("lifecycle_msgs/msg/Transition")(id=transition)
        service = f"{REPLAYER}/change_state"
        return bool(self.harness.call(service, "lifecycle_msgs/srv/ChangeState", transition=request).success)


def words(bag: Path, *parameters: str) -> list[str]:
    """Return command-line words for the replayer."""
    return [word for parameter in (f"bag:={bag}", *parameters) for word in ("-p", parameter)]


@pytest.fixture
def replay(make_harness: Make) -> Callable[..., Listener]:
    """Return a function that makes a replayer of a bag, and a listener of topics that it waits for."""

    def make(bag: Path, *parameters: str, topics: tuple[str, ...] = ("/a",), rules: tuple[str, ...] = ()) -> Listener:
        awaited = [f"wait_for_subscribers:=[{','.join(topics)}]"] if topics else []
        harness = make_harness(*words(bag, *parameters, *awaited), *rules)
        listener = Listener(harness).hear(*topics)
        harness.add(ReplayerNode("replayer", context=harness.context))
        return listener

    return make


def test_the_demo_bag_arrives_whole_in_order_byte_by_byte_and_as_it_was_offered(make_harness: Make) -> None:
    with open_bag(DEMO) as reader:
        played = {name: topic for name, topic in reader.topics.items() if name != "/tf_static"}
        recorded: dict[str, list[bytes]] = {name: [] for name in played}
        for message in reader.messages(played):
            recorded[message.topic].append(message.payload)
    names = ",".join(played)
    harness = make_harness(*words(DEMO, "rate:=4.0", f"topics:=[{names}]", f"wait_for_subscribers:=[{names}]"))
    heard: dict[str, list[bytes]] = {name: [] for name in played}
    for name, topic in played.items():
        harness.probe.create_subscription(
            generated_class(topic.type_name), name, heard[name].append, BEST_EFFORT, raw=True
        )
    harness.add(ReplayerNode("replayer", context=harness.context))
    count = sum(map(len, recorded.values()))
    harness.await_words("replayer", f"ended at 15.2 of 15.2 s; {count} messages")
    for name, payloads in recorded.items():
        assert heard[name] == payloads, name
    for name, topic in played.items():
        (offer,) = harness.probe.get_publishers_info_by_topic(name)
        assert offer.qos_profile.reliability.name.lower() == topic.offered_qos[0].reliability
        assert offer.qos_profile.durability.name.lower() == topic.offered_qos[0].durability


MANY = QosProfile(reliability="best_effort", depth=10**9, history="unknown", liveliness="manual_by_topic")


@pytest.mark.parametrize(
    ("offers", "repeats", "expected"),
    [
        ((), 0, ("RELIABLE", "VOLATILE", 10)),
        ((SENSOR_QOS,), 0, ("BEST_EFFORT", "VOLATILE", 10)),
        ((SENSOR_QOS, OUTPUT_QOS), 0, ("RELIABLE", "VOLATILE", 10)),
        ((MANY,), 0, ("BEST_EFFORT", "VOLATILE", 1000)),
        ((LATCHED_QOS,), 1, ("RELIABLE", "TRANSIENT_LOCAL", 1)),
        ((), 100, ("RELIABLE", "TRANSIENT_LOCAL", 100)),
    ],
)
def test_a_topic_is_offered_as_strongly_as_it_was(
    offers: tuple[QosProfile, ...], repeats: int, expected: tuple[str, str, int]
) -> None:
    profile = playback_qos(offers, repeats)
    assert (profile.reliability.name, profile.durability.name, profile.depth) == expected


def test_a_topic_whose_type_is_not_installed_is_named_and_the_others_are_played(
    replay: Callable[..., Listener], tmp_path: Path
) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        writer.add_topic("/a", STRING)
        writer.add_topic("/lidar", "no_such_msgs/msg/Points", definition="uint8[] data\n", type_hash="")
        # The same name with another definition: subscribers would read nonsense.
        writer.add_topic("/other", STRING, definition="int32 data\n", type_hash=f"RIHS01_{'0' * 64}")
        for topic in ("/a", "/lidar", "/other"):
            payload = serialize(message_class(STRING)(data="0"), STRING)
            writer.write(topic, payload, receive_ns=T0, publish_ns=T0)
    listener = replay(tmp_path / "bag")
    listener.await_texts(["0"])
    listener.harness.await_words("replayer", "1 messages; topic /lidar is left out (and 1 more): type 'no_such_msgs")
    status = listener.harness.values[REPLAYER]
    assert status["topics left out"] == "2"
    assert "was recorded with another version of std_msgs/msg/String" in status["left out: /other"]
    assert not listener.harness.probe.get_publishers_info_by_topic("/other")


def test_pause_step_seek_and_resume_do_what_they_say(replay: Callable[..., Listener], tmp_path: Path) -> None:
    listener = replay(write_bag(tmp_path / "bag", numbers(20)), "start_paused:=true", "rate:=10.0")
    listener.harness.await_words("replayer", "paused at 0.0 of 1.9 s; 0 messages")
    step = listener.step(3)
    assert (step.success, step.published, stamp_ns(step.reached)) == (True, 3, T0 + 200 * MS)
    listener.await_texts(texts(0, 3))
    step = listener.step(0)
    assert (step.success, step.published, stamp_ns(step.reached)) == (True, 1, T0 + 300 * MS)
    assert listener.seek(1 * S + 1).success
    assert listener.step(1).published == 1
    listener.await_texts([*texts(0, 4), "11"])
    assert listener.seek(1_500 * MS).success
    assert listener.trigger("resume").startswith("playing at ")
    listener.await_texts([*texts(0, 4), "11", *texts(15, 20)])
    listener.harness.await_words("replayer", "ended at 1.9 of 1.9 s; 10 messages")
    assert listener.trigger("pause").startswith("ended at ")
    assert listener.seek(0).success
    step = listener.step(1000)
    assert (step.success, step.published, stamp_ns(step.reached)) == (True, 20, T0 + 1_900 * MS)
    listener.await_texts([*texts(0, 4), "11", *texts(15, 20), *texts(0, 20)])


def test_what_a_service_refuses_it_says_in_words(replay: Callable[..., Listener], tmp_path: Path) -> None:
    listener = replay(write_bag(tmp_path / "bag", numbers(20)), "rate:=0.001", "autostart:=false")
    refused = listener.step(1)
    assert (refused.success, refused.message) == (False, "step: the replayer is not active; expected an active one")
    assert listener.change_state(CONFIGURE)
    assert listener.change_state(ACTIVATE)
    listener.await_texts(["0"])
    refused = listener.step(1)
    assert (refused.success, refused.message) == (False, "step: playback is playing; expected paused")
    refused = listener.seek(2 * S)
    assert not refused.success
    assert f"expected {T0} to {T0 + 1_900 * MS} ns" in refused.message
    listener.trigger("pause")
    refused = listener.step(1001)
    assert (refused.success, refused.message) == (False, "step: count 1001 is out of range; expected 1 to 1000")
    listener.step(1)
    listener.await_texts(["0", "1"])


def test_the_rate_can_be_changed_while_it_plays_and_a_bad_one_is_refused_by_name(
    replay: Callable[..., Listener], tmp_path: Path
) -> None:
    # At the first rate the bag takes half an hour.
    listener = replay(write_bag(tmp_path / "bag", numbers(20)), "rate:=0.001")
    listener.await_texts(["0"])

    def set_rate(value: float) -> Any:
        parameter = generated_class("rcl_interfaces/msg/Parameter")(name="rate")
        parameter.value.type, parameter.value.double_value = 3, value
        service = f"{REPLAYER}/set_parameters"
        return listener.harness.call(service, "rcl_interfaces/srv/SetParameters", parameters=[parameter]).results[0]

    refused = set_rate(0.0)
    assert not refused.successful
    assert "rate" in refused.reason
    assert set_rate(50.0).successful
    listener.await_texts(texts(0, 20))
    listener.harness.await_words("replayer", "ended at 1.9 of 1.9 s; 20 messages")


def test_no_message_comes_before_its_time(replay: Callable[..., Listener], tmp_path: Path) -> None:
    listener = replay(write_bag(tmp_path / "bag", numbers(20)), "rate:=4.0")
    listener.await_texts(["0"])
    begun = time.monotonic()
    listener.await_texts(texts(0, 20))
    # A quarter of 1.9 s; the first message may have been late.
    assert time.monotonic() - begun > 0.3


ROWS: list[Row] = [("/map", 0, "old map"), *numbers(10), ("/map", 450 * MS, "new map"), ("/map", 860 * MS, "last map")]
TOPICS = {"/map": LATCHED_QOS, "/a": OUTPUT_QOS}


def test_from_an_offset_and_after_a_seek_latched_topics_are_given_again(
    replay: Callable[..., Listener], tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / "bag", ROWS, TOPICS)
    listener = replay(bag, "start_offset_s:=0.5", "start_paused:=true", topics=("/a", "/map"))
    listener.await_texts(["new map"], "/map")
    listener.step(1)
    listener.await_texts(["5"])
    assert listener.seek(100 * MS).success
    listener.await_texts(["new map", "old map"], "/map")
    listener.step(1)
    listener.await_texts(["5", "1"])
    late = Listener(listener.harness).hear("/map", qos=LATCHED)
    late.await_texts(["old map"], "/map")
    assert listener.harness.nodes[0].state_label == "active"


def test_a_loop_begins_again_with_every_message_and_the_clock_goes_back_only_there(
    replay: Callable[..., Listener], tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / "bag", ROWS, TOPICS)
    listener = replay(bag, "loop:=true", "rate:=4.0", "clock:=true", "clock_rate_hz:=20.0", "start_offset_s:=0.5")
    clock = hear_clock(listener.harness)
    listener.await_texts([*texts(5, 10)] * 3)
    seen = [later - earlier for earlier, later in pairwise(clock)]
    assert [step for step in seen if step < 0] == [-400 * MS] * sum(step < 0 for step in seen)
    assert sum(step < 0 for step in seen) >= 2
    assert set(clock) >= {T0 + number * 100 * MS for number in range(5, 10)}
    assert min(clock) == T0 + 500 * MS
    assert max(clock) == T0 + 900 * MS


def hear_clock(harness: Harness) -> list[int]:
    clock: list[int] = []
    harness.probe.create_subscription(
        generated_class("rosgraph_msgs/msg/Clock"),
        "/clock",
        lambda message: clock.append(stamp_ns(message.clock)),
        1000,
    )
    return clock


def test_the_clock_reaches_every_message_stands_still_with_it_and_never_passes_the_next(
    replay: Callable[..., Listener], tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / "bag", numbers(10))
    listener = replay(bag, "clock:=true", "start_paused:=true", "clock_rate_hz:=200.0")
    clock = hear_clock(listener.harness)
    listener.harness.spin_until(lambda: len(clock) >= 20, "there is no clock")
    assert set(clock) == {T0}
    listener.step(2)
    listener.await_texts(texts(0, 2))
    before = len(clock)
    listener.harness.spin_until(lambda: len(clock) >= before + 20, "the clock has ended")
    assert set(clock) == {T0, T0 + 100 * MS}
    listener.trigger("resume")
    listener.await_texts(texts(0, 10))
    listener.harness.spin_until(lambda: clock[-1] == T0 + 900 * MS, "the clock does not reach the end")
    assert clock == sorted(clock)
    assert set(clock) >= {T0 + number * 100 * MS for number in range(10)}
    assert len(set(clock)) > 30
    listener.seek(300 * MS)
    listener.harness.spin_until(lambda: clock[-1] < T0 + 900 * MS, "the clock does not follow the seek")


def test_nothing_is_played_before_a_topic_that_is_waited_for_has_a_subscriber(
    make_harness: Make, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / "bag", numbers(10, 10 * MS))
    harness = make_harness(*words(bag, "wait_for_subscribers:=[/a]"))
    harness.add(ReplayerNode("replayer", context=harness.context))
    harness.await_present("replayer", "waits for a subscriber of /a")
    Listener(harness).hear("/a").await_texts(texts(0, 10))


def test_remaps_of_the_node_name_what_is_published(make_harness: Make, tmp_path: Path) -> None:
    bag = write_bag(tmp_path / "bag", numbers(10, 10 * MS))
    harness = make_harness(*words(bag, "wait_for_subscribers:=[/a]"), "-r", "/a:=/vehicle/a")
    listener = Listener(harness).hear("/vehicle/a")
    harness.add(ReplayerNode("replayer", context=harness.context))
    listener.await_texts(texts(0, 10), "/vehicle/a")
    assert not harness.probe.get_publishers_info_by_topic("/a")


def test_a_deactivated_replayer_stands_still_and_a_new_configuration_begins_anew(
    replay: Callable[..., Listener], tmp_path: Path
) -> None:
    listener = replay(write_bag(tmp_path / "bag", numbers(20, 10 * S)), "rate:=100.0")
    listener.await_texts(texts(0, 3))
    assert listener.change_state(DEACTIVATE)
    listener.harness.spin_for(0.3)
    assert listener.heard["/a"] == texts(0, len(listener.heard["/a"]))
    stood = len(listener.heard["/a"])
    listener.harness.spin_for(0.3)
    assert len(listener.heard["/a"]) == stood
    assert listener.change_state(ACTIVATE)
    listener.await_texts(texts(0, 20))
    assert listener.change_state(DEACTIVATE)
    assert listener.change_state(CLEANUP)
    assert not listener.harness.probe.get_publishers_info_by_topic("/a")
    assert listener.change_state(CONFIGURE)
    assert listener.change_state(ACTIVATE)
    listener.await_texts([*texts(0, 20), *texts(0, 20)])


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        (["bag:=''"], "parameter replayer.bag is empty; expected the path of a bag"),
        (["bag:=/no/such/bag"], "bag /no/such/bag does not exist; expected a bag folder or a bag file"),
        (["rate:=0.0"], "parameter replayer.rate is 0.0, out of range; expected from 0.001 to 100.0"),
        (["rate:=fast"], "parameter replayer.rate is 'fast', a str; expected a number"),
        (["topics:=[/b]"], "topics: topic '/b' is not known; expected one of: /a"),
        (["wait_for_subscribers:=[/b]"], "wait_for_subscribers: topic '/b' is not known; expected one of: /a"),
        (["start_offset_s:=2.0"], "start offset 2.0 s is out of range; expected 0 to 1.9 s"),
        (["loop:=true", "exit_at_end:=true"], "parameter replayer.exit_at_end is true, and loop is too"),
        (["spede:=2.0"], "parameter replayer.'spede' is not known; expected one of: autostart, bag"),
    ],
)
def test_what_cannot_be_played_is_refused_with_its_sentence(
    make_harness: Make, tmp_path: Path, parameters: list[str], sentence: str
) -> None:
    bag = write_bag(tmp_path / "bag", numbers(20))
    harness = make_harness(*words(bag, *parameters))
    harness.add(ReplayerNode("replayer", context=harness.context))
    harness.await_present("replayer", f"unconfigured: {sentence}")


def await_received(harness: Harness, count: int) -> None:
    counts = harness.heard["input_counts"]
    done = f"perception did not take {count} messages"
    harness.spin_until(lambda: bool(counts) and sum(counts[-1].received) == count, done)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ((), "the bag has no topic to play; expected inputs, or topics, or outputs set to true"),
        (("topics:=[/lidar]",), "topic /lidar cannot be played: type 'no_such_msgs/msg/Points' is not installed"),
        (("topics:=[/clock]", "clock:=true"), "topics names /clock, and clock is true: expected one of them"),
        (("outputs:=true",), "start offset 9.0 s is out of range"),
    ],
)
def test_a_bag_of_which_nothing_can_be_played_is_refused(
    make_harness: Make, tmp_path: Path, parameters: tuple[str, ...], sentence: str
) -> None:
    with BagWriter(tmp_path / "bag", identity=None) as writer:
        writer.add_topic("/alpamayo/output/tick", TICK)
        writer.add_topic("/clock", "rosgraph_msgs/msg/Clock")
        if "topics:=[/lidar]" in parameters:
            writer.add_topic("/lidar", "no_such_msgs/msg/Points", definition="uint8[] data\n", type_hash="")
    harness = make_harness(*words(tmp_path / "bag", "start_offset_s:=9.0", *parameters))
    harness.add(ReplayerNode("replayer", context=harness.context))
    harness.await_present("replayer", f"unconfigured: {sentence}")


def test_what_the_replayer_plays_the_stack_answers_as_the_baseline_does(replay: Callable[..., Listener]) -> None:
    remap = ("-r", f"/odometry:={NAMESPACE}/perception/input/odometry")
    listener = replay(
        DEMO, "start_paused:=true", "topics:=[/odometry]", "skip_when_busy:=false", topics=(), rules=remap
    )
    harness = listener.harness
    harness.hear("tick", "trajectory_set", "input_counts")
    for kind in (PerceptionNode, ReasoningNode, PlannerNode, LineageNode):
        harness.add(kind(kind.__name__.removesuffix("Node").lower(), context=harness.context))
    harness.spin_until(lambda: all(node.state_label == "active" for node in harness.nodes), "a node is not active")
    (replayer,) = (node for node in harness.nodes if node.key == "replayer")
    harness.spin_until(lambda: all(replayer.connections().values()), "perception does not hear the replayer")
    played = 0
    # No more at once than any queue holds, so that nothing depends on how busy this machine is.
    while published := listener.step(8).published:
        played += published
        await_received(harness, played)
    with open_bag(DEMO) as reader:
        assert played == reader.topics["/odometry"].message_count
    with open_bag(DEMO.parent / "demo_baseline" / "outputs") as reader:
        ticks = [deserialize(message.payload, TICK) for message in reader.messages(["/alpamayo/output/tick"])]
    expected = {stamp_ns(tick.header.stamp): tick.outcome for tick in ticks}
    harness.spin_until(lambda: len(harness.heard["tick"]) >= len(expected), "ticks are missing")
    assert {stamp_ns(tick.header.stamp): tick.outcome for tick in harness.heard["tick"]} == expected
    answered = sum(outcome == TickOutcome.ANSWERED for outcome in expected.values())
    harness.spin_until(lambda: len(harness.heard["trajectory_set"]) == answered, "trajectories are missing")


# As a process.


@pytest.fixture
def start_process(domain_id: int) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Return a function that starts the executable as ``ros2 run`` does, in the domain of the test."""
    assert domain_id
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = [str(executable("replayer", os.environ)), "--ros-args", *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_a_process_that_is_to_exit_ends_with_0_when_all_was_taken(
    start_process: Callable[..., "subprocess.Popen[str]"], make_harness: Make, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / "bag", numbers(50, 10 * MS))
    harness = make_harness()
    listener = Listener(harness).hear("/a")
    process = start_process(*words(bag, "exit_at_end:=true", "wait_for_subscribers:=[/a]"))
    harness.spin_until(lambda: process.poll() is not None, "the process does not end")
    output = process.communicate()[0]
    assert process.returncode == 0, output
    assert listener.heard["/a"] == texts(0, 50)
    assert "ended at 0.5 of 0.5 s; 50 messages" in output


def test_a_damaged_bag_is_played_up_to_there_and_ends_the_process_with_4(
    start_process: Callable[..., "subprocess.Popen[str]"], make_harness: Make, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / "bag", numbers(100, 10 * MS), chunk_size=100, compression="none")
    file = bag / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    data[data.index(b"90\0", data.index(b"89\0")) - 4] ^= 0xFF
    file.write_bytes(data)
    harness = make_harness()
    listener = Listener(harness).hear("/a")
    process = start_process(*words(bag, "exit_at_end:=true", "wait_for_subscribers:=[/a]"))
    harness.spin_until(lambda: process.poll() is not None, "the process does not end")
    output = process.communicate()[0]
    assert process.returncode == 4, output
    assert 80 < len(listener.heard["/a"]) <= 90
    assert listener.heard["/a"] == texts(0, len(listener.heard["/a"]))
    sentence = next(text for text in harness.said[REPLAYER] if "bag_0.mcap" in text)
    assert f"; {len(listener.heard['/a'])} messages before it were played" in sentence
    assert sentence in output


def test_a_process_that_cannot_play_ends_with_2_and_the_reason(
    start_process: Callable[..., "subprocess.Popen[str]"],
) -> None:
    process = start_process(*words(Path("/no/such/bag"), "exit_at_end:=true"))
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert "bag /no/such/bag does not exist" in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_cleanly(
    start_process: Callable[..., "subprocess.Popen[str]"], make_harness: Make, tmp_path: Path, number: signal.Signals
) -> None:
    harness = make_harness()
    listener = Listener(harness).hear("/a")
    bag = write_bag(tmp_path / "bag", numbers(20))
    process = start_process(*words(bag, "rate:=0.001", "wait_for_subscribers:=[/a]"))
    listener.await_texts(["0"])
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert "Traceback" not in output
