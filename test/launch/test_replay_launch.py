"""replay.launch.py by the real launch: the stack answers a played bag, and ends with it."""

import os
import re
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("launch_pytest", reason="launch_pytest is not installed: it comes with a sourced ROS 2")
pytest.importorskip("launch_ros", reason="launch_ros is not installed: it comes with a sourced ROS 2")

import launch_pytest
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.launch_description_sources import PythonLaunchDescriptionSource

from alpamayo_ros.messages.typestore import deserialize
from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.structs.tick import TickOutcome

if pytest.version_tuple >= (8, 4) and not hasattr(launch_pytest.plugin, "get_launch_test_fixture_scope"):
    pytest.skip("this launch_pytest does not work with pytest 8.4 and later", allow_module_level=True)

pytestmark = [
    pytest.mark.ros,
    pytest.mark.slow,
    # launch_pytest makes its event loop by a policy, which Python 3.14 deprecates.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:launch_pytest"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:asyncio"),
]

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "bags" / "demo"
STAGES = ["lineage", "perception", "planner", "reasoning"]


@launch_pytest.fixture(params=["true", "false"], ids=["composed", "separate"], auto_shutdown=False)
def played(
    request: pytest.FixtureRequest, own_domain: int, tmp_path: Path
) -> tuple[LaunchDescription, dict[str, int], list[str]]:
    codes: dict[str, int] = {}

    def on_exit(event: Any, _context: Any) -> None:
        codes[event.process_name.rpartition("-")[0]] = event.returncode

    given = {
        "bag": str(DEMO), "rate": "3", "composed": request.param, "record": "true",
        "record_folder": str(tmp_path / "bags"),
    }  # fmt: skip
    source = PythonLaunchDescriptionSource(str(ROOT / "launch" / "replay.launch.py"))
    description = LaunchDescription(
        [
            RegisterEventHandler(OnProcessExit(on_exit=on_exit)),
            IncludeLaunchDescription(source, launch_arguments=given.items()),
        ]
    )
    expected = ["replayer", "stack"] if request.param == "true" else ["recorder", "replayer", *STAGES]
    return description, codes, expected


@pytest.mark.launch(fixture=played)
def test_the_stack_answers_a_played_bag_and_ends_with_it(played: Any, probe: Any, tmp_path: Path) -> Any:
    trajectories = "/alpamayo/output/trajectory_set"
    probe.hear(trajectories, "alpamayo_ros/msg/TrajectorySet")
    probe.wait_until(lambda: len(probe.heard[trajectories]) >= 10, "no trajectory came")
    for node in ("perception", "replayer"):
        probe.await_state(f"/alpamayo/{node}", "active")
    assert {probe.parameters(f"/alpamayo/{stage}")["use_sim_time"] for stage in STAGES} == {True}

    yield

    _, codes, expected = played
    assert codes == dict.fromkeys(expected, 0)
    (bag,) = (tmp_path / "bags").iterdir()
    with open_bag(bag) as reader:
        assert "/odometry" in reader.topics
        ticks = [
            deserialize(message.payload, message.type_name)
            for message in reader.messages(topics=["/alpamayo/output/tick"])
        ]
        answers = sum(1 for _ in reader.messages(topics=[trajectories]))
    outcomes = Counter(TickOutcome(tick.outcome) for tick in ticks)
    assert outcomes[TickOutcome.ANSWERED] == answers
    # In process the drive has 136 answers. Live, a busy computer may skip some, and in the separate form the bag may
    # begin before every stage is active.
    assert answers >= 50
    possible = {TickOutcome.ANSWERED, TickOutcome.HISTORY_TOO_SHORT, TickOutcome.SKIPPED_BUSY, TickOutcome.STAGE_FAILED}
    assert set(outcomes) <= possible
    failures = [tick.outcome_text for tick in ticks if tick.outcome == TickOutcome.STAGE_FAILED.value]
    assert [text for text in failures if "nobody takes" not in text] == []


def test_with_exit_at_end_false_the_stack_stays_until_ctrl_c(launched: Callable[..., Any], probe: Any) -> None:
    started = launched("replay.launch.py", bag=str(DEMO), rate="3", start_offset="12", exit_at_end="false")
    probe.wait_until(lambda: probe.says("ended at 15.2 of 15.2 s"), "the bag never ended")
    assert started.process.poll() is None
    assert started.interrupt() == 0, started.text
    assert started.text.count(": down") == 5
    assert started.left_over() == []


def test_the_stack_is_taken_down_when_the_player_dies(launched: Callable[..., Any]) -> None:
    started = launched("replay.launch.py", bag=str(DEMO))
    started.await_text("alpamayo.replayer]: active")
    started.await_text("alpamayo.perception]: active")
    pid = int(re.findall(r"replayer-2\]: process started with pid \[(\d+)\]", started.text)[0])
    os.kill(pid, signal.SIGKILL)
    assert started.process.wait(60.0) == 1
    assert "replayer-2 ended with exit code -9; the stack is taken down" in started.text
    assert started.text.count(": down") == 4
    assert started.left_over() == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "missing required argument 'bag'"),
        ({"bag": "/no/such/bag"}, "bag /no/such/bag does not exist; expected a bag folder or a bag file"),
        ({"bag": str(DEMO), "rate": "fast"}, "argument rate is 'fast'; expected a number"),
        ({"bag": str(DEMO), "rate": "0"}, "parameter replayer.rate is 0.0, out of range"),
        ({"bag": str(DEMO), "profile": "nanoo"}, "profile 'nanoo' is not known; expected one of: kinematic"),
        ({"bag": str(DEMO), "topics": "/no/such.yaml"}, "topics file /no/such.yaml cannot be read"),
        ({"bag": str(DEMO), "odometry": "/odometry"}, "argument odometry has no use here"),
    ],
    ids=["no bag", "bag", "rate", "rate 0", "profile", "topics", "odometry"],
)
def test_what_cannot_work_is_refused_before_anything_starts(
    launched: Callable[..., Any], arguments: dict[str, str], sentence: str
) -> None:
    started = launched("replay.launch.py", **arguments)
    assert started.process.wait(60.0) == 1
    assert sentence in started.text
    assert "process started" not in started.text
