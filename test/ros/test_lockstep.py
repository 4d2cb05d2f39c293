"""The graph gives what the stages give in process, bit by bit, or fails with a reason."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from alpamayo_ros.replay.drive import Drive
from alpamayo_ros.replay.run import ReplaySetup
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.lockstep import GraphDrive, start_graph
from alpamayo_ros.storage.reader import BagReader, open_bag
from alpamayo_ros.structs.verdict import ReplayResult

pytestmark = pytest.mark.ros

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "bags" / "demo"
PROFILES = ROOT / "test" / "profiles"
Starter = Callable[[ReplaySetup, BagReader], AbstractContextManager[Drive]]
Replay = Callable[..., ReplayResult]


def same(*results: ReplayResult) -> bool:
    """Whether results agree in outputs, inputs, ticks and lineage."""
    first = results[0]
    for result in results[1:]:
        assert dict(result.ticks) == dict(first.ticks)
        assert result.input_order_digest == first.input_order_digest
        assert result.lineage.lineage_id == first.lineage.lineage_id
        assert result.ade_m == first.ade_m
    return len({result.output_digest for result in results}) == 1


@pytest.mark.parametrize("profile", ["kinematic", str(PROFILES / "demo_four.yaml")], ids=["odometry", "cameras"])
def test_in_process_separate_processes_and_stack_give_one_digest(
    replay: Replay, short_drive: Path, profile: str
) -> None:
    sim_time = profile != "kinematic"
    in_process = replay(short_drive, profile=profile)
    graph = replay(short_drive, start_graph, profile=profile)
    stack = replay(short_drive, partial(start_graph, composed=True, use_sim_time=sim_time), profile=profile)
    assert in_process.ticks["ANSWERED"] >= 40
    assert same(in_process, graph, stack)
    assert [result.executed for result in (in_process, graph, stack)] == ["in process", "graph", "stack"]


def test_every_node_of_a_graph_is_a_process_of_its_own(replay: Replay, make_odometry_bag: Callable[..., Path]) -> None:
    pids: dict[str, int] = {}

    @contextmanager
    def start(setup: ReplaySetup, reader: BagReader) -> Iterator[GraphDrive]:
        with start_graph(setup, reader) as drive:
            pids.update(drive.pids)
            yield drive

    replay(make_odometry_bag(duration_s=4.0), start)
    assert set(pids) == {"perception", "reasoning", "planner", "lineage"}
    assert len({os.getpid(), *pids.values()}) == 5
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids.values()), "a node outlived its replay"


def test_the_clock_carries_the_receive_time_of_the_next_message(
    replay: Replay, make_odometry_bag: Callable[..., Path]
) -> None:
    bag = make_odometry_bag(duration_s=4.0)
    heard: list[int] = []

    def hear(message: Any) -> None:
        heard.append(message.clock.sec * 10**9 + message.clock.nanosec)

    @contextmanager
    def start(setup: ReplaySetup, reader: BagReader) -> Iterator[GraphDrive]:
        with start_graph(setup, reader, composed=True) as drive:
            node = drive._client.node
            node.create_subscription(generated_class("rosgraph_msgs/msg/Clock"), "/clock", hear, 100)
            drive._client.wait_until(lambda: drive._clock.get_subscription_count() > 0, 20.0, lambda: "no clock")
            yield drive

    replay(bag, start)
    with open_bag(bag) as reader:
        times = [message.receive_ns for message in reader.messages()]
    # The clock may be heard late or not at all, but what is heard is the bag's, in order, and goes to the end.
    assert len(heard) >= len(times) // 2
    assert set(heard) <= set(times)
    assert heard == sorted(heard)
    assert heard[-1] >= times[-3]


@pytest.mark.slow
def test_ten_graph_runs_give_one_digest_also_under_load(replay: Replay, make_odometry_bag: Callable[..., Path]) -> None:
    bag = make_odometry_bag(duration_s=6.0, rate_hz=50.0)
    results = [replay(bag)]
    for number in range(10):
        with load() if number % 3 == 1 else idle():
            results.append(replay(bag, partial(start_graph, composed=number % 3 != 0)))
    assert results[0].ticks["ANSWERED"] >= 40
    assert same(*results)


@contextmanager
def idle() -> Iterator[None]:
    yield


@contextmanager
def load() -> Iterator[None]:
    """Keep every core busy beside the graph."""
    burn = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(burn) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def test_awkward_input_gives_the_same_ticks(
    replay: Replay, make_odometry_bag: Callable[..., Path], make_odometry: Callable[..., Any], drive_poses: Any
) -> None:
    """Duplicates, stamps out of order, a NaN, a gap, a step back of time."""
    poses = list(drive_poses(5.0, 20.0))
    messages = [make_odometry(*pose) for pose in poses[:50]]
    messages += [make_odometry(*poses[49]), make_odometry(*poses[40]), make_odometry(*poses[50])]
    messages.append(make_odometry(poses[51][0], (float("nan"), 0.0, 0.0)))
    messages += [make_odometry(*pose) for pose in poses[52:60]]
    messages += [make_odometry(*pose) for pose in poses[90:]]
    messages += [make_odometry(*pose) for pose in poses]
    messages.append(make_odometry(-5, (0.0, 0.0, 0.0)))
    bag = make_odometry_bag(messages=messages, receive_by_order=True)
    in_process = replay(bag)
    graph = replay(bag, partial(start_graph, composed=True))
    assert in_process.ticks["HISTORY_TOO_SHORT"] >= 25, "the step back began a second epoch"
    assert in_process.ticks["dropped_odometry"] >= 3
    assert same(in_process, graph, replay(bag, start_graph))


def test_ticks_that_wait_for_a_camera_close_alike(replay: Replay, make_camera_bag: Callable[..., Path]) -> None:
    """A camera that lags and falls silent: many ticks close at once, and a step back ends open ones."""
    bag = make_camera_bag()
    profile = str(PROFILES / "one_camera.yaml")
    in_process = replay(bag, profile=profile)
    assert in_process.ticks["ANSWERED"] >= 20
    assert in_process.ticks["TIME_BACKWARDS"] >= 1
    assert in_process.ticks["CAMERA_STALE"] >= 3
    assert same(in_process, replay(bag, partial(start_graph, composed=True), profile=profile))
    assert same(in_process, replay(bag, start_graph, profile=profile))


def test_recorded_ticks_are_asked_for_in_the_graph_too(replay: Replay, tmp_path: Path) -> None:
    from alpamayo_ros.messages.bag_translator import BAG
    from alpamayo_ros.messages.typestore import serialize
    from alpamayo_ros.storage.writer import BagWriter
    from alpamayo_ros.structs.tick import TickOutcome, TickStatus

    bag = tmp_path / "with_ticks"
    with open_bag(DEMO) as reader, BagWriter(bag, identity=None) as writer:
        writer.add_topic("/odometry", "nav_msgs/msg/Odometry")
        writer.add_topic("/alpamayo/output/tick", "alpamayo_ros/msg/TickStatus")
        for message in reader.messages(topics=["/odometry"]):
            writer.write("/odometry", message.payload, receive_ns=message.receive_ns, publish_ns=message.publish_ns)
        for index in range(20):
            t0_ns = reader.start_ns + 3_000_000_000 + index * 130_000_000
            status = TickStatus(t0_ns, 0, "odometry", TickOutcome.ANSWERED, "answered")
            payload = serialize(BAG.tick(status), "alpamayo_ros/msg/TickStatus")
            writer.write("/alpamayo/output/tick", payload, receive_ns=t0_ns, publish_ns=t0_ns)
    in_process = replay(bag, ticks="recorded")
    assert in_process.ticks["ANSWERED"] == 20
    assert same(in_process, replay(bag, partial(start_graph, composed=True), ticks="recorded"))


def test_parameters_and_calibration_of_a_replay_reach_the_nodes(
    replay: Replay, make_odometry_bag: Callable[..., Path], make_odometry: Any, drive_poses: Any, tmp_path: Path
) -> None:
    """The lineage is the same, so each node has read the same files; the frame of the odometry is in them."""
    calibration = tmp_path / "rig.yaml"
    calibration.write_text(
        "version: 1\nrig_frame: base_link\nodometry:\n  child_frame: imu\n"
        "  rig_in_child: {position_m: [-1.0, 0.0, -0.5], quaternion_xyzw: [0.0, 0.0, 0.0, 1.0]}\n",
        encoding="utf-8",
    )
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text("reasoning:\n  ros__parameters: {turn_rate_threshold_radps: 0.5}\n", encoding="utf-8")
    bag = make_odometry_bag(messages=[make_odometry(*pose, child_frame="imu") for pose in drive_poses(5.0, 20.0)])
    options = {"calibration": calibration, "parameters": parameters}
    in_process = replay(bag, **options)
    assert in_process.ticks["ANSWERED"] >= 30
    assert same(in_process, replay(bag, partial(start_graph, composed=True), **options))
    assert in_process.output_digest != replay(bag, calibration=calibration).output_digest


@pytest.mark.skipif("ALPAMAYO_DATA" not in os.environ, reason="ALPAMAYO_DATA is not set")
def test_pandaset_gives_one_digest_in_process_and_in_the_graph(replay: Replay, tmp_path: Path) -> None:
    source = Path(os.environ["ALPAMAYO_DATA"]) / "pandaset_seq002"
    if not source.exists():
        pytest.skip("pandaset_seq002 is not in ALPAMAYO_DATA")
    from alpamayo_ros.importers.pandaset import import_pandaset

    bag = tmp_path / "pandaset"
    import_pandaset(source, bag)
    profile = str(PROFILES / "pandaset_six.yaml")
    in_process = replay(bag, profile=profile)
    assert in_process.ticks["ANSWERED"] >= 60
    assert same(in_process, replay(bag, start_graph, profile=profile))
