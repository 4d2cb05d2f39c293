"""The recorder as a process: what it takes, what its bags say, and how they end."""

import io
import json
import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcap.stream_reader import StreamReader
from rclpy.event_handler import PublisherEventCallbacks
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from alpamayo_ros.envelope.document import load_envelope
from alpamayo_ros.errors import BagCorruptError
from alpamayo_ros.messages.topics import NAMESPACE
from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.monitoring.health import Level
from alpamayo_ros.nodes.recorder_node import RecorderNode
from alpamayo_ros.params.node_parameters import NodeParameters, render_yaml
from alpamayo_ros.pipeline.setup import choose_profile, set_up_stack
from alpamayo_ros.recording.lineage_message import LINEAGE_TYPE, lineage_payload
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.node_processes import executable
from alpamayo_ros.ros.process import PARENT_VARIABLE
from alpamayo_ros.ros.qos import qos_profile
from alpamayo_ros.storage.identity import read_identity, verify_identity
from alpamayo_ros.storage.message import BagMessage, TopicInfo
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.camera import RigCalibration
from alpamayo_ros.structs.lineage import Lineage

pytestmark = pytest.mark.ros

Harness = Any
STRING = "std_msgs/msg/String"
LINEAGE_TOPIC = f"{NAMESPACE}/output/lineage"
RECORDER = f"{NAMESPACE}/recorder"
CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = 1, 2, 3, 4
"""Transition ids of lifecycle_msgs/Transition."""

RELIABLE = QoSProfile(depth=1000)
BEST_EFFORT = QoSProfile(depth=1000, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Recorder:
    """A process that records into a folder of its own."""

    def __init__(self, folder: Path, name: str, words: tuple[str, ...], environment: dict[str, str]) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._log = (folder.parent / f"{folder.name}_{len(list(folder.parent.iterdir()))}.log").open("w+b")
        self.process = subprocess.Popen(
            [str(executable(name, os.environ)), *words],
            env={**os.environ, PARENT_VARIABLE: str(os.getpid()), "ROS_LOG_DIR": str(folder.parent), **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode()

    @property
    def bags(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.is_dir())

    @property
    def bag(self) -> Path:
        """The one bag."""
        (bag,) = self.bags
        return bag

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._log.close()


@pytest.fixture
def start_recorder(tmp_path: Path, domain_id: int) -> Iterator[Callable[..., Recorder]]:
    """Return a function that starts a recorder with parameters; what they select is all that it records."""
    started: list[Recorder] = []

    def start(
        *remaps: str,
        name: str = "recorder",
        words: tuple[str, ...] = (),
        folder: str = "bags",
        environment: dict[str, str] | None = None,
        **parameters: object,
    ) -> Recorder:
        given = {"default_topics": False, "output_folder": str(tmp_path / folder), "discovery_period_ms": 100}
        given |= parameters
        settings = [word for key, value in given.items() for word in ("-p", f"{key}:={json.dumps(value)}")]
        rules = [word for remap in remaps for word in ("-r", remap)]
        started.append(Recorder(tmp_path / folder, name, (*words, "--ros-args", *settings, *rules), environment or {}))
        return started[-1]

    yield start
    for recorder in started:
        recorder.close()


@pytest.fixture
def probe(make_harness: Callable[..., Harness]) -> Harness:
    """A node beside the recorder."""
    return make_harness()


def string(text: str) -> Any:
    from std_msgs.msg import String

    return String(data=text)


def texts(bag: Path, topic: str) -> list[str]:
    return [str(deserialize(message.payload, STRING).data) for message in messages(bag) if message.topic == topic]


def messages(bag: Path) -> list[BagMessage]:
    with open_bag(bag) as reader:
        return list(reader.messages())


def topics(bag: Path) -> dict[str, TopicInfo]:
    with open_bag(bag) as reader:
        assert reader.warnings == ()
        return dict(reader.topics)


def expected_lineage() -> Lineage:
    """Return the lineage of the default parameters."""
    return set_up_stack(choose_profile("kinematic"), NodeParameters(), RigCalibration(), load_envelope(None)).lineage


def require_sound(bag: Path) -> None:
    """Require a closed bag that names the system in all four places."""
    report = verify_identity(bag)
    assert report.disagreements == ()
    assert (report.state, report.lineage_id) == ("closed", expected_lineage().lineage_id)
    assert {place: said.lineage_id for place, said in report.places.items()} == dict.fromkeys(
        ("custom_data", "MCAP records", "lineage topic", "identity.json"), report.lineage_id
    )


def change_state(probe: Harness, transition: int) -> bool:
    from lifecycle_msgs.msg import Transition

    service = "lifecycle_msgs/srv/ChangeState"
    return bool(probe.call(f"{RECORDER}/change_state", service, transition=Transition(id=transition)).success)


def await_match(probe: Harness, publisher: Any, count: int = 1) -> None:
    """Wait until the recorder knows a publisher too: a reader drops what comes from a writer before that."""
    probe.await_match(publisher)

    def is_known() -> bool:
        response = probe.call(f"{RECORDER}/debug/connections", "std_srvs/srv/Trigger")
        return bool(json.loads(response.message).get(publisher.topic_name, 0) >= count)

    probe.spin_until(is_known, f"the recorder does not know the publisher of {publisher.topic_name}")


def publish(publisher: Any, *words: str) -> None:
    """Publish at 250 messages a second: of a burst only the newest 100 wait for a recorder that gets no processor."""
    for number, word in enumerate(words):
        publisher.publish(string(word))
        if number % 5 == 4:
            time.sleep(0.02)


def test_every_kind_of_publisher_is_recorded_with_its_offer_from_before_and_after_the_start(
    start_recorder: Callable[..., Recorder], probe: Harness
) -> None:
    latched = probe.publisher("/map", STRING, LATCHED)
    publish(latched, "old", "new")
    reliable, best_effort = probe.publisher("/a", STRING, RELIABLE), probe.publisher("/b", STRING, BEST_EFFORT)
    recorder = start_recorder(topics=["/a", "/b", "/map", "/late", "/never"])
    await_match(probe, reliable)
    await_match(probe, best_effort)
    await_match(probe, latched)
    publish(reliable, *map(str, range(200)))
    for number in range(50):
        publish(best_effort, str(number))
        time.sleep(0.005)
    late = probe.publisher("/late", STRING, RELIABLE)
    await_match(probe, late)
    publish(late, "late")
    probe.await_words("recorder", "recording")
    assert recorder.end() == 0, recorder.log
    require_sound(recorder.bag)
    found = topics(recorder.bag)
    # Of a best-effort topic some may be lost on the way.
    received = found["/b"].message_count
    assert 25 <= received <= 50
    assert f"closed {recorder.bag}: {204 + received} messages on 5 topics" in recorder.log
    assert {name: info.message_count for name, info in found.items()} == {
        "/a": 200, "/b": received, "/map": 2, "/late": 1, LINEAGE_TOPIC: 1
    }  # fmt: skip
    assert texts(recorder.bag, "/a") == list(map(str, range(200)))
    assert texts(recorder.bag, "/map") == ["old", "new"]
    offers = {name: [(q.reliability, q.durability) for q in info.offered_qos] for name, info in found.items()}
    assert offers == {
        "/a": [("reliable", "volatile")],
        "/b": [("best_effort", "volatile")],
        "/map": [("reliable", "transient_local")],
        "/late": [("reliable", "volatile")],
        LINEAGE_TOPIC: [("reliable", "transient_local")],
    }
    assert re.fullmatch("RIHS01_[0-9a-f]{64}", found["/a"].type_hash)
    assert "string data" in found["/a"].definition
    for message in messages(recorder.bag):
        assert 0 <= message.receive_ns - message.publish_ns < 30 * 10**9, message.topic


def test_what_a_burst_overwrites_before_it_is_taken_is_counted(
    make_harness: Callable[..., Harness], tmp_path: Path
) -> None:
    harness = make_harness(*("-p", "default_topics:=false", "-p", 'topics:=["/a"]', "-p", f"output_folder:={tmp_path}"))
    publisher = harness.publisher("/a", STRING, RELIABLE)
    harness.add(RecorderNode("recorder", context=harness.context))
    await_match(harness, publisher)
    publish(publisher, "first")
    harness.await_words("recorder", "recording 2 messages")
    # Nothing is dispatched meanwhile, and 100 messages may wait.
    publish(publisher, *map(str, range(150)))
    harness.await_words("recorder", "50 message(s) were sent and did not arrive; 102 messages, ")
    harness.nodes[0].shut_down()
    (bag,) = tmp_path.iterdir()
    assert texts(bag, "/a") == ["first", *map(str, range(50, 150))]


def test_a_publisher_with_another_offer_makes_the_recorder_ask_for_less_and_lose_nothing(
    start_recorder: Callable[..., Recorder], probe: Harness
) -> None:
    first = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a"])
    await_match(probe, first)
    sent = []
    second = None
    while second is None or second.get_subscription_count() == 0 or len(sent) < 300:
        sent.append(f"first {len(sent)}")
        publish(first, sent[-1])
        time.sleep(0.005)
        if len(sent) == 100:
            # rclpy's own word on incompatible offers is a warning, which is an error in tests.
            quiet = PublisherEventCallbacks(use_default_callbacks=False)
            second = probe.probe.create_publisher(type(string("")), "/a", BEST_EFFORT, event_callbacks=quiet)
        assert len(sent) < 10_000, "the recorder never matched the second publisher"
    await_match(probe, second, count=2)
    publish(second, "second")
    publish(first, "last")
    assert recorder.end() == 0, recorder.log
    found = texts(recorder.bag, "/a")
    assert [text for text in found if text != "second"] == [*sent, "last"]
    assert found.count("second") == 1
    require_sound(recorder.bag)


def test_regular_expressions_select_and_exclude(start_recorder: Callable[..., Recorder], probe: Harness) -> None:
    names = ("/camera/front", "/camera/rear", "/camera/front_debug", "/_hidden/camera", "/lidar")
    publishers = {name: probe.publisher(name, STRING, LATCHED) for name in names}
    for name, publisher in publishers.items():
        publish(publisher, name)
    recorder = start_recorder(regex="^/camera/|hidden", exclude_regex="debug$", topics=["/lidar"])
    for name in ("/camera/front", "/camera/rear", "/lidar"):
        await_match(probe, publishers[name])
    assert recorder.end() == 0, recorder.log
    assert set(topics(recorder.bag)) == {"/camera/front", "/camera/rear", "/lidar", LINEAGE_TOPIC}


def test_without_a_choice_the_outputs_the_inputs_and_the_transforms_are_recorded(
    start_recorder: Callable[..., Recorder], probe: Harness
) -> None:
    recorder = start_recorder(default_topics=True, silence_after_ms=100)
    probe.await_words("recorder", "nothing has arrived for")
    probe.await_words(
        "recorder",
        "nobody publishes /alpamayo/output/lineage, /alpamayo/output/tick, /alpamayo/output/rationale, "
        "/alpamayo/output/trajectory_set, /alpamayo/perception/input/odometry, /tf, /tf_static",
    )
    assert recorder.end() == 0, recorder.log
    require_sound(recorder.bag)


def test_inputs_follow_the_topics_file_and_the_remaps_of_the_recorder(
    start_recorder: Callable[..., Recorder], probe: Harness, tmp_path: Path
) -> None:
    (tmp_path / "topics.yaml").write_text("cameras: {}\nodometry: /vehicle/pose\n")
    start_recorder(default_topics=True, silence_after_ms=100, topics_file=str(tmp_path / "topics.yaml"))
    probe.await_words("recorder", "/vehicle/pose, /tf")
    start_recorder("~/input/odometry:=/ego", "__node:=second", default_topics=True, silence_after_ms=100)
    probe.await_words("second", "/ego, /tf")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_full_flow_closes_the_bag_even_if_it_comes_twice(
    start_recorder: Callable[..., Recorder], probe: Harness, number: int
) -> None:
    publisher = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a"])
    await_match(probe, publisher)
    publish(publisher, *map(str, range(200)))
    recorder.process.send_signal(number)
    publish(publisher, *map(str, range(200, 230)))
    recorder.process.send_signal(number)
    publish(publisher, *map(str, range(230, 260)))
    assert recorder.process.wait(20) == 0, recorder.log
    require_sound(recorder.bag)
    assert texts(recorder.bag, "/a") == list(map(str, range(260)))


def test_endless_traffic_does_not_hold_the_end_up(start_recorder: Callable[..., Recorder], probe: Harness) -> None:
    publisher = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a"])
    await_match(probe, publisher)
    recorder.process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + 20
    while recorder.process.poll() is None:
        publish(publisher, "more")
        time.sleep(0.01)
        assert time.monotonic() < deadline, recorder.log
    require_sound(recorder.bag)


def test_a_killed_recorder_leaves_its_identity_and_all_but_the_last_chunk(
    start_recorder: Callable[..., Recorder], probe: Harness
) -> None:
    publisher = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a"], compression="none")
    await_match(probe, publisher)
    # The first chunk of a megabyte is written when the next message begins another one.
    for number in range(60):
        publish(publisher, f"{number} " + "x" * 50_000)
        time.sleep(0.01)
    probe.spin_until(lambda: any(file.stat().st_size > 2_000_000 for file in recorder.bag.glob("*.mcap")), "no chunk")
    assert recorder.end(signal.SIGKILL) == -signal.SIGKILL
    report = read_identity(recorder.bag)
    assert (report.state, report.lineage_id) == ("recording", expected_lineage().lineage_id)
    with pytest.raises(BagCorruptError, match="cut or not closed"):
        open_bag(recorder.bag)
    (file,) = recorder.bag.glob("*.mcap")
    assert complete_messages(file.read_bytes()) >= 40


def complete_messages(data: bytes) -> int:
    """Return how many messages a file without an end holds."""
    count = 0
    reader = StreamReader(io.BytesIO(data), validate_crcs=True)
    try:
        for record in reader.records:
            count += type(record).__name__ == "Message"
    except Exception:  # noqa: BLE001 - the file ends in the middle
        pass
    return count


def test_each_activation_makes_a_bag_of_its_own(start_recorder: Callable[..., Recorder], probe: Harness) -> None:
    publisher = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a"], autostart=False)
    probe.await_words("recorder", "unconfigured: waits for a lifecycle manager to configure it")
    assert change_state(probe, CONFIGURE)
    assert recorder.bags == []
    for number in (1, 2):
        assert change_state(probe, ACTIVATE)
        await_match(probe, publisher)
        publish(publisher, f"{number}")
        assert change_state(probe, DEACTIVATE)
        probe.spin_until(lambda: publisher.get_subscription_count() == 0, "still subscribed")
        publish(publisher, "between")
    assert change_state(probe, CLEANUP)
    assert recorder.end() == 0, recorder.log
    assert [texts(bag, "/a") for bag in recorder.bags] == [["1"], ["2"]]
    for bag in recorder.bags:
        require_sound(bag)


def test_two_recorders_share_a_folder(start_recorder: Callable[..., Recorder], probe: Harness) -> None:
    publisher = probe.publisher("/a", STRING, LATCHED)
    publish(publisher, "both")
    recorders = [start_recorder(f"__node:=recorder_{number}", topics=["/a"]) for number in (1, 2)]
    probe.spin_until(lambda: publisher.get_subscription_count() == 2, "one recorder does not subscribe")
    for recorder in recorders:
        assert recorder.end() == 0, recorder.log
    assert len(recorders[0].bags) == 2
    for bag in recorders[0].bags:
        require_sound(bag)
        assert texts(bag, "/a") == ["both"]


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"output_folder": "/proc/bags"}, r"output folder is /proc/bags, which is missing|/proc/bags"),
        ({"output_folder": "/dev/null"}, "output folder is /dev/null is no folder"),
        ({"regex": "("}, r"regex is '\(', which is no regular expression"),
        ({"topics": ["/a b"]}, "topic '/a b' is no topic name"),
        ({"topics": []}, "no topic is selected"),
        ({"bag_prefix": "a/b"}, "bag prefix is 'a/b'"),
        ({"compression": "gzip"}, "'gzip' is not known; expected one of: lz4, none, zstd"),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_its_reason(
    start_recorder: Callable[..., Recorder], probe: Harness, parameters: dict[str, object], reason: str
) -> None:
    recorder = start_recorder(**{"topics": ["/a"], **parameters})
    probe.spin_until(lambda: probe.health.get(RECORDER, (0, ""))[0] == Level.ERROR, f"not refused: {recorder.log}")
    text = probe.health[RECORDER][1]
    assert re.search(reason, text), text
    assert re.match("unconfigured|inactive", text)
    assert recorder.end() == 0, recorder.log
    assert recorder.bags == []


def test_a_type_that_is_not_installed_is_named_and_the_rest_is_recorded(
    start_recorder: Callable[..., Recorder], probe: Harness, tmp_path: Path
) -> None:
    (tmp_path / "shadow" / "shape_msgs").mkdir(parents=True)
    (tmp_path / "shadow" / "shape_msgs" / "__init__.py").touch()
    plane = probe.publisher("/plane", "shape_msgs/msg/Plane", LATCHED)
    publisher = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a", "/plane"], environment={"PYTHONPATH": str(tmp_path / "shadow")})
    await_match(probe, publisher)
    probe.await_words("recorder", "topic /plane is not recorded: type 'shape_msgs/msg/Plane' is not installed")
    publish(publisher, "1")
    assert plane.get_subscription_count() == 0
    assert recorder.end() == 0, recorder.log
    assert set(topics(recorder.bag)) == {"/a", LINEAGE_TOPIC}


def test_a_second_type_on_a_topic_is_named_and_not_recorded(
    start_recorder: Callable[..., Recorder], probe: Harness, make_harness: Callable[..., Harness]
) -> None:
    publisher = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a"])
    await_match(probe, publisher)
    # One participant has one type for a topic.
    make_harness().publisher("/a", "std_msgs/msg/Int32", RELIABLE)
    probe.await_words("recorder", "it is recorded as std_msgs/msg/String, and a publisher offers std_msgs/msg/Int32")
    publish(publisher, "1")
    assert recorder.end() == 0, recorder.log
    assert texts(recorder.bag, "/a") == ["1"]


def test_another_lineage_in_the_graph_ends_the_recording_with_a_whole_bag(
    start_recorder: Callable[..., Recorder], probe: Harness
) -> None:
    import dataclasses

    publisher = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a"])
    await_match(probe, publisher)
    publish(publisher, "before")
    lineage = probe.publisher(LINEAGE_TOPIC, LINEAGE_TYPE, qos_profile("latched"))
    other = dataclasses.replace(expected_lineage(), lineage_id=f"sha256:{'0' * 64}", manifest="")
    lineage.publish(lineage_payload(other, 1))
    probe.await_words("recorder", "expected one lineage: give every node the same profile, files and parameters")
    probe.spin_until(lambda: publisher.get_subscription_count() == 0, "still subscribed")
    require_sound(recorder.bag)
    assert texts(recorder.bag, "/a") == ["before"]
    assert recorder.end() == 0, recorder.log


def test_a_full_disk_ends_the_recording_and_what_was_written_stays_readable(
    start_recorder: Callable[..., Recorder], probe: Harness
) -> None:
    publisher = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a"], compression="none")
    await_match(probe, publisher)
    # Python ignores SIGXFSZ, so that a write beyond the limit fails as on a full disk (EFBIG).
    limit = 3_500_000
    resource.prlimit(recorder.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    for number in range(100):
        publish(publisher, f"{number} " + "x" * 50_000)
        time.sleep(0.01)
    probe.await_words("recorder", "the recording has ended")
    assert probe.health[RECORDER][0] == Level.ERROR
    assert recorder.end() == os.EX_IOERR, recorder.log
    found = [int(text.split()[0]) for text in texts(recorder.bag, "/a")]
    assert found == list(range(len(found)))
    assert len(found) >= 40
    assert verify_identity(recorder.bag).lineage_id == expected_lineage().lineage_id


def test_large_bags_go_on_in_further_files(start_recorder: Callable[..., Recorder], probe: Harness) -> None:
    publisher = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a"], max_file_mb=1, compression="none")
    await_match(probe, publisher)
    for number in range(100):
        publish(publisher, f"{number} " + "x" * 50_000)
        time.sleep(0.01)
    assert recorder.end() == 0, recorder.log
    require_sound(recorder.bag)
    with open_bag(recorder.bag) as reader:
        assert len(reader.files) >= 4
    assert [int(text.split()[0]) for text in texts(recorder.bag, "/a")] == list(range(100))


def test_with_simulated_time_a_bag_begins_with_the_clock_and_follows_it(
    start_recorder: Callable[..., Recorder], probe: Harness
) -> None:
    from builtin_interfaces.msg import Time
    from rosgraph_msgs.msg import Clock

    latched = probe.publisher("/map", STRING, LATCHED)
    publish(latched, "map")
    publisher = probe.publisher("/a", STRING, RELIABLE)
    recorder = start_recorder(topics=["/a", "/map"], use_sim_time=True)
    probe.await_words("recorder", "no bag yet: use_sim_time is true and nothing has come on /clock")
    assert recorder.bags == []
    clock = probe.publisher("/clock", "rosgraph_msgs/msg/Clock")
    probe.await_match(clock)
    stamps: list[int] = []
    probe.probe.create_subscription(
        generated_class("diagnostic_msgs/msg/DiagnosticArray"),
        "/diagnostics",
        lambda m: stamps.append(m.header.stamp.sec),
        10,
    )

    def set_clock(second: int) -> None:
        # What the recorder says carries its time.
        while second not in stamps:
            clock.publish(Clock(clock=Time(sec=second)))
            probe.spin_for(0.05)

    set_clock(1000)
    probe.await_words("recorder", "recording 2 messages")
    for number, second in enumerate((1001, 1002)):
        set_clock(second)
        publish(publisher, str(second))
        probe.await_words("recorder", f"recording {3 + number} messages")
    assert recorder.end() == 0, recorder.log
    assert recorder.bag.name == "drive_1970-01-01T00-16-40Z"
    require_sound(recorder.bag)
    stamped = [(m.receive_ns // 10**9, m.topic) for m in messages(recorder.bag)]
    assert stamped == [(1000, LINEAGE_TOPIC), (1000, "/map"), (1001, "/a"), (1002, "/a")]


def test_a_stack_that_records_has_its_own_last_words_in_the_bag(
    start_recorder: Callable[..., Recorder], probe: Harness, drive: Callable[..., None]
) -> None:
    probe.hear("tick", "trajectory_set")
    publisher = probe.publisher(f"{NAMESPACE}/perception/input/odometry", "nav_msgs/msg/Odometry", RELIABLE)
    recorder = start_recorder(name="stack", words=("--record",), default_topics=True, skip_when_busy=False)
    probe.spin_until(lambda: publisher.get_subscription_count() == 2, "perception or the recorder does not subscribe")
    await_match(probe, publisher)
    drive(probe, publisher, 1_700_000_000_000_000_000, 150)
    recorder.process.send_signal(signal.SIGINT)
    probe.spin_until(lambda: recorder.process.poll() is not None, "the stack does not end")
    assert recorder.process.returncode == 0, recorder.log
    require_sound(recorder.bag)
    found = topics(recorder.bag)
    assert found[f"{NAMESPACE}/perception/input/odometry"].message_count == 150
    for interface in ("tick", "trajectory_set"):
        assert found[f"{NAMESPACE}/output/{interface}"].message_count == len(probe.heard[interface]) > 0
    assert found[LINEAGE_TOPIC].message_count >= 2


def test_the_generated_parameter_file_is_one_that_ros_takes(
    start_recorder: Callable[..., Recorder], probe: Harness, tmp_path: Path
) -> None:
    text = render_yaml("recorder")
    path = tmp_path / "recorder.param.yaml"
    path.write_text(text.replace("silence_after_ms: 5000", "silence_after_ms: 150"), encoding="utf-8")
    recorder = start_recorder(words=("--ros-args", "--params-file", str(path), "--"), topics=["/a"])
    probe.await_words("recorder", "nobody publishes /a")
    assert recorder.end() == 0, recorder.log
